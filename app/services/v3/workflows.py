"""Use cases of the analytics dialect on workflows: list them, their jobs, and run one (v3-jobs.md 3.2, 4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain import dialect_actions as rules
from app.domain.diagram import Diagram
from app.domain.job import Ticket
from app.domain.phases import phase_of
from app.errors import InvalidValue, NotFound, PermissionDenied
from app.protocol.v3.analytics import (
    PRIORITY_NUMBERS,
    STATUSES,
    JobView,
    QuestionAnswer,
    WorkflowJobView,
    WorkflowLine,
    priority_of,
    utc_ms,
)
from app.protocol.v3.dialects import Dialect
from app.protocol.v3.ids import NumberId, hex_id
from app.services import creation
from app.services.creation import JobOverrides
from app.services.engine import Unit
from app.services.ports import JobFilter, JobRecord, JobTemplate
from app.services.recording import Jobs
from app.services.v3 import questions
from app.services.v3.analytics import asked_at_start, priorities_of, render_view
from app.services.v3.sight import is_usable, sight_of, usable_templates


@dataclass(frozen=True, slots=True)
class Order:
    """How a workflow is to be run; ``priority`` is as the request has it."""

    worker_tag: str = ""
    priority: str | None = None
    questions: Sequence[QuestionAnswer] = ()


def workflows(unit: Unit) -> list[WorkflowLine]:
    """The workflows that the caller may run."""
    numbers = unit.tx.template_numbers(unit.item)
    return [_workflow(unit, numbers[template.template_id], template) for template in usable_templates(unit)]


def jobs_of_workflow(unit: Unit, workflow: NumberId, wanted: JobFilter) -> list[WorkflowJobView]:
    """The jobs of a workflow that the caller sees, as ``wanted`` narrows them. Raises NotFound (no such workflow)."""
    template_id = _template_id(unit, workflow)
    filtered = replace(wanted, sight=sight_of(unit, Dialect.ANALYTICS), template_id=template_id)
    return [_in_workflow(record) for record in unit.tx.list_jobs(unit.item, filtered, priorities_of(unit))]


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


def _answer(unit: Unit, record: JobRecord, diagram: Diagram, given: Sequence[QuestionAnswer]) -> None:
    question = next(questions.open_questions(record, diagram), None)
    if question is None:
        raise InvalidValue(f"There is no question {given[0].name!r}: the workflow asks none.", details=["questions"])
    answer = questions.answer_of(question.step, [(each.name, each.value) for each in given])
    questions.give(unit, record, question, answer)


def _again(unit: Unit, record: JobRecord) -> JobRecord:
    found = unit.tx.job(unit.item, record.job.job_id)
    return found or record


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
    known = priorities_of(unit)
    if name == "Critical" and name not in known and known:
        return max(known, key=lambda each: known[each])
    if name not in known:
        raise InvalidValue(f"The value '{asked}' is not valid.", details=["priority"])
    return name


def _workflow(unit: Unit, number: int, template: JobTemplate) -> WorkflowLine:
    found = unit.tx.diagram(unit.item, template.diagram_id)
    asked = asked_at_start(found.diagram) if found else []
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
