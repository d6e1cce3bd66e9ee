"""The join rule: when a step that a path has reached becomes current, and when it waits for other branches.

A reached step becomes current when no other current or pending step of the job can still reach it; until then it is
pending. ("When all predecessors are finished" would never hold in a diagram where a loop leads back into the joining
step.) Source: design.md section 6, "Join".
"""

from collections.abc import Collection, Sequence

from app.domain.diagram import Diagram
from app.domain.job import AssignedType, PendingStep


def open_joins(
    diagram: Diagram, current: Collection[str], pending: Sequence[PendingStep]
) -> tuple[tuple[PendingStep, ...], tuple[PendingStep, ...]]:
    """Split pending steps into those that become current now and those that go on waiting.

    If no step is current and none of the pending ones is free, they wait only for each other: all become current.
    """
    waiting_on = {*current, *(step.step_id for step in pending)}
    free = [step for step in pending if not _is_awaited(diagram, waiting_on, step.step_id)]
    if not current and not free:
        return tuple(pending), ()
    ready = {step.step_id for step in free}
    return tuple(free), tuple(step for step in pending if step.step_id not in ready)


def _is_awaited(diagram: Diagram, active: Collection[str], goal: str) -> bool:
    return any(step_id != goal and diagram.reaches(step_id, goal) for step_id in active)


def awaited_by(diagram: Diagram, current: Sequence[str], goal: str) -> tuple[str, ...]:
    """The current steps that a pending step waits for.

    If none of them can reach it, it waits in a circle of pending steps, which opens when no step is current any more.
    """
    return tuple(step_id for step_id in current if diagram.reaches(step_id, goal)) or tuple(current)


def arrive(
    pending: Sequence[PendingStep], current: Collection[str], arrivals: Sequence[PendingStep]
) -> tuple[PendingStep, ...]:
    """Add steps that paths have reached to those that are pending.

    A step that is current already swallows the arrival: its visit goes on. One that is pending already waits once, with
    the assignment of the latest arrival that names an assignee.
    """
    merged = {step.step_id: step for step in pending}
    for arrival in arrivals:
        if arrival.step_id in current:
            continue
        known = merged.get(arrival.step_id)
        if known is None or arrival.assignment.type is not AssignedType.UNASSIGNED:
            since_ms = known.since_ms if known else arrival.since_ms
            merged[arrival.step_id] = PendingStep(arrival.step_id, arrival.assignment, since_ms)
    return tuple(merged.values())
