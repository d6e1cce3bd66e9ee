"""Users, groups and roles over REST."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.domain.access import ADMIN_ROLE, PRIVILEGES, Role
from app.services.ports import Group, Tx
from tests.api.conftest import OUTSIDER, WORKER, Api, error, ok

CREW, LEAD, MATE, GONE = "crew-id", "lead", "mate", "gone"


@pytest.fixture(scope="module")
def lead(client: TestClient) -> Api:
    """One who may assign the work of the own groups; ``mate`` is in the same, ``gone`` too, and disabled."""

    def add(tx: Tx) -> None:
        item = tx.items()[0]
        tx.add_group(Group(CREW, "Crew"))
        tx.add_group(Group("unlinked", "Unlinked"))
        tx.put_role(item, Role("Lead", "Leads.", ("jobAssignGroup", "jobCreate")))
        tx.put_role(item, Role("Second", "", ("jobCreate", "jobClose")))
        for role in ("Second", "Lead"):
            tx.link_role(item, CREW, role, True)
        tx.add_user(LEAD, None, "Lea D.", "lea@example.org")
        for name in (MATE, GONE):
            tx.add_user(name, None)
        for name in (LEAD, MATE, GONE):
            tx.set_member(name, CREW, True)
        tx.set_member(LEAD, "unlinked", True)
        tx.set_disabled(GONE, True)
        tx.bump_access(None)

    assert client.portal is not None
    client.portal.call(Api(client).gateway.engine.store.run, add)
    return Api(client, LEAD)


def assignable(user: Api, kind: str, *names: str) -> list[bool | None]:
    """Whether each of them is; None: not in the list."""
    key = {"users": "username", "groups": "id"}[kind]
    listed = {each[key]: each["isAssignable"] for each in user.get(f"community/{kind}")[kind]}
    return [listed.get(name) for name in names]


def test_users_are_those_with_a_role_and_say_whom_the_caller_may_give_work_to(api: Api, worker: Api, lead: Api) -> None:
    names = ("admin", WORKER, LEAD, MATE, GONE, OUTSIDER)
    assert assignable(api, "users", *names) == [True, True, True, True, None, None]
    assert assignable(lead, "users", *names) == [False, False, True, True, None, None]
    assert assignable(worker, "users", *names) == [False, True, False, False, None, None]
    listed = {each["username"]: each for each in api.get("community/users")["users"]}
    assert listed[LEAD]["fullName"] == "Lea D."
    assert listed[LEAD]["email"] == "lea@example.org"
    assert listed[MATE] == {"username": MATE, "fullName": MATE, "isAssignable": True}


def test_groups_are_those_with_a_role(api: Api, worker: Api, lead: Api) -> None:
    names = ("workers", CREW, "unlinked")
    assert assignable(api, "groups", *names) == [True, True, None]
    assert assignable(lead, "groups", *names) == [False, True, None]
    assert assignable(worker, "groups", *names) == [True, False, None]
    assert {"id": CREW, "name": "Crew", "isAssignable": True} in lead.get("community/groups")["groups"]


def test_who_is_assignable_is_whom_work_can_be_given_to(api: Api, worker: Api, lead: Api, manual: str) -> None:
    """A group without a role makes nobody assignable, though both are in it."""

    def join(tx: Tx, member: bool) -> None:
        tx.set_member(WORKER, "unlinked", member)
        tx.bump_access(None)

    portal = api.client.portal
    assert portal is not None
    portal.call(api.gateway.engine.store.run, lambda tx: join(tx, True))
    try:
        given = [("User", name) for name in (LEAD, MATE, WORKER, "admin")]
        given += [("Group", name) for name in (CREW, "workers", "unlinked")]
        for kind, name in given:
            shown = assignable(lead, {"User": "users", "Group": "groups"}[kind], name)
            job_id = api.job(manual, assignedType="User", assignedTo=LEAD)
            body = {"assignedType": kind, "assignedTo": name}
            status = lead.call("POST", f"jobs/{job_id}/currentStep", json=body).status_code
            assert (status == 200) == (shown == [True]), (kind, name)
    finally:
        portal.call(api.gateway.engine.store.run, lambda tx: join(tx, False))


def test_a_user_learns_the_own_roles_and_privileges(lead: Api, worker: Api) -> None:
    assert lead.get(f"community/users/{LEAD}") == {
        "username": LEAD,
        "fullName": "Lea D.",
        "email": "lea@example.org",
        "groups": [CREW, "unlinked"],
        "groupsOwned": [],
        "roles": ["Lead", "Second"],
        "privileges": ["jobAssignGroup", "jobCreate", "jobClose"],
    }
    assert "adminAdvanced" in worker.get("community/users/admin")["privileges"]


@pytest.mark.parametrize("name", [OUTSIDER, GONE, "nobody", "LEAD"])
def test_only_users_with_a_role_can_be_read(lead: Api, name: str) -> None:
    assert error(lead.call("GET", f"community/users/{name}"), 404)["type"] == "UserNotFound"


def test_a_group_is_given_roles_and_loses_them(api: Api, lead: Api) -> None:
    path = f"community/groups/{CREW}"
    assert lead.get(path) == {"roles": ["Second", "Lead"]}
    body = {"adds": {"roles": ["View Jobs", "Lead"]}, "deletes": {"roles": ["Second"]}}
    assert api.post(path, body) == {"success": True}
    assert lead.get(path) == {"roles": ["Lead", "View Jobs"]}
    api.post(path, {"deletes": {"roles": ["View Jobs"]}, "adds": None, "f": "json"})
    api.post(path, {"adds": {"roles": ["Second"]}, "deletes": {}})
    api.post(path, {})
    assert sorted(lead.get(path)["roles"]) == ["Lead", "Second"]
    assert lead.get("community/groups/unlinked") == {"roles": []}
    assert error(lead.call("GET", "community/groups/nobody"), 404)["type"] == "GroupNotFound"


def test_a_role_is_made_replaced_and_deleted(api: Api, worker: Api) -> None:
    path = "community/roles/Äcker & Wälder?"
    role = {"roleName": "Äcker & Wälder?", "description": "Works outside.", "privileges": ["jobClose", "viewWorkPage"]}
    quoted = path.replace("?", "%3F")
    assert ok(api.call("POST", quoted, json=role)) == {"success": True}
    assert worker.get(quoted) == role
    assert role in worker.get("community/roles")["roles"]
    api.post(quoted, {"privileges": ["jobUpdatePercentComplete"], "members": [1]})
    assert worker.get(quoted) == {"roleName": role["roleName"], "privileges": ["jobUpdatePercentComplete"]}
    assert ok(api.call("DELETE", quoted)) == {"found": True}
    assert ok(api.call("DELETE", quoted)) == {"found": False}
    assert error(api.call("GET", quoted), 404)["type"] == "RoleNotFound"


def test_the_roles_of_a_new_item_are_listed(worker: Api) -> None:
    roles = {each["roleName"]: each for each in worker.get("community/roles")["roles"]}
    assert {ADMIN_ROLE, "Workflow Designer", "Manage Jobs - Basic", "Manage Jobs - Advanced"} <= set(roles)
    assert set(roles[ADMIN_ROLE]["privileges"]) <= PRIVILEGES


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "privileges"),
        ({"privileges": None}, "privileges"),
        ({"privileges": "jobClose"}, "privileges"),
        ({"privileges": [5]}, "privileges[0]"),
        ({"privileges": ["jobClose", "jobFly", "JOBCLOSE"]}, "no privilege 'jobFly'; there is no privilege 'JOBCLOSE'"),
        ({"privileges": [], "roleName": "Other"}, "roleName"),
        ({"privileges": [], "description": 5}, "description"),
        ("jobClose", "object"),
    ],
)
def test_a_wrong_role_is_refused_and_stays_as_it_was(api: Api, body: Any, fault: str) -> None:
    before = api.get("community/roles")
    found = api.refused("community/roles/Worker", body)
    assert "WorkflowRole was invalid" in found["message"]
    assert fault in found["message"]
    assert api.get("community/roles") == before


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"adds": {"roles": ["Lead", "Nothing"]}}, "no role 'Nothing'"),
        ({"deletes": {"roles": ["Nothing"]}}, "no role 'Nothing'"),
        ({"adds": {"roles": ["Lead"]}, "deletes": {"roles": ["Lead"]}}, "in adds and in deletes"),
        ({"adds": ["Lead"]}, "adds"),
        ({"adds": {"roles": "Lead"}}, "adds.roles"),
    ],
)
def test_a_wrong_change_of_a_groups_roles_changes_nothing(api: Api, lead: Api, body: Any, fault: str) -> None:
    before = lead.get("community/groups/workers")
    assert fault in api.refused("community/groups/workers", body)["message"]
    assert lead.get("community/groups/workers") == before
    assert api.refused("community/groups/nobody", {"adds": {"roles": ["Lead"]}})["type"] == "GroupNotFound"


def test_only_an_administrator_changes_roles_and_outsiders_see_nobody(api: Api, lead: Api, outsider: Api) -> None:
    group, role = f"community/groups/{CREW}", "community/roles/Lead"
    writes: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", group, {"json": {"adds": {"roles": [ADMIN_ROLE]}}}),
        ("POST", role, {"json": {"privileges": ["adminAdvanced"]}}),
        ("DELETE", role, {}),
    ]
    before = lead.get(group), lead.get(role)
    for method, path, options in writes:
        assert "adminAdvanced" in error(lead.call(method, path, **options))["message"]
    reads = [f"community/{path}" for path in ("users", "groups", "roles", f"users/{LEAD}")]
    for method, path, options in [*writes, *(("GET", path, {}) for path in (*reads, group, role))]:
        error(outsider.call(method, path, **options), 403)
    assert (lead.get(group), lead.get(role)) == before


def test_the_last_administrator_cannot_be_locked_out(api: Api) -> None:
    assert api.refused(f"community/roles/{ADMIN_ROLE}", {"privileges": []})["type"] == "LastAdministrator"
    assert error(api.call("DELETE", f"community/roles/{ADMIN_ROLE}"))["type"] == "LastAdministrator"
    assert "adminAdvanced" in api.get("community/users/admin")["privileges"]
