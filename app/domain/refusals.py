"""Why not: every reason against an action on a step. What is shown (``allowedActions``) and what is enforced ask here.

Each check looks at one thing and names who or what could lift it. The first reason gives the step its status; the order
is that of rest.md 15.1.
"""

from collections.abc import Iterator
from enum import IntFlag

from app.domain.access import Actor
from app.domain.commands import Action, Finish, RefreshStatus, ReleaseHold, Run, SetCurrentStep, SetHold, Stop
from app.domain.diagram import Diagram, Step, StepKind
from app.domain.holds import matching_holds
from app.domain.job import AssignedType, Assignment, CurrentStep, Hold, Job, ReturnValue, StepState
from app.domain.outcomes import Lift, LiftKind, Reason, StepStatus
from app.domain.paths import matching_paths, scope_of
from app.expressions.arcade import STEP_ERROR, STEP_SUCCESS, ArcadeError


class AllowedActions(IntFlag):
    """What the user may do with a running step (wire: websocket.md 5.3)."""

    NONE = 0
    CANCEL = 1
    PAUSE = 2
    FINISH = 4
    REFRESH = 8


CANCELLED_BY_STOP = frozenset({StepKind.QUESTION, StepKind.EXECUTE_GP})
"""Kinds whose Stop cancels and says ``StepCancelled`` (rest.md 15.4)."""

STOPPED_BY_STOP = frozenset({StepKind.EMAIL, StepKind.WEB_REQUEST, StepKind.CREATE_JOB, StepKind.UPDATE_PROPERTIES})
"""Kinds whose Stop cancels and says ``StepStopped`` (design.md section 6, "Stop"). All others pause."""


def job_reasons(job: Job, action: Action) -> tuple[Reason, ...]:
    """What stands against the action whatever the step: the job is closed, or is at no step."""
    reasons = []
    if job.closed:
        lift = (Lift(LiftKind.PRIVILEGE, "jobReopenClosed"),)
        reasons.append(Reason(StepStatus.JOB_CLOSED, "The job is closed; reopen it first.", lift))
    if not job.flow.steps and _needs_active_step(action):
        text = "The job has no active step: its workflow has come to its end."
        reasons.append(Reason(StepStatus.NO_ACTIVE_STEP, text))
    return tuple(reasons)


def _needs_active_step(action: Action) -> bool:
    """Holds may be put on, and taken off, steps that are still to come."""
    if isinstance(action, SetHold):
        return not action.step_ids
    return not isinstance(action, ReleaseHold)


def step_reasons(job: Job, diagram: Diagram, action: Action, step_id: str, actor: Actor) -> tuple[Reason, ...]:
    """Every reason against ``action`` on one step of a job that passed ``job_reasons``; empty means it may be done."""
    step = diagram.step(step_id)
    if step is None:
        text = f"The job's diagram has no step {step_id!r}."
        return (Reason(StepStatus.STEP_NOT_IN_DIAGRAM, text),)
    current = job.flow.step(step_id)
    if isinstance(action, SetHold):
        return tuple(_unless_running(current))
    if isinstance(action, ReleaseHold):
        return tuple(_no_such_hold(job.flow.holds_of(step_id), action))
    if isinstance(action, SetCurrentStep):
        return tuple(_cannot_set_current(job, actor))
    if current is None:
        return (_not_current(job, step),)
    return tuple(_reasons_of(job, diagram, action, step, current, actor))


def _reasons_of(
    job: Job, diagram: Diagram, action: Action, step: Step, current: CurrentStep, actor: Actor
) -> Iterator[Reason]:
    if isinstance(action, Run):
        yield from _not_assigned(current.assignment, actor)
        yield from _held(job, step.step_id)
        yield from _cannot_start(current)
    elif isinstance(action, Finish):
        yield from _not_assigned(current.assignment, actor)
        yield from _held(job, step.step_id)
        yield from _cannot_finish(job, diagram, step, current, actor)
    elif isinstance(action, Stop):
        if not actor.may("jobForceStop"):
            yield from _not_assigned(current.assignment, actor, also="jobForceStop")
        yield from _cannot_stop(current)
    elif isinstance(action, RefreshStatus):
        if not actor.may("adminBasic"):
            yield from _not_assigned(current.assignment, actor, also="adminBasic")
        yield from _not_running(current)


def _not_current(job: Job, step: Step) -> Reason:
    names = ", ".join(current.step_id for current in job.flow.steps)
    pending = any(waiting.step_id == step.step_id for waiting in job.flow.pending)
    if pending:
        lifts = tuple(Lift(LiftKind.ACTION, "Finish", step_id=current.step_id) for current in job.flow.steps)
        text = f"The step {step.name!r} waits for other branches to arrive before it becomes current."
    else:
        lifts = (Lift(LiftKind.ACTION, "SetCurrentStep", step_id=step.step_id),)
        text = f"The step {step.name!r} is not a current step; current: {names}."
    return Reason(StepStatus.STEP_NOT_CURRENT, text, lifts)


def assignment_lifts(assignment: Assignment) -> tuple[Lift, ...]:
    """Who could do work that is assigned like this, or change the assignment."""
    anyone = Lift(LiftKind.PRIVILEGE, "jobAssignAny")
    if assignment.type is AssignedType.USER:
        return (Lift(LiftKind.USER, assignment.to), anyone)
    if assignment.type is AssignedType.GROUP:
        return (Lift(LiftKind.GROUP, assignment.to), anyone)
    return (anyone,)


def describe_assignment(assignment: Assignment) -> str:
    """Say in words who work is assigned to."""
    if assignment.type is AssignedType.UNASSIGNED:
        return "assigned to nobody"
    return f"assigned to the {assignment.type.value.lower()} {assignment.to!r}"


def _not_assigned(assignment: Assignment, actor: Actor, also: str | None = None) -> Iterator[Reason]:
    if not actor.is_assigned(assignment):
        extra = (Lift(LiftKind.PRIVILEGE, also),) if also else ()
        yield Reason(
            StepStatus.ASSIGNED_TO_DIFFERENT_USER,
            f"The step is {describe_assignment(assignment)}, not to {actor.username!r}.",
            assignment_lifts(assignment) + extra,
        )


def _held(job: Job, step_id: str) -> Iterator[Reason]:
    for hold in job.flow.holds_of(step_id):
        yield hold_reason(hold)


def hold_reason(hold: Hold) -> Reason:
    """Say why a held step is held, and what ends the hold."""
    lifts: list[Lift] = [Lift(LiftKind.PRIVILEGE, "jobUpdateHolds")]
    parts = []
    if hold.scheduled_release_ms is not None:
        lifts.append(Lift(LiftKind.TIME, at_ms=hold.scheduled_release_ms))
        parts.append("until its scheduled release")
    if hold.dependent_job_id is not None:
        lifts.append(Lift(LiftKind.JOB, job_id=hold.dependent_job_id, step_id=hold.dependent_step_id))
        of_step = f" has finished its step {hold.dependent_step_id!r}" if hold.dependent_step_id else " is done"
        parts.append(f"until job {hold.dependent_job_id!r}{of_step}")
    until = " or ".join(parts) or "until the hold is released"
    text = f"The step is on hold, set by {hold.set_by!r}, {until}."
    return Reason(StepStatus.HELD, text, tuple(lifts), hold.hold_id)


def _cannot_start(current: CurrentStep) -> Iterator[Reason]:
    if current.state is StepState.WAITING:
        lifts = (
            Lift(LiftKind.ACTION, "StepInformation", step_id=current.step_id),
            Lift(LiftKind.ACTION, "Stop", step_id=current.step_id),
        )
        yield Reason(StepStatus.WAITING_FOR_INFO, "The step is running and waits for its user's answer.", lifts)
    elif current.is_running:
        yield _executing(current)


def _executing(current: CurrentStep) -> Reason:
    if current.state is StepState.STOPPING:
        return Reason(StepStatus.ALREADY_EXECUTING, "The step is being stopped; wait until it has ended.")
    if current.run is not None and current.run.answer is not None and current.state is StepState.EXECUTING:
        text = "The step's question has been answered, and the answer is being applied."
        return Reason(StepStatus.ALREADY_EXECUTING, text)
    actions = ["Stop", "Finish"] if current.state is not StepState.EXECUTING else ["Stop"]
    lifts = tuple(Lift(LiftKind.ACTION, name, step_id=current.step_id) for name in actions)
    return Reason(StepStatus.ALREADY_EXECUTING, "The step is already running.", lifts)


def _unless_running(current: CurrentStep | None) -> Iterator[Reason]:
    if current is not None and current.is_running:
        yield _executing(current)


def _cannot_stop(current: CurrentStep) -> Iterator[Reason]:
    if not current.is_running:
        yield from _not_running(current)
    elif current.state is StepState.STOPPING or _is_applying(current):
        yield _executing(current)


def _is_applying(current: CurrentStep) -> bool:
    return current.state is StepState.EXECUTING and current.run is not None and current.run.answer is not None


def _not_running(current: CurrentStep) -> Iterator[Reason]:
    if not current.is_running:
        lift = (Lift(LiftKind.ACTION, "Run", step_id=current.step_id),)
        yield Reason(StepStatus.NOT_RUNNING, "The step is not running.", lift)


def _no_such_hold(holds: tuple[Hold, ...], action: ReleaseHold) -> Iterator[Reason]:
    if matching_holds(holds, action):
        return
    if not holds:
        yield Reason(StepStatus.NOT_HELD, "The step is not on hold.")
        return
    others = "; ".join(hold_reason(hold).description for hold in holds)
    yield Reason(
        StepStatus.NOT_HELD,
        "The step has no such hold. A dependency is released by naming its job id and, where it waits for one, its "
        f"step id; other holds without them. {others}",
    )


def _cannot_set_current(job: Job, actor: Actor) -> Iterator[Reason]:
    if not any(actor.is_assigned(current.assignment) for current in job.flow.steps):
        lifts = tuple(lift for current in job.flow.steps for lift in assignment_lifts(current.assignment))
        text = f"None of the job's current steps is assigned to {actor.username!r}."
        yield Reason(StepStatus.ASSIGNED_TO_DIFFERENT_USER, text, tuple(dict.fromkeys(lifts)))
    for current in job.flow.steps:
        if current.is_running:
            yield _executing(current)


def is_skip(step: Step, current: CurrentStep) -> bool:
    """Finishing this visit now would skip the step: it may be skipped, and has no run that counts."""
    unrun = current.state in {StepState.READY, StepState.CANCELLED, StepState.FAILED}
    return step.can_skip and unrun


def finishing_value(step: Step, current: CurrentStep) -> ReturnValue:
    """What ``$retVal`` is when this visit is finished by hand as it stands now."""
    if current.state in {StepState.HANDLED, StepState.DONE}:
        return current.return_value
    if step.kind is StepKind.QUESTION:
        return None
    if current.state is StepState.FAILED and not step.can_skip:
        return STEP_ERROR
    return STEP_SUCCESS


def _cannot_finish(job: Job, diagram: Diagram, step: Step, current: CurrentStep, actor: Actor) -> Iterator[Reason]:
    state = current.state
    run = Lift(LiftKind.ACTION, "Run", step_id=current.step_id)
    answer = Lift(LiftKind.ACTION, "StepInformation", step_id=current.step_id)
    if state in {StepState.EXECUTING, StepState.STOPPING}:
        yield _executing(current)
    elif state in {StepState.READY, StepState.CANCELLED} and not step.can_skip:
        word = "was cancelled" if state is StepState.CANCELLED else "has not been started"
        yield Reason(StepStatus.NO_STARTED_STEP, f"The step {word}, and it may not be skipped; run it first.", (run,))
    elif state is StepState.FAILED and not step.can_skip and not error_is_expected(job, diagram, step, actor):
        text = "The step has failed, and no path leads on from a failure; run it again."
        yield Reason(StepStatus.NO_MATCHING_PATHS, text, (run,))
    elif is_skip(step, current):
        yield from no_way_out(job, diagram, step, finishing_value(step, current), actor)
    elif step.kind is StepKind.QUESTION:
        lift = answer if state is StepState.WAITING else run
        yield Reason(StepStatus.NO_MATCHING_PATHS, "The question has not been answered; the answer decides.", (lift,))
    elif step.comment_required and state in {StepState.WAITING, StepState.PAUSED}:
        lift = answer if state is StepState.WAITING else run
        text = "The step needs a comment, which comes with its answer."
        yield Reason(StepStatus.WAITING_FOR_INFO, text, (lift,))
    else:
        yield from no_way_out(job, diagram, step, finishing_value(step, current), actor)


def error_is_expected(job: Job, diagram: Diagram, step: Step, actor: Actor) -> bool:
    """A failed step can be finished if a path leads on for the error value of ``$retVal``."""
    try:
        return bool(matching_paths(diagram, step, scope_of(job, actor.username, STEP_ERROR)))
    except ArcadeError:
        return False


def no_way_out(
    job: Job, diagram: Diagram, step: Step, value: ReturnValue, actor: Actor
) -> Iterator[Reason]:
    """Refuse to finish a step whose paths all stay shut for this return value. A step without paths ends its branch."""
    if not step.paths:
        return
    lift = (Lift(LiftKind.DIAGRAM),)
    try:
        taken = matching_paths(diagram, step, scope_of(job, actor.username, value))
    except ArcadeError as error:
        yield Reason(StepStatus.NO_MATCHING_PATHS, f"A path of the step cannot be evaluated: {error}", lift)
        return
    if not taken:
        missing = [path.next_step for path in step.paths if path.next_step not in diagram.by_id]
        text = "No path out of the step matches, so the job cannot move on."
        if missing:
            text += f" The diagram has no step {missing[0]!r}, to which one of the paths leads."
        yield Reason(StepStatus.NO_MATCHING_PATHS, text, lift)


def allowed_actions(job: Job, diagram: Diagram, current: CurrentStep) -> AllowedActions:
    """What the step's assignee may do with it now, asked of the very checks that will judge it."""
    step = diagram.step(current.step_id)
    if step is None or job.closed:
        return AllowedActions.NONE
    assignee = Actor("", is_system=True)
    allowed = AllowedActions.NONE
    if not step_reasons(job, diagram, Stop(), step.step_id, assignee):
        cancels = step.kind in CANCELLED_BY_STOP or step.kind in STOPPED_BY_STOP
        allowed |= AllowedActions.CANCEL if cancels else AllowedActions.PAUSE
    if not step_reasons(job, diagram, Finish(), step.step_id, assignee):
        allowed |= AllowedActions.FINISH
    if step.kind is StepKind.EXECUTE_GP and current.is_running:
        allowed |= AllowedActions.REFRESH
    return allowed
