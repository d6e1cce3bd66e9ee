"""Ends holds when their time has come. Timers are rows; this node sleeps until the next one is due, and claims it.

A claim holds while its node has its lease. The timers of a node that is gone are claimed by another, as its runs are.
"""

import logging
from collections.abc import Awaitable, Callable

from app.services.engine import ItemGone
from app.services.ports import Store, Timer
from app.steps.watch import RETRY_S, Watch, sleep_s

log = logging.getLogger(__name__)

_TAKEN_S = 0.05
"""Look again after so long when another node is just taking what is due."""

_BATCH = 100


class Timers:
    """Watches the timer rows.

    Args:
        node_id: tells this node's present name.
        on_due: ends the hold of a timer, in its own transaction. Idempotent: a node that has lost its lease may not
            know it yet.
    """

    def __init__(self, store: Store, node_id: Callable[[], str], on_due: Callable[[Timer], Awaitable[None]]) -> None:
        self._store = store
        self._node_id = node_id
        self._on_due = on_due
        self._failing = 0
        self._watch = Watch("timers", self._fire_due)

    def open(self) -> None:
        self._watch.open()

    async def close(self) -> None:
        await self._watch.close()

    def changed(self) -> None:
        """The next timer may be an earlier one now."""
        self._watch.changed()

    async def _fire_due(self) -> float:
        """Fire what is due; returns how many seconds to sleep."""
        node_id = self._node_id()
        next_ms = await self._store.read(lambda tx: tx.next_timer_ms(node_id))
        pause_s = sleep_s(next_ms, self._store.now_ms())
        if pause_s > 0:
            return pause_s
        limit = _BATCH + self._failing  # those that keep failing come first each time, and must not hide the others
        due = await self._store.run(lambda tx: tx.claim_timers(node_id, tx.now_ms(), limit))
        failed = [timer for timer in due if not await self._fire(timer)]
        self._failing = len(failed)
        if failed:
            return RETRY_S
        return 0 if due else _TAKEN_S

    async def _fire(self, timer: Timer) -> bool:
        try:
            await self._on_due(timer)
        except ItemGone:
            return False  # it is removed soon, and this timer with it
        except Exception:
            log.exception("the hold %s of job %s could not be ended", timer.hold_id, timer.job_id)
            return False
        return True
