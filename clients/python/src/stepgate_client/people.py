"""The people of an item: users, groups, roles (rest.md 9)."""

from collections.abc import Iterable

from stepgate_client.models import Model, Success
from stepgate_client.rest import Rest, part


class ListedUser(Model, frozen=True):
    """Somebody with a role in the item. ``is_assignable``: one may give work to them."""

    username: str
    full_name: str
    is_assignable: bool
    email: str | None = None


class User(Model, frozen=True):
    """Somebody with a role in the item; ``groups`` are ids."""

    username: str
    full_name: str
    groups: list[str]
    roles: list[str]
    privileges: list[str]
    email: str | None = None


class ListedGroup(Model, frozen=True):
    """A group with a role in the item. ``is_assignable``: one may give work to it."""

    id: str
    name: str
    is_assignable: bool


class Role(Model, frozen=True):
    """A named set of privileges."""

    role_name: str
    privileges: list[str]
    description: str = ""


class People:
    """Reads who works in the item, and changes what they may do; ``Client.people`` is one. Calls raise as those of
    ``Client``; changes need the privilege ``adminAdvanced``."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def users(self) -> list[ListedUser]:
        """List the users with a role."""
        return (await self._rest.get("community/users", _Users)).users

    async def user(self, username: str) -> User:
        """Read what a user may do, oneself for instance."""
        return await self._rest.get(f"community/users/{part(username)}", User)

    async def groups(self) -> list[ListedGroup]:
        """List the groups with a role."""
        return (await self._rest.get("community/groups", _Groups)).groups

    async def roles_of_group(self, group_id: str) -> list[str]:
        """Read the names of a group's roles."""
        return (await self._rest.get(f"community/groups/{part(group_id)}", _RoleNames)).roles

    async def update_group(self, group_id: str, *, give: Iterable[str] = (), take: Iterable[str] = ()) -> None:
        """Give a group roles and take others from it, all or none."""
        body = {"adds": {"roles": list(give)}, "deletes": {"roles": list(take)}}
        await self._rest.post(f"community/groups/{part(group_id)}", body, Success)

    async def roles(self) -> list[Role]:
        """List the roles of the item."""
        return (await self._rest.get("community/roles", _Roles)).roles

    async def role(self, name: str) -> Role:
        """Read a role."""
        return await self._rest.get(f"community/roles/{part(name)}", Role)

    async def put_role(self, name: str, privileges: Iterable[str], *, description: str = "") -> None:
        """Make a role, or replace it whole."""
        body = {"roleName": name, "description": description, "privileges": list(privileges)}
        await self._rest.post(f"community/roles/{part(name)}", body, Success)

    async def delete_role(self, name: str) -> bool:
        """Delete a role; False when there was none."""
        return (await self._rest.delete(f"community/roles/{part(name)}", _Found)).found


class _Found(Model, frozen=True):
    found: bool


class _Users(Model, frozen=True):
    users: list[ListedUser]


class _Groups(Model, frozen=True):
    groups: list[ListedGroup]


class _RoleNames(Model, frozen=True):
    roles: list[str]


class _Roles(Model, frozen=True):
    roles: list[Role]
