"""Who sees which job in the v3 dialects, and who may change it (v3-jobs.md 4.6): the owner and the administrator.

What somebody may not see is told exactly like what does not exist: the numbers can be guessed.
"""

from typing import Final

from app.domain.access import Actor
from app.domain.diagram import Diagram
from app.domain.job import AutomationType, Job
from app.errors import NotFound
from app.protocol.v3.dialects import Dialect
from app.protocol.v3.ids import NumberId
from app.services.engine import Unit
from app.services.ports import Item, JobRecord, JobTemplate, Sight, Tx
from app.services.recording import Jobs

ADMINISTRATOR: Final = "adminAdvanced"
"""Whoever has it is administrator in one dialect and Curator in the other."""


def served_item(tx: Tx, item_id: str | None) -> Item:
    """The item whose jobs the dialects serve; None: the first one. Raises NotFound."""
    items = tx.items()
    found = next((item for item in items if item_id in {None, item.item_id}), None)
    if found is None:
        raise NotFound(f"There is no workflow item {item_id!r}; see STEPGATE_V3_ITEM.", name="ItemNotFound")
    return found


def is_administrator(unit: Unit) -> bool:
    """The caller sees and does everything."""
    return unit.actor.may(ADMINISTRATOR)


def sight_of(unit: Unit, dialect: Dialect) -> Sight | None:
    """Whose jobs the caller sees; None: everybody's.

    Members of the groups a template is shared with see the jobs that a schedule made of it, in the analytics dialect.
    """
    if is_administrator(unit):
        return None
    shared = dialect is Dialect.ANALYTICS
    template_ids = [each.template_id for each in unit.tx.templates(unit.item) if shared and _is_shared_with(unit, each)]
    return Sight(unit.actor.username, tuple(template_ids))


def read(unit: Unit, wanted: NumberId, dialect: Dialect) -> JobRecord:
    """A job that the caller may see. Raises NotFound."""
    record = unit.tx.job_by_number(unit.item, wanted.number)
    if record is None or not wanted.fits(record.job.created_ms) or not _sees(unit, record.job, dialect):
        raise no_such(wanted.number)
    return record


def lock(unit: Unit, jobs: Jobs, wanted: NumberId, *, owner: str | None = None) -> JobRecord:
    """Lock a job that the caller may change. Raises NotFound.

    Args:
        owner: as whom the caller acts: it must be theirs then, whoever asks.
    """
    known = unit.tx.job_by_number(unit.item, wanted.number)
    if known is None or not wanted.fits(known.job.created_ms):
        raise no_such(wanted.number)
    try:
        record = jobs.lock(known.job.job_id)
    except NotFound:
        raise no_such(wanted.number) from None
    mine = record.job.owned_by == (owner or unit.actor.username)
    if not mine and (owner is not None or not is_administrator(unit)):
        raise no_such(wanted.number)
    return record


def no_such(number: int) -> NotFound:
    """The refusal for a job that is not there, or not for the caller."""
    return NotFound("Job not found", name="JobNotFound", details=[str(number)])


def diagram_of(unit: Unit, job: Job) -> Diagram:
    """The version a job follows; one without steps if it is gone, so that the job can be read all the same."""
    record = unit.tx.diagram(unit.item, job.diagram_id, job.diagram_version)
    return record.diagram if record else Diagram(job.diagram_id, job.diagram_name, job.diagram_version, (), "")


def usable_templates(unit: Unit) -> list[JobTemplate]:
    """The active templates the caller may use: what the dialects call queues and workflows."""
    return [each for each in unit.tx.templates(unit.item) if is_usable(unit.actor, each)]


def is_usable(actor: Actor, template: JobTemplate) -> bool:
    """Somebody may make jobs of the template, as far as the template is concerned."""
    return template.state == "Active" and actor.may_use_shared(template.shared_with)


def _sees(unit: Unit, job: Job, dialect: Dialect) -> bool:
    if job.owned_by == unit.actor.username or is_administrator(unit):
        return True
    by_schedule = job.origin is not None and job.origin.automation_type is AutomationType.SCHEDULED
    if not by_schedule or dialect is not Dialect.ANALYTICS:
        return False
    template = unit.tx.template(unit.item, job.template_id)
    return template is not None and _is_shared_with(unit, template)


def _is_shared_with(unit: Unit, template: JobTemplate) -> bool:
    """By its groups; one that is shared with none by name is nobody's collection."""
    return not unit.actor.groups.isdisjoint(template.shared_with)
