"""Messages of the websocket, as their bodies stand in ``message`` (websocket.md section 3; ours are marked).

A class has the name of its ``msgType``. Members are required unless they have a default, and a member that equals its
default is left out. Dates inside bodies are ISO 8601 text (``text.iso``); the envelope's ``timestamp`` is in ms.
The forms of ``StepInfoRequired``, one per step type, are in ``prompts.py``.
"""

import msgspec


class Body(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """What all bodies have in common: camelCase on the wire."""

    @classmethod
    def msg_type(cls) -> str:
        """The envelope's ``msgType``."""
        return cls.__name__


class JobBody(Body, kw_only=True):
    """A body that clients route by its job."""

    job_id: str


class StepsBody(JobBody, kw_only=True):
    """A body that names several steps of a job."""

    step_ids: list[str]


# ---------------------------------------------------------------- the job


class JobStepState(Body, kw_only=True):
    """A current step in ``JobState``.

    ``message_details`` is the whole envelope of the message that describes its state; viewers whom a
    ``StepInfoRequired`` is not for get the short form.
    """

    step_id: str
    step_name: str
    assigned_type: str
    assigned_to: str | None = None
    can_skip: bool
    message_details: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class JobState(JobBody, kw_only=True):
    """The reply to ``subscribe``, exactly one per job (3.2).

    Ours: ``seq`` of the last message included and the ``epoch`` it counts in, which a client gives back as ``since``
    after a reconnect; ``recovered`` tells whether it then has every message since (true also where nothing was
    asked for), and ``reason`` why not: ``epoch_changed``, ``trimmed``, ``ahead`` or ``too_many``.
    """

    sender_id: str | None = None
    job_status: str
    job_template_name: str
    diagram_id: str
    diagram_version: int
    percent_complete: float
    closed: bool
    step_states: list[JobStepState]
    seq: int
    epoch: str
    recovered: bool
    reason: str | None = None


class PropertyValue(Body, kw_only=True):
    """One property and its new value, as text."""

    property_name: str
    value: str | None


class TableProperties(Body, kw_only=True):
    """New values of one extended-properties table."""

    table_name: str
    properties: list[PropertyValue]


class RelatedEntry(Body, kw_only=True):
    """A row of a one-to-many table, with the values that were set."""

    id: str
    properties: list[PropertyValue]


class RelatedTable(Body, kw_only=True):
    """Rows of one one-to-many table that were added, changed or (by their ids) deleted. The form is ours."""

    table_name: str
    adds: list[RelatedEntry] = []
    updates: list[RelatedEntry] = []
    deletes: list[str] = []


class UpdatedProperties(Body, kw_only=True):
    """Groups of changed properties; a group without changes is left out."""

    job_properties: list[PropertyValue] = []
    extended_properties: list[TableProperties] = []
    related_properties: list[RelatedTable] = []


class JobUpdated(JobBody, kw_only=True):
    """Job or extended properties have changed (3.13)."""

    properties: UpdatedProperties


class Attachment(Body, kw_only=True):
    """An attachment as ``JobAttachmentUpdated`` lists it (3.14). ``url`` is that of a linked one.

    Ours: ``step_id``, the step it was added for.
    """

    id: str
    alias: str | None = None
    folder: str | None = None
    step_id: str | None = None
    url: str | None = None
    last_modified_by: str | None = None
    last_modified: str | None = None


class JobAttachmentUpdated(JobBody, kw_only=True):
    """Attachments were added, linked, renamed or deleted (3.14); ``deletes`` are ids."""

    adds: list[Attachment] = []
    updates: list[Attachment] = []
    deletes: list[str] = []


class JobComment(JobBody, kw_only=True):
    """A comment as ``JobCommentUpdated`` lists it (3.15)."""

    comment_id: str
    comment: str
    last_modified_by: str
    last_modified: str


class JobCommentUpdated(JobBody, kw_only=True):
    """Comments were added, by hand or with an answer (3.15)."""

    adds: list[JobComment]


class JobLocationUpdated(JobBody, kw_only=True):
    """The job's place was set or changed; clients read it anew (3.16). ``LocationAdded`` or ``LocationUpdated``."""

    update_type: str


# ---------------------------------------------------------------- running


class StepStarted(StepsBody, kw_only=True):
    """Steps have begun to run (3.3)."""


class StepProgress(StepsBody, kw_only=True):
    """A running step reports how far it is, and what its user may do now: flags, see ``AllowedActions`` (3.4)."""

    msg: str
    msg_code: str
    allowed_actions: int


class ActiveStep(Body, kw_only=True):
    """A step the job has moved to, in ``StepFinished`` (3.5). ``hold_scheduled_release`` is a date."""

    step_id: str
    step_name: str
    assigned_type: str
    assigned_to: str | None
    can_skip: bool
    manual_hold: bool
    dependencies: bool
    hold_scheduled_release: str | None
    webhook_dependency: bool = False


class StepFinished(StepsBody, kw_only=True):
    """Steps are done and the job has moved on (3.5). ``current_steps`` is empty at the end of the workflow."""

    job_status: str
    current_steps: list[ActiveStep]


class StepStopping(StepsBody, kw_only=True):
    """A stop was asked for and is not complete yet (3.6)."""


class StepPaused(StepsBody, kw_only=True):
    """A person's work was stopped (3.6)."""


class StepCancelled(StepsBody, kw_only=True):
    """Processing was stopped (3.6)."""


class StepOutcomeBody(JobBody, kw_only=True):
    """How a run ended without finishing (3.7): text, and a code of ``codes.MsgCode``."""

    step_id: str
    msg: str
    msg_code: str


class StepStopped(StepOutcomeBody, kw_only=True):
    """The step ended its run without finishing (3.7)."""


class StepWarningStopped(StepOutcomeBody, kw_only=True):
    """The step ended with a warning that the user should read (3.7)."""


class StepError(StepOutcomeBody, kw_only=True):
    """The step failed (3.7)."""


# ---------------------------------------------------------------- assignment and holds


class StepReassigned(JobBody, kw_only=True):
    """A current step waits for somebody else (3.8). ``assigned_to`` is absent when nobody is assigned."""

    step_id: str
    assigned_type: str
    assigned_to: str | None = None


class DependencyDetails(Body, kw_only=True):
    """What a held step waits for."""

    dependent_job_id: str
    dependent_step_id: str | None = None


class WebhookCondition(Body, kw_only=True):
    """The feature that is waited for, and the where clause that it is to meet."""

    webhook_release_condition: str
    webhook_layer_id: int
    webhook_object_id: int


class WebhookDependencyDetails(Body, kw_only=True):
    """What a step waits for that waits for a feature."""

    webhook_connection_id: str
    details: WebhookCondition


class StepHeld(StepsBody, kw_only=True):
    """Current steps are on hold (3.10). Dates are ISO 8601."""

    manual: bool
    dependency: bool
    webhook_dependency: bool
    scheduled_release: str | None = None
    set_by: str | None = None
    set_date: str | None = None
    hold_ids: list[str] = []
    dependency_details: DependencyDetails | None = None
    webhook_dependency_details: WebhookDependencyDetails | None = None


class StepHoldReleased(StepsBody, kw_only=True):
    """The last hold of a step is gone (3.11)."""

    hold_ids: list[str] = []
    released_by: str | None = None
    released_date: str | None = None


class StepHoldsUpdated(StepsBody, kw_only=True):
    """Holds have changed without changing whether a current step can run (3.12).

    An added hold has ``set_by``, a released one ``released_by``.
    """

    hold_ids: list[str] = []
    manual: bool | None = None
    set_by: str | None = None
    set_date: str | None = None
    scheduled_release: str | None = None
    released_by: str | None = None
    released_date: str | None = None
    dependency_details: DependencyDetails | None = None
    webhook_dependency_details: WebhookDependencyDetails | None = None


# ---------------------------------------------------------------- the item


class ItemBody(Body, kw_only=True):
    """A body that clients route by its item: it has no ``jobId``. It is sent to all sockets of the item."""

    item_id: str


class ExportCompleted(ItemBody, kw_only=True):
    """An export can be fetched (3.17)."""

    export_id: str


class ExportFailed(ItemBody, kw_only=True):
    """An export has failed (3.17). ``msg`` says why to whoever has asked for it."""

    export_id: str
    msg: str


class ImportCompleted(ItemBody, kw_only=True):
    """A configuration was imported (3.18)."""


class ImportFailed(ItemBody, kw_only=True):
    """A configuration was not imported, and nothing has changed (3.18). ``msg`` as in ``ExportFailed``."""

    msg: str


# ---------------------------------------------------------------- to one sender


class Ack(Body, kw_only=True):
    """Ours: the one positive reply to a frame that carried ``requestId``.

    When the frame was an answer to a step, ``stage`` is ``stored``, or ``applied`` where it had been applied before.
    """

    request_id: str
    job_id: str | None = None
    step_id: str | None = None
    prompt_id: str | None = None
    stage: str | None = None


class StepAnswer(JobBody, kw_only=True):
    """Ours: what became of an answer, told to its sender: ``stored``, ``applied`` or ``rejected``.

    A rejection has a ``reason``: ``already_answered``, ``not_waiting``, ``not_allowed`` or ``invalid``.
    """

    request_id: str | None = None
    step_id: str
    prompt_id: str | None = None
    stage: str
    reason: str | None = None
    msg: str | None = None


class Error(Body, kw_only=True):
    """A frame was refused (3.19), wholly or for one job; ``msg_code`` is a reply code of ``codes.py``.

    Ours: ``request_id`` of the frame; ``details``, one string per single fault.
    """

    job_id: str | None = None
    step_id: str | None = None
    request_id: str | None = None
    msg: str
    msg_code: str
    details: list[str] = []


class Connected(msgspec.Struct):
    """The first frame of a socket (1.3). It has no envelope."""

    connected: bool = True


_encoder = msgspec.json.Encoder()


def encode(body: Body, *, timestamp_ms: int, seq: int | None = None) -> bytes:
    """The whole envelope as JSON: ``msgType``, ``timestamp``, ``seq`` (only of messages of a feed), ``message``."""
    number = b"" if seq is None else b'"seq":%d,' % seq
    head = b'{"msgType":"%s","timestamp":%d,' % (body.msg_type().encode(), timestamp_ms)
    return b"".join((head, number, b'"message":', _encoder.encode(body), b"}"))
