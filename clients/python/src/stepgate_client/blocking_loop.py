"""What the synchronous client runs on: an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """An event loop in a daemon thread. ``run`` may be called from any thread but that one."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stepgate client", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the work's result. A wait that is interrupted (Ctrl-C) cancels it.

        Raises RuntimeError in a closed client, and in a callback of the client itself, which would wait for ever.
        """
        if self._loop.is_closed() or threading.current_thread() is self._thread:
            work.close()
            reason = "is closed" if self._loop.is_closed() else "cannot be called from its own callbacks"
            raise RuntimeError(f"This client {reason}.")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, source: AsyncIterator[T]) -> Iterator[T]:
        """Give what an asynchronous iterator gives; ends it when the loop over it is left early."""
        try:
            while True:
                try:
                    item = self.run(_next(source))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            with suppress(RuntimeError):  # the client was closed first, which has ended it
                self.run(_end(source))

    def close(self) -> None:
        """Stop the thread. Idempotent."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


async def _next(source: AsyncIterator[T]) -> T:
    return await anext(source)


async def _end(source: AsyncIterator[Any]) -> None:
    end = getattr(source, "aclose", None) or getattr(source, "close", None)
    if end is not None:
        await end()
