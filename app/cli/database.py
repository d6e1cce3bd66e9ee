"""``stepgate db``: the database as such: its schema, its epoch, the truth of its feeds, and the way to PostgreSQL."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from app.cli.options import DatabaseUrl, DataDir, on_store, settings_of
from app.settings import Settings, SettingsError

if TYPE_CHECKING:
    from app.services.ports import ChainFault, Store, Tx

app = typer.Typer(help="Migrate, check and copy the database.", no_args_is_help=True)

_PAGE = 1_000

_NO_TARGET = "Where to? Give the empty PostgreSQL database as --database-url postgresql://..."
_NO_KEY = (
    "The copy's keys are encrypted: set STEPGATE_SECRET_KEY, to what it was if the server had one until now, else to a "
    "new one (openssl rand -hex 32). Every server on the copy needs the same."
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="db")


@app.command("migrate")
def migrate(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Bring the schema up to date, as every start of the server does. Creates an empty database when there is none."""
    from app.bootstrap import migrate_database

    settings = settings_of(data_dir=data_dir, database_url=database_url)
    asyncio.run(migrate_database(settings))
    print("The schema is up to date.")


@app.command("new-epoch")
def new_epoch(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Begin a new epoch. Do this after restoring a backup, before the server starts: clients then do not resume from a
    history that no longer exists. Prints the epoch."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    print(on_store(settings, lambda store: store.run(lambda tx: tx.new_epoch())))


@app.command("verify")
def verify(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Walk the hash chain of every job's feed and report gaps and changed rows; exit status 1 when there are any."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    _check_feeds(settings)


@app.command("copy")
def copy(
    from_data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of the SQLite database. (STEPGATE_DATA_DIR, default ./stepgate-data)"),
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Copy a SQLite database into an empty PostgreSQL one, and compare the two row by row. Stop the server before.

    Either all of it arrives or nothing. Tokens stay valid, and clients resume where they were.
    """
    target = settings_of(data_dir=from_data_dir, database_url=database_url)
    if target.uses_sqlite:
        raise SettingsError([_NO_TARGET])
    if target.secret_key is None:
        raise SettingsError([_NO_KEY])
    source = msgspec.structs.replace(target, database_url=None)
    _check_feeds(source)
    _copy_with_progress(source, target)
    _check_feeds(target)
    print("Everything was copied. The data folder is as it was: serve it no more, or the two go different ways.")


def _copy_with_progress(source: Settings, target: Settings) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from app.bootstrap import copy_to_postgres

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("counting", total=None)
        copy_to_postgres(
            source,
            target,
            on_counted=lambda rows: progress.update(bar, total=2 * rows),
            on_progress=lambda doing, rows: progress.update(bar, description=doing, advance=rows),
        )


def _check_feeds(settings: Settings) -> None:
    checked, faults = on_store(settings, _verify)
    for fault in faults:
        print(f"job {fault.job_id} seq {fault.seq}: {fault.problem}")
    print(f"{checked} feeds checked, {len(faults)} faults found.")
    if faults:
        raise typer.Exit(1)


async def _verify(store: "Store") -> tuple[int, list["ChainFault"]]:
    jobs = await store.read(_jobs_with_a_feed)
    faults: list[ChainFault] = []
    for item_id, job_id in jobs:  # one snapshot each: long work goes through in pieces
        faults += await store.read(lambda tx, item_id=item_id, job_id=job_id: _check(tx, item_id, job_id))  # type: ignore[misc]
    return len(jobs), faults


def _jobs_with_a_feed(tx: "Tx") -> list[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    rows = tx.feed_since(0, _PAGE)
    while rows:
        found |= dict.fromkeys((message.item_id, message.job_id) for _, message in rows)
        rows = tx.feed_since(rows[-1][0], _PAGE)
    return list(found)


def _check(tx: "Tx", item_id: str, job_id: str) -> list["ChainFault"]:
    item = next(item for item in tx.items() if item.item_id == item_id)
    return tx.check_feed(item, job_id)
