"""Servers that are killed without warning: what was acknowledged is there afterwards, and nothing is told twice."""

import asyncio
from functools import partial

import httpx2
import pytest

from stepgate_client import Answer
from stepgate_client.messages import JobState, StepFinished, StepHeld, StepInfoRequired
from tests.conftest import Settings, StartServer
from tests.e2e.walker import ITEM, ORG, Watcher, client_of, make_template, watching
from tests.support import deadline
from tests.support.world import step

pytestmark = pytest.mark.anyio


async def test_a_question_that_was_open_before_a_kill_is_open_after_it_and_its_answer_works(
    start_server: StartServer, backend_settings: Settings
) -> None:
    server = start_server(**backend_settings, node_lease_s=1.5, node_renew_s=0.5)
    template = await make_template(server, [step("only")])
    async with client_of(server) as client:
        job_id = (await client.create_jobs(template)).job_ids[0]
        async with watching(client, job_id) as watcher:
            await client.run(job_id)
            asked = await watcher.next_of(StepInfoRequired)
            server.kill9()
            await asyncio.to_thread(server.start)
            again = await watcher.next_of(JobState, 2, seconds=10)
            assert (again.recovered, again.seq) == (True, asked.seq)
            verdict = await client.answer(job_id, "only", Answer(manual_response=True), prompt_id=asked.prompt_id)
            assert verdict.stage == "applied"
            await watcher.next_of(StepFinished, seconds=5)
        assert watcher.seqs() == list(range(1, len(watcher.seqs()) + 1))


async def test_kill_9_between_request_and_answer_leaves_each_acknowledged_action_and_a_whole_feed(
    start_server: StartServer, backend_settings: Settings
) -> None:
    """Holds are set as fast as the server takes them until it is killed: what was answered with 200 is there."""
    server = start_server(**backend_settings, node_lease_s=1.5, node_renew_s=0.5)
    template = await make_template(server, [step("only")])
    token = await asyncio.to_thread(server.token)
    acknowledged = 0

    async def hold_until_killed(http: httpx2.AsyncClient, job_id: str) -> None:
        nonlocal acknowledged
        while True:
            answer = await http.post(f"/jobs/{job_id}/action", json={"type": "Hold"})
            assert answer.json()["success"], answer.text
            acknowledged += 1

    headers = {"Authorization": f"Bearer {token}"}
    async with (
        client_of(server) as client,
        httpx2.AsyncClient(base_url=f"{server.url}/{ORG}/{ITEM}", headers=headers) as http,
    ):
        job_id = (await client.create_jobs(template)).job_ids[0]
        async with watching(client, job_id) as watcher:
            tasks = [asyncio.create_task(hold_until_killed(http, job_id)) for _ in range(4)]
            await watcher.next_of(StepHeld, 40, seconds=5)
            server.kill9()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(end, httpx2.TransportError) for end in ends), ends
            await asyncio.to_thread(server.start)
            await watcher.next_of(JobState, 2, seconds=10)
            held = len((await client.get_job(job_id, holds=True)).holds or [])
            assert acknowledged <= held <= acknowledged + len(tasks)
            await watcher.until(lambda: len(watcher.of(StepHeld)) == held, seconds=5)
        assert watcher.seqs() == list(range(1, held + 1))


async def test_an_answer_that_was_acknowledged_before_a_kill_is_applied_after_it(
    start_server: StartServer, backend_settings: Settings
) -> None:
    """The answer is stored and acknowledged; the kill comes as soon as the sender knows."""
    server = start_server(**backend_settings, node_lease_s=1.5, node_renew_s=0.5)
    template = await make_template(server, [step("one", "Manual", "two"), step("two")])
    async with client_of(server) as client:
        job_ids = (await client.create_jobs(template, number_of_jobs=5)).job_ids
        for job_id in job_ids:
            await client.run(job_id)
        first = [await anext(client.answer_stages(job_id, "one", Answer(manual_response=True))) for job_id in job_ids]
        server.kill9()
        assert {verdict.stage for verdict in first} <= {"stored", "applied"}
        await asyncio.to_thread(server.start)
        async with watching(client, *job_ids) as watcher:
            async with asyncio.timeout(deadline(6)):
                for job_id in job_ids:
                    while [s.step_id for s in (await client.get_job(job_id)).current_steps] != ["two"]:
                        await watcher.until(partial(_finished, watcher, job_id), 6)


def _finished(watcher: Watcher, job_id: str) -> bool:
    return any(message.job_id == job_id for message in watcher.of(StepFinished))
