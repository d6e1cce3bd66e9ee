"""Workflow items as wholes: made, deleted, brought up to date (rest.md 13.3).

Who may is not asked of the item's roles, for a new one has none: users have a portal role (``PortalRole``).
"""

from base64 import urlsafe_b64decode
from typing import Final

from app.domain.access import PortalRole
from app.errors import AccessError, Conflict, InvalidValue, NotFound, PermissionDenied, RuleViolation
from app.services.access import read_actor
from app.services.engine import ServerUnit
from app.services.first_start import ITEM_ID
from app.services.new_item import admin_group, admin_group_name, fill
from app.services.people import MAX_NAME_CHARS
from app.services.portal import is_organisation
from app.services.ports import Item, Store

MAX_ITEM_NAME_CHARS: Final = MAX_NAME_CHARS - len(admin_group_name(""))
"""The admin group's name, which holds the item's, is a group's name."""

_PIECE: Final = 50
"""Jobs removed in one transaction: some ten milliseconds, for others wait for the only writer of SQLite."""


def create(unit: ServerUnit, org_id: str, name: str, owner: str) -> Item:
    """Make an item with the contents of a new one; ``owner`` administers it.

    Raises:
        PermissionDenied: the user is neither publisher nor administrator. NotFound: no such organisation, or owner.
        InvalidValue: a name that cannot be one. Conflict: a name that is taken.
    """
    if _role(unit) is PortalRole.USER:
        raise PermissionDenied(
            "Making workflow items is for publishers and administrators. The operator makes users such: "
            "stepgate user role NAME publisher."
        )
    if not is_organisation(unit.tx, org_id):
        raise NotFound(f"There is no organisation {org_id!r}.", name="OrganisationNotFound")
    if unit.tx.user(owner) is None:
        raise NotFound(f"There is no user {owner!r}.", name="UserNotFound")
    _check_name(unit, name)
    item_id = urlsafe_b64decode(f"{unit.new_id()}==").hex()
    unit.item = unit.tx.add_item(item_id, org_id, name, owner)
    fill(unit.tx, unit.item, unit.new_id(), owner)
    _access_changed(unit)
    return unit.item


def delete(unit: ServerUnit, org_id: str, item_id: str) -> None:
    """Let an item go, with all its jobs. From the commit on it is not found; ``sweep`` removes it.

    Its admin group goes too, unless it has a role elsewhere. Raises:
        NotFound. PermissionDenied: neither an administrator nor the publisher who owns it.
        RuleViolation: the item of the first start, which clients and commands take when none is named.
    """
    item = existing(unit, org_id, item_id)
    _require_ruler(unit, item, "Deleting")
    if item.item_id == ITEM_ID:
        raise RuleViolation("The first workflow item stays: it is meant where none is named.", name="FirstItem")
    unit.effects.stopping += unit.tx.let_item_go(item)
    group = admin_group(unit.tx, item)
    if group is not None and not any(group.group_id in unit.tx.roles_of_groups(each) for each in unit.tx.items()):
        unit.tx.delete_group(group.group_id)
    _access_changed(unit)


def upgrade(unit: ServerUnit, org_id: str, item_id: str) -> Item:
    """Bring an item's contents into the newest form. There is one form so far, so every item has it.

    Raises NotFound; PermissionDenied: neither an administrator nor the owner with ``adminAdvanced`` in it.
    """
    item = existing(unit, org_id, item_id)
    if _role(unit) is not PortalRole.ADMINISTRATOR and not (_owns(unit, item) and _may(unit, item, "adminAdvanced")):
        raise PermissionDenied("Upgrading an item is for administrators and for its owner, with adminAdvanced in it.")
    unit.item = item
    return item


def see(unit: ServerUnit, org_id: str, item_id: str) -> Item:
    """An item, for administrators, its owner and whoever has a role in it. Raises NotFound, PermissionDenied."""
    item = existing(unit, org_id, item_id)
    if _role(unit) is not PortalRole.ADMINISTRATOR and not _owns(unit, item) and unit.user is not None:
        read_actor(unit.tx, item, unit.user.username)
    return item


def existing(unit: ServerUnit, org_id: str, item_id: str) -> Item:
    """An item that is there. Raises NotFound."""
    item = unit.tx.item(org_id, item_id)
    if item is None:
        raise NotFound(f"There is no workflow item {item_id!r} in {org_id!r}.", name="ItemNotFound")
    return item


async def sweep(store: Store) -> int:
    """Remove the items that were let go, in pieces; returns how many. On several nodes at once, or after a crash, it
    goes on where the rows are. Raises StoreUnavailable: the rest waits for the next sweep."""
    going = await store.read(lambda tx: tx.going_items())
    for item in going:
        while await store.run(lambda tx, item=item: tx.remove_piece(item, _PIECE)):  # type: ignore[misc]
            pass
    return len(going)


def _check_name(unit: ServerUnit, name: str) -> None:
    if not name.isprintable() or name != name.strip() or not 0 < len(name) <= MAX_ITEM_NAME_CHARS:
        raise InvalidValue(
            f"{name!r} cannot be an item's name: 1 to {MAX_ITEM_NAME_CHARS} printable characters, no blank at either "
            "end. It is given in the query: createWorkflowItem?name=..."
        )
    if any(item.name == name for item in unit.tx.items()):
        raise Conflict(f"There is a workflow item named {name!r} already.", name="ItemNameDuplicate")
    if unit.tx.group_by_name(admin_group_name(name)) is not None:
        raise Conflict(f"There is a group {admin_group_name(name)!r} already.", name="ItemNameDuplicate")


def _role(unit: ServerUnit) -> PortalRole:
    return PortalRole.ADMINISTRATOR if unit.user is None else unit.user.portal_role


def _owns(unit: ServerUnit, item: Item) -> bool:
    return unit.user is not None and unit.user.username == item.owner


def _may(unit: ServerUnit, item: Item, privilege: str) -> bool:
    try:
        return unit.user is None or read_actor(unit.tx, item, unit.user.username).may(privilege)
    except AccessError:
        return False


def _require_ruler(unit: ServerUnit, item: Item, what: str) -> None:
    role = _role(unit)
    if role is not PortalRole.ADMINISTRATOR and not (role is PortalRole.PUBLISHER and _owns(unit, item)):
        raise PermissionDenied(f"{what} an item is for administrators, and for the publisher who has made it.")


def _access_changed(unit: ServerUnit) -> None:
    unit.tx.bump_access(None)
    unit.effects.access_changed = True
