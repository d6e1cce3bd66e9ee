"""Holds: what keeps a step from running. Pure: the caller passes the time in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.commands import ReleaseHold, SetHold
from app.domain.diagram import Diagram
from app.domain.job import Hold, Job
from app.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class DependencyTarget:
    """The job that a new hold is to wait for, as it is now. ``cycle`` lists job ids that would wait for each other."""

    job: Job
    diagram: Diagram
    cycle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """The webhook connection that a new hold names, as it is now."""

    enabled: bool


def is_met(job: Job, step_id: str | None) -> bool:
    """Tell whether a dependency on ``job`` (or its step) is resolved.

    A job is done when it is closed or its diagram is finished; a step when it was finished and is neither current nor
    pending again. Source: rest.md 15.6.
    """
    if job.closed or job.flow.is_complete:
        return True
    if step_id is None:
        return False
    again = {step.step_id for step in job.flow.steps} | {step.step_id for step in job.flow.pending}
    return step_id in job.flow.finished and step_id not in again


def has_ended(hold: Hold, target: DependencyTarget | None, *, now_ms: int) -> bool:
    """Tell whether a hold no longer blocks its step: its time has come, or what it waited for is done."""
    if hold.scheduled_release_ms is not None and hold.scheduled_release_ms <= now_ms:
        return True
    return target is not None and is_met(target.job, hold.dependent_step_id)


def check_dependency(job: Job, command: SetHold, target: DependencyTarget | None) -> None:
    """Refuse a dependency that makes no sense.

    Raises:
        InvalidValue: a step without its job, no such job or step, the job itself, or a circle of jobs.
    """
    if command.dependent_job_id is None:
        if command.dependent_step_id is not None:
            raise InvalidValue("dependentStepId needs dependentJobId: name the job whose step is meant.")
        return
    if command.dependent_job_id == job.job_id:
        raise InvalidValue("A job cannot depend on itself; name another job in dependentJobId.")
    if target is None:
        raise InvalidValue(f"dependentJobId: there is no job {command.dependent_job_id!r}.", name="JobNotFound")
    if command.dependent_step_id is not None and target.diagram.step(command.dependent_step_id) is None:
        raise InvalidValue(
            f"dependentStepId: the diagram of job {command.dependent_job_id!r} has no step "
            f"{command.dependent_step_id!r}."
        )
    if target.cycle:
        raise InvalidValue(
            "This dependency would make jobs wait for each other: " + " -> ".join(target.cycle) + ". "
            "Release one of the dependencies first."
        )


def check_webhook(command: SetHold, connection: ConnectionFacts | None) -> None:
    """Refuse a webhook dependency that could not end.

    Args:
        connection: the one named, if there is such a connection.

    Raises:
        InvalidValue: no such connection, or one that is disabled; a job to wait for besides.
    """
    if command.webhook is None:
        return
    if command.dependent_job_id is not None:
        raise InvalidValue("A hold waits for a job or for a feature, not for both; send two Holds.")
    name = command.webhook.connection_id
    if connection is None:
        raise InvalidValue(
            f"webhookConnectionId: there is no webhook connection {name!r} in this workflow item.",
            name="WebhookConnectionNotFound",
        )
    if not connection.enabled:
        raise InvalidValue(
            f"webhookConnectionId: the webhook connection {name!r} is disabled, so nothing would end this hold. "
            "Enable it first.",
            name="WebhookConnectionDisabled",
        )


def find_cycle(edges: Iterable[tuple[str, str]], job_id: str, target_id: str) -> tuple[str, ...]:
    """Find the circle that "``job_id`` waits for ``target_id``" would close.

    Args:
        edges: ``(job, job it waits for)`` for all dependencies that can be reached from ``target_id``.

    Returns the job ids along the circle, starting and ending with ``job_id``; empty when there is none.
    """
    waits_for: dict[str, list[str]] = {}
    for waiting, awaited in edges:
        waits_for.setdefault(waiting, []).append(awaited)
    came_from: dict[str, str] = {target_id: job_id}
    open_ends = [target_id]
    while open_ends:
        here = open_ends.pop()
        if here == job_id:
            return _walk_back(came_from, job_id)
        for awaited in waits_for.get(here, ()):
            if awaited not in came_from:
                came_from[awaited] = here
                open_ends.append(awaited)
    return ()


def _walk_back(came_from: Mapping[str, str], job_id: str) -> tuple[str, ...]:
    circle = [job_id]
    here = came_from[job_id]
    while here != job_id:
        circle.append(here)
        here = came_from[here]
    return (job_id, *reversed(circle[1:]), job_id)


def matching_holds(holds: Sequence[Hold], command: ReleaseHold) -> tuple[Hold, ...]:
    """The holds that a release names: with a job exactly that dependency, with a webhook connection all that wait for
    features of its service, with neither the manual and scheduled ones.

    Source: rest.md 15.7; a dependency on a whole job is released by its job id alone (design.md section 6).
    """
    if command.webhook_connection_id is not None:
        return tuple(
            hold for hold in holds if hold.webhook and hold.webhook.connection_id == command.webhook_connection_id
        )
    if command.dependent_job_id is None:
        return tuple(hold for hold in holds if hold.is_manual)
    wanted = (command.dependent_job_id, command.dependent_step_id)
    return tuple(hold for hold in holds if (hold.dependent_job_id, hold.dependent_step_id) == wanted)
