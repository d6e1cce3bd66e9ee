"""Records of the v3 dialects: which jobs a list means, projects, and programs that get tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.phases import Phase


class JobOrder(StrEnum):
    """What a list of jobs is sorted by; ``PRIORITY`` by the value the item gives it, ``ENDED`` by the end."""

    CREATED = "created"
    TEMPLATE = "template"
    ENDED = "ended"
    PRIORITY = "priority"
    PHASE = "phase"


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose jobs somebody sees: their own, and those that schedules have made of these templates."""

    owner: str
    template_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs of an item are meant; None does not narrow.

    ``ended_after_ms`` and ``ended_before_ms`` mean jobs that have ended, at that moment or later, and before it.
    ``sight`` None is everybody's.
    """

    sight: Sight | None = None
    owner: str | None = None
    template_id: str | None = None
    phases: Sequence[Phase] | None = None
    priority_names: Sequence[str] | None = None
    template_names: Sequence[str] | None = None
    ended_after_ms: int | None = None
    ended_before_ms: int | None = None
    order: JobOrder = JobOrder.CREATED
    descending: bool = False
    start: int = 0
    count: int = 100


@dataclass(frozen=True, slots=True)
class Project:
    """Something that jobs are done for, and its number."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class ApiClient:
    """A program that gets tokens of the v3 dialects: for its user, or without one for itself.

    ``secret_hash`` is the SHA-256 of a secret that is random enough to need nothing slower. ``scopes`` are those it may
    have.
    """

    client_id: str
    name: str
    secret_hash: bytes
    username: str | None
    scopes: tuple[str, ...]
    created_ms: int
