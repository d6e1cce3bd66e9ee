"""Sends dispatches, from the commit that has made them until they are sent, or given up and said to be.

Dispatches are rows; this node sleeps until the next one is due, and claims it. A claim holds while its node has its
lease. One whose sender must not send twice, and that a dead process had begun, is given up: it may have been sent.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from app.errors import BackendError, StepError
from app.services import dispatches
from app.services.engine import ItemGone
from app.services.ports import Dispatch, DispatchSender, Store, Tx
from app.steps.calls import ServerCalls
from app.steps.services import ItemServices
from app.steps.tasks import Tasks
from app.steps.watch import RETRY_S, Watch, sleep_s

log = logging.getLogger(__name__)

AT_ONCE = 16
"""So many of each kind are being sent at the same time by one process."""

PAUSES_S: Sequence[float] = (10, 60, 300, 1_800, 7_200)
"""Before the second try, the third, and so on; after the last one it is given up."""

_UNKNOWN = "The server stopped while it was sent; it may have arrived."


class _NotOurs(Exception):
    """Another node has it now."""


class Dispatcher:
    """Watches the rows and sends what is due.

    Args:
        node_id: tells this node's present name.
        tasks: the owner of the tasks that send; it waits for them at its end.
    """

    def __init__(
        self,
        store: Store,
        calls: ServerCalls,
        senders: Sequence[DispatchSender],
        tasks: Tasks,
        *,
        node_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._calls = calls
        self._senders = {sender.kind: sender for sender in senders}
        self._tasks = tasks
        self._node_id = node_id
        self._pauses_s = PAUSES_S
        self._sending: dict[asyncio.Task[None], _Services] = {}
        self._watch = Watch("dispatches", self._begin_due)

    def open(self) -> None:
        self._watch.open()

    async def close(self) -> None:
        """Begin nothing more. What is past its point of no return goes on; the rest is for the next start."""
        await self._watch.close()
        for task, services in self._sending.items():
            if not services.has_noted:
                task.cancel()

    def changed(self) -> None:
        """There may be something to send now."""
        self._watch.changed()

    # ------------------------------------------------------------ watching

    async def _begin_due(self) -> float | None:
        """Begin what is due; returns how many seconds to sleep, None: until something has changed."""
        rooms = self._rooms()
        if not rooms:
            return None
        next_ms = await self._store.read(lambda tx: tx.next_dispatch_ms(list(rooms)))
        pause_s = sleep_s(next_ms, self._store.now_ms())
        if pause_s > 0:
            return pause_s
        node_id = self._node_id()

        def claim(tx: Tx) -> list[Dispatch]:
            return [
                each for kind, room in rooms.items() for each in tx.claim_dispatches(node_id, kind, tx.now_ms(), room)
            ]

        claimed = await self._store.run(claim)
        for dispatch in claimed:
            self._begin(dispatch, node_id)
        return 0 if claimed else RETRY_S

    def _rooms(self) -> dict[str, int]:
        """How many more of each kind may be sent now, of the kinds that have room: web servers that do not answer keep
        no e-mail waiting."""
        sending = Counter(services.kind for services in self._sending.values())
        return {kind: AT_ONCE - sending[kind] for kind in self._senders if sending[kind] < AT_ONCE}

    def _begin(self, dispatch: Dispatch, node_id: str) -> None:
        services = _Services(self._calls, dispatch, node_id)
        task = self._tasks.start(self._carry_out(dispatch, services), f"dispatch {dispatch.dispatch_id}")
        self._sending[task] = services
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[None]") -> None:
        del self._sending[task]
        self._watch.changed()

    # ------------------------------------------------------------ sending

    async def _carry_out(self, dispatch: Dispatch, services: "_Services") -> None:
        try:
            await self._send(dispatch, services)
        except _NotOurs:
            log.info("dispatch %d was taken by another node", dispatch.dispatch_id)
        except BackendError as error:
            log.warning("dispatch %d is left to the next start: %s", dispatch.dispatch_id, error)
        except ItemGone:
            log.info("dispatch %d ends with its workflow item", dispatch.dispatch_id)
        except Exception:
            log.exception("dispatch %d (%s) could not be ended", dispatch.dispatch_id, dispatch.title)

    async def _send(self, dispatch: Dispatch, services: "_Services") -> None:
        if dispatch.begun:
            await self._end(dispatch, services, f"It is not known whether {dispatch.title} was sent. {_UNKNOWN}")
            return
        try:
            missed = await self._senders[dispatch.kind].send(dispatch, services)
        except (_NotOurs, BackendError, ItemGone):
            raise
        except StepError as error:
            await self._failed(dispatch, services, str(error), is_passing=getattr(error, "is_passing", False))
        except Exception:
            log.exception("the sender of dispatch %d failed", dispatch.dispatch_id)
            await self._failed(dispatch, services, "The server's log says why.", is_passing=not services.has_noted)
        else:
            await self._end(dispatch, services, missed)

    async def _failed(self, dispatch: Dispatch, services: "_Services", text: str, *, is_passing: bool) -> None:
        """Try again later, or give it up."""
        tries = dispatch.tries
        if not is_passing or tries > len(self._pauses_s):
            await self._end(dispatch, services, f"The server gave up {dispatch.title}, after {_times(tries)}. {text}")
            return
        pause_s = self._pauses_s[tries - 1]
        log.warning("job %s: %s waits %g s: %s", dispatch.job_id, dispatch.title, pause_s, text)
        await services.write(
            lambda unit: unit.tx.put_dispatch_back(
                dispatch.dispatch_id, services.node_id, unit.now_ms + round(pause_s * 1000)
            )
        )

    async def _end(self, dispatch: Dispatch, services: "_Services", problem: str | None) -> None:
        if problem is not None:
            log.warning("job %s: %s", dispatch.job_id, problem)
        await services.write(partial(dispatches.end, dispatch=dispatch, node_id=services.node_id, problem=problem))


class _Services(ItemServices):
    """The services of one dispatch: its note is that it may have had its effect."""

    def __init__(self, calls: ServerCalls, dispatch: Dispatch, node_id: str) -> None:
        super().__init__(calls, dispatch.item_id)
        self._dispatch_id = dispatch.dispatch_id
        self.kind = dispatch.kind
        self.node_id = node_id

    async def note(self, note: str) -> None:  # noqa: ARG002 - as the port wants it
        self.has_noted = True  # from here on nobody cancels it
        if not await self.write(lambda unit: unit.tx.begin_dispatch(self._dispatch_id, self.node_id)):
            raise _NotOurs


def _times(tries: int) -> str:
    return "one try" if tries == 1 else f"{tries} tries"
