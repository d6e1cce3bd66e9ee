"""One task that does what is due, sleeps until the next is, and is woken when there may be something earlier."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from app.errors import BackendError

log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Look again after so long when it failed."""


LONGEST_SLEEP_S = 5.0
"""Look again after so long even if nothing is due: another node may have set something earlier, or have died with what
it had taken, and a clock may have been set."""


def sleep_s(next_ms: int | None, now_ms: int) -> float:
    """How many seconds to sleep when the next row is due at ``next_ms`` (None: there is none); 0: it is due now."""
    if next_ms is None:
        return LONGEST_SLEEP_S
    return min(max(next_ms - now_ms, 0) / 1000, LONGEST_SLEEP_S)


class Watch:
    """Looks at rows that become due.

    Args:
        name: of the task, and of the rows in the log.
        look: does what is due; returns how many seconds to sleep, None: until something has changed. What it raises is
            logged, and it is called again.
    """

    def __init__(self, name: str, look: Callable[[], Awaitable[float | None]]) -> None:
        self._name = name
        self._look = look
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def changed(self) -> None:
        """There may be something to do sooner now."""
        self._changed.set()

    async def _run(self) -> None:
        while True:
            self._changed.clear()  # before it looks: what changes meanwhile is looked at again
            try:
                pause_s = await self._look()
            except BackendError as error:
                log.warning("%s wait: %s", self._name, error)
                pause_s = RETRY_S
            except Exception:
                log.exception("the %s could not be read", self._name)
                pause_s = RETRY_S
            try:
                async with asyncio.timeout(pause_s):
                    await self._changed.wait()
            except TimeoutError:
                pass
