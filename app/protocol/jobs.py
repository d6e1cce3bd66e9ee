"""Jobs as they go out: the job, its history and comments, and what creating and managing jobs answers.

Members that have no value are left out. All dates are ISO 8601 text in UTC. Source: rest.md 5, 14.1, 14.6.
"""

import msgspec

from app.domain.job import AutomationType, DataVersion, Job
from app.protocol.notifications import ActiveStep, WebhookCondition
from app.protocol.text import iso


class Answer(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A body that goes out; a member that equals its default is left out."""


class CreatedJobsAnswer(Answer, kw_only=True):
    """The new jobs. It has no member ``success``: the vendor's client would return that instead of the ids."""

    job_ids: list[str]
    auto_executed: bool
    message: str | None = None


class ManagedJobAnswer(Answer, kw_only=True):
    """What became of one job; ``message`` and ``name`` say why it was refused."""

    job_id: str
    success: bool
    message: str | None = None
    name: str | None = None


class ManagedJobsAnswer(Answer, kw_only=True):
    """``success`` only if every job was done; ``jobs`` (ours) says what became of each, in the order asked for."""

    success: bool
    message: str | None = None
    name: str | None = None
    jobs: list[ManagedJobAnswer]


class HoldAnswer(Answer, kw_only=True):
    """A hold, also one that is over: it then has ``releasedBy`` and ``releasedDate``.

    One that waits for a feature has the members by which it was set.
    """

    job_id: str
    step_id: str
    hold_id: str
    set_by: str
    set_date: str
    scheduled_release: str | None = None
    released_by: str | None = None
    released_date: str | None = None
    dependent_job_id: str | None = None
    dependent_step_id: str | None = None
    webhook_connection_id: str | None = None
    webhook_dependency_details: WebhookCondition | None = None


class PropertyAnswer(Answer, kw_only=True):
    """An extended property; values travel as text."""

    property_name: str
    value: str | None = None


class TableAnswer(Answer, kw_only=True):
    """The properties of one table."""

    table_name: str
    properties: list[PropertyAnswer]


class EntryAnswer(Answer, kw_only=True):
    """A row of a one-to-many table."""

    id: str
    created_date: str
    properties: list[PropertyAnswer]


class RelatedTableAnswer(Answer, kw_only=True):
    """The rows of one one-to-many table, oldest first."""

    table_name: str
    entries: list[EntryAnswer]


class ActiveVersionAnswer(Answer, kw_only=True):
    """A version of a data source the job works in (rest.md 14.1); ours are the last three, as ``versions`` named it."""

    name: str
    version_id: str | None = None
    data_source_name: str | None = None
    data_reference_id: str | None = None
    workflow_administered: bool = False


class JobAnswer(Answer, kw_only=True):
    """A job (rest.md 14.1), never with members ``attachments``, ``history``, ``comments``: the vendor's client breaks.

    ``extendedProperties``, ``relatedProperties`` and ``holds`` are there only when asked for. ``automationId`` and
    ``automationType`` (ours) name the automation that made the job, which may be gone by now.
    """

    job_id: str
    job_name: str
    owned_by: str
    created_by: str
    closed_by: str | None = None
    notes: str | None = None
    description: str | None = None
    created_date: str
    start_date: str | None = None
    started_date: str | None = None
    due_date: str | None = None
    end_date: str | None = None
    parent_job: str | None = None
    percent_complete: float
    priority: str
    job_status: str
    diagram_id: str
    diagram_name: str
    diagram_version: int
    job_template_id: str
    job_template_name: str
    current_steps: list[ActiveStep]
    active_versions: list[ActiveVersionAnswer]
    extended_properties: list[TableAnswer] | None = None
    related_properties: list[RelatedTableAnswer] | None = None
    holds: list[HoldAnswer] | None = None
    has_location: int
    closed: bool
    automation_id: str | None = None
    automation_type: AutomationType | None = None


class HistoryAnswer(Answer, kw_only=True):
    """One line of a job's history (rest.md 14.6)."""

    job_id: str
    step_id: str | None = None
    date: str
    username: str
    action: str
    result: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    duration_seconds: float | None = None


class JobHistoryAnswer(Answer, kw_only=True):
    """A job's history, oldest first."""

    job_history: list[HistoryAnswer]


class CommentAnswer(Answer, kw_only=True):
    """A comment on a job."""

    job_id: str
    comment: str
    comment_id: str
    last_modified_by: str
    last_modified: str


class JobCommentsAnswer(Answer, kw_only=True):
    """A job's comments, oldest first."""

    job_comments: list[CommentAnswer]


class CommentAddedAnswer(Answer, kw_only=True):
    """The id of a new comment."""

    comment_id: str


class LocationAnswer(Answer, kw_only=True):
    """Where a job is: ``Multipoint``, ``Polyline``, ``Polygon`` or ``None``; ``geometry`` is JSON text in JSON, in Web
    Mercator."""

    geometry_type: str
    geometry: str


def render_job(job: Job, current_steps: list[ActiveStep]) -> JobAnswer:
    """A job with its basic members."""
    return JobAnswer(
        job_id=job.job_id,
        job_name=job.name,
        owned_by=job.owned_by,
        created_by=job.created_by,
        closed_by=job.closed_by,
        notes=job.notes,
        description=job.description,
        created_date=iso(job.created_ms),
        start_date=iso_or_none(job.start_ms),
        started_date=iso_or_none(job.started_ms),
        due_date=iso_or_none(job.due_ms),
        end_date=iso_or_none(job.ended_ms),
        parent_job=job.parent_job,
        percent_complete=int(job.percent_complete) if job.percent_complete % 1 == 0 else job.percent_complete,
        priority=job.priority,
        job_status=job.status,
        diagram_id=job.diagram_id,
        diagram_name=job.diagram_name,
        diagram_version=job.diagram_version,
        job_template_id=job.template_id,
        job_template_name=job.template_name,
        current_steps=current_steps,
        active_versions=[_version(version) for version in job.versions],
        has_location=int(job.location is not None),
        closed=job.closed,
        automation_id=job.origin.automation_id if job.origin else None,
        automation_type=job.origin.automation_type if job.origin else None,
    )


def _version(version: DataVersion) -> ActiveVersionAnswer:
    return ActiveVersionAnswer(
        name=version.name or version.guid or "",
        version_id=version.guid,
        data_source_name=version.source,
        data_reference_id=version.reference_id,
        workflow_administered=version.workflow_administered,
    )


def iso_or_none(ms: int | None) -> str | None:
    """A moment (ms since 1970) as ISO 8601 text, if there is one."""
    return None if ms is None else iso(ms)
