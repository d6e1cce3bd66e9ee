"""A transport for servers without the raw path: a queue and a task per socket, over plain ASGI.

About a fifth as fast as the raw path (design.md section 2, "Hub"), and the same in every other respect.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.hub.frames import payloads

CONGESTED_BYTES = 64 * 1024
CLOSE_TIMEOUT_S = 10.0


class AsgiTransport:
    """See ``Transport`` (``app/hub/transport.py``) for what its methods promise.

    Args:
        websocket: accepted.
        on_abort: ends the endpoint that owns the socket; the server then cuts the connection.
    """

    def __init__(self, websocket: WebSocket, on_abort: Callable[[], object]) -> None:
        self.is_aborted = False
        self._websocket = websocket
        self._on_abort = on_abort
        self._waiting: deque[bytes] = deque()
        self._unsent = 0
        self._close: tuple[int, str] | None = None
        self._something = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._listener: Callable[[], None] | None = None

    def write(self, frames: bytes) -> None:
        """Queue frames, unless the socket is closing."""
        if self._close is not None or self.is_aborted:
            return
        self._waiting.append(frames)
        self._unsent += len(frames)
        self._something.set()
        if self._unsent > CONGESTED_BYTES:
            self._drained.clear()
        if self.is_congested and self._listener is not None:
            self._listener()

    def close(self, code: int, reason: str) -> None:
        """Queue the close frame behind what was written."""
        if self._close is None and not self.is_aborted:
            self._close = (code, reason)
            self._something.set()
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self.abort)

    def abort(self) -> None:
        """Drop what is queued and end the endpoint."""
        if not self.is_aborted:
            self._end()
            self._on_abort()

    def unsent(self) -> int:
        """Bytes queued here; the server's own buffer is small, since ``send`` waits for it."""
        return self._unsent

    @property
    def is_congested(self) -> bool:
        """More is queued than a socket usually holds."""
        return not self._drained.is_set()

    def when_congested(self, listener: Callable[[], None]) -> None:
        """Set who is told."""
        self._listener = listener

    async def drained(self) -> None:
        """Wait until the queue is empty or given up."""
        await self._drained.wait()

    async def run(self) -> None:
        """Send what is queued until a close frame was sent, or the connection is lost."""
        try:
            while await self._more():
                await self._send(self._waiting.popleft())
            if self._close is not None:
                await self._websocket.close(*self._close)
        except (WebSocketDisconnect, OSError, RuntimeError):  # the peer has gone: the endpoint hears of it by itself
            self._end()

    async def _more(self) -> bool:
        while not self._waiting:
            self._drained.set()
            if self._close is not None:
                return False
            self._something.clear()
            await self._something.wait()
        return True

    async def _send(self, frames: bytes) -> None:
        for payload in payloads(frames):
            await self._websocket.send_text(payload.decode())
        self._unsent = max(0, self._unsent - len(frames))

    def _end(self) -> None:
        self.is_aborted = True
        self._waiting.clear()
        self._unsent = 0
        self._drained.set()


@asynccontextmanager
async def asgi_transport(websocket: WebSocket) -> AsyncIterator[AsgiTransport]:
    """Accept a websocket and run a transport for it; ``abort`` ends the block as if it had been left."""
    await websocket.accept()
    owner = asyncio.current_task()
    assert owner is not None  # noqa: S101  (a coroutine runs in a task)
    transport = AsgiTransport(websocket, owner.cancel)
    writer = asyncio.create_task(transport.run(), name="websocket writer")
    try:
        yield transport
    except asyncio.CancelledError:
        if not transport.is_aborted:
            raise
        owner.uncancel()
    finally:
        transport.is_aborted = True
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer
