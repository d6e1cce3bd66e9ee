"""E-mails of paths taken and of template activities: what was committed is told, once; what cannot be told is said."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.domain.commands import Finish
from app.errors import GatewayError
from app.services import jobs
from app.services.engine import Unit
from app.services.ports import Dispatch, StepServices
from app.steps import dispatcher
from tests.conftest import Settings
from tests.steps.dispatching import (
    ACTS,
    activity,
    do,
    errors,
    left,
    manual_job,
    path,
    put_template,
    until_all_sent,
    until_told,
)
from tests.steps.mail_peers import odd_server, post_office
from tests.steps.mail_worlds import configure, mail_world
from tests.support import deadline, eventually, free_port
from tests.support.world import World, open_world

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """SQLite, where nothing depends on the store."""
    return {"data_dir": tmp_path / "data"}


async def add_template(world: World, template_id: str = "greeting", **details: Any) -> None:
    details = {"to": ["zoe@example.net"], "subject": "'About ' + JobName($job)", "body": "Text"} | details
    await put_template(world, "email", template_id, details)


# ---------------------------------------------------------------- what is sent


async def test_the_emails_of_the_paths_taken_are_sent_and_of_no_others(settings: Settings) -> None:
    async with post_office() as office, mail_world(settings, office.port) as world:
        await add_template(world)
        await add_template(world, "second", to=["admin@example.org"], subject="$currentUser")
        await add_template(world, "never", subject="Never")
        job_id = await manual_job(
            world,
            path("two", "greeting", "second", "greeting"),
            path("two", "never", expression="$retVal == 'something else'"),
        )
        await world.act(job_id, Finish())
        await office.until(2)
        assert {str(message["Subject"]) for message in office.messages} == {"About Kerbs", "admin"}
        await until_all_sent(world)
        assert await errors(world, job_id) == []


@pytest.mark.parametrize("type_name", ACTS)
async def test_an_activity_is_sent_when_its_act_is_done_and_only_then(settings: Settings, type_name: str) -> None:
    async with post_office() as office, mail_world(settings, office.port) as world:
        await add_template(world)
        job_id = await manual_job(world, activities=[activity(type_name)])
        if type_name != "CreateJob":
            assert await left(world) == []
        await do(world, job_id, type_name)
        await office.until(1)
        await until_all_sent(world)
        assert [str(message["Subject"]) for message in office.messages] == ["About Kerbs"]


async def test_what_was_refused_is_not_told(settings: Settings) -> None:
    async with post_office() as office, mail_world(settings, office.port) as world:
        await add_template(world)
        job_id = await manual_job(world, activities=[activity("AddComment")])

        def write_and_fail(unit: Unit) -> None:
            jobs.add_comment(unit, job_id, "Hello")
            raise GatewayError("rolled back")

        with pytest.raises(GatewayError, match="rolled back"):
            await world.execute(write_and_fail)
        assert await left(world) == []
        assert office.envelopes == []


@pytest.mark.parametrize(
    ("template_id", "details", "words"),
    [
        ("another", {}, "There is no e-mail template 'greeting' any more"),
        ("greeting", {"subject": "'Job ' + JobOwnr($job)"}, "subject cannot be evaluated"),
        ("greeting", {"to": ["who is this"]}, "no user, no group and no address"),
    ],
)
async def test_an_email_that_cannot_be_made_does_not_hinder_the_job_and_is_told_in_its_history(
    settings: Settings, template_id: str, details: dict[str, Any], words: str
) -> None:
    async with post_office() as office, mail_world(settings, office.port) as world:
        await add_template(world, template_id, **details)
        job_id = await manual_job(world, path("two", "greeting"))
        assert (await world.act(job_id, Finish())).success
        (told,) = await errors(world, job_id)
        assert told.startswith("No e-mail was sent for a path.")
        assert words in told
        assert await left(world) == []
        assert office.envelopes == []


# ---------------------------------------------------------------- what goes wrong later


class Stuck:
    """A sender whose other side never answers."""

    kind = "WebRequest"

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    async def send(self, dispatch: Dispatch, services: StepServices) -> str | None:
        self.begun.set()
        await asyncio.Event().wait()
        return None


class Quick:
    """A sender that is done at once."""

    kind = "Email"

    def __init__(self) -> None:
        self.sent = asyncio.Event()

    async def send(self, dispatch: Dispatch, services: StepServices) -> str | None:
        self.sent.set()
        return None


async def test_web_servers_that_do_not_answer_keep_no_email_waiting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a kind at once: a web request is stuck, another waits behind it, and the e-mail came last."""
    monkeypatch.setattr(dispatcher, "AT_ONCE", 1)
    stuck, quick = Stuck(), Quick()
    async with open_world(settings, senders=lambda _: [stuck, quick]) as world:
        await add_template(world)
        await put_template(world, "webRequest", "greeting", {"url": "http://127.0.0.1/"})
        telling = [activity("AddComment", "WebRequest"), activity("AddComment", "WebRequest"), activity("AddComment")]
        job_id = await manual_job(world, activities=telling)
        await do(world, job_id, "AddComment")
        async with asyncio.timeout(deadline(1)):
            await stuck.begun.wait()
            await quick.sent.wait()

        async def are_left() -> bool:
            return sorted(await left(world)) == [0, 1]

        await eventually(are_left)


async def test_an_email_waits_for_a_mail_server_that_is_away(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "PAUSES_S", (0.05,) * 1000)
    async with post_office() as office, mail_world(settings, free_port()) as world:
        await add_template(world)
        job_id = await manual_job(world, path("two", "greeting"))
        await world.act(job_id, Finish())

        async def is_tried_again() -> bool:
            return any(tries > 1 for tries in await left(world))

        await eventually(is_tried_again)
        assert await errors(world, job_id) == []
        await configure(world, smtpPort=str(office.port))
        await office.until(1)
        await until_all_sent(world)


@pytest.mark.parametrize("answer", [b"554 No\r\n", b"451 Later\r\n"])
async def test_an_email_that_is_refused_is_given_up_at_once_or_after_the_last_try(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(dispatcher, "PAUSES_S", (0.05, 0.05))
    async with odd_server(dot=answer) as server, mail_world(settings, server.port) as world:
        await add_template(world)
        job_id = await manual_job(world, path("two", "greeting"))
        await world.act(job_id, Finish())
        await until_told(world, job_id)
        (told,) = await errors(world, job_id)
        expected = 1 if answer.startswith(b"5") else 3
        assert len(server.messages) == expected
        assert f"after {'one try' if expected == 1 else '3 tries'}" in told
        assert answer.decode().strip() in told
        assert await left(world) == []


async def test_an_email_that_was_not_begun_when_its_process_died_is_sent_by_the_next(
    backend_settings: Settings,
) -> None:
    async with post_office() as office:
        office.is_open.clear()
        async with mail_world(backend_settings, office.port, lease_s=0.5) as world:
            await add_template(world)
            job_id = await manual_job(world, path("two", "greeting"))
            await world.act(job_id, Finish())
            await office.until(0, waiting=1)
            await world.crash()
        office.is_open.set()
        async with mail_world(backend_settings, office.port, lease_s=0.5) as world:
            await office.until(1, seconds=3)
            await until_all_sent(world)
            assert await errors(world, job_id) == []
        assert len(office.envelopes) == 1


async def test_an_email_that_may_have_been_taken_when_its_process_died_is_not_sent_again_but_told(
    backend_settings: Settings,
) -> None:
    async with post_office() as office:
        office.answers.clear()
        async with mail_world(backend_settings, office.port, lease_s=0.5, close_s=0.05) as world:
            await add_template(world)
            job_id = await manual_job(world, path("two", "greeting"))
            await world.act(job_id, Finish())
            await office.until(1)
            await world.crash()
        async with mail_world(backend_settings, office.port, lease_s=0.5) as world:
            await until_told(world, job_id)
            (told,) = await errors(world, job_id)
            assert told.startswith("It is not known whether the e-mail 'Greeting' for a path was sent.")
            assert len(office.envelopes) == 1
        office.answers.set()
