"""Who somebody is in an item: groups and privileges, read in the same transaction as the act they are judged for."""

from collections import OrderedDict
from threading import Lock

from app.domain.access import Actor
from app.domain.job import AssignedType, Assignment
from app.domain.manage import Assignee
from app.errors import InvalidValue, PermissionDenied, Unauthenticated
from app.services.ports import Item, Tx, User

_CACHE_SIZE = 10_000


class Actors:
    """Actors by item, access version and user name.

    An entry is right for as long as its item has that ``access_version``, so nothing is ever invalidated: a change of
    users, groups, roles or keys raises the version in its own transaction, and old entries fall out of the cache.
    """

    def __init__(self) -> None:
        self._actors: OrderedDict[tuple[int, int, str], Actor] = OrderedDict()
        self._lock = Lock()

    def load(self, tx: Tx, item: Item, username: str) -> Actor:
        """Return the user as an actor in this item; what is read anew is kept only by ``keep``.

        Raises:
            Unauthenticated: no such user any more, or disabled.
            PermissionDenied: the user is in no group that is linked to a role of this item.
        """
        with self._lock:
            known = self._actors.get((item.key, item.access_version, username))
        return known or read_actor(tx, item, username)

    def keep(self, item: Item, actor: Actor) -> None:
        """Remember an actor that was read in a transaction which is committed by now.

        Not before: an access version that another use case of the same batch has raised comes back with another
        meaning when the batch fails.
        """
        with self._lock:
            self._actors[item.key, item.access_version, actor.username] = actor
            if len(self._actors) > _CACHE_SIZE:
                self._actors.popitem(last=False)


def enabled_user(tx: Tx, username: str) -> User:
    """Whoever asks. Raises Unauthenticated: not there any more, or disabled."""
    user = tx.user(username)
    if user is None or user.disabled:
        raise Unauthenticated(f"The user {username!r} does not exist any more, or is disabled. Log in again.")
    return user


def read_actor(tx: Tx, item: Item, username: str) -> Actor:
    """Read a user's groups and the privileges they give in one item; errors as ``Actors.load``."""
    user = enabled_user(tx, username)
    roles_of_groups = tx.roles_of_groups(item)
    role_names = {role for group in user.groups for role in roles_of_groups.get(group, ())}
    if not role_names:
        raise PermissionDenied(
            f"{username!r} is in no group that has a role in this workflow item. An administrator of the item can link "
            "one of the user's groups to a role."
        )
    privileges = {name for role in tx.roles(item) if role.name in role_names for name in role.privileges}
    return Actor(username, frozenset(user.groups), frozenset(privileges))


def assignee_facts(tx: Tx, item: Item, assignment: Assignment) -> Assignee:
    """Look up the user or group that work is to be given to; a disabled user counts as none."""
    linked = tx.roles_of_groups(item)
    if assignment.type is AssignedType.GROUP and assignment.to:
        known = tx.group(assignment.to) is not None
        return Assignee(exists=known, has_role=bool(linked.get(assignment.to)))
    user = tx.user(assignment.to) if assignment.type is AssignedType.USER and assignment.to else None
    if user is None or user.disabled:
        return Assignee(exists=False, has_role=False)
    giving = frozenset(group for group in user.groups if linked.get(group))
    return Assignee(exists=True, has_role=bool(giving), groups=giving)


def check_owner(tx: Tx, item: Item, username: str) -> None:
    """Raise InvalidValue unless somebody can own jobs of the item: for that one needs a role in it.

    Whoever has none is told of as if there were no such user: an item's administrators do not learn who else there is.
    """
    owner = assignee_facts(tx, item, Assignment(AssignedType.USER, username))
    if not (owner.exists and owner.has_role):
        raise InvalidValue(f"ownedBy: there is no user {username!r} with a role in this item.", details=["ownedBy"])
