"""The question round trip: Run, the question comes, the answer goes, the step is finished.

The client is as thin as Python allows (one raw HTTP connection, one websocket), so that the figure is the server's.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks.tools import Request, Target
from tests.support.deadlines import deadline
from tests.support.ports import LOOPBACK

Message = dict[str, Any]


class Connection:
    """One keep-alive HTTP connection, one request at a time."""

    def __init__(self, port: int) -> None:
        """Name the port on 127.0.0.1; ``async with`` connects."""
        self._port = port

    async def __aenter__(self) -> Self:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(LOOPBACK, self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()

    async def post(self, request: Request) -> bytes:
        """Send the request and return the body of its answer; raise `RuntimeError` unless the status is 2xx."""
        self._writer.write(request.raw())
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        body = await self._reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"{request.path} answered {(head + body).decode(errors='replace')}")
        return body


async def question_round_trips(
    target: Target, jobs: Sequence[str], step_id: str, run: Callable[[str], Request]
) -> list[float]:
    """Measure one round trip for each job, one after the other, in seconds.

    Args:
        target: the server; its ``websocket_path`` carries the token.
        jobs: jobs whose current step is the question ``step_id``.
        run: gives the request that runs the question of a job.
    """
    times = []
    async with Connection(target.port) as http, _listening(target, jobs) as websocket:
        for job in jobs:
            start = time.perf_counter()
            await _answer_one(http, websocket, run(job), job, step_id)
            times.append(time.perf_counter() - start)
    return times


async def two_changes(target: Target, count: int) -> list[float]:
    """Measure the yardstick: two durable changes, the second made when the first was heard of; in seconds."""
    times = []
    async with Connection(target.port) as http, connect(_url(target), compression=None) as websocket:
        await websocket.send(target.subscribe)
        await websocket.recv()
        for _ in range(count):
            start = time.perf_counter()
            for _ in range(2):
                posting = asyncio.ensure_future(http.post(target.requests[0]))
                await websocket.recv()
                await posting
            times.append(time.perf_counter() - start)
    return times


@asynccontextmanager
async def _listening(target: Target, jobs: Sequence[str]) -> AsyncIterator[ClientConnection]:
    """Connect and subscribe to the jobs; every job's ``JobState`` has come when the block begins."""
    async with connect(_url(target), compression=None) as websocket:
        await websocket.send(json.dumps({"msgType": "subscribe", "jobIds": list(jobs)}))
        waiting = set(jobs)
        while waiting:
            message = await _receive(websocket)
            if message.get("msgType") == "JobState":
                waiting.discard(message["message"]["jobId"])
        yield websocket


async def _answer_one(http: Connection, websocket: ClientConnection, run: Request, job: str, step_id: str) -> None:
    posting = asyncio.ensure_future(http.post(run))
    asked = await _await_message(websocket, "StepInfoRequired", job, step_id)
    value = asked["message"]["questionResponses"][0]["value"]
    answer = {"jobId": job, "stepId": step_id, "questionResponse": value}
    await websocket.send(json.dumps({"msgType": "StepInformation", "message": answer}))
    await _await_message(websocket, "StepFinished", job, step_id)
    await posting


async def _await_message(websocket: ClientConnection, kind: str, job: str, step_id: str) -> Message:
    while True:
        message = await _receive(websocket)
        body = message.get("message", {})
        if message.get("msgType") == "Error":
            raise RuntimeError(f"the server answered {message}")
        steps = [body.get("stepId"), *body.get("stepIds", [])]  # a question is of one step, an event may be of several
        if message.get("msgType") == kind and body.get("jobId") == job and step_id in steps:
            return message


async def _receive(websocket: ClientConnection) -> Message:
    message: Message = json.loads(await asyncio.wait_for(websocket.recv(), deadline(1)))
    return message


def _url(target: Target) -> str:
    return f"ws://{LOOPBACK}:{target.port}{target.websocket_path}"
