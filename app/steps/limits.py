"""So many at once: runs of one template, steps at one host. What is beyond waits its turn, in the order it came.

The numbers are those of one process. A key has its own line, so a template with thousands of runs, or a host that does
not answer, keeps nobody else waiting.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager

from prometheus_client import Gauge

from app.observability import METRICS
from app.protocol.codes import MsgCode
from app.services.ports import StepContext

_RUNNING = Gauge(
    "stepgate_service_steps_running",
    "Service steps that are at work, by what limits them.",
    ["limit"],
    registry=METRICS,
)
_WAITING = Gauge(
    "stepgate_service_steps_waiting", "Service steps that wait their turn, by what limits them.", ["limit"],
    registry=METRICS,
)  # fmt: skip


class _Line:
    """One key: how many are at work, and who waits."""

    def __init__(self) -> None:
        self.working = 0
        self.waiting: deque[asyncio.Future[None]] = deque()


class FairLimit:
    """At most ``at_once`` of each key.

    Args:
        name: ``template`` or ``host``: the label of the metrics.
    """

    def __init__(self, name: str, at_once: int) -> None:
        self._at_once = at_once
        self._lines: dict[Hashable, _Line] = {}
        self._running = _RUNNING.labels(name)
        self._waiting = _WAITING.labels(name)

    @asynccontextmanager
    async def turn(self, key: Hashable, on_wait: Callable[[], None]) -> AsyncIterator[None]:
        """Hold a place for the block. ``on_wait`` is called if there is none at once. May be cancelled at any time."""
        line = self._lines.setdefault(key, _Line())
        if line.working < self._at_once:
            line.working += 1
        else:
            on_wait()
            await self._wait(key, line)
        try:
            with self._running.track_inprogress():
                yield
        finally:
            self._leave(key, line)

    async def _wait(self, key: Hashable, line: _Line) -> None:
        """Wait for a place; the one who leaves hands it over, so nobody who came later is quicker."""
        called = asyncio.get_running_loop().create_future()
        line.waiting.append(called)
        try:
            with self._waiting.track_inprogress():
                await called
        except asyncio.CancelledError:
            if not called.cancelled():  # the place was handed over in the very moment of the cancellation
                self._leave(key, line)
            raise  # one that is cancelled stays in line, and is passed over when its turn comes

    def _leave(self, key: Hashable, line: _Line) -> None:
        while line.waiting:
            called = line.waiting.popleft()
            if not called.done():
                called.set_result(None)
                return
        line.working -= 1
        if not line.working:
            del self._lines[key]


@asynccontextmanager
async def in_turn(limit: FairLimit, key: Hashable, context: StepContext, others: str) -> AsyncIterator[None]:
    """Hold a place for a step. If it must wait its subscribers hear of it, for whom it waits, and when that is over."""
    has_waited = False

    def wait() -> None:
        nonlocal has_waited
        has_waited = True
        context.progress(f"The step waits for {others}, and starts as soon as they let it", MsgCode.QUEUED)

    async with limit.turn(key, wait):
        if has_waited:
            context.progress("The step is running", MsgCode.EXECUTING)
        yield
