"""How far a job is, in the words of the v3 dialects (v3-jobs.md 4.3): worked out of the job, never kept by itself."""

from collections.abc import Iterator
from enum import StrEnum

from app.domain.job import CurrentStep, Job, StepState


class Phase(StrEnum):
    """Where a job is on its way from arrival to end.

    ``REGISTERED`` is worked on before anybody has released it (parsing), ``WAITING`` waits then: for an answer, the end
    of a hold or a project. ``READY`` may be processed. ``QUEUED`` was accepted and waits for whoever does its next
    step, ``RUNNING`` is being worked on, ``ASKING`` waits in the midst of it. The last three are ends; a job that has
    ``SUCCEEDED`` or ``FAILED`` may be processed again.
    """

    REGISTERED = "registered"
    WAITING = "waiting"
    READY = "ready"
    QUEUED = "queued"
    RUNNING = "running"
    ASKING = "asking"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED})
"""Phases in which nothing happens any more by itself."""


def phase_of(job: Job) -> Phase:
    """The job's phase.

    A job that was closed by hand has ended as it was: failed when a step of it had failed.
    """
    if job.ticket.cancelled:
        return Phase.CANCELLED
    states = {step.state for step in job.flow.steps}
    is_running = job.is_running and not job.closed
    if StepState.FAILED in states and not is_running:
        return Phase.FAILED
    if job.closed or job.flow.is_complete:
        return Phase.SUCCEEDED
    return _under_way(job, states)


def _under_way(job: Job, states: set[StepState]) -> Phase:
    was_queued = job.ticket.queued_ms is not None
    if StepState.WAITING in states:
        return Phase.ASKING if was_queued else Phase.WAITING
    if job.is_running:
        return Phase.RUNNING if was_queued else Phase.REGISTERED
    if any(startable_steps(job)):
        return Phase.QUEUED if was_queued else Phase.READY
    return Phase.ASKING if was_queued else Phase.WAITING


def startable_steps(job: Job) -> Iterator[CurrentStep]:
    """Current steps that nobody has started and nothing holds."""
    held = {hold.step_id for hold in job.flow.holds}
    return (step for step in job.flow.steps if step.state is StepState.READY and step.step_id not in held)
