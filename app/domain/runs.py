"""Decides what happens to a run from inside: answers stored and applied, executors ending, holds running out."""

from collections.abc import Sequence

from app.domain import events as e
from app.domain.access import SYSTEM, Actor
from app.domain.actions import MAX_HOLDS, Moment, stopped
from app.domain.answers import answer_problem, refusal
from app.domain.apply import apply
from app.domain.commands import ApplyAnswer, CompleteRun, EndHold, EndStoppedRun, FailRun, GiveAnswer, ReportProgress
from app.domain.diagram import Diagram, StepKind
from app.domain.finishing import Case
from app.domain.geometry import read_location
from app.domain.giving_up import give_up
from app.domain.job import Answer, CurrentStep, Hold, Job, ReturnValue, StepFault, StepState, StoredAnswer
from app.domain.outcomes import Decision, Recorded
from app.domain.paths import scope_of, ways_out
from app.domain.prompts import FINISHED_BY_ANSWER, AnswerFacts, Refused, cancels, given_values, return_value
from app.domain.work import Work
from app.errors import InvalidValue, RuleViolation
from app.expressions.arcade import STEP_SUCCESS

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
    if cancels(step, answer):
        give_up(work)
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
    """Take what an executor reports. None when its run is over already: a late result changes nothing, and one of a job
    that was given up meanwhile ends the run and no more."""
    current = job.flow.step(command.step_id)
    if current is None or current.run is None or current.run.run_id != command.run_id:
        return None
    if current.state not in {StepState.EXECUTING, StepState.STOPPING}:
        return None
    work = Work(job, diagram, SYSTEM, now_ms=moment.now_ms, new_id=moment.new_id)
    if isinstance(command, EndStoppedRun) or (job.ticket.cancelled and not isinstance(command, ReportProgress)):
        work.record(stopped(work, command.step_id))
    elif isinstance(command, CompleteRun):
        work.complete(command.step_id, command.return_value)
    elif isinstance(command, FailRun):
        work.fail_and_follow(command.step_id, StepFault(command.msg, command.msg_code))
    else:
        work.record(e.StepProgressed(command.step_id, command.msg, command.msg_code))
    work.start_automatic_steps()
    return work.decision()


def end_hold(job: Job, diagram: Diagram, command: EndHold, moment: Moment, actor: Actor = SYSTEM) -> Decision | None:
    """End a hold whose time has come or whose dependency is resolved. None when it is gone already.

    Args:
        actor: as whom; where it is not the server itself, the caller has judged that it may.
    """
    hold = job.flow.hold(command.hold_id)
    if hold is None:
        return None
    work = Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
    work.release(hold)
    work.start_automatic_steps()
    return work.decision()


def next_steps(job: Job, diagram: Diagram, step_id: str) -> tuple[str, ...]:
    """The steps that a service step leads to when it succeeds; all it may lead to where it waits for Finish.

    Raises:
        ArcadeError: a path cannot be evaluated. InvalidValue: there are paths, and none would be taken.
    """
    step, current = diagram.by_id[step_id], job.flow.current(step_id)
    if not step.proceed_next:
        return tuple(dict.fromkeys(path.next_step for path in step.paths if path.next_step in diagram.by_id))
    ways = ways_out(diagram, step, current.assignment, scope_of(job, SYSTEM.username, STEP_SUCCESS))
    if step.paths and not ways:
        raise InvalidValue("No path out of the step matches its success.")
    return tuple(dict.fromkeys(way.path.next_step for way in ways))


def wait_for_jobs(
    job: Job, diagram: Diagram, step_ids: Sequence[str], job_ids: Sequence[str], moment: Moment
) -> Decision:
    """Hold steps until other jobs are complete. Raises RuleViolation when that is more holds than a job may have."""
    if len(job.flow.holds) + len(step_ids) * len(job_ids) > MAX_HOLDS:
        raise RuleViolation(f"The job would have more than {MAX_HOLDS} holds.", name="TooManyHolds")
    work = Work(job, diagram, SYSTEM, now_ms=moment.now_ms, new_id=moment.new_id)
    for step_id in step_ids:
        for job_id in job_ids:
            hold = Hold(work.new_id(), step_id, SYSTEM.username, moment.now_ms, dependent_job_id=job_id)
            work.record(e.HoldSet(hold, blocks=job.flow.step(step_id) is not None))
    return work.decision()
