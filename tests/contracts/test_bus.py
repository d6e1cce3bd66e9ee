"""What the hub may expect of every ``Bus``: messages of subscribed channels, in order, at most once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from app.bus.memory import Exchange, MemoryBus
from app.bus.redis import RedisBus
from app.services.ports import Bus
from tests.support import RedisServer, deadline

pytestmark = pytest.mark.anyio


class Inbox:
    """A handler that keeps what it gets, and which channels it was told are heard."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.heard: set[str] = set()
        self.fails = False
        self._stirred = asyncio.Event()

    def __call__(self, channel: str, payload: bytes) -> None:
        self.messages.append((channel, payload))
        self._stirred.set()
        if self.fails:
            raise RuntimeError("a handler's mistake")

    def hears(self, channels: Collection[str]) -> None:
        self.heard.update(channels)
        self._stirred.set()

    async def has(self, count: int) -> list[tuple[str, bytes]]:
        await self.until(lambda: len(self.messages) >= count)
        return self.messages

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(deadline(1)):
            while not condition():
                self._stirred.clear()
                await self._stirred.wait()


class Network:
    """Makes buses that can hear each other, as the nodes of one installation do."""

    def __init__(self, make: Callable[[], Bus]) -> None:
        self.make = make

    @asynccontextmanager
    async def node(self, *channels: str) -> AsyncIterator[tuple[Bus, Inbox]]:
        bus, inbox = self.make(), Inbox()
        await bus.open(inbox, inbox.hears)
        try:
            await self.subscribe(bus, inbox, *channels)
            yield bus, inbox
        finally:
            await bus.close()

    @staticmethod
    async def subscribe(bus: Bus, inbox: Inbox, *channels: str) -> None:
        """Subscribe, and wait as a hub does until the channels are heard."""
        inbox.heard.clear()
        pending = {channel for channel in channels if bus.subscribe(channel)}
        await inbox.until(lambda: pending <= inbox.heard)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
def network(request: pytest.FixtureRequest) -> Network:
    if request.param == "memory":
        exchange = Exchange()
        return Network(lambda: MemoryBus(exchange))
    server: RedisServer = request.getfixturevalue("redis")
    prefix = f"{uuid4().hex}:"
    return Network(lambda: RedisBus(server.url, prefix))


async def test_every_subscriber_hears_a_channel_in_order_the_publisher_included(network: Network) -> None:
    async with network.node("a") as (bus, own), network.node("a") as (_, other):
        for number in range(100):
            bus.publish("a", b"%d" % number)
        expected = [("a", b"%d" % number) for number in range(100)]
        assert await own.has(100) == expected
        assert await other.has(100) == expected


async def test_nobody_hears_what_was_not_subscribed_or_was_left(network: Network) -> None:
    async with network.node("a", "b") as (bus, inbox), network.node("c") as (_, other):
        bus.unsubscribe("a")
        bus.unsubscribe("never subscribed")
        for channel in ("a", "b", "c"):
            bus.publish(channel, channel.encode())
        assert await inbox.has(1) == [("b", b"b")]
        assert await other.has(1) == [("c", b"c")]


async def test_subscribing_twice_delivers_once(network: Network) -> None:
    async with network.node("a", "a") as (bus, inbox):
        bus.subscribe("a")
        bus.publish("a", b"1")
        bus.publish("a", b"2")
        assert await inbox.has(2) == [("a", b"1"), ("a", b"2")]


async def test_a_channel_may_be_left_and_heard_again_at_once(network: Network) -> None:
    async with network.node("a") as (bus, inbox), network.node() as (other_bus, _):
        bus.unsubscribe("a")
        await network.subscribe(bus, inbox, "a")
        other_bus.publish("a", b"1")
        assert await inbox.has(1) == [("a", b"1")]


async def test_channels_subscribed_before_the_start_are_heard(network: Network) -> None:
    async with network.node() as (other_bus, _):
        bus, inbox = network.make(), Inbox()
        bus.subscribe("a")
        await bus.open(inbox, inbox.hears)
        try:
            assert bus.subscribe("a") is False, "it is heard already"
            other_bus.publish("a", b"1")
            assert await inbox.has(1) == [("a", b"1")]
        finally:
            await bus.close()


async def test_thousands_of_channels_with_any_names(network: Network) -> None:
    names = [f"job:{{item}}:ä {number}\n" for number in range(3_000)]
    async with network.node(*names) as (_, inbox), network.node() as (other_bus, _):
        for name in names:
            other_bus.publish(name, b"x")
        assert await inbox.has(3_000) == [(name, b"x") for name in names]


async def test_publish_returns_before_any_handler_runs(network: Network) -> None:
    async with network.node("a") as (bus, inbox):
        bus.publish("a", b"1")
        assert inbox.messages == []
        await inbox.has(1)


async def test_a_handler_that_fails_does_not_end_the_delivery(
    network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    async with network.node("a") as (bus, inbox):
        inbox.fails = True
        bus.publish("a", b"1")
        bus.publish("a", b"2")
        assert len(await inbox.has(2)) == 2
    assert "a handler's mistake" in caplog.text


async def test_any_bytes_arrive_as_they_are(network: Network) -> None:
    payload = bytes(range(256)) * 4096
    async with network.node("a") as (bus, inbox):
        bus.publish("a", payload)
        assert (await inbox.has(1))[0][1] == payload


async def test_after_close_nothing_is_heard_or_said_and_closing_again_is_harmless(network: Network) -> None:
    async with network.node("a") as (bus, inbox), network.node("a") as (other_bus, other):
        bus.publish("a", b"still under way")
        await bus.close()
        await bus.close()
        bus.publish("a", b"nobody")
        other_bus.publish("a", b"for the other only")
        await other.has(2)
        assert other.messages == [("a", b"still under way"), ("a", b"for the other only")]
        assert inbox.messages == []
