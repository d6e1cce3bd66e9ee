"""What happened to a job: past facts, in order. ``apply.py`` folds them into the job's state.

An event names what it changed, not how it is told: ``services/messages.py`` turns each one into no, one or several wire
messages, ``services/history.py`` into entries of the job's history.
"""

from dataclasses import dataclass

from app.domain.changes import Changes
from app.domain.job import (
    Assignment,
    Attachment,
    CurrentStep,
    Flow,
    Hold,
    Job,
    Location,
    PendingStep,
    ReturnValue,
    Run,
    StepFault,
    StepState,
    StoredAnswer,
    Ticket,
)


@dataclass(frozen=True, slots=True)
class JobCreated:
    """The job exists, with an empty flow; its first step follows as ``StepsActivated``."""

    job: Job
    by: str


@dataclass(frozen=True, slots=True)
class StepsActivated:
    """Steps became current without another one having finished: a job's first step, or joins that an upgrade opened.

    ``pending`` is everything that still waits for other branches.
    """

    steps: tuple[CurrentStep, ...]
    pending: tuple[PendingStep, ...] = ()


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A run began: by a person, or by itself (``automatic``)."""

    step_id: str
    run: Run
    automatic: bool


@dataclass(frozen=True, slots=True)
class PromptOpened:
    """The running step asks its user; the prompt's id is ``run.prompt_id`` from now on."""

    step_id: str
    prompt_id: str


@dataclass(frozen=True, slots=True)
class AnswerStored:
    """The first valid answer was stored and closed the prompt; it will be applied by the run's owner."""

    step_id: str
    prompt_id: str
    stored: StoredAnswer


@dataclass(frozen=True, slots=True)
class AnswerRejected:
    """A stored answer could not be applied after all; the prompt is open again."""

    step_id: str
    prompt_id: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class StepHandled:
    """The user has answered, and works on until Finish."""

    step_id: str
    return_value: ReturnValue


@dataclass(frozen=True, slots=True)
class StepProgressed:
    """A running step reports how far it is. Changes nothing in the job."""

    step_id: str
    msg: str
    msg_code: str


@dataclass(frozen=True, slots=True)
class StepCompleted:
    """A service step ran to its end and waits for Finish, as it does not proceed by itself."""

    step_id: str
    return_value: ReturnValue


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A visit is over and the job has moved on.

    ``activated`` became current, ``pending`` is everything that waits for other branches afterwards, ``status`` is the
    job's new status where a path taken sets one. ``skipped``: the step was finished without having been run.
    ``automatic``: it finished by itself, not by a person's Finish. ``notifications`` are the e-mail templates of the
    paths taken, each once.
    """

    step: CurrentStep
    by: str
    at_ms: int
    return_value: ReturnValue
    activated: tuple[CurrentStep, ...]
    pending: tuple[PendingStep, ...]
    status: str | None
    skipped: bool
    automatic: bool
    notifications: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkflowCompleted:
    """No step is current or pending any more; the job is 100 percent complete and stays open."""

    by: str


@dataclass(frozen=True, slots=True)
class StepStopping:
    """A stop was asked for; the executor has not ended yet."""

    step_id: str
    by: str


@dataclass(frozen=True, slots=True)
class StepStopped:
    """A run ended without finishing: paused, cancelled, or stopped (which counts as cancelled).

    ``state`` is PAUSED or CANCELLED; ``told_as_stopped`` asks for the wire message ``StepStopped``.
    """

    step_id: str
    by: str
    state: StepState
    told_as_stopped: bool = False


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A run failed; the step stays current and can be run again."""

    step_id: str
    by: str
    fault: StepFault


@dataclass(frozen=True, slots=True)
class CurrentStepSet:
    """A person made one step the only current one. Pending steps are gone; others ceased to be current.

    ``is_new``: the step was not current before, so a visit begins.
    """

    step: CurrentStep
    deactivated: tuple[str, ...]
    by: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class StatusRefreshed:
    """Somebody asked a running step for its status; its present state is told again. Changes nothing in the job."""

    step_id: str
    by: str


@dataclass(frozen=True, slots=True)
class StepReassigned:
    """A current step waits for somebody else now."""

    step_id: str
    assignment: Assignment
    by: str


@dataclass(frozen=True, slots=True)
class HoldSet:
    """A hold was put on a step. ``blocks``: the step is current, so the hold keeps it from running now."""

    hold: Hold
    blocks: bool


@dataclass(frozen=True, slots=True)
class StepReachedHeld:
    """A step became current that already has holds."""

    step_id: str
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class HoldReleased:
    """A hold is gone. ``frees``: it was the last one of a current step, which can run again."""

    hold: Hold
    by: str
    at_ms: int
    frees: bool


@dataclass(frozen=True, slots=True)
class HoldEndedAtOnce:
    """A hold was recorded whose end had already come: it never blocked anything."""

    hold: Hold
    by: str


@dataclass(frozen=True, slots=True)
class CommentAdded:
    """A person wrote a comment."""

    comment_id: str
    comment: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class LocationSet:
    """The job's place was set (``added``) or changed."""

    location: Location
    by: str
    added: bool


@dataclass(frozen=True, slots=True)
class LocationCleared:
    """The job has no place any more."""

    by: str


@dataclass(frozen=True, slots=True)
class AttachmentsAdded:
    """Files or links were attached to the job. Changes nothing in the job itself."""

    attachments: tuple[Attachment, ...]
    by: str


@dataclass(frozen=True, slots=True)
class AttachmentChanged:
    """An attachment has another alias or folder; ``attachment`` is as it is now."""

    attachment: Attachment
    by: str


@dataclass(frozen=True, slots=True)
class AttachmentDeleted:
    """An attachment is gone."""

    attachment: Attachment
    by: str


@dataclass(frozen=True, slots=True)
class PropertiesSet:
    """Members of the job, its extended properties or its related rows were given new values."""

    changes: Changes
    by: str


@dataclass(frozen=True, slots=True)
class JobClosed:
    """The job is closed; ``status`` is the template's final status, where it has one.

    ``cancelled``: it was given up, and is never opened again.
    """

    by: str
    at_ms: int
    status: str | None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class JobQueued:
    """The job was accepted for processing (v3-jobs.md 4.3); what can start follows."""

    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class JobRestarted:
    """A finished job begins anew; the step it begins at follows as ``StepsActivated``."""

    by: str


@dataclass(frozen=True, slots=True)
class TicketSet:
    """The job's ticket, its owner or both are others now.

    ``told`` says of each member that has changed how the wire calls it, what it was and what it is, as text.
    """

    ticket: Ticket
    owned_by: str
    told: tuple[tuple[str, str, str], ...]
    by: str


@dataclass(frozen=True, slots=True)
class JobReopened:
    """A closed job is open again; its current steps (``step_ids``) go on where they were."""

    by: str
    step_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobUpgraded:
    """The job follows another version of its diagram.

    ``flow`` keeps what the new version still has: current steps by id, pending and finished steps, holds.
    """

    by: str
    diagram_name: str
    diagram_version: int
    flow: Flow


@dataclass(frozen=True, slots=True)
class JobDeleted:
    """The job is gone; its id is never used again."""

    by: str


Event = (
    JobCreated
    | StepsActivated
    | StepStarted
    | PromptOpened
    | AnswerStored
    | AnswerRejected
    | StepHandled
    | StepProgressed
    | StepCompleted
    | StepFinished
    | WorkflowCompleted
    | StepStopping
    | StepStopped
    | StepFailed
    | CurrentStepSet
    | StatusRefreshed
    | StepReassigned
    | HoldSet
    | StepReachedHeld
    | HoldReleased
    | HoldEndedAtOnce
    | CommentAdded
    | LocationSet
    | LocationCleared
    | AttachmentsAdded
    | AttachmentChanged
    | AttachmentDeleted
    | PropertiesSet
    | JobClosed
    | JobQueued
    | JobRestarted
    | TicketSet
    | JobReopened
    | JobUpgraded
    | JobDeleted
)
