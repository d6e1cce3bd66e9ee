"""Folds events into a job: ``apply(job, event)`` is what the job is after the event. Total, and free of decisions."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from app.domain import events as e
from app.domain.changes import as_changed
from app.domain.job import Flow, Job, StepState


def apply(job: Job, event: e.Event) -> Job:
    """Return the job as it is right after ``event``."""
    return _APPLIERS[type(event)](job, event)


def fold(created: e.JobCreated, events: Iterable[e.Event]) -> Job:
    """Build a job from its first event and all that followed."""
    job = created.job
    for event in events:
        job = apply(job, event)
    return job


def _unchanged(job: Job, _: e.Event) -> Job:
    return job


def _flow(job: Job, **changes: Any) -> Job:
    return replace(job, flow=replace(job.flow, **changes))


def _step(job: Job, step_id: str, **changes: Any) -> Job:
    steps = tuple(replace(step, **changes) if step.step_id == step_id else step for step in job.flow.steps)
    return _flow(job, steps=steps)


def _created(_: Job, event: e.JobCreated) -> Job:
    return event.job


def _activated(job: Job, event: e.StepsActivated) -> Job:
    return _flow(job, steps=job.flow.steps + event.steps, pending=event.pending)


def _started(job: Job, event: e.StepStarted) -> Job:
    job = _step(job, event.step_id, state=StepState.EXECUTING, run=event.run, return_value=None, fault=None)
    job = _flow(job, automatic_run=job.flow.automatic_run + 1 if event.automatic else 0)
    if not event.automatic and job.ticket.queued_ms is None:
        job = _ticket(job, queued_ms=event.run.started_ms)
    return job if job.started_ms is not None else replace(job, started_ms=event.run.started_ms)


def _prompted(job: Job, event: e.PromptOpened) -> Job:
    """A question that is only told again keeps its id, and its round."""
    run = job.flow.current(event.step_id).last_run
    if run.prompt_id != event.prompt_id:
        rounds = job.flow.rounds
        job = _flow(job, rounds={**rounds, event.step_id: rounds.get(event.step_id, 0) + 1})
    return _step(job, event.step_id, state=StepState.WAITING, run=replace(run, prompt_id=event.prompt_id))


def _answer_stored(job: Job, event: e.AnswerStored) -> Job:
    run = job.flow.current(event.step_id).last_run
    job = _step(job, event.step_id, state=StepState.EXECUTING, run=replace(run, answer=event.stored))
    return _flow(job, automatic_run=0)


def _answer_rejected(job: Job, event: e.AnswerRejected) -> Job:
    run = job.flow.current(event.step_id).last_run
    return _step(job, event.step_id, state=StepState.WAITING, run=replace(run, answer=None))


def _handled(job: Job, event: e.StepHandled) -> Job:
    return _step(job, event.step_id, state=StepState.HANDLED, return_value=event.return_value)


def _completed(job: Job, event: e.StepCompleted) -> Job:
    return _step(job, event.step_id, state=StepState.DONE, return_value=event.return_value)


def _finished(job: Job, event: e.StepFinished) -> Job:
    done = event.step.step_id
    flow = job.flow
    job = _flow(
        job,
        steps=tuple(step for step in flow.steps if step.step_id != done) + event.activated,
        pending=event.pending,
        finished=flow.finished if done in flow.finished else (*flow.finished, done),
        automatic_run=flow.automatic_run if event.automatic else 0,
    )
    return job if event.status is None else replace(job, status=event.status)


def _workflow_completed(job: Job, _: e.WorkflowCompleted) -> Job:
    return replace(job, percent_complete=100.0)


def _stopping(job: Job, event: e.StepStopping) -> Job:
    return _step(job, event.step_id, state=StepState.STOPPING)


def _stopped(job: Job, event: e.StepStopped) -> Job:
    return _step(job, event.step_id, state=event.state)


def _failed(job: Job, event: e.StepFailed) -> Job:
    return _step(job, event.step_id, state=StepState.FAILED, fault=event.fault)


def _current_set(job: Job, event: e.CurrentStepSet) -> Job:
    return _flow(job, steps=(event.step,), pending=(), automatic_run=0)


def _reassigned(job: Job, event: e.StepReassigned) -> Job:
    return _step(job, event.step_id, assignment=event.assignment)


def _hold_set(job: Job, event: e.HoldSet) -> Job:
    return _flow(job, holds=(*job.flow.holds, event.hold))


def _hold_released(job: Job, event: e.HoldReleased) -> Job:
    return _flow(job, holds=tuple(hold for hold in job.flow.holds if hold.hold_id != event.hold.hold_id))


def _location_set(job: Job, event: e.LocationSet) -> Job:
    return replace(job, location=event.location)


def _location_cleared(job: Job, _: e.LocationCleared) -> Job:
    return replace(job, location=None)


def _properties_set(job: Job, event: e.PropertiesSet) -> Job:
    """Extended ones are rows beside the job; what follows in the same decision must see them as they will be."""
    return as_changed(job, event.changes)


def _closed(job: Job, event: e.JobClosed) -> Job:
    job = _ticket(job, cancelled=True) if event.cancelled else job
    return replace(job, closed=True, closed_by=event.by, ended_ms=event.at_ms, status=event.status or job.status)


def _queued(job: Job, event: e.JobQueued) -> Job:
    return _ticket(job, queued_ms=event.at_ms)


def _restarted(job: Job, _: e.JobRestarted) -> Job:
    return _flow(replace(job, percent_complete=0), steps=(), pending=(), finished=(), automatic_run=0)


def _ticket_set(job: Job, event: e.TicketSet) -> Job:
    return replace(job, ticket=event.ticket, owned_by=event.owned_by)


def _ticket(job: Job, **changes: Any) -> Job:
    return replace(job, ticket=replace(job.ticket, **changes))


def _reopened(job: Job, _: e.JobReopened) -> Job:
    return _flow(replace(job, closed=False, closed_by=None, ended_ms=None), automatic_run=0)


def _upgraded(job: Job, event: e.JobUpgraded) -> Job:
    return replace(job, diagram_name=event.diagram_name, diagram_version=event.diagram_version, flow=event.flow)


def _deleted(job: Job, _: e.JobDeleted) -> Job:
    return replace(job, flow=Flow(), closed=True)


_APPLIERS: dict[type[Any], Callable[[Job, Any], Job]] = {
    e.JobCreated: _created,
    e.StepsActivated: _activated,
    e.StepStarted: _started,
    e.PromptOpened: _prompted,
    e.AnswerStored: _answer_stored,
    e.AnswerRejected: _answer_rejected,
    e.StepHandled: _handled,
    e.StepProgressed: _unchanged,
    e.StepCompleted: _completed,
    e.StepFinished: _finished,
    e.WorkflowCompleted: _workflow_completed,
    e.StepStopping: _stopping,
    e.StepStopped: _stopped,
    e.StepFailed: _failed,
    e.CurrentStepSet: _current_set,
    e.StatusRefreshed: _unchanged,
    e.StepReassigned: _reassigned,
    e.HoldSet: _hold_set,
    e.StepReachedHeld: _unchanged,
    e.HoldReleased: _hold_released,
    e.HoldEndedAtOnce: _unchanged,
    e.CommentAdded: _unchanged,
    e.LocationSet: _location_set,
    e.LocationCleared: _location_cleared,
    e.AttachmentsAdded: _unchanged,
    e.AttachmentChanged: _unchanged,
    e.AttachmentDeleted: _unchanged,
    e.PropertiesSet: _properties_set,
    e.JobClosed: _closed,
    e.JobQueued: _queued,
    e.JobRestarted: _restarted,
    e.TicketSet: _ticket_set,
    e.JobReopened: _reopened,
    e.JobUpgraded: _upgraded,
    e.JobDeleted: _deleted,
}
