"""Every operation that only reads: where it is, and what it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.conformance.people import Person
from tests.conformance.scene import IDLE, Ids, Scene


@dataclass(frozen=True, slots=True)
class Read:
    """One call that reads something.

    Args:
        operation: its name in ``rows.py``.
        path: below the item, with the wire's words for its segments.
        body: makes the JSON of a POST; None: it is a GET.
        status: of that error.
        needs: whether a privilege is needed.
        missing: the error's type, when the thing that the path or the body names is not there; None: it names none.
        flags: switches of the query.
    """

    operation: str
    path: str
    missing: str | None = None
    body: Callable[[Ids], Any] | None = None
    needs: bool = False
    flags: tuple[str, ...] = ()
    status: int = 404

    def send(self, person: Person, scene: Scene, suffix: str = "", **options: Any) -> Any:
        """Send it; ``ids`` among the options replaces some of them. Returns the response."""
        ids = scene.of(IDLE, **options.pop("ids", {}))
        if self.body is not None:
            options.setdefault("json", self.body(ids))
        return person.call("GET" if self.body is None else "POST", self.path.format_map(ids) + suffix, **options)


_JOB: Final = "JobNotFound"

READS: Final = (
    Read("getJob", "jobs/{jobId}", _JOB, flags=("extProps", "holds")),
    Read("getAllowedActions", "jobs/{jobId}/allowedActions", _JOB),
    Read("searchJobs", "jobs/search", body=lambda ids: {"q": f"jobId='{ids['jobId']}'"}),
    Read("jobStatistics", "jobs/statistics", body=lambda _: {"q": "closed=0"}),
    Read("getJobDiagram", "jobs/{jobId}/diagram", _JOB),
    Read("getHistory", "jobs/{jobId}/history", _JOB),
    Read("getComments", "jobs/{jobId}/comments", _JOB),
    Read("getAttachments", "jobs/{jobId}/attachments", _JOB),
    Read("getAttachment", "jobs/{jobId}/attachments/{attachmentId}", "AttachmentNotFound"),
    Read("getJobLocation", "jobs/{jobId}/location", _JOB),
    Read("getDiagrams", "diagrams"),
    Read("checkDiagram", "checkDiagram", body=lambda _: {"diagramName": "Checked", "steps": [{"id": "a"}]}, needs=True),
    Read("getDiagram", "diagrams/{diagramId}", "DiagramNotFound"),
    Read("getDiagramVersion", "diagrams/{diagramId}/{diagramVersion}", "DiagramNotFound"),
    Read("getUpgradedDiagram", "diagrams/{diagramId}/{diagramVersion}/upgraded", "DiagramNotFound", needs=True),
    Read("getJobTemplates", "jobTemplates"),
    Read("getJobTemplate", "jobTemplates/{jobTemplateId}", "JobTemplateNotFound"),
    Read("getJobTemplateShareDetails", "jobTemplates/{jobTemplateId}/shareWith", "JobTemplateNotFound", needs=True),
    Read(
        "getJobTemplateAutomations", "jobTemplates/{jobTemplateId}/automatedCreation", "JobTemplateNotFound", needs=True
    ),
    Read(
        "getJobTemplateAutomationDetails",
        "jobTemplates/{jobTemplateId}/automatedCreation/{automationId}",
        "AutomationNotFound",
        needs=True,
        status=400,
    ),
    Read("getTableDefinitions", "tableDefinitions", needs=True),
    Read(
        "evaluateArcade",
        "evaluateArcade",
        _JOB,
        body=lambda ids: {
            "expression": "JobName($job)",
            "contextType": "JobContext",
            "context": {"jobId": ids["jobId"]},
        },
    ),
    Read("getSettings", "settings", flags=("includeSystemSettings",)),
    Read("getLookups", "lookups/{lookupType}", "LookupNotFound"),
    Read("getTemplates", "templates/{templateType}"),
    Read("getTemplate", "templates/{templateType}/{templateId}", "TemplateNotFound"),
    Read("getSavedSearches", "searches"),
    Read("getSavedSearchShareDetails", "searches/{searchId}/shareWith", "SearchNotFound", needs=True),
    Read("getWebhookConnections", "webhookConnections", needs=True, status=400),
    Read(
        "getWebhookConnection",
        "webhookConnections/{connectionId}",
        "WebhookConnectionNotFound",
        needs=True,
        status=400,
    ),
    Read("getUsers", "community/users"),
    Read("getUser", "community/users/{username}", "UserNotFound"),
    Read("getGroups", "community/groups"),
    Read("getGroup", "community/groups/{groupId}", "GroupNotFound"),
    Read("getRoles", "community/roles"),
    Read("getRole", "community/roles/{roleName}", "RoleNotFound"),
    Read("getItem", ""),
)
