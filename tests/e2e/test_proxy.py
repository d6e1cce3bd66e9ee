"""Two gateways behind the proxy of ``compose.yaml``, restarted one after the other while people work."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest

from stepgate_client import Client
from stepgate_client.messages import StepHeld
from tests.conftest import StartServer
from tests.e2e.walker import ITEM, ORG, Watcher, make_template, watching
from tests.support import ServerProcess, deadline, eventually, free_port
from tests.support.world import step

pytestmark = pytest.mark.anyio

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
WATCHERS = 10


class Proxy:
    """A running haproxy; ``log`` is what it has said so far."""

    def __init__(self, folder: Path, gateways: list[ServerProcess]) -> None:
        self.port = free_port()
        self._log = folder / "proxy.log"
        haproxy = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
        assert haproxy, "haproxy is not installed: run `make test`, or install it"
        addresses = {f"GATEWAY{number}": f"127.0.0.1:{each.port}" for number, each in enumerate(gateways, 1)}
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [haproxy, "-db", "-f", CONFIGURATION],
                env={"BIND": f"127.0.0.1:{self.port}", **addresses}, stdout=output, stderr=output,
            )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def has_said(self, words: str, times: int) -> bool:
        return self._log.read_text().count(words) >= times


@contextmanager
def proxied(folder: Path, gateways: list[ServerProcess]) -> Iterator[Proxy]:
    proxy = Proxy(folder, gateways)
    try:
        yield proxy
    finally:
        proxy.process.terminate()
        proxy.process.wait(deadline(1))


async def test_a_rolling_restart_loses_nothing_and_every_watcher_resumes(
    start_server: StartServer, tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    both: dict[str, object] = {"database_url": postgres_url, "redis_url": redis_url, "secret_key": "test-" * 8}
    gateways = [start_server(**both) for _ in range(2)]
    template = await make_template(gateways[0], [step("only")])
    token = await asyncio.to_thread(gateways[0].token)
    acknowledged, unknown, done = 0, 0, asyncio.Event()

    async def hold_until_done(http: httpx2.AsyncClient, job_id: str) -> None:
        nonlocal acknowledged, unknown
        while not done.is_set():
            try:
                answer = await http.post(f"/jobs/{job_id}/action", json={"type": "Hold"})
            except httpx2.TransportError:
                unknown += 1
            else:
                acknowledged += answer.status_code == 200
                unknown += answer.status_code != 200

    with proxied(tmp_path, gateways) as proxy:
        async with (
            AsyncExitStack() as stack,
            Client(proxy.url, token=token) as client,
            httpx2.AsyncClient(
                base_url=f"{proxy.url}/{ORG}/{ITEM}",
                headers={"Authorization": f"Bearer {token}"},
                timeout=deadline(2),
            ) as http,
        ):
            await eventually(partial(_is_ready, http, f"{proxy.url}/readyz"), expected_s=2)
            job_id = (await client.create_jobs(template)).job_ids[0]
            watchers = [await stack.enter_async_context(watching(client, job_id)) for _ in range(WATCHERS)]
            writing = asyncio.create_task(hold_until_done(http, job_id))
            await watchers[0].next_of(StepHeld, 3, seconds=5)
            for number, gateway in enumerate(gateways, 1):
                assert await asyncio.to_thread(gateway.stop) == 0
                await eventually(partial(proxy.has_said, f"gateways/gateway{number} is DOWN", 1), expected_s=3)
                await asyncio.to_thread(gateway.start)
                await eventually(partial(proxy.has_said, f"gateways/gateway{number} is UP", 1), expected_s=3)
            done.set()
            await writing
            held = len((await client.get_job(job_id, holds=True)).holds or [])
            assert acknowledged <= held <= acknowledged + unknown
            for watcher in watchers:
                await watcher.until(partial(_has_all, watcher, held), seconds=10)
                assert watcher.seqs() == list(range(1, held + 1))


async def _is_ready(http: httpx2.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == 200
    except httpx2.TransportError:
        return False


def _has_all(watcher: Watcher, last: int) -> bool:
    return watcher.seqs()[-1:] == [last]
