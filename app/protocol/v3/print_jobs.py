"""Bodies of the print dialect (v3-jobs.md 2): jobs, and what is done to them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.domain.changes import LONGEST
from app.domain.job import Document, Job
from app.domain.phases import Phase
from app.protocol.v3.ids import MAX_NUMBER

STATES: Final = {
    Phase.REGISTERED: "processing",
    Phase.WAITING: "paused",
    Phase.READY: "ready",
    Phase.QUEUED: "processing",
    Phase.RUNNING: "processing",
    Phase.ASKING: "paused",
    Phase.SUCCEEDED: "printed",
    Phase.FAILED: "error",
    Phase.CANCELLED: "deleted",
}
"""A job's state in words of this dialect (v3-jobs.md 4.3)."""

MAX_JOBS: Final = 1_000
"""One call names at most so many jobs."""

Number = Annotated[int, Meta(ge=1, le=MAX_NUMBER)]
NumberOrNone = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
Account = Annotated[str, Meta(max_length=200)]
Name = Annotated[str, Meta(min_length=1, max_length=500)]
Numbers = Annotated[list[Number], Meta(max_length=MAX_JOBS)]
Count = Annotated[int, Meta(ge=0, le=2**31)]


class Paper(msgspec.Struct):
    """What is known of the paper: an opaque number."""

    state: Count = 0


class PrintJob(msgspec.Struct, rename="camel"):
    """A job, its twelve members always there: 0, false and ``{"state": 0}`` before it is parsed. ``dateTime`` is in
    UTC; ``date`` its day."""

    id: int
    name: str
    date: str
    date_time: str
    favorite: bool
    cost: float
    duplex: bool
    color: bool
    page_count: int
    color_count: int
    copies: int
    paper: Paper


class PrintJobs(msgspec.Struct):
    """Jobs, and how many they are."""

    jobs: list[PrintJob]
    count: int


class Interaction(msgspec.Struct):
    """The open question of a job: answer it by its key, with one of the options. ``state`` is handed back as it is; it
    is always empty, for the server keeps what a script knows."""

    key: str
    text: str
    options: list[str]
    state: list[Any] = []


class PrintJobDetail(msgspec.Struct, rename="camel"):
    """A job, and (ours) its state, owner, project, account, queue and open question, and as ``jobId`` what the workflow
    API and its websocket call it. What comes of parsing is there once it has succeeded."""

    id: int
    name: str
    date: str
    date_time: str
    favorite: bool
    state: str
    job_id: str
    owner_id: int
    project_id: int
    account: str | None
    queue: str
    interaction: Interaction | None
    cost: float | UnsetType = UNSET
    duplex: bool | UnsetType = UNSET
    color: bool | UnsetType = UNSET
    page_count: int | UnsetType = UNSET
    color_count: int | UnsetType = UNSET
    copies: int | UnsetType = UNSET
    paper: Paper | UnsetType = UNSET


class PrintJobState(msgspec.Struct):
    """How far a job is: processing, ready, paused, printed, error or deleted."""

    state: str


class JobPatch(msgspec.Struct, rename="camel"):
    """What is to change; members that are absent or null stay. ``projectId`` 0 takes the job out of its project."""

    owner_id: Number | None = None
    project_id: NumberOrNone | None = None
    favorite: bool | None = None
    account: Account | None = None


class NumberedPatch(JobPatch, rename="camel", kw_only=True):
    """As ``JobPatch``, and which job it is for."""

    id: Number


class JobPatches(msgspec.Struct):
    """One patch for each job."""

    jobs: Annotated[list[NumberedPatch], Meta(max_length=MAX_JOBS)]


class JobInfo(msgspec.Struct, rename="camel"):
    """What the client has parsed of its document."""

    page_count: Count = 0
    color_count: Count = 0
    copies: Count = 1
    duplex: bool = False
    color: bool = False
    cost: Annotated[float, Meta(ge=0)] = 0
    paper: Paper = msgspec.field(default_factory=Paper)


class ClientJob(msgspec.Struct, rename="camel"):
    """A spooled job: its document stays on ``computer``. ``owner`` is a user's name, ``uuid`` the client's own key: the
    same one of the same owner is the same job. ``size`` is in bytes."""

    queue: Name
    owner: Name
    computer: Name
    name: Annotated[str, Meta(min_length=1, max_length=LONGEST["name"])]
    uuid: Annotated[str, Meta(min_length=1, max_length=200)]
    size: Annotated[int, Meta(ge=0, le=MAX_NUMBER)] | None = None
    job_info: JobInfo | None = None


class RegisteredJob(msgspec.Struct):
    """The number of the job."""

    id: int


class ProcessBody(msgspec.Struct, rename="camel"):
    """Which jobs to release, all or none; for whom, for which project and on which account."""

    job_ids: Annotated[list[Number], Meta(min_length=1, max_length=MAX_JOBS)]
    owner: str | None = None
    project_id: NumberOrNone | None = None
    account: Account | None = None


class ScriptAnswered(msgspec.Struct):
    """The job's next question, if it has one, and its state."""

    interaction: Interaction | None
    state: str


class PrintRefusal(msgspec.Struct):
    """Why not. ``data`` names what is meant: the numbers of jobs, or members of the body."""

    code: int
    message: str
    data: list[int | str] = []


def document_of(body: ClientJob) -> Document:
    """What is kept of a spooled job's file."""
    info = body.job_info or JobInfo()
    return Document(
        uuid=body.uuid,
        registered_for=body.owner,
        computer=body.computer,
        size=body.size,
        page_count=info.page_count,
        color_count=info.color_count,
        copies=info.copies,
        duplex=info.duplex,
        color=info.color,
        cost=info.cost,
        paper=info.paper.state,
    )


def render_job(number: int, job: Job, phase: Phase) -> PrintJob:
    """A job with all twelve members."""
    parsed = _parsed(job, phase) or Document("", "", "")
    return PrintJob(
        **_described(number, job),
        cost=parsed.cost,
        duplex=parsed.duplex,
        color=parsed.color,
        page_count=parsed.page_count,
        color_count=parsed.color_count,
        copies=parsed.copies,
        paper=Paper(parsed.paper),
    )


def render_jobs(jobs: list[PrintJob]) -> PrintJobs:
    """A list with its length."""
    return PrintJobs(jobs, len(jobs))


def render_detail(
    number: int, job: Job, phase: Phase, owner_id: int, interaction: Interaction | None
) -> PrintJobDetail:
    """A job as it is asked for alone."""
    detail = PrintJobDetail(
        **_described(number, job),
        state=STATES[phase],
        job_id=job.job_id,
        owner_id=owner_id,
        project_id=job.ticket.project or 0,
        account=job.ticket.account,
        queue=job.template_name,
        interaction=interaction,
    )
    if parsed := _parsed(job, phase):
        detail.cost, detail.duplex, detail.color = parsed.cost, parsed.duplex, parsed.color
        detail.page_count, detail.color_count = parsed.page_count, parsed.color_count
        detail.copies, detail.paper = parsed.copies, Paper(parsed.paper)
    return detail


def _parsed(job: Job, phase: Phase) -> Document | None:
    """What parsing came to; None before it has succeeded, and of a job without a document."""
    unparsed = phase is Phase.REGISTERED or (phase is Phase.FAILED and job.ticket.queued_ms is None)
    return None if unparsed else job.ticket.document


def _described(number: int, job: Job) -> dict[str, Any]:
    moment = datetime.fromtimestamp(job.created_ms // 1000, UTC)
    return {
        "id": number,
        "name": job.name,
        "date": moment.date().isoformat(),
        "date_time": moment.isoformat(),
        "favorite": job.ticket.favorite,
    }
