"""A server that is asked to end: requests under way are answered, websockets are sent away and come back to all."""

import asyncio
import json
import signal
from contextlib import AsyncExitStack
from functools import partial

import httpx2
import pytest

from stepgate_client.messages import StepHeld
from tests.conftest import StartServer
from tests.e2e.walker import ITEM, ORG, Watcher, client_of, make_template, watching
from tests.support import ServerProcess, deadline, eventually
from tests.support.world import step

pytestmark = pytest.mark.anyio

WATCHERS = 10


async def test_a_request_under_way_is_answered_and_nobody_new_is_let_in(start_server: StartServer) -> None:
    server = start_server(shutdown_grace_s=600)
    async with client_of(server) as client:
        job_id = (await client.create_jobs(await make_template(server, [step("only")]))).job_ids[0]
        body = json.dumps({"type": "Hold"}).encode()
        reader, writer = await _begin_request(server, f"/{ORG}/{ITEM}/jobs/{job_id}/action", len(body))
        async with watching(client, job_id), asyncio.timeout(deadline(3)):
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            await eventually(lambda: _is_closed(server))
            writer.write(body)
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["success"] is True
            assert await stopping == 0
        writer.close()


async def _begin_request(
    server: ServerProcess, path: str, length: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send the head of a POST and wait until the server asks for its body."""
    token = await asyncio.to_thread(server.token)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    )
    writer.write(head.encode())
    async with asyncio.timeout(deadline(1)):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    return reader, writer


async def _is_closed(server: ServerProcess) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    except ConnectionError:
        return True
    writer.close()
    return False


async def test_watchers_that_were_sent_away_resume_and_have_all_messages(start_server: StartServer) -> None:
    """Holds are set as fast as the server takes them while it ends; it is started again on the same port."""
    server = start_server()
    acknowledged = 0

    async def hold_until_refused(http: httpx2.AsyncClient, job_id: str) -> None:
        nonlocal acknowledged
        while True:
            answer = await http.post(f"/jobs/{job_id}/action", json={"type": "Hold"})
            assert answer.json()["success"], answer.text
            acknowledged += 1

    headers = {"Authorization": f"Bearer {await asyncio.to_thread(server.token)}"}
    async with (
        AsyncExitStack() as stack,
        client_of(server) as client,
        httpx2.AsyncClient(base_url=f"{server.url}/{ORG}/{ITEM}", headers=headers) as http,
    ):
        job_id = (await client.create_jobs(await make_template(server, [step("only")]))).job_ids[0]
        watchers = [await stack.enter_async_context(watching(client, job_id)) for _ in range(WATCHERS)]
        tasks = [asyncio.create_task(hold_until_refused(http, job_id)) for _ in range(2)]
        await watchers[0].next_of(StepHeld, 10, seconds=5)
        assert await asyncio.to_thread(server.stop) == 0
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, httpx2.TransportError) for end in ends), ends
        await asyncio.to_thread(server.start)
        held = len((await client.get_job(job_id, holds=True)).holds or [])
        assert acknowledged <= held <= acknowledged + len(tasks)
        for watcher in watchers:
            await watcher.until(partial(_has_all, watcher, held), seconds=10)
            assert watcher.seqs() == list(range(1, held + 1))


def _has_all(watcher: Watcher, last: int) -> bool:
    return watcher.seqs()[-1:] == [last]


async def test_a_second_interrupt_waits_for_nobody(start_server: StartServer) -> None:
    server = start_server(shutdown_grace_s=600)
    process = server.process
    _, writer = await _begin_request(server, f"/{ORG}/{ITEM}/jobs/none/action", 10)
    process.send_signal(signal.SIGINT)
    await eventually(lambda: _is_closed(server))
    process.send_signal(signal.SIGINT)
    await asyncio.to_thread(process.wait, deadline(3))
    writer.close()
