"""The programs of ``docs/gallery`` for Node.js, each against a real server; the kiosk is in test_js_browser."""

import asyncio
import http.server
import json
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from stepgate_client import Answer, Client
from tests.e2e.walker import client_of, make_template
from tests.support import ServerProcess, deadline

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("js_needs")]

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "js"
GALLERY = ROOT / "docs" / "gallery"

CHOICES = {
    name: {"displayName": name, "value": number, "order": number} for number, name in enumerate(("Yes", "No"), 1)
}
STEPS: list[dict[str, Any]] = [
    {
        "id": "ask",
        "name": "Approve?",
        "action": {"actionType": "Question", "args": {"question": "Approve?", "questionResponses": CHOICES}},
        "paths": [],
    }
]


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    async with client_of(server) as connected:
        yield connected


@pytest.fixture
async def template(server: ServerProcess) -> str:
    """A template whose jobs ask one question."""
    return await make_template(server, STEPS)


@asynccontextmanager
async def running(
    program: str, *arguments: str, folder: Path, server: ServerProcess, **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program, as somebody has it who has installed the packages beside it; it is ended with the block."""
    modules = folder / "node_modules"
    modules.mkdir()
    (modules / "stepgate-client").symlink_to(CLIENT)
    (modules / "ws").symlink_to(CLIENT / "node_modules" / "ws")
    copy = folder / program.replace(".js", ".mjs")
    copy.write_text((GALLERY / program).read_text())
    token = await asyncio.to_thread(server.token)
    environment = os.environ | {"STEPGATE_URL": server.url, "STEPGATE_TOKEN": token, **variables}
    process = await asyncio.create_subprocess_exec(
        "node", str(copy), *arguments, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_auto_answer_answers_by_its_rule_and_leaves_the_rest_to_people(
    server: ServerProcess, client: Client, template: str, tmp_path: Path
) -> None:
    names = {"Low": "Small thing", "High": "Big thing"}
    jobs = {
        priority: (await client.create_jobs(template, priority=priority, job_name=name)).job_ids[0]
        for priority, name in names.items()
    }
    for job_id in jobs.values():
        await client.run(job_id)
    async with running("auto-answer.js", *jobs.values(), folder=tmp_path, server=server) as program:
        assert program.stdout is not None
        async with asyncio.timeout(deadline(2)):
            said = {(await program.stdout.readline()).decode().strip() for _ in names}
        assert said == {'Small thing: "Approve?" answered with Yes', 'Big thing: "Approve?" is for people (High)'}
        await client.answer(jobs["High"], "ask", Answer(question_response=2))
        async with asyncio.timeout(deadline(2)):
            rest = await program.stdout.read()
            assert (await program.wait(), rest) == (0, b"")  # both jobs are done, and so is the program
    assert [comment.comment for comment in await client.comments(jobs["Low"])] == ["Answered by rule"]


@pytest.fixture
def chat() -> Iterator[tuple[str, "Queue[str]"]]:
    """A chat's webhook: its address, and the lines that were posted to it."""
    lines: Queue[str] = Queue()

    class Webhook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            lines.put(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as listening:
        thread = threading.Thread(target=listening.serve_forever, name="chat")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}/hooks/1", lines
        finally:
            listening.shutdown()
            thread.join()


async def test_notify_chat_posts_what_is_worth_a_line(
    server: ServerProcess, client: Client, template: str, tmp_path: Path, chat: tuple[str, "Queue[str]"]
) -> None:
    address, lines = chat
    job_id = (await client.create_jobs(template, job_name="Bridge 7")).job_ids[0]
    search = f"jobId='{job_id}'"
    async with running("notify-chat.js", search, folder=tmp_path, server=server, CHAT_WEBHOOK=address) as program:
        assert program.stdout is not None
        async with asyncio.timeout(deadline(2)):
            assert await program.stdout.readline() == b"Watching 1 jobs\n"
        await client.hold(job_id)
        await client.release_hold(job_id)
        await client.run(job_id)
        await client.answer(job_id, "ask", Answer(question_response=1))
        said = [await asyncio.to_thread(lines.get, timeout=deadline(2)) for _ in range(2)]
    assert said == ["Bridge 7 is on hold, by admin", "Bridge 7 is done"]
    assert lines.empty()
