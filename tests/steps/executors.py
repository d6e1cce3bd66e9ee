"""An executor whose work is written in the test that uses it."""

import asyncio
from collections.abc import Awaitable, Callable

from app.domain.job import ReturnValue
from app.services.ports import Adoption, AtomicWork, StepContext
from tests.support import deadline

Work = Callable[[StepContext], Awaitable[ReturnValue | AtomicWork]]


class Scripted:
    """Does what ``work`` says; ``contexts`` are all it was given. Without ``work`` it waits until it is cancelled.

    ``note``, if given, is written down before the work begins.
    """

    def __init__(
        self,
        work: Work | None = None,
        *,
        action_type: str = "WebRequest",
        adoption: Adoption = Adoption.AGAIN,
        note: str | None = None,
    ) -> None:
        self.action_type = action_type
        self.adoption = adoption
        self.contexts: list[StepContext] = []
        self._note = note
        self._work = work or self.forever
        self._began = asyncio.Event()

    async def execute(self, context: StepContext) -> ReturnValue | AtomicWork:
        self.contexts.append(context)
        if self._note is not None:
            await context.services.note(self._note)
        self._began.set()
        return await self._work(context)

    async def began(self) -> StepContext:
        """Wait until it is at work; returns the newest context."""
        await asyncio.wait_for(self._began.wait(), deadline(1))
        return self.contexts[-1]

    @staticmethod
    async def forever(_: StepContext) -> ReturnValue:
        await asyncio.Event().wait()
        return None


class Gate:
    """Work that goes on when the test says so, and returns what the test says."""

    def __init__(self) -> None:
        self.result: asyncio.Future[ReturnValue] = asyncio.get_running_loop().create_future()

    async def __call__(self, _: StepContext) -> ReturnValue:
        return await asyncio.shield(self.result)


async def at_once(_: StepContext) -> ReturnValue:
    return 7
