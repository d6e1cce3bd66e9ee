"""What each REST operation takes and gives: the table that ``openapi.py`` makes a document of.

A route of ``routes.py`` that is not described here, or the other way round, fails a test. The types are those the
handlers decode and encode, so their members are documented where they are written.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from app.api.answers import AnswerTaken
from app.api.configurations import FILE_TYPES
from app.api.health import Readiness, ServingNodes
from app.api.items import ItemDetails, ServerStatus
from app.api.operation import ANY, FLAG, FORM, JSON, TEXT, URL_ENCODED, Either, Extended, Operation
from app.api.problems import RETRY_AFTER_S
from app.api.responses import Success
from app.api.saved_searches import SEARCH_TYPES
from app.api.v3.operations import V3_OPERATIONS, V3_PATH_PARAMETERS
from app.protocol.actions import ActionBody, JobActionResponse
from app.protocol.answers import StepInformation
from app.protocol.arcade import ArcadeAnswer, ArcadeBody
from app.protocol.attachments import (
    AttachmentAddedAnswer,
    AttachmentChange,
    AttachmentFields,
    AttachmentsAnswer,
    LinksAddedAnswer,
    LinksBody,
)
from app.protocol.automations import AutomationDetails, AutomationList, AutomationsBody, AutomationsEdited
from app.protocol.community import (
    Found,
    GroupList,
    GroupRoles,
    GroupUpdate,
    RoleBody,
    RoleList,
    UserList,
    WireRole,
    WorkflowUser,
)
from app.protocol.diagrams import DiagramChecked, DiagramCreated, DiagramList, DiagramUpdated, WireDiagram, WireUpdate
from app.protocol.errors import ErrorBody
from app.protocol.item_setup import (
    LookupsAnswer,
    LookupsBody,
    SettingsAnswer,
    SettingsBody,
    StoredTemplateAnswer,
    StoredTemplateBody,
    StoredTemplateCreated,
    StoredTemplateList,
    StoredTemplateUpdate,
)
from app.protocol.items import CreationStatus, ExportBody, ExportStarted, ImportFields, ItemAnswer, ItemRequest, LogPage
from app.protocol.job_requests import AssignBody, CommentBody, CreateJobsBody, ManageBody, SetLocationBody
from app.protocol.jobs import (
    CommentAddedAnswer,
    CreatedJobsAnswer,
    JobAnswer,
    JobCommentsAnswer,
    JobHistoryAnswer,
    LocationAnswer,
    ManagedJobsAnswer,
)
from app.protocol.permissions import AllowedActionsAnswer
from app.protocol.portal import (
    IssuedToken,
    OwnUser,
    PortalForm,
    PortalGroup,
    PortalInfo,
    PortalItem,
    PortalSelf,
    PortalServers,
    PortalUser,
    PortalVersion,
    SignInForm,
    TokenForm,
)
from app.protocol.saved_searches import SavedSearchBody, SavedSearchCreated, SavedSearchList
from app.protocol.search import SearchAnswer, SearchBody, StatisticsAnswer, StatisticsBody
from app.protocol.tables import TableList
from app.protocol.templates import ShareBody, TemplateCreated, TemplateList, WireTemplate
from app.protocol.update_requests import UpdateJobBody
from app.protocol.upgrading import UpgradedDiagram
from app.protocol.webhooks import (
    Challenge,
    WebhookConnectionAnswer,
    WebhookConnectionBody,
    WebhookConnectionDetails,
    WebhookConnectionList,
)

ITEM: Final = "/{orgId}/{itemId}"
ADMIN: Final = "/{orgId}/admin"
_JOB: Final = f"{ITEM}/jobs/{{jobId}}"
_ATTACHMENT: Final = f"{_JOB}/attachments/{{attachmentId}}"
_DIAGRAM: Final = f"{ITEM}/diagrams/{{diagramId}}"
_TEMPLATE: Final = f"{ITEM}/jobTemplates/{{jobTemplateId}}"
_AUTOMATIONS: Final = f"{_TEMPLATE}/automatedCreation"
_LOOKUPS: Final = f"{ITEM}/lookups/{{lookupType}}"
_STORED: Final = f"{ITEM}/templates/{{templateType}}"
_PEOPLE: Final = f"{ITEM}/community"
_SEARCH: Final = f"{ITEM}/searches/{{searchId}}"

_CONNECTION: Final = f"{ITEM}/webhookConnections/{{connectionId}}"

_DIAGRAM_ANSWER: Final = Extended(
    WireDiagram, {"diagramVersion": {"type": "integer"}, "initialStepName": TEXT, "displayGrid": FLAG}
)
_TEMPLATE_ANSWER: Final = Extended(WireTemplate, {"jobTemplateId": TEXT, "lastUpdatedBy": TEXT})
_ENVELOPE: Final = {
    "type": "object",
    "description": "The answer as it travels over the websocket.",
    "properties": {"msgType": TEXT, "message": StepInformation, "requestId": TEXT},
    "required": ["message"],
}

_LAST_ADMINISTRATOR: Final = "Refused (`LastAdministrator`) where no user would have `adminAdvanced` any more."


_HALF_DONE: Final = (
    "`success` false: done here, and not at the feature service, for the reason in `message`; `name` is "
    "`FailedToCreateManagedWebhook`, `FailedToUpdateManagedWebhook` or `FailedToDeleteManagedWebhook`."
)


def _portal(operation_id: str, summary: str, answer: type, body: type | None = None) -> Operation:
    """An operation of the portal: refusals come with status 200."""
    return Operation(
        operation_id,
        "Portal sign-in",
        summary,
        Either((answer, ErrorBody)),
        body,
        media=(URL_ENCODED,),
        errors=(503,),
        notes="Also below one more segment, as `/portal/sharing/rest`. A refusal is a 200 with an error object.",
    )


PATH_PARAMETERS: Final[Mapping[str, tuple[str, str]]] = {
    **V3_PATH_PARAMETERS,
    "org_id": ("orgId", "`workflow`, or the organisation the item belongs to."),
    "item_id": ("itemId", "The workflow item: 32 hexadecimal digits."),
    "job_id": ("jobId", "The job's id."),
    "attachment_id": ("attachmentId", "The attachment's id."),
    "step_id": ("stepId", "A step's id in the job's diagram."),
    "diagram_id": ("diagramId", "The diagram's id."),
    "version": ("diagramVersion", "1, 2, ...; -1 is the draft."),
    "template_id": ("jobTemplateId", "The job template's id."),
    "automation_id": ("automationId", "The automation's id."),
    "lookup_type": ("lookupType", "`status`, `priority`, `percentComplete`, or a type of one's own."),
    "template_type": ("templateType", "`email`, `webRequest`, or a type of one's own."),
    "context": ("context", "The name a portal is asked by, when not at the server's root."),
    "portal_id": ("portalId", "The portal's id, or `self`."),
    "export_id": ("exportId", "The export's id."),
    "content_id": ("id", "The workflow item: 32 hexadecimal digits."),
    "stored_template_id": ("templateId", "The stored template's id."),
    "search_id": ("searchId", "The saved search's id."),
    "username": ("username", "The user's name."),
    "group_id": ("groupId", "The group's id."),
    "role_name": ("roleName", "The role's name."),
    "connection_id": ("connectionId", "The webhook connection's id."),
}
"""Segments of a path: the route's name to the wire's name and what it is."""

ERRORS: Final[Mapping[int, str]] = {
    400: "Refused: the body or the query is not right, or the rules forbid it. `error.details` names each fault.",
    401: "No token came along, or it is not valid (any more).",
    403: "The user has no role in this workflow item.",
    404: "There is no such item, or no such thing in it.",
    409: "A request with the same `Idempotency-Key` is being carried out; send it again in a moment. In the v3 "
    "dialects: the state of a job is in the way.",
    422: "The `Idempotency-Key` was used with another body; nothing was changed.",
    416: "The range that was asked for begins behind the end of the file.",
    503: f"The database cannot take it now; nothing was changed. Come back after {RETRY_AFTER_S} s (`Retry-After`).",
}
"""What an error status means, whatever the operation."""

OPERATIONS: Final[Mapping[str, Operation]] = {
    **V3_OPERATIONS,
    f"POST {ITEM}/jobTemplates/{{jobTemplateId}}/job": Operation(
        "createJobs",
        "Jobs",
        "Create jobs from an active template, all or none",
        CreatedJobsAnswer,
        CreateJobsBody,
        privilege="`jobCreate`",
    ),
    f"GET {_JOB}": Operation(
        "getJob",
        "Jobs",
        "Read a job",
        JobAnswer,
        query={"extProps": "With its extended properties.", "holds": "With all holds it ever had."},
    ),
    f"POST {_JOB}/update": Operation(
        "updateJob",
        "Jobs",
        "Change members, extended properties and related rows of a job",
        Success,
        UpdateJobBody,
        privilege="for each member that changes its own: `jobUpdateName`, `jobUpdateDate`, `jobUpdatePriority`, "
        "`jobUpdateDescription`, `jobUpdateOwner`, `jobUpdatePercentComplete`, `jobUpdateStatus`, `jobUpdateNotes`, "
        "`jobUpdateParentJob`, `jobUpdateVersions`, `jobUpdateExtendedProperties` (also for related rows)",
        notes="The caller must own the job, have a current step of it, or have `adminAdvanced`. Values that are as "
        "they were count as not sent; members that cannot be changed here are ignored.",
    ),
    f"POST {_JOB}/action": Operation(
        "jobAction",
        "Jobs",
        "Act on steps: Run, Finish, Stop, SetCurrentStep, Hold, ReleaseHold, RefreshStatus",
        JobActionResponse,
        ActionBody,
        privilege="`workflowSetStepCurrent` to set a step, `jobUpdateHolds` for holds; else the step must be one's own",
        notes="The answer is 200 also when steps refuse: `stepResponses` has a status and all reasons for each.",
    ),
    f"GET {_JOB}/allowedActions": Operation(
        "getAllowedActions",
        "Jobs",
        "What may be done with a job and its current steps now",
        AllowedActionsAnswer,
        notes="Ours. Asked of the checks that judge the acts themselves: everything against what is not allowed, and "
        "who or what could lift it. The acts of a step are those of `action`, and `Assign`; those of the job are those "
        "of `manage`.",
    ),
    f"POST {_JOB}/steps/{{stepId}}/response": Operation(
        "answerStep",
        "Jobs",
        "Answer the question of a running step",
        AnswerTaken,
        Either((StepInformation, _ENVELOPE)),
        notes="Ours. The step must be assigned to the caller. A rejected answer is a 400 whose `error.type` is "
        "already_answered, not_waiting, not_allowed or invalid. `stored`: it was taken for good, and is applied later.",
    ),
    f"POST {_JOB}/{{stepId}}": Operation(
        "assignStep",
        "Jobs",
        "Give a current step to a user, a group or nobody",
        Success,
        AssignBody,
        privilege="`jobAssignAny`, `jobAssignGroup` or `jobAssignIndividual`",
        notes="`currentStep` in place of the id means the current step, the caller's own first.",
    ),
    f"POST {ITEM}/jobs/manage": Operation(
        "manageJobs",
        "Jobs",
        "Close, reopen, delete or upgrade jobs",
        ManagedJobsAnswer,
        ManageBody,
        privilege="`jobClose`, `jobReopenClosed`, `jobDelete`, `jobUpgrade`",
        notes="Jobs that are not refused are done, whatever becomes of the others.",
    ),
    f"POST {ITEM}/jobs/search": Operation(
        "searchJobs",
        "Jobs",
        "Search jobs",
        SearchAnswer,
        SearchBody,
        notes="The grammar of `q` and the names of the fields are listed in docs/search.md.",
    ),
    f"POST {ITEM}/jobs/statistics": Operation(
        "jobStatistics", "Jobs", "Count jobs, by the values of a field", StatisticsAnswer, StatisticsBody
    ),
    f"GET {_JOB}/comments": Operation("getComments", "Jobs", "List a job's comments, oldest first", JobCommentsAnswer),
    f"POST {_JOB}/comments": Operation("addComment", "Jobs", "Comment on a job", CommentAddedAnswer, CommentBody),
    f"GET {_JOB}/history": Operation(
        "getHistory", "Jobs", "List what happened to a job, oldest first", JobHistoryAnswer
    ),
    f"GET {_JOB}/attachments": Operation(
        "getAttachments", "Attachments", "List a job's attachments, in the order they were added", AttachmentsAnswer
    ),
    f"POST {_JOB}/attachments": Operation(
        "addAttachment",
        "Attachments",
        "Attach a file",
        AttachmentAddedAnswer,
        Extended(AttachmentFields, {"attachment": {"type": "string", "format": "binary"}}),
        media=(FORM,),
        privilege="`jobUpdateAttachments`",
        notes="The last segment of `url` is the attachment's id. With a `stepId` of an Attachment step, it must be a "
        "file that the step takes, and goes into the step's folder.",
    ),
    f"POST {_JOB}/attachmentslinked": Operation(
        "addLinkedAttachments",
        "Attachments",
        "Attach links, all or none",
        LinksAddedAnswer,
        LinksBody,
        privilege="`jobUpdateAttachments`",
    ),
    f"GET {_ATTACHMENT}": Operation(
        "getAttachment",
        "Attachments",
        "Read a file, or one range of it",
        ANY,
        more={206: ANY, 302: None, 304: None},
        errors=(400, 401, 403, 404, 416, 503),
        notes="302: the attachment is a link to the web, and the token did not come in a header; a request that brings "
        "one gets the link as text, as it does for what is no web address.",
    ),
    f"POST {_ATTACHMENT}": Operation(
        "updateAttachment",
        "Attachments",
        "Give an attachment another alias or folder",
        Success,
        AttachmentChange,
        media=(JSON, FORM, URL_ENCODED),
        privilege="`jobUpdateAttachments`",
    ),
    f"DELETE {_ATTACHMENT}": Operation(
        "deleteAttachment", "Attachments", "Delete an attachment", Success, privilege="`jobUpdateAttachments`"
    ),
    f"GET {_JOB}/location": Operation("getJobLocation", "Jobs", "Read where a job is, in Web Mercator", LocationAnswer),
    f"PUT {_JOB}/location": Operation(
        "setJobLocation",
        "Jobs",
        "Set, change or clear where a job is",
        Success,
        SetLocationBody,
        privilege="`jobUpdateLocation`",
        notes="Degrees (4326) or Web Mercator (102100, 3857). An empty location clears it.",
    ),
    f"GET {_JOB}/diagram": Operation(
        "getJobDiagram", "Jobs", "Read the diagram version a job follows", _DIAGRAM_ANSWER
    ),
    f"GET {ITEM}/diagrams": Operation("getDiagrams", "Diagrams", "List the diagrams", DiagramList),
    f"POST {ITEM}/diagrams": Operation(
        "createDiagram",
        "Diagrams",
        "Create a diagram",
        DiagramCreated,
        WireDiagram,
        privilege="`adminBasic`",
        notes="An active one is checked: `warnings` says what keeps jobs from getting through it.",
    ),
    f"GET {_DIAGRAM}": Operation(
        "getDiagram", "Diagrams", "Read the newest activated version, else the draft", _DIAGRAM_ANSWER
    ),
    f"GET {_DIAGRAM}/{{diagramVersion}}": Operation("getDiagramVersion", "Diagrams", "Read a version", _DIAGRAM_ANSWER),
    f"POST {_DIAGRAM}": Operation(
        "updateDiagram",
        "Diagrams",
        "Store the next version, or the draft",
        DiagramUpdated,
        Extended(WireUpdate, {"diagram": WireDiagram}),
        privilege="`adminBasic`",
        notes="`warnings` as in `createDiagram`.",
    ),
    f"DELETE {_DIAGRAM}": Operation(
        "deleteDiagram",
        "Diagrams",
        "Delete a diagram that no job follows and no job template uses",
        Success,
        privilege="`adminBasic`",
    ),
    f"DELETE {_DIAGRAM}/{{diagramVersion}}": Operation(
        "deleteDiagramVersion",
        "Diagrams",
        "Delete a version that no job follows, or the draft",
        Success,
        privilege="`adminBasic`",
        notes="The newest activated version of a diagram that job templates use stays: new jobs would get it.",
    ),
    f"GET {_DIAGRAM}/{{diagramVersion}}/upgraded": Operation(
        "getUpgradedDiagram",
        "Diagrams",
        "Rewrite a version to centralized data references",
        UpgradedDiagram,
        privilege="`adminBasic`",
        notes="Nothing is saved. What cannot be rewritten without asking other servers is named, and left as it is.",
    ),
    f"GET {ITEM}/jobTemplates": Operation("getJobTemplates", "Job templates", "List the job templates", TemplateList),
    f"POST {ITEM}/jobTemplates": Operation(
        "createJobTemplate",
        "Job templates",
        "Create a job template",
        TemplateCreated,
        WireTemplate,
        privilege="`adminBasic`",
    ),
    f"GET {_TEMPLATE}": Operation("getJobTemplate", "Job templates", "Read a job template", _TEMPLATE_ANSWER),
    f"POST {ITEM}/checkDiagram": Operation(
        "checkDiagram",
        "Diagrams",
        "What would be wrong with a diagram, were it active",
        DiagramChecked,
        WireDiagram,
        privilege="`adminBasic`",
        notes="Ours. Stores nothing. What would be refused is refused here in the same words; `warnings` are what the "
        "answer of an activation would tell (docs/soundness.md).",
    ),
    f"POST {ITEM}/evaluateArcade": Operation(
        "evaluateArcade",
        "Expressions",
        "Evaluate an Arcade expression",
        ArcadeAnswer,
        ArcadeBody,
        notes="Changes nothing. What is known is listed in docs/arcade.md; all else is refused by name.",
    ),
    f"GET {ITEM}/settings": Operation(
        "getSettings",
        "Item",
        "List the item's settings; secrets without their value",
        SettingsAnswer,
        query={"includeSystemSettings": "With those that mean something to the server, such as `smtpServer`."},
        on=frozenset({"includeSystemSettings"}),
    ),
    f"POST {ITEM}/settings": Operation(
        "updateSettings",
        "Item",
        "Add or change settings, all or none",
        Success,
        SettingsBody,
        privilege="`adminAdvanced`",
        notes="`smtpPassword` is always encrypted.",
    ),
    f"GET {_LOOKUPS}": Operation("getLookups", "Item", "List the values of a lookup type", LookupsAnswer),
    f"PUT {_LOOKUPS}": Operation(
        "updateLookups", "Item", "Make or replace a lookup type", Success, LookupsBody, privilege="`adminBasic`"
    ),
    f"DELETE {_LOOKUPS}": Operation(
        "deleteLookups", "Item", "Delete a lookup type of one's own", Success, privilege="`adminBasic`"
    ),
    f"GET {_STORED}": Operation("getTemplates", "Item", "List the stored templates of a type", StoredTemplateList),
    f"POST {_STORED}": Operation(
        "createTemplate",
        "Item",
        "Store a template",
        StoredTemplateCreated,
        StoredTemplateBody,
        privilege="`adminBasic`",
    ),
    f"GET {_STORED}/{{templateId}}": Operation("getTemplate", "Item", "Read a stored template", StoredTemplateAnswer),
    f"PUT {_STORED}/{{templateId}}": Operation(
        "updateTemplate", "Item", "Change a stored template", Success, StoredTemplateUpdate, privilege="`adminBasic`"
    ),
    f"DELETE {_STORED}/{{templateId}}": Operation(
        "deleteTemplate", "Item", "Delete a stored template", Success, privilege="`adminBasic`"
    ),
    f"PUT {_TEMPLATE}": Operation(
        "updateJobTemplate",
        "Job templates",
        "Change a job template; jobs stay as they are",
        Success,
        WireTemplate,
        privilege="`adminBasic`",
        notes="Members that are not sent stay as they are. `extendedPropertyTableDefinitions` is the whole list: a "
        "table that is left out is gone, `updateExisting` changes one, `associateToExisting` takes another's.",
    ),
    f"DELETE {_TEMPLATE}": Operation(
        "deleteJobTemplate",
        "Job templates",
        "Delete a job template that no job was made from",
        Success,
        privilege="`adminBasic`",
    ),
    f"GET {_TEMPLATE}/shareWith": Operation(
        "getJobTemplateShareDetails",
        "Job templates",
        "List the groups whose members may use the template",
        ShareBody,
        privilege="`adminBasic`",
        notes="An empty list means everybody.",
    ),
    f"POST {_TEMPLATE}/shareWith": Operation(
        "shareJobTemplate",
        "Job templates",
        "Let only the members of these groups use the template",
        Success,
        ShareBody,
        privilege="`adminBasic`",
    ),
    f"GET {_AUTOMATIONS}": Operation(
        "getJobTemplateAutomations",
        "Job templates",
        "List what makes jobs of the template by itself",
        AutomationList,
        privilege="`adminBasic`",
    ),
    f"POST {_AUTOMATIONS}": Operation(
        "updateJobTemplateAutomations",
        "Job templates",
        "Add, change and delete automations, all or nothing",
        AutomationsEdited,
        AutomationsBody,
        privilege="`adminBasic`",
        notes="What `details` may be is described in docs/automations.md.",
    ),
    f"GET {_AUTOMATIONS}/{{automationId}}": Operation(
        "getJobTemplateAutomationDetails",
        "Job templates",
        "Read an automation, and what became of it; never its secret",
        AutomationDetails,
        privilege="`adminBasic`",
    ),
    f"POST {_AUTOMATIONS}/{{automationId}}/executeWebhook": Operation(
        "executeAutomationWebHook",
        "Job templates",
        "Make a job, as another program that knows the webhook's secret",
        CreatedJobsAnswer,
        {"description": "Any JSON; empty counts as none."},
        errors=(400, 404, 503),
        notes="No token. The header that the automation names brings the secret, or as `x-esriHook-Signature` the "
        "HMAC-SHA256 of the body. 404 also where the secret is not proven.",
    ),
    f"GET {ITEM}/tableDefinitions": Operation(
        "getTableDefinitions",
        "Job templates",
        "List the tables of extended properties, and the templates that have them",
        TableList,
        privilege="`adminBasic`",
    ),
    f"GET {ITEM}/searches": Operation(
        "getSavedSearches",
        "Saved searches",
        "List the saved searches and charts that the caller sees",
        SavedSearchList,
        query={"searchType": "Which of them."},
        words={"searchType": SEARCH_TYPES},
        notes="Those that are shared with groups are for their members, and for `adminBasic`.",
    ),
    f"POST {ITEM}/searches": Operation(
        "createSavedSearch",
        "Saved searches",
        "Save a search or a chart",
        SavedSearchCreated,
        SavedSearchBody,
        privilege="`adminBasic`",
    ),
    f"PUT {_SEARCH}": Operation(
        "updateSavedSearch",
        "Saved searches",
        "Replace a saved search; whom it is shared with stays",
        Success,
        SavedSearchBody,
        privilege="`adminBasic`",
    ),
    f"DELETE {_SEARCH}": Operation(
        "deleteSavedSearch", "Saved searches", "Delete a saved search", Success, privilege="`adminBasic`"
    ),
    f"GET {_SEARCH}/shareWith": Operation(
        "getSavedSearchShareDetails",
        "Saved searches",
        "List the groups whose members see the search",
        ShareBody,
        privilege="`adminBasic`",
        notes="An empty list means everybody.",
    ),
    f"POST {_SEARCH}/shareWith": Operation(
        "shareSavedSearch",
        "Saved searches",
        "Show the search only to the members of these groups",
        Success,
        ShareBody,
        privilege="`adminBasic`",
    ),
    f"GET {_PEOPLE}/users": Operation(
        "getUsers", "Community", "List the users with a role, and whom the caller may give work to", UserList
    ),
    f"GET {_PEOPLE}/users/{{username}}": Operation(
        "getUser", "Community", "Read a user's groups, roles and privileges in the item", WorkflowUser
    ),
    f"GET {_PEOPLE}/groups": Operation(
        "getGroups",
        "Community",
        "List the groups with a role, and which of them the caller may give work to",
        GroupList,
    ),
    f"GET {_PEOPLE}/groups/{{groupId}}": Operation("getGroup", "Community", "Read a group's roles", GroupRoles),
    f"POST {_PEOPLE}/groups/{{groupId}}": Operation(
        "updateGroup",
        "Community",
        "Give a group roles and take others from it, all or none",
        Success,
        GroupUpdate,
        privilege="`adminAdvanced`",
        notes=_LAST_ADMINISTRATOR,
    ),
    f"GET {_PEOPLE}/roles": Operation("getRoles", "Community", "List the roles", RoleList),
    f"GET {_PEOPLE}/roles/{{roleName}}": Operation("getRole", "Community", "Read a role", WireRole),
    f"POST {_PEOPLE}/roles/{{roleName}}": Operation(
        "updateRole",
        "Community",
        "Make or replace a role",
        Success,
        RoleBody,
        privilege="`adminAdvanced`",
        notes=_LAST_ADMINISTRATOR,
    ),
    f"DELETE {_PEOPLE}/roles/{{roleName}}": Operation(
        "deleteRole", "Community", "Delete a role", Found, privilege="`adminAdvanced`", notes=_LAST_ADMINISTRATOR
    ),
    f"GET {ITEM}": Operation("getItem", "Item", "Read the workflow item's details", ItemDetails),
    f"POST {ADMIN}/createWorkflowItem": Operation(
        "createWorkflowItem",
        "Administration",
        "Make a workflow item with the contents of a new one",
        ItemAnswer,
        ItemRequest,
        texts={"name": "The item's name; no other one has it."},
        errors=(400, 401, 404, 503),
        privilege="the portal role `publisher` or `administrator`",
        notes="The caller owns the item and administers it. An unquoted `&` belongs to the name.",
    ),
    f"GET {ADMIN}/{{itemId}}/creationStatus": Operation(
        "getCreationStatus",
        "Administration",
        "Ask whether an item is there",
        CreationStatus,
        notes="For whoever has a role in the item, owns it, or has the portal role administrator.",
    ),
    f"POST {ADMIN}/{{itemId}}/upgrade": Operation(
        "upgradeItem",
        "Administration",
        "Bring an item into the newest form",
        ItemAnswer,
        ItemRequest,
        errors=(400, 401, 404, 503),
        privilege="to own the item and `adminAdvanced` in it, or the portal role administrator",
        notes="There is one form so far, so every item has it.",
    ),
    f"DELETE {ADMIN}/{{itemId}}": Operation(
        "deleteItem",
        "Administration",
        "Delete an item with all its jobs",
        Success,
        errors=(400, 401, 404, 503),
        privilege="the portal role `administrator`, or publisher and to own the item",
        notes="It is not found from then on, its websockets are closed with 4500, and it is removed piece by piece.",
    ),
    f"POST {ADMIN}/{{itemId}}/export": Operation(
        "exportConfiguration",
        "Administration",
        "Export the configuration of an item, as a file",
        "application/zip",
        ExportBody,
        privilege="`adminAdvanced`",
        notes="A zip of JSON files; docs/administration.md has what is in it.",
    ),
    f"POST {ADMIN}/{{itemId}}/exportAsync": Operation(
        "exportConfigurationAsync",
        "Administration",
        "Export the configuration of an item in the background",
        ExportStarted,
        ExportBody,
        privilege="`adminAdvanced`",
        notes="`ExportCompleted` or `ExportFailed` comes over the item's websockets.",
    ),
    f"GET {ADMIN}/{{itemId}}/exportAsync/{{exportId}}": Operation(
        "getExport",
        "Administration",
        "Fetch an export, or the mapping file for its import elsewhere",
        ANY,
        query={"fileType": "The configuration, or the mapping."},
        words={"fileType": FILE_TYPES},
        more={206: ANY, 304: None},
        errors=(400, 401, 403, 404, 416, 503),
        privilege="`adminAdvanced`",
        notes="It is there for a day.",
    ),
    f"POST {ADMIN}/{{itemId}}/importAsync": Operation(
        "importConfigurationAsync",
        "Administration",
        "Import a configuration in the background, all of it or nothing",
        Success,
        Extended(ImportFields, {"file": {"type": "string", "format": "binary"}}),
        media=(FORM,),
        privilege="`adminAdvanced`",
        notes="`ImportCompleted` or `ImportFailed` comes over the item's websockets.",
    ),
    f"GET {ADMIN}/{{itemId}}/logs": Operation(
        "getLogs",
        "Administration",
        "Read the item's log: what went wrong with its jobs, newest first",
        LogPage,
        query={
            "startTime": "From this moment on: ISO 8601, or milliseconds since 1970.",
            "endTime": "Up to this moment.",
            "paginationStart": "So many entries are left out.",
            "paginationCount": "At most so many are given (100).",
        },
        free=frozenset({"startTime", "endTime", "paginationStart", "paginationCount"}),
        privilege="`adminBasic`",
    ),
    f"POST {ADMIN}/{{itemId}}/import": Operation(
        "importConfiguration",
        "Administration",
        "Import a configuration, all of it or nothing",
        Success,
        Extended(ImportFields, {"file": {"type": "string", "format": "binary"}}),
        media=(FORM,),
        privilege="`adminAdvanced`",
        notes="Replaces what is there, in an item without jobs; with `overwriteConfiguration` False it merges.",
    ),
    "GET /sharing/rest": _portal("portalVersion", "Ask for the interface's version", PortalVersion),
    "GET /sharing/rest/info": _portal("portalInfo", "Ask where a token is to be had", PortalInfo),
    "GET /sharing/rest/portals/self": _portal("portalSelf", "Read the portal, and who oneself is", PortalSelf),
    "GET /sharing/rest/portals/{portalId}/servers": _portal(
        "portalServers", "List the portal's servers: this one", PortalServers
    ),
    "GET /sharing/rest/community/self": _portal("portalOwnUser", "Read who oneself is", OwnUser),
    "GET /sharing/rest/community/users/{username}": _portal("portalUser", "Read a user", PortalUser),
    "GET /sharing/rest/community/groups/{groupId}": _portal("portalGroup", "Read a group", PortalGroup),
    "GET /sharing/rest/content/items/{id}": _portal("portalItem", "Look a workflow item up", PortalItem),
    "POST /sharing/rest/content/items/{id}": _portal(
        "portalItemByForm", "Look a workflow item up, by a form", PortalItem, PortalForm
    ),
    "POST /sharing/rest/generateToken": _portal(
        "generateToken", "Log in with a name and a password, for a token", IssuedToken, TokenForm
    ),
    "GET /sharing/rest/oauth2/authorize": Operation(
        "authorize",
        "Portal sign-in",
        "Begin a login in a browser: the sign-in page",
        "text/html",
        errors=(503,),
        notes="Takes `response_type` (`token`), `client_id`, `redirect_uri`, `state` and `expiration` (minutes). A "
        "request that cannot be granted gets a page that says why.",
    ),
    "POST /sharing/oauth2/signin": Operation(
        "signIn",
        "Portal sign-in",
        "End it: back to where the client waits, with a token",
        "text/html",
        SignInForm,
        media=(URL_ENCODED,),
        more={302: None},
        errors=(503,),
        notes="302: the token is in the fragment of `Location`. 200: the page again, and why.",
    ),
    f"GET {ITEM}/webhookConnections": Operation(
        "getWebhookConnections",
        "Webhook connections",
        "List the connections to feature services that holds may wait for",
        WebhookConnectionList,
        privilege="`adminBasic` or `jobUpdateHolds`",
    ),
    f"POST {ITEM}/webhookConnections": Operation(
        "createWebhookConnection",
        "Webhook connections",
        "Create a connection and, on request, the webhook at the feature service",
        WebhookConnectionAnswer,
        WebhookConnectionBody,
        privilege="`adminBasic`",
        notes=_HALF_DONE,
    ),
    f"GET {_CONNECTION}": Operation(
        "getWebhookConnection",
        "Webhook connections",
        "Read a connection, its secret included",
        WebhookConnectionDetails,
        privilege="`adminBasic`",
    ),
    f"PUT {_CONNECTION}": Operation(
        "updateWebhookConnection",
        "Webhook connections",
        "Replace what a connection says; `itemId` stays",
        WebhookConnectionAnswer,
        WebhookConnectionBody,
        privilege="`adminBasic`",
        notes=_HALF_DONE,
    ),
    f"DELETE {_CONNECTION}": Operation(
        "deleteWebhookConnection",
        "Webhook connections",
        "Delete a connection that no step of an open job waits for, and its webhook at the feature service",
        WebhookConnectionAnswer,
        privilege="`adminBasic`",
        notes=_HALF_DONE,
    ),
    f"GET {_CONNECTION}/executeWebhook": Operation(
        "answerWebhookChallenge",
        "Webhook connections",
        "Show a feature service that its events are awaited here",
        Challenge,
        errors=(400, 404, 503),
        notes="The query has `crc_token`; the answer its signature, `sha256=` and base64.",
    ),
    f"POST {_CONNECTION}/executeWebhook": Operation(
        "receiveWebhook",
        "Webhook connections",
        "Take an event of a feature service, signed in `x-esriHook-Signature`",
        Success,
        {"type": "object"},
        media=(JSON, URL_ENCODED),
        errors=(400, 404, 503),
        notes="No token. `x-esriHook-Signature` brings the HMAC-SHA256 of the body, made with the connection's secret. "
        "404 also where it does not.",
    ),
    "GET /{orgId}/checkStatus": Operation(
        "checkStatus", "Server", "Ask whether the server is there", ServerStatus, errors=()
    ),
    "GET /{orgId}/healthCheck": Operation(
        "healthCheck", "Server", "Ask whether the server and its database work", Success, errors=(400,)
    ),
    "GET /healthz": Operation("healthz", "Server", "Ask whether the process lives", Success, errors=()),
    "GET /readyz": Operation("readyz", "Server", "Ask whether requests can be served", Readiness, errors=(503,)),
    "GET /nodes": Operation("nodes", "Server", "List the processes that serve together", ServingNodes, errors=(503,)),
    "GET /metrics": Operation("metrics", "Server", "Read counters, for Prometheus", "text/plain", errors=()),
    "GET /openapi.json": Operation(
        "openapi", "Documentation", "This API, as OpenAPI 3.1", {"type": "object"}, errors=()
    ),
    "GET /asyncapi.json": Operation(
        "asyncapi", "Documentation", "The websocket, as AsyncAPI 3.0", {"type": "object"}, errors=()
    ),
    "GET /docs": Operation("docs", "Documentation", "Both, as a page for people", "text/html", errors=()),
}
"""By method and path, as the document names them."""


def phrase(status: int) -> str:
    """The status in words: "Not Found"."""
    return HTTPStatus(status).phrase
