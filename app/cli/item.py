"""``stepgate item``: workflow items as wholes. All commands work while the server runs; it notices soon."""

from typing import Annotated

import typer

from app.cli.options import DEFAULT_ORG, DatabaseUrl, DataDir, administer, settings_of
from app.cli.tables import print_table
from app.services import items
from app.services.first_start import ADMIN

app = typer.Typer(help="Create, list and delete workflow items.", no_args_is_help=True)

Org = Annotated[str, typer.Option(help="The organisation it belongs to.")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="item")


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the item; no other one has it.")],
    owner: Annotated[str, typer.Option(metavar="USER", help="Who owns and administers it.")] = ADMIN,
    org: Org = DEFAULT_ORG,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Create an item with the contents of a new one; prints its id and nothing else."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    print(administer(settings, lambda unit: items.create(unit, org, name, owner)).item_id)


@app.command("list")
def list_items(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List the items, and who owns them."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    found = administer(settings, lambda unit: unit.tx.items())
    print_table(
        ("NAME", "ID", "ORGANISATION", "OWNER"),
        [(item.name, item.item_id, item.org_id, item.owner or "") for item in found],
    )


@app.command("delete")
def delete(
    item_id: Annotated[str, typer.Argument(metavar="ITEM", help="Id of the item.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    org: Org = DEFAULT_ORG,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Delete an item with all its jobs. The server removes it piece by piece; nobody can use it from now on."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    item = administer(settings, lambda unit: items.existing(unit, org, item_id))
    if not yes:
        typer.confirm(f"Delete the item {item.name!r} with all its jobs?", abort=True)
    administer(settings, lambda unit: items.delete(unit, org, item_id))
    print(f"Item {item.name} is deleted.")
