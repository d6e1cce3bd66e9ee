"""Decides what the v3 dialects do to a job as a whole: process it, cancel it, change its ticket (v3-jobs.md 4.4).

Who may do it is judged by the use cases: these dialects go by owner and administrator, not by a step's assignment.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from app.domain import events as e
from app.domain.access import SYSTEM, Actor
from app.domain.actions import Moment
from app.domain.diagram import Diagram, Step
from app.domain.finishing import is_applying
from app.domain.giving_up import give_up
from app.domain.job import AssignedType, Assignment, Hold, Job, StepState, Ticket
from app.domain.outcomes import Decision
from app.domain.phases import Phase, phase_of, startable_steps
from app.domain.work import Work
from app.errors import Conflict

WRONG_STATE: Final = "Invalid operation: The operation cannot be performed in the current state."
"""How a refusal for a job's state begins (v3-jobs.md 2.5)."""

_NOT_NOW: Final = {
    Phase.REGISTERED: "The job is still being parsed.",
    Phase.WAITING: "The job waits: for an answer to its question, for the end of a hold, or for somebody to go on.",
    Phase.QUEUED: "The job is queued already.",
    Phase.RUNNING: "The job is being processed.",
    Phase.ASKING: "The job waits in the midst of its processing.",
    Phase.CANCELLED: "The job was cancelled, which is final.",
}


@dataclass(frozen=True, slots=True)
class TicketChange:
    """New values by the wire's names; only what is there changes. ``owned_by`` is a user's name, ``project`` a number,
    0 for none."""

    owned_by: str | None = None
    project: int | None = None
    favorite: bool | None = None
    account: str | None = None


def release_step(diagram: Diagram) -> Step | None:
    """The first step that somebody must start and that asks nothing: processing a waiting job starts it.

    None: jobs run through by themselves (a "direct" queue), or begin with a question.
    """
    return next((step for step in _in_reach(diagram) if not step.automatic and not step.asks), None)


def needs_project(diagram: Diagram) -> bool:
    """Some step of the diagram is held until its job has a project."""
    return any(step.needs_project for step in diagram.steps)


def _in_reach(diagram: Diagram) -> Iterator[Step]:
    """The steps as paths lead to them from the first one, near ones first."""
    waiting, seen = [diagram.initial_step_id], {diagram.initial_step_id}
    for step_id in waiting:
        step = diagram.step(step_id)
        if step is None:
            continue
        yield step
        new = [path.next_step for path in step.paths if path.next_step not in seen]
        seen.update(new)
        waiting += dict.fromkeys(new)


def queue(job: Job, diagram: Diagram, actor: Actor, moment: Moment) -> Decision:
    """Process a job that was just made, whatever it waits for: what nothing stands against starts."""
    work = _work(job, diagram, actor, moment)
    work.record(e.JobQueued(actor.username, moment.now_ms))
    _start(work, [step.step_id for step in startable_steps(work.job)])
    return work.decision()


def process(job: Job, diagram: Diagram, assignment: Assignment, actor: Actor, moment: Moment) -> Decision:
    """Release a job that is ready, run a failed one again, or let one that has succeeded begin anew: at the step that
    releases it, or at its first one.

    Args:
        assignment: of the step that a job begins anew at.

    Raises:
        Conflict: the job is in any other state, or has no project and needs one.
    """
    work, phase = _work(job, diagram, actor, moment), phase_of(job)
    if phase in _NOT_NOW or job.closed:
        raise Conflict(f"{WRONG_STATE} {_NOT_NOW.get(phase, 'The job is closed.')}", name="WrongState")
    begin = release_step(diagram) or diagram.by_id[diagram.initial_step_id]
    if phase is Phase.SUCCEEDED and begin.needs_project and job.ticket.project is None:
        raise Conflict(f"{WRONG_STATE} The job has no project, and its queue asks for one.", name="WrongState")
    work.record(e.JobQueued(actor.username, moment.now_ms))
    if phase is Phase.SUCCEEDED:
        work.restart(begin.step_id, assignment)
    failed = [step.step_id for step in work.job.flow.steps if step.state is StepState.FAILED]
    _start(work, [*failed, *(step.step_id for step in startable_steps(work.job))])
    return work.decision()


def _start(work: Work, step_ids: list[str]) -> None:
    for step_id in step_ids:
        current = work.job.flow.step(step_id)
        if current is not None and not current.is_running:
            work.start(current)
    work.start_automatic_steps()


def cancel(job: Job, diagram: Diagram, actor: Actor, moment: Moment) -> Decision:
    """Give a job up. One that is cancelled already stays as it is. Raises Conflict: it has ended, or an answer to its
    question was taken and is just being applied."""
    work = _work(job, diagram, actor, moment)
    if job.ticket.cancelled:
        return work.decision()
    if job.closed or phase_of(job) in {Phase.SUCCEEDED, Phase.FAILED}:
        raise Conflict(f"{WRONG_STATE} The job has ended.", name="WrongState")
    if any(is_applying(step) for step in job.flow.steps):
        raise Conflict(f"{WRONG_STATE} An answer to its question is being applied; try again.", name="WrongState")
    give_up(work)
    return work.decision()


def change_ticket(job: Job, diagram: Diagram, change: TicketChange, actor: Actor, moment: Moment) -> Decision:
    """Give a job another owner, project, account or mark; what is as it is already changes nothing.

    The old owner's steps become the new one's. A project ends the holds that waited for one, no project brings them
    back. Raises Conflict: another owner for a job whose step is being carried out.
    """
    work = _work(job, diagram, actor, moment)
    ticket, owner, told = _changed(job, change)
    if not told:
        return work.decision()
    if owner != job.owned_by:
        _check_idle(job)
    work.record(e.TicketSet(ticket, owner, told, actor.username))
    if owner != job.owned_by:
        _hand_over(work, job.owned_by, owner)
    if ticket.project != job.ticket.project:
        _keep_gates(work)
    work.start_automatic_steps()
    return work.decision()


def _changed(job: Job, change: TicketChange) -> tuple[Ticket, str, tuple[tuple[str, str, str], ...]]:
    """The new ticket, the owner, and what differs."""
    ticket, owner = job.ticket, change.owned_by or job.owned_by
    told = [("owned_by", job.owned_by, owner)] if owner != job.owned_by else []
    project = ticket.project if change.project is None else change.project or None
    favorite = ticket.favorite if change.favorite is None else change.favorite
    account = ticket.account if change.account is None else change.account
    for name, value in (("project", project), ("favorite", favorite), ("account", account)):
        before = getattr(ticket, name)
        if value != before:
            told.append((_WIRE[name], _text(before), _text(value)))
    return replace(ticket, project=project, favorite=favorite, account=account), owner, tuple(told)


_WIRE: Final = {"project": "project_id", "favorite": "favorite", "account": "account"}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _check_idle(job: Job) -> None:
    if any(step.is_running and step.state is not StepState.WAITING for step in job.flow.steps) and not job.closed:
        raise Conflict(f"{WRONG_STATE} The job is running, so it keeps its owner.", name="WrongState")


def _hand_over(work: Work, old: str, new: str) -> None:
    """Whoever owns the job now does what was the old owner's to do; an open question is put to them."""
    for step in work.job.flow.steps:
        if step.assignment != Assignment(AssignedType.USER, old):
            continue
        work.record(e.StepReassigned(step.step_id, Assignment(AssignedType.USER, new), work.actor.username))
        if step.state is StepState.WAITING and step.last_run.prompt_id is not None:
            work.record(e.PromptOpened(step.step_id, step.last_run.prompt_id))


def _keep_gates(work: Work) -> None:
    for step in work.job.flow.steps:
        gates = [hold for hold in work.job.flow.holds_of(step.step_id) if is_project_gate(hold)]
        if work.job.ticket.project is not None:
            for hold in gates:
                work.release(hold)
        elif not gates and step.state is StepState.READY:
            work.hold_for_project(step.step_id)


def is_project_gate(hold: Hold) -> bool:
    """The server has set it, and neither a moment nor another job ends it: it waits for a project."""
    by_hand = hold.scheduled_release_ms is None and not hold.is_dependency
    return hold.set_by == SYSTEM.username and by_hand


def _work(job: Job, diagram: Diagram, actor: Actor, moment: Moment) -> Work:
    return Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
