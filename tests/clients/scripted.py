"""A websocket server that does what the test tells it to: one script per connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from stepgate_client import Backoff, Client
from tests.support import deadline

AT_ONCE = Backoff(base_s=0.0)


@dataclass
class Peer:
    """One accepted connection, seen from the server."""

    socket: ServerConnection

    async def send(self, kind: str, seq: int | None = None, **body: Any) -> None:
        """Send an envelope."""
        await self._envelope(kind, {} if seq is None else {"seq": seq}, body)

    async def state(self, seq: int, *, job: str = "J1", epoch: str = "e1", **more: Any) -> None:
        """Send a ``JobState``."""
        body = {"jobId": job, "jobStatus": "Ready", "seq": seq, "epoch": epoch, "recovered": True}
        await self._envelope("JobState", {}, body | more)

    async def _envelope(self, kind: str, number: dict[str, int], body: dict[str, Any]) -> None:
        envelope = {"msgType": kind, "timestamp": 1_767_225_600_000, "message": body}
        await self.socket.send(json.dumps(envelope | number))

    async def started(self, seq: int, job: str = "J1") -> None:
        """Send a numbered message."""
        await self.send("StepStarted", seq, jobId=job, stepIds=["s1"])

    async def frame(self) -> dict[str, Any]:
        """Wait for the client's next frame."""
        async with asyncio.timeout(deadline(1)):
            received: dict[str, Any] = json.loads(await self.socket.recv())
        return received

    async def cut(self) -> None:
        """End the connection without a close frame."""
        self.socket.transport.abort()

    async def close(self, code: int, reason: str = "") -> None:
        await self.socket.close(code, reason)

    async def hold(self) -> None:
        """Keep the connection until the client leaves."""
        await self.socket.wait_closed()


Script = Callable[[Peer], Awaitable[None]]
Refusal = tuple[int, bytes]


@dataclass
class ScriptedServer:
    """Plays one script per connection, in order; a refusal answers the upgrade with an HTTP status instead."""

    scripts: list[Script | Refusal]
    port: int = 0
    tokens: list[str] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **options: Any) -> Client:
        """Make a client that waits no time between attempts."""
        if "get_token" not in options:
            options.setdefault("token", "t0")
        return Client(self.url, **({"backoff": AT_ONCE} | options))

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.tokens.append(request.headers.get("Authorization", ""))
        if self.scripts and isinstance(self.scripts[0], tuple):
            status, body = self.scripts.pop(0)  # type: ignore[misc] # the branch knows that it is a refusal
            return connection.respond(status, body.decode())
        return None

    async def play(self, connection: ServerConnection) -> None:
        try:
            if not self.scripts:  # a stop code: a client that comes back unasked must not come back for ever
                await connection.close(4999, "no script is left")
                raise AssertionError("a connection more than there are scripts")  # noqa: TRY301 - noted below
            script = self.scripts.pop(0)
            assert not isinstance(script, tuple)
            await connection.send('{"connected": true}')
            await script(Peer(connection))
        except BaseException as error:
            self.failures.append(error)
            raise


@asynccontextmanager
async def scripted(scripts: Sequence[Script | Refusal]) -> AsyncIterator[ScriptedServer]:
    """Serve the scripts; fails the test when a script failed or was not played."""
    server = ScriptedServer(list(scripts))
    async with serve(server.play, "127.0.0.1", 0, process_request=server.admit) as running:
        server.port = next(iter(running.sockets)).getsockname()[1]
        yield server
    assert not server.failures, server.failures
    assert not server.scripts, f"{len(server.scripts)} connections were not made"
