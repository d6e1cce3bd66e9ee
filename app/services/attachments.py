"""Use cases on the attachments of a job (rest.md 5.9). Their bytes: ``attachment_files.py``."""

from collections.abc import Sequence

from app.domain import attachments as rules
from app.domain.attachments import NewAttachment
from app.domain.events import AttachmentsAdded
from app.domain.job import Attachment
from app.errors import NotFound
from app.services.engine import Unit
from app.services.ports import JobRecord
from app.services.recording import Jobs, no_such_job


def check_may_attach(unit: Unit, job_id: str) -> None:
    """Say beforehand, in a query, what ``add`` would say once the file is there. Raises as it does."""
    rules.check_may_attach(_record(unit, job_id).job, unit.actor)


def add(unit: Unit, job_id: str, new: Sequence[NewAttachment], *, jobs: Jobs | None = None) -> tuple[Attachment, ...]:
    """Add attachments to a job, all or none. Files were given to ``AttachmentFiles.keep`` before.

    Args:
        jobs: of a use case that has locked the job itself and goes on with it.

    Raises:
        NotFound: no such job. Conflict: the bytes of a file are gone. And as ``app.domain.attachments.attach``.
    """
    jobs = jobs or Jobs(unit)
    record = jobs.lock(job_id)
    diagram = jobs.diagram(record.job)
    decision = rules.attach(record.job, diagram, new, unit.actor, jobs.moment())
    jobs.save(record, decision, diagram)
    (recorded,) = decision.recorded
    assert isinstance(recorded.event, AttachmentsAdded)  # noqa: S101 - tells mypy
    return recorded.event.attachments


def change(unit: Unit, job_id: str, attachment_id: str, *, alias: str | None, folder: str | None) -> None:
    """Give an attachment another alias or folder. Raises as ``add``, and NotFound for the attachment."""
    jobs = Jobs(unit)
    record = jobs.lock(job_id)
    diagram = jobs.diagram(record.job)
    attachment = _attachment(unit, record, attachment_id)
    decision = rules.change(record.job, diagram, attachment, alias, folder, unit.actor, jobs.moment())
    jobs.save(record, decision, diagram)


def delete(unit: Unit, job_id: str, attachment_id: str) -> None:
    """Delete an attachment; its bytes go soon after the commit. Raises as ``change``."""
    jobs = Jobs(unit)
    record = jobs.lock(job_id)
    diagram = jobs.diagram(record.job)
    attachment = _attachment(unit, record, attachment_id)
    jobs.save(record, rules.detach(record.job, diagram, attachment, unit.actor, jobs.moment()), diagram)


def of_job(unit: Unit, job_id: str, *, folder: str | None = None) -> list[Attachment]:
    """A job's attachments, or those of one folder, in the order they were added. Raises NotFound (JobNotFound)."""
    found = unit.tx.attachments(_record(unit, job_id))
    return [attachment for attachment in found if folder is None or attachment.folder == folder]


def one(unit: Unit, job_id: str, attachment_id: str) -> Attachment:
    """One attachment. Raises NotFound (JobNotFound, AttachmentNotFound)."""
    return _attachment(unit, _record(unit, job_id), attachment_id)


def _record(unit: Unit, job_id: str) -> JobRecord:
    record = unit.tx.job(unit.item, job_id)
    if record is None:
        raise no_such_job(job_id)
    return record


def _attachment(unit: Unit, record: JobRecord, attachment_id: str) -> Attachment:
    found = unit.tx.attachment(record, attachment_id)
    if found is None:
        raise NotFound(f"The job has no attachment {attachment_id!r}.", name="AttachmentNotFound")
    return found
