"""What finishing a visit now would return, where it would lead, and why it may not be done yet (rest.md 15.3)."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.access import Actor
from app.domain.diagram import Diagram, Step, StepKind
from app.domain.job import CurrentStep, Job, ReturnValue, StepState
from app.domain.outcomes import Lift, LiftKind, Reason, StepStatus
from app.domain.paths import Way, scope_of, ways_out
from app.domain.prompts import FINISHED_BY_ANSWER, choices
from app.expressions.arcade import STEP_ERROR, STEP_SUCCESS, ArcadeError


@dataclass(frozen=True, slots=True)
class Case:
    """One current step of a job, and who asks about it: all that a check looks at."""

    job: Job
    diagram: Diagram
    step: Step
    current: CurrentStep
    actor: Actor

    def ways(self, value: ReturnValue) -> list[Way]:
        """The ways out of the step for this return value. Raises ArcadeError."""
        scope = scope_of(self.job, self.actor.username, value)
        return ways_out(self.diagram, self.step, self.current.assignment, scope)

    def lift(self, action: str) -> Lift:
        """An action on this step as what could lift a refusal."""
        return Lift(LiftKind.ACTION, action, step_id=self.step.step_id)


def is_skip(step: Step, current: CurrentStep) -> bool:
    """Finishing this visit now would skip the step: it may be skipped, and has no run that counts."""
    unrun = current.state in {StepState.READY, StepState.CANCELLED, StepState.FAILED}
    return step.can_skip and unrun


def finishing_value(step: Step, current: CurrentStep) -> ReturnValue:
    """What ``$retVal`` is when this visit is finished by hand as it stands now."""
    if step.kind is StepKind.QUESTION:
        return None
    if current.state in {StepState.HANDLED, StepState.DONE}:
        return current.return_value
    if current.state is StepState.FAILED and not step.can_skip:
        return STEP_ERROR
    return STEP_SUCCESS


def cannot_finish(case: Case) -> Iterator[Reason]:
    """Every reason in the visit itself against finishing it; whose step it is and its holds are judged elsewhere."""
    step, current = case.step, case.current
    if current.state in {StepState.EXECUTING, StepState.STOPPING}:
        yield executing(case)
    elif current.state in {StepState.READY, StepState.CANCELLED} and not step.can_skip:
        word = "was cancelled" if current.state is StepState.CANCELLED else "has not been started"
        text = f"The step {word}, and it may not be skipped; run it first."
        yield Reason(StepStatus.NO_STARTED_STEP, text, (case.lift("Run"),))
    elif step.kind is StepKind.QUESTION and not is_skip(step, current):
        yield _unanswered(case)
    else:
        yield from _comment_missing(case)
        yield from no_way_out(case)


def _unanswered(case: Case) -> Reason:
    if not can_be_answered(case):
        text = "No answer to the question leads on: no path out of the step would match."
        return Reason(StepStatus.NO_MATCHING_PATHS, text, (Lift(LiftKind.DIAGRAM),))
    text = f"The question has not been answered, and the answer decides; {_how_to_answer(case)}."
    return Reason(StepStatus.NO_MATCHING_PATHS, text, (_answering(case),))


def _answering(case: Case) -> Lift:
    return case.lift("StepInformation" if case.current.state is StepState.WAITING else "Run")


def _how_to_answer(case: Case) -> str:
    return "answer it" if case.current.state is StepState.WAITING else "run the step to be asked"


def _comment_missing(case: Case) -> Iterator[Reason]:
    """A comment comes with an answer. One that was given before the step was stopped counts."""
    state, run = case.current.state, case.current.run
    if case.step.needs_comment and state in {StepState.WAITING, StepState.PAUSED} and not (run and run.answer):
        text = f"The step needs a comment, which comes with its answer; {_how_to_answer(case)}."
        yield Reason(StepStatus.WAITING_FOR_INFO, text, (_answering(case),))


def executing(case: Case) -> Reason:
    """Refuse what cannot be done to a running step. What ends by itself has no lift: it is a matter of waiting."""
    current, name = case.current, case.step.name
    if current.state is StepState.STOPPING:
        return Reason(StepStatus.ALREADY_EXECUTING, f"The step {name!r} is being stopped; wait until it has ended.")
    if is_applying(current):
        text = f"The question of the step {name!r} has been answered, and the answer is being applied."
        return Reason(StepStatus.ALREADY_EXECUTING, text)
    may_finish = current.state is not StepState.EXECUTING and not any(cannot_finish(case))
    lifts = (case.lift("Stop"), case.lift("Finish")) if may_finish else (case.lift("Stop"),)
    return Reason(StepStatus.ALREADY_EXECUTING, f"The step {name!r} is already running.", lifts)


def is_applying(current: CurrentStep) -> bool:
    """An answer is stored and has not had its effect yet: nobody may come in between."""
    return current.state is StepState.EXECUTING and current.run is not None and current.run.answer is not None


def no_way_out(case: Case) -> Iterator[Reason]:
    """Refuse to finish a step whose paths all stay shut. A step without paths ends its branch."""
    if not case.step.paths:
        return
    try:
        if case.ways(finishing_value(case.step, case.current)):
            return
        text = _nothing_matches(case)
    except ArcadeError as error:
        text = f"The way out of the step cannot be evaluated: {error}."
    lifts = (case.lift("Run"), Lift(LiftKind.DIAGRAM)) if _run_may_help(case) else (Lift(LiftKind.DIAGRAM),)
    yield Reason(StepStatus.NO_MATCHING_PATHS, text, lifts)


def _nothing_matches(case: Case) -> str:
    if case.current.state is StepState.FAILED and not case.step.can_skip:
        return "The step has failed, and no path leads on from a failure."
    missing = [path.next_step for path in case.step.paths if path.next_step not in case.diagram.by_id]
    hint = f" The diagram has no step {missing[0]!r}, to which one of the paths leads." if missing else ""
    return f"No path out of the step matches, so the job cannot move on.{hint}"


def _run_may_help(case: Case) -> bool:
    """A run could return something for which a path opens; what a service returns is not known before."""
    return not case.current.is_running and (case.step.is_service or _success_leads_on(case))


def can_be_answered(case: Case) -> bool:
    """There is an answer that would be taken: one that finishes the step must lead on."""
    finishes = case.step.kind in FINISHED_BY_ANSWER or case.step.proceed_next
    return not finishes or _success_leads_on(case)


def _success_leads_on(case: Case) -> bool:
    if not case.step.paths:
        return True
    if case.step.kind is not StepKind.QUESTION:
        return _leads_on(case, STEP_SUCCESS)
    return any(choice.cancels or _leads_on(case, choice.value) for choice in choices(case.step))


def _leads_on(case: Case, value: ReturnValue) -> bool:
    try:
        return bool(case.ways(value))
    except ArcadeError:
        return False
