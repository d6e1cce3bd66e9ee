"""Decides what becomes of a job's location by hand; a DefineLocation step sets it by its answer (rest.md 5.11)."""

from app.domain import events as e
from app.domain.access import Actor
from app.domain.actions import Moment
from app.domain.commands import SetLocation
from app.domain.diagram import Diagram
from app.domain.job import Job
from app.domain.outcomes import Decision
from app.domain.work import Work
from app.errors import PermissionDenied, RuleViolation

PRIVILEGE = "jobUpdateLocation"


def set_location(job: Job, diagram: Diagram, command: SetLocation, actor: Actor, moment: Moment) -> Decision:
    """Set, change or clear the job's location. What is as it was already is no event.

    Raises:
        PermissionDenied: without the privilege. RuleViolation: the job is closed.
    """
    if not actor.may(PRIVILEGE):
        raise PermissionDenied(
            f"To set a location takes the privilege {PRIVILEGE}, which {actor.username!r} does not have."
        )
    if job.closed:
        raise RuleViolation("The job is closed, and its location stays; reopen it first.", name="JobClosed")
    work = Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
    if command.location is None and job.location is not None:
        work.record(e.LocationCleared(actor.username))
    elif command.location is not None and command.location != job.location:
        work.record(e.LocationSet(command.location, actor.username, added=job.location is None))
    return work.decision()
