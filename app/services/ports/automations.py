"""Records of automations: what makes jobs of a template when a moment or a request comes (rest.md 7.1)."""

from dataclasses import dataclass

from app.domain.job import AutomationType


@dataclass(frozen=True, slots=True)
class Automation:
    """What makes jobs of a template by itself.

    ``details`` is JSON text without secrets (``app.protocol.automations`` reads it); ``secret`` is the one that a
    webhook's requests must prove, sealed by a ``Vault``, None without one.

    ``set_ms`` is since when its schedule is as it is, ``next_ms`` when it makes its next job: None when that is
    never, because it is not enabled, over, or a webhook. ``occurrences`` counts the jobs it has made and ``last_ms`` is
    the moment the last one was due. ``last_error`` says why the last try has made none; the next success clears it.
    """

    automation_id: str
    template_id: str
    name: str
    automation_type: AutomationType
    enabled: bool
    details: str
    secret: bytes | None
    created_by: str
    set_ms: int
    next_ms: int | None = None
    occurrences: int = 0
    last_ms: int | None = None
    last_error: str | None = None
    last_error_ms: int | None = None


@dataclass(frozen=True, slots=True)
class DueAutomation:
    """A schedule whose moment has come."""

    item_id: str
    automation_id: str
    due_ms: int
