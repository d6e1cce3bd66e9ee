"""Two server processes on one PostgreSQL and one Redis, and what they say of it."""

import asyncio
import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepgate_client.messages import StepHeld
from tests.conftest import StartServer
from tests.e2e.walker import client_of, watching
from tests.support import RedisServer, ServerProcess, deadline, eventually

pytestmark = pytest.mark.anyio

PASSWORD = "a-secret-of-redis"


@pytest.fixture
def guarded_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that asks for a password."""
    with RedisServer(tmp_path, "--requirepass", PASSWORD) as server:
        yield server


@pytest.fixture
def pair(start_server: StartServer, guarded_redis: RedisServer, postgres_url: str) -> list[ServerProcess]:
    url = guarded_redis.url.replace("redis://", f"redis://default:{PASSWORD}@")
    settings = {"database_url": postgres_url, "redis_url": url, "secret_key": "test-" * 8}
    return [start_server(**settings) for _ in range(2)]


async def ask(server: ServerProcess, path: str) -> str:
    def get() -> str:
        with urllib.request.urlopen(server.url + path, timeout=deadline(1)) as answer:
            text: str = answer.read().decode()
            return text

    return await asyncio.to_thread(get)


async def figures(server: ServerProcess) -> dict[str, float]:
    """The bus's metrics by name."""
    found = re.findall(r"^(stepgate_bus_\w+) (\S+)$", await ask(server, "/metrics"), re.MULTILINE)
    return {name.removeprefix("stepgate_"): float(value) for name, value in found}


async def self_and_other(pair: list[ServerProcess]) -> bool:
    """Both list the same two processes, each with itself as the one that answers."""
    told = [json.loads(await ask(server, "/nodes"))["nodes"] for server in pair]
    ids = [[node["nodeId"] for node in nodes] for nodes in told]
    own = {node["nodeId"] for nodes in told for node in nodes if node["answers"]}
    return ids[0] == ids[1] and len(ids[0]) == 2 and own == set(ids[0])


async def test_what_is_done_on_one_server_is_told_on_the_other_and_a_lost_redis_is_told_and_stops_neither(
    pair: list[ServerProcess], guarded_redis: RedisServer
) -> None:
    async def all_say(word: str) -> bool:
        return [await ask(server, "/readyz") for server in pair] == [f'{{"success":true,"bus":"{word}"}}'] * 2

    async with client_of(pair[0]) as here, client_of(pair[1]) as there:
        job_id = (await here.create_jobs()).job_ids[0]
        step_id = (await here.get_job(job_id)).current_steps[0].step_id
        async with watching(there, job_id) as watcher:
            assert await all_say("up")
            assert await self_and_other(pair)
            await here.hold(job_id, step_id)
            await watcher.next_of(StepHeld)
            guarded_redis.kill9()
            await eventually(lambda: all_say("down"))
            await here.hold(job_id, step_id)
            await watcher.next_of(StepHeld, 2)
            assert (await figures(pair[0]))["bus_up"] == 0
            guarded_redis.start()
            await eventually(lambda: all_say("up"), expected_s=6)
            await there.hold(job_id, step_id)
            await watcher.next_of(StepHeld, 3)
        assert watcher.seqs() == list(range(watcher.seqs()[0], watcher.seqs()[-1] + 1))
    sent, heard = await figures(pair[0]), await figures(pair[1])
    assert sent["bus_published_total"] >= 1
    assert sent["bus_reconnects_total"] == heard["bus_reconnects_total"] == 1
    for server in pair:
        assert server.log.count("the bus is down") == 1
        assert server.log.count("the bus is up") == 2
        assert PASSWORD not in server.log
