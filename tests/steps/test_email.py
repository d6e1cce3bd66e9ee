"""Email steps against real mail servers: what is sent, to whom, and once; and whatever goes wrong is said clearly."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.domain.attachments import NewAttachment
from app.domain.commands import Run, Stop
from app.domain.job import StepState
from app.services import attachments
from app.services.attachment_files import AttachmentFiles
from app.steps.http import trust
from tests.conftest import Settings
from tests.steps.counterparts import Authority
from tests.steps.mail_peers import PASSWORD, SILENT, USER, odd_server, post_office
from tests.steps.mail_worlds import DEFAULT_TLS, SENDER, add_people, blobs_of, configure, mail_world, mailer
from tests.support import deadline, free_port
from tests.support.world import World, step

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """SQLite, where nothing depends on the store."""
    return {"data_dir": tmp_path / "data"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


async def mail_job(world: World, **args: Any) -> str:
    args = {"to": ["zoe@example.net"], "subject": "Hello", "body": "Text"} | args
    template = await world.template([step("mail", "Email", "end", args=args), step("end")])
    return await world.create(template, job_name="Kerbs")


async def run(world: World, job_id: str, until: str = "StepFinished") -> None:
    before = world.ear.types(job_id).count(until)
    await world.act(job_id, Run())
    await world.ear.until(lambda: world.ear.types(job_id).count(until) > before, seconds=3)


async def fault_of(world: World, job_id: str) -> tuple[str, str]:
    """Run a job's step, which must fail and stay; returns the code and what is said."""
    await run(world, job_id, "StepError")
    body = world.ear.bodies(job_id, "StepError")[-1]
    assert (await world.job(job_id)).flow.current("mail").state is StepState.FAILED
    last = (await world.history(job_id))[-1]
    assert (last.action, last.result) == ("Error", body["msg"])
    return body["msgCode"], body["msg"]


# ---------------------------------------------------------------- what is sent


async def test_an_email_goes_to_users_groups_and_addresses_with_its_expressions_computed(settings: Settings) -> None:
    async with post_office() as office, mail_world(settings, office.port) as world:
        await add_people(world)
        await configure(world, smtpDefaultSenderDisplayName="Wörk\r\nBcc: evil@example.org")
        job_id = await mail_job(
            world,
            to=["ann", "zoe@exämple.net; yan@example.net"],
            cc="bob",
            bcc=["secret@example.net"],
            notificationServiceRecipients={"toUsers": ["bob"]},
            subject="'Grüße von ' + JobCreator($job)",
            body=".\n'quoted' text\n.dots\n",
        )
        await run(world, job_id)
        (envelope,), (message,) = office.envelopes, office.messages
        assert envelope.mail_from == SENDER
        everybody = [
            "ann@example.org",
            "zoe@xn--exmple-cua.net",
            "yan@example.net",
            "bob@example.org",
        ]
        assert envelope.rcpt_tos == [*everybody, "secret@example.net"]
        assert [each.addr_spec for each in message["To"].addresses] == everybody
        assert [each.addr_spec for each in message["Cc"].addresses] == ["bob@example.org"]
        assert b"secret@example.net" not in (envelope.content or b"")
        assert message["Bcc"] is None
        assert message["Subject"] == "Grüße von admin"
        assert message["From"].addresses[0].display_name == "WörkBcc: evil@example.org"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message.get_content_type() == "text/plain"
        assert message.get_content().splitlines() == [".", "'quoted' text", ".dots"]
        assert (await world.job(job_id)).flow.step("end") is not None


async def test_a_body_of_html_has_its_text_beside_it(settings: Settings) -> None:
    html = (
        "<html><head><title>x</title><style>p {}</style></head><body><h1>Kerbs &amp; co</h1>"
        '<p>See <a href="https://example.org/1">the   job</a>.</p></body></html>'
    )
    async with post_office() as office, mail_world(settings, office.port) as world:
        await run(world, await mail_job(world, body=html))
        (message,) = office.messages
        assert message.get_content_type() == "multipart/alternative"
        plain, rich = message.get_body(("plain",)), message.get_body(("html",))
        assert plain is not None
        assert rich is not None
        text = plain.get_content().replace("\r\n", "\n").strip()
        assert text == "Kerbs & co\n\nSee the job (https://example.org/1)."
        assert rich.get_content().strip() == html


async def test_attachments_go_along_by_folder_and_links_stand_below_the_body(settings: Settings) -> None:
    async with post_office() as office, mail_world(settings, office.port) as world:
        jobs = {
            choice: await mail_job(world, attachmentSelection=choice, attachmentFolder=folder)
            for choice, folder in (("Folder", "'Pl' + 'ans'"), ("All", None), ("None", "Plans"))
        }
        files = AttachmentFiles(world.store, blobs_of(settings), max_bytes=10_000_000)

        async def pieces() -> AsyncIterator[bytes]:
            yield b"\x00\xff\r\n.\r\n" * 1000

        for job_id in jobs.values():
            content = await files.keep(pieces(), name="Plän.bin", media_type="application/x-plan")
            new = [
                NewAttachment(alias="Plän.bin", folder="Plans", content=content),
                NewAttachment(alias="Map", folder="Plans", link="https://example.org/a?b=1&c=2"),
                NewAttachment(alias="Other", folder="General", link="https://example.org/other"),
            ]
            await world.execute(partial(attachments.add, job_id=job_id, new=new))
            await run(world, job_id)
        by_folder, everything, nothing = office.messages
        (file,) = by_folder.iter_attachments()
        assert (file.get_filename(), file.get_content_type()) == ("Plän.bin", "application/x-plan")
        assert file.get_content() == b"\x00\xff\r\n.\r\n" * 1000
        text = by_folder.get_body(("plain",))
        assert text is not None
        assert text.get_content().splitlines() == ["Text", "", "https://example.org/a?b=1&c=2"]
        assert "https://example.org/other" in everything.as_string()
        assert not list(nothing.iter_attachments())
        assert nothing.get_content().strip() == "Text"


async def test_who_gets_no_email_is_told_and_the_others_get_it(settings: Settings) -> None:
    async with post_office() as office, mail_world(settings, office.port) as world:
        await add_people(world)
        office.refused.add("bob@example.org")
        job_id = await mail_job(world, to=["Reviewers"])
        await run(world, job_id)
        assert office.envelopes[0].rcpt_tos == ["ann@example.org"]
        assert world.ear.types(job_id) == ["StepStarted", "StepProgress", "StepFinished"]
        (body,) = world.ear.bodies(job_id, "StepProgress")
        assert body["msgCode"] == "RECIPIENTS_MISSED"
        for words in (
            "'cyd' has no e-mail address",
            "'dan' is disabled",
            "bob@example.org: 550 5.1.1 Nobody of this name was",
        ):
            assert words in body["msg"]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ({"to": []}, "INVALID_ARGS", "nobody to send it to"),
        ({"to": ["cyd"]}, "INVALID_ARGS", "'cyd' has no e-mail address"),
        ({"to": ["who is this"]}, "INVALID_ARGS", "no user, no group and no address"),
        ({"to": ["a b@example.org"]}, "INVALID_ARGS", "no e-mail address"),
        ({"to": ["@example.org"]}, "INVALID_ARGS", "no e-mail address"),
        ({"to": ["x@"]}, "INVALID_ARGS", "no e-mail address"),
        ({"to": ["ü@example.org"]}, "INVALID_ARGS", "letters before the @"),
        ({"to": ["a@example.org\r\nRCPT TO:<b@example.org>"]}, "INVALID_ARGS", "line break"),
        ({"subject": "Hello\nBcc: evil@example.org"}, "INVALID_ARGS", "line break"),
        ({"subject": "'Job ' + JobOwnr($job)"}, "EXPRESSION_FAILED", "subject cannot be evaluated"),
        ({"body": "$nothing"}, "EXPRESSION_FAILED", "body cannot be evaluated"),
        ({"subject": 5}, "INVALID_ARGS", "subject"),
        ({"attachmentSelection": "Perhaps"}, "INVALID_ARGS", "attachmentSelection"),
        ({"to": [f"p{number}@example.org" for number in range(501)]}, "INVALID_ARGS", "501 recipients"),
    ],
)
async def test_what_cannot_become_an_email_is_not_sent_and_says_why(
    settings: Settings, args: dict[str, Any], code: str, words: str
) -> None:
    async with post_office() as office, mail_world(settings, office.port) as world:
        await add_people(world)
        found = await fault_of(world, await mail_job(world, **args))
        assert found[0] == code
        assert words in found[1]
        assert office.envelopes == []


async def test_without_a_mail_server_a_step_says_so_and_works_once_there_is_one(settings: Settings) -> None:
    async with post_office() as office, mail_world(settings, None) as world:
        job_id = await mail_job(world)
        code, text = await fault_of(world, job_id)
        assert (code, "smtpServer is not set" in text) == ("NOT_CONFIGURED", True)
        await configure(world, smtpServer="127.0.0.1", smtpPort=str(office.port))
        assert "smtpDefaultSenderEmail is not set" in (await fault_of(world, job_id))[1]
        await configure(world, smtpDefaultSenderEmail="no address")
        assert "is no e-mail address" in (await fault_of(world, job_id))[1]
        await configure(world, smtpDefaultSenderEmail=SENDER)
        await run(world, job_id)
        assert len(office.envelopes) == 1


# ---------------------------------------------------------------- TLS and logins


@pytest.mark.parametrize("protocol", ["STARTTLS", "TLS"])
async def test_an_email_goes_through_a_safe_connection_with_a_login(
    settings: Settings, authority: Authority, protocol: str
) -> None:
    tls = authority.server_tls("127.0.0.1")
    own = mailer(tls=trust(authority.file))
    async with (
        post_office(protocol, tls, login=protocol == "STARTTLS") as office,
        mail_world(settings, office.port, own=own) as world,
    ):
        await configure(world, smtpProtocol=protocol)
        if protocol == "STARTTLS":
            await configure(world, smtpUsername=USER, smtpPassword=PASSWORD)
        await run(world, await mail_job(world))
        assert len(office.envelopes) == 1


async def test_a_wrong_password_is_told_without_showing_it(settings: Settings, authority: Authority) -> None:
    own = mailer(tls=trust(authority.file))
    async with (
        post_office("STARTTLS", authority.server_tls("127.0.0.1"), login=True) as office,
        mail_world(settings, office.port, own=own) as world,
    ):
        await configure(world, smtpProtocol="STARTTLS", smtpUsername=USER, smtpPassword="wrong-password")
        code, text = await fault_of(world, await mail_job(world))
        assert code == "MAIL_REFUSED"
        assert "does not take the user name and password" in text
        assert "wrong-password" not in text
        assert office.envelopes == []


@pytest.mark.parametrize("protocol", ["STARTTLS", "TLS"])
@pytest.mark.parametrize("fault", ["a stranger's", "another name's", "an old one"])
async def test_a_certificate_that_is_not_right_is_not_accepted(
    settings: Settings, authority: Authority, protocol: str, fault: str
) -> None:
    tls = authority.server_tls(
        "localhost" if fault == "another name's" else "127.0.0.1", days=-1 if fault == "an old one" else 2
    )
    own = mailer(tls=DEFAULT_TLS if fault == "a stranger's" else trust(authority.file))
    async with post_office(protocol, tls) as office, mail_world(settings, office.port, own=own) as world:
        await configure(world, smtpProtocol=protocol)
        code, text = await fault_of(world, await mail_job(world))
        assert code == "CERTIFICATE_REFUSED"
        assert "certificate that is not accepted" in text
        assert office.envelopes == []


async def test_a_server_without_starttls_gets_nothing_in_the_clear(settings: Settings) -> None:
    async with odd_server() as server, mail_world(settings, server.port) as world:
        await configure(world, smtpProtocol="STARTTLS", smtpUsername=USER, smtpPassword=PASSWORD)
        code, text = await fault_of(world, await mail_job(world))
        assert (code, "does not offer STARTTLS" in text) == ("CONNECTION_FAILED", True)
        assert [line.split()[0].upper() for line in server.heard] == ["EHLO"]


# ---------------------------------------------------------------- servers that fail


@pytest.mark.parametrize(
    ("says", "code", "words"),
    [
        ({"greeting": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, "CONNECTION_FAILED", "speaks no SMTP"),
        ({"greeting": b"22"}, "MAIL_REFUSED", "the connection"),
        ({"greeting": b""}, "CONNECTION_FAILED", "cannot be used"),
        ({"greeting": b"421 Busy\r\n"}, "MAIL_REFUSED", "does not take the connection: 421 Busy"),
        ({"EHLO": b"250-half an ans"}, "CONNECTION_FAILED", "cannot be used"),
        ({"EHLO": b"250 " + b"x" * 100_000 + b"\r\n"}, "MAIL_REFUSED", "Line too long"),
        ({"MAIL": b"552 Too large\r\n"}, "MAIL_REFUSED", f"does not take the sender {SENDER}: 552 Too large"),
        ({"RCPT": b"550 No\r\n"}, "MAIL_REFUSED", "none of the recipients. zoe@example.net: 550 No"),
        ({"RCPT": b"451 Later\r\n"}, "MAIL_REFUSED", "zoe@example.net: 451 Later"),
        ({"DATA": b"554 No\r\n"}, "MAIL_REFUSED", "does not take the e-mail: 554 No"),
        ({"DATA": b""}, "CONNECTION_FAILED", "cannot be used"),
        ({"dot": b"554 Spam\r\n"}, "MAIL_REFUSED", "does not take the e-mail: 554 Spam"),
        ({"dot": b"451 Disk full\r\n"}, "MAIL_REFUSED", "does not take the e-mail: 451 Disk full"),
        ({"dot": b""}, "OUTCOME_UNKNOWN", "broke the connection off before it said"),
        ({"dot": b"250-taken, i"}, "OUTCOME_UNKNOWN", "broke the connection off before it said"),
        ({"dot": b"gibberish\r\n"}, "OUTCOME_UNKNOWN", "broke the connection off before it said"),
    ],
)
async def test_a_server_that_fails_is_told_and_the_step_can_be_run_again(
    settings: Settings, says: dict[str, bytes | None], code: str, words: str
) -> None:
    async with odd_server(**says) as server, mail_world(settings, server.port) as world:
        job_id = await mail_job(world)
        found = await fault_of(world, job_id)
        assert found[0] == code, found
        assert words in found[1]
        server.says.clear()
        await run(world, job_id)
        assert len(server.messages) == 1 + ("dot" in says)


@pytest.mark.parametrize(
    ("silent_at", "code"),
    [("greeting", "REQUEST_TIMED_OUT"), ("RCPT", "REQUEST_TIMED_OUT"), ("dot", "OUTCOME_UNKNOWN")],
)
async def test_a_server_that_does_not_answer_is_given_up(settings: Settings, silent_at: str, code: str) -> None:
    own = mailer(timeout_s=0.3)
    async with odd_server(**{silent_at: SILENT}) as server, mail_world(settings, server.port, own=own) as world:
        found = await fault_of(world, await mail_job(world))
        assert found[0] == code
        assert "within 0.3 s" in found[1]


async def test_a_server_that_sends_a_byte_now_and_then_is_given_up_too(settings: Settings) -> None:
    """Each byte comes in time for the library, which waits for the next one; the whole has its own deadline."""
    served = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"2")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            served.set()
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    try:
        async with mail_world(settings, server.sockets[0].getsockname()[1], own=mailer(timeout_s=0.5)) as world:
            assert (await fault_of(world, await mail_job(world)))[0] == "REQUEST_TIMED_OUT"
            await asyncio.wait_for(served.wait(), deadline(1))
    finally:
        server.close()


async def test_a_server_that_is_not_there_is_told(settings: Settings) -> None:
    async with mail_world(settings, free_port()) as world:
        code, text = await fault_of(world, await mail_job(world))
        assert (code, "connection refused" in text) == ("CONNECTION_FAILED", True)
        await configure(world, smtpServer="no-such-host.invalid")
        assert (await fault_of(world, await mail_job(world)))[0] == "HOST_NOT_FOUND"


# ---------------------------------------------------------------- stops and takeovers


async def test_a_step_that_is_stopped_before_the_email_is_on_its_way_sends_nothing(settings: Settings) -> None:
    async with post_office() as office, mail_world(settings, office.port) as world:
        office.is_open.clear()
        job_id = await mail_job(world)
        await world.act(job_id, Run())
        await office.until(0, waiting=1)
        await world.act(job_id, Stop())
        await world.ear.until(lambda: "StepStopped" in world.ear.types(job_id))
        assert (await world.job(job_id)).flow.current("mail").state is StepState.CANCELLED
        office.is_open.set()
        await run(world, job_id)
        assert len(office.envelopes) == 1


async def test_emails_beyond_the_limit_of_a_mail_server_wait_and_keep_no_other_waiting(settings: Settings) -> None:
    """Steps, and what paths and activities send: all of one mail server are in one line."""
    async with post_office() as office, mail_world(settings, office.port, per_host=1) as world:
        office.is_open.clear()
        first, second = await mail_job(world), await mail_job(world)
        await world.act(first, Run())
        await office.until(0, waiting=1)
        await world.act(second, Run())
        await world.ear.until(lambda: bool(world.ear.bodies(second, "StepProgress")))
        assert world.ear.bodies(second, "StepProgress")[0]["msgCode"] == "QUEUED"
        async with post_office() as other:
            await configure(world, smtpServer="localhost", smtpPort=str(other.port))
            await run(world, await mail_job(world))
            await configure(world, smtpServer="127.0.0.1", smtpPort=str(office.port))
        office.is_open.set()
        await world.ear.until(lambda: "StepFinished" in world.ear.types(second), seconds=3)
        assert len(office.envelopes) == 2


async def test_an_email_on_its_way_is_not_called_back_by_a_stop(settings: Settings) -> None:
    async with post_office() as office, mail_world(settings, office.port) as world:
        office.answers.clear()
        job_id = await mail_job(world)
        await world.act(job_id, Run())
        await office.until(1)
        await world.act(job_id, Stop())
        office.answers.set()
        await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
        assert len(office.envelopes) == 1


async def test_an_email_on_its_way_when_the_server_closes_is_brought_to_its_end(backend_settings: Settings) -> None:
    async with post_office() as office:
        async with mail_world(backend_settings, office.port) as world:
            office.answers.clear()
            job_id = await mail_job(world)
            await world.act(job_id, Run())
            await office.until(1)
            closing = asyncio.create_task(world.runner.close())
            office.answers.set()
            await closing
            await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
        async with mail_world(backend_settings, office.port) as world:
            assert (await world.job(job_id)).flow.step("end") is not None
        assert len(office.envelopes) == 1


async def test_an_email_that_was_not_begun_when_its_process_died_is_sent_by_the_next(
    backend_settings: Settings,
) -> None:
    async with post_office() as office:
        office.is_open.clear()
        async with mail_world(backend_settings, office.port, lease_s=0.5) as world:
            job_id = await mail_job(world)
            await world.act(job_id, Run())
            await office.until(0, waiting=1)
            await world.crash()
        office.is_open.set()
        async with mail_world(backend_settings, office.port, lease_s=0.5) as world:
            await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id), seconds=3)
        assert len(office.envelopes) == 1
