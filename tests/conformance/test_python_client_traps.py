"""python-client.md 1: what the vendor's Python client trips over, trap by trap. The client itself is not used here."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.conftest import MAX_ATTACHMENT_BYTES, MAX_BODY_BYTES, error, ok
from tests.conformance.people import Person, fresh
from tests.conformance.reads import READS, Read
from tests.conformance.scene import IDLE, Scene
from tests.conformance.writes import WRITES, Write

REPEATED = {413, 429, 500, 502, 503, 504}
"""Statuses that the client sends a request again for, five times."""


@pytest.fixture(scope="module")
def still(client: Any) -> Scene:
    return Scene(Person(client))


def test_trap_01_addresses_that_are_handed_out_are_https_where_the_server_was_asked_by_https(admin: Person) -> None:
    headers = {"X-Esri-Authorization": f"Bearer {admin.token()}"}
    answers = [
        admin.client.get(f"https://testserver{path}?f=json", headers=headers).text
        for path in ("/sharing/rest/portals/self", "/sharing/rest/portals/workflow/servers", "/sharing/rest/info")
    ]
    assert "https://testserver" in answers[1]
    assert "https://testserver" in answers[2]
    assert not [text for text in answers if "http://" in text]


def test_trap_02_an_error_is_an_object_with_a_message_and_details_of_text(admin: Person, outsider: Person) -> None:
    for response in (
        admin.call("GET", "jobs/unknown?extProps=true&holds=true&f=json"),
        admin.call("POST", "jobTemplates/unknown/job", json={}),
        admin.call("POST", "diagrams", content=b"{", headers=_json(admin)),
        outsider.call("DELETE", "diagrams/unknown"),
        admin.client.get("/sharing/rest/content/items/unknown"),
    ):
        found = response.json()["error"]
        assert isinstance(found["message"], str)
        assert isinstance(found["code"], int)
        assert all(isinstance(line, str) for line in found["details"])


def _json(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.token()}", "Content-Type": "application/json"}


def test_trap_03_no_refusal_has_a_status_that_is_repeated(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    for response in (
        admin.call("POST", f"jobs/{job_id}/comments", json={"comment": "x" * MAX_BODY_BYTES}),
        admin.call(
            "POST", f"jobs/{job_id}/attachments", files={"attachment": ("a", b"x" * (MAX_ATTACHMENT_BYTES + 1))}
        ),
        admin.call("POST", f"jobTemplates/{two_steps}/job", json={"numberOfJobs": 10**9}),
        admin.call("PUT", "lookups/status", json={"lookups": []}),
        admin.call("DELETE", "lookups/status"),
    ):
        assert response.status_code not in REPEATED
        error(response)


def test_trap_04_a_refused_request_that_is_repeated_without_its_token_is_told_to_log_in(
    viewer: Person, admin: Person, still: Scene
) -> None:
    """With a password login the second answer is what its user sees; that it is not done is all that can be had."""
    path = f"jobTemplates/{still.thing('jobTemplateId')}/job"
    before = admin.post("jobs/statistics", {"q": "closed=0"})
    assert viewer.refused(path, {})["type"] == "PermissionDenied"
    assert error(viewer.call("POST", path, json={}, headers={}), 401)["type"] == "Unauthenticated"
    assert admin.post("jobs/statistics", {"q": "closed=0"}) == before


@pytest.mark.parametrize("words", ["invalid token", "Token required", "INVALID TOKEN"])
def test_trap_05_no_answer_has_the_words_that_a_request_is_repeated_for(
    admin: Person, two_steps: str, words: str
) -> None:
    job_id = admin.job(two_steps, jobName=words)
    answers = [
        admin.call("POST", f"jobTemplates/{two_steps}/job", json={"jobId": words}),
        admin.call("GET", f"jobs/{job_id}"),
        admin.call("POST", "jobs/search", json={"q": f"jobName='{words}'"}),
        admin.call("GET", f"jobs/{words}"),
    ]
    for answer in answers:
        assert words.lower() not in answer.text.lower()
    assert answers[1].json()["jobName"] == words


@pytest.mark.parametrize(
    "write", [write for write in WRITES if write.method in {"PUT", "DELETE"}], ids=lambda write: write.name
)
def test_trap_06_no_answer_is_empty(admin: Person, write: Write) -> None:
    answer = write.send(admin, Scene(admin))
    assert answer.status_code == 200
    assert answer.json().get("success", answer.json().get("found")) is True


def test_trap_07_a_job_has_no_members_that_are_properties_of_the_clients(admin: Person, still: Scene) -> None:
    for query in ("", "?extProps=true&holds=true&f=json"):
        job = admin.get(f"jobs/{still.job(IDLE)}{query}")
        assert not {"attachments", "history", "comments", "location"} & set(job)


def test_trap_08_a_socket_says_connected_and_every_subscribe_is_answered(admin: Person, still: Scene) -> None:
    job_id = still.job(IDLE)
    with admin.watch() as watcher:  # which has heard {"connected": true}
        for job_ids, types in (([job_id], ["JobState"]), ([job_id], ["JobState"]), (["unknown"], ["Error"])):
            watcher.send(msgType="subscribe", jobIds=job_ids, token=admin.token())
            assert [watcher.next()["msgType"] for _ in types] == types


def test_trap_09_an_upload_has_an_alias_and_an_id_although_only_the_file_is_sent(admin: Person, still: Scene) -> None:
    files = {"attachment": ("plan of the site.pdf", b"%PDF")}
    answer = ok(admin.call("POST", f"jobs/{still.job(IDLE)}/attachments", files=files))
    listed = admin.get(f"jobs/{still.job(IDLE)}/attachments")["attachments"][-1]
    assert answer["alias"] == listed["alias"] == "plan of the site.pdf"
    assert answer["url"].rpartition("/")[2] == listed["id"]


def test_trap_10_a_file_comes_as_an_attachment_with_its_name(admin: Person, still: Scene) -> None:
    path = f"jobs/{still.job(IDLE)}/attachments"
    added = ok(admin.call("POST", path, files={"attachment": ("data.json", b"{}")}))
    headers = {"X-Esri-Authorization": f"Bearer {admin.token()}"}
    answer = admin.call("GET", f"{path}/{added['url'].rpartition('/')[2]}?f=json", headers=headers)
    assert answer.headers["content-disposition"] == 'attachment; filename="data.json"'
    assert answer.content == b"{}"


@pytest.mark.parametrize(
    "read", [read for read in READS if read.operation != "getAttachment"], ids=lambda read: read.operation
)
def test_trap_10_and_json_never_does(admin: Person, still: Scene, read: Read) -> None:
    answer = read.send(admin, still)
    assert "content-disposition" not in answer.headers
    assert "json" in answer.headers["content-type"]


def test_trap_11_the_whole_job_may_come_back_without_its_nulls(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps, notes="before")
    admin.acts(job_id, "Hold")
    job = admin.read(job_id)
    echoed = {name: value for name, value in job.items() if value is not None}
    for stripped in ("percentComplete", "parentJob", "extendedProperties", "relatedProperties"):
        echoed.pop(stripped, None)
    assert admin.post(f"jobs/{job_id}/update", echoed | {"notes": "after"}) == {"success": True}
    assert admin.read(job_id) == job | {"notes": "after"}


def test_trap_12_the_server_works_out_the_initial_step(admin: Person) -> None:
    body = {
        "diagramName": fresh("Start"),
        "description": "",
        "active": True,
        "initialStepId": "",
        "initialStepName": "",
        "steps": [{"id": "b", "name": "B"}, {"id": "a", "name": "A", "paths": [{"nextStep": "b"}]}],
        "dataSources": [],
        "annotations": [],
        "displayGrid": True,
    }
    found = admin.get(f"diagrams/{admin.post('diagrams', body)['diagramId']}")
    assert (found["initialStepId"], found["initialStepName"]) == ("a", "A")
    found |= {"annotations": "", "active": True, "initialStepId": "", "initialStepName": ""}
    assert admin.post(f"diagrams/{found['diagramId']}", {"deleteDraft": True, "diagram": found})["success"] is True


def test_trap_13_a_job_is_not_overdue_at_birth(admin: Person) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    template = admin.made(
        [{"id": "a"}], defaultDueDate=now, defaultStartDate=now, lastUpdatedDate=now, jobStartDateType="CreationDate"
    )
    job = admin.read(admin.job(template))
    assert "dueDate" not in job
    assert job["startDate"] == job["createdDate"]


# ---------------------------------------------------------------- 2 and 4: what is on its requests


def test_requests_as_it_sends_them_are_taken(admin: Person, still: Scene) -> None:
    """``X-Esri-Authorization``; ``f=json`` in the query of a GET and in the body of evaluateArcade; forms; no body."""
    headers = {
        "X-Esri-Authorization": f"Bearer {admin.token()}",
        "Referer": "http",
        "User-Agent": "Geosaurus/2.4.4",
        "Accept": "*/*",
    }
    job_id, attachment = still.job(IDLE), still.attachment(IDLE)
    for method, path, options in (
        ("GET", f"jobs/{job_id}?extProps=true&holds=true&f=json", {}),
        ("POST", f"jobs/{job_id}/attachments/{attachment}", {"data": {"alias": "renamed"}}),
        ("POST", "evaluateArcade", {"json": {"expression": "1", "context": None, "f": "json"}}),
        ("POST", f"jobs/{job_id}/action", {"json": {"type": "Run", "stepIds": None}}),
        ("DELETE", f"jobs/{job_id}/attachments/{attachment}", {}),
    ):
        more: Any = options
        ok(admin.call(method, path, headers=headers, **more))


def test_an_update_of_a_stored_template_is_sent_back_as_it_was_read(admin: Person, still: Scene) -> None:
    path = f"templates/email/{still.thing('templateId')}"
    stored = admin.get(path)
    changed = stored | {"templateDetails": json.dumps(json.loads(stored["templateDetails"]) | {"subject": "new"})}
    assert admin.put(path, changed) == {"success": True}
    assert admin.get(path) == changed
