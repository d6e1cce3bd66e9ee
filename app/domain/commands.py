"""What somebody asks of a job: imperatives. ``actions.py`` decides what becomes of them.

The seven actions take ``step_ids``; empty means all current steps (for ``ReleaseHold``: all held steps).
"""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.job import Answer, Assignment, Location, ReturnValue, WebhookDependency


@dataclass(frozen=True, slots=True)
class Run:
    """Start steps."""

    step_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """Finish steps, also stopped and skippable ones, and move on."""

    step_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop running steps: people's work is paused, processing is cancelled."""

    step_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetCurrentStep:
    """Make one step the only current one. Takes exactly one step id."""

    step_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetHold:
    """Keep steps from running: by hand, until a time, and/or until another job (or its step) is done or a feature
    meets a condition."""

    step_ids: tuple[str, ...] = ()
    scheduled_release_ms: int | None = None
    dependent_job_id: str | None = None
    dependent_step_id: str | None = None
    webhook: WebhookDependency | None = None


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Release manual and scheduled holds or, with ``dependent_job_id`` or ``webhook_connection_id``, those
    dependencies."""

    step_ids: tuple[str, ...] = ()
    dependent_job_id: str | None = None
    dependent_step_id: str | None = None
    webhook_connection_id: str | None = None


@dataclass(frozen=True, slots=True)
class RefreshStatus:
    """Ask a running step to look at its service again."""

    step_ids: tuple[str, ...] = ()


Action = Run | Finish | Stop | SetCurrentStep | SetHold | ReleaseHold | RefreshStatus


@dataclass(frozen=True, slots=True)
class Assign:
    """Give a current step to somebody else; ``step_id`` None means the only (or first) current step."""

    step_id: str | None
    assignment: Assignment


@dataclass(frozen=True, slots=True)
class GiveAnswer:
    """Answer the open prompt of a step. ``prompt_id``, where given, must be the open one."""

    step_id: str
    answer: Answer
    prompt_id: str | None = None


@dataclass(frozen=True, slots=True)
class ApplyAnswer:
    """Apply the stored answer of a prompt (given by the run's owner)."""

    step_id: str
    prompt_id: str


@dataclass(frozen=True, slots=True)
class CompleteRun:
    """An executor has finished its work."""

    step_id: str
    run_id: str
    return_value: ReturnValue


@dataclass(frozen=True, slots=True)
class FailRun:
    """An executor has failed."""

    step_id: str
    run_id: str
    msg: str
    msg_code: str


@dataclass(frozen=True, slots=True)
class EndStoppedRun:
    """An executor has ended after a stop."""

    step_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class ReportProgress:
    """An executor reports how far it is."""

    step_id: str
    run_id: str
    msg: str
    msg_code: str


@dataclass(frozen=True, slots=True)
class EndHold:
    """A hold's time has come, or what it waited for has happened."""

    hold_id: str


MAX_COMMENT_CHARS = 10_000
"""A comment is at most so long, written by itself or with an answer."""


@dataclass(frozen=True, slots=True)
class AddComment:
    """Write a comment, under an id made beforehand."""

    comment: str
    comment_id: str


@dataclass(frozen=True, slots=True)
class SetLocation:
    """Set the job's place; None clears it."""

    location: Location | None


class ManageType(StrEnum):
    """What ``POST jobs/manage`` can do (wire: rest.md 5.7)."""

    CLOSE = "Close"
    REOPEN = "Reopen"
    DELETE = "Delete"
    UPGRADE = "Upgrade"
