"""The open questions of a job as the v3 dialects put them, and their answers (v3-jobs.md 4.5)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from app.domain.diagram import Diagram, Step, StepKind
from app.domain.job import Answer, PropertyResponse, StepState
from app.domain.prompts import asked_properties, choices
from app.errors import Conflict, InvalidValue
from app.protocol.v3.ids import prompt_key
from app.protocol.v3.print_jobs import Interaction
from app.services import answers
from app.services.answers import AnswerReceipt
from app.services.engine import Unit
from app.services.ports import JobRecord

YES, NO = "yes", "no"

_BY_YES_OR_NO: Final[Mapping[StepKind, Callable[[bool], Answer]]] = {
    StepKind.MANUAL: lambda is_yes: Answer(manual_response=is_yes),
    StepKind.OTHER: lambda is_yes: Answer(manual_response=is_yes),
    StepKind.OPEN_APP: lambda is_yes: Answer(open_app_response=is_yes),
    StepKind.ATTACHMENT: lambda is_yes: Answer(attachment_response=is_yes),
}
"""Kinds of steps that are answered with yes or no."""

_TAKEN_ELSEWHERE: Final = frozenset({"already_answered", "not_waiting"})


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that waits for its answer, by its key; ``options`` are empty where it takes more than a choice."""

    key: str
    step: Step
    prompt_id: str
    text: str
    options: list[str]

    @property
    def interaction(self) -> Interaction:
        return Interaction(self.key, self.text, self.options)

    def answer(self, option: str) -> Answer:
        """What choosing an option means."""
        if self.step.kind is StepKind.QUESTION:
            value = next(choice.value for choice in choices(self.step) if choice.name == option)
            return Answer(question_response=value)
        return _BY_YES_OR_NO[self.step.kind](option == YES)


def open_questions(record: JobRecord, diagram: Diagram) -> Iterator[OpenQuestion]:
    """A job's open questions, in the order its steps became current."""
    for current in record.job.flow.steps:
        step = diagram.step(current.step_id)
        if current.state is not StepState.WAITING or step is None or record.job.closed:
            continue
        round_ = record.job.flow.rounds.get(step.step_id, 1)
        key = prompt_key(record.number, step.step_id, round_)
        yield OpenQuestion(key, step, current.last_run.prompt_id or "", _text(step), _options(step))


def interaction_of(record: JobRecord, diagram: Diagram) -> Interaction | None:
    """The first open question; None without one."""
    found = next(open_questions(record, diagram), None)
    return found.interaction if found else None


def give(unit: Unit, record: JobRecord, question: OpenQuestion, answer: Answer) -> AnswerReceipt:
    """Answer as the caller, who has been judged: the job's owner and an administrator may, whomever the step waits for.

    It is the answer that ``StepInformation`` gives, so the first one wins. Raises Conflict, InvalidValue.
    """
    asking, unit.actor = unit.actor, replace(unit.actor, is_system=True)
    try:
        receipt = answers.store(
            unit,
            job_id=record.job.job_id,
            step_id=question.step.step_id,
            answer=answer,
            prompt_id=question.prompt_id,
        )
    finally:
        unit.actor = asking
    if receipt.stage != answers.REJECTED:
        return receipt
    if receipt.reason in _TAKEN_ELSEWHERE:
        raise Conflict(receipt.msg or "Somebody else was first.", name="WrongState", details=[question.key])
    raise InvalidValue(receipt.msg or "The answer is not right.", details=[question.key])


# ---------------------------------------------------------------- answers that come with the request


def names_of_questions(step: Step) -> list[str]:
    """What a step asks, by the names that answers sent with the request must have."""
    if step.kind is StepKind.QUESTION:
        return [_text(step)]
    if step.kind is StepKind.UPDATE_PROPERTIES and step.asks:
        return [str(entry["identifier"]) for entry in asked_properties(step) if "identifier" in entry]
    return []


def answer_of(step: Step, given: list[tuple[str, str]]) -> Answer:
    """The answers, name and value as text, as one to this step. Raises InvalidValue: an unknown question or option."""
    known = names_of_questions(step)
    unknown = [name for name, _ in given if name not in known]
    if unknown:
        listed = ", ".join(repr(name) for name in known) or "none"
        raise InvalidValue(f"There is no question {unknown[0]!r}; the workflow asks: {listed}.", details=["questions"])
    if step.kind is StepKind.UPDATE_PROPERTIES:
        return Answer(property_responses=tuple(PropertyResponse(name, value) for name, value in given))
    _, value = given[-1]
    allowed = choices(step)
    chosen = next((choice for choice in allowed if value in {choice.name, str(choice.value)}), None)
    if chosen is None:
        listed = ", ".join(repr(choice.name) for choice in allowed)
        raise InvalidValue(f"{value!r} is no answer to {known[0]!r}; use {listed}.", details=["questions"])
    return Answer(question_response=chosen.value)


def _text(step: Step) -> str:
    asked = step.args.get("question" if step.kind is StepKind.QUESTION else "userPrompt")
    return asked if isinstance(asked, str) and asked else step.name


def _options(step: Step) -> list[str]:
    if step.kind is StepKind.QUESTION:
        return [choice.name for choice in choices(step)]
    return [YES, NO] if step.kind in _BY_YES_OR_NO else []
