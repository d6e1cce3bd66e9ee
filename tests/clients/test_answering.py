"""Answers over the websocket: their verdicts, also across reconnects, and their rejections."""

import asyncio
from typing import Any

import pytest

from stepgate_client import (
    Answer,
    AnswerRejected,
    Backoff,
    Client,
    ConnectionFailed,
    NotFound,
    PropertyResponse,
    RequestRefused,
    SubscriptionEnded,
    Unavailable,
    VerdictMissing,
)
from tests.clients.scripted import Peer, scripted
from tests.support import deadline, eventually, no_leaks

pytestmark = pytest.mark.anyio

YES = Answer(question_response=1, comment="fine")


async def stages(client: Client, **options: Any) -> list[str]:
    async with asyncio.timeout(deadline(1)):
        return [verdict.stage async for verdict in client.answer_stages("J1", "s1", YES, **options)]


async def tell(peer: Peer, request_id: str, stage: str, **more: Any) -> None:
    await peer.send("StepAnswer", requestId=request_id, jobId="J1", stepId="s1", stage=stage, **more)


async def test_an_answer_is_stored_then_applied() -> None:
    frames: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        frames.append(await peer.frame())
        request_id = frames[0]["requestId"]
        await peer.send("Ack", requestId=request_id, jobId="J1", stepId="s1", promptId="p1", stage="stored")
        await tell(peer, "of another sender", "applied")
        await tell(peer, request_id, "applied", promptId="p1")
        await peer.hold()

    async with scripted([script]) as server, server.client() as client:
        assert await stages(client, prompt_id="p1", request_id="r1") == ["stored", "applied"]
    body = {
        "jobId": "J1",
        "stepId": "s1",
        "questionResponse": 1,
        "comment": "fine",
        "promptId": "p1",
        "requestId": "r1",
    }
    assert frames == [{"msgType": "StepInformation", "requestId": "r1", "token": "t0", "message": body}]


async def test_property_answers_travel_as_text() -> None:
    async def script(peer: Peer) -> None:
        message = (await peer.frame())["message"]
        assert message["propertyResponses"] == [{"identifier": "site.acres", "value": "12.5"}]
        await peer.send("Ack", requestId=message["requestId"], stage="applied")
        await peer.hold()

    async with scripted([script]) as server, server.client() as client:
        answer = Answer(property_responses=[PropertyResponse(identifier="site.acres", value="12.5")])
        verdict = await client.answer("J1", "s1", answer)
    assert verdict.is_final


@pytest.mark.parametrize("reason", ["already_answered", "not_waiting", "not_allowed", "invalid"])
async def test_a_rejection_at_once_raises(reason: str) -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.frame()
        await peer.send("Error", requestId=frame["requestId"], msg="Not that.", msgCode=reason)
        await peer.hold()

    async with scripted([script]) as server, server.client() as client:
        with pytest.raises(AnswerRejected, match=r"Not that\.") as caught:
            await stages(client)
    assert caught.value.reason == reason


async def test_a_rejection_after_storing_raises() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.frame()
        await peer.send("Ack", requestId=frame["requestId"], stage="stored")
        await tell(peer, frame["requestId"], "rejected", reason="already_answered", msg="Ben was first.")
        await peer.hold()

    async with scripted([script]) as server, server.client() as client:
        verdicts = client.answer_stages("J1", "s1", YES)
        assert (await anext(verdicts)).stage == "stored"
        with pytest.raises(AnswerRejected, match=r"Ben was first\.") as caught:
            await anext(verdicts)
    assert caught.value.reason == "already_answered"


async def test_an_answer_whose_socket_breaks_is_sent_again_with_the_same_request_id() -> None:
    """The connection dies between storing and the final verdict: the sender must still learn it."""
    sent: list[str] = []

    async def first(peer: Peer) -> None:
        sent.append((await peer.frame())["requestId"])
        await peer.send("Ack", requestId=sent[0], stage="stored")
        await peer.close(1012)

    async def second(peer: Peer) -> None:
        sent.append((await peer.frame())["requestId"])
        await peer.send("Ack", requestId=sent[0], stage="stored")
        await tell(peer, sent[0], "applied")
        await peer.hold()

    async with scripted([first, second]) as server, server.client() as client:
        assert await stages(client) == ["stored", "applied"]
    assert sent[0] == sent[1]


async def test_answers_share_one_socket_and_get_their_own_verdicts() -> None:
    async def script(peer: Peer) -> None:
        ids = [(await peer.frame())["requestId"] for _ in range(20)]
        for request_id in reversed(ids):
            await tell(peer, request_id, "applied", promptId=request_id)
        await peer.hold()

    async with scripted([script]) as server, server.client() as client:
        answers = [client.answer("J1", "s1", YES, request_id=f"r{number}") for number in range(20)]
        async with asyncio.timeout(deadline(1)):
            verdicts = await asyncio.gather(*answers)
    assert [verdict.prompt_id for verdict in verdicts] == [f"r{number}" for number in range(20)]


async def test_a_verdict_that_does_not_come_says_how_far_the_answer_was() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.frame()
        await peer.send("Ack", requestId=frame["requestId"], stage="stored")
        await peer.hold()

    async with scripted([script]) as server, server.client() as client:
        with pytest.raises(VerdictMissing, match="stored, and not applied") as caught:
            await stages(client, request_id="r1", timeout_s=0.2)
    assert (caught.value.request_id, caught.value.stage) == ("r1", "stored")


async def test_nobody_keeps_connecting_for_an_answer_that_was_given_up() -> None:
    async with scripted([]) as server:
        pass  # its port is closed now
    async with no_leaks():
        client = Client(server.url, token="t0", backoff=Backoff(base_s=0.01, cap_s=0.01))
        with pytest.raises(VerdictMissing, match="did not reply"):
            await stages(client, timeout_s=0.1)
        await client.close()


async def test_a_request_id_under_way_cannot_be_used_twice() -> None:
    arrived = asyncio.Event()

    async def script(peer: Peer) -> None:
        frame = await peer.frame()
        arrived.set()
        await peer.frame()
        await tell(peer, frame["requestId"], "applied")
        await peer.hold()

    async with scripted([script]) as server, server.client() as client:
        first = asyncio.create_task(stages(client, request_id="r1"))
        await arrived.wait()
        with pytest.raises(ValueError, match="under way"):
            await stages(client, request_id="r1")
        with pytest.raises(VerdictMissing):
            await stages(client, request_id="r2", timeout_s=0.05)
        assert await first == ["applied"]


@pytest.mark.parametrize(
    ("code", "kind"), [("unavailable", Unavailable), ("not_found", NotFound), ("malformed", RequestRefused)], ids=str
)
async def test_other_refusals_of_the_frame_keep_their_kind(code: str, kind: type[Exception]) -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.frame()
        await peer.send("Error", requestId=frame["requestId"], msg="No.", msgCode=code)
        await peer.hold()

    async with scripted([script]) as server, server.client() as client:
        with pytest.raises(kind, match=r"No\."):
            await stages(client)


async def test_a_socket_ended_for_good_ends_the_answers_on_it() -> None:
    async def script(peer: Peer) -> None:
        await peer.frame()
        await peer.close(4500, "access was taken away")

    async with scripted([script]) as server, server.client() as client:
        with pytest.raises(SubscriptionEnded, match="access was taken away"):
            await stages(client)


async def test_the_next_answer_after_an_idle_socket_was_closed_opens_a_new_one() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.frame()
        await tell(peer, frame["requestId"], "applied")
        await peer.close(1001)

    async with scripted([script, script]) as server, server.client() as client:
        assert await stages(client) == ["applied"]
        await eventually(lambda: client._answers._task is None or client._answers._task.done())
        assert await stages(client) == ["applied"]


async def test_closing_the_client_ends_answers_under_way() -> None:
    arrived = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.frame()
        arrived.set()
        await peer.hold()

    async with scripted([script]) as server:
        client = server.client()
        answer = asyncio.create_task(stages(client))
        await arrived.wait()
        await client.close()
        with pytest.raises(ConnectionFailed, match="client was closed"):
            await answer
