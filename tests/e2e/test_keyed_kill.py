"""A server that is killed after the commit and before its client has read the answer: the request is sent again."""

import asyncio
import json
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.conftest import Settings, StartServer
from tests.e2e.walker import ITEM, ORG, client_of, make_template
from tests.support import ServerProcess, eventually
from tests.support.world import step

pytestmark = pytest.mark.anyio

BODY = json.dumps({"comment": "once"}).encode()


async def send_and_do_not_read(server: ServerProcess, path: str, headers: dict[str, str]) -> asyncio.StreamWriter:
    """Send the request over a connection of its own, which the caller closes."""
    _, writer = await asyncio.open_connection(urlsplit(server.url).hostname, server.port)
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(BODY)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + BODY)
    await writer.drain()
    return writer


async def test_a_request_whose_answer_died_with_the_server_is_answered_and_not_done_again(
    start_server: StartServer, backend_settings: Settings
) -> None:
    server = start_server(**backend_settings, node_lease_s=1.5, node_renew_s=0.5)
    template = await make_template(server, [step("only")])
    headers = {
        "Authorization": f"Bearer {await asyncio.to_thread(server.token, 'admin')}",
        "Content-Type": "application/json",
        "Idempotency-Key": "the only one",
    }
    async with client_of(server) as client:
        job_id = (await client.create_jobs(template)).job_ids[0]
        path = f"/{ORG}/{ITEM}/jobs/{job_id}/comments"

        async def is_committed() -> bool:
            return bool(await client.comments(job_id))

        writer = await send_and_do_not_read(server, path, headers)
        try:
            await eventually(is_committed, expected_s=3)
            server.kill9()
        finally:
            writer.close()
        await asyncio.to_thread(server.start)
        async with httpx2.AsyncClient(base_url=server.url, headers=headers) as http:
            answers = [await http.post(path, content=BODY) for _ in range(2)]
        (comment,) = await client.comments(job_id)
    assert [(each.status_code, each.headers["idempotent-replayed"]) for each in answers] == [(200, "true")] * 2
    assert [each.json() for each in answers] == [{"commentId": comment.comment_id}] * 2
