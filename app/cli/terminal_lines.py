"""Messages as people read them: one line each."""

from collections.abc import Mapping
from datetime import datetime
from functools import singledispatch

from stepgate_client.messages import (
    Error,
    JobAttachmentUpdated,
    JobCommentUpdated,
    JobLocationUpdated,
    JobState,
    JobUpdated,
    Message,
    StepFinished,
    StepHeld,
    StepHoldReleased,
    StepHoldsUpdated,
    StepInfoRequired,
    StepOutcome,
    StepProgress,
    StepReassigned,
    StepsMessage,
    UnknownMessage,
)

Names = Mapping[str, str]
"""Step names by step id."""


def line(message: Message, names: Names, *, job: str | None = None) -> str:
    """Write a message as ``time  seq  [job]  type  what matters``. Times are local."""
    seq = "" if message.seq is None else f"#{message.seq}"
    job_id = f"{job}  " if job else ""
    return f"{local(message.time)}  {seq:>5}  {job_id}{message.msg_type:<18}  {matter(message, names)}".rstrip()


def matter(message: Message, names: Names) -> str:
    """Say what a message is about, in one line: the steps it names, and what has become of them."""
    ids = message.step_ids if isinstance(message, StepsMessage) else [getattr(message, "step_id", None)]
    steps = ", ".join(names.get(step_id, step_id) for step_id in ids if step_id)
    detail = _detail(message)
    return " ".join((f"{steps}: {detail}" if steps and detail else steps or detail).split())


def local(moment: datetime) -> str:
    """Write a moment of today as a time of day, another one with its date; local time."""
    here = moment.astimezone()
    form = "%H:%M:%S" if here.date() == datetime.now().astimezone().date() else "%Y-%m-%d %H:%M:%S"
    return here.strftime(form)


def assignee(kind: str, to: str | None) -> str:
    """Say who a step waits for."""
    return "nobody" if kind == "Unassigned" or not to else f"{kind.lower()} {to}"


@singledispatch
def _detail(_: Message) -> str:
    """What a message says beside its steps; nothing, for those whose type says all."""
    return ""


@_detail.register
def _(message: JobState) -> str:
    missed = f"Messages were missed ({message.reason}). " if message.recovered is False else ""
    steps = [f"{step.step_name} ({assignee(step.assigned_type, step.assigned_to)})" for step in message.step_states]
    where = f"at {', '.join(steps)}" if steps else "no current step"
    closed = ", closed" if message.closed else ""
    return f"{missed}{message.job_status}, {message.percent_complete:g} %{closed}, {where}"


@_detail.register
def _(message: JobUpdated) -> str:
    pairs = [(entry.property_name, entry.value) for entry in message.properties.job_properties]
    for table in message.properties.extended_properties:
        pairs += [(f"{table.table_name}.{entry.property_name}", entry.value) for entry in table.properties]
    return ", ".join(f"{name} = {'' if value is None else value}" for name, value in pairs)


@_detail.register
def _(message: JobCommentUpdated) -> str:
    return "; ".join(f"{comment.last_modified_by}: {comment.comment}" for comment in message.adds)


@_detail.register
def _(message: JobAttachmentUpdated) -> str:
    kept = [f"+{entry.alias or entry.id}" for entry in [*message.adds, *message.updates]]
    return ", ".join([*kept, *(f"-{deleted}" for deleted in message.deletes)])


@_detail.register
def _(message: JobLocationUpdated) -> str:
    return "set" if message.update_type == "LocationAdded" else "changed"


@_detail.register
def _(message: Error) -> str:
    return f"{message.msg} ({message.msg_code})"


@_detail.register
def _(message: UnknownMessage) -> str:
    return str(message.body)


@_detail.register
def _(message: StepFinished) -> str:
    after = ", ".join(step.step_name or step.step_id for step in message.current_steps)
    return f"{message.job_status}; " + (f"now at {after}" if after else "no current step")


@_detail.register
def _(message: StepInfoRequired) -> str:
    choices = " / ".join(choice.name for choice in message.question_responses)
    text = message.question or message.prompt or message.user_prompt or message.app_url or message.msg
    return f"{text} [{choices}]" if choices else text


@_detail.register(StepProgress)
@_detail.register(StepOutcome)
def _(message: StepProgress | StepOutcome) -> str:
    return f"{message.msg} ({message.msg_code})"


@_detail.register
def _(message: StepReassigned) -> str:
    return f"to {assignee(message.assigned_type, message.assigned_to)}"


@_detail.register
def _(message: StepHeld) -> str:
    return _hold_text(message)


@_detail.register
def _(message: StepHoldReleased) -> str:
    return f"released by {message.released_by}" if message.released_by else ""


@_detail.register
def _(message: StepHoldsUpdated) -> str:
    hold = _hold_text(message)
    released = f"released by {message.released_by}" if message.released_by else ""
    return ", ".join(part for part in (hold, released) if part)


def _hold_text(held: StepHeld | StepHoldsUpdated) -> str:
    """Say how long a hold lasts, and whose it is."""
    parts = ["by hand"] if held.manual and held.scheduled_release is None else []
    if held.scheduled_release is not None:
        parts.append(f"until {local(held.scheduled_release)}")
    if held.dependency_details is not None:
        other = held.dependency_details
        done = f"has passed step {other.dependent_step_id}" if other.dependent_step_id else "is done"
        parts.append(f"until job {other.dependent_job_id} {done}")
    if held.webhook_dependency_details is not None:
        feature = held.webhook_dependency_details.details
        what = f"feature {feature.webhook_object_id} of layer {feature.webhook_layer_id}"
        parts.append(f"until {what} meets {feature.webhook_release_condition}")
    text = " or ".join(parts)
    return ", ".join(part for part in (text, f"set by {held.set_by}" if held.set_by else "") if part)
