"""An application behind a real uvicorn in this process and loop, on a free port."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from app.api.raw_frames import RawFrameProtocol
from tests.support import deadline

SERVERS: dict[str, Any] = {"raw": RawFrameProtocol, "asgi": "websockets-sansio"}
"""uvicorn with our raw path, and as it comes: what an ASGI server without the extension looks like."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave pytest's signal handlers alone."""
        yield


@asynccontextmanager
async def serve(app: Any, kind: str = "raw", **options: Any) -> AsyncIterator[str]:
    """Serve an ASGI application; gives ``127.0.0.1:PORT``."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        ws=SERVERS[kind],
        ws_per_message_deflate=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=int(deadline(0.1)),
        **options,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(), name="uvicorn")
    up = asyncio.create_task(server.is_up.wait())
    await asyncio.wait({task, up}, return_when=asyncio.FIRST_COMPLETED, timeout=deadline(2))
    up.cancel()
    assert server.started, "the server did not start"
    try:
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"{host}:{port}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, deadline(2))
