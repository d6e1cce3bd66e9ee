"""Use cases of the analytics dialect that read jobs: one, its messages and files, and all (v3-jobs.md 3)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from app.domain.diagram import Diagram, StepKind
from app.domain.job import Attachment, Job
from app.domain.phases import ENDED, phase_of
from app.errors import NotFound, Unauthenticated
from app.protocol.v3.analytics import (
    RAW,
    STATUSES,
    JobLine,
    JobMessage,
    JobOutput,
    JobView,
    disposition_of,
    output_of,
    priority_of,
    span,
    utc_ms,
)
from app.protocol.v3.dialects import Dialect
from app.protocol.v3.ids import NumberId, hex_id
from app.services.engine import Unit
from app.services.ports import HistoryEntry, JobFilter, JobRecord
from app.services.v3 import questions
from app.services.v3.sight import diagram_of, is_administrator, read

INFORMATION, ERROR, STEP_DONE, FILE_PUT_OUT = 1, 3, 4, 9

ENGINE: Final = -1

_TOLD: Final = {
    "Started": (INFORMATION, "Step {step!r} started"),
    "Finished": (STEP_DONE, "Step {step!r} is done"),
    "Error": (ERROR, "Step {step!r} failed: {result}"),
    "Paused": (INFORMATION, "Step {step!r} was paused"),
    "Cancelled": (INFORMATION, "Step {step!r} was cancelled"),
    "Processed": (INFORMATION, "The job was queued by {by!r}"),
    "Restarted": (INFORMATION, "The job began anew"),
}
"""Lines of a job's history that are messages of this dialect."""


def view(unit: Unit, wanted: NumberId, *, with_messages: bool, only_apps: bool = False) -> JobView:
    """A job. Raises NotFound; with ``only_apps`` also for one of a workflow that asks nothing at its start."""
    record = read(unit, wanted, Dialect.ANALYTICS)
    found = render_view(unit, record, with_messages=with_messages)
    if only_apps and found.app_id is None:
        raise NotFound("Only jobs of workflows that begin with questions can be read.", name="NotAnApp")
    return found


def render_view(unit: Unit, record: JobRecord, *, with_messages: bool) -> JobView:
    """A job that the caller may see."""
    job, phase, diagram = record.job, phase_of(record.job), diagram_of(unit, record.job)
    outputs = (output_of(attachment) for attachment in unit.tx.attachments(record))
    answer = JobView(
        id=hex_id(record.number, job.created_ms),
        app_id=app_id_of(unit, job, diagram),
        create_date_time=utc_ms(job.created_ms),
        status=STATUSES[phase],
        disposition=disposition_of(phase),
        outputs=[output for output in outputs if output is not None],
        priority=priority_of(job.priority),
        worker_tag=job.ticket.worker_tag,
    )
    if with_messages:
        answer.messages = list(_messages(unit.tx.history(record), diagram))
    return answer


def messages(unit: Unit, wanted: NumberId) -> list[JobMessage]:
    """What was logged of a job, in time order. Raises Unauthenticated for anybody but a Curator, NotFound."""
    _require_curator(unit)
    record = read(unit, wanted, Dialect.ANALYTICS)
    return list(_messages(unit.tx.history(record), diagram_of(unit, record.job)))


def output(unit: Unit, wanted: NumberId, output_id: str, form: str | None) -> Attachment:
    """A file that a job has put out, in one of the forms it can be had in. Raises NotFound."""
    record = read(unit, wanted, Dialect.ANALYTICS)
    attachment = unit.tx.attachment(record, output_id)
    found = output_of(attachment) if attachment else None
    if attachment is None or found is None:
        raise NotFound("The job has no such output.", name="OutputNotFound")
    _check_form(found, form)
    return attachment


def document(unit: Unit, wanted: NumberId) -> Attachment:
    """The first file that the server has of a job. Raises NotFound: it has none, a spooled one is elsewhere."""
    record = read(unit, wanted, Dialect.PRINT)
    kept = [attachment for attachment in unit.tx.attachments(record) if attachment.content is not None]
    if not kept:
        raise NotFound("The server has no data of this job.", name="DataNotFound", details=[str(record.number)])
    return kept[0]


def all_jobs(unit: Unit, wanted: JobFilter, owner: NumberId | None) -> list[JobLine]:
    """Everybody's jobs, as ``wanted`` narrows them.

    Args:
        owner: whose jobs, if not everybody's. Somebody who does not exist has none.

    Raises:
        Unauthenticated: the caller is no Curator.
    """
    _require_curator(unit)
    name = unit.tx.username_of(owner.number) if owner else None
    if owner is not None and name is None:
        return []
    records = unit.tx.list_jobs(unit.item, replace(wanted, owner=name), priorities_of(unit))
    numbers = unit.tx.template_numbers(unit.item)
    return [_line(unit, record, numbers.get(record.job.template_id, 0)) for record in records]


def asked_at_start(diagram: Diagram) -> list[str]:
    """What a workflow asks in its first step, by the names that answers must have."""
    first = diagram.step(diagram.initial_step_id)
    kinds = {StepKind.QUESTION, StepKind.UPDATE_PROPERTIES}
    return questions.names_of_questions(first) if first and first.kind in kinds else []


def priorities_of(unit: Unit) -> dict[str, int]:
    """The values of the item's priorities by name."""
    return dict(unit.tx.lookups(unit.item, "priority"))


def app_id_of(unit: Unit, job: Job, diagram: Diagram) -> str | None:
    """The workflow's id, where it begins with questions."""
    if not asked_at_start(diagram):
        return None
    return hex_id(unit.tx.template_numbers(unit.item).get(job.template_id, 0))


def _require_curator(unit: Unit) -> None:
    """This dialect tells whoever lacks the role that they are nobody (v3-jobs.md 3.3)."""
    if not is_administrator(unit):
        raise Unauthenticated("Authorization has been denied for this request.")


def _check_form(found: JobOutput, form: str | None) -> None:
    forms = {name.casefold() for name in found.available_formats}
    if (form or RAW).casefold() not in forms:
        listed = ", ".join(found.available_formats)
        raise NotFound(f"The output cannot be had as {form}; it can as {listed}.", name="OutputNotFound")


def _line(unit: Unit, record: JobRecord, template_number: int) -> JobLine:
    job, phase = record.job, phase_of(record.job)
    owner = unit.tx.user(job.owned_by)
    end_ms = record.phase_ms if phase in ENDED else unit.now_ms
    return JobLine(
        job_id=hex_id(record.number, job.created_ms),
        status=STATUSES[phase],
        workflow_name=job.template_name,
        workflow_id=hex_id(template_number),
        submitted_by=(owner.full_name if owner else None) or job.owned_by,
        queue_time=utc_ms(job.ticket.queued_ms or job.created_ms),
        start_time=None if job.started_ms is None else utc_ms(job.started_ms),
        execution_time=None if job.started_ms is None else span(end_ms - job.started_ms),
        priority=priority_of(job.priority),
    )


def _messages(entries: Iterable[HistoryEntry], diagram: Diagram) -> Iterator[JobMessage]:
    places = {step.step_id: number for number, step in enumerate(diagram.steps, 1)}
    for entry in entries:
        tool_id = places.get(entry.step_id or "", ENGINE)
        step = diagram.step(entry.step_id) if entry.step_id else None
        if entry.action == "Added" and entry.result not in {"Comment", "Location"}:
            yield JobMessage(FILE_PUT_OUT, f"{entry.result} added", tool_id)
        elif entry.action == "Cancelled" and entry.step_id is None:
            yield JobMessage(INFORMATION, f"The job was cancelled by {entry.username!r}", ENGINE)
        elif entry.action in _TOLD:
            status, text = _TOLD[entry.action]
            name = step.name if step else entry.step_id
            yield JobMessage(status, text.format(step=name, result=entry.result, by=entry.username), tool_id)
