"""Automations: what makes jobs of a job template by itself (rest.md 7.1)."""

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from stepgate_client.models import CreatedJobs, Model
from stepgate_client.rest import Rest, part

SIGNATURE_HEADER: Final = "x-esriHook-Signature"

AutomationType = Literal["Scheduled", "Webhook"]


class ListedAutomation(Model, frozen=True):
    """An automation in a list."""

    automation_id: str
    automation_name: str
    automation_type: str
    created_by: str


class Automation(ListedAutomation, frozen=True):
    """An automation, and what became of it. ``details`` are the members of its JSON text, without secrets.

    ``last_error`` says why the last try has made no job, until one does.
    """

    enabled: bool
    details: Mapping[str, Any]
    occurrences: int
    last_date: datetime | None = None
    next_date: datetime | None = None
    last_error: str | None = None
    last_error_date: datetime | None = None


class NewAutomation(Model, frozen=True):
    """An automation to add; ``details`` as in docs/automations.md."""

    automation_name: str
    automation_type: AutomationType
    details: Mapping[str, Any]
    enabled: bool = True


class AutomationChange(Model, frozen=True):
    """What is to change of an automation; None leaves it. ``details`` are whole; a secret may be left out of them."""

    automation_id: str
    automation_name: str | None = None
    enabled: bool | None = None
    details: Mapping[str, Any] | None = None


class Edited(Model, frozen=True):
    """``automation_ids`` are those of what was added, in order; ``message`` says what keeps any from making jobs."""

    automation_ids: tuple[str, ...] = ()
    message: str | None = None


class Automations:
    """Reads and edits automations; ``Client.automations`` is one. Calls raise as those of ``Client``, and need the
    privilege ``adminBasic``."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def all(self, template_id: str) -> list[ListedAutomation]:
        """List the automations of a template, in the order they were added."""
        return (await self._rest.get(_path(template_id), _Automations)).automations

    async def one(self, template_id: str, automation_id: str) -> Automation:
        """Read an automation. Raises NotFound where the template has no such one."""
        found = await self._rest.get(f"{_path(template_id)}/{part(automation_id)}", dict[str, Any])
        details = msgspec.json.decode(found.pop("details"))
        return msgspec.convert(found | {"details": details}, Automation)

    async def edit(
        self,
        template_id: str,
        *,
        adds: Iterable[NewAutomation] = (),
        updates: Iterable[AutomationChange] = (),
        deletes: Iterable[str] = (),
    ) -> Edited:
        """Add, change and delete automations, all or nothing."""
        body = {
            "adds": [_with_text(each) for each in adds],
            "updates": [_with_text(each) for each in updates],
            "deletes": list(deletes),
        }
        return await self._rest.post(_path(template_id), body, Edited)

    async def execute_webhook(
        self,
        template_id: str,
        automation_id: str,
        payload: object,
        *,
        header: str,
        secret: str,
        idempotency_key: str | None = None,
    ) -> CreatedJobs:
        """Send a webhook's request: ``payload`` as JSON, and the secret in its header; signed with it where the header
        is ``x-esriHook-Signature``. Raises NotFound also for a wrong secret."""
        body = msgspec.json.encode(payload)
        is_signed = header.lower() == SIGNATURE_HEADER.lower()
        proof = "sha256=" + b64encode(hmac.digest(secret.encode(), body, "sha256")).decode() if is_signed else secret
        path = f"{_path(template_id)}/{part(automation_id)}/executeWebhook"
        return await self._rest.post(path, msgspec.Raw(body), CreatedJobs, key=idempotency_key, headers={header: proof})


class _Automations(Model, frozen=True):
    automations: list[ListedAutomation]


def _with_text(given: NewAutomation | AutomationChange) -> dict[str, Any]:
    """The wire's members; ``details`` as the JSON text that the server wants."""
    members: dict[str, Any] = msgspec.to_builtins(given)
    if given.details is not None:
        members["details"] = msgspec.json.encode(given.details).decode()
    return members


def _path(template_id: str) -> str:
    return f"jobTemplates/{part(template_id)}/automatedCreation"
