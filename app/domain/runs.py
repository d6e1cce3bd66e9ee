"""Decides what happens to a run from inside: answers stored and applied, executors ending, holds running out."""

from app.domain import events as e
from app.domain.access import SYSTEM, Actor
from app.domain.actions import Moment, stopped
from app.domain.answers import answer_problem, refusal
from app.domain.apply import apply
from app.domain.commands import ApplyAnswer, CompleteRun, EndHold, EndStoppedRun, FailRun, GiveAnswer, ReportProgress
from app.domain.diagram import Diagram, StepKind
from app.domain.finishing import Case
from app.domain.geometry import read_location
from app.domain.job import Answer, CurrentStep, Job, ReturnValue, StepFault, StepState, StoredAnswer
from app.domain.outcomes import Decision, Recorded
from app.domain.prompts import FINISHED_BY_ANSWER, AnswerFacts, Refused, given_values, return_value
from app.domain.work import Work

NO_FACTS = AnswerFacts()

USER_FAILED = "USER_FAILED"
"""``msgCode`` of a step whose user answered that it did not succeed."""


def give_answer(
    job: Job, diagram: Diagram, command: GiveAnswer, actor: Actor, moment: Moment, *, facts: AnswerFacts = NO_FACTS
) -> Decision | Refused:
    """Take an answer to an open prompt, or say why not. A taken answer closes the prompt; it is applied later."""
    refused = refusal(job, diagram, command, actor, facts)
    if refused is not None:
        return refused
    prompt_id = job.flow.current(command.step_id).last_run.prompt_id or ""
    stored = StoredAnswer(actor.username, moment.now_ms, command.answer)
    event = e.AnswerStored(command.step_id, prompt_id, stored)
    after = apply(job, event)
    return Decision(after, (Recorded(event, after),))


def apply_answer(
    job: Job, diagram: Diagram, command: ApplyAnswer, by: Actor, moment: Moment, *, facts: AnswerFacts = NO_FACTS
) -> Decision | None:
    """Let a stored answer have its effect: comment, place, properties, assignment, and the step moves on.

    Args:
        by: whoever gave the answer; the history shows the effects as theirs.

    Returns None when there is no such answer to apply (it was applied before). An answer that has become wrong since it
    was stored is rejected, and the prompt is open again.
    """
    current = job.flow.step(command.step_id)
    run = current.run if current else None
    if current is None or run is None or run.answer is None or run.prompt_id != command.prompt_id:
        return None
    if current.state is not StepState.EXECUTING:
        return None
    work = Work(job, diagram, by, now_ms=moment.now_ms, new_id=moment.new_id)
    answer = run.answer.answer
    problem = answer_problem(Case(job, diagram, diagram.by_id[current.step_id], current, by), answer, facts)
    if problem is not None:
        work.record(e.AnswerRejected(current.step_id, command.prompt_id, by.username, problem))
    else:
        _take_effect(work, current, answer, facts)
    work.start_automatic_steps()
    return work.decision()


def _take_effect(work: Work, current: CurrentStep, answer: Answer, facts: AnswerFacts) -> None:
    step, by = work.diagram.by_id[current.step_id], work.actor.username
    if answer.comment and answer.comment.strip() and step.can_comment:
        work.record(e.CommentAdded(work.new_id(), answer.comment, by, work.now_ms))
    value = return_value(step, answer, facts)
    if value is None:
        work.fail_and_follow(step.step_id, StepFault("The step's user could not carry it out.", USER_FAILED))
        return
    if step.kind is StepKind.DEFINE_LOCATION and answer.location is not None:
        place = read_location(answer.location)
        work.record(e.LocationSet(place, by, added=work.job.location is None))
    if step.kind is StepKind.UPDATE_PROPERTIES and answer.property_responses:
        work.record(e.PropertiesSet(facts.properties.read(given_values(answer)), by))
    if step.kind is StepKind.ADVANCED_ASSIGNMENT and facts.assignee is not None:
        work.record(e.StepReassigned(step.step_id, facts.assignee, by))
    _go_on(work, step.step_id, value)


def _go_on(work: Work, step_id: str, value: ReturnValue) -> None:
    step = work.diagram.by_id[step_id]
    if step.kind in FINISHED_BY_ANSWER or step.proceed_next:
        work.complete(step_id, value, even_if_waiting=True)
    else:
        work.record(e.StepHandled(step_id, value))


def end_run(
    job: Job,
    diagram: Diagram,
    command: CompleteRun | FailRun | EndStoppedRun | ReportProgress,
    moment: Moment,
) -> Decision | None:
    """Take what an executor reports. None when its run is over already: a late result changes nothing."""
    current = job.flow.step(command.step_id)
    if current is None or current.run is None or current.run.run_id != command.run_id:
        return None
    if current.state not in {StepState.EXECUTING, StepState.STOPPING}:
        return None
    work = Work(job, diagram, SYSTEM, now_ms=moment.now_ms, new_id=moment.new_id)
    if isinstance(command, CompleteRun):
        work.complete(command.step_id, command.return_value)
    elif isinstance(command, FailRun):
        work.fail_and_follow(command.step_id, StepFault(command.msg, command.msg_code))
    elif isinstance(command, EndStoppedRun):
        work.record(stopped(work, command.step_id))
    else:
        work.record(e.StepProgressed(command.step_id, command.msg, command.msg_code))
    work.start_automatic_steps()
    return work.decision()


def end_hold(job: Job, diagram: Diagram, command: EndHold, moment: Moment) -> Decision | None:
    """End a hold whose time has come or whose dependency is resolved. None when it is gone already."""
    hold = job.flow.hold(command.hold_id)
    if hold is None:
        return None
    work = Work(job, diagram, SYSTEM, now_ms=moment.now_ms, new_id=moment.new_id)
    work.release(hold)
    work.start_automatic_steps()
    return work.decision()
