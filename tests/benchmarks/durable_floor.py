"""The cheapest durable gateway in Python, a yardstick: what a change costs that is on disk before anybody hears of it.

``POST /pub`` is one SQLite transaction of four statements at ``synchronous=FULL``, in a writer thread that commits up
to 16 waiting changes together; then one ready frame goes straight to the transport of every websocket on ``/ws``. No
authentication, no rules, no JSON to read, no recovery: a server with all of these cannot be expected to be faster by
the same means.

Run as ``python -m tests.benchmarks.durable_floor PORT DATABASE_FILE FLUSH_MS``. With ``FLUSH_MS`` 0 each turn of the
event loop writes what was committed in it; above 0, messages of that time are merged into one write per websocket.
"""

import asyncio
import queue
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

BATCH = 16
BODY = msgspec.json.encode(
    {
        "msgType": "StepHeld",
        "timestamp": 1_700_000_000_000,
        "seq": 123_456,
        "message": {
            "jobId": "Zb3kQ9xWTlq0m4Rt7uVyAg",
            "stepIds": ["5b0f9c52-77f1-4bb5-9a0e-1f6f2f3a9d10"],
            "manual": True,
            "dependency": False,
            "setBy": "admin",
            "scheduledRelease": "2026-11-17T00:00:00Z",
        },
    }
)
FRAME = b"\x81\x7e" + len(BODY).to_bytes(2, "big") + BODY
SCHEMA = """
CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS feed (job INTEGER, seq INTEGER, body BLOB, PRIMARY KEY (job, seq));
CREATE TABLE IF NOT EXISTS history (id INTEGER PRIMARY KEY, job INTEGER, note TEXT);
INSERT OR IGNORE INTO job VALUES (1, 0);
"""

Change = asyncio.Future[None]
Write = Callable[[bytes], None]


class Writer(threading.Thread):
    """Commits changes in groups and resolves each one's future once it is on disk. Ends with the process."""

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(name="writer", daemon=True)
        self._path = path
        self._loop = loop
        self._waiting: queue.SimpleQueue[Change] = queue.SimpleQueue()

    async def commit(self) -> None:
        """Return when one more change is on disk."""
        change = self._loop.create_future()
        self._waiting.put(change)
        await change

    def run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(SCHEMA)
        while True:
            batch = [self._waiting.get()]
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get())
            connection.execute("BEGIN IMMEDIATE")
            for _ in batch:
                self._change(connection)
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(self._done, batch)

    @staticmethod
    def _change(connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("SELECT version FROM job WHERE id = 1").fetchone()
        connection.execute("UPDATE job SET version = ? WHERE id = 1 AND version = ?", (version + 1, version))
        connection.execute("INSERT INTO feed VALUES (1, ?, ?)", (version + 1, BODY))
        connection.execute("INSERT INTO history (job, note) VALUES (1, 'held')")

    @staticmethod
    def _done(batch: list[Change]) -> None:
        for change in batch:
            if not change.done():
                change.set_result(None)


class Fanout:
    """Writes frames to all websockets: at the end of the loop's turn, or merged over ``flush_s`` seconds."""

    def __init__(self, flush_s: float) -> None:
        self.writes: set[Write] = set()
        self._flush_s = flush_s
        self._frames: list[bytes] = []

    def publish(self, frame: bytes) -> None:
        """Queue a frame for all; one flush takes all that are queued by then."""
        self._frames.append(frame)
        if len(self._frames) == 1:
            asyncio.get_running_loop().call_later(self._flush_s, self._flush)

    def _flush(self) -> None:
        data = b"".join(self._frames)
        self._frames.clear()
        for write in tuple(self.writes):
            try:
                write(data)
            except RuntimeError:  # uvloop raises on a closed transport
                self.writes.discard(write)


class Protocol(WebSocketsSansIOProtocol):
    """Hands the transport's ``write`` to the application."""

    async def run_asgi(self) -> None:
        self.scope.setdefault("extensions", {})["write"] = {"call": self.transport.write}
        await super().run_asgi()


def create_app(path: str, flush_s: float) -> Starlette:
    """Return the application that keeps its changes in the SQLite file ``path``."""
    fanout = Fanout(flush_s)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.writer = Writer(path, asyncio.get_running_loop())
        app.state.writer.start()
        yield

    async def publish(request: Request) -> Response:
        await request.body()
        await request.app.state.writer.commit()
        fanout.publish(FRAME)
        return Response(b"ok")

    async def subscribe(websocket: WebSocket) -> None:
        await websocket.accept()
        write = cast("Write", websocket.scope["extensions"]["write"]["call"])
        fanout.writes.add(write)
        with suppress(WebSocketDisconnect):
            while True:
                await websocket.receive_text()
                await websocket.send_text('{"msgType":"ok"}')
        fanout.writes.discard(write)

    routes = [Route("/pub", publish, methods=["POST"]), WebSocketRoute("/ws", subscribe)]
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> None:
    """Serve on 127.0.0.1 until the process is ended."""
    port, path, flush_ms = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    uvicorn.run(
        create_app(path, flush_ms / 1000),
        port=port, ws=Protocol, loop="uvloop", http="httptools", log_level="warning", access_log=False,
        ws_per_message_deflate=False, ws_ping_interval=None,
    )  # fmt: skip


if __name__ == "__main__":
    main()
