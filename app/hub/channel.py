"""A channel: the messages of one job on this node, put in order, and the sessions that get them.

Commits of one job arrive out of order (several threads, several nodes) and more than once (the node's own publish, the
bus, the sweep). ``offer`` lets each message through exactly once, in the order of ``seq``.
"""

from collections import deque
from dataclasses import dataclass

from app.hub.frames import Frame
from app.hub.session import Session

RING_MESSAGES = 128
RING_BYTES = 128 * 1024
MAX_AHEAD = 1_024
"""Messages held back while one before them is missing. Beyond it they are dropped: the store has them all."""


@dataclass(frozen=True, slots=True)
class Since:
    """What a client says it has: everything up to ``seq``, counted in ``epoch``."""

    seq: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Waiter:
    """A session that waits for the state of a job.

    ``position`` is the seq up to which this very socket has had the job's messages, when it was subscribed already.
    """

    session: Session
    since: Since | None = None
    sender_id: str | None = None
    position: int | None = None


class Channel:
    """Not thread-safe; lives on the event loop. ``last`` is the seq of the last message let through, None at first."""

    __slots__ = (
        "_ahead",
        "_ring_bytes",
        "item_id",
        "job_id",
        "last",
        "org_id",
        "pending",
        "ring",
        "sessions",
        "waiters",
    )

    def __init__(self, org_id: str, item_id: str, job_id: str) -> None:
        self.org_id = org_id
        self.item_id = item_id
        self.job_id = job_id
        self.last: int | None = None
        self.sessions: set[Session] = set()
        self.waiters: list[Waiter] = []
        self.pending: list[Frame] = []
        self.ring: deque[Frame] = deque()
        self._ring_bytes = 0
        self._ahead: dict[int, Frame] = {}

    @property
    def name(self) -> str:
        return job_channel(self.item_id, self.job_id)

    @property
    def is_unused(self) -> bool:
        return not self.sessions and not self.waiters

    @property
    def has_gap(self) -> bool:
        """Messages wait for one before them that has not come."""
        return self.last is not None and bool(self._ahead)

    def start(self, seq: int) -> list[Frame]:
        """Begin after ``seq``, the end of the state that was just read; returns what had come early and is due now."""
        if self.last is None:
            self.last = seq
            self._ahead = {number: frame for number, frame in self._ahead.items() if number > seq}
        return self._take_ahead()

    def is_news(self, seq: int) -> bool:
        """Tell whether a message has neither been let through nor come early."""
        return (self.last is None or seq > self.last) and seq not in self._ahead

    def offer(self, frame: Frame) -> list[Frame]:
        """Take a message; returns those that are due now, in order. Old ones and repeats are dropped."""
        if not self.is_news(frame.seq):
            return []
        if self.last is None or frame.seq != self.last + 1:
            if len(self._ahead) >= MAX_AHEAD:
                self._ahead.clear()
            self._ahead[frame.seq] = frame
            return []
        self._pass(frame)
        return [frame, *self._take_ahead()]

    def after(self, seq: int) -> list[Frame] | None:
        """Messages let through after ``seq``, as far as the ring goes; None when it does not go back that far."""
        if self.last is None or seq > self.last:
            return None
        missing = self.last - seq
        if missing > len(self.ring):
            return None
        return list(self.ring)[len(self.ring) - missing :] if missing else []

    def _take_ahead(self) -> list[Frame]:
        due = []
        while self.last is not None and (frame := self._ahead.pop(self.last + 1, None)) is not None:
            self._pass(frame)
            due.append(frame)
        return due

    def _pass(self, frame: Frame) -> None:
        self.last = frame.seq
        self.ring.append(frame)
        self._ring_bytes += len(frame.full)
        while len(self.ring) > RING_MESSAGES or self._ring_bytes > RING_BYTES:
            self._ring_bytes -= len(self.ring.popleft().full)


def job_channel(item_id: str, job_id: str) -> str:
    """The bus's name for a job's messages."""
    return f"job:{item_id}:{job_id}"


def item_channel(item_id: str) -> str:
    """The bus's name for what concerns an item: verdicts on answers, changes of access."""
    return f"item:{item_id}"
