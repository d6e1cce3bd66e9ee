"""Slow consumers: a peer that does not read costs memory, so it is cut; it comes back and resumes by ``seq``.

Over the hard limit a socket is cut at once; over the soft limit after some seconds; and when all sockets together hold
too much, the largest go first. Every unsent byte counts, whoever wrote it: messages, replays, pongs.
"""

import asyncio
import logging
from dataclasses import dataclass

from app.hub.session import Session

LOOK_EVERY_S = 0.25

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Unsent bytes: of one socket (``soft`` may be exceeded for ``soft_s`` seconds, ``hard`` never) and of all."""

    soft_bytes: int
    soft_s: float
    hard_bytes: int
    budget_bytes: int


class Pressure:
    """Watches the sessions whose sockets are congested; the others cost nothing. Lives on the event loop."""

    def __init__(self, limits: Limits) -> None:
        self.cut_count = 0
        self._limits = limits
        self._over_soft_since: dict[Session, float | None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, session: Session) -> None:
        """Begin to look after a session."""
        session.transport.when_congested(lambda: self._felt(session))

    def forget(self, session: Session) -> None:
        """The session has ended."""
        self._over_soft_since.pop(session, None)

    def close(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def unsent_bytes(self) -> int:
        """What all congested sockets hold together."""
        return sum(session.transport.unsent() for session in self._over_soft_since)

    def _felt(self, session: Session) -> None:
        """Something was written to a congested socket. May be called within a fan-out, so it touches no channel."""
        if session.is_closed:
            return
        self._over_soft_since.setdefault(session, None)
        if session.transport.unsent() > self._limits.hard_bytes:
            self._cut(session, "over the hard limit")
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for session in list(self._over_soft_since):
            self._judge(session, now)
        self._keep_budget()
        again = bool(self._over_soft_since)
        self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look) if again else None

    def _judge(self, session: Session, now: float) -> None:
        unsent = session.transport.unsent()
        since = self._over_soft_since[session]
        if unsent > self._limits.hard_bytes:
            self._cut(session, "over the hard limit")
        elif unsent > self._limits.soft_bytes:
            if since is None:
                self._over_soft_since[session] = now
            elif now - since >= self._limits.soft_s:
                self._cut(session, "over the soft limit for too long")
        elif session.transport.is_congested:
            self._over_soft_since[session] = None
        else:
            del self._over_soft_since[session]

    def _keep_budget(self) -> None:
        held = sorted(
            ((session.transport.unsent(), session) for session in self._over_soft_since), key=lambda pair: -pair[0]
        )
        total = sum(unsent for unsent, _ in held)
        for unsent, session in held:
            if total <= self._limits.budget_bytes:
                return
            total -= unsent
            self._cut(session, "the largest when all sockets together were over their budget")

    def _cut(self, session: Session, why: str) -> None:
        """Cut a peer, and say once who it was."""
        if self._over_soft_since.pop(session, None) is None and session.is_closed:
            return
        fields = {**session.who(), "unsent": session.transport.unsent(), "why": why}
        _log.warning("a peer that does not read was cut", extra={"fields": fields})
        self.cut_count += 1
        session.is_closed = True
        session.transport.abort()
