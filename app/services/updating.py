"""The use case of updating a job (rest.md 5.5): members, extended properties, related rows, in one step."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.changes import LOWEST_PRIORITY, Changes, MemberChange
from app.domain.job import DataVersion, Job
from app.domain.properties import PropertyValue, RelatedChanges, RelatedRow, Tables, faults_of
from app.domain.updates import Present, update
from app.errors import InvalidValue
from app.services.access import check_owner
from app.services.engine import Unit
from app.services.ports import JobRecord
from app.services.recording import Jobs, tables_of_job


@dataclass(frozen=True, slots=True)
class RowUpdate:
    """New values of a row of a one-to-many table, by property name."""

    table: str
    row_id: str
    values: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class JobUpdate:
    """What a caller wants changed: only what is here. ``members`` are by their names in ``Job``, times in ms.

    ``row_deletes`` are pairs of table and row id.
    """

    members: Mapping[str, Any] = field(default_factory=dict)
    versions: tuple[DataVersion, ...] = ()
    properties: Mapping[str, str | None] = field(default_factory=dict)
    row_adds: tuple[tuple[str, Mapping[str, str | None]], ...] = ()
    row_updates: tuple[RowUpdate, ...] = ()
    row_deletes: tuple[tuple[str, str], ...] = ()
    running_step_id: str | None = None


def update_job(unit: Unit, job_id: str, wanted: JobUpdate) -> None:
    """Change a job, all or nothing. Raises as ``app.domain.updates.update``, NotFound for the job, and InvalidValue for
    values that are not what they must be, people, jobs and rows that are not there."""
    if wanted.members.get("parent_job"):
        unit.tx.lock_item(unit.item)  # of two that would close a circle together, the second sees what the first did
    jobs = Jobs(unit)
    record = jobs.lock(job_id)
    diagram = jobs.diagram(record.job)
    tables = tables_of_job(unit, record.job)
    present = Present(tables, tuple(unit.tx.properties(record)), tuple(unit.tx.related_rows(record)))
    changes = Changes(
        _members(unit, record, wanted), _properties(present, wanted), _related(unit, tables, wanted, present.rows)
    )
    decision = update(
        record.job,
        diagram,
        changes,
        unit.actor,
        jobs.moment(),
        present=present,
        running_step_id=wanted.running_step_id,
    )
    jobs.save(record, decision, diagram)


def _members(unit: Unit, record: JobRecord, wanted: JobUpdate) -> tuple[MemberChange, ...]:
    """The members as they are to be stored: an unknown priority becomes the lowest, names must be somebody's."""
    job, values = record.job, dict(wanted.members)
    if values.get("priority", job.priority) != job.priority:
        known = [name for name, _ in unit.tx.lookups(unit.item, "priority")]
        values["priority"] = values["priority"] if values["priority"] in known else LOWEST_PRIORITY
    owner, parent = values.get("owned_by", job.owned_by), values.get("parent_job", job.parent_job)
    if owner != job.owned_by:
        check_owner(unit.tx, unit.item, owner)
    if parent and parent != job.parent_job:
        _check_parent(unit, job, parent)
    if wanted.versions:
        values["versions"] = _merged(job.versions, wanted.versions)
    return tuple(MemberChange(name, value) for name, value in values.items())


def _check_parent(unit: Unit, job: Job, parent_id: str) -> None:
    """A job's parents end somewhere. Called under the item's lock."""
    seen = {job.job_id}
    above: str | None = parent_id
    while above:
        if above in seen:
            raise InvalidValue(f"parentJob: {parent_id!r} is the job itself or comes below it.", details=["parentJob"])
        seen.add(above)
        found = unit.tx.job(unit.item, above)
        if found is None and above == parent_id:
            raise InvalidValue(f"parentJob: there is no job {parent_id!r}.", details=["parentJob"])
        above = found.job.parent_job if found else None


def _merged(present: tuple[DataVersion, ...], given: tuple[DataVersion, ...]) -> tuple[DataVersion, ...]:
    """A version takes the place of the present one of its data source."""
    versions = {(version.source, version.reference_id): version for version in (*present, *given)}
    return tuple(versions.values())


def _properties(present: Present, wanted: JobUpdate) -> tuple[PropertyValue, ...]:
    """The values that differ. One that is sent back as it was read is not judged: its table may be gone by now."""
    before = {each.identifier: each.value.text for each in present.properties}
    given = {name: text for name, text in wanted.properties.items() if name not in before or before[name] != text}
    with faults_of("extendedProperties"):
        return present.tables.read(given)


def _related(unit: Unit, tables: Tables, wanted: JobUpdate, rows: tuple[RelatedRow, ...]) -> RelatedChanges:
    present = {(row.table, row.row_id): row for row in rows}
    with faults_of("relatedProperties"):
        return RelatedChanges(
            adds=tuple(
                RelatedRow(unit.new_id(), table, tables.many(table).new_row(values), unit.now_ms)
                for table, values in wanted.row_adds
            ),
            updates=tuple(_changed(tables, present, each) for each in wanted.row_updates),
            deletes=tuple(_found(present, table, row_id) for table, row_id in wanted.row_deletes),
        )


def _changed(tables: Tables, present: Mapping[tuple[str, str], RelatedRow], wanted: RowUpdate) -> RelatedRow:
    values = tables.many(wanted.table).read(wanted.values)
    return replace(_found(present, wanted.table, wanted.row_id), values=values)


def _found(present: Mapping[tuple[str, str], RelatedRow], table: str, row_id: str) -> RelatedRow:
    row = present.get((table, row_id))
    if row is None:
        raise InvalidValue(f"the job has no row {row_id!r} in the table {table!r}")
    return row
