"""Progress of a run, thinned out: subscribers are told at most once in a while, and always of the newest."""

import asyncio
from collections.abc import Callable

EVERY_S = 1.0
"""At most one ``StepProgress`` a second and run (design.md section 6)."""


class Progress:
    """What an executor calls, as often as it likes, on the event loop.

    The first report is told at once. Of those that follow too soon the newest is told when its time has come; the
    others are dropped.

    Args:
        tell: starts the telling and returns at once.
    """

    def __init__(self, tell: Callable[[str, str], None], *, every_s: float = EVERY_S) -> None:
        self._tell = tell
        self._every_s = every_s
        self._newest: tuple[str, str] | None = None
        self._pause: asyncio.TimerHandle | None = None

    def __call__(self, msg: str, msg_code: str) -> None:
        self._newest = (msg, msg_code)
        if self._pause is None:
            self._tell_newest()

    def _tell_newest(self) -> None:
        self._pause = None
        if self._newest is not None:
            told, self._newest = self._newest, None
            self._pause = asyncio.get_running_loop().call_later(self._every_s, self._tell_newest)
            self._tell(*told)

    def close(self) -> None:
        """The run is over: what has not been told is of no interest any more."""
        self._newest = None
        if self._pause is not None:
            self._pause.cancel()
