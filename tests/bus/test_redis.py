"""The Redis bus alone: what it keeps, tells and says, on a real server."""

import asyncio
import logging
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from app.bus.outbox import BATCH_MESSAGES, Outbox
from app.bus.redis import RedisBus
from app.cli.certificate import self_signed
from app.errors import BusUnavailable
from app.settings import Settings
from tests.contracts.test_bus import Inbox
from tests.support import RedisServer, eventually, free_port, no_leaks
from tests.support.ports import LOOPBACK

pytestmark = pytest.mark.anyio


async def opened(url: str, prefix: str = "test:", probe_s: float = 0.2) -> tuple[RedisBus, Inbox]:
    bus, inbox = RedisBus(url, prefix, probe_s=probe_s), Inbox()
    await bus.open(inbox, inbox.hears)
    return bus, inbox


# ---------------------------------------------------------------- what waits


async def test_a_full_outbox_drops_the_oldest_and_counts_them() -> None:
    outbox = Outbox(max_messages=3, max_bytes=100)
    assert [outbox.put(b"c", b"%d" % number) for number in range(4)] == [True, True, True, False]
    assert outbox.dropped == 1
    assert outbox.put(b"c", b"x" * 99) is False
    assert outbox.dropped == 3
    assert [payload for _, payload in await outbox.take()] == [b"3", b"x" * 99]


async def test_an_outbox_gives_out_batches_and_knows_when_all_is_settled() -> None:
    outbox = Outbox()
    for _ in range(BATCH_MESSAGES + 1):
        outbox.put(b"c", b"x")
    first, second = await outbox.take(), await outbox.take()
    assert (len(first), len(second)) == (BATCH_MESSAGES, 1)
    settled = asyncio.create_task(outbox.settled())
    outbox.settle(published=BATCH_MESSAGES)
    await asyncio.sleep(0)
    assert not settled.done()
    outbox.settle(dropped=1)
    await settled
    assert (outbox.published, outbox.dropped) == (BATCH_MESSAGES, 1)


async def test_large_messages_are_sent_in_small_batches() -> None:
    outbox = Outbox()
    for _ in range(3):
        outbox.put(b"c", b"x" * 400_000)
    assert len(await outbox.take()) == 2


# ---------------------------------------------------------------- coming and going


async def test_probes_come_back_and_are_timed(redis_url: str) -> None:
    bus, _ = await opened(redis_url, probe_s=0.02)
    await eventually(lambda: bus.stats.round_trip_s > 0)
    assert bus.stats.is_up
    await bus.close()
    assert not bus.stats.is_up


async def test_thousands_of_channels_are_heard_again_after_a_cut_and_told_at_once(redis_url: str) -> None:
    names = [f"job:item:{number}" for number in range(2_000)]
    bus, inbox = RedisBus(redis_url, "test:"), Inbox()
    for name in names:
        bus.subscribe(name)
    await bus.open(inbox, inbox.hears)
    try:
        await inbox.until(lambda: len(inbox.heard) == 2_000)
        inbox.heard.clear()
        async with Redis.from_url(redis_url) as redis:
            await redis.client_kill_filter(_type="pubsub")
            await inbox.until(lambda: bool(inbox.heard))
            assert inbox.heard == set(names), "in one call"
            await redis.publish("test:job:item:1999", b"x")
        assert await inbox.has(1) == [("job:item:1999", b"x")]
    finally:
        await bus.close()


async def test_a_channel_left_before_its_confirmation_came_does_not_pass_for_heard(redis_url: str) -> None:
    """Redis confirms both; the first confirmation must not outlive the second."""
    bus, inbox = await opened(redis_url)
    try:
        bus.subscribe("a")
        await asyncio.sleep(0)  # it is asked for
        bus.unsubscribe("a")
        bus.subscribe("b")
        await inbox.until(lambda: "b" in inbox.heard)
        assert bus.subscribe("a") is True, "it takes a moment again"
        await inbox.until(lambda: "a" in inbox.heard)
    finally:
        await bus.close()


async def test_messages_published_while_redis_is_away_for_a_moment_arrive(redis_server: RedisServer) -> None:
    bus, inbox = await opened(redis_server.url)
    try:
        bus.subscribe("a")
        redis_server.kill9()
        await eventually(lambda: not bus.stats.is_up)
        assert bus.subscribe("b") is False, "there is nothing to wait for while it is down"
        bus.publish("a", b"1")
        bus.publish("b", b"2")
        redis_server.start()
        assert await inbox.has(2) == [("a", b"1"), ("b", b"2")]
    finally:
        await bus.close()


async def test_a_redis_that_refuses_us_is_told_once_and_without_its_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with RedisServer(tmp_path, "--requirepass", "the-right-one") as server:
        bus, _ = await opened(server.url.replace("redis://", "redis://default:the-wrong-one@"))
        await eventually(lambda: bus._state.attempts >= 3)
        await bus.close()
    said = [record for record in caplog.records if record.name.startswith("app.bus")]
    assert [record.getMessage() for record in said] == ["the bus is down: other nodes find changes in the database"]
    assert said[0].__dict__["fields"]["server"] == f"{LOOPBACK}:{server.port}"
    assert "invalid username-password" in said[0].__dict__["fields"]["reason"]
    assert "the-wrong-one" not in caplog.text


async def test_dropping_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    bus, _ = await opened(f"redis://{LOOPBACK}:{free_port()}")
    for _ in range(40):
        bus.publish("a", b"x" * 1_000_000)
    assert bus.stats.dropped == 24
    assert caplog.text.count("messages for the bus are dropped") == 1
    await bus.close()


@pytest.mark.parametrize("url", ["redis://h?colour=blue", "redis://h?socket_timeout=soon", "http://h"])
def test_a_url_that_makes_no_sense_is_refused_at_once(url: str) -> None:
    with pytest.raises(BusUnavailable, match="The Redis URL cannot be used"):
        RedisBus(url, "test:")


async def test_what_the_url_says_of_the_protocol_is_ours_to_say(redis_url: str) -> None:
    bus, inbox = await opened(f"{redis_url}?protocol=3&decode_responses=yes&health_check_interval=1")
    try:
        bus.subscribe("a")
        await inbox.until(lambda: "a" in inbox.heard)
        bus.publish("a", b"\xff")
        assert await inbox.has(1) == [("a", b"\xff")]
    finally:
        await bus.close()


async def test_messages_travel_over_tls_and_only_to_a_redis_that_is_trusted(tmp_path: Path) -> None:
    certificate, key = self_signed(Settings(data_dir=tmp_path))
    port = free_port()
    options = (
        "--tls-port",
        str(port),
        "--tls-cert-file",
        certificate,
        "--tls-key-file",
        key,
        "--tls-auth-clients",
        "no",
    )
    with RedisServer(tmp_path, *map(str, options)):
        stranger, _ = await opened(f"rediss://{LOOPBACK}:{port}")
        assert not stranger.stats.is_up
        await stranger.close()
        bus, inbox = await opened(f"rediss://{LOOPBACK}:{port}?ssl_ca_certs={certificate}")
        try:
            bus.subscribe("a")
            await inbox.until(lambda: "a" in inbox.heard)
            bus.publish("a", b"1")
            assert await inbox.has(1) == [("a", b"1")]
        finally:
            await bus.close()


async def test_installations_with_other_prefixes_do_not_hear_each_other(redis_url: str) -> None:
    one, _ = await opened(redis_url, "one:")
    other, inbox = await opened(redis_url, "other:")
    try:
        other.subscribe("a")
        await inbox.until(lambda: "a" in inbox.heard)
        one.publish("a", b"of the one")
        await eventually(lambda: one.stats.published > 0)
        other.publish("a", b"of the other")
        assert await inbox.has(1) == [("a", b"of the other")]
    finally:
        await one.close()
        await other.close()


async def test_opening_and_closing_leaves_nothing_behind(redis_url: str) -> None:
    async def once() -> None:
        bus, _ = await opened(redis_url, uuid4().hex)
        bus.subscribe("a")
        bus.publish("a", b"x")
        await bus.close()

    await once()
    async with no_leaks():
        for _ in range(20):
            await once()
