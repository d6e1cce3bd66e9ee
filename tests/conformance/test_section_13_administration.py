"""Workflow items as wholes: made, brought up to date, deleted (rest.md 13.3)."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.domain.access import PortalRole
from app.domain.job import Content
from app.services.first_start import ITEM_ID, ORG_ID
from app.services.ports import Group, Tx
from tests.api.conftest import error, ok
from tests.conformance.items import at_server, exported, in_item, made, opened
from tests.conformance.people import Person, fresh, run
from tests.support import eventually


@pytest.fixture
def publisher(client: TestClient, basic: Person) -> Person:
    """A user who may make items, and is nobody's administrator before."""
    run(client, lambda tx: tx.set_portal_role(basic.username, PortalRole.PUBLISHER))
    return basic


# ---------------------------------------------------------------- making


@pytest.mark.parametrize("is_async", [True, False])
def test_a_new_item_is_there_when_the_answer_comes(admin: Person, is_async: bool) -> None:
    answer = ok(at_server(admin, "POST", f"createWorkflowItem?name={fresh('Item')}", json={"async": is_async}))
    assert answer["success"] is True
    assert len(answer["itemId"]) == 32
    assert int(answer["itemId"], 16)
    assert ok(at_server(admin, "GET", f"{answer['itemId']}/creationStatus")) == {"status": "Succeeded"}
    assert in_item(admin, answer["itemId"]).get("jobTemplates")["jobTemplates"]


def test_the_body_may_be_left_out(admin: Person) -> None:
    assert ok(at_server(admin, "POST", f"createWorkflowItem?name={fresh('Item')}"))["success"] is True


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{}%20%26%20Sons", "{} & Sons"),
        ("{} & Sons", "{} & Sons"),
        ("{}&Sons&Co", "{}&Sons&Co"),
        ("{}+Sons&f=json", "{} Sons"),
        ("{}%2B%3D&a=b&f=json&c=d", "{}+=&a=b"),
        ("{}-%C3%A4%E5%AE%B6", "{}-ä家"),
    ],
)
def test_an_ampersand_in_the_name_may_be_unquoted(admin: Person, written: str, read: str) -> None:
    name = fresh("Name")
    item_id = made(admin, written.format(name))
    assert content_item(admin, item_id)["title"] == read.format(name)


def content_item(person: Person, item_id: str) -> Any:
    """What the portal says of an item."""
    headers = {"Authorization": f"Bearer {person.token()}"}
    return person.client.get(f"/sharing/rest/content/items/{item_id}", headers=headers).json()


def test_a_new_item_is_found_in_the_portal_by_who_has_a_role_in_it(admin: Person, viewer: Person) -> None:
    name = fresh("Item")
    item_id = made(admin, name)
    found = content_item(admin, item_id)
    assert (found["id"], found["title"], found["owner"], found["type"]) == (item_id, name, "admin", "Workflow")
    assert "does not exist or is inaccessible" in content_item(viewer, item_id)["error"]["message"]


@pytest.mark.parametrize(
    "query", ["", "?", "?name=", "?name=%20x", "?name=a%00b", "?name=a%0Ab", "?name=%FF", "?other=x"]
)
def test_a_name_that_is_none_is_refused(admin: Person, query: str) -> None:
    refused = error(at_server(admin, "POST", f"createWorkflowItem{query}", json={}))
    assert "name" in refused["message"]


def test_a_name_has_room_for_the_admin_group(admin: Person) -> None:
    long = fresh("N" * 90)
    assert made(admin, long)
    assert "1 to 105" in error(at_server(admin, "POST", f"createWorkflowItem?name={'N' * 106}"))["message"]


def test_a_name_is_given_once(admin: Person) -> None:
    name = fresh("Item")
    made(admin, name)
    assert error(at_server(admin, "POST", f"createWorkflowItem?name={name}"))["type"] == "ItemNameDuplicate"
    admin_of_first = error(at_server(admin, "POST", "createWorkflowItem?name=Workflow"))
    assert admin_of_first["type"] == "ItemNameDuplicate"


def test_a_name_is_not_taken_from_a_group(admin: Person, client: TestClient) -> None:
    name = fresh("Item")
    run(client, lambda tx: tx.add_group(Group(name, f"Workflow Manager Admin {name}")))
    assert error(at_server(admin, "POST", f"createWorkflowItem?name={name}"))["type"] == "ItemNameDuplicate"


def test_a_publisher_makes_items_and_owns_them(publisher: Person) -> None:
    item_id = made(publisher, fresh("Item"))
    assert "adminAdvanced" in in_item(publisher, item_id).get(f"community/users/{publisher.username}")["privileges"]
    assert content_item(publisher, item_id)["owner"] == publisher.username


def test_nobody_else_makes_items(viewer: Person, outsider: Person, stranger: Person) -> None:
    for person in (viewer, outsider, stranger):
        refused = error(at_server(person, "POST", f"createWorkflowItem?name={fresh('Item')}"))
        assert refused["type"] == "PermissionDenied"
        assert "publisher" in refused["message"]


def test_an_organisation_that_is_not_there_has_no_items_made(admin: Person) -> None:
    headers = {"Authorization": f"Bearer {admin.token()}"}
    refused = error(admin.client.post("/elsewhere/admin/createWorkflowItem?name=x", headers=headers, json={}))
    assert refused["type"] == "OrganisationNotFound"


def test_without_a_token_nothing_is_done(admin: Person) -> None:
    for method, path in (
        ("POST", "createWorkflowItem?name=x"),
        ("GET", f"{ITEM_ID}/creationStatus"),
        ("POST", f"{ITEM_ID}/upgrade"),
        ("DELETE", ITEM_ID),
    ):
        assert error(at_server(admin, method, path, headers={}), 401)["type"] == "Unauthenticated"


def test_an_item_is_made_once_for_each_key(admin: Person) -> None:
    name = fresh("Item")
    headers = {"Authorization": f"Bearer {admin.token()}", "Idempotency-Key": name}
    path = f"createWorkflowItem?name={name}"
    first = at_server(admin, "POST", path, headers=headers, json={"async": True})
    again = at_server(admin, "POST", path, headers=headers, json={"async": True})
    assert ok(first) == ok(again)
    assert again.headers["idempotent-replayed"] == "true"
    assert error(at_server(admin, "POST", path, headers=headers, json={}), 422)["type"] == "KeyReused"
    other = at_server(admin, "POST", f"{path}-2", headers=headers, json={"async": True})
    assert error(other, 422)["type"] == "KeyReused", "the name counts, though it is in the query"


def test_the_admin_group_of_a_new_item_has_its_maker_and_the_administrators_role(admin: Person) -> None:
    name = fresh("New")
    item = in_item(admin, made(admin, name))
    (group,) = item.get("community/groups")["groups"]
    assert group["name"] == f"Workflow Manager Admin {name}"
    assert item.get(f"community/groups/{group['id']}")["roles"] == ["Workflow Administrator"]
    assert [user["username"] for user in item.get("community/users")["users"]] == ["admin"]


def test_a_new_item_has_the_contents_of_the_first_and_none_of_its_jobs(admin: Person) -> None:
    first, item = opened(exported(admin, ITEM_ID)), in_item(admin, made(admin, fresh("New")))
    new = opened(exported(item, item.root.rpartition("/")[2]))
    for name in ("lookups.json", "searches.json", "settings.json", "templates.json"):
        assert all(row in first[name] for row in new[name])
    assert len(new["diagrams.json"]) == len(new["jobTemplates.json"]) == 2
    assert len(new["roles.json"]) == 5
    assert item.post("jobs/statistics", {"q": "closed=0 OR closed=1"})["total"] == 0


def test_jobs_of_items_are_counted_apart(admin: Person) -> None:
    item = in_item(admin, made(admin, fresh("New")))
    job = item.job("Q5-nYVlCTBOZ4ShEdDsglA")
    assert item.read(job)["jobName"] == "JOB_1"
    assert admin.call("GET", f"jobs/{job}").status_code == 404, "another item's jobs are not there"


# ---------------------------------------------------------------- status and upgrade


def test_the_status_of_an_unknown_item_is_not_found(admin: Person) -> None:
    assert error(at_server(admin, "GET", f"{'a' * 32}/creationStatus"), 404)["type"] == "ItemNotFound"


def test_the_status_is_told_to_who_has_to_do_with_the_item(
    admin: Person, viewer: Person, outsider: Person, publisher: Person
) -> None:
    for person in (admin, viewer):
        assert ok(at_server(person, "GET", f"{ITEM_ID}/creationStatus"))["status"] == "Succeeded"
    error(at_server(outsider, "GET", f"{ITEM_ID}/creationStatus"), 403)
    item_id = made(publisher, fresh("Item"))
    for person in (admin, publisher):
        assert ok(at_server(person, "GET", f"{item_id}/creationStatus"))["status"] == "Succeeded"
    error(at_server(viewer, "GET", f"{item_id}/creationStatus"), 403)


def test_an_upgrade_finds_the_item_in_the_newest_form(admin: Person) -> None:
    answer = ok(at_server(admin, "POST", f"{ITEM_ID}/upgrade", json={"async": True}))
    assert answer == {"itemId": ITEM_ID, "success": True, "status": "Succeeded"}
    assert admin.get("")["upgradeAvailable"] is False


def test_the_owner_upgrades_with_admin_advanced(publisher: Person, viewer: Person) -> None:
    item_id = made(publisher, fresh("Item"))
    ok(at_server(publisher, "POST", f"{item_id}/upgrade", json={}))
    assert error(at_server(viewer, "POST", f"{item_id}/upgrade", json={}))["type"] == "PermissionDenied"
    assert error(at_server(publisher, "POST", f"{ITEM_ID}/upgrade", json={}))["type"] == "PermissionDenied"
    group_id = in_item(publisher, item_id).get("community/groups")["groups"][0]["id"]
    run(publisher.client, lambda tx: tx.set_member(publisher.username, group_id, False))
    run(publisher.client, lambda tx: tx.bump_access(None))
    assert error(at_server(publisher, "POST", f"{item_id}/upgrade", json={}))["type"] == "PermissionDenied"


# ---------------------------------------------------------------- deleting


def test_a_deleted_item_is_not_found_any_more(admin: Person) -> None:
    name = fresh("Item")
    item_id = made(admin, name)
    inside = in_item(admin, item_id)
    job_id = inside.job("Q5-nYVlCTBOZ4ShEdDsglA")
    assert ok(at_server(admin, "DELETE", f"{item_id}?")) == {"success": True}
    assert error(inside.call("GET", f"jobs/{job_id}"), 404)["type"] == "ItemNotFound"
    assert error(at_server(admin, "GET", f"{item_id}/creationStatus"), 404)["type"] == "ItemNotFound"
    assert error(at_server(admin, "DELETE", item_id), 404)["type"] == "ItemNotFound"
    assert "does not exist or is inaccessible" in content_item(admin, item_id)["error"]["message"]
    assert made(admin, name) != item_id, "its name is free again, and its id is not"


def test_a_deleted_item_is_removed_with_its_jobs_and_their_files(admin: Person, client: TestClient) -> None:
    item_id = made(admin, fresh("Item"))
    inside = in_item(admin, item_id)
    job_id = inside.job("Q5-nYVlCTBOZ4ShEdDsglA")
    ok(inside.call("POST", f"jobs/{job_id}/attachments", files={"attachment": ("a.txt", b"text")}))

    def content(tx: Tx) -> Content:
        item = tx.item(ORG_ID, item_id)
        record = tx.job(item, job_id) if item else None
        found = tx.attachments(record)[0].content if record else None
        assert found is not None
        return found

    kept = run(client, content)
    parts = admin.gateway

    async def is_removed() -> bool:
        is_gone = await parts.engine.store.read(lambda tx: not tx.going_items())
        return is_gone and not await parts.files.is_there(kept)

    ok(at_server(admin, "DELETE", item_id))
    assert client.portal is not None
    client.portal.call(lambda: eventually(is_removed, expected_s=7))


def test_the_websockets_of_a_deleted_item_are_closed_for_good(admin: Person, publisher: Person) -> None:
    item_id = made(publisher, fresh("Item"))
    with in_item(publisher, item_id).watch() as watcher:
        ok(at_server(admin, "DELETE", item_id))
        message = watcher.session.portal.call(watcher._receive)
        assert (message["type"], message["code"]) == ("websocket.close", 4500)


def test_the_publisher_deletes_own_items_only(publisher: Person, admin: Person, viewer: Person) -> None:
    own, other = made(publisher, fresh("Item")), made(admin, fresh("Item"))
    assert error(at_server(publisher, "DELETE", other))["type"] == "PermissionDenied"
    assert error(at_server(viewer, "DELETE", own))["type"] == "PermissionDenied"
    ok(at_server(publisher, "DELETE", own))
    ok(at_server(admin, "DELETE", other))


def test_the_first_item_stays(admin: Person) -> None:
    assert error(at_server(admin, "DELETE", ITEM_ID))["type"] == "FirstItem"
    assert admin.get("")["itemVersion"]
