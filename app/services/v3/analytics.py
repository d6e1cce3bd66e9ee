"""Use cases of the analytics dialect (v3-jobs.md 3, 4.4): read jobs and lists of them, run a workflow."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.domain import dialect_actions as rules
from app.domain.diagram import Diagram, StepKind
from app.domain.job import Attachment, Job, Ticket
from app.domain.phases import ENDED, phase_of
from app.errors import InvalidValue, NotFound, PermissionDenied, Unauthenticated
from app.protocol.v3.analytics import (
    PRIORITY_NUMBERS,
    RAW,
    STATUSES,
    JobLine,
    JobMessage,
    JobOutput,
    JobView,
    QuestionAnswer,
    WorkflowJobView,
    WorkflowLine,
    disposition_of,
    output_of,
    priority_of,
    span,
    utc_ms,
)
from app.protocol.v3.dialects import Dialect
from app.protocol.v3.ids import NumberId, hex_id
from app.services import creation
from app.services.creation import JobOverrides
from app.services.engine import Unit
from app.services.ports import HistoryEntry, JobFilter, JobRecord, JobTemplate
from app.services.recording import Jobs
from app.services.v3 import questions
from app.services.v3.sight import diagram_of, is_administrator, is_usable, read, sight_of, usable_templates

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
        app_id=_app_id(unit, job, diagram),
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


def _check_form(found: JobOutput, form: str | None) -> None:
    forms = {name.casefold() for name in found.available_formats}
    if (form or RAW).casefold() not in forms:
        listed = ", ".join(found.available_formats)
        raise NotFound(f"The output cannot be had as {form}; it can as {listed}.", name="OutputNotFound")


# ---------------------------------------------------------------- lists


def workflows(unit: Unit) -> list[WorkflowLine]:
    """The workflows that the caller may run."""
    numbers = unit.tx.template_numbers(unit.item)
    return [_workflow(unit, numbers[template.template_id], template) for template in usable_templates(unit)]


def jobs_of_workflow(unit: Unit, workflow: NumberId, wanted: JobFilter) -> list[WorkflowJobView]:
    """The jobs of a workflow that the caller sees, as ``wanted`` narrows them. Raises NotFound (no such workflow)."""
    template_id = _template_id(unit, workflow)
    filtered = replace(wanted, sight=sight_of(unit, Dialect.ANALYTICS), template_id=template_id)
    return [_in_workflow(record) for record in unit.tx.list_jobs(unit.item, filtered, _priorities(unit))]


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
    records = unit.tx.list_jobs(unit.item, replace(wanted, owner=name), _priorities(unit))
    numbers = unit.tx.template_numbers(unit.item)
    return [_line(unit, record, numbers.get(record.job.template_id, 0)) for record in records]


def _require_curator(unit: Unit) -> None:
    """This dialect tells whoever lacks the role that they are nobody (v3-jobs.md 3.3)."""
    if not is_administrator(unit):
        raise Unauthenticated("Authorization has been denied for this request.")


def _priorities(unit: Unit) -> dict[str, int]:
    return dict(unit.tx.lookups(unit.item, "priority"))


def _workflow(unit: Unit, number: int, template: JobTemplate) -> WorkflowLine:
    found = unit.tx.diagram(unit.item, template.diagram_id)
    asked = _asked_at_start(found.diagram) if found else []
    return WorkflowLine(hex_id(number), template.name, template.description, bool(asked), asked)


def _in_workflow(record: JobRecord) -> WorkflowJobView:
    job = record.job
    return WorkflowJobView(
        id=hex_id(record.number, job.created_ms),
        create_date=utc_ms(job.created_ms),
        status=STATUSES[phase_of(job)],
        priority=priority_of(job.priority),
        worker_tag=job.ticket.worker_tag,
    )


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


# ---------------------------------------------------------------- run


@dataclass(frozen=True, slots=True)
class Order:
    """How a workflow is to be run; ``priority`` is as the request has it."""

    worker_tag: str = ""
    priority: str | None = None
    questions: Sequence[QuestionAnswer] = ()


def enqueue(unit: Unit, workflow: NumberId, order: Order) -> JobView:
    """Make a job of a workflow and queue it, its questions answered.

    Raises NotFound (no such workflow), PermissionDenied (running it, a priority or a worker tag is not the caller's),
    InvalidValue (a question or an answer that there is not).
    """
    template_id = _template_id(unit, workflow)
    overrides = JobOverrides(priority=_priority(unit, order.priority), ticket=Ticket(worker_tag=order.worker_tag))
    if overrides.priority is not None and not unit.actor.may("jobUpdatePriority"):
        raise PermissionDenied("A priority needs the privilege jobUpdatePriority.")
    if order.worker_tag and not unit.actor.may("jobAssignAny"):
        raise PermissionDenied("A worker tag needs the privilege jobAssignAny.")
    (job_id,) = creation.create(unit, template_id, overrides).job_ids
    jobs = Jobs(unit)
    record = jobs.lock(job_id)
    diagram = jobs.diagram(record.job)
    jobs.save(record, rules.queue(record.job, diagram, unit.actor, jobs.moment()), diagram)
    if order.questions:
        _answer(unit, record, diagram, order.questions)
    return render_view(unit, _again(unit, record), with_messages=True)


def _again(unit: Unit, record: JobRecord) -> JobRecord:
    found = unit.tx.job(unit.item, record.job.job_id)
    return found or record


def _answer(unit: Unit, record: JobRecord, diagram: Diagram, given: Sequence[QuestionAnswer]) -> None:
    question = next(questions.open_questions(record, diagram), None)
    if question is None:
        raise InvalidValue(f"There is no question {given[0].name!r}: the workflow asks none.", details=["questions"])
    answer = questions.answer_of(question.step, [(each.name, each.value) for each in given])
    questions.give(unit, record, question, answer)


def _template_id(unit: Unit, workflow: NumberId) -> str:
    template_id = unit.tx.template_id_of(unit.item, workflow.number) if workflow.fits(0) else None
    template = unit.tx.template(unit.item, template_id) if template_id else None
    if template is None or not is_usable(unit.actor, template):
        raise NotFound("Workflow not found", name="WorkflowNotFound", details=[str(workflow.number)])
    return template.template_id


def _priority(unit: Unit, asked: str | None) -> str | None:
    """The item's priority of that name; the highest there is for ``Critical``. None: the template's own."""
    if asked in {None, "", "Default"}:
        return None
    name = PRIORITY_NUMBERS.get(str(asked), str(asked))
    known = _priorities(unit)
    if name == "Critical" and name not in known and known:
        return max(known, key=lambda each: known[each])
    if name not in known:
        raise InvalidValue(f"The value '{asked}' is not valid.", details=["priority"])
    return name


# ---------------------------------------------------------------- parts of a job


def _app_id(unit: Unit, job: Job, diagram: Diagram) -> str | None:
    """The workflow's id, where it begins with questions."""
    if not _asked_at_start(diagram):
        return None
    return hex_id(unit.tx.template_numbers(unit.item).get(job.template_id, 0))


def _asked_at_start(diagram: Diagram) -> list[str]:
    first = diagram.step(diagram.initial_step_id)
    kinds = {StepKind.QUESTION, StepKind.UPDATE_PROPERTIES}
    return questions.names_of_questions(first) if first and first.kind in kinds else []


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
