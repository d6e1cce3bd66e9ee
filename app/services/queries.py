"""What can be read of a job. Reading needs access to the item, which the engine has checked, and nothing more."""

from app.domain.diagram import Diagram
from app.domain.job import Job
from app.domain.properties import PropertyValue, RelatedRow, Tables
from app.errors import NotFound
from app.protocol.jobs import (
    CommentAnswer,
    EntryAnswer,
    HistoryAnswer,
    HoldAnswer,
    JobAnswer,
    PropertyAnswer,
    RelatedTableAnswer,
    TableAnswer,
    iso_or_none,
    render_job,
)
from app.protocol.text import iso
from app.services.engine import Unit
from app.services.facts import know
from app.services.messages import active_step, webhook_condition
from app.services.ports import DiagramRecord, HistoryEntry, JobRecord, ReleasedHold
from app.services.recording import tables_of_job


def job(unit: Unit, job_id: str, *, with_properties: bool = False, with_holds: bool = False) -> JobAnswer:
    """A job, on request with its extended properties and all holds it ever had. Raises NotFound (JobNotFound)."""
    record = find_job(unit, job_id)
    diagram = diagram_of(unit, record.job)
    steps = [active_step(record.job, diagram, current) for current in record.job.flow.steps]
    answer = render_job(record.job, steps)
    if with_properties:
        tables = tables_of_job(unit, record.job)
        answer.extended_properties = _extended(tables, unit.tx.properties(record))
        answer.related_properties = _related(tables, unit.tx.related_rows(record))
    if with_holds:
        answer.holds = [_hold(record.job, hold) for hold in unit.tx.holds(record)]
    return answer


def history(unit: Unit, job_id: str) -> list[HistoryAnswer]:
    """A job's history, oldest first. Raises NotFound (JobNotFound)."""
    record = find_job(unit, job_id)
    return [_history_line(record.job, entry) for entry in unit.tx.history(record)]


def comments(unit: Unit, job_id: str) -> list[CommentAnswer]:
    """A job's comments, oldest first. Raises NotFound (JobNotFound)."""
    record = find_job(unit, job_id)
    return [
        CommentAnswer(
            job_id=record.job.job_id,
            comment=comment.comment,
            comment_id=comment.comment_id,
            last_modified_by=comment.by,
            last_modified=iso(comment.at_ms),
        )
        for comment in unit.tx.comments(record)
    ]


def diagram_of_job(unit: Unit, job_id: str) -> DiagramRecord:
    """The diagram version a job follows. Raises NotFound."""
    found = find_job(unit, job_id).job
    record = unit.tx.diagram(unit.item, found.diagram_id, found.diagram_version)
    if record is None:
        raise NotFound(
            f"The diagram {found.diagram_id!r}, version {found.diagram_version}, is not there any more.",
            name="DiagramNotFound",
        )
    return record


def find_job(unit: Unit, job_id: str) -> JobRecord:
    """The job, with what its expressions may ask. Raises NotFound (JobNotFound)."""
    record = unit.tx.job(unit.item, job_id)
    if record is None:
        raise NotFound(f"There is no job {job_id!r}.", name="JobNotFound")
    return know(unit, record)


def diagram_of(unit: Unit, found: Job) -> Diagram:
    """The version a job follows; one without steps if it is gone, so that the job can be read all the same."""
    record = unit.tx.diagram(unit.item, found.diagram_id, found.diagram_version)
    return record.diagram if record else Diagram(found.diagram_id, found.diagram_name, found.diagram_version, (), "")


def _extended(tables: Tables, values: list[PropertyValue]) -> list[TableAnswer]:
    """A job's one-to-one tables as its template defines them now, then what the job has of tables that are gone."""
    shown = {
        f"{table.name}.{name}": PropertyValue(table.name, name)
        for table in tables.single()
        for name in table.properties
    }
    shown |= {each.identifier: each for each in values}
    answers: dict[str, TableAnswer] = {}
    for each in shown.values():
        answer = answers.setdefault(each.table, TableAnswer(table_name=each.table, properties=[]))
        answer.properties.append(_property(each))
    return list(answers.values())


def _related(tables: Tables, rows: list[RelatedRow]) -> list[RelatedTableAnswer]:
    """A job's one-to-many tables, those without rows too."""
    answers = {
        table.name: RelatedTableAnswer(table_name=table.name, entries=[])
        for table in tables.by_name.values()
        if table.is_many
    }
    for row in rows:
        answer = answers.setdefault(row.table, RelatedTableAnswer(table_name=row.table, entries=[]))
        properties = [_property(each) for each in row.values]
        answer.entries.append(EntryAnswer(id=row.row_id, created_date=iso(row.created_ms), properties=properties))
    return list(answers.values())


def _property(given: PropertyValue) -> PropertyAnswer:
    return PropertyAnswer(property_name=given.name, value=given.value.text)


def _hold(found: Job, released: ReleasedHold) -> HoldAnswer:
    hold = released.hold
    return HoldAnswer(
        job_id=found.job_id,
        step_id=hold.step_id,
        hold_id=hold.hold_id,
        set_by=hold.set_by,
        set_date=iso(hold.set_ms),
        scheduled_release=iso_or_none(hold.scheduled_release_ms),
        released_by=released.released_by,
        released_date=iso_or_none(released.released_ms),
        dependent_job_id=hold.dependent_job_id,
        dependent_step_id=hold.dependent_step_id,
        webhook_connection_id=hold.webhook.connection_id if hold.webhook else None,
        webhook_dependency_details=webhook_condition(hold.webhook) if hold.webhook else None,
    )


def _history_line(found: Job, entry: HistoryEntry) -> HistoryAnswer:
    has_span = entry.start_ms is not None and entry.end_ms is not None
    return HistoryAnswer(
        job_id=found.job_id,
        step_id=entry.step_id,
        date=iso(entry.date_ms),
        username=entry.username,
        action=entry.action,
        result=entry.result,
        start_date=iso_or_none(entry.start_ms),
        end_date=iso_or_none(entry.end_ms),
        duration_seconds=((entry.end_ms or 0) - (entry.start_ms or 0)) / 1_000 if has_span else None,
    )
