"""Finds what a piece of code leaves behind: tasks of the running loop, file descriptors, threads."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.deadlines import POLL_S, deadline

LOOPS_OWN = "asyncio_"
"""Threads of the loop's own pool (``asyncio.to_thread``): the loop ends them, and how many there are is a race, for it
makes another one whenever the last has handed over its result but not yet come to rest."""


@dataclass(frozen=True, slots=True)
class Leaks:
    """What is open at one moment. Descriptors are ``"3 -> socket:[123]"``, tasks and threads their names."""

    tasks: frozenset[str]
    descriptors: frozenset[str]
    threads: frozenset[str]

    @classmethod
    def now(cls) -> Self:
        """Look at this process and the running event loop, after collecting garbage."""
        gc.collect()
        tasks = frozenset(task.get_name() for task in asyncio.all_tasks() if not task.done())
        return cls(tasks, _descriptors(), frozenset(name for name in _threads() if not name.startswith(LOOPS_OWN)))

    def since(self, before: "Leaks") -> "Leaks":
        """Return what is open here and was not open in ``before``."""
        return Leaks(self.tasks - before.tasks, self.descriptors - before.descriptors, self.threads - before.threads)

    def __bool__(self) -> bool:
        """Tell whether anything is open."""
        return bool(self.tasks or self.descriptors or self.threads)


@asynccontextmanager
async def no_leaks() -> AsyncIterator[None]:
    """Fail when the block leaves a task, descriptor or thread open that was not open before it.

    Closing takes some turns of the loop, so the block has a deadline (expected time: 0.5 s) to settle. Pools that the
    block merely warms up count too: run it once before, then measure.

    Raises:
        AssertionError: names all that is still open.
    """
    before = Leaks.now()
    yield
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline(0.5)
    while left := Leaks.now().since(before):
        if loop.time() > end:
            raise AssertionError(f"still open: {left}")
        await asyncio.sleep(POLL_S)


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def _descriptors() -> frozenset[str]:
    """List this process's open descriptors with what they point to; the listing's own is already closed."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{entry.name} -> {entry.readlink()}")
        except FileNotFoundError:
            continue
    return frozenset(found)
