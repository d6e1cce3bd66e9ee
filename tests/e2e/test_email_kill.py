"""A server that is killed while it sends an e-mail: it is sent once, or a person is told that nobody knows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from stepgate_client import Client
from stepgate_client.messages import JobState, StepError, StepFinished
from tests.conftest import Settings, StartServer
from tests.e2e.walker import Watcher, client_of, make_template, watching
from tests.steps.mail_peers import PostOffice, post_office
from tests.support import ServerProcess
from tests.support.world import step

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def sending(
    start_server: StartServer, settings: Settings, office: PostOffice
) -> AsyncIterator[tuple[ServerProcess, Client, Watcher, str]]:
    """A server whose job has begun its Email step."""
    server = start_server(**settings, node_lease_s=1.5, node_renew_s=0.5)
    args = {"to": ["zoe@example.net"], "subject": "Hello", "body": "Text"}
    template = await make_template(server, [step("mail", "Email", "end", args=args), step("end")])
    async with client_of(server) as client:
        await client.item.update_settings(
            {
                "smtpServer": "127.0.0.1",
                "smtpPort": str(office.port),
                "smtpPassword": "hunter2",
                "smtpDefaultSenderEmail": "stepgate@example.org",
            }
        )
        job_id = (await client.create_jobs(template)).job_ids[0]
        async with watching(client, job_id) as watcher:
            await client.run(job_id)
            yield server, client, watcher, job_id


async def test_an_email_that_may_have_been_taken_when_the_server_was_killed_is_not_sent_again_by_itself(
    start_server: StartServer, backend_settings: Settings
) -> None:
    """The mail server has the whole message; its answer comes to nobody."""
    async with post_office() as office:
        office.answers.clear()
        async with sending(start_server, backend_settings, office) as (server, client, watcher, job_id):
            await office.until(1, seconds=3)
            server.kill9()
            office.answers.set()
            await asyncio.to_thread(server.start)
            await watcher.next_of(JobState, 2, seconds=10)
            told = await watcher.next_of(StepError, seconds=10)
            assert told.msg_code == "OUTCOME_UNKNOWN"
            assert len(office.envelopes) == 1
            await client.run(job_id)
            await watcher.next_of(StepFinished, seconds=5)
            assert len(office.envelopes) == 2
            assert "hunter2" not in server.log


async def test_an_email_that_was_not_on_its_way_when_the_server_was_killed_is_sent_once_by_the_next(
    start_server: StartServer, backend_settings: Settings
) -> None:
    """The mail server keeps the recipient waiting; nothing has an effect before the message itself."""
    async with post_office() as office:
        office.is_open.clear()
        async with sending(start_server, backend_settings, office) as (server, _, watcher, _job_id):
            await office.until(0, waiting=1, seconds=3)
            server.kill9()
            office.is_open.set()
            await asyncio.to_thread(server.start)
            await watcher.next_of(StepFinished, seconds=10)
            assert len(office.envelopes) == 1
            assert watcher.of(StepError) == []
