"""Stepgate as the thing measured: one server on an empty database, and jobs in the state a measurement needs."""

import json
import pickle
import shutil
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.recording import Recorded, bare, replay
from tests.benchmarks.tools import Load, Request, Target
from tests.support.deadlines import deadline
from tests.support.server import ServerProcess

ITEM = "/workflow/00000000000000000000000000000001"
TEMPLATE = "Q5-nYVlCTBOZ4ShEdDsglA"
DONE = '"success":true'
JOBS_AT_ONCE = 100


class Gateway:
    """A running server and its administrator's token."""

    def __init__(self, server: ServerProcess) -> None:
        """Take a ready server."""
        self.port = server.port
        self._url = server.url
        self._token = server.token("admin")

    def create_jobs(self, count: int) -> list[str]:
        """Make jobs of the introduction template and return their ids."""
        ids: list[str] = []
        while len(ids) < count:
            number = min(JOBS_AT_ONCE, count - len(ids))
            ids += self._call(f"/jobTemplates/{TEMPLATE}/job", {"numberOfJobs": number})["jobIds"]
        return ids

    def jobs_at_a_question(self, count: int) -> tuple[list[str], str]:
        """Make jobs whose current step is the diagram's question; return their ids and the question's step id."""
        jobs = self.create_jobs(count)
        steps = self._call(f"/jobs/{jobs[0]}/diagram")["steps"]
        question: str = next(step["id"] for step in steps if step["action"]["actionType"] == "Question")
        for job in jobs:
            answer = self._call(f"/jobs/{job}/action", {"type": "SetCurrentStep", "stepIds": [question]})
            if not answer["success"]:
                raise RuntimeError(f"job {job} is not at its question: {answer}")
        return jobs, question

    def run(self, job: str) -> Request:
        """The request that runs a job's current step."""
        return self._action(job, "Run")

    def fanout_target(self, job: str) -> Target:
        """Subscribers of one job; each request assigns its current step again, one durable change and one message.

        Assigning leaves the job as large as it was, so that the last request costs what the first one did.
        """
        assign = self._request(f"/jobs/{job}/currentStep", {"assignedType": "User", "assignedTo": "admin"})
        return self._target(json.dumps({"msgType": "subscribe", "jobIds": [job]}), [assign])

    def actions_target(self, jobs: Sequence[str]) -> Target:
        """Hold every job in turn, then release every job in turn."""
        return self._target("", [self._action(job, kind) for kind in ("Hold", "ReleaseHold") for job in jobs])

    def questions_target(self) -> Target:
        """Only where to connect; `run` gives the requests."""
        return self._target("", [])

    def _target(self, subscribe: str, requests: Sequence[Request]) -> Target:
        # two messages make a subscriber ready: {"connected": true} and the JobState that answers the subscription
        return Target(self.port, f"{ITEM}/notificationWs?token={self._token}", subscribe, 2, requests, DONE)

    def _action(self, job: str, kind: str) -> Request:
        return self._request(f"/jobs/{job}/action", {"type": kind})

    def _request(self, path: str, body: dict[str, Any]) -> Request:
        return Request(ITEM + path, json.dumps(body).encode(), self._token)

    def _call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """GET, or POST when there is a body."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._url + ITEM + path, data, headers)
        with urllib.request.urlopen(request, timeout=deadline(3)) as answer:
            return json.load(answer)


@contextmanager
def gateway(folder: Path) -> Iterator[Gateway]:
    """Run a server on SQLite in ``folder``, with the settings a first start has."""
    server = ServerProcess(folder, {"log_level": "warning"})
    server.start_on_a_free_port()
    try:
        yield Gateway(server)
    finally:
        server.close()


def recorded_actions(folder: Path, load: Load, jobs: int, count: int, publishers: int) -> tuple[Path, Recorded]:
    """Carry out actions on a server of their own, and note what its store writes.

    Returns the database as it was before, to be copied for each replay, and the statements.
    """
    folder.mkdir()
    database, before, sent = folder / "data" / "stepgate.db", folder / "before.db", folder / "sent"
    settings = {"log_level": "warning"}
    with _running(ServerProcess(folder, settings)) as server:
        made = Gateway(server).create_jobs(jobs)
    shutil.copy(database, before)
    with _running(ServerProcess(folder, settings, program=("tests.benchmarks.recorded_server", str(sent)))) as server:
        load(Gateway(server).actions_target(made), subscribers=0, publishers=publishers, count=count)
    return before, pickle.loads(sent.read_bytes())  # noqa: S301 - our own process has just written it


def replayed(before: Path, sent: Recorded) -> float:
    """Carry the statements out on a copy of the database; give the seconds it took."""
    copy = before.with_name("replay.db")
    for path in (copy, Path(f"{copy}-wal"), Path(f"{copy}-shm")):
        path.unlink(missing_ok=True)
    shutil.copy(before, copy)
    connection = bare(copy)
    begin = time.perf_counter()
    replay(connection, sent)
    taken = time.perf_counter() - begin
    connection.close()
    return taken


@contextmanager
def _running(server: ServerProcess) -> Iterator[ServerProcess]:
    """Run a server that ends in an orderly way, so that its database is one file."""
    server.start_on_a_free_port()
    try:
        yield server
        server.stop()
    finally:
        server.close()
