"""Ends of tokens on open sockets: one heap of deadlines and one timer for all sessions."""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from app.hub.session import Session

LONGEST_SLEEP_S = 60.0
"""The timer looks again at least this often: the nodes' common clock may move against this machine's."""


class Deadlines:
    """Calls ``on_end(session)`` once a session's ``expires_ms`` has passed. Lives on the event loop.

    An entry whose session has ended, or whose deadline was moved, is skipped when it comes up.
    """

    def __init__(self, now_ms: Callable[[], int], on_end: Callable[[Session], None]) -> None:
        self._now_ms = now_ms
        self._on_end = on_end
        self._heap: list[tuple[int, int, Session]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None

    def put(self, session: Session) -> None:
        """Note the session's present deadline; also called when it has moved."""
        heappush(self._heap, (session.expires_ms, next(self._numbers), session))
        if self._heap[0][2] is session:
            self._arm()

    def close(self) -> None:
        """Stop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self.close()
        if self._heap:
            wait_s = max(0.0, (self._heap[0][0] - self._now_ms()) / 1000)
            self._timer = asyncio.get_running_loop().call_later(min(wait_s, LONGEST_SLEEP_S), self._look)

    def _look(self) -> None:
        now_ms = self._now_ms()
        while self._heap and self._heap[0][0] <= now_ms:
            deadline_ms, _, session = heappop(self._heap)
            if not session.is_closed and session.expires_ms == deadline_ms:
                self._on_end(session)
        self._arm()
