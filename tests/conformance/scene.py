"""Something of everything, for tests that try each operation: ids for the segments of the routes."""

import json
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Scene:
    """One of each thing of the first item, nothing of it used by another but where that is the point.

    Args:
        ids: by the wire's word for the segment of a path; ``jobId`` and ``attachmentId`` are ``of(job)``'s.
        jobs: their ids, by ``IDLE``, ``RUNNING`` and ``CLOSED``.
        attachments: of each of them one, likewise.
        diagram_name: the name of ``diagramId``, which has two versions and no job.
    """

    ids: dict[str, str]
    jobs: dict[str, str]
    attachments: dict[str, str]
    diagram_name: str

    def of(self, job: str, **others: str) -> dict[str, str]:
        """The ids with those of one of the jobs, some replaced."""
        return self.ids | {"jobId": self.jobs[job], "attachmentId": self.attachments[job]} | others


def make_scene(admin: Person) -> Scene:
    """Make all of it anew."""
    word = fresh("scene")
    diagram = admin.diagram(word, list(STEPS))
    admin.post(f"diagrams/{diagram}", {"diagram": diagram_body(word)})
    template = admin.made(list(STEPS))
    jobs = {kind: admin.job(template) for kind in (IDLE, RUNNING, CLOSED)}
    attachments = {kind: _attached(admin, job_id) for kind, job_id in jobs.items()}
    admin.acts(jobs[RUNNING], "Run")
    ok(admin.call("POST", "jobs/manage", json={"type": "Close", "jobIds": [jobs[CLOSED]]}))
    admin.put(f"lookups/{word}", {"lookups": [{"lookupName": "one", "value": 1}]})
    admin.post(f"community/roles/{word}", {"privileges": []})
    mail = admin.post("templates/email", {"templateName": word, "templateDetails": MAIL})
    search = admin.post("searches", {"name": word, "definition": {"q": "closed=0"}})
    run(admin.client, lambda tx: _add_group(tx, word))
    spare = admin.made(list(STEPS))
    automations = admin.post(f"jobTemplates/{spare}/automatedCreation", {"adds": [automation(word)]})
    ids = {
        "jobTemplateId": spare,
        "automationId": automations["automationIds"][0],
        "stepId": "ask",
        "diagramId": diagram,
        "diagramVersion": "1",
        "lookupType": word,
        "templateType": "email",
        "templateId": mail["templateId"],
        "searchId": search["searchId"],
        "groupId": word,
        "roleName": word,
        "username": "basic",
    }
    return Scene(ids, jobs, attachments, word)


def diagram_body(name: str, **members: Any) -> dict[str, Any]:
    """A WorkflowDiagram."""
    return {"diagramName": name, "displayGrid": True, "active": True, "steps": list(STEPS)} | members


def automation(name: str) -> dict[str, Any]:
    """A scheduled automation that never does anything."""
    details = json.dumps({"timeType": "HourOfDay", "hour": 3, "minutes": 30})
    return {"automationName": name, "automationType": "Scheduled", "enabled": False, "details": details}


def _attached(admin: Person, job_id: str) -> str:
    link = {"attachments": [{"url": "https://example.com/a"}]}
    return str(admin.post(f"jobs/{job_id}/attachmentslinked", link)["attachments"][0]["attachmentId"])


def _add_group(tx: Tx, name: str) -> None:
    tx.add_group(Group(name, name))
