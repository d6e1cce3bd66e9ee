"""Watching jobs: order, duplicates, reconnects, and what each end of a socket means."""

import asyncio
from typing import Any

import pytest

from stepgate_client import (
    Backoff,
    ConnectionState,
    Notifications,
    PermissionDenied,
    Phase,
    Position,
    ProtocolError,
    SubscriptionEnded,
    SubscriptionRefused,
    Unauthenticated,
)
from stepgate_client.messages import Error, JobState, Message, StepStarted, UnknownMessage
from tests.clients.scripted import Peer, scripted
from tests.support import deadline, no_leaks

pytestmark = pytest.mark.anyio

UNAUTHENTICATED = (401, b'{"error": {"message": "The token has expired.", "type": "Unauthenticated", "details": []}}')


async def take(messages: Notifications, count: int) -> list[Message]:
    """Wait for the next messages."""
    async with asyncio.timeout(deadline(1)):
        return [await anext(messages) for _ in range(count)]


def numbers(messages: list[Message]) -> list[tuple[str, int | None]]:
    return [(message.msg_type, message.seq) for message in messages]


async def test_the_first_frame_subscribes_and_carries_the_token() -> None:
    frames: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        frames.append(await peer.frame())
        await peer.state(3)
        await peer.hold()

    async with (
        scripted([script]) as server,
        server.client() as client,
        client.notifications("J1", sender_id="viewer") as messages,
    ):
        [state] = await take(messages, 1)
    assert isinstance(state, JobState)
    assert (state.seq, state.epoch, state.recovered) == (3, "e1", True)
    [frame] = frames
    assert frame.pop("requestId")
    assert frame == {"msgType": "subscribe", "jobIds": ["J1"], "token": "t0", "senderId": "viewer"}
    assert server.tokens == ["Bearer t0"]


async def test_messages_are_typed_and_unknown_types_are_kept() -> None:
    async def script(peer: Peer) -> None:
        await peer.state(0)
        await peer.started(1)
        await peer.send("SomethingNew", 2, jobId="J1", more=[1])
        await peer.hold()

    async with scripted([script]) as server, server.client() as client, client.notifications("J1") as messages:
        _, started, unknown = await take(messages, 3)
    assert started == StepStarted(timestamp=1_767_225_600_000, seq=1, job_id="J1", step_ids=["s1"])
    assert isinstance(unknown, UnknownMessage)
    assert (unknown.msg_type, unknown.job_id, unknown.seq, unknown.body["more"]) == ("SomethingNew", "J1", 2, [1])
    assert b'"SomethingNew"' in unknown.frame


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 4000, 4499])
async def test_a_close_code_that_means_come_back_resumes_where_the_feed_was(code: int) -> None:
    frames: list[dict[str, Any]] = []

    async def first(peer: Peer) -> None:
        await peer.frame()
        await peer.state(5)
        await peer.started(6)
        await peer.close(code, "moving on")

    async def second(peer: Peer) -> None:
        frames.append(await peer.frame())
        await peer.started(7)
        await peer.state(7)
        await peer.started(8)
        await peer.hold()

    async with (
        scripted([first, second]) as server,
        server.client() as client,
        client.notifications("J1") as messages,
    ):
        got = numbers(await take(messages, 5))
    assert got == [("JobState", 5), ("StepStarted", 6), ("StepStarted", 7), ("JobState", 7), ("StepStarted", 8)]
    assert frames[0]["since"] == {"J1": {"seq": 6, "epoch": "e1"}}


async def test_a_connection_that_breaks_is_made_again() -> None:
    async def first(peer: Peer) -> None:
        await peer.state(1)
        await peer.frame()
        await peer.cut()

    async def second(peer: Peer) -> None:
        await peer.state(1)
        await peer.hold()

    async with (
        scripted([first, second]) as server,
        server.client() as client,
        client.notifications("J1") as messages,
    ):
        assert numbers(await take(messages, 2)) == [("JobState", 1), ("JobState", 1)]


@pytest.mark.parametrize("code", [1008, 1009, 4500, 4999])
async def test_a_close_code_that_means_stop_raises(code: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.state(1)
        await peer.close(code, "access was taken away")

    async with scripted([script]) as server, server.client() as client, client.notifications("J1") as messages:
        await take(messages, 1)
        with pytest.raises(SubscriptionEnded, match="access was taken away") as caught:
            await take(messages, 1)
        assert caught.value.code == code
        assert messages.state.phase is Phase.CLOSED


async def test_messages_seen_before_are_dropped() -> None:
    async def first(peer: Peer) -> None:
        await peer.state(1)
        for seq in (2, 2, 3, 1, 3, 4):
            await peer.started(seq)
        await peer.close(1012)

    async def second(peer: Peer) -> None:
        for seq in (3, 4, 5):
            await peer.started(seq)
        await peer.state(5)
        await peer.started(5)
        await peer.started(6)
        await peer.hold()

    async with (
        scripted([first, second]) as server,
        server.client() as client,
        client.notifications("J1") as messages,
    ):
        got = numbers(await take(messages, 7))
    assert [seq for kind, seq in got if kind == "StepStarted"] == [2, 3, 4, 5, 6]


async def test_a_gap_between_live_messages_makes_the_client_resume() -> None:
    """A lost message must not stay lost: the client asks again from the last number it has."""
    frames: list[dict[str, Any]] = []

    async def first(peer: Peer) -> None:
        await peer.state(1)
        await peer.started(3)
        await peer.hold()

    async def second(peer: Peer) -> None:
        frames.append(await peer.frame())
        await peer.started(2)
        await peer.started(3)
        await peer.state(3)
        await peer.hold()

    async with (
        scripted([first, second]) as server,
        server.client() as client,
        client.notifications("J1") as messages,
    ):
        got = numbers(await take(messages, 4))
    assert got == [("JobState", 1), ("StepStarted", 2), ("StepStarted", 3), ("JobState", 3)]
    assert frames[0]["since"]["J1"]["seq"] == 1


async def test_what_cannot_be_recovered_is_said_and_counted_from_anew() -> None:
    """After a restore the numbers start lower: they must not be taken for duplicates."""

    async def first(peer: Peer) -> None:
        await peer.state(50)
        await peer.close(1012)

    async def second(peer: Peer) -> None:
        await peer.state(2, epoch="e2", recovered=False, reason="epoch_changed")
        await peer.started(3)
        await peer.hold()

    async with (
        scripted([first, second]) as server,
        server.client() as client,
        client.notifications("J1") as messages,
    ):
        _, lost, after = await take(messages, 3)
        assert messages.positions == {"J1": Position(3, "e2")}
    assert isinstance(lost, JobState)
    assert (lost.recovered, lost.reason, after.seq) == (False, "epoch_changed", 3)


async def test_a_position_of_an_earlier_day_is_sent_at_the_first_subscribe() -> None:
    async def script(peer: Peer) -> None:
        assert (await peer.frame())["since"] == {"J1": {"seq": 7, "epoch": "e1"}}
        await peer.started(8)
        await peer.state(8)
        await peer.hold()

    async with (
        scripted([script]) as server,
        server.client() as client,
        client.notifications("J1", "J2", since={"J1": Position(7, "e1")}) as messages,
    ):
        assert numbers(await take(messages, 2)) == [("StepStarted", 8), ("JobState", 8)]


async def test_each_connection_gets_a_fresh_token() -> None:
    given = iter(["t1", "t2", "t3", "t4", "t5"])

    async def renew() -> str:
        return next(given)

    async def first(peer: Peer) -> None:
        assert (await peer.frame())["token"] == "t2"
        await peer.close(4001, "the token has expired")

    async def second(peer: Peer) -> None:
        assert (await peer.frame())["token"] == "t4"
        await peer.state(1)
        await peer.hold()

    async with (
        scripted([first, second]) as server,
        server.client(get_token=renew) as client,
        client.notifications("J1") as messages,
    ):
        await take(messages, 1)
    assert server.tokens == ["Bearer t1", "Bearer t3"]


async def test_a_refused_token_raises_and_is_not_tried_again() -> None:
    async with (
        scripted([UNAUTHENTICATED]) as server,
        server.client() as client,
        client.notifications("J1") as messages,
    ):
        with pytest.raises(Unauthenticated, match="The token has expired"):
            await take(messages, 1)
    assert len(server.tokens) == 1


async def test_a_forbidden_item_raises() -> None:
    async with (
        scripted([(403, b"no")]) as server,
        server.client() as client,
        client.notifications("J1") as messages,
    ):
        with pytest.raises(PermissionDenied, match="403"):
            await take(messages, 1)


async def test_a_server_that_is_not_ready_is_tried_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.state(1)
        await peer.hold()

    states: list[ConnectionState] = []
    async with (
        scripted([(503, b"starting"), (502, b"<html>"), script]) as server,
        server.client() as client,
        client.notifications("J1", on_state=states.append) as messages,
    ):
        await take(messages, 1)
    phases = [state.phase for state in states]
    assert phases == ["connecting", "waiting", "connecting", "waiting", "connecting", "open", "closed"]
    assert [state.failures for state in states if state.phase is Phase.WAITING] == [1, 2]
    assert states[1].cause is not None


async def test_the_pause_grows_until_the_server_does_its_work_and_then_starts_over() -> None:
    """A server that accepts each socket and closes it at once must not be hammered."""

    async def useless(peer: Peer) -> None:
        await peer.close(1013)

    async def useful(peer: Peer) -> None:
        await peer.state(1)
        await peer.close(1012)

    async def last(peer: Peer) -> None:
        await peer.state(1)
        await peer.hold()

    pauses: list[int] = []

    def note(state: ConnectionState) -> None:
        if state.phase is Phase.WAITING:
            pauses.append(state.failures)

    async with (
        scripted([useless, useless, useful, last]) as server,
        server.client() as client,
        client.notifications("J1", on_state=note) as messages,
    ):
        await take(messages, 2)
    assert pauses == [1, 2, 1]


def test_full_jitter_doubles_its_ceiling_up_to_the_cap() -> None:
    longest = Backoff(base_s=1, cap_s=10, chance=lambda: 1.0)
    assert [longest.wait_s(failures) for failures in (1, 2, 3, 4, 5, 5000)] == [1, 2, 4, 8, 10, 10]
    assert Backoff(chance=lambda: 0.0).wait_s(1) == 0


async def test_a_refused_job_is_told_and_the_others_go_on() -> None:
    async def script(peer: Peer) -> None:
        await peer.send("Error", jobId="J2", msg="No such job.", msgCode="not_found")
        await peer.state(1)
        await peer.hold()

    async with scripted([script]) as server, server.client() as client, client.notifications("J1", "J2") as messages:
        error, state = await take(messages, 2)
    assert isinstance(error, Error)
    assert (error.job_id, error.msg_code) == ("J2", "not_found")
    assert isinstance(state, JobState)


async def test_the_refusal_of_the_last_job_raises() -> None:
    async def script(peer: Peer) -> None:
        await peer.send("Error", jobId="J1", msg="No such job.", msgCode="not_found")
        await peer.hold()

    async with scripted([script]) as server, server.client() as client, client.notifications("J1") as messages:
        with pytest.raises(SubscriptionRefused, match=r"No such job\.") as caught:
            await take(messages, 1)
    assert caught.value.code == "not_found"


async def test_the_refusal_of_the_whole_frame_raises() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.frame()
        await peer.send("Error", requestId=frame["requestId"], msg="Too many jobs.", msgCode="limit")
        await peer.hold()

    async with scripted([script]) as server, server.client() as client, client.notifications("J1") as messages:
        with pytest.raises(SubscriptionRefused, match="Too many jobs"):
            await take(messages, 1)


async def test_jobs_can_be_added_and_dropped_while_watching() -> None:
    async def script(peer: Peer) -> None:
        await peer.frame()
        await peer.state(1)
        assert (await peer.frame())["jobIds"] == ["J2"]
        await peer.state(4, job="J2")
        dropped = await peer.frame()
        assert dropped == {"msgType": "unsubscribe", "jobIds": ["J1"], "token": "t0"}
        await peer.started(2, "J1")
        await peer.started(5, "J2")
        await peer.hold()

    async with scripted([script]) as server, server.client() as client, client.notifications("J1") as messages:
        await take(messages, 1)
        await messages.subscribe("J2", "J1")
        await take(messages, 1)
        await messages.unsubscribe("J1", "J9")
        [message] = await take(messages, 1)
        assert messages.positions == {"J2": Position(5, "e1")}
    assert isinstance(message, StepStarted)
    assert message.job_id == "J2"


async def test_a_wait_that_is_cancelled_loses_no_message() -> None:
    go = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.state(1)
        await go.wait()
        await peer.started(2)
        await peer.hold()

    async with scripted([script]) as server, server.client() as client, client.notifications("J1") as messages:
        await take(messages, 1)
        waiting = asyncio.create_task(anext(messages))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        go.set()
        assert numbers(await take(messages, 1)) == [("StepStarted", 2)]


async def test_a_frame_that_is_no_message_raises() -> None:
    async def script(peer: Peer) -> None:
        await peer.socket.send("[1, 2")
        await peer.hold()

    async with scripted([script]) as server, server.client() as client, client.notifications("J1") as messages:
        with pytest.raises(ProtocolError):
            await take(messages, 1)


async def test_closing_the_client_ends_a_running_iteration_and_leaves_nothing_open() -> None:
    async def script(peer: Peer) -> None:
        await peer.state(1)
        await peer.hold()

    async def round_trip() -> None:
        async with scripted([script]) as server:
            client = server.client()
            seen = [message async for message in _closing_after_first(client.notifications("J1"), client)]
            assert len(seen) == 1

    await round_trip()
    async with no_leaks():
        await round_trip()


async def _closing_after_first(messages: Notifications, client: Any) -> Any:
    async for message in messages:
        yield message
        await client.close()
