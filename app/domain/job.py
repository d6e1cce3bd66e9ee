"""A job: what it is, and where it is in its diagram. Values only: ``actions.py`` decides, ``events.py`` tells.

All times are integers, milliseconds since 1970-01-01 UTC. All collections keep the order in which things happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.expressions.arcade import NO_FACTS, Facts

ReturnValue = str | int | float | bool | None


class AssignedType(StrEnum):
    """Who a step waits for (wire: websocket.md 5.2)."""

    UNASSIGNED = "Unassigned"
    USER = "User"
    GROUP = "Group"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who may work on a step: a user name, a group id, or nobody."""

    type: AssignedType = AssignedType.UNASSIGNED
    to: str | None = None


UNASSIGNED = Assignment()


class StepState(StrEnum):
    """How far the present visit of a step is.

    ``READY`` is a step nobody has run yet. ``EXECUTING`` (the server works, or a stored answer is being applied),
    ``WAITING`` (for its user's answer), ``HANDLED`` (the user has answered and works until Finish) and ``STOPPING``
    are running. ``PAUSED``, ``CANCELLED``, ``FAILED`` and ``DONE`` (ran to its end, waits for Finish) are not.
    """

    READY = "ready"
    EXECUTING = "executing"
    WAITING = "waiting"
    HANDLED = "handled"
    STOPPING = "stopping"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DONE = "done"


RUNNING_STATES = frozenset({StepState.EXECUTING, StepState.WAITING, StepState.HANDLED, StepState.STOPPING})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a user answered to a prompt (wire: websocket.md 2.3). Exactly one of the answer fields is set."""

    question_response: int | None = None
    manual_response: bool | None = None
    open_app_response: bool | None = None
    attachment_response: bool | None = None
    failed: bool | None = None
    location: str | None = None
    property_responses: tuple["PropertyResponse", ...] | None = None
    assignment_response: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class PropertyResponse:
    """One property given in an answer; ``identifier`` is ``table.property``, the value travels as text."""

    identifier: str
    value: str | None
    unique_id: str | None = None


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer that was stored and closed its prompt, until it is applied or rejected."""

    by: str
    at_ms: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a visit. ``prompt_id`` is set while a question is open or its answer is being applied."""

    run_id: str
    started_ms: int
    started_by: str
    prompt_id: str | None = None
    answer: StoredAnswer | None = None


@dataclass(frozen=True, slots=True)
class StepFault:
    """Why the last run of a step failed."""

    msg: str
    msg_code: str


@dataclass(frozen=True, slots=True)
class CurrentStep:
    """A step the job is at: one visit, in one state.

    ``run`` is the last run of this visit, kept after it ended; ``return_value`` what a ``DONE`` or ``HANDLED`` one
    returned.
    """

    step_id: str
    visit_id: str
    assignment: Assignment
    since_ms: int
    state: StepState = StepState.READY
    run: Run | None = None
    return_value: ReturnValue = None
    fault: StepFault | None = None

    @property
    def is_running(self) -> bool:
        """A step runs while it executes or waits for its user (design.md section 6, "Running")."""
        return self.state in RUNNING_STATES

    @property
    def last_run(self) -> Run:
        """The run of a step that was started. Raises LookupError before."""
        if self.run is None:
            raise LookupError(f"the step {self.step_id!r} has not been run")
        return self.run


@dataclass(frozen=True, slots=True)
class PendingStep:
    """A step that a path has reached and that waits for other branches (the join rule, ``joins.py``)."""

    step_id: str
    assignment: Assignment
    since_ms: int


@dataclass(frozen=True, slots=True)
class WebhookDependency:
    """A feature that a step waits for, until it meets a condition: a where clause of its service's own SQL.

    The service is that of the webhook connection, which says when it is worth while to look (rest.md 12, 15.6).
    """

    connection_id: str
    condition: str
    layer_id: int
    object_id: int


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason why a step may not run: manual, scheduled (``scheduled_release_ms``), a dependency on another job or
    on a feature.

    A hold with both a time and a dependency ends at whichever comes first. Released holds are history: they leave
    the job's ``Flow`` and stay in the store.
    """

    hold_id: str
    step_id: str
    set_by: str
    set_ms: int
    scheduled_release_ms: int | None = None
    dependent_job_id: str | None = None
    dependent_step_id: str | None = None
    webhook: WebhookDependency | None = None

    @property
    def is_dependency(self) -> bool:
        """It waits for another job."""
        return self.dependent_job_id is not None

    @property
    def is_manual(self) -> bool:
        """It waits for nothing but a person or a moment."""
        return self.dependent_job_id is None and self.webhook is None


@dataclass(frozen=True, slots=True)
class Flow:
    """Where a job is in its diagram: what moves, as opposed to what describes it.

    ``finished`` holds the ids of the steps that were finished at least once, in the order of their first finish.
    ``automatic_run`` counts the steps that started by themselves since a person last did something. ``rounds`` says how
    many questions each step has asked so far.
    """

    steps: tuple[CurrentStep, ...] = ()
    pending: tuple[PendingStep, ...] = ()
    holds: tuple[Hold, ...] = ()
    finished: tuple[str, ...] = ()
    automatic_run: int = 0
    rounds: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """The diagram is finished: no step is current or pending."""
        return not self.steps and not self.pending

    def step(self, step_id: str) -> CurrentStep | None:
        return next((step for step in self.steps if step.step_id == step_id), None)

    def current(self, step_id: str) -> CurrentStep:
        """Raises LookupError when the step is not current."""
        step = self.step(step_id)
        if step is None:
            raise LookupError(f"{step_id!r} is not a current step")
        return step

    def hold(self, hold_id: str) -> Hold | None:
        return next((hold for hold in self.holds if hold.hold_id == hold_id), None)

    def holds_of(self, step_id: str) -> tuple[Hold, ...]:
        return tuple(hold for hold in self.holds if hold.step_id == step_id)


@dataclass(frozen=True, slots=True)
class Location:
    """A job's place: ``Multipoint``, ``Polyline`` or ``Polygon``, and its geometry as JSON text."""

    geometry_type: str
    geometry: str


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of an embedded attachment, which are kept apart from it, in a ``BlobStore`` under ``blob_id``.

    ``file_name`` is what the file was called, without any path; ``size`` is in bytes, ``sha256`` hexadecimal.
    """

    blob_id: str
    file_name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something attached to a job: linked (``link``) or embedded (``content``). ``step_id`` ties it to a step.

    ``by`` and ``at_ms`` tell of its last change.
    """

    attachment_id: str
    alias: str
    folder: str
    by: str
    at_ms: int
    step_id: str | None = None
    link: str | None = None
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class DataVersion:
    """A version of a data source that the job works in; ``source`` or ``reference_id`` names the data source."""

    source: str | None = None
    reference_id: str | None = None
    name: str | None = None
    guid: str | None = None
    workflow_administered: bool = False


class AutomationType(StrEnum):
    """What an automation waits for: a moment, or a request from outside."""

    SCHEDULED = "Scheduled"
    WEBHOOK = "Webhook"


@dataclass(frozen=True, slots=True)
class Origin:
    """The automation that made a job, which may be gone by now, and of which type it was."""

    automation_id: str
    automation_type: AutomationType


@dataclass(frozen=True, slots=True)
class Document:
    """What a spooled job is about: a file that stays on the computer it was printed on until the job is released.

    ``uuid`` is the name that computer gave it, ``registered_for`` the user it was for then: together they name one job.
    ``size`` is in bytes; the other members are what the computer has parsed (v3-jobs.md 2.5), ``paper`` a code.
    """

    uuid: str
    registered_for: str
    computer: str
    size: int | None = None
    page_count: int = 0
    color_count: int = 0
    copies: int = 0
    duplex: bool = False
    color: bool = False
    cost: float = 0
    paper: int = 0


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the v3 dialects know of a job beyond the rest of it (v3-jobs.md 4.3).

    ``project`` is a project's number, ``queued_ms`` when the job was last accepted for processing: by a person's first
    start of a step, or by the v3 dialects. ``cancelled`` is final.
    """

    project: int | None = None
    favorite: bool = False
    account: str | None = None
    worker_tag: str = ""
    queued_ms: int | None = None
    cancelled: bool = False
    document: Document | None = None


NO_TICKET = Ticket()

MAX_DESCENDANTS = 1_000
"""So many jobs may come of one run of a CreateJob step, jobs of jobs included."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job. ``diagram_version`` is pinned at creation and moves only by Upgrade (source: rest.md 5.1, 5.7, 14.1).

    ``facts`` answer what expressions ask beyond the members, in the transaction that has read the job and no longer.

    ``may_create`` is how many jobs a run of one of its CreateJob steps may bring about, jobs of those jobs included:
    each of them gets an equal share of what is left, so templates that create each other come to an end.

    ``origin`` is None for a job that a person, a program or a step has made.
    """

    job_id: str
    name: str
    template_id: str
    template_name: str
    diagram_id: str
    diagram_name: str
    diagram_version: int
    owned_by: str
    created_by: str
    created_ms: int
    status: str
    priority: str
    percent_complete: float = 0
    description: str | None = None
    notes: str | None = None
    parent_job: str | None = None
    start_ms: int | None = None
    started_ms: int | None = None
    due_ms: int | None = None
    ended_ms: int | None = None
    closed: bool = False
    closed_by: str | None = None
    location: Location | None = None
    flow: Flow = Flow()
    versions: tuple[DataVersion, ...] = ()
    may_create: int = MAX_DESCENDANTS
    origin: Origin | None = None
    ticket: Ticket = NO_TICKET
    facts: Facts = field(default=NO_FACTS, compare=False, repr=False)

    @property
    def is_running(self) -> bool:
        return any(step.is_running for step in self.flow.steps)
