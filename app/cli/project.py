"""``stepgate project``: what jobs of the v3 API can be done for."""

from typing import Annotated

import typer

from app.cli.options import DEFAULT_ITEM, DatabaseUrl, DataDir, ItemId, execute, query, settings_of
from app.cli.tables import print_table
from app.services import projects

app = typer.Typer(help="Add and list projects, which jobs of the v3 API can be done for.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="project")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the project.")],
    item: ItemId = DEFAULT_ITEM,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Add a project; prints its number, the projectId of jobs."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    print(execute(settings, lambda unit: projects.add(unit, name), item).number)


@app.command("list")
def list_all(item: ItemId = DEFAULT_ITEM, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List the projects and their numbers."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    found = query(settings, lambda unit: unit.tx.projects(unit.item), item)
    print_table(("NUMBER", "NAME"), [(str(project.number), project.name) for project in found])
