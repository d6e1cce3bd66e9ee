"""Use cases about the roles of an item, and which groups have them (rest.md 9).

None of them may take ``adminAdvanced`` from the last enabled user who has it: nobody could give it back over REST. The
operator's commands (``people.py``) are not held to that, and are the way back in.
"""

from app.domain.access import PRIVILEGES, Role
from app.errors import InvalidValue, NotFound, RuleViolation
from app.protocol.community import GroupUpdate, RoleBody, RolesGiven
from app.services.engine import Unit
from app.services.people import MAX_NAME_CHARS, existing_role, require_administrator, roles_changed
from app.services.ports import Group


def role(unit: Unit, role_name: str) -> Role:
    """A role. Raises NotFound."""
    name = existing_role(unit.tx, unit.item, role_name)
    return next(each for each in unit.tx.roles(unit.item) if each.name == name)


def put(unit: Unit, role_name: str, body: RoleBody) -> None:
    """Make a role, or give it this description and these privileges and no others.

    Raises:
        PermissionDenied: without adminAdvanced. RuleViolation: nobody would administer the item any more.
        InvalidValue: a name that cannot be one, or is not the path's, or privileges that do not exist.
    """
    require_administrator(unit)
    if faults := faults_of(role_name, body):
        raise InvalidValue(f"WorkflowRole was invalid: {'; '.join(faults)}.", details=faults)
    unit.tx.lock_item(unit.item)
    unit.tx.put_role(unit.item, Role(role_name, body.description or "", tuple(dict.fromkeys(body.privileges))))
    _changed(unit)


def delete(unit: Unit, role_name: str) -> bool:
    """Delete a role; groups that had it have it no more. False when there was none.

    Raises PermissionDenied; RuleViolation when nobody would administer the item any more.
    """
    require_administrator(unit)
    unit.tx.lock_item(unit.item)
    found = unit.tx.delete_role(unit.item, role_name)
    if found:
        _changed(unit)
    return found


def of_group(unit: Unit, group_id: str) -> list[str]:
    """The names of a group's roles here. Raises NotFound."""
    return list(unit.tx.roles_of_groups(unit.item).get(_group(unit, group_id).group_id, ()))


def update_group(unit: Unit, group_id: str, body: GroupUpdate) -> None:
    """Give a group roles and take others from it, all or none. Those it has or lacks already count as done.

    Raises:
        PermissionDenied, NotFound (group or role). InvalidValue: a role is both given and taken.
        RuleViolation: nobody would administer the item any more.
    """
    require_administrator(unit)
    unit.tx.lock_item(unit.item)
    group = _group(unit, group_id)
    wanted = dict.fromkeys(_names(body.adds), True)
    if faults := [f"the role {name!r} is in adds and in deletes" for name in _names(body.deletes) if name in wanted]:
        raise InvalidValue(f"UpdateGroupBody was invalid: {'; '.join(faults)}.", details=faults)
    wanted |= dict.fromkeys(_names(body.deletes), False)
    for name, linked in wanted.items():
        unit.tx.link_role(unit.item, group.group_id, existing_role(unit.tx, unit.item, name), linked)
    if wanted:
        _changed(unit)


def faults_of(role_name: str, body: RoleBody) -> list[str]:
    """All that is wrong with a role of this name."""
    faults = [f"there is no privilege {name!r}" for name in body.privileges if name not in PRIVILEGES]
    if body.role_name not in {None, role_name}:
        faults.append(f"roleName is {role_name!r} in the path, and cannot be another one in the body")
    if not role_name.isprintable() or role_name != role_name.strip() or len(role_name) > MAX_NAME_CHARS:
        faults.append(f"a role's name has 1 to {MAX_NAME_CHARS} printable characters, no blank at either end")
    return faults


def _names(given: RolesGiven | None) -> list[str]:
    return (given.roles or []) if given else []


def _group(unit: Unit, group_id: str) -> Group:
    found = unit.tx.group(group_id)
    if found is None:
        raise NotFound(f"There is no group with the id {group_id!r}.", name="GroupNotFound")
    return found


def _changed(unit: Unit) -> None:
    require_administered(unit)
    roles_changed(unit)


def require_administered(unit: Unit) -> None:
    """Raise RuleViolation unless some enabled user has adminAdvanced in the item."""
    if not _is_administered(unit):
        raise RuleViolation(
            "After this change nobody could administer the workflow item any more. Give another user a role with the "
            "privilege adminAdvanced first.",
            name="LastAdministrator",
        )


def _is_administered(unit: Unit) -> bool:
    """Some enabled user has adminAdvanced in the item."""
    ruling = {role.name for role in unit.tx.roles(unit.item) if "adminAdvanced" in role.privileges}
    groups = {group for group, names in unit.tx.roles_of_groups(unit.item).items() if not ruling.isdisjoint(names)}
    return any(not user.disabled and not groups.isdisjoint(user.groups) for user in unit.tx.users())
