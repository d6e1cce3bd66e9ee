"""rest.md 9: who is there, in which groups, with which roles."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from app.services.first_start import ADMIN
from app.services.ports import Group, Tx
from tests.api.conftest import error
from tests.conformance.people import ADVANCED, BASIC, DESIGNER, OUTSIDER, STRANGER, VIEWER, Person, fresh, run

Hire = Callable[..., Person]


def assignable(person: Person, kind: str) -> set[str]:
    """Whom, or which groups, the person may give work to."""
    key = {"users": "username", "groups": "id"}[kind]
    return {each[key] for each in person.get(f"community/{kind}")[kind] if each["isAssignable"]}


def groups_of(person: Person) -> list[str]:
    return list(person.get(f"community/users/{person.username}")["groups"])


def test_get_users_lists_the_members_of_groups_with_a_role(viewer: Person) -> None:
    users = {each["username"]: each for each in viewer.get("community/users")["users"]}
    assert {ADMIN, DESIGNER, ADVANCED, BASIC, VIEWER} <= set(users)
    assert not {OUTSIDER, STRANGER} & set(users)
    for user in users.values():
        assert {"username", "fullName", "isAssignable"} <= set(user)


def test_get_user_tells_groups_roles_and_privileges(viewer: Person) -> None:
    found = viewer.get(f"community/users/{BASIC}")
    assert (found["username"], found["groups"], found["roles"]) == (BASIC, [BASIC], ["Manage Jobs - Basic"])
    assert found["groupsOwned"] == []
    assert "jobUpdateHolds" in found["privileges"]
    assert "jobCreate" not in found["privileges"]
    for nobody in (OUTSIDER, STRANGER, "nobody"):
        error(viewer.call("GET", f"community/users/{nobody}"), 404)


def test_get_groups_lists_those_with_a_role(viewer: Person) -> None:
    groups = {each["id"]: each for each in viewer.get("community/groups")["groups"]}
    assert {BASIC, VIEWER} <= set(groups)
    assert STRANGER not in groups
    assert groups[BASIC] == {"id": BASIC, "name": "Basic", "isAssignable": False}


def test_get_group_tells_its_roles(viewer: Person) -> None:
    assert viewer.get(f"community/groups/{BASIC}") == {"roles": ["Manage Jobs - Basic"]}
    error(viewer.call("GET", "community/groups/nothing"), 404)


def test_update_group_answers_success_and_adds_and_deletes_roles(admin: Person, client: Any) -> None:
    name = fresh("group")

    def add(tx: Tx) -> None:
        tx.add_group(Group(name, name))

    run(client, add)
    path = f"community/groups/{name}"
    for body, roles in (
        ({"adds": {"roles": ["View Jobs", "Manage Jobs - Basic"]}}, {"View Jobs", "Manage Jobs - Basic"}),
        ({"deletes": {"roles": ["View Jobs"]}}, {"Manage Jobs - Basic"}),
        ({"adds": {"roles": ["View Jobs"]}, "deletes": {"roles": ["Manage Jobs - Basic"]}}, {"View Jobs"}),
        ({"adds": None, "deletes": None}, {"View Jobs"}),
    ):
        assert admin.post(path, body) == {"success": True}
        assert set(admin.get(path)["roles"]) == roles


def test_get_roles_lists_names_and_privileges(viewer: Person) -> None:
    roles = {each["roleName"]: each for each in viewer.get("community/roles")["roles"]}
    assert "adminBasic" in roles["Workflow Designer"]["privileges"]
    assert roles["Workflow Designer"]["description"]


def test_get_role_gives_one_by_its_name_in_the_path(viewer: Person) -> None:
    found = viewer.get(f"community/roles/{quote('Manage Jobs - Basic')}")
    assert found["roleName"] == "Manage Jobs - Basic"
    error(viewer.call("GET", "community/roles/Unknown"), 404)


def test_update_role_answers_success_and_makes_or_replaces_it(admin: Person) -> None:
    name = fresh("Role of one's own")
    path = f"community/roles/{quote(name)}"
    for privileges in (["jobCreate", "jobClose"], ["jobDelete"], []):
        assert admin.post(path, {"roleName": name, "privileges": privileges}) == {"success": True}
        assert sorted(admin.get(path)["privileges"]) == sorted(privileges)
    assert admin.post(path, {"description": "d", "privileges": []}) == {"success": True}
    assert admin.get(path)["description"] == "d"


def test_delete_role_says_whether_it_was_found(admin: Person) -> None:
    path = f"community/roles/{fresh('gone')}"
    admin.post(path, {"privileges": []})
    assert admin.delete(path) == {"found": True}
    error(admin.call("GET", path), 404)
    assert admin.delete(path) == {"found": False}


# ---------------------------------------------------------------- who may be given work


def test_assign_any_makes_everybody_assignable(hire: Hire) -> None:
    person = hire("jobAssignAny")
    users = {each["username"] for each in person.get("community/users")["users"]}
    groups = {each["id"] for each in person.get("community/groups")["groups"]}
    assert assignable(person, "users") == users
    assert assignable(person, "groups") == groups


def test_assign_group_makes_the_own_groups_and_their_members_assignable(hire: Hire, client: Any) -> None:
    person, mate = hire("jobAssignGroup"), hire()

    def join(tx: Tx) -> None:
        tx.set_member(mate.username, person.username, True)
        tx.bump_access(None)

    run(client, join)
    assert assignable(person, "users") == {person.username, mate.username}
    assert assignable(person, "groups") == {person.username}


def test_assign_individual_makes_oneself_and_the_own_groups_assignable(hire: Hire) -> None:
    person = hire("jobAssignIndividual")
    assert assignable(person, "users") == {person.username}
    assert assignable(person, "groups") == {person.username}


def test_with_none_of_the_three_nobody_is_assignable(viewer: Person) -> None:
    assert assignable(viewer, "users") == assignable(viewer, "groups") == set()


def test_what_is_assignable_can_be_assigned_and_nothing_else(admin: Person, hire: Hire, two_steps: str) -> None:
    person = hire("jobAssignIndividual")
    for user in (person.username, BASIC):
        job_id = admin.job(two_steps, assignedType="Group", assignedTo=person.username)
        body = {"assignedType": "User", "assignedTo": user}
        status = person.call("POST", f"jobs/{job_id}/currentStep", json=body).status_code
        assert (status == 200) == (user in assignable(person, "users"))


# ---------------------------------------------------------------- roles


@pytest.mark.parametrize(
    "body",
    [{}, {"privileges": ["doAnything"]}, {"privileges": "jobCreate"}, {"roleName": "Another", "privileges": []}],
    ids=["nothing", "unknown privilege", "text", "another name"],
)
def test_an_invalid_role_is_refused(admin: Person, body: dict[str, Any]) -> None:
    path = f"community/roles/{fresh('wrong')}"
    admin.refused(path, body)
    error(admin.call("GET", path), 404)


def test_a_user_has_the_privileges_of_all_groups(hire: Hire, client: Any) -> None:
    person, other = hire("jobClose"), hire("jobDelete")

    def join(tx: Tx) -> None:
        tx.set_member(person.username, other.username, True)
        tx.bump_access(None)

    run(client, join)
    found = person.get(f"community/users/{person.username}")
    assert set(found["privileges"]) == {"jobClose", "jobDelete"}
    assert set(found["groups"]) == {person.username, other.username}


def test_a_role_that_is_replaced_counts_for_the_next_request(admin: Person, hire: Hire, two_steps: str) -> None:
    person = hire("jobCreate")
    person.job(two_steps)
    admin.post(f"community/roles/{person.username}", {"privileges": []})
    person.refused(f"jobTemplates/{two_steps}/job", {})
    assert groups_of(person) == [person.username]
