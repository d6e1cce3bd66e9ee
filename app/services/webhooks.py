"""Webhooks: a request from another program makes a job, in the name of a user that the automation names (rest.md 7.1).

The sender brings no token. That the request proves the automation's secret is seen to before; here nobody's token is
asked for, and the named user's privileges are.
"""

from dataclasses import dataclass
from typing import Any

from app.domain.attachments import NewAttachment
from app.domain.job import AutomationType, Content, Origin
from app.errors import AccessError, NotFound, PermissionDenied, RuleViolation
from app.protocol.automations import WebhookDetails, read_details
from app.protocol.job_requests import read_value
from app.protocol.json_path import read_path, value_at
from app.services import attachments
from app.services.access import read_actor
from app.services.acting import acting, acting_unasked
from app.services.automations import find, secret_of
from app.services.creation import AUTOMATED_STATES, CreatedJobs, JobOverrides, create
from app.services.engine import Unit
from app.services.ports import Automation
from app.services.schedules import MAX_ERROR_CHARS

PAYLOAD_NAME = "payload.json"
"""What the attached body is called."""


@dataclass(frozen=True, slots=True)
class Lock:
    """What a request must prove: that it knows ``secret``, in the header of this name; without a name, nothing.
    ``attaches``: its body is to be attached to the job."""

    header: str | None
    secret: str
    attaches: bool


@dataclass(frozen=True, slots=True)
class Payload:
    """The body of a request: as JSON (None: it was empty), and as the file that was kept of it, if any."""

    document: Any
    content: Content | None = None


def lock_of(unit: Unit, template_id: str, automation_id: str) -> Lock | None:
    """What a webhook's requests must prove. None: there is no such webhook."""
    found = _webhook(unit, template_id, automation_id)
    if found is None:
        return None
    automation, details = found
    attaches = details.attachment is not None and details.attachment.is_enabled is not False
    return Lock(details.required_header, secret_of(unit, automation) or "", attaches)


def execute(unit: Unit, template_id: str, automation_id: str, payload: Payload) -> CreatedJobs:
    """Make the job of a request that has proven its secret.

    Raises what ``creation.create`` raises, and:
        NotFound: the webhook is gone by now. RuleViolation: it is not enabled (AutomationDisabled).
        PermissionDenied: none of its users may create the job.
    """
    found = _webhook(unit, template_id, automation_id)
    if found is None:
        raise NotFound("The webhook was deleted.", name="AutomationNotFound")
    automation, details = found
    if not automation.enabled:
        raise RuleViolation(f"The webhook {automation.name!r} is not enabled.", name="AutomationDisabled")
    overrides = JobOverrides(
        origin=Origin(automation_id, automation.automation_type),
        extended_properties=tuple(_properties(details, payload.document).items()),
    )
    username, created = _create(unit, automation, details, overrides)
    if payload.content is not None:
        folder = details.attachment.folder if details.attachment else None
        new = NewAttachment(content=payload.content, alias=PAYLOAD_NAME, folder=folder)
        with acting_unasked(unit, username):  # whoever has written the automation wants it attached
            attachments.add(unit, created.job_ids[0], [new])
    unit.tx.count_occurrence(unit.item, automation_id, unit.now_ms)
    return created


def note_refusal(unit: Unit, automation_id: str, reason: str) -> None:
    """Note why a request that had proven its secret made no job."""
    unit.tx.note_automation_error(unit.item, automation_id, reason[:MAX_ERROR_CHARS], unit.now_ms)


def _webhook(unit: Unit, template_id: str, automation_id: str) -> tuple[Automation, WebhookDetails] | None:
    automation = find(unit, template_id, automation_id)
    if automation is None or automation.automation_type is not AutomationType.WEBHOOK:
        return None
    details = read_details(automation.automation_type, automation.details).webhook
    return (automation, details) if details is not None else None


def _create(
    unit: Unit, automation: Automation, details: WebhookDetails, overrides: JobOverrides
) -> tuple[str, CreatedJobs]:
    """Create the job as the first of the automation's users who may; returns who that was."""
    named = [name for name in (details.username, details.fallback_username) if name is not None]
    reasons = []
    for username in named or [automation.created_by]:
        try:
            with acting(unit, read_actor(unit.tx, unit.item, username)):
                return username, create(unit, automation.template_id, overrides, AUTOMATED_STATES)
        except AccessError as error:  # who may not is told before anything is written
            reasons.append(error.message)
    raise PermissionDenied(" ".join(reasons))


def _properties(details: WebhookDetails, document: Any) -> dict[str, str]:
    """The extended properties that the body has values for; the others keep their defaults."""
    found = {}
    for each in details.properties or ():
        try:
            text = read_value(value_at(document, read_path(each.path)))
        except LookupError:
            continue
        if text is not None:
            found[each.identifier] = text
    return found
