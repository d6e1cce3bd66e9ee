"""Use cases on jobs: act, assign, manage, comment. Creation is in ``creation.py``, answers in ``answers.py``."""

from dataclasses import dataclass

from app.domain import manage as rules
from app.domain.actions import decide
from app.domain.commands import (
    Action,
    AddComment,
    Assign,
    EndHold,
    ManageType,
    SetHold,
)
from app.domain.holds import ConnectionFacts, DependencyTarget, find_cycle
from app.domain.job import AssignedType, Assignment, Job
from app.domain.outcomes import Decision
from app.domain.runs import end_hold
from app.errors import GatewayError, InvalidValue, NotFound
from app.services.access import assignee_facts
from app.services.creation import CreatedJobs, JobOverrides, create, template_defaults
from app.services.engine import Unit
from app.services.ports import JobRecord
from app.services.recording import Jobs

__all__ = [
    "CreatedJobs",
    "JobOverrides",
    "Managed",
    "ManagedJob",
    "act",
    "add_comment",
    "assign",
    "create",
    "end_hold_when_due",
    "manage",
]

MAX_MANAGED_JOBS = 1_000


def act(unit: Unit, job_id: str, action: Action) -> Decision:
    """Carry out one of the seven actions.

    Returns what became of it, step by step; a step that was refused does not keep the others from being done. Raises:
        NotFound: no such job. PermissionDenied, InvalidValue: the call as a whole is refused; nothing has changed.
    """
    jobs = Jobs(unit)
    dependency = None
    if isinstance(action, SetHold) and action.dependent_job_id is not None:
        record, dependency = _lock_with_target(unit, jobs, job_id, action.dependent_job_id)
    else:
        record = jobs.lock(job_id)
    diagram = jobs.diagram(record.job)
    decision = decide(
        record.job,
        diagram,
        action,
        unit.actor,
        jobs.moment(),
        dependency=dependency,
        connection=_connection(unit, action),
    )
    jobs.save(record, decision, diagram)
    return decision


def _connection(unit: Unit, action: Action) -> ConnectionFacts | None:
    """The webhook connection that a hold names; nobody disables or deletes it while the hold is set."""
    if not isinstance(action, SetHold) or action.webhook is None:
        return None
    found = unit.tx.webhook_connection(unit.item, action.webhook.connection_id, use=True)
    return ConnectionFacts(found.enabled) if found else None


def _lock_with_target(unit: Unit, jobs: Jobs, job_id: str, target_id: str) -> tuple[JobRecord, DependencyTarget | None]:
    """Lock a job and the one it is to wait for, under the item's lock: no circle can close behind our back."""
    unit.tx.lock_item(unit.item)
    record = jobs.lock(job_id, with_target=target_id)
    target = jobs.find(target_id)
    if target is None:
        return record, None
    cycle = find_cycle(unit.tx.dependency_edges(unit.item, [target_id]), job_id, target_id)
    return record, DependencyTarget(target.job, jobs.diagram(target.job), cycle)


def assign(unit: Unit, job_id: str, step_id: str | None, assignment: Assignment) -> None:
    """Give a current step to a user, a group or nobody; ``step_id`` None is the job's current step. Raises as
    ``app.domain.manage.assign``, and NotFound for the job."""
    jobs = Jobs(unit)
    record = jobs.lock(job_id)
    diagram = jobs.diagram(record.job)
    wanted = assignment if assignment.type is not AssignedType.UNASSIGNED else Assignment()
    assignee = assignee_facts(unit.tx, unit.item, wanted)
    command = Assign(step_id, wanted)
    decision = rules.assign(record.job, diagram, command, assignee, unit.actor, jobs.moment())
    jobs.save(record, decision, diagram)


def add_comment(unit: Unit, job_id: str, comment: str) -> str:
    """Add a comment to a job, open or closed, and return its id."""
    jobs = Jobs(unit)
    record = jobs.lock(job_id)
    diagram = jobs.diagram(record.job)
    comment_id = unit.new_id()
    decision = rules.add_comment(record.job, diagram, AddComment(comment, comment_id), unit.actor, jobs.moment())
    jobs.save(record, decision, diagram)
    return comment_id


# ---------------------------------------------------------------- manage


@dataclass(frozen=True, slots=True)
class ManagedJob:
    """What became of one job. ``message`` and ``name`` say why not."""

    job_id: str
    success: bool
    message: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Managed:
    """What became of a manage call: ``success`` only if every job was done; ``message`` and ``name`` are the first
    refusal's."""

    success: bool
    message: str | None
    name: str | None
    jobs: list[ManagedJob]


def manage(unit: Unit, kind: ManageType, job_ids: list[str]) -> Managed:
    """Close, reopen, delete or upgrade jobs; those not refused are done, whatever becomes of the others.

    Raises:
        PermissionDenied: the privilege is missing.
        InvalidValue: no ids, or more than 1,000.
    """
    rules.require(unit.actor, kind)
    ids = list(dict.fromkeys(job_ids))
    if not ids:
        raise InvalidValue("jobIds must name at least one job.")
    if len(ids) > MAX_MANAGED_JOBS:
        raise InvalidValue(f"jobIds names {len(ids)} jobs; at most {MAX_MANAGED_JOBS} can be managed in one call.")
    results = [_manage_one(unit, kind, job_id) for job_id in ids]
    refused = [result for result in results if not result.success]
    first = refused[0] if refused else None
    return Managed(not refused, first.message if first else None, first.name if first else None, results)


def _manage_one(unit: Unit, kind: ManageType, job_id: str) -> ManagedJob:
    """The rules refuse before anything is written, so a refused job leaves no trace in the transaction."""
    jobs = Jobs(unit)
    try:
        record = jobs.lock(job_id)
        diagram = jobs.diagram(record.job)
        decision = _decide(unit, jobs, record, kind)
    except GatewayError as error:
        if error.temporary:
            raise
        return ManagedJob(job_id, success=False, message=f"Job {job_id!r}: {error}", name=error.name)
    jobs.save(record, decision, diagram)
    return ManagedJob(job_id, success=True)


def _decide(unit: Unit, jobs: Jobs, record: JobRecord, kind: ManageType) -> Decision:
    job = record.job
    newest = unit.tx.use_diagram(unit.item, job.diagram_id) if kind is ManageType.UPGRADE else None
    active = newest.diagram if newest and newest.diagram.version > 0 else None
    final = final_status(unit, job) if kind is ManageType.CLOSE else None
    return rules.manage(job, jobs.diagram(job), kind, unit.actor, jobs.moment(), final_status=final, newest=active)


def final_status(unit: Unit, job: Job) -> str | None:
    """The status that a job of this template gets when it is closed; None when the template has none, or is gone."""
    template = unit.tx.template(unit.item, job.template_id)
    return template_defaults(template.body).default_final_status if template else None


# ---------------------------------------------------------------- time


def end_hold_when_due(unit: Unit, job_id: str, hold_id: str) -> bool:
    """End a hold whose scheduled release has come. False when it is gone already, or its job is."""
    jobs = Jobs(unit)
    try:
        record = jobs.lock(job_id)
    except NotFound:
        return False
    hold = record.job.flow.hold(hold_id)
    if hold is None or hold.scheduled_release_ms is None or hold.scheduled_release_ms > unit.now_ms:
        return False
    diagram = jobs.diagram(record.job)
    decision = end_hold(record.job, diagram, EndHold(hold_id), jobs.moment())
    if decision is None:
        return False
    jobs.save(record, decision, diagram)
    return True
