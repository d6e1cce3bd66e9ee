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


class NodeLease:
    """Holds the lease and takes over the runs of nodes that have lost theirs.

    Args:
        lease_s: how long a lease lasts after a renewal.
        renew_s: how often it is renewed; the same beat looks for runs to take over.
        on_adopted: called with runs that were taken over, piece by piece: they are this node's from now on, whatever
            becomes of the rest of the renewal.
        on_renewed: awaited after each renewal.
        on_lost: called when other nodes have taken this node's runs: nothing it still does for them counts.
    """

    def __init__(
        self,
        store: Store,
        *,
        lease_s: float,
        renew_s: float,
        on_adopted: Callable[[Sequence[RunRecord]], None],
        on_renewed: Callable[[], Awaitable[None]],
        on_lost: Callable[[], None],
    ) -> None:
        self.node_id = new_id()
        self._store = store
        self._lease_ms = round(lease_s * 1000)
        self._renew_s = renew_s
        self._on_adopted = on_adopted
        self._on_renewed = on_renewed
        self._on_lost = on_lost
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take the lease and the runs that nobody owns any more, then keep renewing."""
        await self._store.run(self._start)
        await self._adopt()
        await self._on_renewed()
        self._task = asyncio.create_task(self._keep(), name="node lease")

    async def close(self) -> None:
        """Give the lease up: other nodes may take the runs at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        try:
            await self._store.run(lambda tx: tx.end_node(self.node_id))
        except BackendError as error:
            log.warning("the node lease was not given up; it ends by itself: %s", error)

    def _start(self, tx: Tx) -> None:
        if not self._store.is_shared:
            tx.forget_nodes()
        tx.start_node(self.node_id, tx.now_ms() + self._lease_ms)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._renew_s)
            try:
                await self.renew()
            except BackendError as error:
                log.warning("the node lease could not be renewed: %s", error)
            except Exception:
                log.exception("the node lease could not be renewed")

    async def renew(self) -> None:
        """Renew once; take over runs; start anew under another name if the lease was lost meanwhile."""
        if not await self._store.run(lambda tx: tx.renew_node(self.node_id, tx.now_ms() + self._lease_ms)):
            log.error("node %s was away too long and has lost its lease; its runs belong to others now", self.node_id)
            self._on_lost()
            self.node_id = new_id()
            await self._store.run(self._start)
        await self._adopt()
        await self._on_renewed()

    async def _adopt(self) -> None:
        while True:
            batch = await self._store.run(lambda tx: tx.adopt_runs(self.node_id, tx.now_ms(), _BATCH))
            self._on_adopted(batch)
            if len(batch) < _BATCH:
                return
