"""What the hub may expect of every ``Transport``: the raw path through uvicorn, and plain ASGI. Real sockets."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.api.websocket import open_transport
from app.hub.frames import text_frame
from app.hub.transport import Transport
from tests.api.served import SERVERS, serve
from tests.support import deadline

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


@dataclass
class Link:
    """Both ends of one websocket: the server's transport, the client, and whether the endpoint has ended."""

    transport: Transport
    client: ClientConnection
    ended: asyncio.Event
    received: list[dict[str, Any]]

    async def fill(self, piece: int = 256 * 1024) -> None:
        """Write until the peer is congested."""
        frame = text_frame(b"x" * piece)
        for _ in range(200):
            self.transport.write(frame)
            await asyncio.sleep(0)
            if self.transport.is_congested and self.transport.unsent() > 4 * piece:
                return
        raise AssertionError("the operating system took it all")


@pytest.fixture(params=list(SERVERS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def linked(kind: str, *, reading: bool = True, **options: Any) -> AsyncIterator[Link]:
    """A server of this kind and one client; without ``reading`` the client's socket is left alone."""
    made: asyncio.Future[Transport] = asyncio.get_running_loop().create_future()
    ended = asyncio.Event()
    received: list[dict[str, Any]] = []

    async def endpoint(websocket: WebSocket) -> None:
        try:
            async with open_transport(websocket) as transport:
                made.set_result(transport)
                while (message := await websocket.receive())["type"] == "websocket.receive":
                    received.append(dict(message))
        finally:
            ended.set()

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    async with serve(app, kind, **options) as address, connect(f"ws://{address}/", max_size=None) as client:
        if not reading:
            client.transport.pause_reading()
        async with asyncio.timeout(deadline(1)):
            transport = await made
        try:
            yield Link(transport, client, ended, received)
        finally:
            transport.abort()
            if not reading:
                client.transport.abort()
            async with asyncio.timeout(deadline(1)):
                await ended.wait()


async def closed_with(client: ClientConnection) -> tuple[int, str]:
    """Read to the end; returns the close code and reason, 1006 for a connection that was cut."""
    async with asyncio.timeout(deadline(1)):
        try:
            while True:
                await client.recv()
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


async def test_frames_arrive_whole_and_in_order_also_several_in_one_write(kind: str) -> None:
    sizes = [0, 1, 125, 126, 127, 65_535, 65_536, MIB]
    async with linked(kind) as link:
        link.transport.write(b"".join(text_frame(b"a" * size) for size in sizes))
        for number in range(1000):
            link.transport.write(text_frame(b"%d" % number))
        async with asyncio.timeout(deadline(2)):
            assert [len(await link.client.recv()) for _ in sizes] == sizes
            assert [await link.client.recv() for _ in range(1000)] == [str(number) for number in range(1000)]


async def test_frames_and_the_servers_own_pongs_do_not_mix(kind: str) -> None:
    async with linked(kind) as link:
        pongs = []
        for number in range(100):
            link.transport.write(text_frame(b"y" * 5_000 + b"%d" % number))
            pongs.append(await link.client.ping(struct.pack("!I", number)))
        async with asyncio.timeout(deadline(2)):
            texts = [await link.client.recv() for _ in range(100)]
            await asyncio.gather(*pongs)
        assert [text[5_000:] for text in texts] == [str(number) for number in range(100)]


async def test_the_servers_own_pings_go_on_between_frames(kind: str) -> None:
    async with linked(kind, ws_ping_interval=0.01, ws_ping_timeout=deadline(1)) as link:
        for number in range(50):
            link.transport.write(text_frame(b"%d" % number))
            await asyncio.sleep(0.002)
        async with asyncio.timeout(deadline(1)):
            assert [await link.client.recv() for _ in range(50)] == [str(number) for number in range(50)]


async def test_close_comes_after_what_was_written_and_ends_the_endpoint(kind: str) -> None:
    async with linked(kind) as link:
        link.transport.write(text_frame(b"last words"))
        link.transport.close(4001, "because")
        link.transport.close(4500, "the second does not count")
        link.transport.write(text_frame(b"too late"))
        async with asyncio.timeout(deadline(1)):
            assert await link.client.recv() == "last words"
        assert await closed_with(link.client) == (4001, "because")
        async with asyncio.timeout(deadline(1)):
            await link.ended.wait()
        link.transport.write(text_frame(b"much too late"))
        link.transport.abort()


async def test_abort_cuts_the_connection_without_a_close_frame_with_our_code(kind: str) -> None:
    async with linked(kind) as link:
        link.transport.abort()
        link.transport.abort()
        link.transport.write(text_frame(b"nobody hears this"))
        link.transport.close(4001, "nor sees this")
        assert (await closed_with(link.client))[0] != 4001
        async with asyncio.timeout(deadline(1)):
            await link.ended.wait()


async def test_a_peer_that_does_not_read_is_congested_and_can_be_cut(kind: str) -> None:
    async with linked(kind, reading=False) as link:
        felt: list[int] = []
        link.transport.when_congested(lambda: felt.append(link.transport.unsent()))
        assert not link.transport.is_congested
        await link.fill()
        assert felt
        assert max(felt) > 64 * 1024
        link.transport.abort()
        async with asyncio.timeout(deadline(1)):
            await link.ended.wait()
            await link.transport.drained()
        assert link.transport.unsent() == 0


async def test_drained_waits_until_the_peer_has_read(kind: str) -> None:
    async with linked(kind, reading=False) as link:
        await link.fill()
        waiting = asyncio.create_task(link.transport.drained())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        link.client.transport.resume_reading()

        async def read() -> None:
            while not waiting.done():
                await link.client.recv()

        async with asyncio.timeout(deadline(2)):
            await asyncio.wait({waiting, asyncio.create_task(read())}, return_when=asyncio.FIRST_COMPLETED)
        assert not link.transport.is_congested


async def test_close_during_congestion_does_not_wait_and_writes_nothing_more(kind: str) -> None:
    async with linked(kind, reading=False) as link:
        await link.fill()
        link.transport.close(4001, "slow")
        before = link.transport.unsent()
        link.transport.write(text_frame(b"z" * MIB))
        assert link.transport.unsent() <= before


async def test_writing_after_the_peer_has_closed_or_vanished_is_harmless(kind: str) -> None:
    for leave in ("close", "abort"):
        async with linked(kind) as link:
            if leave == "close":
                await link.client.close(1000)
            else:
                link.client.transport.abort()
            for _ in range(10):
                link.transport.write(text_frame(b"w" * 10_000))
                await asyncio.sleep(0)
            async with asyncio.timeout(deadline(1)):
                await link.ended.wait()
            link.transport.write(text_frame(b"gone"))
            link.transport.close(4001, "gone")
            assert link.transport.unsent() == 0


async def test_a_server_that_shuts_down_sends_1012_and_nothing_after_it(kind: str) -> None:
    async def endpoint(websocket: WebSocket) -> None:
        async with open_transport(websocket) as transport:
            transport.write(text_frame(b"hello"))
            while (await websocket.receive())["type"] == "websocket.receive":
                pass
            transport.write(text_frame(b"after the end"))

    async with serve(Starlette(routes=[WebSocketRoute("/", endpoint)]), kind) as address:
        client = await connect(f"ws://{address}/")
        assert await client.recv() == "hello"
    assert (await closed_with(client))[0] == 1012
    await client.close()


async def test_only_the_pongs_of_a_peer_that_pings_and_does_not_read_are_felt_too() -> None:
    async with linked("raw", reading=False) as link:
        felt = asyncio.Event()
        link.transport.when_congested(felt.set)
        pings = b"".join(b"\x89\xfd\x00\x00\x00\x00" + b"p" * 125 for _ in range(1000))
        async with asyncio.timeout(deadline(2)):
            while not felt.is_set():
                link.client.transport.write(pings)
                await asyncio.sleep(0.001)
        assert link.transport.unsent() > 64 * 1024
