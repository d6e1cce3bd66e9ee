"""Attachments: as files in a folder, or as chunks in the database. One contract: ``app.services.ports.BlobStore``."""

import asyncio
import os
import re
import secrets
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar

from app.errors import Conflict, InvalidValue, NotFound, QuotaExceeded, StoreUnavailable
from app.services.ports import BlobInfo
from app.store.sqlite import SqliteStore
from app.store.tx import SqlTx

if TYPE_CHECKING:
    from app.store.postgres import PostgresStore  # psycopg is an optional part of the installation

T = TypeVar("T")

CHUNK_BYTES: Final = 256 * 1024
"""Of a row of the database, and of what ``read`` yields at most."""

DIGEST_BYTES: Final = 32
"""Behind an attachment's bytes in its file: their SHA-256."""

FILE_SUFFIX: Final = ".blob"
_FILE_NAME: Final = re.compile("[A-Za-z0-9_-]{1,100}")

_LEFTOVER_S: Final = 86_400
"""An unfinished write this old belongs to a process that died."""


async def _pieces(source: AsyncIterable[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    """Cut what comes into pieces of ``CHUNK_BYTES``, the last one shorter. Raises QuotaExceeded above ``max_bytes``."""
    waiting, total = bytearray(), 0
    async for data in source:
        total += len(data)
        if total > max_bytes:
            raise QuotaExceeded(f"An attachment may have {max_bytes} bytes at most.", name="AttachmentTooLarge")
        waiting += data
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    if waiting:
        yield bytes(waiting)


def _missing(blob_id: str) -> NotFound:
    return NotFound(f"There is no attachment {blob_id!r}.")


def _taken(blob_id: str) -> Conflict:
    return Conflict(f"There is an attachment {blob_id!r} already.")


class FileBlobStore:
    """Attachments as files of a folder, which several nodes may share.

    A file is the attachment's bytes and, behind them, their SHA-256. It is written under another name, brought to the
    disk and then linked to its own name, which is atomic and fails where the name is taken.

    Args:
        folder: made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unfinished = folder / "unfinished"

    async def write(self, blob_id: str, chunks: AsyncIterable[bytes], *, max_bytes: int) -> BlobInfo:
        target = self._path(blob_id)
        path, file = await _in_thread(self._begin)
        digest, size = sha256(), 0
        try:
            async for data in _pieces(chunks, max_bytes):
                await _in_thread(file.write, data)
                digest.update(data)
                size += len(data)
            await _in_thread(_finish, file, digest.digest(), path, target)
        except FileExistsError:
            raise _taken(blob_id) from None
        finally:
            _discard(file, path)
        return BlobInfo(size, digest.hexdigest())

    async def read(self, blob_id: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        file = await self._open(blob_id)
        try:
            size = await _in_thread(_size, file)
            await _in_thread(file.seek, start)
            left = (size if stop is None else min(stop, size)) - start
            while left > 0 and (data := await _in_thread(file.read, min(left, CHUNK_BYTES))):
                left -= len(data)
                yield data
        finally:
            file.close()

    async def info(self, blob_id: str) -> BlobInfo:
        file = await self._open(blob_id)
        try:
            return await _in_thread(_info, file)
        finally:
            file.close()

    async def delete(self, blob_id: str) -> None:
        await _in_thread(partial(self._path(blob_id).unlink, missing_ok=True))

    def _path(self, blob_id: str) -> Path:
        if not _FILE_NAME.fullmatch(blob_id):
            raise InvalidValue("An attachment's id has 1 to 100 letters, digits, '-' and '_'.")
        return self._folder / f"{blob_id}{FILE_SUFFIX}"

    async def _open(self, blob_id: str) -> BinaryIO:
        try:
            return await _in_thread(self._path(blob_id).open, "rb")
        except FileNotFoundError:
            raise _missing(blob_id) from None

    def _begin(self) -> tuple[Path, BinaryIO]:
        """Open a file of our own, after sweeping away those of processes that died."""
        self._unfinished.mkdir(parents=True, exist_ok=True)
        for left_over in self._unfinished.iterdir():
            with suppress(FileNotFoundError):
                if left_over.stat().st_mtime < time.time() - _LEFTOVER_S:
                    left_over.unlink()
        path = self._unfinished / secrets.token_hex(16)
        return path, path.open("xb")


class DatabaseBlobStore:
    """Attachments in the database, for nodes that share nothing else. Each chunk is a transaction of its own.

    An attachment has no id before its last chunk is stored, so nobody can see it.
    """

    def __init__(self, store: "SqliteStore | PostgresStore") -> None:
        self._store = store

    async def write(self, blob_id: str, chunks: AsyncIterable[bytes], *, max_bytes: int) -> BlobInfo:
        key = await self._store.run(_begin_row)
        digest, size, number = sha256(), 0, 0
        try:
            async for data in _pieces(chunks, max_bytes):
                await self._store.run(partial(SqlTx.add_blob_chunk, key=key, number=number, data=data))
                digest.update(data)
                size, number = size + len(data), number + 1
            info = BlobInfo(size, digest.hexdigest())
            await self._store.run(partial(SqlTx.finish_blob, key=key, blob_id=blob_id, info=info))
        except BaseException:
            await self._drop(key)
            raise
        return info

    async def _drop(self, key: int) -> None:
        """Remove an unfinished attachment, also while its writer is being cancelled; else the next sweep does it."""
        with suppress(StoreUnavailable):
            await asyncio.shield(self._store.run(partial(SqlTx.drop_blob, key=key)))

    async def read(self, blob_id: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        key, info = await self._row(blob_id)
        end = info.size if stop is None else min(stop, info.size)
        while start < end:
            number, offset = divmod(start, CHUNK_BYTES)
            chunk = await self._store.read(partial(SqlTx.blob_chunk, key=key, number=number))
            if chunk is None:
                raise _missing(blob_id)
            data = chunk[offset : offset + end - start]
            start += len(data)
            yield data

    async def info(self, blob_id: str) -> BlobInfo:
        return (await self._row(blob_id))[1]

    async def delete(self, blob_id: str) -> None:
        await self._store.run(partial(SqlTx.delete_blob, blob_id=blob_id))

    async def _row(self, blob_id: str) -> tuple[int, BlobInfo]:
        found = await self._store.read(partial(SqlTx.blob_info, blob_id=blob_id))
        if found is None:
            raise _missing(blob_id)
        return found


def _begin_row(tx: SqlTx) -> int:
    tx.sweep_blobs(tx.now_ms() - _LEFTOVER_S * 1000)
    return tx.begin_blob()


def _finish(file: BinaryIO, digest: bytes, path: Path, target: Path) -> None:
    """Make the file durable, then visible, then that it is visible durable."""
    file.write(digest)
    file.flush()
    os.fsync(file.fileno())
    target.hardlink_to(path)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _discard(file: BinaryIO, path: Path) -> None:
    """Drop the other name. Not in a thread: it is quick, and a task that is being cancelled could not wait."""
    with suppress(OSError):
        file.close()
    path.unlink(missing_ok=True)


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size - DIGEST_BYTES


def _info(file: BinaryIO) -> BlobInfo:
    size = _size(file)
    file.seek(size)
    return BlobInfo(size, file.read().hex())


async def _in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Do file work off the loop. Errors of the disk become StoreUnavailable; what tells about the name stays."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError as error:
        raise StoreUnavailable(f"The folder of the attachments cannot be used: {error}") from error
