"""``stepgate client``: programs that get tokens of the v3 API."""

import secrets
from typing import Annotated

import typer

from app.cli.options import DatabaseUrl, DataDir, execute, query, settings_of
from app.cli.tables import print_table
from app.services import api_clients
from app.services.api_clients import NewClient
from app.services.engine import new_id

app = typer.Typer(help="Add, list and remove programs that get tokens of the v3 API.", no_args_is_help=True)

SECRET_BYTES = 32


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="client")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the program.")],
    user: Annotated[
        str | None, typer.Option(metavar="USER", help="Whom it acts for; without it, it is a program of its own.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="Scope it may have; may be repeated. Without it, the usual ones.")
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Add a program; prints its id and, once and never again, its secret, a blank between them."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    new = NewClient(name, new_id(), secrets.token_urlsafe(SECRET_BYTES), user, tuple(scope or ()))
    execute(settings, lambda unit: api_clients.add(unit, new))
    print(new.client_id, new.secret)


@app.command("list")
def list_all(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List the programs, whom they act for, and the scopes they may have."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    found = query(settings, lambda unit: unit.tx.api_clients())
    print_table(
        ("NAME", "ID", "USER", "SCOPES"),
        [(each.name, each.client_id, each.username or "-", " ".join(each.scopes)) for each in found],
    )


@app.command("remove")
def remove(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the program.")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Remove a program: it gets no more tokens; those it has are valid for an hour at most."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    execute(settings, lambda unit: api_clients.remove(unit, client_id))
    print(f"The program {client_id} gets no more tokens.")
