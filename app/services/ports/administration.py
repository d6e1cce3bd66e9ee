"""Records of the administration of items: work done in the background, what became of it, and the item's log."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.job import Content


class TaskKind(StrEnum):
    """What is done in the background."""

    EXPORT = "export"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class ItemTask:
    """Background work that a node has taken. ``body`` is what the work needs to know, sealed; ``tries`` counts the
    nodes that have taken it, this one too."""

    key: int
    org_id: str
    item_id: str
    task_id: str
    kind: TaskKind
    username: str
    body: bytes
    tries: int


@dataclass(frozen=True, slots=True)
class TaskState:
    """Background work as who has asked for it sees it.

    ``ended_ms`` None: it is not done yet. ``problem``: it failed, and why. An export that has succeeded has its file in
    ``content``, and ``mapping``.
    """

    kind: TaskKind
    ended_ms: int | None
    problem: str | None = None
    content: Content | None = None
    mapping: bytes | None = None


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """Background work has ended: what the sockets of its item are told. ``key`` is its own for good."""

    key: int
    item_id: str
    task_id: str
    kind: TaskKind
    username: str
    problem: str | None = None


class LogLevel(StrEnum):
    """How bad it is."""

    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line of an item's log (rest.md 13.3)."""

    level: LogLevel
    message: str
    at_ms: int
    username: str
    job_id: str | None = None
    step_id: str | None = None
