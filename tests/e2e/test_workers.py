"""``stepgate serve --workers N``: several processes that are one server on one port."""

import asyncio
import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from stepgate_client.messages import StepHeld
from tests.e2e.walker import Watcher, client_of, make_template, watching
from tests.support import PostgresServer, RedisServer, ServerProcess, deadline, eventually, scratch
from tests.support.world import step

pytestmark = pytest.mark.anyio

WATCHERS = 12
SCRAPES = 20
"""So many connections do not all go to one of two workers, nor so many watchers: once in 2,000 runs, harmlessly."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    folder = tmp_path_factory.mktemp("workers")
    postgres = PostgresServer(scratch())
    postgres.ensure_started()
    with postgres.database() as url, RedisServer(folder) as redis:
        yield {
            "data_dir": folder / "data",
            "database_url": url,
            "redis_url": redis.url,
            "secret_key": "test-" * 8,
            "workers": 2,
            "log_format": "json",
        }


@pytest.fixture(scope="module")
def shared(settings: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path_factory.mktemp("server"), settings)
    server.start_on_a_free_port()
    try:
        yield server
        assert not server.is_running or server.stop() == 0  # by SIGTERM; a test ends it by SIGINT
    finally:
        server.close()


@pytest.fixture
def server(shared: ServerProcess) -> ServerProcess:
    """A ready server of two workers; a test may end it."""
    if not shared.is_running:
        shared.start()
    return shared


def workers_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def are_gone(pids: list[int]) -> bool:
    """No process is there; one that nobody has asked how it ended may be."""
    stats = [Path(f"/proc/{pid}/stat") for pid in pids]
    return all(stat.read_text().rpartition(")")[2].split()[0] == "Z" for stat in stats if stat.exists())


def figure(server: ServerProcess, name: str) -> float:
    """A figure, summed over its labels, as whichever worker takes the connection shows it."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=deadline(1)) as answer:
        text = answer.read().decode()
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


async def test_they_greet_once_and_each_names_itself_in_the_log(server: ServerProcess) -> None:
    log = server.log
    assert log.count("Admin login") == 1
    assert log.count("Stepgate serves") == log.count("the workers serve")
    for worker in (1, 2):
        assert f'"worker":{worker}' in log
    assert len(workers_of(server.pid)) == 2


async def test_watchers_on_any_worker_hear_all_and_any_worker_shows_the_figures_of_all(server: ServerProcess) -> None:
    template = await make_template(server, [step("only")])
    async with AsyncExitStack() as stack, client_of(server) as client:
        job_id = (await client.create_jobs(template)).job_ids[0]
        before = figure(server, "stepgate_actions_total")
        watchers = [await stack.enter_async_context(watching(client, job_id)) for _ in range(WATCHERS)]
        for _ in range(10):
            await client.hold(job_id)
        for watcher in watchers:
            await watcher.next_of(StepHeld, 10, seconds=5)
            assert watcher.seqs() == list(range(1, 11))
        await eventually(partial(_all_show, server, "stepgate_sessions", WATCHERS), expected_s=3)
        await eventually(partial(_all_show, server, "stepgate_actions_total", before + 10), expected_s=3)


async def _all_show(server: ServerProcess, name: str, value: float) -> bool:
    found = [await asyncio.to_thread(figure, server, name) for _ in range(SCRAPES)]
    return set(found) == {value}


async def test_a_worker_that_is_killed_is_replaced_and_nobody_misses_anything(server: ServerProcess) -> None:
    template = await make_template(server, [step("only")])
    async with AsyncExitStack() as stack, client_of(server) as client:
        job_id = (await client.create_jobs(template)).job_ids[0]
        watchers = [await stack.enter_async_context(watching(client, job_id)) for _ in range(WATCHERS)]
        await client.hold(job_id)
        await eventually(partial(_all_show, server, "stepgate_sessions", WATCHERS), expected_s=3)
        counted = figure(server, "stepgate_store_transactions_total")
        workers = workers_of(server.pid)
        os.kill(workers[0], signal.SIGKILL)
        await eventually(lambda: "a worker has died and is started again" in server.log, expected_s=2)
        await eventually(lambda: len({*workers, *workers_of(server.pid)}) == 3, expected_s=5)
        assert figure(server, "stepgate_store_transactions_total") >= counted
        async with client_of(server) as another:  # the first one's connection may be that of the dead worker
            await another.hold(job_id)
        for watcher in watchers:
            await watcher.until(partial(_has_two, watcher), seconds=10)
            assert watcher.seqs() == [1, 2]
        await eventually(partial(_all_show, server, "stepgate_sessions", WATCHERS), expected_s=5)
        assert figure(server, "stepgate_store_transactions_total") > counted


def _has_two(watcher: Watcher) -> bool:
    return watcher.seqs()[-1:] == [2]


async def test_they_end_together_and_the_status_says_that_all_went_well(server: ServerProcess) -> None:
    process, workers = server.process, workers_of(server.pid)
    process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(process.wait, deadline(5)) == 0
    assert are_gone(workers)
    assert "killed" not in server.log


async def test_workers_whose_supervisor_is_gone_end_by_themselves(server: ServerProcess) -> None:
    workers = workers_of(server.pid)
    server.kill9()
    await eventually(lambda: are_gone(workers), expected_s=5)


async def test_a_second_server_on_the_port_is_refused(server: ServerProcess) -> None:
    """The workers share the port with each other, and with nobody else."""
    with pytest.raises(AssertionError, match="Cannot listen on"):
        await asyncio.to_thread(server.command, "serve", "--port", str(server.port))
    assert figure(server, "stepgate_sessions") == 0


async def test_where_no_worker_can_start_the_server_ends_and_has_said_why(server: ServerProcess) -> None:
    """What only a worker finds out: the supervisor has opened the database, and no connection to Redis."""
    with pytest.raises(AssertionError, match="a worker could not be started") as caught:
        await asyncio.to_thread(server.command, "serve", "--port", "0", "--redis-url", "redis://127.0.0.1/?db=none")
    assert "stepgate: " in str(caught.value)
    assert "Stepgate serves" not in str(caught.value)
