"""Errands between nodes over the bus: each node hears its own channel and may speak on any other's."""

from collections.abc import Callable, Collection

from app.hub.payload import encode_payload
from app.services.ports import Bus, Errand


def node_channel(node_id: str) -> str:
    """Name of a node's channel on the bus."""
    return f"node:{node_id}"


class NodePost:
    """Contract: ``app.services.ports.Post``. The bus's handler gives it what arrives."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._channel: str | None = None
        self._take: Callable[[Errand], None] | None = None

    def listen(self, node_id: str, take: Callable[[Errand], None]) -> None:
        if self._channel is not None:
            self._bus.unsubscribe(self._channel)
        self._channel, self._take = node_channel(node_id), take
        self._bus.subscribe(self._channel)

    def send(self, node_id: str, errand: Errand) -> None:
        self._bus.publish(node_channel(node_id), encode_payload(errand))

    def arrived(self, errand: Errand) -> None:
        """An errand for this node has come over the bus."""
        if self._take is not None:
            self._take(errand)

    def heard(self, channels: Collection[str]) -> None:
        """The bus hears these channels (again). What was sent to this node before may be lost, and who has ended since
        was not heard of: looking for orphans finds both."""
        if self._channel in channels:
            self.arrived(Errand(orphans=True))
