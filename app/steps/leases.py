"""This node's lease on the runs it owns: one row per process start, renewed while the process lives.

When a lease is over, other nodes take the runs (``fence + 1``), and a result under the old fencing number is refused.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from app.errors import BackendError
from app.services.engine import new_id
from app.services.ports import RunRecord, Store, Tx

log = logging.getLogger(__name__)

_BATCH = 100

_RETRY_S = 1.0
"""How soon a renewal that failed is tried again, where renewals are further apart."""


class NodeLease:
    """Holds the lease and takes over the runs of nodes that have lost theirs.

    Two tasks: one renews and does nothing else, so that nothing delays it; the other looks for runs to take over, and
    for what this node has to do, after each renewal.

    Args:
        lease_s: how long a lease lasts after a renewal.
        renew_s: how often it is renewed.
        on_named: called with this node's name before it is known to others: at ``open``, and when it starts anew.
        on_adopted: called with runs that were taken over, piece by piece: they are this node's from now on, whatever
            becomes of the rest of the look.
        on_renewed: awaited after each renewal, and whenever runs may have been taken over.
        on_lost: called when other nodes have taken this node's runs: nothing it still does for them counts.
    """

    def __init__(
        self,
        store: Store,
        *,
        lease_s: float,
        renew_s: float,
        on_named: Callable[[str], None],
        on_adopted: Callable[[Sequence[RunRecord]], None],
        on_renewed: Callable[[], Awaitable[None]],
        on_lost: Callable[[], None],
    ) -> None:
        self.node_id = new_id()
        self._store = store
        self._lease_s = lease_s
        self._renew_s = renew_s
        self._on_named = on_named
        self._on_adopted = on_adopted
        self._on_renewed = on_renewed
        self._on_lost = on_lost
        self._is_due = asyncio.Event()
        self._was_late = False
        self._renewed_s = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Take the lease and the runs that nobody owns any more, then keep renewing."""
        await self._start()
        await self._look()
        self._tasks = [
            asyncio.create_task(self._keep(), name="node lease"),
            asyncio.create_task(self._keep_looking(), name="node runs"),
        ]

    async def close(self) -> list[str]:
        """Give the lease up: other nodes may take the runs at once. Returns the names of those there are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        try:
            return await self._store.run(self._end)
        except BackendError as error:
            log.warning("the node lease was not given up; it ends by itself: %s", error)
            return []

    def look_for_orphans(self) -> None:
        """Look for runs now, not only after the next renewal: some node has given up its lease, or may have."""
        self._is_due.set()

    async def _start(self) -> None:
        """Take a lease under this node's name."""
        self._on_named(self.node_id)

        def start(tx: Tx) -> None:
            if not self._store.is_shared:
                tx.forget_nodes()
            tx.start_node(self.node_id, self._until_ms(tx))

        began_s = _now_s()
        await self._store.run(start)
        self._renewed_s = began_s

    def _end(self, tx: Tx) -> list[str]:
        tx.end_node(self.node_id)
        return tx.nodes()

    def _until_ms(self, tx: Tx) -> int:
        return tx.now_ms() + round(self._lease_s * 1000)

    async def _keep(self) -> None:
        pause_s = self._renew_s
        while True:
            await asyncio.sleep(pause_s)
            is_renewed = await _logged(self._renew(), "the node lease could not be renewed")
            pause_s = self._renew_s if is_renewed else min(self._renew_s, _RETRY_S)

    async def _renew(self) -> None:
        """Renew once; start anew under another name if the lease was lost meanwhile."""
        began_s = _now_s()
        self._was_late = began_s - self._renewed_s > self._lease_s
        if await self._store.run(lambda tx: tx.renew_node(self.node_id, self._until_ms(tx))):
            self._renewed_s = began_s
        else:
            log.error("node %s was away too long and has lost its lease; its runs belong to others now", self.node_id)
            self._on_lost()
            self.node_id = new_id()
            await self._start()
        self._is_due.set()

    async def _keep_looking(self) -> None:
        while True:
            await self._is_due.wait()
            self._is_due.clear()
            await _logged(self._look(), "runs could not be looked for")

    async def _look(self) -> None:
        """Take over runs, and see what this node has to do.

        A node that itself renewed too late takes nothing from others this time. Mostly it is the database that was
        away, for all of them alike; the first to be back would take everything from nodes that are well.
        """
        if not self._was_late:
            await self._adopt()
        await self._on_renewed()

    async def _adopt(self) -> None:
        while True:
            batch = await self._store.run(lambda tx: tx.adopt_runs(self.node_id, tx.now_ms(), _BATCH))
            self._on_adopted(batch)
            if len(batch) < _BATCH:
                return


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def _logged(work: Awaitable[None], trouble: str) -> bool:
    """Do something that is tried again later; tells whether it went well."""
    try:
        await work
    except BackendError as error:
        log.warning("%s: %s", trouble, error)
    except Exception:
        log.exception(trouble)
    else:
        return True
    return False
