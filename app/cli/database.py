"""``stepgate db``: the database as such: its schema, its epoch, the truth of its feeds."""

import asyncio
from typing import TYPE_CHECKING

import typer

from app.cli.options import DatabaseUrl, DataDir, on_store, settings_of

if TYPE_CHECKING:
    from app.services.ports import ChainFault, Store, Tx

app = typer.Typer(help="Migrate and check the database.", no_args_is_help=True)

_PAGE = 1_000


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
