"""The people of an item on the wire: users, groups, roles and their privileges (rest.md 9)."""

from typing import Annotated

import msgspec
from msgspec import Meta

_RoleNames = Annotated[list[Annotated[str, Meta(min_length=1, max_length=255)]], Meta(max_length=1_000)]


class UserLine(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Somebody who can work in the item. ``isAssignable``: the caller may give work to them."""

    username: str
    full_name: str
    email: str | None = None
    is_assignable: bool


class UserList(msgspec.Struct):
    """The members of all groups that have a role in the item, in the order they were added."""

    users: list[UserLine]


class WorkflowUser(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Somebody who can work in the item, and all they may do there. ``groups`` are ids."""

    username: str
    full_name: str
    email: str | None = None
    groups: list[str]
    groups_owned: list[str]
    roles: list[str]
    privileges: list[str]


class GroupLine(msgspec.Struct, rename="camel"):
    """A group that has a role in the item. ``isAssignable``: the caller may give work to it."""

    id: str
    name: str
    is_assignable: bool


class GroupList(msgspec.Struct):
    """The groups that have a role in the item, in the order they were added."""

    groups: list[GroupLine]


class GroupRoles(msgspec.Struct):
    """The names of a group's roles in the item."""

    roles: list[str]


class RolesGiven(msgspec.Struct):
    """Names of roles; none when absent."""

    roles: _RoleNames | None = None


class GroupUpdate(msgspec.Struct):
    """The roles to give a group and to take from it; either may be missing."""

    adds: RolesGiven | None = None
    deletes: RolesGiven | None = None


class WireRole(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A role: a named set of privileges."""

    role_name: str
    description: str = ""
    privileges: list[str]


class RoleList(msgspec.Struct):
    """The roles of the item, in the order they were made."""

    roles: list[WireRole]


class RoleBody(msgspec.Struct, rename="camel", kw_only=True):
    """What a role is to be. ``roleName``, where sent, is the one in the path."""

    role_name: str | None = None
    description: Annotated[str, Meta(max_length=10_000)] | None = None
    privileges: Annotated[list[str], Meta(max_length=1_000)]


class Found(msgspec.Struct):
    """Whether there was anything to delete."""

    found: bool
