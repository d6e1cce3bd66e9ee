"""uvicorn's websocket protocol with one raw path: ready frames go straight to the TCP transport.

``scope["extensions"]["stepgate.raw"]["transport"]`` is a ``Transport`` (``app/hub/transport.py``) for the socket. Whole
frames are legal between uvicorn's own, which writes whole frames as well (pings, pongs, close). The raw path needs
guards that ASGI's ``send`` has: nothing may follow a close frame, and a closing transport takes nothing any more.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

EXTENSION = "stepgate.raw"

UNACKNOWLEDGED_MS = 30_000
"""After so long without a TCP acknowledgement the kernel gives a connection up (TCP_USER_TIMEOUT)."""


class RawFrameProtocol(WebSocketsSansIOProtocol):
    """For ``uvicorn.run(ws=RawFrameProtocol)``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.raw = RawTransport(self)
        # Its lines show the query string, which may hold a token; the access log of the application replaces them.
        self.logger = _without_addresses(self.logger)
        # At DEBUG the library below would log request lines, headers and frames: tokens again.
        self.conn.debug = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the kernel notice peers that are gone without a word."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)

    async def run_asgi(self) -> None:
        """Offer the raw path to the application."""
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[EXTENSION] = {"transport": self.raw}
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """Send as uvicorn does; a refused handshake then counts as complete, or uvicorn would log an error for it."""
        await super().send(message)
        if self.close_sent:
            self.handshake_complete = True
            self.raw.shut()
        elif message["type"] == "websocket.accept" and self.handshake_complete:
            self.raw.opened()

    def pause_writing(self) -> None:
        """The peer does not keep up."""
        super().pause_writing()
        self.raw.congested()

    def resume_writing(self) -> None:
        """The peer has read most of it."""
        super().resume_writing()
        self.raw.relieved()

    def handle_close(self, event: Any) -> None:
        """The peer closes, or answers our close frame."""
        super().handle_close(event)
        self.raw.shut()

    def handle_parser_exception(self) -> None:
        """The peer broke the protocol and was told so."""
        super().handle_parser_exception()
        self.raw.shut()

    def keepalive_timeout(self) -> None:
        """The peer did not answer a ping."""
        super().keepalive_timeout()
        self.raw.shut()

    def shutdown(self) -> None:
        """The server ends."""
        super().shutdown()
        self.raw.shut()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, and nothing waits for the peer any more."""
        super().connection_lost(exc)
        self.raw.shut()

    def data_received(self, data: bytes) -> None:
        """Answers to pings are written by uvicorn itself, and count as well."""
        super().data_received(data)
        if self.raw.is_congested:
            self.raw.felt()


class RawTransport:
    """The raw path of one connection; see ``Transport`` for what its methods promise.

    ``write`` is not a method but what a method would decide anew at every call: nothing before the handshake and after
    a close frame, the TCP transport's own ``write`` in between, and one that tells the listener while the peer is
    congested. A fan-out calls it for every socket; guards inside it took a third of the time.
    """

    __slots__ = ("_is_shut", "_listener", "_protocol", "is_congested", "write")

    def __init__(self, protocol: RawFrameProtocol) -> None:
        self.write: Callable[[bytes], None] = _nowhere
        self.is_congested = False
        self._is_shut = False
        self._protocol = protocol
        self._listener: Callable[[], None] | None = None

    def opened(self) -> None:
        """The handshake is complete."""
        if not self._is_shut:
            self.write = self._protocol.transport.write

    def shut(self) -> None:
        """Nothing may be written any more: the socket is closing or closed."""
        self._is_shut = True
        self.write = _nowhere
        self.is_congested = False

    def congested(self) -> None:
        """The TCP transport holds more than its limit; what is written from now on is felt."""
        if not self._is_shut:
            self.is_congested = True
            self.write = self._write_and_tell
            self.felt()

    def relieved(self) -> None:
        """The TCP transport has got rid of most of it."""
        if not self._is_shut:
            self.is_congested = False
            self.write = self._protocol.transport.write

    def _write_and_tell(self, frames: bytes) -> None:
        self._protocol.transport.write(frames)
        self.felt()

    def close(self, code: int, reason: str) -> None:
        """What uvicorn does for ASGI's ``websocket.close``, without waiting for a peer that does not read."""
        protocol = self._protocol
        if self._is_shut or not protocol.handshake_complete or protocol.transport.is_closing():
            return
        try:
            protocol.conn.send_close(code, reason)
        except InvalidState:  # the peer's close frame was quicker
            return
        protocol.transport.write(b"".join(protocol.conn.data_to_send()))
        protocol.close_sent = True
        protocol.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if protocol.read_paused:
            protocol.read_paused = False
            protocol.transport.resume_reading()
        protocol.close_timer = protocol.loop.call_later(protocol.close_timeout, protocol.transport.abort)
        self.shut()

    def abort(self) -> None:
        """Cut the TCP connection."""
        self.shut()
        self._protocol.transport.abort()

    def unsent(self) -> int:
        """Bytes in the transport's buffer."""
        return 0 if self._protocol.disconnected else self._protocol.transport.get_write_buffer_size()

    def when_congested(self, listener: Callable[[], None]) -> None:
        """Set who is told."""
        self._listener = listener

    async def drained(self) -> None:
        """Wait for ``resume_writing``, or for the end of the connection."""
        await self._protocol.writable.wait()

    def felt(self) -> None:
        """Something was written while the peer does not keep up."""
        if self._listener is not None:
            self._listener()


def _nowhere(_: bytes) -> None:
    """Drop frames for a socket that is not open."""


def _without_addresses(logger: Any) -> Any:
    """The same logger with a name of its own, deaf to the lines that show a websocket's address."""
    quiet = logger.getChild("websocket")
    if not any(isinstance(known, _NoAddress) for known in quiet.filters):
        quiet.addFilter(_NoAddress())
    return quiet


class _NoAddress:
    """Drops log records made with uvicorn's ``"WebSocket %s"`` formats."""

    def filter(self, record: Any) -> bool:
        return '"WebSocket %s"' not in str(record.msg)
