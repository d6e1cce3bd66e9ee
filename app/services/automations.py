"""Automations of a job template: listed, read, and edited all or nothing (rest.md 7.1).

What they do is in ``schedules.py`` and ``webhooks.py``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.domain.job import AutomationType
from app.domain.schedule import next_time
from app.errors import InvalidValue, RuleViolation
from app.protocol.automations import (
    AutomationAdd,
    AutomationDetails,
    AutomationLine,
    AutomationsBody,
    AutomationsEdited,
    AutomationUpdate,
    ReadDetails,
    WebhookDetails,
    read_details,
)
from app.protocol.jobs import iso_or_none
from app.protocol.tables import tables_of
from app.services import templates
from app.services.creation import AUTOMATED_STATES
from app.services.designing import own_or_new_id, require_designer
from app.services.engine import Unit
from app.services.ports import Automation, JobTemplate


def lines(unit: Unit, template_id: str) -> list[AutomationLine]:
    """The automations of a template. Raises PermissionDenied without adminBasic, NotFound."""
    require_designer(unit)
    templates.read(unit, template_id)
    return [
        AutomationLine(
            automation_id=each.automation_id,
            automation_name=each.name,
            automation_type=each.automation_type,
            created_by=each.created_by,
        )
        for each in unit.tx.automations(unit.item, template_id)
    ]


def details(unit: Unit, template_id: str, automation_id: str) -> AutomationDetails:
    """An automation. Raises PermissionDenied without adminBasic, NotFound for the template, and for the automation
    RuleViolation: the reference wants 400."""
    require_designer(unit)
    templates.read(unit, template_id)
    found = find(unit, template_id, automation_id)
    if found is None:
        raise RuleViolation(f"The job template has no automation {automation_id!r}.", name="AutomationNotFound")
    return AutomationDetails(
        automation_id=found.automation_id,
        automation_name=found.name,
        automation_type=found.automation_type,
        created_by=found.created_by,
        enabled=found.enabled,
        details=found.details,
        occurrences=found.occurrences,
        last_date=iso_or_none(found.last_ms),
        next_date=iso_or_none(found.next_ms),
        last_error=found.last_error,
        last_error_date=iso_or_none(found.last_error_ms),
    )


def find(unit: Unit, template_id: str, automation_id: str) -> Automation | None:
    """An automation of this template; None where the template or the item has no such one."""
    found = unit.tx.automation(unit.item, automation_id)
    return found if found is not None and found.template_id == template_id else None


def secret_of(unit: Unit, automation: Automation) -> str | None:
    """The secret of a webhook in clear, for the server alone. Raises StoreUnavailable under another master key."""
    return None if automation.secret is None else unit.vault.open(automation.secret).decode()


# ---------------------------------------------------------------- edits


@dataclass(slots=True)
class _Edit:
    """What an edit comes to, before anything is written."""

    added: list[Automation]
    updated: list[Automation]
    faults: list[str]


def edit(unit: Unit, template_id: str, body: AutomationsBody, *, unsecure_webhooks: bool = False) -> AutomationsEdited:
    """Add, change and delete automations of a template, all or nothing.

    Args:
        unsecure_webhooks: webhooks without a secret are executed by this server.

    Raises:
        PermissionDenied: without adminBasic. NotFound: no such template.
        InvalidValue: an id or details that cannot be, a user who does not exist; ``details`` has every fault.
    """
    require_designer(unit)
    unit.tx.lock_item(unit.item)
    template = templates.read(unit, template_id)
    present = {each.automation_id: each for each in unit.tx.lock_automations(unit.item, template_id)}
    wanted = _judged(unit, template_id, body, present)
    if wanted.faults:
        raise InvalidValue(f"Automations was invalid: {'; '.join(wanted.faults)}.", details=wanted.faults)
    for automation_id in body.deletes or ():
        unit.tx.delete_automation(unit.item, automation_id)
    for automation in (*wanted.updated, *wanted.added):
        unit.tx.put_automation(unit.item, automation)
    unit.effects.timers_changed = True
    warnings = _warnings(template, [*wanted.updated, *wanted.added], unsecure_webhooks)
    return AutomationsEdited(True, " ".join(warnings) or None, [each.automation_id for each in wanted.added])


def new_automation(unit: Unit, template_id: str, add: AutomationAdd, automation_id: str | None = None) -> Automation:
    """An automation to be stored with ``put_automation``, by the present caller.

    Args:
        automation_id: one's own, where it comes from elsewhere.

    Raises:
        InvalidValue: details that cannot be, a user who does not exist, an id that is none.
    """
    read = _read(unit, add.automation_type, add.details)
    automation = Automation(
        automation_id=own_or_new_id(unit, automation_id, "automationId"),
        template_id=template_id,
        name=add.automation_name,
        automation_type=add.automation_type,
        enabled=add.enabled,
        details=read.text,
        secret=_secret(unit, read, before=None),
        created_by=unit.actor.username,
        set_ms=unit.now_ms,
    )
    return _scheduled(unit, automation, read)


def _judged(unit: Unit, template_id: str, body: AutomationsBody, present: dict[str, Automation]) -> _Edit:
    edit = _Edit([], [], list(_id_faults(body, present)))
    for number, add in enumerate(body.adds or ()):
        try:
            edit.added.append(new_automation(unit, template_id, add))
        except InvalidValue as error:
            edit.faults.append(f"adds[{number}] ({add.automation_name}): {error.message.rstrip('.')}")
    for number, update in enumerate(body.updates or ()):
        before = present.get(update.automation_id)
        try:
            if before is not None:
                edit.updated.append(_changed(unit, before, update))
        except InvalidValue as error:
            edit.faults.append(f"updates[{number}] ({before.name if before else ''}): {error.message.rstrip('.')}")
    return edit


def _id_faults(body: AutomationsBody, present: dict[str, Automation]) -> Iterator[str]:
    named = [("updates", each.automation_id) for each in body.updates or ()]
    named += [("deletes", automation_id) for automation_id in body.deletes or ()]
    seen = set[str]()
    for member, automation_id in named:
        if automation_id not in present:
            yield f"{member}: the job template has no automation {automation_id!r}"
        elif automation_id in seen:
            yield f"{member}: the automation {automation_id!r} is named twice"
        seen.add(automation_id)


def _changed(unit: Unit, before: Automation, update: AutomationUpdate) -> Automation:
    if update.automation_type not in {None, before.automation_type}:
        raise InvalidValue(f"automationType is {before.automation_type} for good; leave it out")
    enabled = before.enabled if update.enabled is None else update.enabled
    changed = replace(before, name=update.automation_name or before.name, enabled=enabled)
    read = _read(unit, before.automation_type, before.details if update.details is None else update.details)
    if update.details is not None:
        changed = replace(changed, details=read.text, secret=_secret(unit, read, before))
    if changed.details != before.details:
        changed = replace(changed, set_ms=unit.now_ms)
    moved = (changed.details, changed.enabled) != (before.details, before.enabled)
    return _scheduled(unit, changed, read) if moved else changed


def _read(unit: Unit, automation_type: AutomationType, text: str) -> ReadDetails:
    read = read_details(automation_type, text)
    if read.webhook is not None:
        for member, name in (("username", read.webhook.username), ("fallbackUsername", read.webhook.fallback_username)):
            if name is not None and unit.tx.user(name) is None:
                raise InvalidValue(f"details was invalid: {member}: there is no user {name!r}")
    return read


def _secret(unit: Unit, read: ReadDetails, before: Automation | None) -> bytes | None:
    """The secret to keep: the one that came along, else the one there is; none without the name of its header."""
    if not read.needs_secret:
        return None
    if read.secret is not None:
        return unit.vault.seal(read.secret.encode())
    if before is None or before.secret is None:
        raise InvalidValue("details was invalid: headerSecret.value is missing: the secret itself")
    return before.secret


def _scheduled(unit: Unit, automation: Automation, read: ReadDetails) -> Automation:
    """With the moment of its next job, counted from now: what lies before an edit is not made up for."""
    if read.schedule is None or not automation.enabled:
        return replace(automation, next_ms=None)
    following = next_time(
        read.schedule, set_ms=automation.set_ms, after_ms=unit.now_ms, occurrences=automation.occurrences
    )
    return replace(automation, next_ms=following)


def _warnings(template: JobTemplate, edited: list[Automation], unsecure_webhooks: bool) -> Iterator[str]:
    active = [each for each in edited if each.enabled]
    if active and template.state not in AUTOMATED_STATES:
        yield f"The job template is {template.state}: its automations make no jobs until it is Active or Automated."
    for each in active:
        read = read_details(each.automation_type, each.details)
        if read.schedule is not None and each.next_ms is None:
            yield f"The schedule {each.name!r} is over, and makes no more jobs."
        if read.webhook is not None:
            yield from _webhook_warnings(template, each.name, read.webhook, unsecure_webhooks)


def _webhook_warnings(
    template: JobTemplate, name: str, webhook: WebhookDetails, unsecure_webhooks: bool
) -> Iterator[str]:
    if webhook.required_header is None and not unsecure_webhooks:
        yield f"The webhook {name!r} has no enabled headerSecret, and this server executes none without."
    known = tables_of(template.body)
    for each in webhook.properties or ():
        if known.find(each.identifier) is None:
            yield f"The webhook {name!r} sets {each.identifier!r}, which the job template does not have."
