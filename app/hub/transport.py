"""What the hub needs of a socket. ``tests/contracts/test_transport.py`` holds every implementation to it."""

from collections.abc import Callable
from typing import Protocol


class Transport(Protocol):
    """One open websocket, written to without waiting. All methods are called on the event loop and never raise."""

    def write(self, frames: bytes) -> None:
        """Queue whole frames (``frames.text_frame``), sent in order. Does nothing once the socket is closing."""

    def close(self, code: int, reason: str) -> None:
        """Send a close frame after what was written; a peer that does not answer it is cut after some seconds.

        Idempotent: the first call's code is the one that counts."""

    def abort(self) -> None:
        """Cut the connection now; what was not sent is lost. Idempotent."""

    def unsent(self) -> int:
        """Bytes written that the operating system has not taken yet."""

    @property
    def is_congested(self) -> bool:
        """The peer does not keep up: there is more unsent than a socket usually holds (64 KiB)."""

    def when_congested(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever something was written while (or by which) the peer is congested."""

    async def drained(self) -> None:
        """Return when the transport is not congested, or closed."""
