"""A bus within one process: the default, and what tests connect several nodes with."""

import asyncio
import logging
from collections.abc import Callable, Collection

from app.services.ports import BusStats

_log = logging.getLogger(__name__)


class Exchange:
    """What several ``MemoryBus`` of one event loop have in common: channel names and who listens."""

    def __init__(self) -> None:
        self.listeners: dict[str, set[MemoryBus]] = {}


class MemoryBus:
    """A ``Bus`` (see ``services/ports``) without a server. Loses nothing and keeps the order of each publisher.

    A message reaches a subscriber's handler in a later turn of the event loop, as it would over a network.
    """

    def __init__(self, exchange: Exchange | None = None) -> None:
        self._exchange = exchange or Exchange()
        self._handler: Callable[[str, bytes], None] | None = None
        self._channels: set[str] = set()

    async def open(
        self,
        handler: Callable[[str, bytes], None],
        heard: Callable[[Collection[str]], None] | None = None,  # noqa: ARG002  (a channel is heard at once, and always)
    ) -> None:
        """Start to hand messages to ``handler``."""
        self._handler = handler

    async def close(self) -> None:
        """Hear and say nothing any more. Idempotent."""
        self._handler = None
        for channel in tuple(self._channels):
            self.unsubscribe(channel)

    def publish(self, channel: str, payload: bytes) -> None:
        """Queue a message for everybody who is subscribed now, the publisher included."""
        if self._handler is None:
            return
        loop = asyncio.get_running_loop()
        for listener in self._exchange.listeners.get(channel, ()):
            loop.call_soon(listener.deliver, channel, payload)

    @property
    def stats(self) -> BusStats:
        """There is nothing to count: what is published arrives."""
        return BusStats()

    def subscribe(self, channel: str) -> bool:
        """Hear what is published on a channel from now on. Idempotent."""
        self._channels.add(channel)
        self._exchange.listeners.setdefault(channel, set()).add(self)
        return False

    def unsubscribe(self, channel: str) -> None:
        """Stop hearing a channel. Idempotent."""
        self._channels.discard(channel)
        listeners = self._exchange.listeners.get(channel, set())
        listeners.discard(self)
        if not listeners:
            self._exchange.listeners.pop(channel, None)

    def deliver(self, channel: str, payload: bytes) -> None:
        """Hand a message to the handler, unless the channel was left meanwhile."""
        if self._handler is None or channel not in self._channels:
            return
        try:
            self._handler(channel, payload)
        except Exception:  # noqa: BLE001  (one bad message must not end the delivery of the others)
            _log.exception("a message of the bus could not be handled", extra={"fields": {"channel": channel}})
