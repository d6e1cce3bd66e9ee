"""Messages of the websocket: one struct per ``msgType``, and ``UnknownMessage`` for those this client does not know.

A class has the name of its ``msgType``. Members this client does not know are ignored, members a server may leave out
have a default. Moments in bodies are aware ``datetime`` values. Source: websocket.md section 3.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from stepgate_client.errors import ProtocolError
from stepgate_client.models import Comment, CurrentStep, PropertyValue, TableProperties, WebhookCondition


class Message(msgspec.Struct, rename="camel", kw_only=True, frozen=True, dict=True):
    """What all messages have: the envelope's ``timestamp`` (ms since 1970, UTC) and ``seq``.

    ``seq`` counts a job's messages from 1; in ``JobState`` it is the last one included. None: the message is for this
    client alone and not part of a feed.
    """

    timestamp: int = 0
    seq: int | None = None

    @property
    def msg_type(self) -> str:
        return type(self).__name__

    @property
    def time(self) -> datetime:
        """When the server made the message; aware, UTC."""
        return datetime.fromtimestamp(self.timestamp / 1000, UTC)

    @property
    def frame(self) -> bytes:
        """The whole frame as it came; empty for a message that came from no socket."""
        frame: bytes = self.__dict__.get("frame", b"")
        return frame


class JobMessage(Message, frozen=True):
    """A message about one job."""

    job_id: str


class StepsMessage(JobMessage, frozen=True):
    """A message about several steps of a job."""

    step_ids: list[str]


class ItemMessage(Message, frozen=True):
    """A message to everybody who has a websocket of the item open; it has no ``seq``."""

    item_id: str


class ExportCompleted(ItemMessage, frozen=True):
    """An export that was asked for can be fetched."""

    export_id: str


class ExportFailed(ItemMessage, frozen=True):
    """An export has failed; ``msg`` says why to whoever has asked for it."""

    export_id: str
    msg: str


class ImportCompleted(ItemMessage, frozen=True):
    """A configuration was imported."""


class ImportFailed(ItemMessage, frozen=True):
    """A configuration was not imported, and nothing has changed; ``msg`` as in ``ExportFailed``."""

    msg: str


class UnknownMessage(Message, frozen=True):
    """A message of a type this client does not know: its type, its job if it names one, and its body."""

    type: str
    job_id: str | None = None
    body: dict[str, Any] = {}

    @property
    def msg_type(self) -> str:
        return self.type


class StepState(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A current step in ``JobState``; ``message_details`` is the envelope of the message that describes its state."""

    step_id: str
    step_name: str = ""
    assigned_type: str = "Unassigned"
    assigned_to: str | None = None
    can_skip: bool = False
    message_details: msgspec.Raw = msgspec.Raw()

    @property
    def details(self) -> Message | None:
        """``message_details``, decoded: an open question is a ``StepInfoRequired``. None when there are none."""
        raw = bytes(self.message_details)
        return None if raw in {b"", b"null"} else decode(raw)


class JobState(JobMessage, frozen=True):
    """How a job stands: the first message of each subscribed job, and again after each reconnect.

    ``recovered`` False says that messages were missed for good since the last one seen, and ``reason`` why:
    ``epoch_changed``, ``trimmed``, ``ahead`` or ``too_many``. Whatever was derived from earlier messages must then be
    made anew from this one. ``epoch`` names the history that ``seq`` counts in.
    """

    job_status: str = ""
    job_template_name: str = ""
    diagram_id: str = ""
    diagram_version: int = 0
    percent_complete: float = 0
    closed: bool = False
    step_states: list[StepState] = []
    sender_id: str | None = None
    epoch: str | None = None
    recovered: bool | None = None
    reason: str | None = None


class StepStarted(StepsMessage, frozen=True):
    """Steps have begun to run."""


class StepProgress(StepsMessage, frozen=True):
    """A running step says how far it is; ``allowed_actions`` are flags (1 cancel, 2 pause, 4 finish, 8 refresh)."""

    msg: str = ""
    msg_code: str = ""
    allowed_actions: int = 0


class StepFinished(StepsMessage, frozen=True):
    """Steps are done and the job has moved on; ``current_steps`` is empty at the end of the workflow."""

    job_status: str = ""
    current_steps: list[CurrentStep] = []


class StepStopping(StepsMessage, frozen=True):
    """A stop was asked for and is not complete yet."""


class StepPaused(StepsMessage, frozen=True):
    """A person's work was stopped."""


class StepCancelled(StepsMessage, frozen=True):
    """Processing was stopped."""


class StepOutcome(JobMessage, frozen=True):
    """How a run ended without finishing."""

    step_id: str
    msg: str = ""
    msg_code: str = ""


class StepStopped(StepOutcome, frozen=True):
    """The step ended its run without finishing."""


class StepWarningStopped(StepOutcome, frozen=True):
    """The step ended with a warning that the user should read."""


class StepError(StepOutcome, frozen=True):
    """The step failed; it can be run again."""


class StepReassigned(JobMessage, frozen=True):
    """A current step waits for somebody else."""

    step_id: str
    assigned_type: str = "Unassigned"
    assigned_to: str | None = None


class Choice(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One possible answer to a question; ``value`` is what the answer sends back."""

    name: str
    value: int


class CodedValue(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """One value of a coded domain, and the name it is shown by."""

    code: str
    name: str


class PropertyDetail(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A property a step asks for; ``identifier`` is ``table.property``, ``value`` the present one."""

    identifier: str
    unique_id: str | None = None
    alias: str | None = None
    value: str | None = None
    data_type: str | None = None
    required: bool = False
    order: int | None = None
    domain_type: str | None = None
    field_length: int | None = None
    coded_values: list[CodedValue] | None = None
    range: list[str | None] | None = None


class AssignmentOptions(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """The group whose members may be chosen."""

    group_id: str | None = None


class StepInfoRequired(JobMessage, frozen=True):
    """A running step needs something from its user (websocket.md 3.9).

    ``step_type`` (the step's ``actionType``) tells which of the members below the common ones are filled. Those whom
    the step does not wait for get a shortened form without them, with ``allowed_actions`` 0. ``prompt_id`` names this
    question, so that an answer cannot reach a later one.
    """

    step_id: str
    msg: str = ""
    msg_code: str = ""
    allowed_actions: int = 0
    step_type: str = ""
    prompt_id: str | None = None
    help_text: str | None = None
    help_link: str | None = None
    can_comment: bool | None = None
    comment_required: bool | None = None
    user_prompt: str | None = None
    # Question
    question: str | None = None
    question_responses: list[Choice] = []
    # OpenApp
    app_url: str | None = None
    # DefineLocation, UpdateJobProperties
    prompt: str | None = None
    geometry_type: str | None = None
    method_type: str | None = None
    job_template_id: str | None = None
    properties: list[PropertyDetail] = []
    # Attachment
    folder: str | None = None
    accepted_file_types: str | None = None
    accept_embedded: bool | None = None
    accept_linked: bool | None = None
    # AdvancedAssignment
    assignment_method: str | None = None
    user_defined_assignment_options: AssignmentOptions | None = None


class DependencyDetails(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What a held step waits for."""

    dependent_job_id: str
    dependent_step_id: str | None = None


class WebhookDependencyDetails(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """What a step waits for that waits for a feature."""

    webhook_connection_id: str
    details: WebhookCondition


class StepHeld(StepsMessage, frozen=True):
    """Current steps are on hold."""

    manual: bool = False
    dependency: bool = False
    webhook_dependency: bool = False
    scheduled_release: datetime | None = None
    set_by: str | None = None
    set_date: datetime | None = None
    hold_ids: list[str] = []
    dependency_details: DependencyDetails | None = None
    webhook_dependency_details: WebhookDependencyDetails | None = None


class StepHoldReleased(StepsMessage, frozen=True):
    """The last hold of a step is gone: it can run again."""

    hold_ids: list[str] = []
    released_by: str | None = None
    released_date: datetime | None = None


class StepHoldsUpdated(StepsMessage, frozen=True):
    """Holds have changed, and whether a current step can run has not. An added hold has ``set_by``, a released one
    ``released_by``."""

    hold_ids: list[str] = []
    manual: bool | None = None
    set_by: str | None = None
    set_date: datetime | None = None
    scheduled_release: datetime | None = None
    released_by: str | None = None
    released_date: datetime | None = None
    dependency_details: DependencyDetails | None = None
    webhook_dependency_details: WebhookDependencyDetails | None = None


class RelatedEntry(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A row of a one-to-many table, with the values that were set."""

    id: str
    properties: list[PropertyValue]


class RelatedTable(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Rows of one one-to-many table that were added, changed or (by their ids) deleted."""

    table_name: str
    adds: list[RelatedEntry] = []
    updates: list[RelatedEntry] = []
    deletes: list[str] = []


class UpdatedProperties(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Groups of changed properties."""

    job_properties: list[PropertyValue] = []
    extended_properties: list[TableProperties] = []
    related_properties: list[RelatedTable] = []


class JobUpdated(JobMessage, frozen=True):
    """Job or extended properties have changed."""

    properties: UpdatedProperties = UpdatedProperties()


class Attachment(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """An attachment as ``JobAttachmentUpdated`` lists it. ``url`` is that of a linked one."""

    id: str
    alias: str | None = None
    folder: str | None = None
    step_id: str | None = None
    url: str | None = None
    last_modified_by: str | None = None
    last_modified: datetime | None = None


class JobAttachmentUpdated(JobMessage, frozen=True):
    """Attachments were added, renamed or deleted; ``deletes`` are ids."""

    adds: list[Attachment] = []
    updates: list[Attachment] = []
    deletes: list[str] = []


class JobCommentUpdated(JobMessage, frozen=True):
    """Comments were added."""

    adds: list[Comment] = []


class JobLocationUpdated(JobMessage, frozen=True):
    """The job's place was set (``LocationAdded``) or changed (``LocationUpdated``)."""

    update_type: str = ""


class Ack(Message, frozen=True):
    """A frame with ``request_id`` was taken; ``stage`` says how far, when the frame was an answer."""

    request_id: str
    job_id: str | None = None
    step_id: str | None = None
    prompt_id: str | None = None
    stage: str | None = None


class StepAnswer(JobMessage, frozen=True):
    """What became of an answer, told to its sender: ``applied``, or ``rejected`` with a ``reason``."""

    step_id: str
    stage: str
    request_id: str | None = None
    prompt_id: str | None = None
    reason: str | None = None
    msg: str | None = None


class Error(Message, frozen=True):
    """A frame was refused, wholly or (``job_id``) for one job."""

    msg: str = ""
    msg_code: str = ""
    job_id: str | None = None
    step_id: str | None = None
    request_id: str | None = None
    details: list[str] = []


class _Envelope(msgspec.Struct, rename="camel", frozen=True):
    msg_type: str
    message: msgspec.Raw
    timestamp: int = 0
    seq: int | None = None


_TYPES: tuple[type[Message], ...] = (
    JobState, StepStarted, StepProgress, StepFinished, StepStopping, StepPaused, StepCancelled, StepStopped,
    StepWarningStopped, StepError, StepReassigned, StepInfoRequired, StepHeld, StepHoldReleased, StepHoldsUpdated,
    JobUpdated, JobAttachmentUpdated, JobCommentUpdated, JobLocationUpdated, Ack, StepAnswer, Error,
    ExportCompleted, ExportFailed, ImportCompleted, ImportFailed,
)  # fmt: skip
# By name in lower case: letter case carries no meaning in a msgType.
_decoders = {kind.__name__.lower(): msgspec.json.Decoder(kind) for kind in _TYPES}
_envelope_decoder = msgspec.json.Decoder(_Envelope)
_body_decoder = msgspec.json.Decoder(dict[str, Any])


def decode(frame: str | bytes) -> Message:
    """Decode one frame.

    Raises ProtocolError when it is no envelope, or when a known type has a body of another shape.
    """
    try:
        envelope = _envelope_decoder.decode(frame)
        decoder = _decoders.get(envelope.msg_type.lower())
        message = decoder.decode(envelope.message) if decoder else _unknown(envelope)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ProtocolError(f"The server sent a message that cannot be read: {error}") from error
    msgspec.structs.force_setattr(message, "timestamp", envelope.timestamp)
    if envelope.seq is not None:
        msgspec.structs.force_setattr(message, "seq", envelope.seq)
    message.__dict__["frame"] = frame.encode() if isinstance(frame, str) else frame
    return message


def _unknown(envelope: _Envelope) -> UnknownMessage:
    body = _body_decoder.decode(envelope.message)
    job_id = body.get("jobId")
    return UnknownMessage(type=envelope.msg_type, body=body, job_id=job_id if isinstance(job_id, str) else None)
