"""Privileges and assignments: what an actor may, and whose work it is."""

import pytest

from app.domain.access import ADMIN_ROLE, DEFAULT_ROLES, PRIVILEGES, SYSTEM
from app.domain.job import UNASSIGNED, Assignment
from tests.domain.builders import group, person, user

ANA_OF_CREW = person("ana", "adminAdvanced", groups=["crew"])


@pytest.mark.parametrize(
    ("assignment", "hers"),
    [
        (user("ana"), True),
        (user("Ana"), False),
        (user("ben"), False),
        (group("crew"), True),
        (group("office"), False),
        (group("ana"), False),
        (UNASSIGNED, False),
    ],
)
def test_work_is_somebodys_by_name_or_through_a_group(assignment: Assignment, hers: bool) -> None:
    assert ANA_OF_CREW.is_assigned(assignment) is hers
    assert SYSTEM.is_assigned(assignment)


def test_the_advanced_administrator_may_what_the_basic_one_may() -> None:
    assert ANA_OF_CREW.may("adminBasic")
    assert not person("ben", "adminBasic").may("adminAdvanced")
    assert not ANA_OF_CREW.may("jobForceStop")
    assert SYSTEM.may("jobForceStop")


def test_a_new_item_has_five_roles_with_known_privileges() -> None:
    roles = {role.name: set(role.privileges) for role in DEFAULT_ROLES}
    assert len(roles) == 5
    assert all(privileges <= PRIVILEGES for privileges in roles.values())
    assert "jobUpdatePercentComplete" not in roles[ADMIN_ROLE]
    assert PRIVILEGES - roles[ADMIN_ROLE] == {"jobUpdatePercentComplete", "adminBasic"}
    designer = roles["Workflow Designer"]
    assert designer == {name for name in roles[ADMIN_ROLE] if not name.startswith("view")} - {
        "adminAdvanced",
        "jobForceStop",
    } | {"adminBasic"}
