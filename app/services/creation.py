"""Creating jobs from a template (rest.md 5.1): the template's defaults, what the caller overrides, the first step."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import msgspec

from app.domain.actions import Moment
from app.domain.changes import MEMBER_OF, MemberChange, check_member
from app.domain.diagram import Diagram
from app.domain.job import (
    MAX_DESCENDANTS,
    NO_TICKET,
    UNASSIGNED,
    AssignedType,
    Assignment,
    Job,
    Location,
    Origin,
    Ticket,
)
from app.domain.manage import create as create_job
from app.domain.paths import resolve_assignment, scope_of, with_properties
from app.domain.properties import PropertyValue, RelatedRow, Tables, faults_of
from app.errors import InvalidValue, NotFound, PermissionDenied, RuleViolation
from app.protocol.tables import tables_of
from app.protocol.text import parse_time
from app.services.access import assignee_facts, check_owner
from app.services.engine import Unit
from app.services.facts import with_facts
from app.services.ports import JobTemplate
from app.services.recording import Jobs

MAX_JOBS = 1_000
"""One call creates at most so many jobs."""

ACTIVE_STATES = ("Active",)
"""The states of templates from which people and steps create jobs."""

AUTOMATED_STATES = ("Active", "Automated")
"""Those from which automations do."""

_DAY_MS = 86_400_000
_INDEX = "[index]"


class TemplateDefaults(msgspec.Struct, rename="camel"):
    """The members of a stored template that new jobs take their values from (rest.md 14.2)."""

    default_job_name: str | None = None
    default_assigned_type: str | None = None
    default_assigned_to: str | None = None
    default_description: str | None = None
    default_priority_name: str | None = None
    default_status: str | None = None
    default_final_status: str | None = None
    job_start_date_type: str | None = None
    default_start_date: str | None = None
    default_due_date: str | None = None
    default_job_duration: float | None = None


@lru_cache(maxsize=256)
def template_defaults(body: bytes) -> TemplateDefaults:
    """Read a stored template's defaults. The body was checked when the template was saved."""
    return msgspec.json.decode(body, type=TemplateDefaults)


@dataclass(frozen=True, slots=True)
class JobOverrides:
    """What the caller says of new jobs; None leaves the template's default (rest.md 5.1). Times are epoch ms."""

    number_of_jobs: int = 1
    job_id: str | None = None
    job_name: str | None = None
    start_ms: int | None = None
    due_ms: int | None = None
    priority: str | None = None
    description: str | None = None
    owned_by: str | None = None
    assignment: Assignment | None = None
    percent_complete: float | None = None
    job_status: str | None = None
    notes: str | None = None
    parent_job: str | None = None
    location: Location | None = None
    extended_properties: tuple[tuple[str, str | None], ...] = ()
    related_rows: tuple[tuple[str, Mapping[str, str | None]], ...] = ()
    """Rows of one-to-many tables: the table, and values by property name."""
    may_create: int = MAX_DESCENDANTS
    ticket: Ticket = NO_TICKET
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class CreatedJobs:
    """Ids of new jobs in order; whether their first step was started by itself; a warning, if there is one."""

    job_ids: list[str]
    auto_executed: bool
    message: str | None = None


def create(
    unit: Unit, template_id: str, overrides: JobOverrides, states: Collection[str] = ACTIVE_STATES
) -> CreatedJobs:
    """Create jobs from a template in one of these states; all or none.

    Raises:
        PermissionDenied: no privilege jobCreate. NotFound: no such template. RuleViolation: the template or its diagram
        is not active. Conflict: the job id was used before. InvalidValue: an override is not what it must be.
    """
    if not unit.actor.may("jobCreate"):
        raise PermissionDenied(f"Creating jobs needs the privilege jobCreate, which {unit.actor.username!r} lacks.")
    template, diagram = _template_and_diagram(unit, template_id, states)
    _check_shared(unit, template)
    return _create(unit, template, diagram, overrides)


def create_for_step(unit: Unit, template_id: str, overrides: JobOverrides) -> CreatedJobs:
    """Create jobs as a step wants them: nobody's privileges are asked. Raises as ``create`` otherwise."""
    template, diagram = _template_and_diagram(unit, template_id)
    return _create(unit, template, diagram, overrides)


def _create(unit: Unit, template: JobTemplate, diagram: Diagram, overrides: JobOverrides) -> CreatedJobs:
    defaults = template_defaults(template.body)
    check_overrides(unit, overrides)
    tables = tables_of(template.body)
    properties, rows = _properties(tables, overrides), _rows(tables, overrides)
    base = _job(unit, template, defaults, diagram, overrides)
    number = _first_number(unit, defaults, overrides)
    jobs = Jobs(unit)
    job_ids: list[str] = []
    started = False
    for count in range(overrides.number_of_jobs):
        name = overrides.job_name or _name(defaults, number + count)
        job = replace(base, job_id=overrides.job_id or unit.new_id(), name=name)
        job = with_properties(with_facts(unit, job), properties)
        assignment = _first_assignment(unit, job, defaults, overrides)
        decision = create_job(job, diagram, assignment, unit.actor, Moment(unit.now_ms, unit.new_id))
        record = jobs.add(decision, diagram)
        unit.tx.set_properties(record, properties)
        for table, values in rows:
            unit.tx.add_related_row(record, RelatedRow(unit.new_id(), table, values, unit.now_ms))
        started |= any(step.run is not None for step in decision.job.flow.steps) or bool(decision.job.flow.finished)
        job_ids.append(job.job_id)
    return CreatedJobs(job_ids, started)


def _template_and_diagram(
    unit: Unit, template_id: str, states: Collection[str] = ACTIVE_STATES
) -> tuple[JobTemplate, Diagram]:
    template = unit.tx.use_template(unit.item, template_id)
    if template is None:
        raise NotFound(f"There is no job template {template_id!r}.", name="JobTemplateNotFound")
    if template.state not in states:
        raise RuleViolation(
            f"The job template {template.name!r} is {template.state}; jobs are created from {' and '.join(states)} "
            "templates.",
            name="JobTemplateNotActive",
        )
    found = unit.tx.use_diagram(unit.item, template.diagram_id)
    if found is None or found.diagram.version < 1:
        raise RuleViolation("The template's diagram has no active version; activate it first.", name="DiagramNotActive")
    return template, found.diagram


def _check_shared(unit: Unit, template: JobTemplate) -> None:
    if not unit.actor.may_use_shared(template.shared_with):
        raise PermissionDenied(
            f"The job template {template.name!r} is shared with groups, and {unit.actor.username!r} is in none of them."
        )


def check_overrides(unit: Unit, overrides: JobOverrides) -> None:
    """Refuse overrides that name what does not exist, or are out of range. Raises InvalidValue or Conflict."""
    if not 1 <= overrides.number_of_jobs <= MAX_JOBS:
        raise InvalidValue(f"numberOfJobs must be 1 to {MAX_JOBS}.")
    if overrides.job_id is not None and overrides.number_of_jobs != 1:
        raise InvalidValue("jobId names one job, so numberOfJobs must be 1.")
    _check_members(overrides)
    if overrides.owned_by is not None:
        check_owner(unit.tx, unit.item, overrides.owned_by)
    if overrides.parent_job and unit.tx.job(unit.item, overrides.parent_job) is None:
        raise InvalidValue(f"parentJob: there is no job {overrides.parent_job!r}.")
    if overrides.assignment is not None:
        _check_assignee(unit, overrides.assignment)
    _check_lookups(unit, overrides)


def _check_members(overrides: JobOverrides) -> None:
    given = {
        "name": overrides.job_name,
        "status": overrides.job_status,
        "percent_complete": overrides.percent_complete,
    }
    for attribute, value in given.items():
        if value:  # an empty one counts as none
            try:
                check_member(MemberChange(attribute, value))
            except InvalidValue as error:
                raise InvalidValue(f"{MEMBER_OF[attribute].wire}: {error.message}.") from None


def _check_assignee(unit: Unit, assignment: Assignment) -> None:
    if assignment.type is AssignedType.UNASSIGNED:
        return
    word = assignment.type.value.lower()
    if not assignment.to:
        raise InvalidValue(f"assignedTo must name a {word} when assignedType is {assignment.type.value}.")
    assignee = assignee_facts(unit.tx, unit.item, assignment)
    if not assignee.exists:
        raise InvalidValue(f"assignedTo: there is no {word} {assignment.to!r}.")
    if not assignee.has_role:
        raise InvalidValue(
            f"assignedTo: the {word} {assignment.to!r} has no role in this workflow item.", name="NoRole"
        )


def _check_lookups(unit: Unit, overrides: JobOverrides) -> None:
    if overrides.priority is not None:
        names = [name for name, _ in unit.tx.lookups(unit.item, "priority")]
        if overrides.priority not in names:
            raise InvalidValue(f"priority {overrides.priority!r} is not one of {', '.join(names)}.")


def _first_number(unit: Unit, defaults: TemplateDefaults, overrides: JobOverrides) -> int:
    """Numbers are given out only where names use them."""
    if overrides.job_name or _INDEX not in (defaults.default_job_name or _INDEX):
        return 0
    return unit.tx.next_job_number(unit.item, overrides.number_of_jobs)


def _name(defaults: TemplateDefaults, number: int) -> str:
    return (defaults.default_job_name or f"JOB_{_INDEX}").replace(_INDEX, str(number))


def _job(
    unit: Unit, template: JobTemplate, defaults: TemplateDefaults, diagram: Diagram, overrides: JobOverrides
) -> Job:
    start_ms = _start_ms(unit, defaults, overrides)
    return Job(
        job_id="",
        name="",
        template_id=template.template_id,
        template_name=template.name,
        diagram_id=diagram.diagram_id,
        diagram_name=diagram.name,
        diagram_version=diagram.version,
        owned_by=overrides.owned_by or unit.actor.username,
        created_by=unit.actor.username,
        created_ms=unit.now_ms,
        status=overrides.job_status or defaults.default_status or "Created",
        priority=overrides.priority or defaults.default_priority_name or "Low",
        percent_complete=overrides.percent_complete or 0,
        description=overrides.description if overrides.description is not None else defaults.default_description,
        notes=overrides.notes,
        parent_job=overrides.parent_job or None,
        start_ms=start_ms,
        due_ms=_due_ms(start_ms, defaults, overrides),
        location=overrides.location,
        may_create=overrides.may_create,
        ticket=overrides.ticket,
        origin=overrides.origin,
    )


def _start_ms(unit: Unit, defaults: TemplateDefaults, overrides: JobOverrides) -> int:
    if overrides.start_ms is not None:
        return overrides.start_ms
    if defaults.job_start_date_type == "SpecificDate" and defaults.default_start_date:
        return parse_time(defaults.default_start_date)
    return unit.now_ms


def _due_ms(start_ms: int, defaults: TemplateDefaults, overrides: JobOverrides) -> int | None:
    """A duration wins over a fixed date: clients send a "default due date" of now with every template they make."""
    if overrides.due_ms is not None:
        return overrides.due_ms
    if defaults.default_job_duration is not None:
        return start_ms + round(defaults.default_job_duration * _DAY_MS)
    if defaults.default_due_date:
        due_ms = parse_time(defaults.default_due_date)
        return due_ms if due_ms > start_ms else None
    return None


def _first_assignment(unit: Unit, job: Job, defaults: TemplateDefaults, overrides: JobOverrides) -> Assignment:
    if overrides.assignment is not None:
        return overrides.assignment
    kind = AssignedType(defaults.default_assigned_type or AssignedType.UNASSIGNED)
    return resolve_assignment(kind, defaults.default_assigned_to, UNASSIGNED, scope_of(job, unit.actor.username))


def _properties(tables: Tables, overrides: JobOverrides) -> tuple[PropertyValue, ...]:
    """The extended properties of a new job: the template's one-to-one tables with their defaults, and the overrides."""
    with faults_of("extendedProperties"):
        return tables.new_job(dict(overrides.extended_properties))


def _rows(tables: Tables, overrides: JobOverrides) -> list[tuple[str, tuple[PropertyValue, ...]]]:
    """The rows of one-to-many tables that a new job begins with: table, values."""
    with faults_of("relatedProperties"):
        return [(name, tables.many(name).new_row(row)) for name, row in overrides.related_rows]
