"""One life of the two connections to Redis, from connecting to the first thing that goes wrong.

redis-py's own ``PubSub`` is not used. It reconnects and resubscribes in silence, and what was published meanwhile is
lost without a sign; a peer that keeps TCP alive and answers nothing gives no error at all, whatever
``health_check_interval`` says. Here a connection that fails ends the link, and a probe that goes the way of every
message - through the outbox, Redis and back - shows whether the way is open.
"""

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection

from app.bus.outbox import Outbox
from app.errors import BusUnavailable

CONNECT_S = 3.0

PROBE_S = 4.0
"""Seconds between two probes, and how long one may stay without any sign of life: a stall is noticed within 8."""

SLICES = 8
"""A probe is waited for in pieces: an event loop that stood still for long has then not missed all of them."""

SUBSCRIBE_AT_ONCE = 500
READ_AT_ONCE = 64
"""Messages handled before others on the event loop have their turn."""

USER_TIMEOUT_MS = 10_000
"""Bytes that a peer has not taken for so long end the connection: the kernel's own liveness check."""


class Listener(Protocol):
    """The bus above a link: what it wants to hear, and what it is told."""

    @property
    def wanted(self) -> Collection[bytes]: ...
    async def changes(self) -> Collection[bytes]:
        """Wait until channels were subscribed to or left since the last call; returns their names."""

    def left(self, names: Collection[bytes]) -> None:
        """These are about to be left: they are not heard any more."""

    def arrived(self, name: bytes, payload: bytes) -> None: ...
    def confirmed(self, name: bytes) -> None:
        """Redis hears of a channel for us; also when that was said before."""

    def is_up(self) -> None:
        """All channels that were wanted at the beginning are confirmed."""


class Link:
    """Carries messages while it lasts. ``probes`` came back so far; ``round_trip_s`` is how long the last one took."""

    def __init__(self, pool: ConnectionPool, outbox: Outbox, listener: Listener, own: bytes, probe_s: float) -> None:
        self.probes = 0
        self.round_trip_s = 0.0
        self._received = 0
        self._is_up = asyncio.Event()
        self._pool = pool
        self._outbox = outbox
        self._listener = listener
        self._own = own
        self._probe_s = probe_s
        self._probed_at_s = 0.0

    async def run(self) -> None:
        """Connect and serve until something fails, which is raised: ``RedisError``, ``OSError`` or BusUnavailable."""
        async with connected(self._pool) as publisher, connected(self._pool) as subscriber:
            await until_one_fails(
                read=self._read(subscriber),
                follow=self._follow(subscriber),
                publish=self._publish(publisher),
                watch=self._watch(),
            )

    async def _publish(self, connection: AbstractConnection) -> None:
        await self._is_up.wait()  # whoever comes back says nothing before it hears: the others come back as well
        while True:
            batch = await self._outbox.take()
            unanswered = len(batch)
            try:
                commands = connection.pack_commands([(b"PUBLISH", name, payload) for name, payload in batch])
                await connection.send_packed_command(commands, check_health=False)
                for _ in batch:
                    await connection.read_response()
                    unanswered -= 1
                    self._outbox.settle(published=1)
            finally:
                self._outbox.settle(dropped=unanswered)  # perhaps heard, and never said twice

    async def _follow(self, connection: AbstractConnection) -> None:
        """Tell Redis which channels are wanted: all of them, our own last, then what changes."""
        asked = set(self._listener.wanted)
        await _send(connection, b"SUBSCRIBE", [*asked, self._own])
        while True:
            names = await self._listener.changes()
            new = [name for name in names if name in self._listener.wanted and name not in asked]
            old = [name for name in names if name not in self._listener.wanted and name in asked]
            self._listener.left(old)
            asked.update(new)
            asked.difference_update(old)
            await _send(connection, b"UNSUBSCRIBE", old)
            await _send(connection, b"SUBSCRIBE", new)

    async def _read(self, connection: AbstractConnection) -> None:
        while True:
            kind, name, content = await connection.read_response(timeout=math.inf)
            self._received += 1
            if name == self._own:
                self._heard_ourselves(kind)
            elif kind == b"message":
                self._listener.arrived(name, content)
            elif kind == b"subscribe":
                self._listener.confirmed(name)
            elif kind == b"unsubscribe":  # left before its first confirmation had come
                self._listener.left([name])
            if self._received % READ_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _heard_ourselves(self, kind: bytes) -> None:
        if kind == b"subscribe":
            self._is_up.set()
            self._listener.is_up()
        elif kind == b"message":
            self.probes += 1
            self.round_trip_s = asyncio.get_running_loop().time() - self._probed_at_s

    async def _watch(self) -> None:
        """Send probes. Any message and any answer is a sign of life: under load a probe may be long under way."""
        while True:
            await asyncio.sleep(self._probe_s)
            self._probed_at_s = asyncio.get_running_loop().time()
            published, received = self._outbox.published, self._received
            self._outbox.put(self._own, b"")
            await self._sign_of_life(published, received)

    async def _sign_of_life(self, published: int, received: int) -> None:
        for _ in range(SLICES):
            await asyncio.sleep(self._probe_s / SLICES)
            if self._outbox.published > published and self._received > received:
                return
        raise BusUnavailable(f"Redis has not answered for {self._probe_s:g} seconds.")


@asynccontextmanager
async def connected(pool: ConnectionPool) -> AsyncIterator[AbstractConnection]:
    """A connection of the pool's making that is ours alone, and closed at the end without waiting for the peer."""
    connection = connection_of(pool)
    try:
        async with asyncio.timeout(CONNECT_S):
            await connection.connect_check_health(check_health=False, retry_socket_connect=False)
        yield connection
    finally:
        await connection.disconnect(nowait=True)


def connection_of(pool: ConnectionPool) -> AbstractConnection:
    """A new connection, not yet connected. Raises TypeError when the URL has an option that there is not."""
    connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
    return connection


def pool_of(url: str) -> ConnectionPool:
    """Make connections as the URL says, and in all else as a link needs them. Raises ValueError."""
    pool = ConnectionPool.from_url(url)
    pool.connection_kwargs = pool.connection_kwargs | {
        "protocol": 2,
        "decode_responses": False,
        "client_name": "stepgate",
        "socket_timeout": None,  # the link has its own idea of how long is too long
        "socket_connect_timeout": CONNECT_S,
        "socket_keepalive": True,
        "socket_keepalive_options": {socket.TCP_USER_TIMEOUT: USER_TIMEOUT_MS},
        "health_check_interval": 0,
    }
    return pool


async def until_one_fails(**works: Coroutine[Any, Any, None]) -> None:
    """Run all until one ends, end the others, and raise what ended it."""
    tasks = [asyncio.create_task(work, name=f"bus {name}") for name, work in works.items()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _send(connection: AbstractConnection, command: bytes, names: list[bytes]) -> None:
    for start in range(0, len(names), SUBSCRIBE_AT_ONCE):
        packed = connection.pack_command(command, *names[start : start + SUBSCRIBE_AT_ONCE])
        await connection.send_packed_command(packed, check_health=False)
