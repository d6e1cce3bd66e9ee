"""Use cases on the location of a job (rest.md 5.11)."""

from app.domain import locations as rules
from app.domain.commands import SetLocation
from app.domain.job import Location
from app.services.engine import Unit
from app.services.recording import Jobs, no_such_job


def set_location(unit: Unit, job_id: str, location: Location | None) -> None:
    """Set a job's location; None clears it. Raises NotFound for the job, and as ``app.domain.locations``."""
    jobs = Jobs(unit)
    record = jobs.lock(job_id)
    diagram = jobs.diagram(record.job)
    decision = rules.set_location(record.job, diagram, SetLocation(location), unit.actor, jobs.moment())
    jobs.save(record, decision, diagram)


def location(unit: Unit, job_id: str) -> Location | None:
    """Where a job is. Raises NotFound (JobNotFound)."""
    record = unit.tx.job(unit.item, job_id)
    if record is None:
        raise no_such_job(job_id)
    return record.job.location
