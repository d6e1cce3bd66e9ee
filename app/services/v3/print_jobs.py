"""Use cases of the print dialect (v3-jobs.md 2, 4.4): change, cancel, register, process, answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from app.domain import dialect_actions as rules
from app.domain.dialect_actions import TicketChange
from app.domain.job import AssignedType, Assignment, Document, Job, Ticket
from app.domain.phases import phase_of
from app.errors import Conflict, GatewayError, InvalidValue, NotFound, PermissionDenied
from app.protocol.v3.dialects import Dialect
from app.protocol.v3.ids import NumberId
from app.protocol.v3.print_jobs import (
    STATES,
    JobPatch,
    PrintJob,
    PrintJobDetail,
    ProcessBody,
    ScriptAnswered,
    render_detail,
    render_job,
)
from app.protocol.v3.script import ScriptInput, chosen_option
from app.services import creation
from app.services.access import assignee_facts
from app.services.answers import AnswerReceipt
from app.services.creation import JobOverrides, template_defaults
from app.services.engine import Unit
from app.services.ports import JobFilter, JobRecord
from app.services.recording import Jobs
from app.services.v3 import questions
from app.services.v3.sight import diagram_of, is_administrator, is_usable, lock, read, sight_of

IMPERSONATE: Final = "impersonate"
SERVICES: Final = "print.services"


def job(unit: Unit, wanted: NumberId) -> PrintJobDetail:
    """A job with its state and its open question. Raises NotFound."""
    record = read(unit, wanted, Dialect.PRINT)
    owner_id = unit.tx.user_numbers().get(record.job.owned_by, 0)
    interaction = questions.interaction_of(record, diagram_of(unit, record.job))
    return render_detail(record.number, record.job, phase_of(record.job), owner_id, interaction)


def state(unit: Unit, wanted: NumberId) -> str:
    """How far a job is. Raises NotFound."""
    return STATES[phase_of(read(unit, wanted, Dialect.PRINT).job)]


def jobs_of_caller(unit: Unit, start: int, count: int) -> list[PrintJob]:
    """The caller's jobs, an administrator's everybody's; the newest first."""
    wanted = JobFilter(sight=sight_of(unit, Dialect.PRINT), descending=True, start=start, count=count)
    return [rendered(record) for record in unit.tx.list_jobs(unit.item, wanted, {})]


# ---------------------------------------------------------------- change


def change(unit: Unit, wanted: NumberId, patch: JobPatch, scopes: frozenset[str]) -> JobRecord:
    """Change one job. Raises NotFound, PermissionDenied (an owner is given), InvalidValue (there is no such user or
    project), Conflict (its state is in the way)."""
    jobs = Jobs(unit)
    record = lock(unit, jobs, wanted)
    _change(unit, jobs, record, _ticket_change(unit, patch), scopes)
    return record


def change_many(unit: Unit, patches: Iterable[tuple[int, JobPatch]], scopes: frozenset[str]) -> list[PrintJob]:
    """Change jobs; those that cannot be changed as asked are left as they are, and out of the answer.

    Raises PermissionDenied: an owner is given, and the caller may not do that at all.
    """
    changed: dict[int, JobRecord] = {}
    for number, patch in sorted(patches, key=lambda pair: pair[0]):
        jobs = Jobs(unit)
        try:
            record = lock(unit, jobs, NumberId(number))
            _change(unit, jobs, record, _ticket_change(unit, patch), scopes)
        except PermissionDenied:
            raise
        except GatewayError as error:
            if error.temporary:
                raise
            continue
        changed[number] = record
    return [rendered(record) for record in changed.values()]


def _change(unit: Unit, jobs: Jobs, record: JobRecord, wanted: TicketChange, scopes: frozenset[str]) -> None:
    if wanted.owned_by not in {None, record.job.owned_by} and not (is_administrator(unit) or IMPERSONATE in scopes):
        raise PermissionDenied(f"Giving a job to another owner takes an administrator, or the scope {IMPERSONATE}.")
    diagram = jobs.diagram(record.job)
    jobs.save(record, rules.change_ticket(record.job, diagram, wanted, unit.actor, jobs.moment()), diagram)


def _ticket_change(unit: Unit, patch: JobPatch) -> TicketChange:
    owner = None if patch.owner_id is None else unit.tx.username_of(patch.owner_id)
    if patch.owner_id is not None and (owner is None or not _may_own(unit, owner)):
        raise InvalidValue(f"ownerId: there is no user {patch.owner_id} here.", details=["ownerId"])
    _check_project(unit, patch.project_id)
    return TicketChange(owner, patch.project_id, patch.favorite, patch.account)


def _check_project(unit: Unit, number: int | None) -> None:
    if number and unit.tx.project(unit.item, number) is None:
        raise InvalidValue(f"projectId: there is no project {number}.", details=["projectId"])


def _may_own(unit: Unit, username: str) -> bool:
    return assignee_facts(unit.tx, unit.item, Assignment(AssignedType.USER, username)).has_role


# ---------------------------------------------------------------- cancel


def cancel(unit: Unit, wanted: NumberId) -> None:
    """Cancel a job; one that is cancelled already stays so. Raises NotFound, Conflict."""
    _all_or_none(unit, [wanted], lambda jobs, record: _cancel(unit, jobs, record))


def cancel_many(unit: Unit, numbers: Iterable[int]) -> None:
    """Cancel jobs, all or none. Raises NotFound, Conflict, each with the numbers that stand in the way."""
    _all_or_none(unit, _ids(numbers), lambda jobs, record: _cancel(unit, jobs, record))


def _cancel(unit: Unit, jobs: Jobs, record: JobRecord) -> None:
    diagram = jobs.diagram(record.job)
    jobs.save(record, rules.cancel(record.job, diagram, unit.actor, jobs.moment()), diagram)


# ---------------------------------------------------------------- register


def register(unit: Unit, queue: str, name: str, document: Document, scopes: frozenset[str]) -> int:
    """Make a job of a document that stays on its computer, and return its number; of one that was registered for this
    user before, the number it has.

    Raises PermissionDenied, NotFound (no such queue), InvalidValue (no such user), Conflict (the queue is off).
    """
    owner = document.registered_for
    if owner != unit.actor.username and not (is_administrator(unit) or SERVICES in scopes):
        raise PermissionDenied(f"Registering jobs of others takes an administrator, or the scope {SERVICES}.")
    unit.tx.lock_item(unit.item)  # of two at once with the same document the second finds the first one's job
    known = unit.tx.job_of_document(unit.item, owner, document.uuid)
    if known is not None:
        return known.number
    if not _may_own(unit, owner):
        raise InvalidValue(f"owner: there is no user {owner!r} here.", details=["owner"])
    template_id = _queue(unit, queue)
    overrides = JobOverrides(
        job_name=name, owned_by=owner, assignment=for_owner(unit, template_id, owner), ticket=Ticket(document=document)
    )
    (job_id,) = creation.create(unit, template_id, overrides).job_ids
    jobs = Jobs(unit)
    record = jobs.lock(job_id)
    diagram = jobs.diagram(record.job)
    if rules.release_step(diagram) is None:
        jobs.save(record, rules.queue(record.job, diagram, unit.actor, jobs.moment()), diagram)
    return record.number


def _queue(unit: Unit, name: str) -> str:
    template_id = unit.tx.template_by_name(unit.item, name)
    template = unit.tx.template(unit.item, template_id) if template_id else None
    if template is None or not unit.actor.may_use_shared(template.shared_with):
        raise NotFound("Queue not found", name="QueueNotFound", details=["queue"])
    if not is_usable(unit.actor, template):
        raise Conflict(f"The queue {name!r} is off.", name="QueueOff", details=["queue"])
    return template.template_id


def for_owner(unit: Unit, template_id: str, owner: str) -> Assignment | None:
    """Whom a job begins with: whoever owns it, unless the template (None) names a group."""
    template = unit.tx.template(unit.item, template_id)
    kind = template_defaults(template.body).default_assigned_type if template else None
    return None if kind == AssignedType.GROUP else Assignment(AssignedType.USER, owner)


# ---------------------------------------------------------------- process


def process(unit: Unit, body: ProcessBody, scopes: frozenset[str]) -> None:
    """Release jobs, all or none; a project and an account are set before.

    Raises PermissionDenied (acting for somebody else), InvalidValue (no such project), NotFound and Conflict, each with
    the numbers that stand in the way.
    """
    owner = body.owner if body.owner != unit.actor.username else None
    if owner is not None and not (is_administrator(unit) or IMPERSONATE in scopes):
        raise PermissionDenied(f"Acting for another user takes an administrator, or the scope {IMPERSONATE}.")
    _check_project(unit, body.project_id)
    wanted = TicketChange(project=body.project_id, account=body.account)
    _all_or_none(unit, _ids(body.job_ids), lambda jobs, record: _process(unit, jobs, record, wanted), owner)


def _process(unit: Unit, jobs: Jobs, record: JobRecord, wanted: TicketChange) -> None:
    diagram, actor, moment = jobs.diagram(record.job), unit.actor, jobs.moment()
    jobs.save(record, rules.change_ticket(record.job, diagram, wanted, actor, moment), diagram)
    assignment = _first_assignment(unit, record.job)
    jobs.save(record, rules.process(record.job, diagram, assignment, actor, moment), diagram)


def _first_assignment(unit: Unit, found: Job) -> Assignment:
    """As when the job was made, as far as its template is still there."""
    template = unit.tx.template(unit.item, found.template_id)
    defaults = template_defaults(template.body) if template else None
    if defaults and defaults.default_assigned_type == AssignedType.GROUP and defaults.default_assigned_to:
        return Assignment(AssignedType.GROUP, defaults.default_assigned_to)
    return Assignment(AssignedType.USER, found.owned_by)


# ---------------------------------------------------------------- answer


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


# ---------------------------------------------------------------- all or none


def _all_or_none(
    unit: Unit, wanted: list[NumberId], act: Callable[[Jobs, JobRecord], None], owner: str | None = None
) -> None:
    """Do something to each job. Whatever was refused is told with all the numbers it was refused for; nothing of what
    was done before is kept then, for the transaction is rolled back."""
    jobs, refused = Jobs(unit), dict[type[GatewayError], list[tuple[int, GatewayError]]]()
    for each in wanted:
        try:
            act(jobs, lock(unit, jobs, each, owner=owner))
        except (NotFound, Conflict) as error:
            refused.setdefault(type(error), []).append((each.number, error))
    for kind in (NotFound, Conflict):
        if found := refused.get(kind):
            _, first = found[0]
            raise kind(first.message, name=first.name, details=[str(number) for number, _ in found])


def _ids(numbers: Iterable[int]) -> list[NumberId]:
    """Each once, ascending: that is the order jobs are locked in."""
    return [NumberId(number) for number in sorted(set(numbers))]


def rendered(record: JobRecord) -> PrintJob:
    """A job with all its members."""
    return render_job(record.number, record.job, phase_of(record.job))
