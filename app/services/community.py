"""Who works in an item, as its people see each other: users, groups and what roles make of them (rest.md 9)."""

from collections.abc import Iterator

from app.errors import NotFound
from app.protocol.community import GroupLine, UserLine, WorkflowUser
from app.services.engine import Unit
from app.services.ports import User


def users(unit: Unit) -> list[UserLine]:
    """Everybody who is in a group with a role in the item, but for the disabled: nothing can be given to those."""
    return [
        UserLine(
            username=user.username,
            full_name=user.full_name or user.username,
            email=user.email,
            is_assignable=unit.actor.may_choose_user(user.username, groups),
        )
        for user, groups in _people(unit)
    ]


def user(unit: Unit, username: str) -> WorkflowUser:
    """One of ``users``, with roles and privileges. Raises NotFound for anybody else."""
    linked = unit.tx.roles_of_groups(unit.item)
    found = unit.tx.user(username)
    names = {role for group in found.groups for role in linked.get(group, ())} if found else set()
    if found is None or found.disabled or not names:
        raise NotFound(f"There is no user {username!r} with a role in this workflow item.", name="UserNotFound")
    roles = [role for role in unit.tx.roles(unit.item) if role.name in names]
    return WorkflowUser(
        username=found.username,
        full_name=found.full_name or found.username,
        email=found.email,
        groups=list(found.groups),
        groups_owned=[],
        roles=[role.name for role in roles],
        privileges=list(dict.fromkeys(name for role in roles for name in role.privileges)),
    )


def groups(unit: Unit) -> list[GroupLine]:
    """The groups that have a role in the item."""
    linked = unit.tx.roles_of_groups(unit.item)
    return [
        GroupLine(group.group_id, group.name, unit.actor.may_choose_group(group.group_id))
        for group in unit.tx.groups()
        if group.group_id in linked
    ]


def _people(unit: Unit) -> Iterator[tuple[User, list[str]]]:
    """The users of the item, each with those groups that give a role in it."""
    linked = unit.tx.roles_of_groups(unit.item)
    for each in unit.tx.users():
        giving = [group for group in each.groups if group in linked]
        if giving and not each.disabled:
            yield each, giving
