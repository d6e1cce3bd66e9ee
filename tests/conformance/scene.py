"""Something of everything, for tests that try each operation: made when asked for, named by a route's segments."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.services.ports import Group, Tx
from tests.api.conftest import ok
from tests.conformance.people import Person, fresh, run

MAIL = json.dumps({"to": ["ann@example.com"], "subject": "s", "body": "b"})
STEPS = (
    {
        "id": "ask",
        "name": "Ask",
        "action": {"actionType": "Manual", "args": {"userPrompt": "Do it"}},
        "proceedNext": True,
        "paths": [{"nextStep": "end"}],
    },
    {"id": "end", "name": "End", "paths": []},
)
IDLE, RUNNING, CLOSED = "idle", "running", "closed"
"""A job whose step ``ask`` has not begun, waits for the administrator, is closed."""

GIVEN = {"stepId": "ask", "diagramVersion": "1", "templateType": "email", "username": "basic"}
"""Segments that need nothing to be made."""


class Ids(dict[str, str]):
    """By the wire's word for the segment of a path; ``jobId`` and ``attachmentId`` are those of one job.

    What is asked for and not there yet is made. Beside the segments there are ``closedJobId``, and ``name``, which all
    that has a name is called by.
    """

    def __init__(self, scene: "Scene", job: str, given: Mapping[str, str]) -> None:
        super().__init__(GIVEN | dict(given))
        self._scene, self._job = scene, job

    def __missing__(self, name: str) -> str:
        if name == "jobId":
            return self._scene.job(self._job)
        if name == "attachmentId":
            return self._scene.attachment(self._job)
        return self._scene.thing(name)


@dataclass
class Scene:
    """One of each thing of the first item, made when it is asked for, and once.

    The diagram has two versions and no job, the template no job, the group no role.
    """

    admin: Person
    word: str = field(default_factory=lambda: fresh("scene"))
    _made: dict[str, str] = field(default_factory=dict)

    def of(self, job: str, **given: str) -> Ids:
        """The ids, with those of one of the jobs, some replaced."""
        return Ids(self, job, given)

    def thing(self, name: str) -> str:
        """The id for a segment."""
        return self._once(name, lambda: _MAKERS[name](self))

    def job(self, kind: str) -> str:
        """The id of one of the jobs."""
        return self._once(f"{kind} job", lambda: self._job(kind))

    def attachment(self, kind: str) -> str:
        """The id of its attachment."""
        self.job(kind)
        return self._made[f"{kind} attachment"]

    def made(self) -> set[str]:
        """All ids so far."""
        return set(self._made.values())

    def _once(self, name: str, make: Callable[[], str]) -> str:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def _job(self, kind: str) -> str:
        job_id = self.admin.job(self._once("used template", lambda: self.admin.made(list(STEPS))))
        link = {"attachments": [{"url": "https://example.com/a"}]}
        (added,) = self.admin.post(f"jobs/{job_id}/attachmentslinked", link)["attachments"]
        self._made[f"{kind} attachment"] = added["attachmentId"]
        if kind == RUNNING:
            self.admin.acts(job_id, "Run")
        if kind == CLOSED:
            ok(self.admin.call("POST", "jobs/manage", json={"type": "Close", "jobIds": [job_id]}))
        return job_id


def _diagram(scene: Scene) -> str:
    diagram = scene.admin.diagram(scene.word, list(STEPS))
    scene.admin.post(f"diagrams/{diagram}", {"diagram": diagram_body(scene.word)})
    return diagram


def _automation(scene: Scene) -> str:
    path = f"jobTemplates/{scene.thing('jobTemplateId')}/automatedCreation"
    return str(scene.admin.post(path, {"adds": [automation(scene.word)]})["automationIds"][0])


def _lookups(scene: Scene) -> str:
    scene.admin.put(f"lookups/{scene.word}", {"lookups": [{"lookupName": "one", "value": 1}]})
    return scene.word


def _role(scene: Scene) -> str:
    scene.admin.post(f"community/roles/{scene.word}", {"privileges": []})
    return scene.word


def _group(scene: Scene) -> str:
    def add(tx: Tx) -> None:
        tx.add_group(Group(scene.word, scene.word))

    run(scene.admin.client, add)
    return scene.word


def _mail(scene: Scene) -> str:
    body = {"templateName": scene.word, "templateDetails": MAIL}
    return str(scene.admin.post("templates/email", body)["templateId"])


def _search(scene: Scene) -> str:
    return str(scene.admin.post("searches", {"name": scene.word, "definition": {"q": "closed=0"}})["searchId"])


def _connection(scene: Scene) -> str:
    return str(scene.admin.post("webhookConnections", webhook_connection(scene.word))["connectionId"])


_MAKERS: Final[Mapping[str, Callable[[Scene], str]]] = {
    "jobTemplateId": lambda scene: scene.admin.made(list(STEPS)),
    "automationId": _automation,
    "diagramId": _diagram,
    "lookupType": _lookups,
    "roleName": _role,
    "groupId": _group,
    "templateId": _mail,
    "searchId": _search,
    "connectionId": _connection,
    "closedJobId": lambda scene: scene.job(CLOSED),
    "name": lambda scene: scene.word,
}
"""How the thing behind a segment is made."""


def diagram_body(name: str, **members: Any) -> dict[str, Any]:
    """A WorkflowDiagram."""
    return {"diagramName": name, "displayGrid": True, "active": True, "steps": list(STEPS)} | members


def automation(name: str) -> dict[str, Any]:
    """A scheduled automation that never does anything."""
    details = json.dumps({"timeType": "HourOfDay", "hour": 3, "minutes": 30})
    return {"automationName": name, "automationType": "Scheduled", "enabled": False, "details": details}


def webhook_connection(name: str) -> dict[str, Any]:
    """A webhook connection that tells no service of itself."""
    return {
        "connectionName": name,
        "itemId": "parcels",
        "webhookType": "FeatureService",
        "secret": "s3cret",
        "enabled": True,
        "manageWebhook": False,
    }
