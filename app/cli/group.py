"""``stepgate group``: groups of users, and the roles they have in a workflow item."""

from typing import Annotated

import typer

from app.cli.options import DEFAULT_ITEM, DatabaseUrl, DataDir, ItemId, execute, query, settings_of
from app.cli.tables import print_table
from app.services import people

app = typer.Typer(help="Add and list groups, and link them to roles.", no_args_is_help=True)

GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="Name or id of the group.")]
RoleName = Annotated[str, typer.Argument(metavar="ROLE", help="Name of the role.")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="group")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the group.")],
    role: Annotated[list[str] | None, typer.Option(help="Role to give the group; may be repeated.")] = None,
    item: ItemId = DEFAULT_ITEM,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Add a group; prints its id, which jobs are assigned to."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    roles = tuple(role or ())
    print(execute(settings, lambda unit: people.add_group(unit, name, roles), item).group_id)


@app.command("list")
def list_groups(item: ItemId = DEFAULT_ITEM, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List the groups, their ids and their roles in the item."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    groups, roles = query(settings, lambda unit: (unit.tx.groups(), unit.tx.roles_of_groups(unit.item)), item)
    print_table(
        ("NAME", "ID", "ROLES"),
        [(group.name, group.group_id, ", ".join(roles.get(group.group_id, ()))) for group in groups],
    )


@app.command("link")
def link(
    group: GroupName,
    role: RoleName,
    item: ItemId = DEFAULT_ITEM,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Give a group a role."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    execute(settings, lambda unit: people.link_role(unit, group, role, linked=True), item)
    print(f"The group {group} has the role {role}.")


@app.command("unlink")
def unlink(
    group: GroupName,
    role: RoleName,
    item: ItemId = DEFAULT_ITEM,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take a role away from a group."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    execute(settings, lambda unit: people.link_role(unit, group, role, linked=False), item)
    print(f"The group {group} does not have the role {role}.")
