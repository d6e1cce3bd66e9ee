"""Why not: every reason against an action on a step. What is shown (``allowedActions``) and what is enforced ask here.

Each check looks at one thing and names who or what could lift it. The first reason gives the step its status; the order
is that of rest.md 15.1. All reasons must be lifted; of the lifts of one reason any one does.
"""

from collections.abc import Iterator
from enum import IntFlag

from app.domain.access import Actor
from app.domain.commands import Action, Finish, RefreshStatus, ReleaseHold, Run, SetCurrentStep, SetHold, Stop
from app.domain.diagram import Diagram, Step, StepKind
from app.domain.finishing import Case, can_be_answered, cannot_finish, executing, is_applying
from app.domain.holds import matching_holds
from app.domain.job import AssignedType, Assignment, CurrentStep, Hold, Job, StepState
from app.domain.joins import awaited_by
from app.domain.outcomes import Lift, LiftKind, Reason, StepStatus


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

ASSIGN_PRIVILEGES = ("jobAssignAny", "jobAssignGroup", "jobAssignIndividual")
"""Each of them is enough to take a step that is assigned to nobody (rest.md 5.8)."""


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
    """Every reason that ``job_reasons`` has not given against ``action`` on one step; both empty: it may be done."""
    step, current = diagram.step(step_id), job.flow.step(step_id)
    reasons = []
    if step is None:
        text = f"The job's diagram has no step {step_id!r}."
        reasons.append(Reason(StepStatus.STEP_NOT_IN_DIAGRAM, text, (Lift(LiftKind.DIAGRAM),)))
    if isinstance(action, SetCurrentStep):
        reasons += _cannot_set_current(job, diagram, actor)
    elif isinstance(action, ReleaseHold):
        reasons += _no_such_hold(job.flow.holds_of(step_id), action) if step else ()
    elif step is not None and current is not None:
        reasons += _reasons_of(action, Case(job, diagram, step, current, actor))
    elif step is not None and job.flow.steps and not isinstance(action, SetHold):
        reasons += _not_current(job, diagram, step)
    return tuple(reasons)


def _reasons_of(action: Action, case: Case) -> Iterator[Reason]:
    """What stands against an action in the current step that it is about."""
    if isinstance(action, Run | Finish):
        yield from _not_assigned(case)
        yield from (hold_reason(hold) for hold in case.job.flow.holds_of(case.step.step_id))
        yield from _cannot_start(case) if isinstance(action, Run) else cannot_finish(case)
    elif isinstance(action, Stop):
        yield from _not_assigned(case, unless="jobForceStop")
        yield from _cannot_stop(case)
    elif isinstance(action, RefreshStatus):
        yield from _not_assigned(case, unless="adminBasic")
        yield from _not_running(case)
    elif case.current.is_running:
        yield executing(case)


def _not_current(job: Job, diagram: Diagram, step: Step) -> Iterator[Reason]:
    """A pending step has one reason for each branch that it waits for."""
    set_current = Lift(LiftKind.ACTION, "SetCurrentStep", step_id=step.step_id)
    if any(waiting.step_id == step.step_id for waiting in job.flow.pending):
        for awaited in awaited_by(diagram, [current.step_id for current in job.flow.steps], step.step_id):
            text = f"The step {step.name!r} waits for another branch, which is at the step {awaited!r}."
            finish = Lift(LiftKind.ACTION, "Finish", step_id=awaited)
            yield Reason(StepStatus.STEP_NOT_CURRENT, text, (finish, set_current))
    else:
        names = ", ".join(current.step_id for current in job.flow.steps)
        text = f"The step {step.name!r} is not a current step; current: {names}."
        yield Reason(StepStatus.STEP_NOT_CURRENT, text, (set_current,))


def describe_assignment(assignment: Assignment) -> str:
    """Say in words who work is assigned to."""
    if assignment.type is AssignedType.UNASSIGNED:
        return "assigned to nobody"
    return f"assigned to the {assignment.type.value.lower()} {assignment.to!r}"


def _not_assigned(case: Case, unless: str | None = None) -> Iterator[Reason]:
    """Args: unless: the privilege that stands in for the assignment."""
    assignment = case.current.assignment
    if case.actor.is_assigned(assignment) or (unless is not None and case.actor.may(unless)):
        return
    extra = (Lift(LiftKind.PRIVILEGE, unless),) if unless else ()
    text = f"The step is {describe_assignment(assignment)}, not to {case.actor.username!r}."
    yield Reason(StepStatus.ASSIGNED_TO_DIFFERENT_USER, text, assignment_lifts(case.current) + extra)


def assignment_lifts(current: CurrentStep) -> tuple[Lift, ...]:
    """Who could do the work of a step, or give it to somebody else: not while it runs, then it is its assignee's."""
    assignment = current.assignment
    if assignment.type is AssignedType.UNASSIGNED:
        return tuple(Lift(LiftKind.PRIVILEGE, name) for name in ASSIGN_PRIVILEGES)
    kind = LiftKind.USER if assignment.type is AssignedType.USER else LiftKind.GROUP
    owner = Lift(kind, assignment.to)
    return (owner,) if current.is_running else (owner, Lift(LiftKind.PRIVILEGE, "jobAssignAny"))


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
    if hold.webhook is not None:
        lifts.append(Lift(LiftKind.FEATURE, hold.webhook.connection_id))
        feature = f"the feature {hold.webhook.object_id} of layer {hold.webhook.layer_id}"
        parts.append(f"until {feature} meets {hold.webhook.condition!r}")
    until = " or ".join(parts) or "until the hold is released"
    text = f"The step is on hold, set by {hold.set_by!r}, {until}."
    return Reason(StepStatus.HELD, text, tuple(lifts), hold.hold_id)


def _cannot_start(case: Case) -> Iterator[Reason]:
    if case.current.state is StepState.WAITING:
        stop = (case.lift("Stop"),)
        lifts = (case.lift("StepInformation"), *stop) if can_be_answered(case) else stop
        yield Reason(StepStatus.WAITING_FOR_INFO, "The step is running and waits for its user's answer.", lifts)
    elif case.current.is_running:
        yield executing(case)


def _cannot_stop(case: Case) -> Iterator[Reason]:
    yield from _not_running(case)
    if case.current.state is StepState.STOPPING or is_applying(case.current):
        yield executing(case)


def _not_running(case: Case) -> Iterator[Reason]:
    if not case.current.is_running:
        lasts = case.step.asks or case.step.is_service  # any other step is over as soon as it is run
        yield Reason(StepStatus.NOT_RUNNING, "The step is not running.", (case.lift("Run"),) if lasts else ())


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
        f"step id, or its webhook connection; other holds without them. {others}",
    )


def _cannot_set_current(job: Job, diagram: Diagram, actor: Actor) -> Iterator[Reason]:
    """Judged on the present current steps, whichever step is to be set (design.md section 6, "Statuses")."""
    steps = job.flow.steps
    if steps and not any(actor.is_assigned(current.assignment) for current in steps):
        lifts = tuple(lift for current in steps for lift in assignment_lifts(current))
        text = f"None of the job's current steps is assigned to {actor.username!r}."
        yield Reason(StepStatus.ASSIGNED_TO_DIFFERENT_USER, text, tuple(dict.fromkeys(lifts)))
    for current in steps:
        if current.is_running:
            yield executing(Case(job, diagram, diagram.by_id[current.step_id], current, actor))


def allowed_actions(job: Job, diagram: Diagram, current: CurrentStep) -> AllowedActions:
    """What the step's assignee may do with it now, asked of the very checks that will judge it."""
    step = diagram.step(current.step_id)
    if step is None or job.closed:
        return AllowedActions.NONE
    name = current.assignment.to if current.assignment.type is AssignedType.USER else None
    assignee = Actor(name or "", is_system=True)
    allowed = AllowedActions.NONE
    if not step_reasons(job, diagram, Stop(), step.step_id, assignee):
        cancels = step.kind in CANCELLED_BY_STOP or step.kind in STOPPED_BY_STOP
        allowed |= AllowedActions.CANCEL if cancels else AllowedActions.PAUSE
    if not step_reasons(job, diagram, Finish(), step.step_id, assignee):
        allowed |= AllowedActions.FINISH
    if step.kind is StepKind.EXECUTE_GP and not step_reasons(job, diagram, RefreshStatus(), step.step_id, assignee):
        allowed |= AllowedActions.REFRESH
    return allowed
