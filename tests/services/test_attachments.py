"""Attachments with their bytes, on each database: nothing is seen too early, nothing is lost, nothing is left over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.domain.attachments import NewAttachment
from app.domain.commands import ManageType
from app.domain.job import Attachment, Content
from app.errors import Conflict, NotFound, QuotaExceeded, StoreUnavailable
from app.services import attachments, jobs
from app.services.attachment_files import AttachmentFiles, media_type_of
from app.services.engine import Unit
from app.services.recording import Jobs
from app.store.blobs import DatabaseBlobStore, FileBlobStore
from app.store.schema import blob
from app.store.sql import Statement
from tests.conftest import Settings
from tests.support.deadlines import deadline
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

DATA = b"0123456789" * 50_000
LIMIT = 10**6


async def pieces(data: bytes = DATA) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 70_000):
        yield data[start : start + 70_000]


@asynccontextmanager
async def opened(settings: Settings, folder: Path) -> AsyncIterator[tuple[World, AttachmentFiles, Callable[[], Any]]]:
    """A world, its files as its database keeps them by default, and how many blobs they hold.

    SQLite: in a folder, PostgreSQL: in the database.
    """
    async with open_world(settings) as world:
        on_disk = "database_url" not in settings
        blobs = FileBlobStore(folder) if on_disk else DatabaseBlobStore(world.store)  # type: ignore[arg-type]

        async def count() -> int:
            if on_disk:
                return _count_files(folder)
            return await world.store.read(_count_rows)

        yield world, AttachmentFiles(world.store, blobs, max_bytes=LIMIT), count


def _count_files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def _count_rows(tx: Any) -> int:
    return int(tx.sql.one(Statement(select(func.count()).select_from(blob)))[0])


async def a_job(world: World) -> str:
    return await world.create(await world.template([step("one")]))


def adding(job_id: str, content: Content, **members: Any) -> Callable[[Unit], tuple[Attachment, ...]]:
    return partial(attachments.add, job_id=job_id, new=[NewAttachment(content=content, **members)])


async def test_a_file_is_kept_attached_found_by_its_folder_and_read(backend_settings: Settings, tmp_path: Path) -> None:
    async with opened(backend_settings, tmp_path / "files") as (world, files, count):
        job_id = await a_job(world)
        content = await files.keep(pieces(), name="C:\\plan.pdf", media_type=None)
        assert (content.file_name, content.media_type, content.size) == ("plan.pdf", "application/pdf", len(DATA))
        assert await world.query(partial(attachments.of_job, job_id=job_id)) == []
        (added,) = await world.execute(adding(job_id, content, folder="Plans"))
        link = NewAttachment(link="https://files.test/1")
        (linked,) = await world.execute(partial(attachments.add, job_id=job_id, new=[link]))
        assert await world.query(partial(attachments.of_job, job_id=job_id)) == [added, linked]
        assert await world.query(partial(attachments.of_job, job_id=job_id, folder="Plans")) == [added]
        assert added.content == content
        assert await files.read(content) == DATA
        assert b"".join([piece async for piece in files.stream(content, 5, 300_000)]) == DATA[5:300_000]
        assert await files.sweep() == 0
        assert await count() == 1


async def test_bytes_go_with_their_attachment_and_with_their_job(backend_settings: Settings, tmp_path: Path) -> None:
    """Also where the process that deleted them died before it could remove them: the next sweep of any does it."""
    async with opened(backend_settings, tmp_path / "files") as (world, files, count):
        job_id = await a_job(world)
        contents = [await files.keep(pieces(b"x"), name=f"{number}", media_type=None) for number in range(3)]
        added = [(await world.execute(adding(job_id, content)))[0] for content in contents]
        await world.execute(partial(attachments.delete, job_id=job_id, attachment_id=added[0].attachment_id))
        assert (await files.sweep(), await count()) == (1, 2)
        assert not await files.is_there(contents[0])
        assert await files.read(contents[1]) == b"x"
        await world.execute(lambda unit: jobs.manage(unit, ManageType.DELETE, [job_id]))
        assert (await files.sweep(), await count()) == (2, 0)
        assert await files.sweep() == 0
        with pytest.raises(NotFound):
            await files.read(contents[1])


async def test_a_file_that_is_dropped_cannot_be_attached_and_one_that_is_attached_cannot_be_dropped(
    backend_settings: Settings, tmp_path: Path
) -> None:
    """Whoever gives up does not always know whether the transaction went through."""
    async with opened(backend_settings, tmp_path / "files") as (world, files, count):
        job_id = await a_job(world)
        dropped, kept = [await files.keep(pieces(b"x"), name="a", media_type=None) for _ in range(2)]
        await files.drop(dropped)
        with pytest.raises(Conflict):
            await world.execute(adding(job_id, dropped))
        await world.execute(adding(job_id, kept))
        with pytest.raises(Conflict):
            await world.execute(adding(job_id, kept))
        await files.drop(kept)
        assert (await files.sweep(), await count()) == (1, 1)
        assert await files.read(kept) == b"x"
        assert len(await world.query(partial(attachments.of_job, job_id=job_id))) == 1


async def test_nothing_is_left_of_a_file_that_is_too_large_breaks_off_or_is_given_up(
    backend_settings: Settings, tmp_path: Path
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield DATA
        raise ConnectionResetError("the client is gone")

    async with opened(backend_settings, tmp_path / "files") as (_, files, count):
        with pytest.raises(QuotaExceeded, match=str(LIMIT)):
            await files.keep(pieces(b"x" * (LIMIT + 1)), name="a", media_type=None)
        with pytest.raises(ConnectionResetError):
            await files.keep(broken(), name="a", media_type=None)
        waiting = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            yield DATA
            waiting.set()
            await asyncio.Event().wait()

        keeping = asyncio.create_task(files.keep(endless(), name="a", media_type=None))
        await asyncio.wait_for(waiting.wait(), deadline(1))
        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping
        assert (await files.sweep(), await count()) == (3, 0)


async def test_an_upload_under_way_is_not_swept_and_waits_in_no_database_thread(
    backend_settings: Settings, tmp_path: Path
) -> None:
    """More clients than the database has threads stall in the middle; everybody else goes on."""
    go_on = asyncio.Event()
    stalled = asyncio.Semaphore(0)

    async def slow() -> AsyncIterator[bytes]:
        yield DATA
        stalled.release()
        await go_on.wait()
        yield b"end"

    async with opened(backend_settings, tmp_path / "files") as (world, files, count):
        uploads = [asyncio.create_task(files.keep(slow(), name="a", media_type=None)) for _ in range(20)]
        async with asyncio.timeout(deadline(3)):
            for _ in uploads:
                await stalled.acquire()
            assert await files.sweep() == 0
            job_id = await a_job(world)
            assert await world.query(partial(attachments.of_job, job_id=job_id)) == []
            go_on.set()
            contents = await asyncio.gather(*uploads)
        assert {content.size for content in contents} == {len(DATA) + 3}
        assert await count() == 20


async def test_a_use_case_attaches_within_its_own_transaction(backend_settings: Settings, tmp_path: Path) -> None:
    """As a step does that keeps what a service answered: both are there, or neither."""
    async with opened(backend_settings, tmp_path / "files") as (world, files, _):
        job_id = await a_job(world)
        content = await files.keep(pieces(), name="answer.json", media_type="application/json")

        def fails(unit: Unit) -> None:
            own = Jobs(unit)
            own.lock(job_id)
            attachments.add(unit, job_id, [NewAttachment(content=content)], jobs=own)
            raise Conflict("not now")

        with pytest.raises(Conflict, match="not now"):
            await world.execute(fails, None)
        assert world.ear.types(job_id) == []

        def works(unit: Unit) -> None:
            own = Jobs(unit)
            record = own.lock(job_id)
            attachments.add(unit, job_id, [NewAttachment(content=content, folder="Answers", step_id="one")], jobs=own)
            assert own.lock(job_id) is record

        await world.execute(works, None)
        await world.execute(lambda unit: jobs.add_comment(unit, job_id, "Seen"))
        (added,) = await world.query(partial(attachments.of_job, job_id=job_id, folder="Answers"))
        assert (added.by, added.step_id, added.content) == ("system", "one", content)
        assert [message.seq for message in await world.feed(job_id)] == [1, 2]
        assert world.ear.types(job_id) == ["JobAttachmentUpdated", "JobCommentUpdated"]


async def test_without_the_database_a_drop_is_left_to_time(backend_settings: Settings, tmp_path: Path) -> None:
    async with opened(backend_settings, tmp_path / "files") as (world, files, count):
        content = await files.keep(pieces(), name="a", media_type=None)
        world.cable.unplug()
        await files.drop(content)
        with pytest.raises(StoreUnavailable):
            await files.sweep()
        world.cable.plug()
        assert (await files.sweep(), await count()) == (0, 1)


@pytest.mark.parametrize(
    ("sent", "name", "kept"),
    [
        ("image/png", "a.pdf", "image/png"),
        ("text/plain; charset=utf-8", "a", "text/plain; charset=utf-8"),
        (None, "a.PDF", "application/pdf"),
        (None, "a", "application/octet-stream"),
        ("nonsense", "a.txt", "text/plain"),
        ("text/plain\r\nX: y", "a.txt", "text/plain"),
        ("text/" + "x" * 200, "a", "application/octet-stream"),
        ("text/pläin", "a", "application/octet-stream"),
    ],
)
def test_a_media_type_is_one_that_may_stand_in_a_header(sent: str | None, name: str, kept: str) -> None:
    assert media_type_of(sent, name) == kept
