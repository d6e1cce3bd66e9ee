"""``stepgate user``: who can log in. All commands work while the server runs; it notices within two seconds."""

from typing import Annotated

import typer

from app.cli.options import DatabaseUrl, DataDir, execute, query, settings_of
from app.cli.tables import print_table
from app.domain.access import PortalRole
from app.services import people
from app.services.ports import Group, User

app = typer.Typer(help="Add, list, change and remove users.", no_args_is_help=True)

Username = Annotated[str, typer.Argument(metavar="NAME", help="User name.")]
GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="Name or id of the group.")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="user")


@app.command("add")
def add(
    username: Username,
    *,
    password: Annotated[str | None, typer.Option(help="Password; without one the user has tokens only.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="Group to put the user into; may be repeated.")] = None,
    full_name: Annotated[str | None, typer.Option(help="Name as people write it.")] = None,
    email: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Add a user."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    hashed = _hash(password) if password else None
    groups = tuple(group or ())
    execute(
        settings,
        lambda unit: people.add_user(unit, username, hashed, full_name=full_name, email=email, groups=groups),
    )
    print(f"User {username} was added.")


@app.command("role")
def role(
    username: Username,
    portal_role: Annotated[PortalRole, typer.Argument(metavar="ROLE", help="user, publisher or administrator.")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Say who makes workflow items: publishers (and delete their own), administrators (and delete any)."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    execute(settings, lambda unit: people.set_portal_role(unit, username, portal_role))
    print(f"User {username} has the portal role {portal_role}.")


@app.command("list")
def list_users(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List the users and their groups."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    users, groups = query(settings, lambda unit: (unit.tx.users(), unit.tx.groups()))
    _show(users, groups)


@app.command("remove")
def remove(username: Username, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Remove a user; what they did keeps their name."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    execute(settings, lambda unit: people.remove_user(unit, username))
    print(f"User {username} was removed.")


@app.command("password")
def password(
    username: Username,
    password: Annotated[
        str, typer.Option(prompt="New password", hide_input=True, confirmation_prompt=True, help="The new password.")
    ],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Set a user's password; asks for it unless --password gives it."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    if not password:
        raise typer.BadParameter("a password cannot be empty")
    hashed = _hash(password)
    execute(settings, lambda unit: people.set_password(unit, username, hashed))
    print(f"The password of {username} was changed.")


@app.command("disable")
def disable(username: Username, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Shut a user out: tokens stop working, open websockets are closed."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    execute(settings, lambda unit: people.set_disabled(unit, username, disabled=True))
    print(f"User {username} is disabled.")


@app.command("enable")
def enable(username: Username, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Let a disabled user in again."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    execute(settings, lambda unit: people.set_disabled(unit, username, disabled=False))
    print(f"User {username} is enabled.")


@app.command("join")
def join(username: Username, group: GroupName, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Put a user into a group."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    execute(settings, lambda unit: people.set_member(unit, username, group, member=True))
    print(f"User {username} is in the group {group}.")


@app.command("leave")
def leave(username: Username, group: GroupName, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Take a user out of a group."""
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    execute(settings, lambda unit: people.set_member(unit, username, group, member=False))
    print(f"User {username} is not in the group {group}.")


def _hash(password: str) -> str:
    from app.auth.passwords import hash_password

    return hash_password(password)


def _show(users: list[User], groups: list[Group]) -> None:
    names = {group.group_id: group.name for group in groups}
    print_table(
        ("NAME", "STATE", "ROLE", "FULL NAME", "E-MAIL", "GROUPS"),
        [
            (
                user.username,
                "disabled" if user.disabled else "enabled",
                user.portal_role,
                user.full_name or "",
                user.email or "",
                ", ".join(names[group_id] for group_id in user.groups),
            )
            for user in users
        ],
    )
