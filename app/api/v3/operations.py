"""What each operation of the two v3 dialects takes and gives, for the description of the API."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from app.api.operation import ANY, URL_ENCODED, Either, Operation
from app.protocol.v3.analytics import (
    AnalyticsRefusal,
    JobLines,
    JobMessage,
    JobView,
    RunWorkflowBody,
    WorkflowJobView,
    WorkflowLine,
)
from app.protocol.v3.neighbours import PaymentAccounts, Projects, Queues, Users
from app.protocol.v3.print_jobs import (
    ClientJob,
    JobPatch,
    JobPatches,
    NumberedPatch,
    Numbers,
    PrintJob,
    PrintJobDetail,
    PrintJobs,
    PrintJobState,
    PrintRefusal,
    ProcessBody,
    RegisteredJob,
    ScriptAnswered,
)
from app.protocol.v3.tokens import AnalyticsToken, AnalyticsTokenForm, PrintToken, PrintTokenBody, TokenRefusal

PRINT: Final = "Print jobs (v3)"
ANALYTICS: Final = "Analytics jobs (v3)"
TOKENS: Final = "Tokens (v3)"

SCHEMES: Final = ("bearer", "authentication")

_JOB: Final = "/v3/jobs/{v3JobId}"
_WORKFLOW: Final = "/v3/workflows/{workflowId}/jobs"

_EITHER: Final = Either((PrintRefusal, AnalyticsRefusal))
_READ: Final = (400, 401, 403, 404, 503)
_CHANGE: Final = (400, 401, 403, 404, 409, 503)

_TEXT: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean", "default": False}
_PAGE: Final = {
    "offset": ("So many are left out.", {"type": "integer", "minimum": 0, "maximum": 2**31, "default": 0}),
    "limit": ("At most so many.", {"type": "integer", "minimum": 0, "maximum": 1_000, "default": 100}),
}
_SORT: Final = {
    "sortField": ("CreateDate, AppName, CompletionDateTime, Priority or Status.", _TEXT),
    "direction": ("asc or desc.", _TEXT),
}

_FORMS: Final = (
    "The id is a number or 24 hexadecimal digits; its form chooses the dialect, below /api and /webapi the prefix does."
)

_PRINT_OPERATIONS: Final[Mapping[str, Operation]] = {
    "PATCH /v3/jobs": Operation(
        "changePrintJobs",
        PRINT,
        "Change jobs; the answer has those that were changed",
        PrintJobs,
        Either((JobPatches, list[NumberedPatch])),
        privilege="the scope `jobs`; for another owner an administrator or the scope `impersonate`",
        errors=(400, 401, 403, 503),
    ),
    f"PATCH {_JOB}": Operation(
        "changePrintJob",
        PRINT,
        "Change a job",
        Either((PrintJob, JobView)),
        JobPatch,
        privilege="the scope `jobs`; for another owner an administrator or the scope `impersonate`",
        errors=_CHANGE,
        notes=_FORMS,
    ),
    "POST /v3/jobs/delete": Operation(
        "cancelPrintJobs",
        PRINT,
        "Cancel jobs, all or none; they can be read on",
        None,
        Numbers,
        more={204: None},
        privilege="the scope `jobs`",
        errors=_CHANGE,
    ),
    f"DELETE {_JOB}": Operation(
        "cancelJob",
        PRINT,
        "Cancel a job; it can be read on",
        None,
        more={204: None},
        privilege="the scope `jobs`",
        errors=_CHANGE,
        notes=_FORMS,
    ),
    "POST /v3/jobs/client": Operation(
        "registerPrintJob",
        PRINT,
        "Register a job whose document stays on its computer",
        RegisteredJob,
        ClientJob,
        privilege="`jobCreate` and the scope `jobs`; for another owner an administrator or the scope `print.services`",
        errors=_CHANGE,
        notes="The same `uuid` of the same owner is the same job, however often it comes.",
    ),
    "POST /v3/jobs/process": Operation(
        "processPrintJobs",
        PRINT,
        "Release jobs, all or none",
        None,
        ProcessBody,
        more={202: None},
        privilege="the scope `jobs`; for another `owner` an administrator or the scope `impersonate`",
        errors=_CHANGE,
    ),
    f"POST {_JOB}/script": Operation(
        "answerPrintJob",
        PRINT,
        "Answer the open question of a job",
        ScriptAnswered,
        {
            "type": "object",
            "description": "The open question's key with its options, one of them true; and `state` as it was given.",
            "properties": {"state": {"anyOf": [{"type": "array"}, {"type": "object"}, {"type": "null"}]}},
            "additionalProperties": {
                "type": "object",
                "additionalProperties": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
            },
        },
        privilege="the scope `jobs`",
        errors=_CHANGE,
        notes="It is the answer that `StepInformation` gives over the websocket: whoever is first wins.",
    ),
    f"GET {_JOB}/state": Operation(
        "getPrintJobState", PRINT, "Read how far a job is", PrintJobState, privilege="the scope `jobs`", errors=_READ
    ),
    f"GET {_JOB}/data": Operation(
        "getPrintJobData",
        PRINT,
        "Read the first file the server has of a job, or one range of it",
        ANY,
        more={206: ANY, 304: None},
        privilege="the scope `print`, which a program's own token may have",
        errors=(400, 401, 403, 404, 416, 503),
    ),
    "GET /v3/queues": Operation("getQueues", PRINT, "List the queues", Queues, errors=(401, 403, 404, 503)),
    "GET /v3/projects": Operation("getProjects", PRINT, "List the projects", Projects, errors=(401, 403, 404, 503)),
    "GET /v3/users": Operation("getUserNumbers", PRINT, "List the users", Users, errors=(401, 403, 404, 503)),
    "GET /v3/users/{userId}/accounts": Operation(
        "getAccounts", PRINT, "List what a user's jobs can be put on", PaymentAccounts, errors=(401, 403, 404, 503)
    ),
}

_ANALYTICS_OPERATIONS: Final[Mapping[str, Operation]] = {
    "GET /v3/jobs": Operation(
        "getV3Jobs",
        ANALYTICS,
        "List jobs: one's own (print dialect), or to a Curator everybody's",
        Either((PrintJobs, JobLines)),
        filters=_PAGE
        | _SORT
        | {
            "statuses": ("Queued, Initializing, Running, Complete, ...", _TEXT),
            "priorities": ("Low, Medium, High, Critical, or numbers.", _TEXT),
            "users": ("A user's id; counts with `allUsers=true` only.", _TEXT),
            "allUsers": ("Needed for `users`.", _FLAG),
            "workflowNames": ("Names of workflows.", _TEXT),
            "completedBefore": ("yyyy-MM-dd, without that day.", _TEXT),
            "completedAfter": ("yyyy-MM-dd, without that day.", _TEXT),
        },
        errors=(400, 401, 403, 404, 503),
        notes="The dialect is that of the token, below /api and /webapi that of the prefix. All filters but `offset` "
        "and `limit` are the analytics dialect's.",
    ),
    f"GET {_JOB}": Operation(
        "getV3Job",
        ANALYTICS,
        "Read a job",
        Either((PrintJobDetail, JobView)),
        query={"includeMessages": "With its messages (analytics dialect); a switch without a value is on."},
        on=frozenset({"includeMessages"}),
        errors=_READ,
        notes=_FORMS,
    ),
    f"GET {_JOB}/messages": Operation(
        "getV3JobMessages",
        ANALYTICS,
        "List what was logged of a job, in time order",
        list[JobMessage],
        errors=_READ,
        privilege="`adminAdvanced`",
    ),
    f"GET {_JOB}/output/{{outputId}}": Operation(
        "getV3JobOutput",
        ANALYTICS,
        "Read a file that a job has put out, or one range of it",
        ANY,
        more={206: ANY, 304: None},
        filters={"format": ("Raw, or one of the output's `availableFormats`.", _TEXT)},
        errors=(400, 401, 403, 404, 416, 503),
    ),
    "GET /webapi/v1/jobs/{v3JobId}/output/{outputId}": Operation(
        "getJobOutput",
        ANALYTICS,
        "Read a file that a job has put out, or one range of it",
        ANY,
        more={206: ANY, 304: None},
        filters={"format": ("Raw, or one of the output's `availableFormats`.", _TEXT)},
        errors=(400, 401, 403, 404, 416, 503),
    ),
    "GET /v3/workflows": Operation(
        "getWorkflows", ANALYTICS, "List the workflows one may run", list[WorkflowLine], errors=(401, 403, 404, 503)
    ),
    f"GET {_WORKFLOW}": Operation(
        "getWorkflowJobs",
        ANALYTICS,
        "List the jobs of a workflow",
        list[WorkflowJobView],
        filters=_PAGE
        | _SORT
        | {
            "status": ("Created, Queued, Running, Completed or Cancelled; `state` is the same.", _TEXT),
            "resultCode": ("Success, Warning or Error.", _TEXT),
        },
        errors=(400, 401, 403, 404, 503),
    ),
    f"POST {_WORKFLOW}": Operation(
        "runWorkflow",
        ANALYTICS,
        "Run a workflow: make a job and queue it",
        JobView,
        RunWorkflowBody,
        privilege="`jobCreate`; for a priority `jobUpdatePriority`, for a worker tag `jobAssignAny`",
        errors=(400, 401, 403, 404, 409, 503),
    ),
}

_TOKEN_OPERATIONS: Final[Mapping[str, Operation]] = {
    "POST /api/auth/token": Operation(
        "getPrintToken",
        TOKENS,
        "Get a token of the print dialect",
        PrintToken,
        PrintTokenBody,
        errors=(400, 401, 503),
        refusal=TokenRefusal,
        is_open=True,
    ),
    "POST /webapi/oauth2/token": Operation(
        "getAnalyticsToken",
        TOKENS,
        "Get a token of the analytics dialect",
        AnalyticsToken,
        AnalyticsTokenForm,
        media=(URL_ENCODED,),
        errors=(400, 401, 503),
        refusal=TokenRefusal,
        is_open=True,
        notes="Key and secret come as HTTP Basic or in the form.",
    ),
}


def _in_dialects(operations: Mapping[str, Operation]) -> dict[str, Operation]:
    return {name: replace(operation, refusal=_EITHER, schemes=SCHEMES) for name, operation in operations.items()}


V3_OPERATIONS: Final[Mapping[str, Operation]] = {
    **_in_dialects(_PRINT_OPERATIONS),
    **_in_dialects(_ANALYTICS_OPERATIONS),
    **_TOKEN_OPERATIONS,
}

V3_PATH_PARAMETERS: Final[Mapping[str, tuple[str, str]]] = {
    "v3_job_id": ("v3JobId", "The job's number, or its 24 hexadecimal digits."),
    "output_id": ("outputId", "The output's id."),
    "workflow_id": ("workflowId", "The workflow's 24 hexadecimal digits, or its number."),
    "user_id": ("userId", "The user's number, or 24 hexadecimal digits."),
}
