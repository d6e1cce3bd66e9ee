"""Exports and imports in the background, and the log of an item (rest.md 13.3, websocket.md 3.17 and 3.18)."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.services.first_start import ITEM_ID, TEMPLATE_ID
from app.services.ports import LogEntry, LogLevel
from tests.api.conftest import error, ok
from tests.conformance.items import at_server, exported, in_item, made, opened, packed
from tests.conformance.people import Person, fresh, run

Sent = dict[str, Any]


@pytest.fixture
def item(admin: Person) -> Person:
    """The administrator, in a new item."""
    return in_item(admin, made(admin, fresh("Item")))


def id_of(person: Person) -> str:
    return person.root.rpartition("/")[2]


def start_import(person: Person, item_id: str, file: bytes, **fields: Any) -> Any:
    files = {"file": ("workflow_configuration.wmc", file)}
    return at_server(person, "POST", f"{item_id}/importAsync", files=files, data=fields)


# ---------------------------------------------------------------- exports


def test_an_export_is_begun_told_and_fetched(admin: Person, item: Person) -> None:
    with item.watch() as watcher:
        answer = at_server(admin, "POST", f"{id_of(item)}/exportAsync", json={"includeOtherConfiguration": True})
        export_id = ok(answer)["exportId"]
        assert "success" not in answer.text
        assert watcher.until("ExportCompleted") == {"itemId": id_of(item), "exportId": export_id}
    file = at_server(admin, "GET", f"{id_of(item)}/exportAsync/{export_id}")
    assert file.status_code == 200
    assert file.headers["content-disposition"].startswith('attachment; filename="workflow_configuration')
    assert file.headers["content-disposition"].endswith('.wmc"')
    assert opened(file.content) == opened(exported(item, id_of(item)))
    same = at_server(admin, "GET", f"{id_of(item)}/exportAsync/{export_id}?fileType=wmc")
    assert same.content == file.content


def test_the_mapping_names_everybody(admin: Person, item: Person) -> None:
    item.template("For Ana", item.diagram("D", [{"id": "a"}]), defaultAssignedType="User", defaultAssignedTo="ana")
    with item.watch() as watcher:
        export_id = ok(at_server(admin, "POST", f"{id_of(item)}/exportAsync", json={}))["exportId"]
        watcher.until("ExportCompleted")
    answer = at_server(admin, "GET", f"{id_of(item)}/exportAsync/{export_id}?fileType=json")
    assert answer.headers["content-disposition"].startswith('attachment; filename="workflow_mapping')
    assert answer.headers["content-disposition"].endswith('.json"')
    assert answer.json() == {"groups": [], "users": [{"username": "ana", "newUsername": None}]}
    odd = at_server(admin, "GET", f"{id_of(item)}/exportAsync/{export_id}?fileType=pdf")
    assert "fileType" in error(odd)["message"]


def test_a_failed_export_is_told_with_its_id_and_why(admin: Person, item: Person, client: TestClient) -> None:
    with item.watch() as watcher:
        export_id = ok(at_server(admin, "POST", f"{id_of(item)}/exportAsync", json={"diagramIds": []}))["exportId"]
        told = watcher.until("ExportFailed")
    assert (told["itemId"], told["exportId"]) == (id_of(item), export_id)
    assert "needs the diagram" in told["msg"]
    fetched = error(at_server(admin, "GET", f"{id_of(item)}/exportAsync/{export_id}"))
    assert fetched["type"] == "ExportFailed"
    assert "needs the diagram" in ok(at_server(admin, "GET", f"{id_of(item)}/logs"))["logs"][0]["message"]


def test_why_it_failed_is_for_who_has_asked(admin: Person, viewer: Person) -> None:
    with viewer.watch() as watcher:
        ok(at_server(admin, "POST", f"{ITEM_ID}/exportAsync", json={"jobTemplateIds": ["hidden"]}))
        assert watcher.until("ExportFailed")["msg"] == "The export failed."


def test_a_secret_in_an_export_is_what_the_passphrase_opens(admin: Person, item: Person) -> None:
    item.post("settings", {"settings": [{"propName": "key", "value": "s3cret", "encrypted": True}]})
    with item.watch() as watcher:
        asked = at_server(admin, "POST", f"{id_of(item)}/exportAsync", json={"passphrase": "horse"})
        watcher.until("ExportCompleted")
    file = at_server(admin, "GET", f"{id_of(item)}/exportAsync/{ok(asked)['exportId']}").content
    other = in_item(admin, made(admin, fresh("Item")))
    with other.watch() as watcher:
        ok(start_import(admin, id_of(other), file, passphrase="horse"))
        assert watcher.until("ImportCompleted") == {"itemId": id_of(other)}
    assert {"propName": "key", "encrypted": True} in other.get("settings")["settings"]


def test_another_items_exports_are_not_found(admin: Person, item: Person) -> None:
    with item.watch() as watcher:
        export_id = ok(at_server(admin, "POST", f"{id_of(item)}/exportAsync", json={}))["exportId"]
        watcher.until("ExportCompleted")
    for wrong in (f"{ITEM_ID}/exportAsync/{export_id}", f"{id_of(item)}/exportAsync/nothing"):
        assert error(at_server(admin, "GET", wrong), 404)["type"] == "ExportNotFound"


def test_sockets_of_other_items_hear_nothing(admin: Person, item: Person) -> None:
    with admin.watch() as other, item.watch() as own:
        ok(at_server(admin, "POST", f"{id_of(item)}/exportAsync", json={}))
        own.until("ExportCompleted")
        other.send(msgType="unsubscribe", jobIds=[], requestId="last")
        assert other.next()["msgType"] == "Ack"


def test_an_import_is_begun_and_told(admin: Person, item: Person) -> None:
    item.put("lookups/colour", {"lookups": [{"lookupName": "Red", "value": 2}]})
    file = exported(item, id_of(item))
    other = in_item(admin, made(admin, fresh("Item")))
    with other.watch() as watcher:
        assert ok(start_import(admin, id_of(other), file, overwriteConfiguration="True")) == {"success": True}
        assert watcher.until("ImportCompleted") == {"itemId": id_of(other)}
    assert opened(exported(other, id_of(other))) == opened(file)


def test_a_failed_import_is_told_and_changes_nothing(admin: Person, item: Person) -> None:
    file = exported(item, id_of(item))
    item.job(TEMPLATE_ID)
    with item.watch() as watcher:
        ok(start_import(admin, id_of(item), file))
        told = watcher.until("ImportFailed")
    assert told["itemId"] == id_of(item)
    assert "has jobs" in told["msg"]
    assert opened(exported(item, id_of(item))) == opened(file)
    with item.watch() as watcher:
        ok(start_import(admin, id_of(item), file, overwriteConfiguration="False"))
        watcher.until("ImportCompleted")


def test_what_is_no_configuration_is_refused_at_once(admin: Person, item: Person) -> None:
    assert error(start_import(admin, id_of(item), b"no zip"))["type"] == "InvalidConfiguration"
    bad = packed({"info.json": {"schemaVersion": "24.2.0.1"}, "lookups.json": {}})
    assert "lookups.json" in error(start_import(admin, id_of(item), bad))["message"]


@pytest.mark.parametrize("path", ["exportAsync", "importAsync"])
def test_background_work_is_for_admin_advanced(admin: Person, designer: Person, stranger: Person, path: str) -> None:
    file = exported(admin, ITEM_ID)
    options: dict[str, Any] = {"json": {}} if path == "exportAsync" else {"files": {"file": ("a.wmc", file)}}
    assert error(at_server(designer, "POST", f"{ITEM_ID}/{path}", **options))["type"] == "PermissionDenied"
    error(at_server(stranger, "POST", f"{ITEM_ID}/{path}", **options), 403)
    error(at_server(admin, "POST", f"{ITEM_ID}/{path}", headers={}, **options), 401)


def test_an_export_is_begun_once_for_each_key(admin: Person, item: Person) -> None:
    headers = {"Authorization": f"Bearer {admin.token()}", "Idempotency-Key": fresh("key")}
    asked = [at_server(admin, "POST", f"{id_of(item)}/exportAsync", headers=headers, json={}) for _ in range(2)]
    assert ok(asked[0]) == ok(asked[1])


# ---------------------------------------------------------------- the log


def write(item: Person, *entries: LogEntry) -> None:
    def add(tx: Any) -> None:
        found = next(each for each in tx.items() if each.item_id == id_of(item))
        for entry in entries:
            tx.add_log(found, entry)

    run(item.client, add)


def read(person: Person, item: Person, query: str = "") -> list[Sent]:
    return list(ok(at_server(person, "GET", f"{id_of(item)}/logs{query}"))["logs"])


def test_the_log_is_read_newest_first_in_pages_and_times(admin: Person, item: Person) -> None:
    write(item, *(LogEntry(LogLevel.WARN, f"m{n}", 1_700_000_000_000 + n * 1000, "ana") for n in range(5)))
    first = {"logLevel": "WARN", "message": "m4", "createdDate": "2023-11-14T22:13:24Z", "createdUser": "ana"}
    assert read(admin, item)[0] == first
    page = read(admin, item, "?paginationStart=1&paginationCount=2")
    assert [line["message"] for line in page] == ["m3", "m2"]
    between = read(admin, item, "?startTime=2023-11-14T22:13:21Z&endTime=1700000002000")
    assert [line["message"] for line in between] == ["m2", "m1"]


@pytest.mark.parametrize(
    "query", ["startTime=x", "endTime=-1", "paginationStart=-1", "paginationCount=1001", "startTime=2&endTime=1"]
)
def test_a_question_to_the_log_that_makes_no_sense_is_refused(admin: Person, query: str) -> None:
    assert error(at_server(admin, "GET", f"{ITEM_ID}/logs?{query}"))["details"]


def test_a_step_that_fails_is_in_the_log(admin: Person) -> None:
    step = {"id": "a", "name": "A", "action": {"actionType": "Email", "args": {"subject": "'s'", "body": "'b'"}}}
    job = admin.job_on({**step, "paths": []})
    with admin.watch(job) as watcher:
        admin.acts(job, "Run")
        told = watcher.until("StepError")
    line = next(each for each in ok(at_server(admin, "GET", f"{ITEM_ID}/logs"))["logs"] if each.get("jobId") == job)
    assert (line["logLevel"], line["stepId"], line["message"]) == ("ERROR", "a", told["msg"])
    assert line["createdUser"]


def test_a_notification_that_cannot_be_made_is_in_the_log(admin: Person) -> None:
    paths = [{"nextStep": "b", "notifications": ["gone"]}]
    job = admin.job_on({"id": "a", "canSkip": True, "paths": paths}, {"id": "b", "paths": []})
    admin.acts(job, "Finish")
    line = next(each for each in ok(at_server(admin, "GET", f"{ITEM_ID}/logs"))["logs"] if each.get("jobId") == job)
    assert "gone" in line["message"]


def test_the_log_is_for_designers_and_administrators(
    admin: Person, designer: Person, viewer: Person, stranger: Person
) -> None:
    for person in (admin, designer):
        ok(at_server(person, "GET", f"{ITEM_ID}/logs"))
    assert error(at_server(viewer, "GET", f"{ITEM_ID}/logs"))["type"] == "PermissionDenied"
    error(at_server(stranger, "GET", f"{ITEM_ID}/logs"), 403)
