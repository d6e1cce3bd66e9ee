"""Answers to prompts: stored first, then applied by whoever owns the run, then told (design.md section 2, "Prompts").

Storing closes the prompt, and the first valid answer wins: the job row is locked while it is judged. The same request
id of the same user gets the same verdict again.
"""

from dataclasses import dataclass, replace

from app.domain.access import Actor
from app.domain.actions import Moment
from app.domain.commands import ApplyAnswer, GiveAnswer
from app.domain.events import AnswerRejected
from app.domain.job import Answer, AssignedType, Assignment, Job
from app.domain.prompts import AnswerFacts, AnswerRefusal, Refused
from app.domain.runs import apply_answer, give_answer
from app.errors import AccessError, Conflict, InvalidValue
from app.services.access import read_actor
from app.services.engine import Unit
from app.services.ports import AnswerRecord, JobRecord, PendingAnswer
from app.services.recording import Jobs, property_facts

STORED, APPLIED, REJECTED = "stored", "applied", "rejected"

MAX_REQUEST_ID_CHARS = 128


@dataclass(frozen=True, slots=True)
class AnswerReceipt:
    """What became of an answer so far. ``reason`` and ``msg`` say why it was rejected; ``answer_id`` is None if it was
    never stored."""

    job_id: str
    step_id: str
    stage: str
    answer_id: int | None = None
    prompt_id: str | None = None
    request_id: str | None = None
    reason: str | None = None
    msg: str | None = None


def store(
    unit: Unit,
    *,
    job_id: str,
    step_id: str,
    answer: Answer,
    request_id: str | None = None,
    prompt_id: str | None = None,
) -> AnswerReceipt:
    """Judge an answer and, if it is the first valid one, store it. Effects follow when it is applied.

    A rejected answer is a result, not an error. Raises:
        NotFound: no such job. InvalidValue: a request id longer than 128 characters. Conflict: the request id answered
        another question of the job; were it taken for a repetition, this answer would be acknowledged and lost.
    """
    if request_id is not None and len(request_id) > MAX_REQUEST_ID_CHARS:
        raise InvalidValue(f"requestId has more than {MAX_REQUEST_ID_CHARS} characters.")
    jobs = Jobs(unit)
    record = jobs.lock(job_id)
    given_before = request_id and unit.tx.answer_by_request(record, unit.actor.username, request_id)
    command = GiveAnswer(step_id, answer, prompt_id)
    if given_before:
        return _repeated(given_before, command)
    diagram = jobs.diagram(record.job)
    decision = give_answer(
        record.job, diagram, command, unit.actor, jobs.moment(), facts=_facts(unit, record.job, answer)
    )
    if isinstance(decision, Refused):
        refused = _known_answer(unit, record, command, decision)
        return AnswerReceipt(job_id, step_id, REJECTED, None, prompt_id, request_id, refused.reason.value, refused.msg)
    run = decision.job.flow.current(step_id).last_run
    owner = unit.tx.run(run.run_id)
    answer_id = unit.tx.add_answer(
        record,
        step_id=step_id,
        run_id=run.run_id,
        prompt_id=run.prompt_id or "",
        request_id=request_id,
        username=unit.actor.username,
        answer=answer,
        at_ms=unit.now_ms,
    )
    jobs.save(record, decision, diagram)
    if owner is not None:
        unit.effects.answers.append(PendingAnswer(unit.item.item_id, answer_id, owner.node_id))
    return AnswerReceipt(job_id, step_id, STORED, answer_id, run.prompt_id, request_id)


def _repeated(before: AnswerRecord, command: GiveAnswer) -> AnswerReceipt:
    if before.step_id == command.step_id and command.prompt_id in {None, before.prompt_id}:
        return receipt_of(before)
    raise Conflict(
        f"{before.username!r} has used the requestId {before.request_id!r} on this job for another question; choose a "
        "new one for each answer.",
        name="RequestIdInUse",
    )


def _known_answer(unit: Unit, record: JobRecord, command: GiveAnswer, refused: Refused) -> Refused:
    """A step that waits no more because somebody has answered it says so, also after it was left."""
    if refused.reason is not AnswerRefusal.NOT_WAITING:
        return refused
    last = unit.tx.last_answer(record, command.step_id)
    if last is None or command.prompt_id not in {None, last.prompt_id}:
        return refused
    return Refused(AnswerRefusal.ALREADY_ANSWERED, f"{last.username!r} has answered this question already.")


def _facts(unit: Unit, job: Job, answer: Answer) -> AnswerFacts:
    """Read what this answer is judged by, and nothing that it does not touch."""
    if answer.property_responses:
        return AnswerFacts(properties=property_facts(unit, job))
    return AnswerFacts(named_assignee(unit, answer))


def named_assignee(unit: Unit, answer: Answer) -> Assignment | None:
    """The user or group that an advanced assignment names; None when there is none of that name."""
    name = answer.assignment_response
    if name is None:
        return None
    user = unit.tx.user(name)
    if user is not None and not user.disabled:
        return Assignment(AssignedType.USER, name)
    return Assignment(AssignedType.GROUP, name) if unit.tx.group(name) is not None else None


def receipt_of(record: AnswerRecord) -> AnswerReceipt:
    """The verdict on an answer as it stands in the store."""
    return AnswerReceipt(
        record.job_id,
        record.step_id,
        record.stage,
        record.answer_id,
        record.prompt_id,
        record.request_id,
        record.reason,
        record.reason and f"The answer could not be applied: {record.reason}",
    )


def apply(unit: Unit, answer_id: int, fence: int | None = None) -> AnswerRecord | None:
    """Apply a stored answer: its effects, the step's way on, and the verdict. Idempotent.

    Args:
        fence: the takeover under which the caller owns the run; None when it read the answer under its own lease in
            this very transaction.

    Returns the answer with its final stage; None when there was nothing to apply (applied before, or the run is another
    node's now).
    """
    given = unit.tx.answer(answer_id)
    if given is None or given.stage != STORED:
        return None
    jobs = Jobs(unit)
    record = jobs.lock(given.job_id)
    given = unit.tx.answer(answer_id)
    run = unit.tx.lock_run(given.run_id) if given else None
    if given is None or given.stage != STORED or run is None:
        return None
    if run.node_id != unit.node_id or (fence is not None and run.fence != fence):
        return None
    return _apply(unit, jobs, record, given)


def _apply(unit: Unit, jobs: Jobs, record: JobRecord, given: AnswerRecord) -> AnswerRecord | None:
    diagram = jobs.diagram(record.job)
    unit.actor = _giver(unit, given)
    decision = apply_answer(
        record.job,
        diagram,
        ApplyAnswer(given.step_id, given.prompt_id),
        unit.actor,
        Moment(unit.now_ms, unit.new_id),
        facts=_facts(unit, record.job, given.answer),
    )
    if decision is None:
        return None
    rejected = [recorded.event for recorded in decision.recorded if isinstance(recorded.event, AnswerRejected)]
    stage, reason = (REJECTED, AnswerRefusal.INVALID.value) if rejected else (APPLIED, None)
    unit.tx.set_answer_stage(given.answer_id, stage, reason)
    jobs.save(record, decision, diagram)
    verdict = replace(given, stage=stage, reason=reason)
    unit.effects.verdicts.append(verdict)
    return verdict


def _giver(unit: Unit, given: AnswerRecord) -> Actor:
    """Effects are judged and shown as the giver's. What was acknowledged counts, also if the giver has left since."""
    try:
        return read_actor(unit.tx, unit.item, given.username)
    except AccessError:
        return Actor(given.username)
