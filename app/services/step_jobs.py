"""Jobs that a CreateJob step brings about, in the transaction that finishes it (docs/service-steps.md)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from app.domain.diagram import Diagram
from app.domain.job import AssignedType, Assignment, Job
from app.domain.paths import scope_of
from app.domain.runs import next_steps, wait_for_jobs
from app.errors import InvalidValue, StepFailed
from app.expressions.arcade import ArcadeError, Value, evaluate_values
from app.expressions.arcade_values import Dictionary, text_of
from app.protocol.codes import MsgCode
from app.protocol.create_job import CreateJobArgs
from app.protocol.text import parse_time
from app.services.acting import acting_unasked
from app.services.creation import JobOverrides, create_for_step
from app.services.engine import Unit
from app.services.ports import RunRecord
from app.services.recording import Jobs
from app.services.step_values import computed, computed_all, computed_values

MAX_JOBS_OF_A_RUN = 100
"""One run of a CreateJob step creates at most so many jobs."""


def create_jobs(unit: Unit, jobs: Jobs, run: RunRecord, started_by: str, args: CreateJobArgs) -> list[str]:
    """Create the jobs of a run and return their ids, which are the step's output.

    They are created by whoever started the step, or by the job's owner where it started by itself. As dependencies,
    they hold the steps that this one leads to.

    Raises:
        StepFailed: an expression cannot be evaluated, too many jobs, no way out of the step. GatewayError: as
            ``creation.create``. Nothing is created then.
    """
    record = jobs.lock(run.job_id)
    job, diagram = record.job, jobs.diagram(record.job)
    wanted = _wanted(job, started_by, args)
    quota = _share(job, len(wanted))
    template_id = computed(job, started_by, "jobTemplateId", args.job_template_id) or ""
    with acting_unasked(unit, job.owned_by if started_by == "system" else started_by):
        made = [create_for_step(unit, template_id, replace(each, may_create=quota)) for each in wanted]
    job_ids = [job_id for created in made for job_id in created.job_ids]
    unit.tx.set_step_output(record, run.step_id, job_ids)
    following = _following(job, diagram, run.step_id)
    if args.create_as_dependency:
        unfinished = [job_id for job_id in job_ids if not _is_complete(unit, job_id)]
        jobs.save(record, wait_for_jobs(job, diagram, following, unfinished, jobs.moment()), diagram)
    return job_ids


def _following(job: Job, diagram: Diagram, step_id: str) -> tuple[str, ...]:
    """Where the step leads to, now that its output is there. Without a way out it fails before it is completed, and
    its jobs are undone: run again, it would create them a second time."""
    try:
        return next_steps(job, diagram, step_id)
    except ArcadeError as error:
        text = f"The way out of the step cannot be evaluated: {error}."
        raise StepFailed(text, name=MsgCode.EXPRESSION_FAILED) from error
    except InvalidValue as error:
        raise StepFailed(error.message, name=MsgCode.NO_MATCHING_PATHS) from error


def _is_complete(unit: Unit, job_id: str) -> bool:
    """A job all of whose steps were automatic may be over already."""
    record = unit.tx.job(unit.item, job_id)
    return record is None or record.job.flow.is_complete


def _share(job: Job, count: int) -> int:
    """How many jobs each new job may bring about in its turn."""
    if count > MAX_JOBS_OF_A_RUN:
        text = f"The step would create {count} jobs; a step creates at most {MAX_JOBS_OF_A_RUN} in one run."
        raise StepFailed(text, name=MsgCode.TOO_MANY_JOBS)
    if count > job.may_create:
        text = (
            f"The step would create {count} jobs, and {job.may_create} are left to this job: it was itself created by "
            "a step, and the templates seem to create each other without end."
        )
        raise StepFailed(text, name=MsgCode.TOO_MANY_JOBS)
    return (job.may_create - count) // count if count else 0


# ---------------------------------------------------------------- what each job is like


def _wanted(job: Job, started_by: str, args: CreateJobArgs) -> list[JobOverrides]:
    """What is said of each new job, one for each item of the array where there is one."""
    if args.items is None:
        common = _overrides(job, started_by, args, {})
        return [common] * _count(job, started_by, args)
    try:
        items = evaluate_values(args.items, scope_of(job, started_by))
    except ArcadeError as error:
        raise StepFailed(f"items cannot be evaluated: {error}.", name=MsgCode.EXPRESSION_FAILED) from error
    if len(items) > MAX_JOBS_OF_A_RUN:
        _share(job, len(items))
    return [_overrides(job, started_by, args, _of_item(args, item)) for item in items]


def _count(job: Job, started_by: str, args: CreateJobArgs) -> int:
    text = computed(job, started_by, "numberOfJobs", args.number_of_jobs)
    if text is None:
        return 1
    if not (text.isascii() and text.isdecimal()):
        raise InvalidValue(f"numberOfJobs must be a whole number, not {text[:80]!r}.")
    return min(int(text), 10**9) if len(text) < 10 else 10**9


def _of_item(args: CreateJobArgs, item: Value) -> dict[str, str]:
    """What an item says of its job: a dictionary by its members, anything else as ``itemProperty``."""
    if isinstance(item, Dictionary):
        return {name: text_of(value) for name, value in item.entries.items() if value is not None}
    return {args.item_property or "description": text_of(item)}


def _overrides(job: Job, started_by: str, args: CreateJobArgs, of_item: Mapping[str, str]) -> JobOverrides:
    """The step's own members, and over them what the item says; ``table.property`` is an extended property."""
    members = {name: getattr(args, attribute) for name, attribute in _MEMBERS.items()}
    said = computed_all(job, started_by, members) | dict(of_item)
    unknown = [name for name in said if "." not in name and name not in _MEMBERS]
    if unknown:
        raise InvalidValue(
            f"{unknown[0]!r} is nothing to say of a new job; use table.property or {', '.join(_MEMBERS)}."
        )
    properties = computed_values(job, started_by, args.extended_properties)
    properties |= {name: text for name, text in said.items() if "." in name}
    return JobOverrides(
        job_name=said.get("jobName"),
        start_ms=_moment(said, "startDate"),
        due_ms=_moment(said, "dueDate"),
        priority=said.get("priority"),
        description=said.get("description"),
        owned_by=said.get("ownedBy"),
        assignment=_assignment(args, said.get("assignedTo")),
        job_status=said.get("jobStatus"),
        notes=said.get("notes"),
        parent_job=job.job_id if args.create_as_child else None,
        extended_properties=tuple(properties.items()),
    )


_MEMBERS: Final[Mapping[str, str]] = {
    "jobName": "job_name",
    "startDate": "start_date",
    "dueDate": "due_date",
    "priority": "priority",
    "description": "description",
    "ownedBy": "owned_by",
    "assignedTo": "assigned_to",
    "jobStatus": "job_status",
    "notes": "notes",
}
"""What may be said of a new job: the wire's name, and the name in ``CreateJobArgs``."""


def _moment(said: Mapping[str, str], name: str) -> int | None:
    return parse_time(said[name]) if said.get(name) else None


def _assignment(args: CreateJobArgs, assigned_to: str | None) -> Assignment | None:
    """None: as the template says."""
    if args.assigned_type is None:
        return None
    if args.assigned_type is AssignedType.UNASSIGNED:
        return Assignment()
    return Assignment(args.assigned_type, assigned_to)
