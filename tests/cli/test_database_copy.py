"""``stepgate db copy``: what was on SQLite goes on on PostgreSQL, or nothing was copied."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from app import cli
from app.auth.sealing import Sealer
from app.bootstrap import ATTACHMENTS_FOLDER, DATABASE_FILE, copy_to_postgres, migrate_database
from app.domain.attachments import NewAttachment
from app.domain.commands import ManageType, Run, SetHold
from app.domain.job import AutomationType
from app.services import attachments, jobs
from app.services.attachment_files import AttachmentFiles
from app.services.engine import Unit
from app.services.first_start import ADMIN
from app.services.ports import Automation, Setting
from app.settings import Settings
from app.store.blobs import FileBlobStore
from app.store.migrate import driver_url
from app.store.schema import metadata
from stepgate_client import Answer
from stepgate_client.messages import JobState, StepFinished, StepHoldReleased, StepInfoRequired
from tests.conftest import StartServer
from tests.e2e.walker import ITEM, ORG, client_of, make_template, watching
from tests.support import ServerProcess, once
from tests.support.world import open_world, step

SECRET_KEY = "test-" * 8
ATTACHED = bytes(range(256)) * 3_000
"""More than fits into one chunk."""


@pytest.mark.anyio
async def test_tokens_jobs_an_open_question_a_hold_and_a_watched_feed_go_on(
    start_server: StartServer, tmp_path: Path, postgres_url: str
) -> None:
    """Clients and their tokens stay the same; only what stands behind the address is another server."""
    old = start_server(data_dir=tmp_path / "old")
    new = ServerProcess(tmp_path, {"database_url": postgres_url, "secret_key": SECRET_KEY})
    new.port = old.port
    template = await make_template(old, [step("one", "Manual", "two"), step("two")])
    async with client_of(old) as client:
        asking, held = (await client.create_jobs(template, number_of_jobs=2)).job_ids
        async with watching(client, asking, held) as watcher:
            await client.hold(held, until=datetime.now(UTC) + timedelta(seconds=2))
            await client.add_comment(held, "Grüße, 世界")
            attached = await _attach(old, held)
            await client.run(asking)
            asked = await watcher.next_of(StepInfoRequired)
            before = await client.get_job(asking, holds=True), await client.history(held), await client.comments(held)
            assert await asyncio.to_thread(old.stop) == 0
            await asyncio.to_thread(new.command, "db", "copy", "--from-data-dir", str(tmp_path / "old"))
            try:
                await asyncio.to_thread(new.start)
                await watcher.next_of(JobState, 4, seconds=10)
                assert all(state.recovered for state in watcher.of(JobState))
                assert before[0] == await client.get_job(asking, holds=True)
                assert before[1] == (await client.history(held))[: len(before[1])]
                assert before[2] == await client.comments(held)
                assert await asyncio.to_thread(_read, new, attached) == ATTACHED
                verdict = await client.answer(asking, "one", Answer(manual_response=True), prompt_id=asked.prompt_id)
                assert verdict.stage == "applied"
                await watcher.next_of(StepFinished, seconds=5)
                await watcher.next_of(StepHoldReleased, seconds=5)
                created = (await client.create_jobs(template)).job_ids[0]
                assert created not in {asking, held}
                for job_id in (asking, held):
                    told = [m for m in watcher.messages if getattr(m, "job_id", None) == job_id]
                    seqs = [message.seq for message in told if not isinstance(message, JobState)]
                    assert seqs == list(range(1, len(seqs) + 1))
                    assert len(seqs) >= 2
                assert ", 0 faults" in await asyncio.to_thread(new.command, "db", "verify")
            finally:
                await asyncio.to_thread(new.close)


async def _attach(server: ServerProcess, job_id: str) -> str:
    """Attach a file to a job; returns its path."""
    headers = {"Authorization": f"Bearer {await asyncio.to_thread(server.token)}"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers) as http:
        path = f"/{ORG}/{ITEM}/jobs/{job_id}/attachments"
        answer = await http.post(path, files={"attachment": ("plan.bin", ATTACHED)})
        assert answer.status_code == 200, answer.text
        return f"{path}/{answer.json()['url'].rpartition('/')[2]}?f=json"


def _read(server: ServerProcess, path: str) -> bytes:
    headers = {"Authorization": f"Bearer {server.token()}"}
    return httpx2.get(server.url + path, headers=headers, follow_redirects=False).content


# ---------------------------------------------------------------- all of it or nothing


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A data folder of the test's own with jobs in it, one of them deleted."""
    return Path(shutil.copytree(once("database to copy", _fill), tmp_path / "data"))


def _fill(folder: Path) -> None:
    async def fill() -> None:
        async with open_world({"data_dir": folder}) as world:
            template = await world.template([step("one", "Manual", "two"), step("two")])
            made = [await world.create(template) for _ in range(5)]
            await world.act(made[0], Run())
            await world.act(made[1], SetHold(scheduled_release_ms=2**42))
            await world.execute(lambda unit: jobs.manage(unit, ManageType.DELETE, [made[4]]))
            await world.execute(_add_settings)
            await world.execute(lambda unit: _add_automations(unit, template))
            files = AttachmentFiles(world.store, FileBlobStore(folder / ATTACHMENTS_FOLDER), max_bytes=len(ATTACHED))
            content = await files.keep(_in_pieces(ATTACHED), name="plan.bin", media_type=None)
            await world.execute(lambda unit: attachments.add(unit, made[0], [NewAttachment(content=content)]))

    asyncio.run(fill())


def _add_settings(unit: Unit) -> None:
    unit.tx.put_setting(unit.item, Setting("smtpServer", b"sealed1: is how this begins", False))
    unit.tx.put_setting(unit.item, Setting("smtpPassword", b"hush", True))


def _add_automations(unit: Unit, template_id: str) -> None:
    for automation_id, kind, secret in (("daily", "Scheduled", None), ("hook", "Webhook", b"open sesame")):
        automation = Automation(automation_id, template_id, "A", AutomationType(kind), True, "{}", secret, ADMIN, 1)
        unit.tx.put_automation(unit.item, automation)


async def _in_pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _settings(source: Path, url: str) -> tuple[Settings, Settings]:
    return Settings(data_dir=source), Settings(data_dir=source, database_url=url, secret_key=SECRET_KEY)


def _copy(source: Path, url: str) -> int:
    return cli.run(["db", "copy", "--from-data-dir", str(source), "--database-url", url])


def _rows(url: str, name: str) -> list[tuple[Any, ...]]:
    table = metadata.tables[name]
    with create_engine(driver_url(url), poolclass=NullPool).connect() as connection:
        return [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]


def _rows_of_file(source: Path, name: str) -> list[tuple[Any, ...]]:
    return _rows(f"sqlite:///{source / DATABASE_FILE}", name)


def _is_bare(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchone() is None


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable with the master key is set."""
    monkeypatch.setenv("STEPGATE_SECRET_KEY", SECRET_KEY)


@pytest.mark.usefixtures("key")
def test_every_row_is_there_keys_are_sealed_and_no_key_is_given_out_again(
    source: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _copy(source, postgres_url) == 0
    assert "Everything was copied" in capsys.readouterr().out
    for table in metadata.sorted_tables:
        if table.name not in {"signing_key", "setting", "automation", "blob", "blob_chunk"}:
            assert _rows(postgres_url, table.name) == _rows_of_file(source, table.name), table.name
    plain, secret = _rows(postgres_url, "setting")
    assert plain[2:] == ("smtpServer", b"sealed1: is how this begins", False)
    assert secret[3].startswith(b"sealed1:")
    assert Sealer(SECRET_KEY).open(secret[3]) == b"hush"
    daily, hook = _rows(postgres_url, "automation")
    assert (daily[8], Sealer(SECRET_KEY).open(hook[8])) == (None, b"open sesame")
    assert hook[8].startswith(b"sealed1:")
    for copied, original in zip((daily, hook), _rows_of_file(source, "automation"), strict=True):
        assert copied[:8] + copied[9:] == original[:8] + original[9:]
    assert b"".join(chunk[2] for chunk in _rows(postgres_url, "blob_chunk")) == ATTACHED
    assert _rows(postgres_url, "blob")[0][2:4] == (len(ATTACHED), sha256(ATTACHED).hexdigest())
    (row,), (old,) = _rows(postgres_url, "signing_key"), _rows_of_file(source, "signing_key")
    assert row[2].startswith(b"sealed1:")
    assert Sealer(SECRET_KEY).open(row[2]) == old[2] == b"k" * 32
    assert (*row[:2], *row[3:]) == (*old[:2], *old[3:])
    with psycopg.connect(postgres_url) as connection:
        for table in metadata.sorted_tables:
            keys = [row[0] for row in _rows_of_file(source, table.name)]
            if keys and table.columns[0].identity is not None:
                sequence = f'"{table.name}"', table.columns[0].name
                found = connection.execute("SELECT nextval(pg_get_serial_sequence(%s, %s))", sequence).fetchone()
                assert found
                assert found[0] > max(keys), table.name


@pytest.mark.usefixtures("key")
def test_a_target_with_contents_is_refused_and_left_as_it_is(
    source: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _copy(source, postgres_url) == 0
    before = {table.name: _rows(postgres_url, table.name) for table in metadata.sorted_tables}
    capsys.readouterr()
    assert _copy(source, postgres_url) == 1
    assert "The target is not empty" in capsys.readouterr().err
    assert before == {table.name: _rows(postgres_url, table.name) for table in metadata.sorted_tables}


def test_an_interrupted_copy_leaves_nothing_and_can_be_done_again(source: Path, postgres_url: str) -> None:
    old, new = _settings(source, postgres_url)
    for end in ("copying feed", "checking user"):

        def interrupt(doing: str, _: int, end: str = end) -> None:
            if doing == end:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            copy_to_postgres(old, new, on_progress=interrupt, on_counted=lambda _: None)
        assert _is_bare(postgres_url)
    told: list[int] = []
    done: list[int] = []
    copy_to_postgres(old, new, on_progress=lambda _, rows: done.append(rows), on_counted=told.append)
    assert told == [sum(done) // 2]
    assert _rows(postgres_url, "feed")


@pytest.mark.usefixtures("key")
def test_a_row_that_does_not_arrive_as_it_was_is_noticed_and_nothing_is_copied(
    source: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Something between here and there changes a letter: a trigger stands in for it."""
    _, new = _settings(source, postgres_url)
    asyncio.run(migrate_database(new))
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            "CREATE FUNCTION tamper() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF NEW.key = 3 THEN NEW.name = 'tampered'; END IF; RETURN NEW; END $$"
        )
        connection.execute("CREATE TRIGGER tamper BEFORE INSERT ON job FOR EACH ROW EXECUTE FUNCTION tamper()")
    assert _copy(source, postgres_url) == 1
    assert "The row key 3 of job did not arrive as it was sent. Nothing was copied." in capsys.readouterr().err
    assert not _rows(postgres_url, "user")


@pytest.mark.usefixtures("key")
def test_a_source_with_a_changed_message_is_reported_and_not_copied(
    source: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(source / DATABASE_FILE)) as connection, connection:
        connection.execute("UPDATE feed SET body = X'7B7D' WHERE id = 1")
    assert _copy(source, postgres_url) == 1
    assert "1 faults found" in capsys.readouterr().out
    assert _is_bare(postgres_url)


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_an_attachment_that_is_not_what_it_was_is_noticed_and_nothing_is_copied(
    source: Path, postgres_url: str, capsys: pytest.CaptureFixture[str], harm: str
) -> None:
    (file,) = (source / ATTACHMENTS_FOLDER).glob("*.blob")
    if harm == "gone":
        file.unlink()
    else:
        with file.open("r+b") as opened:
            opened.write(b"x")
    assert _copy(source, postgres_url) == 1
    error = capsys.readouterr().err
    assert file.name in error
    assert ("is not what was attached" if harm == "changed" else "is not in the folder") in error
    assert _is_bare(postgres_url)


@pytest.mark.usefixtures("key")
def test_attachments_in_a_folder_of_their_own_stay_there(
    source: Path, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STEPGATE_ATTACHMENTS_DIR", str(tmp_path / "files"))
    assert _copy(source, postgres_url) == 1
    assert f"is not in the folder {tmp_path / 'files'}" in capsys.readouterr().err
    (source / ATTACHMENTS_FOLDER).rename(tmp_path / "files")
    assert _copy(source, postgres_url) == 0
    assert _rows(postgres_url, "attachment")
    assert not _rows(postgres_url, "blob")


@pytest.mark.usefixtures("key")
def test_a_server_on_the_source_is_in_the_way(
    start_server: StartServer, tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server = start_server(data_dir=tmp_path / "data")
    assert _copy(tmp_path / "data", postgres_url) == 1
    assert f"Another server (process {server.pid})" in capsys.readouterr().err
    assert _is_bare(postgres_url)


def test_it_says_what_it_needs(source: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "copy", "--from-data-dir", str(source)]) == 2
    assert "--database-url postgresql://..." in capsys.readouterr().err
    assert _copy(source, postgres_url) == 2
    assert "set STEPGATE_SECRET_KEY" in capsys.readouterr().err
    assert _is_bare(postgres_url)


@pytest.mark.usefixtures("key")
def test_a_folder_without_a_database_is_not_made_one(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _copy(tmp_path / "nothing", postgres_url) == 1
    assert "There is no database in" in capsys.readouterr().err
    assert not (tmp_path / "nothing").exists()
