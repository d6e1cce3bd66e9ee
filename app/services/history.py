"""From events to lines of a job's history (rest.md 14.6)."""

from collections.abc import Callable, Iterator
from typing import Any

from app.domain import events as e
from app.domain.job import Assignment, Hold, StepState
from app.domain.refusals import describe_assignment, hold_reason
from app.services.ports import HistoryEntry


def entries(event: e.Event, now_ms: int, username: str) -> list[HistoryEntry]:
    """The lines an event adds, in order. ``username`` is whoever caused it, where the event does not say."""
    writer = _WRITERS.get(type(event))
    return list(writer(event, now_ms, username)) if writer else []


def _line(action: str, now_ms: int, by: str, step_id: str | None = None, result: str | None = None) -> HistoryEntry:
    return HistoryEntry(action, by, now_ms, step_id, result)


def _created(event: e.JobCreated, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Created", now_ms, event.by, result=event.job.name)


def _activated(event: e.StepsActivated, now_ms: int, by: str) -> Iterator[HistoryEntry]:
    for step in event.steps:
        yield _line("Activated", now_ms, by, step.step_id)


def _started(event: e.StepStarted, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Started", now_ms, event.run.started_by, event.step_id)


def _finished(event: e.StepFinished, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    start_ms = event.step.run.started_ms if event.step.run else None
    result = "Skipped" if event.skipped else None
    yield HistoryEntry("Finished", event.by, now_ms, event.step.step_id, result, start_ms, event.at_ms)
    for step in event.activated:
        yield _line("Activated", now_ms, event.by, step.step_id)


def _completed(event: e.WorkflowCompleted, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Completed", now_ms, event.by)


def _stopped(event: e.StepStopped, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    action = "Paused" if event.state is StepState.PAUSED else "Cancelled"
    yield _line(action, now_ms, event.by, event.step_id)


def _failed(event: e.StepFailed, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Error", now_ms, event.by, event.step_id, event.fault.msg)


def _current_set(event: e.CurrentStepSet, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    for step_id in event.deactivated:
        yield _line("Deactivated", now_ms, event.by, step_id)
    if event.is_new:
        yield _line("Activated", now_ms, event.by, event.step.step_id)


def _reassigned(event: e.StepReassigned, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Reassigned", now_ms, event.by, event.step_id, _assignee(event.assignment))


def _assignee(assignment: Assignment) -> str:
    text = describe_assignment(assignment)
    return text[:1].upper() + text[1:]  # not capitalize(): names keep their letters


def _set_line(hold: Hold, now_ms: int) -> HistoryEntry:
    action = "Held" if hold.is_manual else "DependencyAdded"
    return _line(action, now_ms, hold.set_by, hold.step_id, hold_reason(hold).description)


def _hold_set(event: e.HoldSet, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _set_line(event.hold, now_ms)


def _hold_released(event: e.HoldReleased, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("HoldReleased", now_ms, event.by, event.hold.step_id)


def _hold_ended(event: e.HoldEndedAtOnce, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _set_line(event.hold, now_ms)
    yield _line("HoldReleased", now_ms, event.by, event.hold.step_id)


def _comment(event: e.CommentAdded, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Added", now_ms, event.by, result="Comment")


def _located(event: e.LocationSet, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Added" if event.added else "Updated", now_ms, event.by, result="Location")


def _location_cleared(event: e.LocationCleared, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Deleted", now_ms, event.by, result="Location")


def _attached(event: e.AttachmentsAdded, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    for attachment in event.attachments:
        yield _line("Added", now_ms, event.by, attachment.step_id, attachment.alias)


def _attachment_changed(event: e.AttachmentChanged, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Updated", now_ms, event.by, event.attachment.step_id, event.attachment.alias)


def _detached(event: e.AttachmentDeleted, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Deleted", now_ms, event.by, event.attachment.step_id, event.attachment.alias)


def _properties(event: e.PropertiesSet, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Updated", now_ms, event.by, result=", ".join(event.changes.names))


def _closed(event: e.JobClosed, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Cancelled" if event.cancelled else "Closed", now_ms, event.by, result=event.status)


def _queued(event: e.JobQueued, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Processed", now_ms, event.by)


def _restarted(event: e.JobRestarted, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Restarted", now_ms, event.by)


def _ticket_set(event: e.TicketSet, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    changes = "; ".join(f"{name}: {before or 'none'} -> {after or 'none'}" for name, before, after in event.told)
    yield _line("Updated", now_ms, event.by, result=changes)


def _reopened(event: e.JobReopened, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Reopened", now_ms, event.by)
    for step_id in event.step_ids:
        yield _line("Reactivated", now_ms, event.by, step_id)


def _upgraded(event: e.JobUpgraded, now_ms: int, _: str) -> Iterator[HistoryEntry]:
    yield _line("Upgraded", now_ms, event.by, result=f"Version {event.diagram_version}")


_WRITERS: dict[type, Callable[[Any, int, str], Iterator[HistoryEntry]]] = {
    e.JobCreated: _created,
    e.StepsActivated: _activated,
    e.StepStarted: _started,
    e.StepFinished: _finished,
    e.WorkflowCompleted: _completed,
    e.StepStopped: _stopped,
    e.StepFailed: _failed,
    e.CurrentStepSet: _current_set,
    e.StepReassigned: _reassigned,
    e.HoldSet: _hold_set,
    e.HoldReleased: _hold_released,
    e.HoldEndedAtOnce: _hold_ended,
    e.CommentAdded: _comment,
    e.LocationSet: _located,
    e.LocationCleared: _location_cleared,
    e.AttachmentsAdded: _attached,
    e.AttachmentChanged: _attachment_changed,
    e.AttachmentDeleted: _detached,
    e.PropertiesSet: _properties,
    e.JobClosed: _closed,
    e.JobQueued: _queued,
    e.JobRestarted: _restarted,
    e.TicketSet: _ticket_set,
    e.JobReopened: _reopened,
    e.JobUpgraded: _upgraded,
}
