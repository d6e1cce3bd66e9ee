"""Decides the seven actions: what becomes of Run, Finish, Stop, SetCurrentStep, Hold, ReleaseHold and RefreshStatus.

Pure: ``decide`` gets the job, its diagram, who asks and when; it returns what would happen, step by step. Semantics:
rest.md 15, and design.md section 6 where that is silent.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.domain import events as e
from app.domain.access import Actor
from app.domain.commands import Action, Finish, RefreshStatus, ReleaseHold, Run, SetCurrentStep, SetHold, Stop
from app.domain.diagram import Diagram
from app.domain.finishing import finishing_value, is_skip
from app.domain.holds import (
    ConnectionFacts,
    DependencyTarget,
    check_dependency,
    check_webhook,
    has_ended,
    matching_holds,
)
from app.domain.job import CurrentStep, Hold, Job, StepState
from app.domain.outcomes import Decision, Reason, StepOutcome, StepStatus
from app.domain.refusals import (
    CANCELLED_BY_STOP,
    STOPPED_BY_STOP,
    job_reasons,
    step_reasons,
)
from app.domain.work import Work
from app.errors import InvalidValue, PermissionDenied

MAX_HOLDS = 1_000
"""A job has at most so many unreleased holds."""

PRIVILEGE_OF: dict[type[Action], str] = {
    SetCurrentStep: "workflowSetStepCurrent",
    SetHold: "jobUpdateHolds",
    ReleaseHold: "jobUpdateHolds",
}
"""The privilege that an action needs as a whole; the others are for whom the step is assigned to."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a command is given, and where its ids come from."""

    now_ms: int
    new_id: Callable[[], str]


def decide(
    job: Job,
    diagram: Diagram,
    action: Action,
    actor: Actor,
    moment: Moment,
    *,
    dependency: DependencyTarget | None = None,
    connection: ConnectionFacts | None = None,
) -> Decision:
    """Decide one action on the steps it names (or on all that it means).

    Each step is decided by itself, in order: what is refused for one step does not keep the others from being done.

    Args:
        dependency: the job that a ``SetHold`` is to wait for, if there is such a job.
        connection: the webhook connection that it names, if there is such a one.

    Raises:
        PermissionDenied: the actor lacks the privilege for the whole call.
        InvalidValue: the action itself makes no sense (a circular dependency, not exactly one step to set).
    """
    _check_call(job, action, actor, dependency, connection)
    work = Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
    outcomes = [_decide_step(work, action, step_id, dependency) for step_id in _targets(job, action)]
    work.start_automatic_steps()
    return Decision(work.job, tuple(work.recorded), tuple(outcomes), tuple(work.automatic))


def _check_call(
    job: Job,
    action: Action,
    actor: Actor,
    dependency: DependencyTarget | None,
    connection: ConnectionFacts | None,
) -> None:
    _require(actor, action)
    if isinstance(action, SetCurrentStep):
        if len(set(action.step_ids)) != 1:
            raise InvalidValue("SetCurrentStep takes exactly one step id in stepIds.")
    elif isinstance(action, SetHold):
        check_dependency(job, action, dependency)
        check_webhook(action, connection)
        if len(job.flow.holds) + len(_targets(job, action)) > MAX_HOLDS:
            raise InvalidValue(f"The job has {len(job.flow.holds)} holds; it may have {MAX_HOLDS}.")
    elif isinstance(action, ReleaseHold):
        if action.dependent_step_id is not None and action.dependent_job_id is None:
            raise InvalidValue("dependentStepId needs dependentJobId: name the job whose step is meant.")
        if action.webhook_connection_id is not None and action.dependent_job_id is not None:
            raise InvalidValue("ReleaseHold names a job or a webhook connection, not both; send two.")


def missing_privilege(action: Action, actor: Actor) -> str | None:
    """The privilege that the actor would need for the whole call and does not have."""
    privilege = PRIVILEGE_OF.get(type(action))
    return None if privilege is None or actor.may(privilege) else privilege


def _require(actor: Actor, action: Action) -> None:
    if privilege := missing_privilege(action, actor):
        name = "Hold" if isinstance(action, SetHold) else type(action).__name__
        raise PermissionDenied(f"{name} needs the privilege {privilege}, which {actor.username!r} does not have.")


def _targets(job: Job, action: Action) -> tuple[str, ...]:
    """The steps an action is about, each once; one empty id when it means all and there are none."""
    if action.step_ids:
        return tuple(dict.fromkeys(action.step_ids))
    if isinstance(action, ReleaseHold):
        held = dict.fromkeys(hold.step_id for hold in job.flow.holds)
        matching = dict.fromkeys(hold.step_id for hold in matching_holds(job.flow.holds, action))
        return tuple(matching or held) or ("",)
    return tuple(step.step_id for step in job.flow.steps) or ("",)


def _decide_step(work: Work, action: Action, step_id: str, dependency: DependencyTarget | None) -> StepOutcome:
    reasons = _reasons(work, action, step_id)
    if reasons:
        return StepOutcome(step_id, reasons[0].status, reasons[0].description, reasons)
    return StepOutcome(step_id, StepStatus.SUCCESS, _perform(work, action, step_id, dependency))


def _perform(work: Work, action: Action, step_id: str, dependency: DependencyTarget | None) -> str:
    """Do what nothing stands against; returns the sentence for ``statusDescription``."""
    if isinstance(action, SetHold):
        return _hold(work, action, step_id, dependency)
    if isinstance(action, ReleaseHold):
        return _release(work, action, step_id)
    return _MOVES[type(action)](work, step_id)


def _reasons(work: Work, action: Action, step_id: str) -> tuple[Reason, ...]:
    of_job = job_reasons(work.job, action)
    if not step_id and not action.step_ids:
        return of_job or (Reason(StepStatus.NOT_HELD, "No step of the job is on hold."),)
    return of_job + step_reasons(work.job, work.diagram, action, step_id, work.actor)


def _run(work: Work, step_id: str) -> str:
    work.start(work.job.flow.current(step_id))
    return "The step was started running"


def _finish(work: Work, step_id: str) -> str:
    step, current = work.diagram.by_id[step_id], work.job.flow.current(step_id)
    skipped = is_skip(step, current)
    work.finish(step_id, finishing_value(step, current), skipped=skipped)
    return "The step was skipped" if skipped else "The step was finished"


def _stop(work: Work, step_id: str) -> str:
    step, by = work.diagram.by_id[step_id], work.actor.username
    if step.is_service:
        work.record(e.StepStopping(step_id, by))
        return "The step is being stopped"
    work.record(stopped(work, step_id))
    cancels = step.kind in CANCELLED_BY_STOP or step.kind in STOPPED_BY_STOP
    return "The step was cancelled" if cancels else "The step was paused"


def stopped(work: Work, step_id: str) -> e.StepStopped:
    """How a stopped run of this step ends, by its kind (rest.md 15.4; design.md section 6, "Stop")."""
    kind, by = work.diagram.by_id[step_id].kind, work.actor.username
    if kind in CANCELLED_BY_STOP:
        return e.StepStopped(step_id, by, StepState.CANCELLED)
    if kind in STOPPED_BY_STOP:
        return e.StepStopped(step_id, by, StepState.CANCELLED, told_as_stopped=True)
    return e.StepStopped(step_id, by, StepState.PAUSED)


def _set_current(work: Work, step_id: str) -> str:
    """The step set keeps its visit if it is current already; otherwise it begins one, with the actor's assignment."""
    steps = work.job.flow.steps
    known = work.job.flow.step(step_id)
    source = next(step for step in steps if work.actor.is_assigned(step.assignment))
    kept = known or CurrentStep(step_id, work.new_id(), source.assignment, work.now_ms)
    left = tuple(step.step_id for step in steps if step.step_id != step_id)
    work.record(e.CurrentStepSet(kept, left, work.actor.username, is_new=known is None))
    holds = work.job.flow.holds_of(step_id)
    if holds and known is None:
        work.record(e.StepReachedHeld(step_id, holds))
    return "The step was set as the current step"


def _hold(work: Work, action: SetHold, step_id: str, dependency: DependencyTarget | None) -> str:
    by = work.actor.username
    hold = Hold(
        work.new_id(),
        step_id,
        by,
        work.now_ms,
        action.scheduled_release_ms,
        action.dependent_job_id,
        action.dependent_step_id,
        action.webhook,
    )
    if has_ended(hold, dependency, now_ms=work.now_ms):
        work.record(e.HoldEndedAtOnce(hold, by))
        return "The hold was recorded, and has ended already: what it would have waited for has happened"
    work.record(e.HoldSet(hold, blocks=work.job.flow.step(step_id) is not None))
    return "The step was put on hold"


def _release(work: Work, action: ReleaseHold, step_id: str) -> str:
    for hold in matching_holds(work.job.flow.holds_of(step_id), action):
        work.release(hold)
    return "The hold was released"


def _refresh(work: Work, step_id: str) -> str:
    work.record(e.StatusRefreshed(step_id, work.actor.username))
    return "The step's status was refreshed"


_MOVES: dict[type[Action], Callable[[Work, str], str]] = {
    Run: _run,
    Finish: _finish,
    Stop: _stop,
    SetCurrentStep: _set_current,
    RefreshStatus: _refresh,
}
