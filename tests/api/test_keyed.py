"""``Idempotency-Key``: every POST that comes twice is carried out once and answered the same."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from app.auth.signatures import SIGNATURE_HEADER, signature_of
from app.services.ports import Tx
from tests.api.conftest import Api, error, ok
from tests.support import deadline, eventually

_numbers = count(1)


@dataclass(frozen=True)
class Event:
    """A body that is signed instead of sent with a token."""

    content: bytes

    @property
    def headers(self) -> dict[str, str]:
        return {SIGNATURE_HEADER: signature_of("s3cret", self.content)}


def keyed(api: Api, path: str, key: str, more: dict[str, str] | None = None, **options: Any) -> Any:
    headers = {"Authorization": f"Bearer {api.token()}", "Idempotency-Key": key, "X-Hook": "s3cret"} | (more or {})
    return api.call("POST", path, headers=headers, **options)


def fresh() -> str:
    return f"key {next(_numbers)}"


@dataclass
class Scene:
    """What the requests below are about."""

    template: str
    job: str
    asking: str
    attachment: str
    diagram: str
    search: str
    webhook: str
    connection: str


@pytest.fixture
def scene(api: Api, manual: str, question: str) -> Scene:
    asking = api.job(question)
    api.action(asking, "Run")
    job = api.job(manual)
    link = {"attachments": [{"url": "https://example.com/a", "alias": "a"}]}
    attachment = api.post(f"jobs/{job}/attachmentslinked", link)["attachments"][0]["attachmentId"]
    diagram = api.get(f"jobTemplates/{manual}")["diagramId"]
    search = api.post("searches", {"name": "Any", "definition": {"q": "closed=0"}})["searchId"]
    details = '{"headerSecret": {"key": "X-Hook", "value": "s3cret"}}'
    adds = [{"automationName": "Hook", "automationType": "Webhook", "enabled": True, "details": details}]
    (webhook,) = api.post(f"jobTemplates/{manual}/automatedCreation", {"adds": adds})["automationIds"]
    connection = api.post("webhookConnections", _connection("Parcels"))["connectionId"]
    return Scene(manual, job, asking, attachment, diagram, search, webhook, connection)


def _connection(name: str) -> dict[str, Any]:
    return {
        "connectionName": name,
        "itemId": "parcels",
        "webhookType": "FeatureService",
        "secret": "s3cret",
        "enabled": True,
        "manageWebhook": False,
    }


def _diagram(name: str) -> dict[str, Any]:
    return {"diagramName": name, "displayGrid": True, "active": True, "steps": [{"id": "a"}]}


def _template(scene: Scene, name: str) -> dict[str, Any]:
    return {
        "jobTemplateName": name,
        "diagramId": scene.diagram,
        "diagramName": "",
        "defaultPriorityName": "Low",
        "state": "Draft",
        "defaultAssignedType": "Unassigned",
    }


def _schedule(name: str) -> dict[str, Any]:
    details = '{"timeType": "MonthOfYear", "month": 12}'
    return {"automationName": name, "automationType": "Scheduled", "enabled": False, "details": details}


Sample = tuple[str, Any, Any]
"""A path, a body, and another body."""

SAMPLES: dict[str, Callable[[Scene, str], Sample]] = {
    "jobs/{jobId}/action": lambda s, _: (f"jobs/{s.job}/action", {"type": "Run"}, {"type": "Finish"}),
    "jobs/manage": lambda s, _: (
        "jobs/manage",
        {"type": "Close", "jobIds": [s.job]},
        {"type": "Reopen", "jobIds": [s.job]},
    ),
    "jobs/{jobId}/update": lambda s, name: (f"jobs/{s.job}/update", {"jobName": name}, {"jobName": "other"}),
    "jobs/{jobId}/comments": lambda s, _: (f"jobs/{s.job}/comments", {"comment": "one"}, {"comment": "two"}),
    "jobs/{jobId}/attachments": lambda s, _: (f"jobs/{s.job}/attachments", b"one", b"two"),
    "jobs/{jobId}/attachmentslinked": lambda s, _: (
        f"jobs/{s.job}/attachmentslinked",
        {"attachments": [{"url": "https://example.com/1"}]},
        {"attachments": [{"url": "https://example.com/2"}]},
    ),
    "jobs/{jobId}/attachments/{attachmentId}": lambda s, _: (
        f"jobs/{s.job}/attachments/{s.attachment}",
        {"alias": "b"},
        {"alias": "c"},
    ),
    "jobs/{jobId}/steps/{stepId}/response": lambda s, _: (
        f"jobs/{s.asking}/steps/ask/response",
        {"questionResponse": 1},
        {"questionResponse": 0},
    ),
    "jobs/{jobId}/{stepId}": lambda s, _: (
        f"jobs/{s.job}/currentStep",
        {"assignedType": "User", "assignedTo": "worker"},
        {"assignedType": "Unassigned"},
    ),
    "checkDiagram": lambda _, name: ("checkDiagram", _diagram(name), _diagram(f"{name} b")),
    "diagrams": lambda _, name: ("diagrams", _diagram(name), _diagram(f"{name} b")),
    "diagrams/{diagramId}": lambda s, _: (
        f"diagrams/{s.diagram}",
        {"diagram": {**_diagram("Two manual steps"), "active": False}},
        {"diagram": {**_diagram("Two manual steps"), "active": False, "description": "b"}},
    ),
    "jobTemplates": lambda s, name: ("jobTemplates", _template(s, name), _template(s, f"{name} b")),
    "jobTemplates/{jobTemplateId}/job": lambda s, _: (
        f"jobTemplates/{s.template}/job",
        {"numberOfJobs": 2},
        {"numberOfJobs": 1},
    ),
    "jobTemplates/{jobTemplateId}/shareWith": lambda s, _: (
        f"jobTemplates/{s.template}/shareWith",
        {"groupIds": []},
        {"groupIds": ["workers"]},
    ),
    "jobTemplates/{jobTemplateId}/automatedCreation": lambda s, name: (
        f"jobTemplates/{s.template}/automatedCreation",
        {"adds": [_schedule(name)]},
        {"adds": [_schedule(f"{name} b")]},
    ),
    "jobTemplates/{jobTemplateId}/automatedCreation/{automationId}/executeWebhook": lambda s, _: (
        f"jobTemplates/{s.template}/automatedCreation/{s.webhook}/executeWebhook",
        {"event": 1},
        {"event": 2},
    ),
    "jobs/search": lambda _, __: ("jobs/search", {"q": "closed=0"}, {"q": "closed=1"}),
    "jobs/statistics": lambda _, __: ("jobs/statistics", {"q": "closed=0"}, {"q": "closed=1"}),
    "searches": lambda _, name: (
        "searches",
        {"name": name, "definition": {"q": "closed=0"}},
        {"name": name, "definition": {"q": "closed=1"}},
    ),
    "searches/{searchId}/shareWith": lambda s, _: (
        f"searches/{s.search}/shareWith",
        {"groupIds": []},
        {"groupIds": ["workers"]},
    ),
    "community/groups/{groupId}": lambda _, __: (
        "community/groups/workers",
        {"adds": {"roles": ["Worker"]}},
        {"adds": {"roles": []}},
    ),
    "community/roles/{roleName}": lambda _, __: (
        "community/roles/Keyed",
        {"privileges": ["jobCreate"]},
        {"privileges": []},
    ),
    "evaluateArcade": lambda _, __: ("evaluateArcade", {"expression": "1 + 1"}, {"expression": "2"}),
    "settings": lambda _, name: (
        "settings",
        {"settings": [{"propName": "keyed", "value": name}]},
        {"settings": [{"propName": "keyed", "value": "other"}]},
    ),
    "webhookConnections": lambda _, name: ("webhookConnections", _connection(name), _connection(f"{name} b")),
    "webhookConnections/{connectionId}/executeWebhook": lambda s, _: (
        f"webhookConnections/{s.connection}/executeWebhook",
        Event(b"[]"),
        Event(b"[{}]"),
    ),
    "templates/{templateType}": lambda _, name: (
        "templates/chart",
        {"templateName": name, "templateDetails": "a"},
        {"templateName": name, "templateDetails": "b"},
    ),
}
"""For every POST of the workflow API; ``test_routes.py`` sees to it."""


def body_of(body: Any) -> dict[str, Any]:
    if isinstance(body, Event):
        return {"content": body.content, "more": body.headers}
    return {"files": {"attachment": ("a.txt", body)}} if isinstance(body, bytes) else {"json": body}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_post_is_carried_out_once_for_each_key(api: Api, scene: Scene, name: str) -> None:
    path, body, other = SAMPLES[name](scene, fresh())
    key = fresh()
    first = keyed(api, path, key, **body_of(body))
    ok(first)
    again = keyed(api, path, key, **body_of(body))
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert error(keyed(api, path, key, **body_of(other)), 422)["type"] == "KeyReused"


def test_a_job_is_created_once(api: Api, manual: str) -> None:
    """The next one's number tells how many there are."""
    key = fresh()
    created = [ok(keyed(api, f"jobTemplates/{manual}/job", key, json={}))["jobIds"] for _ in range(3)]
    assert created[0] == created[1] == created[2]
    number = int(api.get(f"jobs/{created[0][0]}")["jobName"].rpartition("_")[2])
    assert api.get(f"jobs/{api.job(manual)}")["jobName"] == f"JOB_{number + 1}"


def test_a_file_is_attached_once_and_the_bytes_that_came_again_are_not_kept(api: Api, scene: Scene) -> None:
    key, path = fresh(), f"jobs/{scene.job}/attachments"
    for _ in range(2):
        ok(keyed(api, path, key, files={"attachment": ("a.txt", b"text")}))
    assert [each["fileName"] for each in api.get(path)["attachments"] if each.get("fileName")] == ["a.txt"]
    assert api.client.portal is not None
    api.client.portal.call(api.gateway.files.sweep)
    loose = api.client.portal.call(api.gateway.engine.store.read, lambda tx: tx.loose_blobs(tx.now_ms() + 10**9))
    assert loose == []


def test_a_key_is_its_users_and_its_paths(api: Api, worker: Api, scene: Scene, manual: str) -> None:
    key, path = fresh(), f"jobTemplates/{manual}/job"
    mine = ok(keyed(api, path, key, json={}))
    assert ok(keyed(worker, path, key, json={})) != mine
    other = api.job(manual)
    for job_id in (scene.job, other):
        ok(keyed(api, f"jobs/{job_id}/comments", key, json={"comment": "x"}))
    assert len(api.get(f"jobs/{other}/comments")["jobComments"]) == 1


def test_whoever_has_no_access_gets_no_answer_again(api: Api, outsider: Api, manual: str) -> None:
    key, path = fresh(), f"jobTemplates/{manual}/job"
    ok(keyed(api, path, key, json={}))
    error(keyed(outsider, path, key, json={}), 403)


def test_a_refusal_is_judged_anew(api: Api, manual: str) -> None:
    key, job_id = fresh(), f"later-{next(_numbers)}"
    path = f"jobs/{job_id}/comments"
    assert error(keyed(api, path, key, json={"comment": "x"}))["type"] == "JobNotFound"
    api.job(manual, jobId=job_id)
    assert ok(keyed(api, path, key, json={"comment": "x"}))["commentId"]


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb", "\xe9"])
def test_a_key_that_is_none_is_refused_and_nothing_is_done(api: Api, scene: Scene, key: str) -> None:
    headers = [("Authorization", f"Bearer {api.token()}"), ("Idempotency-Key", key.encode("latin-1"))]
    refused = api.call("POST", f"jobs/{scene.job}/comments", headers=headers, json={"comment": "x"})
    assert "1 to 255 printable ASCII characters" in error(refused)["message"]
    assert api.get(f"jobs/{scene.job}/comments")["jobComments"] == []


def test_two_keys_are_none(api: Api, scene: Scene) -> None:
    headers = [("Authorization", f"Bearer {api.token()}"), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    refused = api.call("POST", f"jobs/{scene.job}/comments", headers=headers, json={"comment": "x"})
    assert "send one" in error(refused)["message"]


def test_a_like_of_a_request_in_flight_is_told_to_come_back(api: Api, scene: Scene) -> None:
    """The store's writer is kept busy, so the first one waits for certain while the second one comes."""
    portal = api.client.portal
    assert portal is not None
    begun, may_end = threading.Event(), threading.Event()

    def hold_up(_: Tx) -> None:
        begun.set()
        may_end.wait(deadline(10))

    key, path, body = fresh(), f"jobs/{scene.job}/comments", {"comment": "x"}
    with ThreadPoolExecutor(1) as pool:
        busy = portal.start_task_soon(api.gateway.engine.store.run, hold_up)
        assert begun.wait(deadline(5))
        try:
            first = pool.submit(keyed, api, path, key, json=body)
            portal.call(eventually, lambda: bool(api.gateway.slots_in_flight))
            assert error(keyed(api, path, key, json=body), 409)["type"] == "KeyInFlight"
        finally:
            may_end.set()
        busy.result()
        answer = ok(first.result())
    assert api.gateway.slots_in_flight == set()
    assert ok(keyed(api, path, key, json=body)) == answer
    assert len(api.get(f"jobs/{scene.job}/comments")["jobComments"]) == 1
