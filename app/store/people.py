"""Users, groups, who is a member of what, and the roles that groups have in an item."""

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, delete, select, update

from app.domain.access import PortalRole, Role
from app.errors import Conflict, NotFound
from app.services.ports import Group, Item, User
from app.store.base import Queries
from app.store.schema import group, membership, role, role_group, user
from app.store.sql import Row, Statement, insert_if_new, put_into

_SELECT_USERS = select(user.c.key, user.c.username, user.c.full_name, user.c.email, user.c.disabled, user.c.portal_role)
_USER = Statement(_SELECT_USERS.where(user.c.username == bindparam("username")), settled=True)
_USERS = Statement(_SELECT_USERS.order_by(user.c.key))
_SELECT_GROUPS_OF = (
    select(membership.c.user_key, group.c.group_id)
    .select_from(membership.join(group, membership.c.group_key == group.c.key))
    .order_by(membership.c.key)
)
_GROUPS_OF_USER = Statement(_SELECT_GROUPS_OF.where(membership.c.user_key == bindparam("user_key")), settled=True)
_GROUPS_OF_ALL = Statement(_SELECT_GROUPS_OF)
_ADD_USER = insert_if_new(user)
_OWN_USER = user.c.username == bindparam("own_name")
_PASSWORD = Statement(select(user.c.password_hash).where(_OWN_USER))
_SET_PASSWORD = Statement(update(user).where(_OWN_USER).values(password_hash=bindparam("new_hash")))
_SET_DISABLED = Statement(update(user).where(_OWN_USER).values(disabled=bindparam("is_disabled")))
_SET_PORTAL_ROLE = Statement(update(user).where(_OWN_USER).values(portal_role=bindparam("new_role")))
_DELETE_USER = Statement(delete(user).where(_OWN_USER))

_SELECT_GROUPS = select(group.c.group_id, group.c.name)
_GROUP = Statement(_SELECT_GROUPS.where(group.c.group_id == bindparam("group_id")), settled=True)
_GROUP_BY_NAME = Statement(_SELECT_GROUPS.where(group.c.name == bindparam("group_name")))
_GROUPS = Statement(_SELECT_GROUPS.order_by(group.c.key))
_ADD_GROUP = insert_if_new(group)
_DELETE_GROUP = Statement(delete(group).where(group.c.group_id == bindparam("own_group")))

_USER_AND_GROUP = Statement(
    select(user.c.key, group.c.key).where(
        user.c.username == bindparam("username"), group.c.group_id == bindparam("group_id")
    )
)
_JOIN = insert_if_new(membership)
_LEAVE = Statement(
    delete(membership).where(
        membership.c.user_key == bindparam("own_user"), membership.c.group_key == bindparam("own_group")
    )
)

_ROLES = Statement(
    select(role.c.name, role.c.description, role.c.privileges)
    .where(role.c.item_key == bindparam("item_key"))
    .order_by(role.c.key),
    settled=True,
)
_PUT_ROLE = put_into(role, ["item_key", "name"])
_DELETE_ROLE = Statement(
    delete(role).where(role.c.item_key == bindparam("own_item"), role.c.name == bindparam("own_name"))
)
_ROLES_OF_GROUPS = Statement(
    select(group.c.group_id, role.c.name)
    .select_from(role_group.join(role, role_group.c.role_key == role.c.key))
    .join(group, role_group.c.group_key == group.c.key)
    .where(role.c.item_key == bindparam("item_key"))
    .order_by(role_group.c.key),
    settled=True,
)
_ROLE_AND_GROUP = Statement(
    select(role.c.key, group.c.key).where(
        role.c.item_key == bindparam("item_key"),
        role.c.name == bindparam("role_name"),
        group.c.group_id == bindparam("group_id"),
    )
)
_LINK = insert_if_new(role_group)
_UNLINK = Statement(
    delete(role_group).where(
        role_group.c.role_key == bindparam("own_role"), role_group.c.group_key == bindparam("own_group")
    )
)


class PeopleQueries(Queries):
    """``Tx``: people."""

    def user(self, username: str) -> User | None:
        row = self.sql.one(_USER, username=username)
        if row is None:
            return None
        groups = tuple(group_id for _, group_id in self.sql.all(_GROUPS_OF_USER, user_key=row[0]))
        return _user(row, groups)

    def users(self) -> list[User]:
        groups: dict[int, list[str]] = {}
        for user_key, group_id in self.sql.all(_GROUPS_OF_ALL):
            groups.setdefault(user_key, []).append(group_id)
        return [_user(row, groups.get(row[0], ())) for row in self.sql.all(_USERS)]

    def add_user(
        self, username: str, password_hash: str | None, full_name: str | None = None, email: str | None = None
    ) -> None:
        added = self.sql.change(
            _ADD_USER,
            username=username,
            username_folded=username.casefold(),
            password_hash=password_hash,
            full_name=full_name,
            email=email,
            disabled=False,
            portal_role=PortalRole.USER.value,
        )
        if not added:
            raise Conflict(f"There is a user {username!r} already (letter case does not count).", name="UserExists")

    def password_hash(self, username: str) -> str | None:
        row = self.sql.one(_PASSWORD, own_name=username)
        return row[0] if row else None

    def set_password(self, username: str, password_hash: str) -> None:
        """Raises NotFound."""
        _check_user(username, self.sql.change(_SET_PASSWORD, own_name=username, new_hash=password_hash))

    def set_disabled(self, username: str, disabled: bool) -> None:
        """Raises NotFound."""
        _check_user(username, self.sql.change(_SET_DISABLED, own_name=username, is_disabled=disabled))

    def set_portal_role(self, username: str, portal_role: PortalRole) -> None:
        """Raises NotFound."""
        changed = self.sql.change(_SET_PORTAL_ROLE, own_name=username, new_role=portal_role.value)
        _check_user(username, changed)

    def delete_user(self, username: str) -> bool:
        return self.sql.change(_DELETE_USER, own_name=username) == 1

    def group(self, group_id: str) -> Group | None:
        row = self.sql.one(_GROUP, group_id=group_id)
        return Group(*row) if row else None

    def group_by_name(self, name: str) -> Group | None:
        row = self.sql.one(_GROUP_BY_NAME, group_name=name)
        return Group(*row) if row else None

    def groups(self) -> list[Group]:
        return [Group(*row) for row in self.sql.all(_GROUPS)]

    def add_group(self, group: Group) -> None:
        """Raises Conflict when the id or the name is taken."""
        if not self.sql.change(_ADD_GROUP, group_id=group.group_id, name=group.name):
            raise Conflict(f"There is a group {group.name!r} or {group.group_id!r} already.", name="GroupExists")

    def delete_group(self, group_id: str) -> None:
        self.sql.change(_DELETE_GROUP, own_group=group_id)

    def set_member(self, username: str, group_id: str, member: bool) -> None:
        """Put a user into a group or take them out. Idempotent. Raises NotFound."""
        keys = self.sql.one(_USER_AND_GROUP, username=username, group_id=group_id)
        if keys is None:
            raise NotFound(f"There is no user {username!r} or no group {group_id!r}.")
        if member:
            self.sql.change(_JOIN, user_key=keys[0], group_key=keys[1])
        else:
            self.sql.change(_LEAVE, own_user=keys[0], own_group=keys[1])

    def roles(self, item: Item) -> list[Role]:
        rows = self.sql.all(_ROLES, item_key=item.key)
        return [Role(name, description, tuple(json.loads(privileges))) for name, description, privileges in rows]

    def put_role(self, item: Item, role: Role) -> None:
        privileges = json.dumps(role.privileges)
        self.sql.change(
            _PUT_ROLE, item_key=item.key, name=role.name, description=role.description, privileges=privileges
        )

    def delete_role(self, item: Item, role_name: str) -> bool:
        return self.sql.change(_DELETE_ROLE, own_item=item.key, own_name=role_name) == 1

    def roles_of_groups(self, item: Item) -> Mapping[str, tuple[str, ...]]:
        roles: dict[str, tuple[str, ...]] = {}
        for group_id, name in self.sql.all(_ROLES_OF_GROUPS, item_key=item.key):
            roles[group_id] = (*roles.get(group_id, ()), name)
        return roles

    def link_role(self, item: Item, group_id: str, role_name: str, linked: bool) -> None:
        """Give a group a role in this item, or take it away. Idempotent. Raises NotFound."""
        keys = self.sql.one(_ROLE_AND_GROUP, item_key=item.key, role_name=role_name, group_id=group_id)
        if keys is None:
            raise NotFound(f"There is no role {role_name!r} in this item, or no group {group_id!r}.")
        if linked:
            self.sql.change(_LINK, role_key=keys[0], group_key=keys[1])
        else:
            self.sql.change(_UNLINK, own_role=keys[0], own_group=keys[1])


def _user(row: Row, groups: Iterable[str]) -> User:
    _, username, full_name, email, disabled, portal_role = row
    return User(username, full_name, email, bool(disabled), tuple(groups), PortalRole(portal_role))


def _check_user(username: str, changed: int) -> None:
    if not changed:
        raise NotFound(f"There is no user {username!r}.")
