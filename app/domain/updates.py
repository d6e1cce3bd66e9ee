"""Decides an update of a job (rest.md 5.5): who may change what, and when."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain import events as e
from app.domain.access import SYSTEM, Actor
from app.domain.actions import Moment
from app.domain.changes import MEMBER_OF, Changes, check_member, differing
from app.domain.diagram import Diagram
from app.domain.job import Job
from app.domain.outcomes import Decision
from app.domain.properties import PropertyValue, RelatedChanges, RelatedRow, Tables
from app.domain.values import NO_VALUE
from app.domain.work import Work
from app.errors import InvalidValue, PermissionDenied, RuleViolation

_EXTENDED = "jobUpdateExtendedProperties"


@dataclass(frozen=True, slots=True)
class Present:
    """The extended properties a job has now, and the tables they are in."""

    tables: Tables
    properties: tuple[PropertyValue, ...]
    rows: tuple[RelatedRow, ...]


def update(
    job: Job,
    diagram: Diagram,
    changes: Changes,
    actor: Actor,
    moment: Moment,
    *,
    present: Present,
    running_step_id: str | None = None,
) -> Decision:
    """Change a job. What is sent as it is already counts as not sent.

    Args:
        running_step_id: the step that may be running.

    Raises:
        RuleViolation: the job is closed, or running.
        PermissionDenied: the caller is neither owner nor assignee, or lacks the privilege for something that changes;
            ``details`` names each.
        InvalidValue: a value no job may have, or a property that is not for editing.
    """
    _check_state(job, running_step_id)
    _check_caller(job, actor)
    real = _real_changes(job, changes, present)
    _check_privileges(real, actor)
    _check_values(real, present.tables)
    work = Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
    if real:
        work.record(e.PropertiesSet(real, actor.username))
    return work.decision()


def set_by_step(job: Job, diagram: Diagram, changes: Changes, moment: Moment, *, present: Present) -> Decision:
    """Let a service step of the job set values, which have been checked: nobody's privileges are asked."""
    work = Work(job, diagram, SYSTEM, now_ms=moment.now_ms, new_id=moment.new_id)
    real = _real_changes(job, changes, present)
    if real:
        work.record(e.PropertiesSet(real, SYSTEM.username))
    return work.decision()


def _check_state(job: Job, running_step_id: str | None) -> None:
    if job.closed:
        raise RuleViolation("The job is closed; reopen it first.", name="JobClosed")
    running = [step.step_id for step in job.flow.steps if step.is_running and step.step_id != running_step_id]
    if running:
        raise RuleViolation(
            f"The job is running (step {running[0]!r}); stop or finish the step, or name it in allowRunningStepId.",
            name="JobRunning",
        )


def _check_caller(job: Job, actor: Actor) -> None:
    if job.owned_by == actor.username or actor.may("adminAdvanced"):
        return
    if not any(actor.is_assigned(step.assignment) for step in job.flow.steps):
        raise PermissionDenied(
            f"{actor.username!r} neither owns the job nor has a current step of it; only they, and those with the "
            "privilege adminAdvanced, may change it."
        )


def _real_changes(job: Job, changes: Changes, present: Present) -> Changes:
    before = {each.identifier: each.value for each in present.properties}
    properties = tuple(each for each in changes.properties if before.get(each.identifier, NO_VALUE) != each.value)
    rows = {row.row_id: row for row in present.rows}
    updates = tuple(row for row in changes.related.updates if not set(row.values) <= set(rows[row.row_id].values))
    related = RelatedChanges(changes.related.adds, updates, changes.related.deletes)
    return Changes(differing(job, changes.members), properties, related)


def _check_privileges(changes: Changes, actor: Actor) -> None:
    missing = list(_privilege_faults(changes, actor))
    if missing:
        raise PermissionDenied(f"{actor.username!r} may not change this: {'; '.join(missing)}.", details=missing)


def _privilege_faults(changes: Changes, actor: Actor) -> Iterator[str]:
    for change in changes.members:
        member = MEMBER_OF[change.attribute]
        if not actor.may(member.privilege):
            yield f"{member.wire} needs the privilege {member.privilege}"
    if (changes.properties or changes.related) and not actor.may(_EXTENDED):
        yield f"extended properties need the privilege {_EXTENDED}"


def _check_values(changes: Changes, tables: Tables) -> None:
    faults = [*_member_faults(changes), *_editing_faults(changes, tables)]
    if faults:
        raise InvalidValue(f"{'; '.join(faults)}.", details=faults)


def _member_faults(changes: Changes) -> Iterator[str]:
    for change in changes.members:
        try:
            check_member(change)
        except InvalidValue as error:
            yield f"{MEMBER_OF[change.attribute].wire}: {error.message}"


def _editing_faults(changes: Changes, tables: Tables) -> Iterator[str]:
    given = [*changes.properties, *(each for row in changes.related.updates for each in row.values)]
    for each in given:
        if not tables.by_name[each.table].properties[each.name].editable:
            yield f"{each.identifier}: this property is not for editing"
