"""The sweep: every two seconds, what neither this node's commits nor the bus has brought is read from the store.

It finds messages of commands that write beside the server, a last message the bus has lost, verdicts, and new access
versions. Feed rows have a global id; the node remembers the last one it has seen.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field

from app.errors import GatewayError
from app.hub.notices import HEALED_MS
from app.services.ports import AnswerRecord, FeedMessage, Item, Store, TaskEnded, Tx

PIECE = 1_000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Swept:
    """What one look has found. ``is_all`` is False when more messages are waiting than were read."""

    last_row: int
    items: list[Item]
    messages: list[FeedMessage] = field(default_factory=list)
    verdicts: list[AnswerRecord] = field(default_factory=list)
    tasks_ended: list[TaskEnded] = field(default_factory=list)
    new_item_ids: list[str] = field(default_factory=list)
    gone_item_ids: list[str] = field(default_factory=list)
    is_all: bool = True


class Sweep:
    """Looks into the store until ``run`` is cancelled."""

    def __init__(self, store: Store, every_s: float) -> None:
        self.item_ids: set[str] = set()
        self._store = store
        self._every_s = every_s
        self._last_row = 0
        self._wake = asyncio.Event()

    def look_soon(self) -> None:
        """Do not wait for the next turn: something may have been missed."""
        self._wake.set()

    async def start(self) -> Swept:
        """Begin after what is there, and return it. Raises StoreUnavailable."""
        now = await self._store.read(lambda tx: look(tx, None, ()))
        self._last_row = now.last_row
        self.item_ids = {item.item_id for item in now.items}
        return now

    async def run(self, ask: Callable[[], tuple[bool, list[int]]], take: Callable[[Swept], None]) -> None:
        """Look again and again.

        Args:
            ask: whether anybody listens to messages, and which answers are waited for.
            take: gets what was found, on the event loop.
        """
        is_all = True
        while True:
            if is_all:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every_s):  # wait_for may swallow a cancellation: gh-86296
                        await self._wake.wait()
            self._wake.clear()
            is_all = True
            try:
                is_all = await self._look(ask, take)
            except GatewayError as error:
                _log.warning("the sweep could not read", extra={"fields": {"error": str(error)}})
            except Exception:  # noqa: BLE001  (the sweep is what heals: it must go on)
                _log.exception("the sweep failed")

    async def _look(self, ask: Callable[[], tuple[bool, list[int]]], take: Callable[[Swept], None]) -> bool:
        is_heard, watched = ask()
        after = self._last_row if is_heard else None
        swept = await self._store.read(lambda tx: look(tx, after, watched))
        if is_heard or not ask()[0]:  # a channel that was opened meanwhile may have missed what lies between
            self._last_row = max(self._last_row, swept.last_row)
        found = {item.item_id for item in swept.items}
        swept.new_item_ids = sorted(found - self.item_ids)
        swept.gone_item_ids = sorted(self.item_ids - found)
        self.item_ids = found
        take(swept)
        return swept.is_all


def look(tx: Tx, after: int | None, watched: Collection[int]) -> Swept:
    """Read once.

    Args:
        tx: a read transaction.
        after: feed rows beyond this id are wanted; None: only the last id.
        watched: answers whose verdict is waited for.
    """
    if after is None:
        swept = Swept(tx.last_feed_row(), tx.items())
    else:
        rows = tx.feed_since(after, PIECE)
        swept = Swept(rows[-1][0] if rows else after, tx.items(), [message for _, message in rows])
        swept.is_all = len(rows) < PIECE
    swept.tasks_ended = tx.ended_item_tasks(tx.now_ms() - HEALED_MS)
    found = (tx.answer(answer_id) for answer_id in watched)
    swept.verdicts = [answer for answer in found if answer is not None and answer.stage != "stored"]
    return swept
