"""What the hub may expect of every ``Bus``: messages of subscribed channels, in order, at most once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.bus.memory import Exchange, MemoryBus
from app.services.ports import Bus
from tests.support import deadline

pytestmark = pytest.mark.anyio


class Inbox:
    """A handler that keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.fails = False
        self._arrived = asyncio.Event()

    def __call__(self, channel: str, payload: bytes) -> None:
        self.messages.append((channel, payload))
        self._arrived.set()
        if self.fails:
            raise RuntimeError("a handler's mistake")

    async def has(self, count: int) -> list[tuple[str, bytes]]:
        async with asyncio.timeout(deadline(1)):
            while len(self.messages) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.messages


class Network:
    """Makes buses that can hear each other, as the nodes of one installation do."""

    def __init__(self) -> None:
        self._exchange = Exchange()

    @asynccontextmanager
    async def node(self, *channels: str) -> AsyncIterator[tuple[Bus, Inbox]]:
        bus, inbox = MemoryBus(self._exchange), Inbox()
        await bus.open(inbox)
        for channel in channels:
            bus.subscribe(channel)
        try:
            yield bus, inbox
        finally:
            await bus.close()


@pytest.fixture
def network() -> Network:
    return Network()


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
        assert ("a", b"nobody") not in other.messages
        assert inbox.messages == []
