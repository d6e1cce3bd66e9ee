"""Does what a refusal says would lift it: just that, and what the lift itself needs before it can be done."""

from dataclasses import replace

from app.domain.access import PRIVILEGES, SYSTEM, Actor
from app.domain.commands import Action, Finish, ManageType, ReleaseHold, Run, SetCurrentStep, Stop
from app.domain.diagram import Path, StepKind
from app.domain.finishing import is_applying
from app.domain.job import UNASSIGNED, Answer, CurrentStep, Hold, PropertyResponse, StepState
from app.domain.outcomes import Lift, LiftKind, Reason, StepStatus
from app.domain.prompts import Refused, choices
from tests.domain.builders import Play, step, user

ACTIONS: dict[str, type[Action]] = {"Run": Run, "Finish": Finish, "Stop": Stop, "SetCurrentStep": SetCurrentStep}

ANSWERS = {
    StepKind.QUESTION: Answer(question_response=1, comment="So be it"),
    StepKind.MANUAL: Answer(manual_response=True, comment="So be it"),
    StepKind.OTHER: Answer(manual_response=True, comment="So be it"),
    StepKind.OPEN_APP: Answer(open_app_response=True, comment="So be it"),
    StepKind.DEFINE_LOCATION: Answer(location='{"x": 1, "y": 2}', comment="So be it"),
    StepKind.UPDATE_PROPERTIES: Answer(property_responses=(PropertyResponse("site.acres", "3"),), comment="So be it"),
    StepKind.ATTACHMENT: Answer(attachment_response=True, comment="So be it"),
    StepKind.ADVANCED_ASSIGNMENT: Answer(assignment_response="ben", comment="So be it"),
}
"""A right answer to each kind of step."""


def is_lifted(play: Play, action: Action, actor: Actor, reason: Reason, lift: Lift) -> bool:
    """Do what ``lift`` says, in a copy of the job; tell whether ``reason`` no longer stands against the action.

    It also counts when the step that had to move has moved, though a path has led it back to where it was.
    """
    copy = replace(play, recorded=[])
    if copy.job.closed and reason.status is not StepStatus.JOB_CLOSED:
        copy.manage(ManageType.REOPEN, SYSTEM)
    visit = copy.job.flow.step(lift.step_id or "")
    actor = _perform(copy, reason, lift, actor)
    if lift.kind is LiftKind.ACTION and visit and _has_moved(copy, visit):
        return True
    return _identity(reason) not in map(_identity, copy.reasons(action, actor))


def _identity(reason: Reason) -> tuple[StepStatus, str, str | None]:
    return reason.status, reason.description, reason.hold_id


def _perform(play: Play, reason: Reason, lift: Lift, actor: Actor) -> Actor:
    """Returns who asks afterwards: the same actor, or the one the lift names."""
    match lift.kind:
        case LiftKind.USER:
            return replace(actor, username=lift.name or "")
        case LiftKind.GROUP:
            return replace(actor, groups=actor.groups | {lift.name or ""})
        case LiftKind.PRIVILEGE:
            return _use_privilege(play, reason, lift.name or "", actor)
        case LiftKind.ACTION:
            achieve(play, lift)
        case LiftKind.DIAGRAM:
            _mend_diagram(play)
        case LiftKind.TIME:
            assert lift.at_ms
            play.now_ms = lift.at_ms
            assert play.end_hold(reason.hold_id or "")
        case LiftKind.JOB:
            assert lift.job_id
            assert play.end_hold(reason.hold_id or "")
        case LiftKind.FEATURE:
            assert lift.name
            assert play.end_hold(reason.hold_id or "")
    return actor


def release_of(hold: Hold) -> ReleaseHold:
    """The action that releases it, by what it waits for."""
    connection_id = hold.webhook.connection_id if hold.webhook else None
    return ReleaseHold((hold.step_id,), hold.dependent_job_id, hold.dependent_step_id, connection_id)


def _use_privilege(play: Play, reason: Reason, privilege: str, actor: Actor) -> Actor:
    """Somebody who has only this privilege does with it what it is for."""
    holder = Actor("boss", frozenset(), frozenset([privilege]))
    if privilege == "jobReopenClosed":
        play.manage(ManageType.REOPEN, holder)
    elif privilege == "jobUpdateHolds":
        hold = next(hold for hold in play.job.flow.holds if hold.hold_id == reason.hold_id)
        play.act(release_of(hold), holder)
    elif privilege.startswith("jobAssign"):
        by = holder if privilege == "jobAssignAny" else replace(actor, privileges=frozenset([privilege]))
        _stop_if_running(play)
        for current in play.job.flow.steps:
            if privilege == "jobAssignAny" or current.assignment == UNASSIGNED:
                play.assign(current.step_id, user(actor.username), by)
    else:
        assert privilege in PRIVILEGES
        return replace(actor, privileges=actor.privileges | {privilege})
    return actor


def achieve(play: Play, wanted: Lift, effort: int = 30) -> None:
    """Carry out an action on a step, as somebody who may; what stands against it is lifted first, reason by reason."""
    assert effort, "the lifts lead round in circles"
    step_id = wanted.step_id or ""
    if wanted.name == "StepInformation":
        give_right_answer(play, step_id)
        return
    action, visit = ACTIONS[wanted.name or ""]((step_id,)), play.job.flow.step(step_id)
    if not (reasons := play.reasons(action, SYSTEM)):
        assert play.act(action, SYSTEM).success
        return
    if not reasons[0].lifts:
        assert settle(play), f"nothing can lift: {reasons[0].description}"
    elif reasons[0].lifts[0].kind is LiftKind.ACTION:
        achieve(play, reasons[0].lifts[0], effort - 1)
    else:
        _perform(play, reasons[0], reasons[0].lifts[0], SYSTEM)
    if wanted.name == "Finish" and visit and _has_moved(play, visit):
        return  # lifting the reason, an answer for instance, has finished the step already
    achieve(play, wanted, effort - 1)


def _has_moved(play: Play, visit: CurrentStep) -> bool:
    now = play.job.flow.step(visit.step_id)
    return now is None or now.visit_id != visit.visit_id


def settle(play: Play) -> bool:
    """What ends by itself has ended: stored answers are applied, stopped runs are over. False: there was nothing."""
    busy = [current for current in play.job.flow.steps if is_applying(current) or current.state is StepState.STOPPING]
    for current in busy:
        if is_applying(current):
            assert play.apply(current.step_id, SYSTEM, user("ben"))
        else:
            play.end_stopped(current.step_id)
    return bool(busy)


def give_right_answer(play: Play, step_id: str) -> None:
    """Answer the step; where no answer would lead on, its paths are mended first."""
    known = play.diagram.by_id[step_id]
    answers = [ANSWERS[known.kind]]
    if known.kind is StepKind.QUESTION:
        answers = [Answer(question_response=choice.value, comment="So be it") for choice in choices(known)]
    if all(isinstance(play.give(step_id, answer, SYSTEM, user("ben")), Refused) for answer in answers):
        _mend_diagram(play)
        assert play.give(step_id, answers[0], SYSTEM, user("ben")) is None
    assert play.apply(step_id, SYSTEM, user("ben"))


def _stop_if_running(play: Play) -> None:
    settle(play)
    for current in play.job.flow.steps:
        if current.is_running:
            assert play.act(Stop((current.step_id,)), SYSTEM).success
    settle(play)


def _mend_diagram(play: Play) -> None:
    """The author makes a version in which every path leads on, and the steps that were missing are there."""
    waited = [current.step_id for current in play.job.flow.steps if current.state is StepState.WAITING]
    _stop_if_running(play)
    mended = [replace(known, paths=tuple(Path(path.next_step) for path in known.paths)) for known in play.diagram.steps]
    missing = {path.next_step for known in mended for path in known.paths} | {"nowhere"}
    play.upgrade(*mended, *(step(step_id) for step_id in sorted(missing - play.diagram.by_id.keys())))
    for step_id in waited:
        assert play.act(Run((step_id,)), SYSTEM).success
