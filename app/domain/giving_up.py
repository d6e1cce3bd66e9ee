"""Giving a job up: what runs is stopped, and the job is closed for good (v3-jobs.md 4.4)."""

from app.domain import events as e
from app.domain.actions import stopped
from app.domain.job import StepState
from app.domain.work import Work


def give_up(work: Work) -> None:
    """Stop every running step, drop open questions, close the job as cancelled.

    An executor is told to stop and ends a moment later, when the job is closed already: what it comes to then moves
    nothing on. An answer that is stored and not applied yet is lost, so its caller looks for one before.
    """
    for current in work.job.flow.steps:
        if not current.is_running or current.state is StepState.STOPPING:
            continue
        is_service = work.diagram.by_id[current.step_id].is_service
        by = work.actor.username
        work.record(e.StepStopping(current.step_id, by) if is_service else stopped(work, current.step_id))
    work.record(e.JobClosed(work.actor.username, work.now_ms, None, cancelled=True))
