"""Which ways lead out of a step, and who the next step is assigned to. Expressions are Arcade (``app.expressions``)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.diagram import Diagram, Path, Step
from app.domain.geometry import extent_text
from app.domain.job import AssignedType, Assignment, Job, ReturnValue
from app.domain.properties import PropertyValue
from app.expressions.arcade import (
    STEP_SUCCESS,
    ArcadeError,
    ChangedProperties,
    Encoding,
    Scope,
    evaluate_condition,
    evaluate_text,
    is_expression,
)


def job_facts(job: Job) -> Mapping[str, Any]:
    """What ``$job`` offers to expressions, under the names of the REST job; moments are in ms since 1970."""
    return {
        "jobId": job.job_id,
        "jobName": job.name,
        "description": job.description,
        "createdBy": job.created_by,
        "ownedBy": job.owned_by,
        "jobStatus": job.status,
        "priority": job.priority,
        "percentComplete": job.percent_complete,
        "jobTemplateName": job.template_name,
        "parentJob": job.parent_job,
        "notes": job.notes,
        "createdDate": job.created_ms,
        "startDate": job.start_ms,
        "startedDate": job.started_ms,
        "dueDate": job.due_ms,
        "endDate": job.ended_ms,
        "location": lambda: extent_text(job.location),
    }


def scope_of(
    job: Job,
    username: str | None,
    return_value: ReturnValue = None,
    *,
    encoding: Encoding = Encoding.STANDARD,
) -> Scope:
    """The names an expression of this job may use, and the facts it may ask."""
    return Scope(
        current_user=username,
        job=job_facts(job),
        ret_val=return_value,
        step_success=STEP_SUCCESS,
        facts=job.facts,
        encoding=encoding,
    )


def with_properties(job: Job, given: Iterable[PropertyValue]) -> Job:
    """The job as expressions see it once these extended properties are set."""
    changes = {(each.table, each.name): each.value.text for each in given}
    return replace(job, facts=ChangedProperties(job.facts, job.job_id, changes))


@dataclass(frozen=True, slots=True)
class Way:
    """A path that is taken, and who the step behind it waits for."""

    path: Path
    assignment: Assignment


def ways_out(diagram: Diagram, step: Step, present: Assignment, scope: Scope) -> list[Way]:
    """The ways out of ``step``: along paths without an expression, and along those whose expression is true.

    A path to a step that the diagram does not have is never taken. Raises:
        ArcadeError: an expression, or an assignment along a path that is taken, cannot be evaluated.
    """
    taken = [path for path in step.paths if path.next_step in diagram.by_id and _is_open(path, scope)]
    return [Way(path, assignment_along(path, present, scope)) for path in taken]


def error_ways(diagram: Diagram, step: Step, present: Assignment, failure: Scope) -> list[Way]:
    """The ways that ask for a failure: their expression is true in ``failure``'s scope, and false after a success.

    None if an expression cannot be evaluated: then nothing leads on from the failure.
    """
    success = replace(failure, ret_val=STEP_SUCCESS)
    try:
        ways = ways_out(diagram, step, present, failure)
        return [way for way in ways if way.path.expression and not _is_open(way.path, success)]
    except ArcadeError:
        return []


def _is_open(path: Path, scope: Scope) -> bool:
    return not path.expression or evaluate_condition(path.expression, scope)


def assignment_along(path: Path, present: Assignment, scope: Scope) -> Assignment:
    """Who the step behind ``path`` waits for.

    Unassigned without a name keeps the present assignee; a name may be an Arcade expression. Raises:
        ArcadeError: the expression cannot be evaluated, or gives no name.
    """
    return resolve_assignment(path.assigned_type, path.assigned_to, present, scope, custom=path.is_custom_assignment)


def resolve_assignment(
    kind: AssignedType, to: str | None, present: Assignment, scope: Scope, *, custom: bool = False
) -> Assignment:
    """Turn an assignment as written in a diagram or template into one that names a user or group; see above."""
    if kind is AssignedType.UNASSIGNED or not to:
        return present
    name = evaluate_text(to, scope) if custom or is_expression(to) else to
    if not name:
        raise ArcadeError(f"The assignment {to!r} gives no name of a {kind.value.lower()}.")
    return Assignment(kind, name)
