"""The bytes of attachments: kept before their attachment is added, removed after it is gone.

A file and the row that names it cannot be written in one transaction. So a ledger in the database (``loose_blob``)
names every blob that belongs to no attachment: from before its first byte until its attachment is committed, and from
the commit that deletes the attachment, or its job, until the bytes are gone. Whatever a crash leaves behind is in it.
"""

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import suppress
from functools import partial
from mimetypes import MimeTypes
from typing import Final, cast

from app.domain.attachments import file_name as clean_name
from app.domain.job import Content
from app.errors import NotFound, StoreUnavailable
from app.services.engine import new_id
from app.services.ports import BlobStore, Store, Tx

KEPT_UNCLAIMED_MS: Final = 86_400_000
"""A file must have come and be attached within a day, or it is taken for a dead process's."""

UNKNOWN_TYPE: Final = "application/octet-stream"

_BATCH: Final = 100
_MEDIA_TYPE: Final = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}(\s*;[ -~]{0,200})?", re.ASCII)
_known_types = MimeTypes(filenames=())  # those of the language, and of no file of this machine


class AttachmentFiles:
    """Where use cases and executors put and find the bytes of attachments.

    Args:
        max_bytes: of one file.
    """

    def __init__(self, store: Store, blobs: BlobStore, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._store = store
        self._blobs = blobs

    async def keep(
        self,
        chunks: AsyncIterable[bytes],
        *,
        name: str | None,
        media_type: str | None,
        max_bytes: int | None = None,
    ) -> Content:
        """Store a file; ``attachments.add`` attaches it, else ``drop`` it.

        Args:
            chunks: its bytes, as they come; none is waited for in a database thread.
            name: what the file is called; only the last part of a path counts.
            media_type: guessed from the name where None, or not one.
            max_bytes: of this file; None: as for all.

        Nothing is left of a file whose bytes end in an exception. Raises:
            QuotaExceeded: more than ``max_bytes``.
        """
        blob_id, called = new_id(), clean_name(name)
        await self._store.run(lambda tx: tx.loosen_blob(blob_id, tx.now_ms() + KEPT_UNCLAIMED_MS))
        try:
            info = await self._blobs.write(blob_id, chunks, max_bytes=max_bytes or self.max_bytes)
        except BaseException:
            await self._let_go(blob_id)
            raise
        return Content(blob_id, called, media_type_of(media_type, called), info.size, info.sha256)

    async def drop(self, content: Content) -> None:
        """Let go of a file that will not be attached after all. One that is attached stays."""
        await self._let_go(content.blob_id)

    def stream(self, content: Content, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes ``[start, stop)`` in pieces of at most 256 KiB. Raises NotFound when they are gone."""
        return cast("AsyncIterator[bytes]", self._blobs.read(content.blob_id, start, stop))

    async def read(self, content: Content) -> bytes:
        """All bytes of a file at once. Raises NotFound when they are gone."""
        return b"".join([piece async for piece in self.stream(content)])

    async def is_there(self, content: Content) -> bool:
        """Tell whether the bytes can be read now; they are removed soon after their attachment."""
        try:
            await self._blobs.info(content.blob_id)
        except NotFound:
            return False
        return True

    async def sweep(self) -> int:
        """Remove the bytes of all loose blobs that are due; returns how many. On several nodes at once does no harm.

        Raises:
            StoreUnavailable: the rest waits for the next sweep.
        """
        count = 0
        while due := await self._store.read(lambda tx: tx.loose_blobs(tx.now_ms(), _BATCH)):
            for blob_id in due:
                await self._blobs.delete(blob_id)
            await self._store.run(partial(_forget, blob_ids=due))
            count += len(due)
        return count

    async def _let_go(self, blob_id: str) -> None:
        """Make a blob due now, also while its writer is being cancelled; without the database it is due in a day."""
        with suppress(StoreUnavailable):
            await asyncio.shield(self._store.run(lambda tx: tx.hasten_blob(blob_id)))


def _forget(tx: Tx, blob_ids: Sequence[str]) -> None:
    for blob_id in blob_ids:
        tx.forget_blob(blob_id)


def media_type_of(text: str | None, name: str) -> str:
    """A media type as it may stand in a header: ``text`` if it is one, else what the name's ending means."""
    if text is not None and _MEDIA_TYPE.fullmatch(text):
        return text
    return _known_types.guess_type(name)[0] or UNKNOWN_TYPE


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    """Bytes that are all there, for ``AttachmentFiles.keep``."""
    yield data
