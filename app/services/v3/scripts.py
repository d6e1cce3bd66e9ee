"""The use case of answering a job's open question by an interaction script (v3-jobs.md 2.4, 4.5)."""

from dataclasses import dataclass

from app.domain import dialect_actions as rules
from app.domain.phases import phase_of
from app.errors import Conflict
from app.protocol.v3.ids import NumberId
from app.protocol.v3.print_jobs import (
    STATES,
    ScriptAnswered,
)
from app.protocol.v3.script import ScriptInput, chosen_option
from app.services.answers import AnswerReceipt
from app.services.engine import Unit
from app.services.recording import Jobs
from app.services.v3 import questions
from app.services.v3.sight import diagram_of, lock


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was stored, and of which job."""

    number: int
    receipt: AnswerReceipt


def answer(unit: Unit, wanted: NumberId, given: ScriptInput) -> Answered:
    """Answer the open question of a job. Raises NotFound; Conflict (no question is open, another one is, or somebody
    was first); InvalidValue (not one of its options)."""
    record = lock(unit, Jobs(unit), wanted)
    is_open = {question.key: question for question in questions.open_questions(record, diagram_of(unit, record.job))}
    if not is_open:
        raise Conflict(f"{rules.WRONG_STATE} No question is open.", name="WrongState", details=[str(record.number)])
    question = is_open.get(given.key)
    if question is None:
        keys = ", ".join(is_open)
        raise Conflict(f"{rules.WRONG_STATE} The open question is {keys}.", name="WrongState", details=[given.key])
    if given.has_state:
        raise Conflict(f"{rules.WRONG_STATE} The state is not the one that was given.", name="WrongState")
    option = chosen_option(given, question.options)
    return Answered(record.number, questions.give(unit, record, question, question.answer(option)))


def after_answer(unit: Unit, number: int) -> ScriptAnswered:
    """Where a job is now: its next question, if there is one. An answer may have given it to nobody the caller sees."""
    record = unit.tx.job_by_number(unit.item, number)
    if record is None:
        return ScriptAnswered(None, "deleted")
    interaction = questions.interaction_of(record, diagram_of(unit, record.job))
    return ScriptAnswered(interaction, STATES[phase_of(record.job)])
