"""Who may answer an open prompt, and whether the answer is a right one. ``prompts.py`` knows what each kind asks."""

from dataclasses import replace

from app.domain.access import Actor
from app.domain.changes import as_changed
from app.domain.commands import MAX_COMMENT_CHARS, GiveAnswer
from app.domain.diagram import Diagram
from app.domain.finishing import Case
from app.domain.geometry import read_location
from app.domain.job import Answer, CurrentStep, Job, StepState
from app.domain.prompts import (
    FINISHED_BY_ANSWER,
    AnswerFacts,
    AnswerRefusal,
    Refused,
    cancels,
    given_values,
    return_value,
)
from app.domain.refusals import describe_assignment
from app.errors import InvalidValue
from app.expressions.arcade import ArcadeError


def refusal(job: Job, diagram: Diagram, command: GiveAnswer, actor: Actor, facts: AnswerFacts) -> Refused | None:
    """Say why an answer is not taken; None when it is the right one at the right time from the right person."""
    step, current = diagram.step(command.step_id), job.flow.step(command.step_id)
    if step is None or current is None or job.closed:
        return Refused(AnswerRefusal.NOT_WAITING, f"The step {command.step_id!r} does not wait for an answer.")
    late = _too_late(current, command.prompt_id)
    if late is not None:
        return late
    if not actor.is_assigned(current.assignment):
        text = f"The step is {describe_assignment(current.assignment)}; {actor.username!r} may not answer it."
        return Refused(AnswerRefusal.NOT_ALLOWED, text)
    problem = answer_problem(Case(job, diagram, step, current, actor), command.answer, facts)
    return Refused(AnswerRefusal.INVALID, problem) if problem else None


def _too_late(current: CurrentStep, prompt_id: str | None) -> Refused | None:
    run = current.run
    if run is not None and run.answer is not None and run.prompt_id == (prompt_id or run.prompt_id):
        return Refused(AnswerRefusal.ALREADY_ANSWERED, f"{run.answer.by!r} has answered this question already.")
    if current.state is not StepState.WAITING or run is None:
        return Refused(
            AnswerRefusal.NOT_WAITING, f"The step {current.step_id!r} does not wait for an answer; run it first."
        )
    if prompt_id is not None and prompt_id != run.prompt_id:
        return Refused(AnswerRefusal.NOT_WAITING, "This question is closed; the step has asked anew since.")
    return None


def answer_problem(case: Case, answer: Answer, facts: AnswerFacts) -> str | None:
    """Say what is wrong with an answer to this step, whoever gives it; None when nothing is.

    An answer that finishes the step must also lead on: a path matches, and it can be said who is next.
    """
    step = case.step
    try:
        _check_comment(case, answer.comment or "")
        value = return_value(step, answer, facts)
        if value is None or not (step.kind in FINISHED_BY_ANSWER or step.proceed_next) or not step.paths:
            return None
        if cancels(step, answer):
            return None
        found = replace(case, job=_as_answered(case.job, answer, facts)).ways(value)
    except ArcadeError as error:
        return f"The way out of the step cannot be evaluated: {error}."
    except InvalidValue as error:
        return str(error)
    return None if found else "No path out of the step matches this answer, so the job could not move on."


def _as_answered(job: Job, answer: Answer, facts: AnswerFacts) -> Job:
    """The job as the conditions of the paths will find it: with the properties and the place of a right answer."""
    if answer.property_responses:
        return as_changed(job, facts.properties.read(given_values(answer)))
    return job if answer.location is None else replace(job, location=read_location(answer.location))


def _check_comment(case: Case, comment: str) -> None:
    if case.step.needs_comment and not comment.strip():
        raise InvalidValue("This step needs a comment with its answer.")
    if case.step.can_comment and len(comment) > MAX_COMMENT_CHARS:
        raise InvalidValue(f"comment has {len(comment)} characters; {MAX_COMMENT_CHARS} are allowed.")
