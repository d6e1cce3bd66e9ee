"""Attachments, as files and in the database."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import Conflict, InvalidValue, NotFound, QuotaExceeded, StoreUnavailable
from app.services.ports import BlobInfo, BlobStore
from app.store.blobs import CHUNK_BYTES, DatabaseBlobStore, FileBlobStore
from tests.store.databases import Database, new_database
from tests.support import deadline

pytestmark = pytest.mark.anyio

LIMIT = 10**7
SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 17]


class Subject:
    """A blob store, and how many pieces it holds, finished or not."""

    def __init__(self, blobs: BlobStore, count: Callable[[], int]) -> None:
        self.blobs = blobs
        self.count = count


@pytest.fixture(params=["files", "sqlite", "postgres"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    if request.param == "files":
        folder = tmp_path / "blobs"
        yield Subject(FileBlobStore(folder), lambda: sum(path.is_file() for path in folder.rglob("*")))
        return
    async with new_database(request.param, request) as database:
        store = await database.open_store()
        yield Subject(DatabaseBlobStore(store), lambda: _count(database))


def _count(database: Database) -> int:
    (((rows,),), ((chunks,),)) = (database.query(f"SELECT count(*) FROM {name}") for name in ("blob", "blob_chunk"))  # noqa: S608
    return int(rows or chunks)


def data_of(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


async def pieces(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def everything(blobs: BlobStore, blob_id: str, start: int = 0, stop: int | None = None) -> bytes:
    found = [piece async for piece in blobs.read(blob_id, start, stop)]
    assert all(0 < len(piece) <= CHUNK_BYTES for piece in found)
    return b"".join(found)


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_written_is_read(subject: Subject, size: int) -> None:
    data = data_of(size)
    info = await subject.blobs.write("id", pieces(data), max_bytes=LIMIT)
    assert info == BlobInfo(size, hashlib.sha256(data).hexdigest())
    assert await subject.blobs.info("id") == info
    assert await everything(subject.blobs, "id") == data


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 1), (5, 5), (CHUNK_BYTES - 1, CHUNK_BYTES + 1), (CHUNK_BYTES, None), (1, 10**9), (10**9, None), (7, 3)],
)
async def test_a_range_is_read(subject: Subject, start: int, stop: int | None) -> None:
    data = data_of(2 * CHUNK_BYTES + 9)
    await subject.blobs.write("id", pieces(data), max_bytes=LIMIT)
    assert await everything(subject.blobs, "id", start, stop) == data[start:stop]


async def test_the_size_of_what_comes_does_not_matter(subject: Subject) -> None:
    data = data_of(2 * CHUNK_BYTES + 9)
    for blob_id, size in (("one", len(data)), ("small", 40_001)):
        await subject.blobs.write(blob_id, pieces(data, size), max_bytes=LIMIT)
        assert await everything(subject.blobs, blob_id) == data


async def test_what_is_not_there_is_not_found(subject: Subject) -> None:
    with pytest.raises(NotFound):
        await subject.blobs.info("id")
    with pytest.raises(NotFound):
        await everything(subject.blobs, "id")
    await subject.blobs.delete("id")


async def test_what_was_deleted_is_gone_and_leaves_nothing(subject: Subject) -> None:
    await subject.blobs.write("id", pieces(data_of(2 * CHUNK_BYTES)), max_bytes=LIMIT)
    await subject.blobs.delete("id")
    await subject.blobs.delete("id")
    with pytest.raises(NotFound):
        await subject.blobs.info("id")
    assert subject.count() == 0
    await subject.blobs.write("id", pieces(b"again"), max_bytes=LIMIT)
    assert await everything(subject.blobs, "id") == b"again"


async def test_an_id_is_taken_once(subject: Subject) -> None:
    await subject.blobs.write("id", pieces(b"first"), max_bytes=LIMIT)
    with pytest.raises(Conflict):
        await subject.blobs.write("id", pieces(b"second"), max_bytes=LIMIT)
    assert await everything(subject.blobs, "id") == b"first"
    assert subject.count() == 1


async def test_of_two_that_write_one_id_at_once_one_succeeds(subject: Subject) -> None:
    data = data_of(CHUNK_BYTES + 1), data_of(CHUNK_BYTES + 2)
    results = await asyncio.gather(
        *(subject.blobs.write("id", pieces(each), max_bytes=LIMIT) for each in data), return_exceptions=True
    )
    (won,) = [number for number, result in enumerate(results) if isinstance(result, BlobInfo)]
    assert isinstance(results[1 - won], Conflict)
    assert await everything(subject.blobs, "id") == data[won]


async def test_beyond_the_limit_nothing_is_kept(subject: Subject) -> None:
    with pytest.raises(QuotaExceeded) as refused:
        await subject.blobs.write("id", pieces(data_of(CHUNK_BYTES * 2 + 1)), max_bytes=CHUNK_BYTES * 2)
    assert str(CHUNK_BYTES * 2) in str(refused.value)
    assert subject.count() == 0
    await subject.blobs.write("id", pieces(data_of(CHUNK_BYTES * 2)), max_bytes=CHUNK_BYTES * 2)


async def test_nothing_is_seen_before_the_end_and_nothing_is_left_of_a_failure(subject: Subject) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield data_of(CHUNK_BYTES * 2)
        with pytest.raises(NotFound):
            await subject.blobs.info("id")
        raise ConnectionResetError("the client is gone")

    with pytest.raises(ConnectionResetError):
        await subject.blobs.write("id", broken(), max_bytes=LIMIT)
    assert subject.count() == 0


async def test_nothing_is_left_of_a_write_that_was_cancelled(subject: Subject) -> None:
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield data_of(CHUNK_BYTES)
        waiting.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(_write(subject.blobs.write("id", endless(), max_bytes=LIMIT)))
    await asyncio.wait_for(waiting.wait(), deadline(1))
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert subject.count() == 0


async def _write(work: Awaitable[Any]) -> None:
    await work


async def test_a_reader_may_stop_early(subject: Subject) -> None:
    await subject.blobs.write("id", pieces(data_of(3 * CHUNK_BYTES)), max_bytes=LIMIT)
    reading = subject.blobs.read("id")
    assert len(await anext(reading)) == CHUNK_BYTES
    await reading.aclose()
    await subject.blobs.delete("id")
    assert subject.count() == 0


# ---------------------------------------------------------------- of one implementation only


async def test_what_is_deleted_in_the_database_while_it_is_read_is_not_found(request: pytest.FixtureRequest) -> None:
    """The bytes sent so far cannot be taken back; what matters is that the reader does not take them for all."""
    async with new_database("sqlite", request) as database:
        blobs = DatabaseBlobStore(await database.open_store())
        await blobs.write("id", pieces(data_of(2 * CHUNK_BYTES)), max_bytes=LIMIT)
        reading = blobs.read("id")
        await anext(reading)
        await blobs.delete("id")
        with pytest.raises(NotFound):
            await anext(reading)


@pytest.mark.parametrize("blob_id", ["", "../escape", "a/b", "a.b", "x" * 101, "a\0", "a\n"])
async def test_a_file_is_never_outside_its_folder(tmp_path: Path, blob_id: str) -> None:
    blobs = FileBlobStore(tmp_path / "blobs")
    with pytest.raises(InvalidValue):
        await blobs.write(blob_id, pieces(b"x"), max_bytes=LIMIT)
    with pytest.raises(InvalidValue):
        await blobs.info(blob_id)


async def test_files_left_over_by_dead_processes_are_swept_away_after_a_day(tmp_path: Path) -> None:
    blobs = FileBlobStore(tmp_path)
    await blobs.write("id", pieces(b"x"), max_bytes=LIMIT)
    old, new = tmp_path / "unfinished" / "old", tmp_path / "unfinished" / "new"
    for path in (old, new):
        path.write_bytes(b"half")
    yesterday = time.time() - 86_500
    os.utime(old, (yesterday, yesterday))
    await blobs.write("other", pieces(b"y"), max_bytes=LIMIT)
    assert (old.exists(), new.exists()) == (False, True)


async def test_rows_left_over_by_dead_processes_are_swept_away_after_a_day(request: pytest.FixtureRequest) -> None:
    async with new_database("sqlite", request) as database:
        store = await database.open_store()
        for _ in range(2):
            await store.run(lambda tx: tx.add_blob_chunk(tx.begin_blob(), 0, b"half"))
        database.query("UPDATE blob SET created_ms = created_ms - 86500000 WHERE key = 1")
        await DatabaseBlobStore(store).write("id", pieces(b"y"), max_bytes=LIMIT)
        assert database.query("SELECT key, blob_id FROM blob ORDER BY key") == [(2, None), (3, "id")]
        assert database.query("SELECT count(*) FROM blob_chunk") == [(2,)]


async def test_a_folder_that_cannot_be_used_is_a_temporary_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreUnavailable) as refused:
        await FileBlobStore(tmp_path / "file").write("id", pieces(b"x"), max_bytes=LIMIT)
    assert isinstance(refused.value.__cause__, OSError)
