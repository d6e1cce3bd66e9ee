"""A use case on its way through a database thread, and back to the event loop that waits for it."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, final

from app.errors import StoreUnavailable

UseCase = Callable[[Any], Any]


@final
class Call:
    """One use case: what to run, and where its outcome goes. Made on the loop; the database thread sets the outcome."""

    __slots__ = ("_after_commit", "command_id", "error", "future", "result", "use_case")

    def __init__(
        self,
        use_case: UseCase,
        command_id: str,
        after_commit: Callable[[Any], None] | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.use_case = use_case
        self.command_id = command_id
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None
        self._after_commit = after_commit

    def deliver(self) -> None:
        """Hand the outcome over; on the loop. What was committed is followed up, whether or not somebody waits."""
        if self.error is None and self._after_commit is not None:
            self._follow_up(self._after_commit)
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(_raisable(self.error))

    def _follow_up(self, after_commit: Callable[[Any], None]) -> None:
        """A fault here must not make a committed use case look like one that failed."""
        try:
            after_commit(self.result)
        except Exception as error:  # noqa: BLE001 - reported to the loop's handler, which logs it
            context = {"message": "after_commit of a committed use case failed", "exception": error}
            self.future.get_loop().call_exception_handler(context)


@final
class Gate:
    """Lets in calls up to a limit, so that a store that is too slow answers at once instead of hoarding.

    Belongs to the event loop: no method is called from another thread.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0
        self._is_open = False

    def open(self) -> None:
        self._is_open = True

    def close(self) -> bool:
        """Let nobody in any more; returns False when it was closed already."""
        was_open, self._is_open = self._is_open, False
        return was_open

    def enter(self) -> None:
        """Raises StoreUnavailable when the store is closed or too many wait already."""
        if not self._is_open:
            raise StoreUnavailable("The store is not open.")
        if self._inside >= self._limit:
            raise StoreUnavailable(f"{self._limit} transactions are waiting for the database; try again in a moment.")
        self._inside += 1

    def leave(self, count: int = 1) -> None:
        self._inside -= count

    @property
    def inside(self) -> int:
        """Calls that were let in and have not left."""
        return self._inside


def deliver(calls: Iterable[Call]) -> None:
    """Hand over the outcomes of a batch, in commit order; on the loop."""
    for call in calls:
        call.deliver()


def _raisable(error: BaseException) -> BaseException:
    """A future refuses StopIteration; as the body of a generator does, make a RuntimeError of it."""
    if not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError("a use case raised StopIteration")
    wrapped.__cause__ = error
    return wrapped
