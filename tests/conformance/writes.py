"""Every operation that changes an item, with a call that would be done, and what keeps it from being done.

An outcome is written as the status and the word that says why: ``400 JobNotFound`` is an error object's type,
``200 Held`` the status of an action's step, ``200 JobClosed`` the name of what a manage call refused.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.conformance.people import ADVANCED, Person, fresh
from tests.conformance.rows import rows
from tests.conformance.scene import (
    CLOSED,
    IDLE,
    MAIL,
    RUNNING,
    Ids,
    Scene,
    automation,
    diagram_body,
    webhook_connection,
)

DENIED: Final = "400 PermissionDenied"
NO_JOB: Final = "400 JobNotFound"

JOB_READS: Final = (
    "jobs/{jobId}?extProps=true&holds=true",
    "jobs/{jobId}/comments",
    "jobs/{jobId}/history",
    "jobs/{jobId}/attachments",
    "jobs/{jobId}/location",
)


@dataclass(frozen=True, slots=True)
class Write:
    """One call that changes something.

    Args:
        operation: its name in ``rows.py``.
        method: of the route.
        path: below the item, with the wire's words for its segments.
        body: makes the JSON that is sent; None: nothing is; bytes: a file to upload.
        reads: what shows that nothing has changed.
        variant: tells several calls of one operation apart.
        job: which of the scene's jobs it is done to.
        without: the outcome for a user without any privilege.
        unknown: the outcome when that segment names nothing; a segment that may name something new has none.
        foreign: the outcome in the other item; None: as for something unknown.
        closed, running: the outcome on a closed job, on one that runs; None: it makes no difference.
    """

    operation: str
    method: str
    path: str
    body: Callable[[Ids], Any] | None
    reads: tuple[str, ...]
    variant: str = ""
    job: str = IDLE
    without: str = DENIED
    unknown: Mapping[str, str] = field(default_factory=dict)
    foreign: str | None = None
    closed: str | None = None
    running: str | None = None

    @property
    def name(self) -> str:
        return f"{self.operation} {self.variant}".strip()

    def prepare(self, ids: Ids) -> None:
        """Let all be made that it needs."""
        self.path.format_map(ids)
        if self.body:
            self.body(ids)

    def send(self, person: Person, scene: Scene, job: str | None = None, **options: Any) -> Any:
        """Send it; the options may have ``ids`` in place of the scene's, a ``suffix`` of the path, and what the body is
        changed by (``change``). Returns the response."""
        ids = scene.of(job or self.job, **options.pop("ids", {}))
        path = self.path.format_map(ids) + options.pop("suffix", "")
        change = options.pop("change", dict)
        body = self.body(ids) if self.body else None
        if isinstance(body, bytes):
            options |= {"files": {"attachment": ("a.txt", body)}, "data": _texts(change({}))}
        elif body is not None:
            options["json"] = change(body)
        return person.call(self.method, path, **options)


def _texts(members: Mapping[str, Any]) -> dict[str, str]:
    """Those that a form can have."""
    return {name: value for name, value in members.items() if isinstance(value, str)}


def outcome(response: Any) -> str:
    """What a response comes to, as above."""
    body = response.json()
    if "error" in body:
        word = body["error"]["type"]
    elif "stepResponses" in body:
        word = body["stepResponses"][0]["status"]
    else:
        word = body.get("name") or ("Success" if body.get("success", True) else "Refused")
    return f"{response.status_code} {word}"


# ---------------------------------------------------------------- jobs


def _job(operation: str, method: str, path: str, body: Any, **members: Any) -> Write:
    members.setdefault("unknown", {"jobId": NO_JOB})
    return Write(operation, method, path, body, JOB_READS, **members)


def _action(kind: str, **members: Any) -> Write:
    more = members.pop("more", {})
    return _job(
        "jobAction",
        "POST",
        "jobs/{jobId}/action",
        lambda _: {"type": kind} | more,
        variant=kind,
        closed="200 JobClosed",
        **members,
    )


def _manage(kind: str, **members: Any) -> Write:
    return Write(
        "manageJobs",
        "POST",
        "jobs/manage",
        lambda ids: {"type": kind, "jobIds": [ids["jobId"]]},
        ("jobs/{jobId}?holds=true", "jobs/{jobId}/history"),
        variant=kind,
        **members,
    )


def _updates() -> Iterator[Write]:
    """One for each privilege."""
    values: dict[str, Any] = {
        "jobName": "new",
        "startDate": "2026-01-01T00:00:00Z",
        "dueDate": "2036-01-01T00:00:00Z",
        "priority": "High",
        "description": "new",
        "ownedBy": ADVANCED,
        "percentComplete": 50,
        "jobStatus": "Pending",
        "notes": "new",
        "versions": [{"dataSourceName": "Roads", "versionName": "mine"}],
    }
    for member, value in values.items():
        yield _job(
            "updateJob",
            "POST",
            "jobs/{jobId}/update",
            lambda _, sent=(member, value): dict([sent]),
            variant=member,
            closed="400 JobClosed",
            running="400 JobRunning",
        )
    yield _job(
        "updateJob",
        "POST",
        "jobs/{jobId}/update",
        lambda ids: {"parentJob": ids["closedJobId"]},
        variant="parentJob",
        running="400 JobRunning",
    )


def _attachment(operation: str, method: str, path: str, body: Any, **members: Any) -> Write:
    return _job(operation, method, path, body, closed="400 JobClosed", **members)


_ON_JOBS: Final = (
    Write(
        "createJobs",
        "POST",
        "jobTemplates/{jobTemplateId}/job",
        lambda _: {"jobName": fresh("Created")},
        (),
        unknown={"jobTemplateId": "400 JobTemplateNotFound"},
    ),
    *_updates(),
    _action("Run", without="200 AssignedToDifferentUser", running="200 WaitingForInfo"),
    _action("Finish", without="200 AssignedToDifferentUser"),
    _action("Stop", job=RUNNING, without="200 AssignedToDifferentUser"),
    _action("SetCurrentStep", more={"stepIds": ["ask"]}, running="200 AlreadyExecuting"),
    _action("Hold", running="200 AlreadyExecuting"),
    _action("ReleaseHold"),
    _action("RefreshStatus", job=RUNNING, without="200 AssignedToDifferentUser"),
    _manage("Close", running="200 JobRunning"),
    _manage("Reopen", job=CLOSED),
    _manage("Delete", running="200 JobRunning"),
    _manage("Upgrade", running="200 JobRunning", closed="200 JobClosed"),
    _job(
        "answerStep",
        "POST",
        "jobs/{jobId}/steps/{stepId}/response",
        lambda _: {"manualResponse": True},
        job=RUNNING,
        without="400 not_allowed",
        unknown={"jobId": NO_JOB, "stepId": "400 not_waiting"},
        closed="400 not_waiting",
    ),
    _job(
        "assignStep",
        "POST",
        "jobs/{jobId}/{stepId}",
        lambda _: {"assignedType": "User", "assignedTo": ADVANCED},
        unknown={"jobId": NO_JOB, "stepId": "400 StepNotCurrent"},
        closed="400 JobClosed",
        running="400 StepRunning",
    ),
    _job("addComment", "POST", "jobs/{jobId}/comments", lambda _: {"comment": "x"}, without=""),
    _attachment("addAttachment", "POST", "jobs/{jobId}/attachments", lambda _: b"file"),
    _attachment(
        "addLinkedAttachments",
        "POST",
        "jobs/{jobId}/attachmentslinked",
        lambda _: {"attachments": [{"url": "https://example.com/b"}]},
    ),
    _attachment(
        "updateAttachment",
        "POST",
        "jobs/{jobId}/attachments/{attachmentId}",
        lambda _: {"alias": "new"},
        unknown={"jobId": NO_JOB, "attachmentId": "400 AttachmentNotFound"},
    ),
    _attachment(
        "deleteAttachment",
        "DELETE",
        "jobs/{jobId}/attachments/{attachmentId}",
        None,
        unknown={"jobId": NO_JOB, "attachmentId": "400 AttachmentNotFound"},
    ),
    _job(
        "setJobLocation",
        "PUT",
        "jobs/{jobId}/location",
        lambda _: {"location": {"geometryType": "Multipoint", "geometry": '{"points": [[1, 1]]}'}},
        closed="400 JobClosed",
    ),
)


# ---------------------------------------------------------------- what is set up


def _set_up(
    operation: str,
    method: str,
    path: str,
    body: Any,
    *reads: str,
    unknown: dict[str, str] | None = None,
    **members: Any,
) -> Write:
    return Write(operation, method, path, body, reads, unknown=unknown or {}, **members)


_NO_DIAGRAM: Final = {"diagramId": "404 DiagramNotFound"}
_NO_TEMPLATE: Final = {"jobTemplateId": "400 JobTemplateNotFound"}
_NO_STORED: Final = {"templateId": "400 TemplateNotFound"}
_NO_SEARCH: Final = {"searchId": "400 SearchNotFound"}


def _template(ids: Ids) -> dict[str, Any]:
    return {
        "jobTemplateName": fresh("Template"),
        "diagramId": ids["diagramId"],
        "diagramName": "",
        "defaultPriorityName": "Low",
        "state": "Draft",
    }


_ON_ITEMS: Final = (
    _set_up("createDiagram", "POST", "diagrams", lambda _: diagram_body(fresh("Diagram")), "diagrams"),
    _set_up(
        "updateDiagram",
        "POST",
        "diagrams/{diagramId}",
        lambda ids: {"diagram": diagram_body(ids["name"])},
        "diagrams",
        "diagrams/{diagramId}",
        unknown={"diagramId": "400 DiagramNotFound"},
    ),
    _set_up("deleteDiagram", "DELETE", "diagrams/{diagramId}", None, "diagrams", unknown=_NO_DIAGRAM),
    _set_up(
        "deleteDiagramVersion",
        "DELETE",
        "diagrams/{diagramId}/{diagramVersion}",
        None,
        "diagrams/{diagramId}/1",
        unknown=_NO_DIAGRAM | {"diagramVersion": "404 DiagramNotFound"},
    ),
    _set_up("createJobTemplate", "POST", "jobTemplates", _template, "jobTemplates"),
    _set_up(
        "updateJobTemplate",
        "PUT",
        "jobTemplates/{jobTemplateId}",
        _template,
        "jobTemplates/{jobTemplateId}",
        unknown=_NO_TEMPLATE,
    ),
    _set_up("deleteJobTemplate", "DELETE", "jobTemplates/{jobTemplateId}", None, "jobTemplates", unknown=_NO_TEMPLATE),
    _set_up(
        "shareJobTemplate",
        "POST",
        "jobTemplates/{jobTemplateId}/shareWith",
        lambda _: {"groupIds": [ADVANCED]},
        "jobTemplates/{jobTemplateId}/shareWith",
        unknown=_NO_TEMPLATE,
    ),
    _set_up(
        "updateJobTemplateAutomations",
        "POST",
        "jobTemplates/{jobTemplateId}/automatedCreation",
        lambda _: {"adds": [automation(fresh("Automation"))]},
        "jobTemplates/{jobTemplateId}/automatedCreation",
        unknown=_NO_TEMPLATE,
    ),
    _set_up(
        "updateSettings",
        "POST",
        "settings",
        lambda _: {"settings": [{"propName": fresh("own"), "value": "x"}]},
        "settings",
    ),
    _set_up(
        "updateLookups",
        "PUT",
        "lookups/{lookupType}",
        lambda _: {"lookups": [{"lookupName": "new", "value": 9}]},
        "lookups/{lookupType}",
    ),
    _set_up(
        "deleteLookups",
        "DELETE",
        "lookups/{lookupType}",
        None,
        "lookups/{lookupType}",
        unknown={"lookupType": "400 LookupNotFound"},
    ),
    _set_up(
        "createTemplate",
        "POST",
        "templates/{templateType}",
        lambda _: {"templateName": fresh("Mail"), "templateDetails": MAIL},
        "templates/{templateType}",
    ),
    _set_up(
        "updateTemplate",
        "PUT",
        "templates/{templateType}/{templateId}",
        lambda _: {"templateName": fresh("Mail"), "templateDetails": MAIL},
        "templates/{templateType}/{templateId}",
        unknown=_NO_STORED | {"templateType": "400 TemplateNotFound"},
    ),
    _set_up(
        "deleteTemplate",
        "DELETE",
        "templates/{templateType}/{templateId}",
        None,
        "templates/{templateType}/{templateId}",
        unknown=_NO_STORED | {"templateType": "400 TemplateNotFound"},
    ),
    _set_up(
        "createSavedSearch",
        "POST",
        "searches",
        lambda _: {"name": fresh("Search"), "definition": {"q": "closed=0"}},
        "searches?searchType=All",
    ),
    _set_up(
        "updateSavedSearch",
        "PUT",
        "searches/{searchId}",
        lambda _: {"name": fresh("Search"), "definition": {"q": "closed=1"}},
        "searches?searchType=All",
        unknown=_NO_SEARCH,
    ),
    _set_up("deleteSavedSearch", "DELETE", "searches/{searchId}", None, "searches?searchType=All", unknown=_NO_SEARCH),
    _set_up(
        "shareSavedSearch",
        "POST",
        "searches/{searchId}/shareWith",
        lambda _: {"groupIds": [ADVANCED]},
        "searches/{searchId}/shareWith",
        unknown=_NO_SEARCH,
    ),
    _set_up(
        "updateGroup",
        "POST",
        "community/groups/{groupId}",
        lambda _: {"adds": {"roles": ["View Jobs"]}},
        "community/groups/{groupId}",
        "community/groups",
        unknown={"groupId": "400 GroupNotFound"},
        foreign="200 Success",  # groups are the portal's: it has got a role in the other item
    ),
    _set_up(
        "updateRole",
        "POST",
        "community/roles/{roleName}",
        lambda _: {"privileges": ["jobCreate"]},
        "community/roles/{roleName}",
        "community/roles",
    ),
    _set_up("deleteRole", "DELETE", "community/roles/{roleName}", None, "community/roles"),
)

_NO_CONNECTION: Final = {"connectionId": "400 WebhookConnectionNotFound"}

_ON_CONNECTIONS: Final = (
    _set_up(
        "createWebhookConnection",
        "POST",
        "webhookConnections",
        lambda _: webhook_connection(fresh("Parcels")),
        "webhookConnections",
    ),
    _set_up(
        "updateWebhookConnection",
        "PUT",
        "webhookConnections/{connectionId}",
        lambda _: webhook_connection(fresh("Parcels")),
        "webhookConnections/{connectionId}",
        unknown=_NO_CONNECTION,
    ),
    _set_up(
        "deleteWebhookConnection",
        "DELETE",
        "webhookConnections/{connectionId}",
        None,
        "webhookConnections",
        unknown=_NO_CONNECTION,
    ),
)

WRITES: Final = (*_ON_JOBS, *_ON_ITEMS, *_ON_CONNECTIONS)

ONE_OF_EACH: Final = tuple({write.operation: write for write in reversed(WRITES)}.values())[::-1]
"""The first call of each operation: enough where it is decided before the body is looked at."""

_LETS: Final[Mapping[str, Mapping[str, str]]] = {
    "updateJob": {
        "jobName": "jobUpdateName",
        "startDate": "jobUpdateDate",
        "dueDate": "jobUpdateDate",
        "priority": "jobUpdatePriority",
        "description": "jobUpdateDescription",
        "ownedBy": "jobUpdateOwner",
        "percentComplete": "jobUpdatePercentComplete",
        "jobStatus": "jobUpdateStatus",
        "notes": "jobUpdateNotes",
        "versions": "jobUpdateVersions",
        "parentJob": "jobUpdateParentJob",
    },
    "manageJobs": {"Close": "jobClose", "Reopen": "jobReopenClosed", "Delete": "jobDelete", "Upgrade": "jobUpgrade"},
    "jobAction": {
        "SetCurrentStep": "workflowSetStepCurrent",
        "Hold": "jobUpdateHolds",
        "ReleaseHold": "jobUpdateHolds",
    },
}
"""Of operations whose calls need different privileges: which one, by the variant."""


def lets(write: Write) -> frozenset[str]:
    """The privileges any one of which lets it be done; none where the step's assignment counts, or any role does."""
    if write.operation in _LETS:
        return frozenset(_LETS[write.operation].get(write.variant, "").split())
    (row,) = [row for row in rows() if row.operation == write.operation]
    return frozenset(row.privileges)


ELSEWHERE: Final[Mapping[str, str]] = {
    "receiveWebhook": "test_section_12_webhook_connections.py::"
    "test_receive_webhook_takes_what_is_signed_with_the_secret",
    "answerWebhookChallenge": "test_section_12_webhook_connections.py::test_answer_webhook_challenge_signs_the_token",
    "executeAutomationWebHook": "test_section_07_automation.py::test_the_header_must_carry_the_secret",
}
"""Operations of an item that fit in neither table, and the test that tries them instead."""
