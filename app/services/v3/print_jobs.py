"""Use cases of the print dialect on jobs as they are: read them, change them (v3-jobs.md 2, 4.4)."""

from collections.abc import Iterable
from typing import Final

from app.domain import dialect_actions as rules
from app.domain.dialect_actions import TicketChange
from app.domain.job import AssignedType, Assignment
from app.domain.phases import phase_of
from app.errors import GatewayError, InvalidValue, PermissionDenied
from app.protocol.v3.dialects import Dialect
from app.protocol.v3.ids import NumberId
from app.protocol.v3.print_jobs import (
    STATES,
    JobPatch,
    PrintJob,
    PrintJobDetail,
    render_detail,
    render_job,
)
from app.services.access import assignee_facts
from app.services.engine import Unit
from app.services.ports import JobFilter, JobRecord
from app.services.recording import Jobs
from app.services.v3 import questions
from app.services.v3.sight import diagram_of, is_administrator, lock, read, sight_of

IMPERSONATE: Final = "impersonate"


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


def rendered(record: JobRecord) -> PrintJob:
    """A job with all its members."""
    return render_job(record.number, record.job, phase_of(record.job))


def check_project(unit: Unit, number: int | None) -> None:
    """Refuse a number that no project has; 0 is none. Raises InvalidValue."""
    if number and unit.tx.project(unit.item, number) is None:
        raise InvalidValue(f"projectId: there is no project {number}.", details=["projectId"])


def may_own(unit: Unit, username: str) -> bool:
    """There is such a user, who works in the item."""
    return assignee_facts(unit.tx, unit.item, Assignment(AssignedType.USER, username)).has_role


def _change(unit: Unit, jobs: Jobs, record: JobRecord, wanted: TicketChange, scopes: frozenset[str]) -> None:
    if wanted.owned_by not in {None, record.job.owned_by} and not (is_administrator(unit) or IMPERSONATE in scopes):
        raise PermissionDenied(f"Giving a job to another owner takes an administrator, or the scope {IMPERSONATE}.")
    diagram = jobs.diagram(record.job)
    jobs.save(record, rules.change_ticket(record.job, diagram, wanted, unit.actor, jobs.moment()), diagram)


def _ticket_change(unit: Unit, patch: JobPatch) -> TicketChange:
    owner = None if patch.owner_id is None else unit.tx.username_of(patch.owner_id)
    if patch.owner_id is not None and (owner is None or not may_own(unit, owner)):
        raise InvalidValue(f"ownerId: there is no user {patch.owner_id} here.", details=["ownerId"])
    check_project(unit, patch.project_id)
    return TicketChange(owner, patch.project_id, patch.favorite, patch.account)
