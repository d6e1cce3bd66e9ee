"""What may happen to Redis, and two hubs on one PostgreSQL through all of it: nothing is lost, nothing waits.

Each fault happens to a real ``redis-server``. The interval between probes is shorter than a server's, nothing else is.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app.bus.redis import RedisBus
from app.bus.redis_link import CONNECT_S, PROBE_S
from app.hub.channel import job_channel
from app.hub.payload import encode_payload
from tests.hub.nodes import Feed, Node, open_node
from tests.support import RedisServer, TcpProxy, eventually
from tests.support.ports import LOOPBACK
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

PREFIX = "test:"
SHORT_S = 0.5
SWEEP_S = 1.0
BACK_S = CONNECT_S + 1
"""How long the bus may take to come back: an attempt that was under way, and the pause after it."""


@pytest.fixture
async def world(postgres_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world({"database_url": postgres_url, "data_dir": tmp_path}) as opened:
        yield opened


@pytest.fixture
async def feed(world: World) -> Feed:
    return Feed(world, await world.create(await world.template([step("one")])))


@pytest.fixture
async def proxy(redis_server: RedisServer) -> AsyncIterator[TcpProxy]:
    async with TcpProxy([redis_server.port]) as opened:
        yield opened


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[str], int]:
    """How many lines of the log begin like that."""
    caplog.set_level(logging.INFO, "app.bus")
    return lambda words: sum(record.getMessage().startswith(words) for record in caplog.records)


@asynccontextmanager
async def pair(world: World, url: str) -> AsyncIterator[list[Node]]:
    """Two nodes that reach each other through the Redis of a URL."""
    async with AsyncExitStack() as nodes:
        buses = [RedisBus(url, PREFIX, probe_s=SHORT_S) for _ in range(2)]
        opened = [await nodes.enter_async_context(open_node(world, bus=bus, sweep_s=SWEEP_S)) for bus in buses]
        await are(opened, up=True)
        yield opened


def has_come_back(node: Node) -> bool:
    return node.bus.stats.is_up and node.bus.stats.reconnects > 0


async def are(nodes: list[Node], *, up: bool) -> None:
    await eventually(lambda: all(node.bus.stats.is_up is up for node in nodes), expected_s=BACK_S)


@dataclass(frozen=True)
class Outage:
    """Something that takes Redis away and brings it back; meanwhile the URL stays the same."""

    url: str
    begin: Callable[[], None]
    end: Callable[[], None]


@pytest.fixture(params=["killed", "frozen", "mute"])
def outage(request: pytest.FixtureRequest, redis_server: RedisServer, proxy: TcpProxy) -> Outage:
    url = f"redis://{LOOPBACK}:{proxy.port}"
    if request.param == "killed":
        return Outage(url, redis_server.kill9, redis_server.start)
    if request.param == "frozen":
        return Outage(url, redis_server.freeze, redis_server.thaw)
    return Outage(url, partial(setattr, proxy, "is_mute", True), partial(setattr, proxy, "is_mute", False))


async def test_while_redis_is_away_actions_succeed_and_afterwards_everybody_has_the_whole_feed(
    world: World, feed: Feed, outage: Outage, said: Callable[[str], int]
) -> None:
    async with pair(world, outage.url) as nodes:
        one, _ = nodes
        here, there = peers = [(await node.subscribed(feed.job_id))[1] for node in nodes]
        start = await feed.seq()
        one.hub.publish(await feed.write(5))
        for peer in peers:
            await peer.numbered(5)
        outage.begin()
        for count in range(6, 26):
            one.hub.publish(await feed.write())
            await here.numbered(count)
        await are(nodes, up=False)
        one.hub.publish(await feed.write())
        await here.numbered(26)
        await there.numbered(26)  # from the store
        outage.end()
        await are(nodes, up=True)
        one.hub.publish(await feed.write(4))
        for peer in peers:
            await peer.numbered(30)
            assert peer.seqs == list(range(start + 1, start + 31))
        falls = sum(node.bus.stats.reconnects for node in nodes)
        assert falls >= 2
        assert said("the bus is down") == falls, "once each time, however many attempts fail"
        assert said("the bus is up") == falls + 2


def test_a_stall_is_noticed_within_ten_seconds() -> None:
    """One interval until the next probe, one more without a sign of life: with what it costs to wake up."""
    assert PROBE_S * 2 <= 9


async def empty(redis: Redis) -> None:
    await redis.flushall()


async def cut(redis: Redis) -> None:
    await redis.client_kill_filter(_type="pubsub")


@pytest.mark.parametrize("deed", [empty, cut], ids=["flushed", "subscribers cut"])
async def test_what_is_done_to_redis_while_messages_flow_loses_none_and_repeats_none(
    world: World, feed: Feed, redis_server: RedisServer, deed: Callable[[Redis], Awaitable[None]]
) -> None:
    async with Redis.from_url(redis_server.url) as redis, pair(world, redis_server.url) as nodes:
        peers = [(await node.subscribed(feed.job_id))[1] for node in nodes]
        start = await feed.seq()
        for number in range(30):
            nodes[number % 2].hub.publish(await feed.write())
            if number == 15:
                await deed(redis)
        for peer in peers:
            await peer.numbered(30)
            assert peer.seqs == list(range(start + 1, start + 31))


async def test_a_subscriber_cut_by_redis_at_its_output_buffer_gets_all_of_the_burst(
    world: World, feed: Feed, tmp_path: Path
) -> None:
    """Redis ends a subscriber that it has more to say to than the limit, and most of the burst is gone."""
    burst = "for _, payload in ipairs(ARGV) do redis.call('publish', KEYS[1], payload) end"
    with RedisServer(tmp_path, "--client-output-buffer-limit", "pubsub 64kb 0 0") as server:
        async with Redis.from_url(server.url) as redis, pair(world, server.url) as nodes:
            peers = [(await node.subscribed(feed.job_id))[1] for node in nodes]
            messages = await feed.write(300, size=2_000)
            channel = PREFIX + job_channel(messages[0].item_id, feed.job_id)
            await redis.eval(burst, 1, channel, *map(encode_payload, messages))
            for node, peer in zip(nodes, peers, strict=True):
                await peer.numbered(300)
                assert peer.seqs == [message.seq for message in messages]
                await eventually(partial(has_come_back, node), expected_s=BACK_S)


async def test_a_hub_starts_without_redis_and_hears_the_others_once_it_is_there(
    world: World, feed: Feed, redis_server: RedisServer
) -> None:
    redis_server.stop()
    buses = [RedisBus(redis_server.url, PREFIX, probe_s=SHORT_S) for _ in range(2)]
    async with (
        open_node(world, bus=buses[0], sweep_s=SWEEP_S) as one,
        open_node(world, bus=buses[1], sweep_s=SWEEP_S) as other,
    ):
        assert not one.bus.stats.is_up
        _, there = await other.subscribed(feed.job_id)
        redis_server.start()
        await are([one, other], up=True)
        one.hub.publish(await feed.write(3))
        await there.numbered(3)
