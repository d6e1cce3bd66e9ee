"""What became of a command: a status per step, and every reason against it."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.events import Event
from app.domain.job import Job


class StepStatus(StrEnum):
    """The outcome of an action for one step (wire: rest.md 5.6)."""

    SUCCESS = "Success"
    NO_STARTED_STEP = "NoStartedStep"
    NO_ACTIVE_STEP = "NoActiveStep"
    ALREADY_EXECUTING = "AlreadyExecuting"
    ASSIGNED_TO_DIFFERENT_USER = "AssignedToDifferentUser"
    JOB_CLOSED = "JobClosed"
    STEP_NOT_CURRENT = "StepNotCurrent"
    NO_MATCHING_PATHS = "NoMatchingPaths"
    NOT_RUNNING = "NotRunning"
    WAITING_FOR_INFO = "WaitingForInfo"
    HELD = "Held"
    NOT_HELD = "NotHeld"
    STEP_NOT_IN_DIAGRAM = "StepNotInDiagram"
    STEP_NOT_AUTO = "StepNotAuto"


class LiftKind(StrEnum):
    """What kind of thing could lift a refusal."""

    USER = "user"
    GROUP = "group"
    PRIVILEGE = "privilege"
    ACTION = "action"
    JOB = "job"
    TIME = "time"
    FEATURE = "feature"
    DIAGRAM = "diagram"


@dataclass(frozen=True, slots=True)
class Lift:
    """Who or what could lift a refusal: a user or group by ``name``, a holder of the privilege ``name``, the action
    ``name`` (on ``step_id``, where given), another job (or its step), a feature that the webhook connection ``name``
    reports, or the moment ``at_ms``."""

    kind: LiftKind
    name: str | None = None
    job_id: str | None = None
    step_id: str | None = None
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why not. ``lifts`` are alternatives: any one of them would do; none means nothing can."""

    status: StepStatus
    description: str
    lifts: tuple[Lift, ...] = ()
    hold_id: str | None = None


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of an action for one step. ``reasons`` is empty on success; the first one gave the status."""

    step_id: str
    status: StepStatus
    description: str
    reasons: tuple[Reason, ...] = ()

    @property
    def is_success(self) -> bool:
        return self.status is StepStatus.SUCCESS


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event, and the job as it was right after it."""

    event: Event
    job: Job


@dataclass(frozen=True, slots=True)
class Decision:
    """What a command leads to. ``automatic`` tells what became of steps that were to start by themselves.

    A refused command records nothing: ``job`` is the job as it was.
    """

    job: Job
    recorded: tuple[Recorded, ...] = ()
    outcomes: tuple[StepOutcome, ...] = ()
    automatic: tuple[StepOutcome, ...] = ()

    @property
    def success(self) -> bool:
        return all(outcome.is_success for outcome in self.outcomes)
