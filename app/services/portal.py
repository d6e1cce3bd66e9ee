"""What the portal facade tells of people. Users and groups belong to the whole server, so no item is asked for."""

from typing import Final

from app.domain.access import SYSTEM, PortalRole
from app.errors import NotFound
from app.protocol.portal import PortalGroup, PortalUser
from app.services.access import enabled_user
from app.services.ports import Group, Tx, User

_ROLES: Final = {
    PortalRole.USER: "org_user",
    PortalRole.PUBLISHER: "org_publisher",
    PortalRole.ADMINISTRATOR: "org_admin",
}
"""The portal's words for them."""


def viewer(tx: Tx, username: str) -> PortalUser:
    """Whoever asks, as they may see themselves. Raises Unauthenticated: not there any more, or disabled."""
    user = enabled_user(tx, username)
    shown = _user(tx, user)
    shown.email = user.email
    return shown


def user(tx: Tx, asking: str, username: str) -> PortalUser:
    """A user as another one may see them: without the e-mail address. Raises NotFound, Unauthenticated."""
    own = viewer(tx, asking)
    if username == asking:
        return own
    found = tx.user(username)
    if found is None:
        raise NotFound(f"The user {username!r} does not exist or is inaccessible.", name="UserNotFound")
    return _user(tx, found)


def group(tx: Tx, asking: str, group_id: str) -> PortalGroup:
    """A group, by its id. Raises NotFound, Unauthenticated."""
    viewer(tx, asking)
    found = tx.group(group_id)
    if found is None:
        raise NotFound(f"The group {group_id!r} does not exist or is inaccessible.", name="GroupNotFound")
    return _group(found)


def is_organisation(tx: Tx, org_id: str) -> bool:
    """Tell whether workflow items belong to it."""
    return any(item.org_id == org_id for item in tx.items())


def _user(tx: Tx, user: User) -> PortalUser:
    groups = [tx.group(group_id) for group_id in user.groups]
    return PortalUser(
        username=user.username,
        full_name=user.full_name or user.username,
        disabled=user.disabled,
        role=_ROLES[user.portal_role],
        groups=[_group(each) for each in groups if each],
    )


def _group(group: Group) -> PortalGroup:
    return PortalGroup(id=group.group_id, title=group.name, owner=SYSTEM.username)
