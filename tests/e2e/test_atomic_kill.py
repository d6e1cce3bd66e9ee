"""A server that is killed while a CreateJob step is at work: its jobs are there once, all of them, or not yet."""

import asyncio
from functools import partial

import pytest

from stepgate_client import Client
from tests.conftest import Settings, StartServer
from tests.e2e.walker import client_of, make_template
from tests.support import eventually
from tests.support.world import step

pytestmark = pytest.mark.anyio

COUNT, ROUNDS = 40, 2
"""Jobs of one step, and kills, each at another distance from the start of the step."""


async def has_moved_on(client: Client, job_id: str) -> bool:
    return [current.step_id for current in (await client.get_job(job_id)).current_steps] == ["end"]


async def test_jobs_are_created_once_whenever_the_server_dies(
    start_server: StartServer, backend_settings: Settings
) -> None:
    server = start_server(**backend_settings, node_lease_s=1.5, node_renew_s=0.5)
    part = await make_template(server, [step("work")])
    args = {"jobTemplateId": part, "numberOfJobs": COUNT, "createAsChild": True, "createAsDependency": True}
    template = await make_template(server, [step("make", "CreateJob", "end", args=args), step("end")])
    for number in range(ROUNDS):
        async with client_of(server) as client:
            job_id = (await client.create_jobs(template)).job_ids[0]
            await client.run(job_id)
            await asyncio.sleep(0.005 * number)  # nothing depends on it: it only moves the blow
            server.kill9()
            await asyncio.to_thread(server.start)
            await eventually(partial(has_moved_on, client, job_id), expected_s=6)
            holds = (await client.get_job(job_id, holds=True)).holds
            parts = {hold.dependent_job_id or "" for hold in holds}
            assert len(parts) == COUNT
            assert {(await client.get_job(each)).parent_job for each in parts} == {job_id}
            newest = (await client.create_jobs(part)).job_ids[0]
            assert (await client.get_job(newest)).job_name == f"JOB_{(number + 1) * (COUNT + 2)}"
