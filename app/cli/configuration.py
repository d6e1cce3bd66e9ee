"""``stepgate export`` and ``stepgate import``: an item's configuration as a file, through a server that runs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import Target, refused, with_target
from stepgate_client import Client

Item = Annotated[str, typer.Argument(metavar="ITEM", help="Id of the workflow item.")]
Passphrase = Annotated[
    str | None,
    typer.Option(help="Takes secrets along, encrypted with it; - asks for it instead of showing it to others."),
]


ASK = "-"

_Advance = Callable[[int], None]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(with_target(export))
    app.command("import")(with_target(import_))


def export(
    target: Target,
    item: Item,  # noqa: ARG001 - it is the target's
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it, such as configuration.wmc.")],
    *,
    passphrase: Passphrase = None,
    template: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this job template; may be repeated.")
    ] = None,
    diagram: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only this diagram; may be repeated.")] = None,
    other: Annotated[bool, typer.Option(help="With lookups, roles, searches, settings and stored templates.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Export the configuration of an item into a file: all that is set up in it, and none of its jobs."""
    if file.exists() and not force:
        raise refused(f"{file} is there already; --force writes over it.")
    secret = _asked(passphrase, confirm=True)
    with _bar("exporting", None) as advance:

        async def fetch(client: Client) -> bytes:
            return await client.administration.export_configuration(
                job_template_ids=template,
                diagram_ids=diagram,
                include_other=other,
                passphrase=secret,
                on_bytes=advance,
            )

        data = target.do(fetch)
    _write(file, data)
    print(f"The configuration is in {file} ({len(data):,} bytes).")


def import_(
    target: Target,
    item: Item,  # noqa: ARG001 - it is the target's
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What stepgate export has written.")],
    *,
    passphrase: Passphrase = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Add to what is there instead of replacing it; the item may have jobs.")
    ] = False,
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Who is meant by users and groups, as JSON.")
    ] = None,
) -> None:
    """Import a configuration into an item, all of it or nothing."""
    data, named = _read(file), _read(mapping).decode(errors="replace") if mapping else None
    secret = _asked(passphrase, confirm=False)
    begun = datetime.now(UTC)
    with _bar("importing", len(data)) as advance:

        async def send(client: Client) -> list[str]:
            await client.administration.import_configuration(
                _Told(data, advance), passphrase=secret, overwrite=not merge, mapping=named
            )
            lines = await client.administration.logs(start=begun)
            return [line.message for line in lines if line.message.startswith("Import: ")]

        notes = target.do(send)
    for note in reversed(notes):
        print(f"stepgate: {note.removeprefix('Import: ')}", file=sys.stderr)
    print(f"The configuration in {file} was imported.")


class _Told(BytesIO):
    """Bytes that tell how many of them have been read."""

    def __init__(self, data: bytes, advance: "_Advance") -> None:
        super().__init__(data)
        self._advance = advance

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self._advance(len(piece))
        return piece


@contextmanager
def _bar(doing: str, total: int | None) -> Iterator[_Advance]:
    """A bar on standard error while it lasts, and what moves it on by so many bytes."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(doing, total=total)
        yield lambda count: progress.update(bar, advance=count)


def _asked(passphrase: str | None, *, confirm: bool) -> str | None:
    if passphrase != ASK:
        return passphrase
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise refused(f"{file} cannot be read: {error.strerror}.") from error


def _write(file: Path, data: bytes) -> None:
    """The whole file or none: what is there is not half written over."""
    beside = file.with_name(f".{file.name}.part")
    try:
        beside.write_bytes(data)
        beside.replace(file)
    except OSError as error:
        raise refused(f"{file} cannot be written: {error.strerror}.") from error
