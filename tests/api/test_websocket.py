"""The websocket of an item, through the whole application and real sockets."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.api.raw_frames import RawFrameProtocol
from app.services.first_start import ADMIN, ITEM_ID
from app.services.ports import FeedMessage, Store, Tx
from tests.api.served import SERVERS
from tests.api.sockets import ITEM, Client, Site, manual, open_site, question
from tests.conftest import StartServer
from tests.support import deadline, eventually, no_leaks

pytestmark = pytest.mark.anyio

SQLITE_READERS = 4
"""Threads that read beside the writer, by default."""


@pytest.fixture(params=list(SERVERS))
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path / "data", request.param) as served:
        yield served


async def refused(url: str, **headers: str) -> tuple[int, dict[str, Any]]:
    """The status and error object of a refused handshake."""
    with pytest.raises(InvalidStatus) as caught:
        async with connect(url, additional_headers=headers):
            pass
    response = caught.value.response
    return response.status_code, json.loads(bytes(response.body))["error"]


# ---------------------------------------------------------------- the handshake


@pytest.mark.parametrize("header", ["X-Esri-Authorization", "Authorization"])
async def test_the_token_may_come_in_a_header(site: Site, header: str) -> None:
    async with connect(site.url, additional_headers={header: f"Bearer {site.token()}"}) as socket:
        assert await Client(socket).next() == {"connected": True}


async def test_without_a_valid_token_the_handshake_is_refused_with_401(site: Site) -> None:
    expired = site.token(ttl_s=0)
    for url in (site.url, f"{site.url}?token=", f"{site.url}?token=nonsense", f"{site.url}?token={expired}"):
        status, error = await refused(url)
        assert (status, error["code"], error["type"]) == (401, 401, "Unauthenticated")


async def test_an_unknown_item_is_404_and_a_user_without_a_role_403(site: Site) -> None:
    def add(tx: Tx) -> None:
        tx.add_user("nobody", None)

    await site.gateway.engine.store.run(add)
    elsewhere = f"ws://{site.address}/workflow/00000000000000000000000000000002/notificationWs"
    assert (await refused(f"{elsewhere}?token={site.token()}"))[0] == 404
    assert (await refused(f"ws://{site.address}/workflow/%00/notificationWs?token={site.token()}"))[0] == 404
    assert (await refused(f"{site.url}?token={site.token('nobody')}"))[0] == 403
    assert (await refused(f"{site.url}?token={site.token('never existed')}"))[0] == 401


async def test_more_sockets_at_once_than_the_burst_allows_are_turned_away(tmp_path: Path) -> None:
    async with (
        open_site(tmp_path / "data", accept_burst=3, accept_per_s=1) as site,
        contextlib.AsyncExitStack() as open_,
    ):
        for _ in range(1):
            await open_.enter_async_context(site.connected())
        status, error = await refused(f"{site.url}?token={site.token()}")
        assert (status, error["type"]) == (429, "TooManyConnections")


# ---------------------------------------------------------------- subscribing


async def test_a_run_is_told_to_every_subscriber_with_numbered_envelopes(site: Site) -> None:
    job_id = await site.job([manual("one", "two"), manual("two")])
    async with site.connected() as first, site.connected() as second:
        for client in (first, second):
            state = await client.subscribe(job_id, senderId="me")
            assert (state["seq"], state["senderId"], state["recovered"]) == (0, "me", True)
        await site.act(job_id, "Run")
        for client in (first, second):
            frames = [await client.next() for _ in range(2)]
            assert [frame["msgType"] for frame in frames] == ["StepStarted", "StepFinished"]
            assert [frame["seq"] for frame in frames] == [1, 2]
            assert all(isinstance(frame["timestamp"], int) for frame in frames)
            assert all(frame["message"]["jobId"] == job_id for frame in frames)


async def test_who_reconnects_gets_what_was_missed(site: Site) -> None:
    job_id = await site.job([manual("one", "two"), manual("two")])
    async with site.connected() as client:
        state = await client.subscribe(job_id)
    await site.act(job_id, "Hold")
    await site.act(job_id, "ReleaseHold")
    async with site.connected() as client:
        since = {job_id: {"seq": state["seq"], "epoch": state["epoch"]}}
        await client.send(msgType="subscribe", jobIds=[job_id], since=since)
        frames = [await client.next() for _ in range(3)]
    assert [frame["msgType"] for frame in frames] == ["StepHeld", "StepHoldReleased", "JobState"]
    assert (frames[2]["message"]["seq"], frames[2]["message"]["recovered"]) == (2, True)


async def test_two_hundred_sockets_that_subscribe_at_once_share_few_reads(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data") as site, contextlib.AsyncExitStack() as open_:
        job_id = await site.job([manual("one", "two"), manual("two")])
        clients = await asyncio.gather(*(open_.enter_async_context(site.connected()) for _ in range(200)))
        async with asyncio.timeout(deadline(2)):
            await asyncio.gather(*(client.subscribe(job_id) for client in clients))
        assert site.gateway.hub.stats.reads < 50
        await site.act(job_id, "Hold")
        assert {(await client.next())["msgType"] for client in clients} == {"StepHeld"}


async def test_letter_case_of_msg_type_does_not_matter_and_unsubscribe_all_wins(site: Site) -> None:
    job_id = await site.job([manual("one")])
    async with site.connected() as client:
        await client.send(msgType="SUBSCRIBE", jobIds=[job_id])
        await client.until("JobState")
        await client.send(msgType="UnSubscribe", jobIds=[], all=True, requestId="r")
        assert (await client.next())["message"] == {"requestId": "r"}
        await site.act(job_id, "Hold")
        await client.send(msgType="unsubscribe", all=True, requestId="last")
        assert (await client.next())["message"] == {"requestId": "last"}


# ---------------------------------------------------------------- refused frames


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "malformed"),
        ("[]", "malformed"),
        ("7", "malformed"),
        ('{"msgType": "dance"}', "malformed"),
        ('{"msgType": 7}', "malformed"),
        ("{}", "malformed"),
        (b"\x00\x01", "malformed"),
        ('{"msgType": "subscribe"}', "invalid"),
        ('{"msgType": "subscribe", "jobIds": "a"}', "invalid"),
        ('{"msgType": "subscribe", "jobIds": [7]}', "invalid"),
        ('{"msgType": "subscribe", "jobIds": [""]}', "invalid"),
        ('{"msgType": "subscribe", "jobIds": ["a"], "since": {"a": {"seq": -1, "epoch": "e"}}}', "invalid"),
        ('{"msgType": "subscribe", "jobIds": ["a"], "since": {"a": {"seq": 1e30, "epoch": "e"}}}', "invalid"),
        (json.dumps({"msgType": "subscribe", "jobIds": [str(n) for n in range(1001)]}), "limit"),
        ('{"msgType": "unsubscribe"}', "invalid"),
        ('{"msgType": "subscribe", "jobIds": ["a"], "token": "nonsense"}', "unauthenticated"),
        ('{"msgType": "StepInformation", "message": {"jobId": "j"}}', "invalid"),
        ('{"jobId": "nowhere", "stepId": "s", "manualResponse": true}', "not_found"),
        ('{"msgType": "subscribe", "jobIds": ["\\u0000"]}', "malformed"),
        ('{"msgType": "subscribe", "jobIds": ["\\ud800"]}', "malformed"),
        ("[" * 100_000, "malformed"),
    ],
)
async def test_a_bad_frame_gets_one_error_and_the_session_goes_on(
    tmp_path: Path, frame: str | bytes, code: str
) -> None:
    async with open_site(tmp_path / "data") as site, site.connected() as client:
        await client.socket.send(frame)
        error = await client.next()
        assert (error["msgType"], error["message"]["msgCode"]) == ("Error", code)
        assert error["message"]["msg"]
        await client.send(msgType="unsubscribe", all=True, requestId="still here")
        assert (await client.next())["msgType"] == "Ack"
        assert site.gateway.hub.stats.channels == 0


async def test_a_refused_frame_with_a_request_id_gets_one_error_with_it(site: Site) -> None:
    async with site.connected() as client:
        await client.send(msgType="subscribe", requestId="r1")
        error = await client.next()
        assert (error["msgType"], error["message"]["requestId"]) == ("Error", "r1")


async def test_a_frame_above_the_limit_closes_the_socket(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data", max_frame_bytes=2_000) as site, site.connected() as client:
        await client.socket.send("x" * 2_001)
        assert await client.closed() == 1009


# ---------------------------------------------------------------- tokens on an open socket


async def test_the_socket_ends_with_its_token_unless_a_frame_brings_a_later_one(site: Site) -> None:
    async with site.connected(ttl_s=2) as short, site.connected(ttl_s=2) as renewed:
        await renewed.send(msgType="unsubscribe", all=True, token=site.token(), requestId="r")
        assert (await renewed.next())["msgType"] == "Ack"
        assert await short.closed() == 4001
        await renewed.send(msgType="unsubscribe", all=True, requestId="r")
        assert (await renewed.next())["msgType"] == "Ack"


async def test_the_token_of_another_user_is_refused(site: Site) -> None:
    async with site.connected() as client:
        await client.send(msgType="unsubscribe", all=True, token=site.token("somebody else"))
        assert (await client.next())["message"]["msgCode"] == "not_allowed"


@pytest.mark.parametrize("level", ["trace", "debug", "info"])
async def test_no_token_reaches_the_log_at_any_level(start_server: StartServer, level: str) -> None:
    server = start_server(log_level=level)
    url = f"{server.websocket_url}/{ITEM}/notificationWs"
    marked, token = "MARKED-TOKEN-THAT-NOBODY-MAY-SEE", server.token()
    await refused(f"{url}?token={marked}")
    await refused(url, Authorization=f"Bearer {marked}")
    async with connect(
        f"{url}?token={token}", additional_headers={"X-Esri-Authorization": f"Bearer {token}"}
    ) as socket:
        client = Client(socket)
        assert await client.next() == {"connected": True}
        await client.send(msgType="unsubscribe", all=True, token=marked)
        assert (await client.next())["msgType"] == "Error"
    await eventually(lambda: server.log.count("notificationWs") >= 3 or level == "info")
    server.stop()
    assert marked not in server.log
    assert token not in server.log


def test_the_protocol_itself_logs_no_address_whatever_the_level(caplog: pytest.LogCaptureFixture) -> None:
    """The libraries below log request lines; the protocol keeps them quiet also under another program's logging."""
    caplog.set_level(1)
    config = uvicorn.Config(app=lambda: None, ws=RawFrameProtocol, log_config=None)
    config.load()
    protocol = RawFrameProtocol(config, ServerState(), {}, asyncio.new_event_loop())
    protocol.loop.close()
    assert not protocol.conn.debug
    protocol.logger.info('%s - "WebSocket %s" [accepted]', "peer", "/?token=secret")
    assert "secret" not in caplog.text


# ---------------------------------------------------------------- answers


async def test_an_answer_with_a_request_id_is_acknowledged_and_then_applied(site: Site) -> None:
    job_id = await site.job([question("ask", "end"), manual("end")])
    async with site.connected() as client, site.connected() as watcher:
        await watcher.subscribe(job_id)
        await site.act(job_id, "Run")
        prompt = await watcher.until("StepInfoRequired")
        await client.answer(job_id, "ask", questionResponse=1, requestId="r1", promptId=prompt["promptId"])
        ack = await client.next()
        assert (ack["msgType"], ack["message"]["stage"]) == ("Ack", "stored")
        assert ack["message"] | {"stage": "stored"} == {
            "requestId": "r1",
            "jobId": job_id,
            "stepId": "ask",
            "promptId": prompt["promptId"],
            "stage": "stored",
        }
        verdict = await client.next()
        assert (verdict["msgType"], verdict["message"]["stage"]) == ("StepAnswer", "applied")
        assert verdict["message"]["requestId"] == "r1"
        await watcher.until("StepFinished")
        await client.answer(job_id, "ask", questionResponse=0, requestId="r1")
        again = await client.next()
        assert (again["msgType"], again["message"]["stage"]) == ("Ack", "applied")


async def test_a_second_answer_is_refused_and_one_to_a_step_that_does_not_wait(site: Site) -> None:
    job_id = await site.job([question("ask", "end"), manual("end")])
    async with site.connected() as client:
        await client.answer(job_id, "ask", questionResponse=1, requestId="early")
        assert (await client.next())["message"]["msgCode"] == "not_waiting"
        await client.subscribe(job_id)
        await site.act(job_id, "Run")
        await client.until("StepInfoRequired")
        await client.answer(job_id, "ask", questionResponse=7, requestId="wrong")
        assert (await client.until("Error")) | {"msg": ""} == {
            "jobId": job_id,
            "stepId": "ask",
            "requestId": "wrong",
            "msg": "",
            "msgCode": "invalid",
        }
        await client.answer(job_id, "ask", questionResponse=1)
        await client.until("StepFinished")
        await client.answer(job_id, "ask", questionResponse=1)
        assert (await client.until("Error"))["msgCode"] == "already_answered"


async def test_an_open_question_is_part_of_the_state(site: Site) -> None:
    job_id = await site.job([question("ask", "end"), manual("end")])
    await site.act(job_id, "Run")
    async with site.connected() as client:
        state = await client.subscribe(job_id)
        details = state["stepStates"][0]["messageDetails"]
        assert details["msgType"] == "StepInfoRequired"
        assert details["seq"] == state["seq"]
        assert [choice["name"] for choice in details["message"]["questionResponses"]] == ["Yes", "No"]
        await client.answer(job_id, "ask", questionResponse=1, promptId=details["message"]["promptId"])
        await client.until("StepFinished")


# ---------------------------------------------------------------- ends


async def open_all_readers(store: Store) -> None:
    """Let every reader thread of SQLite's store connect: reads that wait for each other cannot share one."""
    meeting = threading.Barrier(SQLITE_READERS)
    read = [store.read(lambda tx: (tx.items(), meeting.wait(deadline(1)))) for _ in range(SQLITE_READERS)]
    await asyncio.gather(*read)


async def test_fifty_sockets_come_and_go_and_leave_nothing(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data") as site:
        job_id = await site.job([manual("one")])
        async with site.connected() as client:
            await client.subscribe(job_id)
        await open_all_readers(site.gateway.engine.store)
        async with no_leaks():
            for number in range(50):
                async with site.connected() as client:
                    await client.subscribe(job_id)
                    if number % 2:
                        client.socket.transport.abort()
        stats = site.gateway.hub.stats
        assert (stats.sessions, stats.channels) == (0, 0)


async def test_a_peer_that_does_not_read_is_cut_and_the_others_are_not_held_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_site(tmp_path / "data") as site:
        job_id = await site.job([manual("one")])
        hub = site.gateway.hub
        async with site.connected() as slow, site.connected() as quick:
            await slow.subscribe(job_id)
            await quick.subscribe(job_id)
            slow.socket.transport.pause_reading()
            for seq in range(1, 100):
                hub.publish([large_message(job_id, seq)])
                assert (await quick.next())["seq"] == seq
                if hub.stats.cut:
                    break
            assert hub.stats.cut == 1
            slow.socket.transport.abort()
            await eventually(lambda: hub.stats.sessions == 1)
        lines = [record for record in caplog.records if record.getMessage() == "a peer that does not read was cut"]
        assert [record.fields["user"] for record in lines] == [ADMIN]  # type: ignore[attr-defined]


def large_message(job_id: str, seq: int) -> FeedMessage:
    """A message of 200 KB."""
    body = {"msgType": "StepProgress", "timestamp": 1, "seq": seq, "message": {"jobId": job_id, "msg": "x" * 200_000}}
    return FeedMessage(ITEM_ID, job_id, seq, "StepProgress", 1, json.dumps(body).encode())
