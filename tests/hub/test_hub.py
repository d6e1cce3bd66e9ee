"""Subscribing, fan-out and healing, on a real store of each kind; the sockets are the test's own."""

import asyncio
from collections.abc import Callable, Collection
from itertools import pairwise
from random import Random

import pytest

from app.bus.memory import Exchange, MemoryBus
from app.errors import QuotaExceeded
from app.hub.channel import Since
from app.services.engine import Unit
from tests.hub.nodes import Feed, Node, Peer, open_node, peer_of
from tests.support import deadline, eventually
from tests.support.world import World, user

pytestmark = pytest.mark.anyio


async def test_a_subscriber_gets_the_state_and_then_what_happens(node: Node, feed: Feed) -> None:
    await feed.write(3)
    start = await feed.seq()
    _, peer = await node.subscribed(feed.job_id)
    node.hub.publish(await feed.write(2))
    await peer.until(lambda: len(peer.seqs) == 2)
    assert peer.types == ["JobState", "StepProgress", "StepProgress"]
    state = peer.states[0]
    assert (state["seq"], state["recovered"]) == (start, True)
    assert state["epoch"] == await feed.epoch()
    assert state["jobId"] == feed.job_id
    assert [step["stepName"] for step in state["stepStates"]] == ["ONE"]
    assert peer.seqs == [start + 1, start + 2]


async def test_every_subscribe_gets_one_state_per_job_also_when_subscribed_already(node: Node, feed: Feed) -> None:
    session, peer = await node.subscribed(feed.job_id)
    node.hub.publish(await feed.write(3))
    node.hub.subscribe(session, [feed.job_id, feed.job_id], {}, "again")
    node.hub.subscribe(session, [feed.job_id], {}, "and again")
    await peer.until(lambda: len(peer.states) == 3)
    assert [state.get("senderId") for state in peer.states] == [None, "again", "and again"]
    node.hub.publish(await feed.write(1))
    await peer.until(lambda: len(peer.seqs) == 4)
    assert peer.seqs == sorted(set(peer.seqs)), "no message is sent twice"


async def test_an_unknown_job_is_answered_with_an_error_that_names_it(node: Node, feed: Feed) -> None:
    session = node.session()
    node.hub.subscribe(session, ["nowhere", feed.job_id], {})
    messages = await peer_of(session).has(2)
    error = next(message["message"] for message in messages if message["msgType"] == "Error")
    assert (error["jobId"], error["msgCode"]) == ("nowhere", "not_found")
    assert list(session.channels) == [feed.job_id]
    assert node.hub.stats.channels == 1


async def test_one_job_too_many_is_refused_and_none_of_the_frame_is_subscribed(world: World, feed: Feed) -> None:
    async with open_node(world, max_subscriptions=2) as node:
        session, _ = await node.subscribed(feed.job_id)
        with pytest.raises(QuotaExceeded, match="2 jobs"):
            node.hub.subscribe(session, ["b", "c"], {})
        assert list(session.channels) == [feed.job_id]


async def test_after_unsubscribe_nothing_more_comes_and_the_channel_is_left(node: Node, feed: Feed) -> None:
    session, peer = await node.subscribed(feed.job_id)
    node.hub.publish(await feed.write(1))
    node.hub.unsubscribe(session, [feed.job_id, "never subscribed"])
    assert len(peer.seqs) == 1, "what was due is written before the session leaves"
    node.hub.publish(await feed.write(1))
    await asyncio.sleep(0)
    assert len(peer.seqs) == 1
    assert node.hub.stats.channels == 0


async def test_messages_out_of_order_and_twice_arrive_once_in_order(node: Node, feed: Feed) -> None:
    _, peer = await node.subscribed(feed.job_id)
    messages = await feed.write(20)
    mixed = messages * 2
    Random(7).shuffle(mixed)
    for message in mixed:
        node.hub.publish([message])
    await peer.until(lambda: len(peer.seqs) == 20)
    assert peer.seqs == [message.seq for message in messages]
    assert node.hub.stats.gaps == 0


async def test_a_gap_is_closed_from_the_store(node: Node, feed: Feed) -> None:
    _, peer = await node.subscribed(feed.job_id)
    messages = await feed.write(50)
    node.hub.publish([messages[0], messages[-1]])
    await peer.until(lambda: len(peer.seqs) == 50)
    assert peer.seqs == [message.seq for message in messages]
    assert node.hub.stats.gaps == 1


async def test_a_gap_wider_than_one_read_is_closed_piece_by_piece(node: Node, feed: Feed) -> None:
    _, peer = await node.subscribed(feed.job_id)
    messages = await feed.write(2_500)
    node.hub.publish(messages[-1:])
    await peer.until(lambda: len(peer.seqs) == 2_500, 5)
    assert peer.seqs == [message.seq for message in messages]


async def test_the_sweep_finds_what_was_never_published(world: World, feed: Feed) -> None:
    async with open_node(world, sweep_s=0.02) as node:
        _, peer = await node.subscribed(feed.job_id)
        messages = await feed.write(3)
        await peer.until(lambda: len(peer.seqs) == 3)
        assert peer.seqs == [message.seq for message in messages]
        assert node.hub.stats.swept == 3


@pytest.mark.parametrize("kept", [0, 3, 7])
async def test_who_comes_back_gets_what_was_missed_then_the_state_then_the_rest(
    node: Node, feed: Feed, kept: int
) -> None:
    start = await feed.seq()
    messages = await feed.write(7)
    session = node.session()
    node.hub.subscribe(session, [feed.job_id], {feed.job_id: Since(start + kept, await feed.epoch())})
    node.hub.publish(await feed.write(2))
    peer = peer_of(session)
    await peer.until(lambda: peer.seqs[-1:] == [start + 9] and peer.states)
    assert peer.states[0]["recovered"] is True
    assert "reason" not in peer.states[0]
    state_at = peer.types.index("JobState")
    before = [message["seq"] for message in peer.messages[:state_at]]
    after = [message["seq"] for message in peer.messages[state_at + 1 :]]
    assert before + after == list(range(start + kept + 1, start + 10))
    assert (before[-1] if before else start + kept) == peer.states[0]["seq"]
    assert messages[-1].seq <= peer.states[0]["seq"]


@pytest.mark.parametrize(
    ("since", "reason"),
    [(("other", 0), "epoch_changed"), (("same", 10_000), "ahead"), (("same", 0), "too_many")],
)
async def test_who_cannot_be_recovered_is_told_why(
    world: World, feed: Feed, since: tuple[str, int], reason: str
) -> None:
    async with open_node(world, max_replay_messages=5) as node:
        await feed.write(6)
        epoch = await feed.epoch() if since[0] == "same" else since[0]
        _, peer = await node.subscribed(feed.job_id, since={feed.job_id: Since(since[1], epoch)})
        assert (peer.states[0]["recovered"], peer.states[0]["reason"]) == (False, reason)
        assert peer.types == ["JobState"]
        assert node.hub.stats.not_recovered == 1


async def test_more_bytes_than_may_be_sent_again_are_too_many(world: World, feed: Feed) -> None:
    async with open_node(world, hard_unsent_bytes=300_000) as node:
        seq = await feed.seq()
        await feed.write(40, size=10_000)
        epoch = await feed.epoch()
        _, peer = await node.subscribed(feed.job_id, since={feed.job_id: Since(seq, epoch)})
        assert peer.states[0]["reason"] == "too_many"
        _, near = await node.subscribed(feed.job_id, since={feed.job_id: Since(seq + 30, epoch)})
        assert near.states[0]["recovered"] is True
        assert len(near.seqs) == 10


async def test_one_message_above_the_limit_is_too_many_and_no_endless_loop(world: World, feed: Feed) -> None:
    async with open_node(world, hard_unsent_bytes=300_000) as node:
        seq = await feed.seq()
        await feed.write(1, size=200_000)
        _, peer = await node.subscribed(feed.job_id, since={feed.job_id: Since(seq, await feed.epoch())})
        assert peer.states[0]["reason"] == "too_many"


async def test_while_messages_flow_nobody_who_joins_or_comes_back_misses_or_repeats_one(node: Node, feed: Feed) -> None:
    start = await feed.seq()
    epoch = await feed.epoch()
    peers: list[Peer] = []
    for round_number in range(30):
        node.hub.publish(await feed.write(3))
        for since in ({}, {feed.job_id: Since(start + round_number, epoch)}):
            session = node.session()
            node.hub.subscribe(session, [feed.job_id], since)
            peers.append(peer_of(session))
    last = await feed.seq()
    for number, peer in enumerate(peers):
        await peer.reaches(last)
        if number % 2:
            assert peer.seqs == list(range(start + number // 2 + 1, last + 1))
        else:
            assert peer.seqs == list(range(peer.states[0]["seq"] + 1, last + 1))


async def test_a_herd_of_subscribers_shares_few_reads(node: Node, feed: Feed) -> None:
    await feed.write(5)
    epoch = await feed.epoch()
    sessions = [node.session() for _ in range(500)]
    for number, session in enumerate(sessions):
        node.hub.subscribe(session, [feed.job_id], {feed.job_id: Since(number % 5, epoch)})
    for session in sessions:
        await peer_of(session).stated()
    assert node.hub.stats.reads <= 3
    assert node.hub.stats.recovered == 500


async def test_a_session_that_does_not_read_waits_for_its_states_and_holds_up_nobody(
    node: Node, world: World, template: str
) -> None:
    feeds = [Feed(world, await world.create(template)) for _ in range(3)]
    session = node.session()
    slow = peer_of(session)
    slow.is_congested = True
    node.hub.subscribe(session, [feed.job_id for feed in feeds], {})
    _, quick = await node.subscribed(feeds[0].job_id)
    assert (len(quick.states), slow.messages) == (1, [])
    slow.drain()
    await slow.until(lambda: len(slow.states) == 3)


async def test_viewers_outside_the_audience_get_the_short_form_live_replayed_and_in_the_state(
    node: Node, feed: Feed
) -> None:
    _, theirs = await node.subscribed(feed.job_id, "ana")
    _, others = await node.subscribed(feed.job_id, "ben")
    seq = await feed.seq()
    plain, secret = [(await feed.write(1))[0], (await feed.write(1, audience=user("ana"), describes="one"))[0]]
    node.hub.publish([plain, secret])
    for peer, text in ((theirs, "full"), (others, "short")):
        await peer.numbered(2)
        assert [message["message"]["msg"] for message in peer.messages[1:]] == ["full", text]
    since = {feed.job_id: Since(seq, await feed.epoch())}
    for name, text in (("ana", "full"), ("ben", "short")):
        _, peer = await node.subscribed(feed.job_id, name, since)
        assert peer.messages[1]["message"]["msg"] == text
        assert peer.states[0]["stepStates"][0]["messageDetails"]["message"]["msg"] == text


async def test_a_broken_socket_does_not_stop_the_others(node: Node, feed: Feed) -> None:
    peers = [(await node.subscribed(feed.job_id))[1] for _ in range(3)]
    peers[1].is_broken = True
    node.hub.publish(await feed.write(1))
    for peer in (peers[0], peers[2]):
        await peer.numbered(1)
    assert peers[1].is_aborted


async def test_messages_of_several_jobs_reach_a_socket_in_one_write(node: Node, world: World, template: str) -> None:
    feeds = [Feed(world, await world.create(template)) for _ in range(5)]
    session = node.session()
    peer = peer_of(session)
    node.hub.subscribe(session, [feed.job_id for feed in feeds], {})
    await peer.until(lambda: len(peer.states) == 5)
    before = peer.writes
    node.hub.publish([message for feed in feeds for message in await feed.write(2)])
    await peer.until(lambda: len(peer.seqs) == 10)
    assert peer.writes == before + 1
    for feed in feeds:
        own = [message["seq"] for message in peer.messages[5:] if message["message"]["jobId"] == feed.job_id]
        assert all(earlier + 1 == later for earlier, later in pairwise(own))


async def test_a_session_that_ends_leaves_nothing_behind(node: Node, feed: Feed) -> None:
    session, peer = await node.subscribed(feed.job_id)
    waiting = node.session()
    node.hub.subscribe(waiting, [feed.job_id], {})
    for ended in (session, waiting, session):
        node.hub.end_session(ended)
    node.hub.publish(await feed.write(1))
    assert (node.hub.stats.sessions, node.hub.stats.channels) == (0, 0)
    assert peer.seqs == []


async def test_the_end_of_a_token_closes_the_socket_unless_a_later_one_came(node: Node) -> None:
    now_ms = node.world.store.now_ms()
    short, renewed = node.session(expires_ms=now_ms + 50), node.session(expires_ms=now_ms + 50)
    node.hub.extend(renewed, now_ms + 3_600_000)
    await peer_of(short).until(lambda: peer_of(short).closed)
    assert peer_of(short).closed is not None
    assert peer_of(short).closed[0] == 4001  # type: ignore[index]
    assert peer_of(renewed).closed is None


def disable_ana(unit: Unit) -> None:
    unit.tx.set_disabled("ana", True)
    unit.tx.bump_access(unit.item)


async def test_lost_access_closes_sessions_and_new_groups_change_the_view(world: World, feed: Feed) -> None:
    async with open_node(world, sweep_s=0.02) as node:
        await world.add_user("ana")
        group = await world.add_user("ben")
        version = (await world.query(lambda unit: unit.item)).access_version
        ana, ben = node.session("ana"), node.session("ben", groups=frozenset({"old"}))
        newer = node.session("ana")  # judged by a newer version: must not hide the older one
        ana.access_version = ben.access_version = version
        assert newer.access_version > version
        await world.execute(disable_ana)
        await peer_of(ana).until(lambda: peer_of(ana).closed)
        assert peer_of(ana).closed[0] == 4500  # type: ignore[index]
        assert peer_of(ben).closed is None
        assert ben.groups == {group}


async def test_close_tells_the_sessions_to_come_back(world: World) -> None:
    async with open_node(world) as node:
        peer = peer_of(node.session())
    assert peer.closed is not None
    assert peer.closed[0] == 1012


async def test_a_node_that_ends_lets_its_sessions_go_little_by_little(world: World) -> None:
    async with open_node(world) as node:
        peers = [peer_of(node.session()) for _ in range(100)]
        draining = asyncio.create_task(node.hub.drain(60))
        await asyncio.sleep(0)
        assert node.hub.is_draining
        assert 0 < sum(peer.closed is not None for peer in peers) < 20
        async with asyncio.timeout(deadline(1)):
            await draining
        assert {peer.closed[0] for peer in peers if peer.closed} == {1012}
        assert all(peer.closed for peer in peers)


async def test_however_many_they_are_it_takes_no_longer_than_it_may_and_no_time_when_nobody_is_there(
    world: World,
) -> None:
    async with open_node(world) as node:
        draining = asyncio.create_task(node.hub.drain(5))
        await asyncio.sleep(0)
        assert draining.done()
        peers = [peer_of(node.session()) for _ in range(50)]
        draining = asyncio.create_task(node.hub.drain(0))
        await asyncio.sleep(0)
        assert all(peer.closed for peer in peers)
        await draining


async def test_a_second_node_hears_over_the_bus_and_the_echo_is_dropped(world: World, feed: Feed, backend: str) -> None:
    if backend == "sqlite":
        pytest.skip("SQLite means one serving process")
    exchange = Exchange()
    async with open_node(world, exchange) as one, open_node(world, exchange) as other:
        _, here = await one.subscribed(feed.job_id)
        _, there = await other.subscribed(feed.job_id)
        messages = await feed.write(3)
        one.hub.publish(messages)
        for peer in (here, there):
            await peer.numbered(3)
        await asyncio.sleep(0)
        assert here.seqs == there.seqs == [message.seq for message in messages]
        assert (one.hub.stats.received, other.hub.stats.received) == (0, 3)


async def test_a_change_of_access_on_one_node_reaches_the_sessions_of_the_other_at_once(
    world: World, backend: str
) -> None:
    """The sweep, which would find it too, is a minute away."""
    if backend == "sqlite":
        pytest.skip("SQLite means one serving process")
    await world.add_user("ana")
    group = await world.add_user("ben")
    version = (await world.query(lambda unit: unit.item)).access_version
    exchange = Exchange()
    async with open_node(world, exchange) as one, open_node(world, exchange) as other:
        sessions = [node.session(name) for name in ("ana", "ben") for node in (one, other)]
        for session in sessions:
            session.access_version = version
        await world.execute(disable_ana)
        one.hub.access_changed()
        for session in sessions[:2]:
            peer = peer_of(session)
            assert (await peer.until(lambda peer=peer: peer.closed))[0] == 4500  # type: ignore[misc]
        await eventually(lambda: all(session.groups == {group} for session in sessions[2:]))
        assert all(peer_of(session).closed is None for session in sessions[2:])


async def test_a_last_message_the_bus_has_lost_is_found_by_the_sweep(world: World, feed: Feed) -> None:
    exchange = Exchange()
    async with open_node(world, exchange) as one, open_node(world, exchange, sweep_s=0.02) as other:
        _, there = await other.subscribed(feed.job_id)
        await one.bus.close()
        one.hub.publish(await feed.write(1))
        await there.until(lambda: len(there.seqs) == 1, deadline(1))


class HeldBus(MemoryBus):
    """A bus that takes its time to hear a channel: until the test says so, if ever."""

    def __init__(self) -> None:
        super().__init__()
        self.pending: list[str] = []
        self._tell: Callable[[Collection[str]], None] = lambda _: None

    async def open(
        self, handler: Callable[[str, bytes], None], heard: Callable[[Collection[str]], None] | None = None
    ) -> None:
        assert heard is not None
        self._tell = heard
        await super().open(handler)

    def subscribe(self, channel: str) -> bool:
        self.pending.append(channel)
        return True

    def hear(self) -> None:
        self._tell(self.pending)


async def test_a_first_state_is_read_once_the_bus_hears_the_channel(
    world: World, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message committed elsewhere after the state was read and before the channel was heard would be missed."""
    monkeypatch.setattr("app.hub.hub.HEARD_S", 10_000)
    bus = HeldBus()
    async with open_node(world, bus=bus) as node:
        sessions = [node.session() for _ in range(2)]
        for session in sessions:
            node.hub.subscribe(session, [feed.job_id], {})
        [unseen] = await feed.write()
        assert not any(peer_of(session).messages for session in sessions)
        bus.hear()
        for session in sessions:
            await peer_of(session).stated()
            assert peer_of(session).states[0]["seq"] == unseen.seq


async def test_a_state_does_not_wait_long_for_the_bus_and_what_lies_between_is_found(
    world: World, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.hub.hub.HEARD_S", 0.01)
    bus = HeldBus()
    async with open_node(world, bus=bus) as node:
        _, peer = await node.subscribed(feed.job_id)
        [unseen] = await feed.write()
        await heard_until(bus, lambda: peer.seqs == [unseen.seq])


async def test_who_leaves_before_the_channel_is_heard_is_told_nothing(world: World, feed: Feed) -> None:
    bus = HeldBus()
    async with open_node(world, bus=bus) as node:
        session = node.session()
        node.hub.subscribe(session, [feed.job_id], {})
        node.hub.unsubscribe(session, [feed.job_id])
        bus.hear()
        _, peer = await node.subscribed(feed.job_id)
        assert peer.types == ["JobState"]
        assert peer_of(session).messages == []


async def test_after_an_interruption_one_look_finds_what_was_lost_in_all_channels(
    world: World, template: str, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.hub.hub.HEARD_S", 0.01)
    feeds = [feed, *[Feed(world, await world.create(template)) for _ in range(9)]]
    bus = HeldBus()
    async with open_node(world, bus=bus) as node:
        peers = [(await node.subscribed(each.job_id))[1] for each in feeds]
        reads = node.hub.stats.reads
        lost = [(await each.write(2))[-1].seq for each in feeds]
        await heard_until(bus, lambda: [peer.seqs[-1:] for peer in peers] == [[seq] for seq in lost])
        assert node.hub.stats.swept == 20
        assert node.hub.stats.reads == reads, "no job is read by itself"


async def heard_until(bus: HeldBus, condition: Callable[[], bool]) -> None:
    """Tell again and again that the channels are heard: a look passes over what was committed beside a transaction of
    anybody else on the same PostgreSQL server, also in another database, and the next look finds it."""

    def told() -> bool:
        bus.hear()
        return condition()

    await eventually(told)
