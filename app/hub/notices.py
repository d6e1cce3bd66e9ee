"""What concerns a whole item and is told to all its sockets on this node: each thing once, whoever brings it.

Such a message has no number, for it belongs to no job's feed. It comes from this node's own commit, from the bus, and
from the sweep, which reads what has ended lately.
"""

from collections.abc import Mapping
from typing import Final

from app.hub.session import Session
from app.protocol.notifications import Body, ExportCompleted, ExportFailed, ImportCompleted, ImportFailed
from app.services.ports import TaskEnded, TaskKind

HEALED_MS: Final = 60_000
"""How long ago something may have ended for the sweep to tell it."""

_MOST: Final = 10_000
"""Keys of what was told that are remembered: far more than end within ``HEALED_MS``."""


class Notices:
    """Tells each ending once. Lives on the event loop."""

    def __init__(self, sessions: Mapping[str, set[Session]]) -> None:
        self._sessions = sessions
        self._told: dict[int, None] = {}

    def know(self, ended: TaskEnded) -> bool:
        """Take note of an ending, without telling it. False: it was known."""
        if ended.key in self._told:
            return False
        self._told[ended.key] = None
        if len(self._told) > _MOST:
            del self._told[next(iter(self._told))]
        return True

    def tell(self, ended: TaskEnded, now_ms: int) -> None:
        """Tell all sockets of the item, unless they were told. Why it failed is for who has asked."""
        if not self.know(ended):
            return
        full = body_of(ended, ended.problem)
        short = body_of(ended, ended.problem and f"The {ended.kind} failed.")
        for session in list(self._sessions.get(ended.item_id, ())):
            session.tell(full if session.username == ended.username else short, now_ms)


def body_of(ended: TaskEnded, problem: str | None) -> Body:
    """The message (websocket.md 3.17, 3.18)."""
    if ended.kind is TaskKind.EXPORT:
        if problem is None:
            return ExportCompleted(item_id=ended.item_id, export_id=ended.task_id)
        return ExportFailed(item_id=ended.item_id, export_id=ended.task_id, msg=problem)
    if problem is None:
        return ImportCompleted(item_id=ended.item_id)
    return ImportFailed(item_id=ended.item_id, msg=problem)
