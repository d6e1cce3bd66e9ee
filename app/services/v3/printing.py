"""Use cases of the print dialect that move jobs: register, process, cancel (v3-jobs.md 2.2, 4.4)."""

from collections.abc import Callable, Iterable
from typing import Final

from app.domain import dialect_actions as rules
from app.domain.dialect_actions import TicketChange
from app.domain.job import AssignedType, Assignment, Document, Job, Ticket
from app.errors import Conflict, GatewayError, InvalidValue, NotFound, PermissionDenied
from app.protocol.v3.ids import NumberId
from app.protocol.v3.print_jobs import (
    ProcessBody,
)
from app.services import creation
from app.services.creation import JobOverrides, template_defaults
from app.services.engine import Unit
from app.services.ports import JobRecord
from app.services.recording import Jobs
from app.services.v3.print_jobs import IMPERSONATE, check_project, may_own
from app.services.v3.sight import is_administrator, is_usable, lock

SERVICES: Final = "print.services"


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
    if not may_own(unit, owner):
        raise InvalidValue(f"owner: there is no user {owner!r} here.", details=["owner"])
    template_id = _queue(unit, queue)
    overrides = JobOverrides(
        job_name=name, owned_by=owner, assignment=_for_owner(unit, template_id, owner), ticket=Ticket(document=document)
    )
    (job_id,) = creation.create(unit, template_id, overrides).job_ids
    jobs = Jobs(unit)
    record = jobs.lock(job_id)
    diagram = jobs.diagram(record.job)
    if rules.release_step(diagram) is None:
        jobs.save(record, rules.queue(record.job, diagram, unit.actor, jobs.moment()), diagram)
    return record.number


def process(unit: Unit, body: ProcessBody, scopes: frozenset[str]) -> None:
    """Release jobs, all or none; a project and an account are set before.

    Raises PermissionDenied (acting for somebody else), InvalidValue (no such project), NotFound and Conflict, each with
    the numbers that stand in the way.
    """
    owner = body.owner if body.owner != unit.actor.username else None
    if owner is not None and not (is_administrator(unit) or IMPERSONATE in scopes):
        raise PermissionDenied(f"Acting for another user takes an administrator, or the scope {IMPERSONATE}.")
    check_project(unit, body.project_id)
    wanted = TicketChange(project=body.project_id, account=body.account)
    _all_or_none(unit, _ids(body.job_ids), lambda jobs, record: _process(unit, jobs, record, wanted), owner)


def cancel(unit: Unit, wanted: NumberId) -> None:
    """Cancel a job; one that is cancelled already stays so. Raises NotFound, Conflict."""
    _all_or_none(unit, [wanted], lambda jobs, record: _cancel(unit, jobs, record))


def cancel_many(unit: Unit, numbers: Iterable[int]) -> None:
    """Cancel jobs, all or none. Raises NotFound, Conflict, each with the numbers that stand in the way."""
    _all_or_none(unit, _ids(numbers), lambda jobs, record: _cancel(unit, jobs, record))


def _queue(unit: Unit, name: str) -> str:
    template_id = unit.tx.template_by_name(unit.item, name)
    template = unit.tx.template(unit.item, template_id) if template_id else None
    if template is None or not unit.actor.may_use_shared(template.shared_with):
        raise NotFound("Queue not found", name="QueueNotFound", details=["queue"])
    if not is_usable(unit.actor, template):
        raise Conflict(f"The queue {name!r} is off.", name="QueueOff", details=["queue"])
    return template.template_id


def _for_owner(unit: Unit, template_id: str, owner: str) -> Assignment | None:
    """Whom a job begins with: whoever owns it, unless the template (None) names a group."""
    template = unit.tx.template(unit.item, template_id)
    kind = template_defaults(template.body).default_assigned_type if template else None
    return None if kind == AssignedType.GROUP else Assignment(AssignedType.USER, owner)


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


def _cancel(unit: Unit, jobs: Jobs, record: JobRecord) -> None:
    diagram = jobs.diagram(record.job)
    jobs.save(record, rules.cancel(record.job, diagram, unit.actor, jobs.moment()), diagram)


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
