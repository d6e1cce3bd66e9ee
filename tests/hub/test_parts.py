"""The hub's parts that need no store: order, frames, payloads, limits, verdicts."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bus.memory import Exchange, MemoryBus
from app.domain.job import Answer, AssignedType, Assignment
from app.hub.accepting import AcceptLimit
from app.hub.channel import MAX_AHEAD, RING_MESSAGES, Channel
from app.hub.fanout import Fanout
from app.hub.frames import Frame, payloads, text_frame
from app.hub.payload import AccessChanged, decode_payload, encode_payload
from app.hub.post import NodePost
from app.hub.pressure import LOOK_EVERY_S, Limits, Pressure
from app.hub.session import Session
from app.hub.verdicts import Verdicts
from app.services.ports import AnswerRecord, Errand, FeedMessage, PendingAnswer, RunRecord
from tests.hub.nodes import Peer, peer_of
from tests.support import deadline

ANSWER = AnswerRecord(7, "item", 1, "job", "s", "run", "p", "r", "ana", Answer(question_response=1), "applied", None, 5)
LIMITS = Limits(soft_bytes=1_000, soft_s=0, hard_bytes=5_000, budget_bytes=100_000)


def frame(seq: int, size: int = 10) -> Frame:
    return Frame(seq, text_frame(b"x" * size))


def session(number: int = 0) -> Session:
    return Session(str(number), "ana", "org", "item", frozenset({"g"}), 1, 2**53, Peer())


# ---------------------------------------------------------------- order


@given(st.permutations(range(1, 13)), st.lists(st.integers(1, 12), max_size=12), st.integers(0, 12))
def test_in_whatever_order_messages_come_each_passes_once_in_order(
    order: list[int], repeats: list[int], start_after: int
) -> None:
    """The state may be read before, between or after; what it includes does not pass."""
    channel = Channel("org", "item", "job")
    passed: list[int] = []
    for position, seq in enumerate([*order, *repeats]):
        if position == start_after:
            passed += [found.seq for found in channel.start(3)]
        passed += [found.seq for found in channel.offer(frame(seq))]
    if start_after >= len(order) + len(repeats):
        passed += [found.seq for found in channel.start(3)]
    assert passed == list(range(4, 13))
    assert channel.last == 12
    assert not channel.has_gap


def test_the_ring_goes_back_so_far_and_says_when_it_does_not() -> None:
    channel = Channel("org", "item", "job")
    channel.start(0)
    for seq in range(1, RING_MESSAGES + 51):
        channel.offer(frame(seq))
    last = RING_MESSAGES + 50
    assert [found.seq for found in channel.after(last - 3) or []] == [last - 2, last - 1, last]
    assert channel.after(last) == []
    assert len(channel.after(50) or []) == RING_MESSAGES
    assert channel.after(49) is None
    assert channel.after(last + 1) is None


def test_the_ring_is_bounded_in_bytes_too() -> None:
    channel = Channel("org", "item", "job")
    channel.start(0)
    for seq in range(1, 6):
        channel.offer(frame(seq, 60_000))
    assert len(channel.ring) == 2


def test_messages_far_ahead_do_not_pile_up() -> None:
    channel = Channel("org", "item", "job")
    channel.start(0)
    for seq in range(2, 3 * MAX_AHEAD):
        channel.offer(frame(seq))
    assert channel.has_gap
    assert channel.is_news(2), "it was let go, and would be taken again"


# ---------------------------------------------------------------- frames and payloads


@given(st.lists(st.binary(max_size=300), max_size=5), st.sampled_from([0, 125, 126, 65_535, 65_536]))
def test_frames_are_taken_apart_as_they_were_made(parts: list[bytes], size: int) -> None:
    parts = [*parts, b"y" * size]
    assert list(payloads(b"".join(map(text_frame, parts)))) == parts


@pytest.mark.parametrize("audience", [None, Assignment(AssignedType.GROUP, "grüppe"), Assignment()])
@pytest.mark.parametrize("short", [None, b'{"short": true}'])
def test_a_message_crosses_the_bus_as_it_was(audience: Assignment | None, short: bytes | None) -> None:
    message = FeedMessage("item", "jöb", 2**40, "StepHeld", 1_767_225_600_000, b'{"full": "\xc3\xbc"}', short, audience)
    assert decode_payload(encode_payload(message)) == message


def test_verdicts_and_changes_of_access_cross_the_bus() -> None:
    rejected = replace(ANSWER, stage="rejected", reason="not_waiting")
    assert decode_payload(encode_payload(rejected)) == rejected
    assert isinstance(decode_payload(encode_payload(AccessChanged())), AccessChanged)
    run = RunRecord("run", "item", 1, "job", "step", "node", fence=2)
    for errand in (Errand(PendingAnswer("item", 7, "node")), Errand(stop=run), Errand(orphans=True)):
        assert decode_payload(encode_payload(errand)) == errand


@pytest.mark.anyio
async def test_errands_reach_the_node_they_are_for_and_no_other() -> None:
    heard: list[tuple[str, Errand]] = []
    exchange, came = Exchange(), asyncio.Event()

    def hears(name: str, errand: Errand) -> None:
        heard.append((name, errand))
        came.set()

    async def node(name: str) -> NodePost:
        bus = MemoryBus(exchange)
        post = NodePost(bus)
        await bus.open(lambda _, payload: post.arrived(cast("Errand", decode_payload(payload))), post.heard)
        post.listen(name, partial(hears, name))
        return post

    one, two = await node("one"), await node("two")
    two.listen("three", partial(hears, "three"))
    for name in ("one", "two", "three"):
        one.send(name, Errand(orphans=True))
    while len(heard) < 2:
        came.clear()
        await asyncio.wait_for(came.wait(), deadline(1))
    assert sorted(heard) == [("one", Errand(orphans=True)), ("three", Errand(orphans=True))], "two is three now"


def test_a_node_looks_at_once_when_the_bus_hears_its_channel_again() -> None:
    heard: list[Errand] = []
    post = NodePost(MemoryBus())
    post.heard(["node:one"])
    post.listen("one", heard.append)
    post.heard(["item:i", "node:two"])
    assert heard == []
    post.heard(["item:i", "node:one"])
    assert heard == [Errand(orphans=True)]


def test_a_payload_that_is_not_understood_is_nothing() -> None:
    message = encode_payload(FeedMessage("item", "job", 1, "StepHeld", 1, b"{}"))
    for payload in (b"", b"\x01", b"\x02" + message[1:], b"\x01\x09" + message[2:], message[:9], b"\x01\x02\x00\x00{"):
        assert decode_payload(payload) is None


# ---------------------------------------------------------------- fan-out


@pytest.mark.anyio
async def test_a_lone_change_is_written_at_once_and_many_are_gathered() -> None:
    fanout, channel = Fanout(), Channel("org", "item", "job")
    listener = session()
    peer = peer_of(listener)
    channel.start(0)
    channel.sessions.add(listener)

    def publish(seq: int) -> None:
        fanout.change()
        fanout.add(channel, channel.offer(Frame(seq, text_frame(b'{"seq":%d}' % seq))))

    for seq in range(1, 4):
        publish(seq)
        await asyncio.sleep(0)
        assert peer.writes == seq, "one at a time: no waiting"
    for seq in range(4, 8):
        publish(seq)
    await peer.has(7)
    assert peer.writes == 4
    publish(8)
    await asyncio.sleep(0)
    assert len(peer.messages) == 7, "several came together: more are expected"
    publish(9)
    await peer.has(9)
    assert peer.writes == 5
    assert peer.seqs == list(range(1, 10))


# ---------------------------------------------------------------- limits


@pytest.mark.anyio
async def test_over_the_hard_limit_a_peer_is_cut_at_once_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    pressure, slow = Pressure(LIMITS), session()
    peer = peer_of(slow)
    pressure.watch(slow)
    peer.is_congested = True
    peer.unsent_bytes = 5_001
    peer.felt()
    peer.felt()
    assert peer.is_aborted
    assert pressure.cut_count == 1
    assert [record.fields["user"] for record in caplog.records] == ["ana"]  # type: ignore[attr-defined]
    pressure.close()


@pytest.mark.anyio
async def test_between_the_limits_a_peer_is_borne_for_a_while_and_one_that_catches_up_is_left_alone() -> None:
    pressure = Pressure(LIMITS)
    slow, recovering = session(1), session(2)
    for watched in (slow, recovering):
        pressure.watch(watched)
        peer_of(watched).is_congested = True
        peer_of(watched).unsent_bytes = 2_000
        peer_of(watched).felt()
    assert not peer_of(slow).is_aborted
    assert pressure.unsent_bytes == 4_000
    peer_of(recovering).drain()
    await peer_of(slow).until(lambda: peer_of(slow).is_aborted, LOOK_EVERY_S * 4)
    assert not peer_of(recovering).is_aborted
    assert pressure.unsent_bytes == 0
    pressure.close()


@pytest.mark.anyio
async def test_over_the_budget_of_all_the_largest_goes_first() -> None:
    pressure = Pressure(replace(LIMITS, soft_s=deadline(60), budget_bytes=6_000))
    sizes = [1_500, 4_000, 2_500]
    watched = [session(number) for number in range(3)]
    for one, size in zip(watched, sizes, strict=True):
        pressure.watch(one)
        peer_of(one).is_congested = True
        peer_of(one).unsent_bytes = size
        peer_of(one).felt()
    await peer_of(watched[1]).until(lambda: peer_of(watched[1]).is_aborted, LOOK_EVERY_S * 4)
    assert [peer_of(one).is_aborted for one in watched] == [False, True, False]
    pressure.close()


def test_an_address_may_open_its_burst_and_all_together_their_rate() -> None:
    now = [0.0]
    limit = AcceptLimit(per_s=10, burst=3, clock=lambda: now[0])
    assert [limit.admits("a") for _ in range(4)] == [True, True, True, False]
    assert limit.admits("b"), "another address has a burst of its own"
    assert sum(limit.admits(f"c{number}") for number in range(20)) == 6, "together no more than a second's worth"
    now[0] += 0.1
    assert [limit.admits("a") for _ in range(2)] == [True, False]


# ---------------------------------------------------------------- verdicts


@pytest.mark.anyio
async def test_a_verdict_that_came_before_its_watcher_is_kept_and_told_once() -> None:
    verdicts, told = Verdicts(), asyncio.Event()
    heard: list[AnswerRecord] = []

    def hear(answer: AnswerRecord) -> None:
        heard.append(answer)
        told.set()

    verdicts.arrived(ANSWER)
    verdicts.watch(7, hear)
    assert heard == [], "never before watch returns"
    async with asyncio.timeout(deadline(1)):
        await told.wait()
    verdicts.arrived(ANSWER)
    assert heard == [ANSWER]


@pytest.mark.anyio
async def test_a_watcher_that_fails_does_not_stop_the_others_and_one_that_left_hears_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    verdicts = Verdicts()
    heard: list[str] = []

    def fail(_: AnswerRecord) -> None:
        raise RuntimeError("a watcher's mistake")

    def left(_: AnswerRecord) -> None:
        heard.append("left")

    verdicts.watch(7, fail)
    verdicts.watch(7, left)
    verdicts.watch(7, lambda _: heard.append("other"))
    verdicts.unwatch(7, left)
    verdicts.unwatch(7, left)
    verdicts.arrived(ANSWER)
    assert heard == ["other"]
    assert "a watcher's mistake" in caplog.text
    assert verdicts.watched == []
