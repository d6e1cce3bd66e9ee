"""Attachments on their way from files into the database that is being filled: written, and read back."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path

from sqlalchemy import Connection, exists, insert, select

from app.errors import Conflict
from app.store.blobs import CHUNK_BYTES, DIGEST_BYTES, FILE_SUFFIX
from app.store.schema import attachment, blob, blob_chunk

OnProgress = Callable[[str, int], None]


def files_of(folder: Path) -> list[Path]:
    """The files of all attachments, and of those that are about to be removed."""
    return sorted(folder.glob(f"*{FILE_SUFFIX}"))


def copy_files(folder: Path, new: Connection, on_progress: OnProgress) -> None:
    """Write the attachments in ``folder`` into the database, and compare.

    Raises Conflict when a file is missing, is not what was attached, or did not arrive as it is.
    """
    for path in files_of(folder):
        key = _write(path, new)
        on_progress("copying attachments", 1)
        if any(here != there for here, there in zip_longest(_pieces(path), _chunks(new, key))):
            raise Conflict(f"The attachment {path} did not arrive as it is. Nothing was copied.")
        on_progress("checking attachments", 1)
    missing = new.scalar(
        select(attachment.c.blob_id).where(
            attachment.c.blob_id.is_not(None), ~exists(select(blob).where(blob.c.blob_id == attachment.c.blob_id))
        )
    )
    if missing is not None:
        raise _not_there(folder, missing)


def check_files(folder: Path, new: Connection, on_progress: OnProgress) -> None:
    """Look whether the attachments, which stay in ``folder``, are all there. Raises Conflict."""
    there = {path.name for path in files_of(folder)}
    on_progress("checking attachments", 2 * len(there))
    for blob_id in new.scalars(select(attachment.c.blob_id).where(attachment.c.blob_id.is_not(None))):
        if f"{blob_id}{FILE_SUFFIX}" not in there:
            raise _not_there(folder, blob_id)


def _write(path: Path, new: Connection) -> int:
    status = path.stat()
    digest = _digest(path)
    row = {
        "blob_id": path.name.removesuffix(FILE_SUFFIX),
        "size": status.st_size - DIGEST_BYTES,
        "sha256": digest.hex(),
        "created_ms": status.st_mtime_ns // 1_000_000,
    }
    key = int(new.execute(insert(blob).values(row).returning(blob.c.key)).scalar_one())
    found = sha256()
    for number, data in enumerate(_pieces(path)):
        new.execute(insert(blob_chunk).values(blob_key=key, number=number, data=data))
        found.update(data)
    if found.digest() != digest:
        raise Conflict(f"The file {path} is not what was attached: its bytes have changed. Nothing was copied.")
    return key


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - DIGEST_BYTES))
        return file.read()


def _pieces(path: Path) -> Iterator[bytes]:
    left = path.stat().st_size - DIGEST_BYTES
    with path.open("rb") as file:
        while left > 0 and (data := file.read(min(left, CHUNK_BYTES))):
            left -= len(data)
            yield data


def _chunks(new: Connection, key: int) -> Iterator[bytes]:
    query = select(blob_chunk.c.data).where(blob_chunk.c.blob_key == key).order_by(blob_chunk.c.number)
    with new.execute(query, execution_options={"yield_per": 4}) as rows:
        yield from rows.scalars()


def _not_there(folder: Path, blob_id: str) -> Conflict:
    return Conflict(f"The attachment {blob_id}{FILE_SUFFIX} is not in the folder {folder}. Nothing was copied.")
