"""What the REST calls return (rest.md sections 5 and 14).

Members this client does not know are ignored; members the server may leave out have a default. Moments are aware
``datetime`` values in UTC.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class Model(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What all results have in common: camelCase on the wire, immutable here."""


class Success(Model, frozen=True):
    """An acknowledgement that says no more."""

    success: bool


class AssignedType(StrEnum):
    """Who a step waits for."""

    UNASSIGNED = "Unassigned"
    USER = "User"
    GROUP = "Group"


class CurrentStep(Model, frozen=True):
    """A step a job is at. ``manual_hold`` is true for a manual or a scheduled hold."""

    step_id: str
    step_name: str = ""
    assigned_type: str = AssignedType.UNASSIGNED
    assigned_to: str | None = None
    can_skip: bool = False
    manual_hold: bool = False
    dependencies: bool = False
    hold_scheduled_release: datetime | None = None
    webhook_dependency: bool = False

    @property
    def is_held(self) -> bool:
        waits = self.dependencies or self.webhook_dependency
        return self.manual_hold or waits or self.hold_scheduled_release is not None


class WebhookCondition(Model, frozen=True):
    """A feature that is waited for, and the where clause that it is to meet."""

    webhook_release_condition: str
    webhook_layer_id: int
    webhook_object_id: int


class Hold(Model, frozen=True):
    """A hold a job has or had; a released one has ``released_by``."""

    job_id: str
    step_id: str
    hold_id: str
    set_by: str | None = None
    set_date: datetime | None = None
    scheduled_release: datetime | None = None
    released_by: str | None = None
    released_date: datetime | None = None
    dependent_job_id: str | None = None
    dependent_step_id: str | None = None
    webhook_connection_id: str | None = None
    webhook_dependency_details: WebhookCondition | None = None


class PropertyValue(Model, frozen=True):
    """One property; values travel as text."""

    property_name: str
    value: str | None = None


class TableProperties(Model, frozen=True):
    """The extended properties of one table."""

    table_name: str
    properties: list[PropertyValue] = []


class RelatedEntry(Model, frozen=True):
    """A row of a one-to-many table."""

    id: str
    created_date: datetime | None = None
    properties: list[PropertyValue] = []


class RelatedTable(Model, frozen=True):
    """The rows of one one-to-many table, oldest first."""

    table_name: str
    entries: list[RelatedEntry] = []


class Job(Model, frozen=True):
    """A job (rest.md 14.1). ``holds`` and the properties are there only when asked for. ``automation_id`` names the
    automation that made it."""

    job_id: str
    job_name: str | None = None
    job_status: str | None = None
    priority: str | None = None
    percent_complete: float = 0
    closed: bool = False
    owned_by: str | None = None
    created_by: str | None = None
    closed_by: str | None = None
    description: str | None = None
    notes: str | None = None
    created_date: datetime | None = None
    start_date: datetime | None = None
    started_date: datetime | None = None
    due_date: datetime | None = None
    end_date: datetime | None = None
    parent_job: str | None = None
    diagram_id: str | None = None
    diagram_name: str | None = None
    diagram_version: int | None = None
    job_template_id: str | None = None
    job_template_name: str | None = None
    current_steps: list[CurrentStep] = []
    extended_properties: list[TableProperties] = []
    related_properties: list[RelatedTable] = []
    holds: list[Hold] = []
    has_location: int = 0
    automation_id: str | None = None
    automation_type: str | None = None


class CreatedJobs(Model, frozen=True):
    """The ids of new jobs. ``auto_executed``: the first step started by itself; ``message`` is a warning."""

    job_ids: list[str]
    auto_executed: bool = False
    message: str | None = None


class Lift(Model, frozen=True):
    """Who or what could lift a refusal. ``kind`` is user, group, privilege, action, job, time, feature or
    diagram."""

    kind: str
    name: str | None = None
    job_id: str | None = None
    step_id: str | None = None
    at: datetime | None = None


class Reason(Model, frozen=True):
    """One reason why not. Any one of ``lifted_by`` would do; none means nothing can."""

    status: str
    description: str = ""
    hold_id: str | None = None
    lifted_by: list[Lift] = []


class StepResponse(Model, frozen=True):
    """What became of an action for one step. ``reasons`` lists all against it; the first gave ``status``."""

    step_id: str
    status: str
    status_description: str = ""
    reasons: list[Reason] = []

    @property
    def is_success(self) -> bool:
        return self.status == "Success"


class ActionResult(Model, frozen=True):
    """An action that was done. ``automatic_responses`` are steps that were to start by themselves and could not."""

    success: bool
    step_responses: list[StepResponse] = []
    automatic_responses: list[StepResponse] = []


class ManagedJob(Model, frozen=True):
    """What became of one job of a manage call."""

    job_id: str
    success: bool
    message: str | None = None
    reasons: list[Reason] = []


class ManageResult(Model, frozen=True):
    """What became of a manage call; ``jobs`` has an entry for each job."""

    success: bool
    message: str | None = None
    name: str | None = None
    jobs: list[ManagedJob] = []


class Comment(Model, frozen=True):
    """A comment on a job."""

    job_id: str
    comment: str
    comment_id: str | None = None
    last_modified_by: str | None = None
    last_modified: datetime | None = None


class Attachment(Model, frozen=True):
    """An attachment of a job (rest.md 5.9). ``url`` is the link of a linked one, else where the file is to be had.

    ``file_name``, ``media_type``, ``size`` (bytes) and ``sha256`` (hexadecimal) are there for files.
    """

    id: str
    alias: str
    folder: str = ""
    url: str = ""
    last_modified_by: str | None = None
    last_modified: datetime | None = None
    step_id: str | None = None
    file_name: str | None = None
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None

    @property
    def is_link(self) -> bool:
        return self.file_name is None


class Location(Model, frozen=True):
    """Where a job is. ``geometry`` is JSON text in Web Mercator."""

    geometry_type: str
    geometry: str


class HistoryEntry(Model, frozen=True):
    """One line of a job's history (rest.md 14.6)."""

    action: str
    username: str = ""
    job_id: str | None = None
    step_id: str | None = None
    date: datetime | None = None
    result: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    duration_seconds: float | None = None


class Path(Model, frozen=True):
    """A way out of a step; without ``expression`` it is always taken."""

    next_step: str
    expression: str | None = None
    label: str | None = None
    assigned_type: str | None = None
    assigned_to: str | None = None
    status: str | None = None


class StepAction(Model, frozen=True):
    """What a step does; ``args`` depend on ``action_type``."""

    action_type: str
    args: dict[str, Any] | None = None


class Step(Model, frozen=True):
    """A step of a diagram."""

    id: str
    name: str = ""
    description: str | None = None
    automatic: bool = False
    proceed_next: bool = False
    can_skip: bool = False
    action: StepAction | None = None
    paths: list[Path] = []


class Diagram(Model, frozen=True):
    """A version of a diagram (rest.md 14.3)."""

    diagram_id: str
    diagram_name: str
    diagram_version: int | None = None
    description: str | None = None
    initial_step_id: str | None = None
    steps: list[Step] = []

    def step(self, id_or_name: str) -> Step | None:
        """Find a step by its id, else by its name (any letter case). None when none or several have the name."""
        by_id = [step for step in self.steps if step.id == id_or_name]
        named = [step for step in self.steps if step.name.casefold() == id_or_name.casefold()]
        found = by_id or named
        return found[0] if len(found) == 1 else None


class JobField(Model, frozen=True):
    """A column of a page of jobs; ``field_type`` is String, Integer, DateTime, Boolean or Double."""

    name: str
    field_type: str


class JobPage(Model, frozen=True):
    """A page of jobs (rest.md 5.3): ``results`` are rows in the order of ``fields``; dates are ISO 8601 texts.

    ``q`` is the condition as the server understood it; ``next_start`` is -1 on the last page.
    """

    fields: list[JobField]
    results: list[list[Any]]
    q: str = ""
    start: int = 0
    next_start: int = -1
    num: int = 0

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The rows as dictionaries by the fields' names."""
        names = [field.name for field in self.fields]
        return [dict(zip(names, row, strict=True)) for row in self.results]


class GroupedValue(Model, frozen=True):
    """How many jobs have a value; None: have none."""

    count: int
    value: str | None = None


class JobStatistics(Model, frozen=True):
    """How many jobs there are (rest.md 5.4), and how many with each value of the field asked for, most first."""

    total: int
    group_by: str | None = None
    grouped_values: list[GroupedValue] = []


class AnswerVerdict(Model, frozen=True):
    """How far an answer has come: ``stored`` (it counts, and will be applied), then ``applied``."""

    stage: str
    job_id: str | None = None
    step_id: str | None = None
    prompt_id: str | None = None
    request_id: str | None = None

    @property
    def is_final(self) -> bool:
        return self.stage != "stored"
