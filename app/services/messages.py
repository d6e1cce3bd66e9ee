"""From events to wire messages: which one tells subscribers of an event, and with which body (websocket.md 3, 4)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from app.domain import events as e
from app.domain.changes import PropertyFacts
from app.domain.diagram import Diagram, Step, StepKind
from app.domain.job import Assignment, Attachment, CurrentStep, Hold, Job, StepState, WebhookDependency
from app.domain.prompts import app_url, asked_properties, choices
from app.domain.refusals import AllowedActions, allowed_actions
from app.protocol import notifications as n
from app.protocol import prompts as p
from app.protocol.codes import MsgCode
from app.protocol.text import iso
from app.services.property_messages import property_detail, updated_properties


@dataclass(frozen=True, slots=True)
class Told:
    """A message about to get its number. ``short`` goes to those outside ``audience``.

    ``describes`` names the steps whose state the message describes from now on (``JobState``'s ``messageDetails``).
    """

    body: n.Body
    short: n.Body | None = None
    audience: Assignment | None = None
    describes: tuple[str, ...] = ()


FactsOf = Callable[[Job], PropertyFacts]
"""Reads what a step that asks for properties must know of them; called only for such a step."""


def render(event: e.Event, job: Job, diagram: Diagram, facts_of: FactsOf = lambda _: PropertyFacts()) -> list[Told]:
    """The messages that tell of ``event``; ``job`` is the job right after it."""
    if isinstance(event, e.PromptOpened | e.AnswerRejected):
        return [_asking(job, diagram, event.step_id, facts_of)]
    if isinstance(event, e.StatusRefreshed) and job.flow.current(event.step_id).state is StepState.WAITING:
        return [_asking(job, diagram, event.step_id, facts_of)]
    teller = _TELLERS.get(type(event))
    return teller(event, job, diagram) if teller else []


# ---------------------------------------------------------------- running


def _started(event: e.StepStarted, job: Job, _: Diagram) -> list[Told]:
    return [Told(n.StepStarted(job_id=job.job_id, step_ids=[event.step_id]), describes=(event.step_id,))]


def _asking(job: Job, diagram: Diagram, step_id: str, facts_of: FactsOf) -> Told:
    current = job.flow.current(step_id)
    body = info_required(job, diagram, current, facts_of)
    return Told(body, body.shortened(), current.assignment, (step_id,))


def _answered(event: e.AnswerStored, job: Job, _: Diagram) -> list[Told]:
    text = f"{event.stored.by} has answered"
    return [_progress(job, event.step_id, text, MsgCode.ANSWERED, AllowedActions.NONE)]


def _handled(event: e.StepHandled, job: Job, diagram: Diagram) -> list[Told]:
    return [_working(job, diagram, event.step_id)]


def _working(job: Job, diagram: Diagram, step_id: str) -> Told:
    allowed = allowed_actions(job, diagram, job.flow.current(step_id))
    return _progress(job, step_id, "The step is being worked on", MsgCode.HANDLED, allowed)


def _progressed(event: e.StepProgressed, job: Job, diagram: Diagram) -> list[Told]:
    allowed = allowed_actions(job, diagram, job.flow.current(event.step_id))
    return [_progress(job, event.step_id, event.msg, event.msg_code, allowed)]


def _progress(job: Job, step_id: str, msg: str, code: str, allowed: AllowedActions) -> Told:
    body = n.StepProgress(job_id=job.job_id, step_ids=[step_id], msg=msg, msg_code=code, allowed_actions=int(allowed))
    return Told(body, describes=(step_id,))


def _completed(event: e.StepCompleted, job: Job, _: Diagram) -> list[Told]:
    text = "The step has run to its end; finish it to go on"
    body = n.StepStopped(job_id=job.job_id, step_id=event.step_id, msg=text, msg_code=MsgCode.COMPLETED)
    return [Told(body, describes=(event.step_id,))]


def _finished(event: e.StepFinished, job: Job, diagram: Diagram) -> list[Told]:
    body = n.StepFinished(
        job_id=job.job_id,
        step_ids=[event.step.step_id],
        job_status=job.status,
        current_steps=[active_step(job, diagram, current) for current in job.flow.steps],
    )
    return [Told(body)]


def active_step(job: Job, diagram: Diagram, current: CurrentStep) -> n.ActiveStep:
    """A current step as ``StepFinished`` lists it."""
    step = diagram.step(current.step_id)
    held = hold_flags(job.flow.holds_of(current.step_id))
    return n.ActiveStep(
        step_id=current.step_id,
        step_name=step.name if step else current.step_id,
        assigned_type=current.assignment.type.value,
        assigned_to=current.assignment.to,
        can_skip=step.can_skip if step else False,
        manual_hold=held.manual,
        dependencies=held.dependency,
        hold_scheduled_release=iso(held.release_ms) if held.release_ms is not None else None,
        webhook_dependency=held.webhook,
    )


@dataclass(frozen=True, slots=True)
class HoldFlags:
    """What the holds of a step come to: ``release_ms`` is the latest scheduled release of those that have one."""

    manual: bool
    dependency: bool
    webhook: bool
    release_ms: int | None


def hold_flags(holds: Iterable[Hold]) -> HoldFlags:
    """Sum up the unreleased holds of one step as the wire shows them."""
    found = list(holds)
    releases = [hold.scheduled_release_ms for hold in found if hold.scheduled_release_ms is not None]
    return HoldFlags(
        manual=any(hold.is_manual for hold in found),
        dependency=any(hold.is_dependency for hold in found),
        webhook=any(hold.webhook is not None for hold in found),
        release_ms=max(releases, default=None),
    )


def _stopping(event: e.StepStopping, job: Job, _: Diagram) -> list[Told]:
    return [Told(n.StepStopping(job_id=job.job_id, step_ids=[event.step_id]), describes=(event.step_id,))]


def _stopped(event: e.StepStopped, job: Job, _: Diagram) -> list[Told]:
    body: n.Body
    if event.told_as_stopped:
        text = f"{event.by} stopped the step"
        body = n.StepStopped(job_id=job.job_id, step_id=event.step_id, msg=text, msg_code=MsgCode.STOPPED)
    elif event.state is StepState.CANCELLED:
        body = n.StepCancelled(job_id=job.job_id, step_ids=[event.step_id])
    else:
        body = n.StepPaused(job_id=job.job_id, step_ids=[event.step_id])
    return [Told(body, describes=(event.step_id,))]


def _failed(event: e.StepFailed, job: Job, _: Diagram) -> list[Told]:
    fault = event.fault
    body = n.StepError(job_id=job.job_id, step_id=event.step_id, msg=fault.msg, msg_code=fault.msg_code)
    return [Told(body, describes=(event.step_id,))]


def _refreshed(event: e.StatusRefreshed, job: Job, diagram: Diagram) -> list[Told]:
    """The step's present state once more."""
    current = job.flow.current(event.step_id)
    if current.state is StepState.STOPPING:
        return [Told(n.StepStopping(job_id=job.job_id, step_ids=[event.step_id]), describes=(event.step_id,))]
    if current.state is StepState.HANDLED:
        return [_working(job, diagram, event.step_id)]
    allowed = allowed_actions(job, diagram, current)
    return [_progress(job, event.step_id, "The step is running", MsgCode.EXECUTING, allowed)]


# ---------------------------------------------------------------- prompts


def info_required(job: Job, diagram: Diagram, current: CurrentStep, facts_of: FactsOf) -> p.StepInfoRequired:
    """What a waiting step asks its user, in the form of its kind (websocket.md 3.9)."""
    step = diagram.by_id[current.step_id]
    form, code, special = _FORMS.get(step.kind, _FORMS[StepKind.OTHER])
    prompt = step.args.get("userPrompt")
    return form(
        job_id=job.job_id,
        step_id=step.step_id,
        msg=str(prompt or step.name),
        msg_code=code,
        allowed_actions=int(allowed_actions(job, diagram, current)),
        step_type=step.action_type,
        prompt_id=current.last_run.prompt_id or "",
        help_text=step.help_text,
        help_link=step.help_link,
        can_comment=step.can_comment,
        comment_required=step.needs_comment,
        user_prompt=str(prompt) if prompt is not None else None,
        **(_properties(job, step, facts_of(job)) if special is None else special(job, step)),
    )


def _question(_: Job, step: Any) -> dict[str, Any]:
    responses = [p.QuestionResponse(name=choice.name, value=choice.value) for choice in choices(step)]
    return {"question": str(step.args.get("question") or step.name), "question_responses": responses}


def _location(_: Job, step: Any) -> dict[str, Any]:
    return {
        "prompt": step.args.get("userPrompt"),
        "geometry_type": str(step.args.get("geometryType") or "Polygon"),
        "method_type": step.args.get("methodType"),
    }


def _properties(job: Job, step: Step, facts: PropertyFacts) -> dict[str, Any]:
    asked = [entry for entry in asked_properties(step) if "identifier" in entry]
    details = [property_detail(job, entry, number, facts) for number, entry in enumerate(asked)]
    return {"job_template_id": job.template_id, "prompt": _text(step.args.get("userPrompt")), "properties": details}


def _attachment(_: Job, step: Any) -> dict[str, Any]:
    return {
        "folder": _text(step.args.get("folder")),
        "accepted_file_types": _text(step.args.get("acceptedFileTypes")),
        "accept_embedded": bool(step.args.get("acceptEmbedded", True)),
        "accept_linked": bool(step.args.get("acceptLinked", True)),
    }


def _assignment(_: Job, step: Any) -> dict[str, Any]:
    options = step.args.get("userDefinedAssignmentOptions")
    group = options.get("groupId") if isinstance(options, dict) else None
    return {
        "assignment_method": str(step.args.get("assignmentMethod") or "UserDefined"),
        "user_defined_assignment_options": p.UserDefinedAssignment(group_id=_text(group)),
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _nothing(*_: Any) -> dict[str, Any]:
    return {}


_FORMS: dict[StepKind, tuple[type[p.StepInfoRequired], MsgCode, Callable[[Job, Any], dict[str, Any]] | None]] = {
    StepKind.QUESTION: (p.QuestionInfo, MsgCode.QUESTION, _question),
    StepKind.MANUAL: (p.ManualInfo, MsgCode.MANUAL, _nothing),
    StepKind.OPEN_APP: (p.OpenAppInfo, MsgCode.OPENAPP, lambda job, step: {"app_url": app_url(job, step)}),
    StepKind.DEFINE_LOCATION: (p.DefineLocationInfo, MsgCode.LOCATION, _location),
    StepKind.UPDATE_PROPERTIES: (p.UpdatePropertiesInfo, MsgCode.PROPERTIES, None),
    StepKind.ATTACHMENT: (p.AttachmentInfo, MsgCode.ATTACHMENT, _attachment),
    StepKind.ADVANCED_ASSIGNMENT: (p.AdvancedAssignmentInfo, MsgCode.ASSIGNMENT, _assignment),
    StepKind.OTHER: (p.StepInfoRequired, MsgCode.OTHER, _nothing),
}


# ---------------------------------------------------------------- assignment and holds


def _reassigned(event: e.StepReassigned, job: Job, _: Diagram) -> list[Told]:
    assignment = event.assignment
    body = n.StepReassigned(
        job_id=job.job_id, step_id=event.step_id, assigned_type=assignment.type.value, assigned_to=assignment.to
    )
    return [Told(body)]


def _details(hold: Hold) -> n.DependencyDetails | None:
    if hold.dependent_job_id is None:
        return None
    return n.DependencyDetails(dependent_job_id=hold.dependent_job_id, dependent_step_id=hold.dependent_step_id)


def webhook_condition(webhook: WebhookDependency) -> n.WebhookCondition:
    """What is waited for, as the wire names it."""
    return n.WebhookCondition(
        webhook_release_condition=webhook.condition,
        webhook_layer_id=webhook.layer_id,
        webhook_object_id=webhook.object_id,
    )


def _webhook_details(hold: Hold) -> n.WebhookDependencyDetails | None:
    if hold.webhook is None:
        return None
    return n.WebhookDependencyDetails(
        webhook_connection_id=hold.webhook.connection_id, details=webhook_condition(hold.webhook)
    )


def _release_text(hold: Hold) -> str | None:
    return None if hold.scheduled_release_ms is None else iso(hold.scheduled_release_ms)


def _held(job: Job, holds: tuple[Hold, ...]) -> Told:
    """``StepHeld`` for the newest of ``holds``, with their ids; the flags tell what is in place on the step."""
    newest = holds[-1]
    flags = hold_flags(job.flow.holds_of(newest.step_id))
    body = n.StepHeld(
        job_id=job.job_id,
        step_ids=[newest.step_id],
        manual=flags.manual,
        dependency=flags.dependency,
        webhook_dependency=flags.webhook,
        scheduled_release=_release_text(newest),
        set_by=newest.set_by,
        set_date=iso(newest.set_ms),
        hold_ids=[hold.hold_id for hold in holds],
        dependency_details=_details(newest),
        webhook_dependency_details=_webhook_details(newest),
    )
    return Told(body, describes=(newest.step_id,))


def _hold_set(event: e.HoldSet, job: Job, _: Diagram) -> list[Told]:
    if event.blocks:
        return [_held(job, (event.hold,))]
    return [Told(_holds_updated(job, event.hold))]


def _reached_held(event: e.StepReachedHeld, job: Job, _: Diagram) -> list[Told]:
    return [_held(job, event.holds)]


def _holds_updated(job: Job, hold: Hold, by: str | None = None, at_ms: int | None = None) -> n.StepHoldsUpdated:
    return n.StepHoldsUpdated(
        job_id=job.job_id,
        step_ids=[hold.step_id],
        hold_ids=[hold.hold_id],
        manual=hold.is_manual,
        set_by=hold.set_by,
        set_date=iso(hold.set_ms),
        scheduled_release=_release_text(hold),
        released_by=by,
        released_date=None if at_ms is None else iso(at_ms),
        dependency_details=_details(hold),
        webhook_dependency_details=_webhook_details(hold),
    )


def _hold_released(event: e.HoldReleased, job: Job, _: Diagram) -> list[Told]:
    hold = event.hold
    if not event.frees:
        return [Told(_holds_updated(job, hold, event.by, event.at_ms))]
    body = n.StepHoldReleased(
        job_id=job.job_id,
        step_ids=[hold.step_id],
        hold_ids=[hold.hold_id],
        released_by=event.by,
        released_date=iso(event.at_ms),
    )
    return [Told(body)]


def _hold_ended_at_once(event: e.HoldEndedAtOnce, job: Job, _: Diagram) -> list[Told]:
    return [Told(_holds_updated(job, event.hold, event.by, event.hold.set_ms))]


# ---------------------------------------------------------------- the job


def job_updated(job: Job, **values: str | None) -> Told:
    """``JobUpdated`` with job properties by their search names; None means "has no value any more"."""
    changed = [n.PropertyValue(property_name=name, value=value) for name, value in values.items()]
    return Told(n.JobUpdated(job_id=job.job_id, properties=n.UpdatedProperties(job_properties=changed)))


def _moved(_: e.CurrentStepSet | e.StepsActivated, job: Job, diagram: Diagram) -> list[Told]:
    """No message of the reference tells of a step set by hand; ``JobUpdated`` names the current steps."""
    ids = [step.step_id for step in job.flow.steps]
    names = [diagram.by_id[step_id].name for step_id in ids]
    return [job_updated(job, current_step=", ".join(names), current_step_id=", ".join(ids))]


def _workflow_completed(_: e.WorkflowCompleted, job: Job, __: Diagram) -> list[Told]:
    return [job_updated(job, percent_complete="100")]


def _comment(event: e.CommentAdded, job: Job, _: Diagram) -> list[Told]:
    comment = n.JobComment(
        job_id=job.job_id,
        comment_id=event.comment_id,
        comment=event.comment,
        last_modified_by=event.by,
        last_modified=iso(event.at_ms),
    )
    return [Told(n.JobCommentUpdated(job_id=job.job_id, adds=[comment]))]


def _located(event: e.LocationSet, job: Job, _: Diagram) -> list[Told]:
    update = "LocationAdded" if event.added else "LocationUpdated"
    return [Told(n.JobLocationUpdated(job_id=job.job_id, update_type=update))]


def _location_cleared(_: e.LocationCleared, job: Job, __: Diagram) -> list[Told]:
    return [Told(n.JobLocationUpdated(job_id=job.job_id, update_type="LocationUpdated"))]


def _attached(event: e.AttachmentsAdded, job: Job, _: Diagram) -> list[Told]:
    adds = [_attachment_told(attachment) for attachment in event.attachments]
    return [Told(n.JobAttachmentUpdated(job_id=job.job_id, adds=adds))]


def _attachment_changed(event: e.AttachmentChanged, job: Job, _: Diagram) -> list[Told]:
    return [Told(n.JobAttachmentUpdated(job_id=job.job_id, updates=[_attachment_told(event.attachment)]))]


def _detached(event: e.AttachmentDeleted, job: Job, _: Diagram) -> list[Told]:
    return [Told(n.JobAttachmentUpdated(job_id=job.job_id, deletes=[event.attachment.attachment_id]))]


def _attachment_told(attachment: Attachment) -> n.Attachment:
    """Of an embedded one no ``url``: which address of this server a subscriber can reach is not known here."""
    return n.Attachment(
        id=attachment.attachment_id,
        alias=attachment.alias,
        folder=attachment.folder,
        step_id=attachment.step_id,
        url=attachment.link,
        last_modified_by=attachment.by,
        last_modified=iso(attachment.at_ms),
    )


def _properties_set(event: e.PropertiesSet, job: Job, __: Diagram) -> list[Told]:
    return [Told(n.JobUpdated(job_id=job.job_id, properties=updated_properties(event.changes)))]


def _closed(event: e.JobClosed, job: Job, _: Diagram) -> list[Told]:
    cancelled = {"cancelled": "true"} if event.cancelled else {}  # ours: it is final
    end_date = iso(event.at_ms)
    return [job_updated(job, closed="true", closed_by=event.by, end_date=end_date, job_status=job.status, **cancelled)]


def _queued(event: e.JobQueued, job: Job, _: Diagram) -> list[Told]:
    """Ours: when the job was accepted for processing, by way of the v3 dialects."""
    return [job_updated(job, queued_by=event.by, queue_date=iso(event.at_ms))]


def _restarted(_: e.JobRestarted, job: Job, __: Diagram) -> list[Told]:
    return [job_updated(job, percent_complete="0")]


def _ticket_set(event: e.TicketSet, job: Job, _: Diagram) -> list[Told]:
    return [job_updated(job, **{name: after for name, _, after in event.told})]


def _reopened(_: e.JobReopened, job: Job, __: Diagram) -> list[Told]:
    return [job_updated(job, closed="false", closed_by=None, end_date=None)]


def _upgraded(event: e.JobUpgraded, job: Job, _: Diagram) -> list[Told]:
    return [job_updated(job, diagram_version=str(event.diagram_version), diagram_name=event.diagram_name)]


def _deleted(event: e.JobDeleted, job: Job, _: Diagram) -> list[Told]:
    return [job_updated(job, deleted="true", deleted_by=event.by)]


_TELLERS: dict[type, Callable[[Any, Job, Diagram], list[Told]]] = {
    e.StepStarted: _started,
    e.AnswerStored: _answered,
    e.StepHandled: _handled,
    e.StepProgressed: _progressed,
    e.StepCompleted: _completed,
    e.StepFinished: _finished,
    e.WorkflowCompleted: _workflow_completed,
    e.StepStopping: _stopping,
    e.StepStopped: _stopped,
    e.StepFailed: _failed,
    e.CurrentStepSet: _moved,
    e.StepsActivated: _moved,
    e.StatusRefreshed: _refreshed,
    e.StepReassigned: _reassigned,
    e.HoldSet: _hold_set,
    e.StepReachedHeld: _reached_held,
    e.HoldReleased: _hold_released,
    e.HoldEndedAtOnce: _hold_ended_at_once,
    e.CommentAdded: _comment,
    e.LocationSet: _located,
    e.LocationCleared: _location_cleared,
    e.AttachmentsAdded: _attached,
    e.AttachmentChanged: _attachment_changed,
    e.AttachmentDeleted: _detached,
    e.PropertiesSet: _properties_set,
    e.JobClosed: _closed,
    e.JobQueued: _queued,
    e.JobRestarted: _restarted,
    e.TicketSet: _ticket_set,
    e.JobReopened: _reopened,
    e.JobUpgraded: _upgraded,
    e.JobDeleted: _deleted,
}
"""``JobCreated`` is told to nobody: nobody can have subscribed yet. What asks a user is told by ``_asking``."""
