"""Tasks with an owner: each is known by name until it ends, and none outlives the owner's close unnoticed."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)


class Tasks:
    """The tasks of one owner. Who starts one may await it; an error that nobody awaits is not reported again."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # taken note of: asyncio would complain of one that was left behind by a cancelled waiter

    async def ended(self, *, within_s: float) -> None:
        """Wait until all have ended, also those started meanwhile; the log names those that are too slow."""
        end_s = asyncio.get_running_loop().time() + within_s
        while self._tasks:
            left_s = end_s - asyncio.get_running_loop().time()
            if left_s <= 0:
                names = sorted(task.get_name() for task in self._tasks)
                log.warning("not waiting any longer for: %s", ", ".join(names))
                return
            await asyncio.wait(self._tasks, timeout=left_s)
