"""Use cases about users, groups and the roles of groups.

Users and groups belong to the whole server, links between groups and roles to one item. Every change raises the
``access_version`` it can matter for in its own transaction, so all nodes judge their sessions again.
"""

import re
from collections.abc import Iterable

from app.domain.access import SYSTEM, PortalRole
from app.errors import InvalidValue, NotFound, PermissionDenied
from app.services.engine import Unit
from app.services.ports import Group, Item, Tx

MAX_NAME_CHARS = 128

_USERNAME = re.compile(r"[\w.@+-]+")
"""No blanks and no quotes: user names stand in search conditions and expressions (rest.md 5.3)."""


def add_user(
    unit: Unit,
    username: str,
    password_hash: str | None,
    *,
    full_name: str | None = None,
    email: str | None = None,
    groups: Iterable[str] = (),
) -> None:
    """Add a user who is a member of ``groups`` (names or ids). Without a hash nobody can log in by password.

    Raises InvalidValue for a name that cannot be one, Conflict for one that is taken, NotFound for an unknown group.
    """
    require_administrator(unit)
    unit.tx.add_user(check_username(username), password_hash, full_name, email)
    for group in groups:
        unit.tx.set_member(username, find_group(unit.tx, group).group_id, True)
    _access_changed(unit)


def remove_user(unit: Unit, username: str) -> None:
    """Delete a user. What they did keeps their name. Raises NotFound."""
    require_administrator(unit)
    _require_user(unit.tx, username)
    unit.tx.delete_user(username)
    _access_changed(unit)


def set_password(unit: Unit, username: str, password_hash: str) -> None:
    """Replace a user's password; tokens given out before stay valid. Raises NotFound."""
    require_administrator(unit)
    _require_user(unit.tx, username)
    unit.tx.set_password(username, password_hash)


def set_disabled(unit: Unit, username: str, *, disabled: bool) -> None:
    """Shut a user out (open connections too), or let them in again. Idempotent. Raises NotFound."""
    require_administrator(unit)
    _require_user(unit.tx, username)
    unit.tx.set_disabled(username, disabled)
    _access_changed(unit)


def set_portal_role(unit: Unit, username: str, portal_role: PortalRole) -> None:
    """Say what a user may do with workflow items as wholes. Idempotent. Raises NotFound."""
    require_administrator(unit)
    unit.tx.set_portal_role(username, portal_role)


def set_member(unit: Unit, username: str, group: str, *, member: bool) -> None:
    """Put a user into a group (name or id), or take them out. Idempotent. Raises NotFound."""
    require_administrator(unit)
    _require_user(unit.tx, username)
    unit.tx.set_member(username, find_group(unit.tx, group).group_id, member)
    _access_changed(unit)


def add_group(unit: Unit, name: str, roles: Iterable[str] = ()) -> Group:
    """Add a group and link it to ``roles`` of the item. Raises InvalidValue, Conflict (name taken), NotFound (role)."""
    require_administrator(unit)
    group = Group(unit.new_id(), check_group_name(name))
    unit.tx.add_group(group)
    for role in roles:
        unit.tx.link_role(unit.item, group.group_id, existing_role(unit.tx, unit.item, role), True)
    _access_changed(unit)
    return group


def link_role(unit: Unit, group: str, role: str, *, linked: bool) -> None:
    """Give a group (name or id) a role in the item, or take it away. Idempotent. Raises NotFound."""
    require_administrator(unit)
    found = find_group(unit.tx, group)
    unit.tx.link_role(unit.item, found.group_id, existing_role(unit.tx, unit.item, role), linked)
    roles_changed(unit)


def find_group(tx: Tx, name_or_id: str) -> Group:
    """Find a group by its name or, failing that, its id. Raises NotFound, naming the groups there are."""
    found = tx.group_by_name(name_or_id) or tx.group(name_or_id)
    if found is None:
        known = ", ".join(repr(group.name) for group in tx.groups()) or "none"
        raise NotFound(f"There is no group {name_or_id!r}. The groups are: {known}.", name="GroupNotFound")
    return found


def check_username(username: str) -> str:
    """Return the name when it can be a user's. Raises InvalidValue."""
    if not _USERNAME.fullmatch(username) or len(username) > MAX_NAME_CHARS:
        raise InvalidValue(
            f"{username!r} cannot be a user name: 1 to {MAX_NAME_CHARS} letters, digits and . _ - + @ without blanks."
        )
    if username.casefold() == SYSTEM.username:
        raise InvalidValue(f"The user name {username!r} is reserved: the history shows the server's own acts under it.")
    return username


def check_group_name(name: str) -> str:
    """Return the name when it can be a group's. Raises InvalidValue."""
    if not name.isprintable() or name != name.strip() or not 0 < len(name) <= MAX_NAME_CHARS:
        raise InvalidValue(
            f"{name!r} cannot be a group's name: 1 to {MAX_NAME_CHARS} printable characters, no blank at either end."
        )
    return name


def existing_role(tx: Tx, item: Item, role_name: str) -> str:
    """Return the name when the item has such a role. Raises NotFound, naming the roles there are."""
    names = [role.name for role in tx.roles(item)]
    if role_name not in names:
        known = ", ".join(repr(name) for name in names)
        raise NotFound(f"There is no role {role_name!r} in this item. The roles are: {known}.", name="RoleNotFound")
    return role_name


def require_administrator(unit: Unit) -> None:
    """Raise PermissionDenied unless the caller has adminAdvanced."""
    if not unit.actor.may("adminAdvanced"):
        raise PermissionDenied("Changing users, groups and their roles takes the privilege adminAdvanced.")


def roles_changed(unit: Unit) -> None:
    """Let the item's sessions be judged again once this is committed."""
    unit.tx.bump_access(unit.item)
    unit.effects.access_changed = True


def _require_user(tx: Tx, username: str) -> None:
    if tx.user(username) is None:
        raise NotFound(f"There is no user {username!r}.", name="UserNotFound")


def _access_changed(unit: Unit) -> None:
    unit.tx.bump_access(None)
    unit.effects.access_changed = True
