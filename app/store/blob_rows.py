"""Attachments as rows: one per blob, one per chunk of it."""

from sqlalchemy import bindparam, delete, select, update

from app.errors import Conflict
from app.services.ports import BlobInfo
from app.store.base import Queries
from app.store.schema import blob, blob_chunk
from app.store.sql import Statement, insert_into

_BEGIN = insert_into(blob, returning="key")
_ADD_CHUNK = insert_into(blob_chunk)
_TAKEN = Statement(select(blob.c.key).where(blob.c.blob_id == bindparam("blob_id")))
_FINISH = Statement(
    update(blob)
    .where(blob.c.key == bindparam("own_key"))
    .values(blob_id=bindparam("new_id"), size=bindparam("new_size"), sha256=bindparam("new_sha256"))
)
_INFO = Statement(select(blob.c.key, blob.c.size, blob.c.sha256).where(blob.c.blob_id == bindparam("blob_id")))
_CHUNK = Statement(
    select(blob_chunk.c.data).where(
        blob_chunk.c.blob_key == bindparam("blob_key"), blob_chunk.c.number == bindparam("number")
    )
)
_DROP = Statement(delete(blob).where(blob.c.key == bindparam("own_key")))
_DELETE = Statement(delete(blob).where(blob.c.blob_id == bindparam("own_id")))
_SWEEP = Statement(delete(blob).where(blob.c.blob_id.is_(None), blob.c.created_ms < bindparam("before_ms")))


class BlobQueries(Queries):
    """What ``DatabaseBlobStore`` is made of. Beyond ``Tx``: use cases go through ``BlobStore``."""

    def begin_blob(self) -> int:
        """Return the key of a new, unfinished blob."""
        return self._key_of(_BEGIN, blob_id=None, size=0, sha256="", created_ms=self.now_ms())

    def add_blob_chunk(self, key: int, number: int, data: bytes) -> None:
        self.sql.change(_ADD_CHUNK, blob_key=key, number=number, data=data)

    def finish_blob(self, key: int, blob_id: str, info: BlobInfo) -> None:
        """Give the blob its id: from now on it can be read. Raises Conflict when the id is taken."""
        if self.sql.one(_TAKEN, blob_id=blob_id):
            raise Conflict(f"There is an attachment {blob_id!r} already.")
        self.sql.change(_FINISH, own_key=key, new_id=blob_id, new_size=info.size, new_sha256=info.sha256)

    def blob_info(self, blob_id: str) -> tuple[int, BlobInfo] | None:
        row = self.sql.one(_INFO, blob_id=blob_id)
        return (row[0], BlobInfo(row[1], row[2])) if row else None

    def blob_chunk(self, key: int, number: int) -> bytes | None:
        row = self.sql.one(_CHUNK, blob_key=key, number=number)
        return row[0] if row else None

    def drop_blob(self, key: int) -> None:
        self.sql.change(_DROP, own_key=key)

    def delete_blob(self, blob_id: str) -> None:
        self.sql.change(_DELETE, own_id=blob_id)

    def sweep_blobs(self, before_ms: int) -> None:
        """Remove unfinished blobs begun before then: leftovers of processes that died."""
        self.sql.change(_SWEEP, before_ms=before_ms)
