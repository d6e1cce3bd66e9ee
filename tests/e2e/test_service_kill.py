"""A real server that is killed while its steps speak to other servers: each kind of step is taken over as it says."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stepgate_client import Client
from tests.conftest import Settings, StartServer
from tests.e2e.walker import client_of, make_template
from tests.steps.counterparts import Authority, Counterpart, answer, counterpart, silent
from tests.steps.gp_server import ServiceJobs
from tests.support import ServerProcess, eventually
from tests.support.world import step

pytestmark = pytest.mark.anyio


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Counterpart]:
    """A server under a certificate of an authority of its own."""
    async with counterpart(Authority.make(tmp_path).server_tls("127.0.0.1")) as started:
        yield started


@pytest.fixture
def server(start_server: StartServer, backend_settings: Settings, site: Counterpart, tmp_path: Path) -> ServerProcess:
    return start_server(
        **backend_settings,
        node_lease_s=1.5,
        node_renew_s=0.5,
        allow_private_addresses="127.0.0.1",
        trusted_certificates=tmp_path / "authority.pem",
    )


async def running(client: Client, server: ServerProcess, kind: str, args: dict[str, Any]) -> str:
    """A job whose step is done by the server, and has been started."""
    template = await make_template(server, [step("serve", kind, "end", args=args), step("end")])
    job_id = (await client.create_jobs(template)).job_ids[0]
    await client.run(job_id)
    return job_id


async def has_moved_on(client: Client, job_id: str) -> bool:
    return [current.step_id for current in (await client.get_job(job_id)).current_steps] == ["end"]


async def test_a_killed_server_sends_a_request_again_and_goes_on_with_a_job_of_a_service(
    server: ServerProcess, site: Counterpart
) -> None:
    service, url = ServiceJobs(site), site.on("/slow", silent)
    async with client_of(server) as client:
        web = await running(client, server, "WebRequest", {"url": url, "timeout": 600})
        gp = await running(client, server, "ExecuteGP", {"url": service.url})
        await site.until(lambda: service.asked > 0 and any(r.path == "/slow" for r in site.requests), 5)
        server.kill9()
        site.on("/slow", answer(200))
        service.succeed()
        await asyncio.to_thread(server.start)
        for job_id in (web, gp):
            await eventually(partial(has_moved_on, client, job_id), expected_s=6)
    keys = [r.headers["idempotency-key"] for r in site.requests if r.path == "/slow"]
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert len(service.submitted) == 1
    assert service.cancelled == []
