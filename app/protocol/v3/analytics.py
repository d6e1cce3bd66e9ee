"""Bodies of the analytics dialect (v3-jobs.md 3): jobs, their messages and outputs, what a workflow is run with."""

from datetime import timedelta
from pathlib import PurePath
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.domain.job import Attachment
from app.domain.phases import Phase
from app.protocol.text import iso

STATUSES: Final = {
    Phase.REGISTERED: "Created",
    Phase.WAITING: "Created",
    Phase.READY: "Created",
    Phase.QUEUED: "Queued",
    Phase.RUNNING: "Running",
    Phase.ASKING: "Running",
    Phase.SUCCEEDED: "Completed",
    Phase.FAILED: "Completed",
    Phase.CANCELLED: "Cancelled",
}
"""A job's status in words of this dialect (v3-jobs.md 4.3)."""

DISPOSITIONS: Final = {Phase.SUCCEEDED: "Success", Phase.FAILED: "Error", Phase.CANCELLED: "Cancelled"}
"""What an ended job came to; any other one came to ``None`` so far."""

PRIORITIES: Final = ("Default", "Low", "Medium", "High", "Critical")
PRIORITY_NUMBERS: Final = {"0": "Low", "1": "Medium", "2": "High", "3": "Critical", "4": "Critical", "6": "Critical"}
"""Numbers that stand for priorities; those of chained and validating runs are the highest there are here."""

FORMATS: Final = (
    "Raw", "Yxdb", "Shp", "Kml", "Tab", "Mif", "Dbf", "Csv", "Pdf", "Docx", "Xlsx", "Html", "Tde", "Zip",
)  # fmt: skip
RAW: Final = "Raw"

Text = Annotated[str, Meta(max_length=10_000)]


class JobOutput(msgspec.Struct, rename="camel"):
    """A file that a job has put out, and the forms it can be had in: as it is, and as what its name says it is."""

    id: str
    available_formats: list[str]
    file_name: str


class JobMessage(msgspec.Struct, rename="camel"):
    """Something that was logged: 1 information, 2 warning, 3 error, 4 a step is done, 9 a file was put out. ``toolId``
    is the step's place in the diagram, -1 the engine itself."""

    status: int
    text: str
    tool_id: int


class JobView(msgspec.Struct, rename="camel"):
    """A job. ``messages`` are left out on request; ``appId`` is there for a workflow that begins with questions."""

    id: str
    app_id: str | None
    create_date_time: str
    status: str
    disposition: str
    outputs: list[JobOutput]
    priority: str
    worker_tag: str
    run_with_e2: bool = msgspec.field(name="runWithE2", default=False)
    messages: list[JobMessage] | UnsetType = UNSET


class WorkflowJobView(msgspec.Struct, rename="camel"):
    """A job in the list of its workflow."""

    id: str
    create_date: str
    status: str
    priority: str
    worker_tag: str
    run_with_e2: bool = msgspec.field(name="runWithE2", default=False)


class JobLine(msgspec.Struct, rename="camel"):
    """A job in the list of all. ``executionTime`` is HH:MM:SS, so far where it has not ended; null before its start."""

    job_id: str
    status: str
    workflow_name: str
    workflow_id: str
    submitted_by: str
    queue_time: str
    start_time: str | None
    execution_time: str | None
    priority: str


class JobLines(msgspec.Struct):
    """A page of the list of all jobs."""

    data: list[JobLine]


class WorkflowLine(msgspec.Struct, rename="camel"):
    """A workflow: an active job template. ``questions`` are what it asks at its start, and may be answered with the
    request that runs it."""

    id: str
    name: str
    description: str | None
    is_app: bool
    questions: list[str]


class QuestionAnswer(msgspec.Struct):
    """An answer to a question of a workflow, both as text."""

    name: Text
    value: Text


class RunWorkflowBody(msgspec.Struct, rename="camel"):
    """How to run a workflow; all of it may be left out. ``credentialId`` is ignored: steps bring their own."""

    worker_tag: Annotated[str, Meta(max_length=200)] | None = None
    credential_id: str | None = None
    questions: Annotated[list[QuestionAnswer], Meta(max_length=1_000)] | None = None
    priority: str | int | None = None


class AnalyticsRefusal(msgspec.Struct, rename="camel"):
    """Why not; ``modelState`` says what is wrong with which parameter."""

    message: str
    model_state: dict[str, list[str]] | UnsetType = UNSET


def disposition_of(phase: Phase) -> str:
    """The word for what a job came to."""
    return DISPOSITIONS.get(phase, "None")


def priority_of(name: str) -> str:
    """An item's priority as one of this dialect; one that has no like here is ``Default``."""
    return name if name in PRIORITIES else "Default"


def output_of(attachment: Attachment) -> JobOutput | None:
    """An attachment as an output; None for a link, whose bytes are elsewhere."""
    if attachment.content is None:
        return None
    name = attachment.content.file_name
    form = PurePath(name).suffix.removeprefix(".").capitalize()
    return JobOutput(attachment.attachment_id, [RAW, *([form] if form in FORMATS else [])], name)


def span(ms: int) -> str:
    """A duration as HH:MM:SS."""
    seconds = timedelta(milliseconds=max(ms, 0)) // timedelta(seconds=1)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def utc_ms(ms: int) -> str:
    """A moment in UTC, always with milliseconds."""
    text = iso(ms)
    return text if ms % 1000 else text.removesuffix("Z") + ".000Z"
