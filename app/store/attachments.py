"""Attachments of jobs, and the ledger of blobs that belong to none."""

from typing import Any, Final

from sqlalchemy import bindparam, delete, select, update

from app.domain.job import Attachment, Content
from app.errors import Conflict
from app.services.ports import JobRecord
from app.store.base import Queries
from app.store.schema import attachment, loose_blob
from app.store.sql import Row, Statement, insert_into, put_into

_OWN: Final = "attachment_id alias folder username at_ms step_id link".split()
_CONTENT: Final = "blob_id file_name media_type size sha256".split()
"""Columns in the order of the constructors of ``Attachment`` and ``Content``."""

_OF_JOB = select(*(attachment.c[name] for name in (*_OWN, *_CONTENT))).where(
    attachment.c.job_key == bindparam("job_key")
)
_ALL = Statement(_OF_JOB.order_by(attachment.c.key))
_ONE = Statement(_OF_JOB.where(attachment.c.attachment_id == bindparam("attachment_id")))
_ADD = insert_into(attachment)
_THIS = (attachment.c.job_key == bindparam("own_job"), attachment.c.attachment_id == bindparam("own_id"))
_SAVE = Statement(
    update(attachment)
    .where(*_THIS)
    .values({name: bindparam(f"new_{name}") for name in ("alias", "folder", "username", "at_ms")})
)
_DELETE = Statement(delete(attachment).where(*_THIS))
_BLOBS = Statement(
    select(attachment.c.blob_id).where(attachment.c.job_key == bindparam("job_key"), attachment.c.blob_id.is_not(None))
)

_LOOSEN = put_into(loose_blob, ["blob_id"])
_CLAIM = Statement(
    delete(loose_blob).where(loose_blob.c.blob_id == bindparam("own_id"), loose_blob.c.due_ms > bindparam("now_ms"))
)
_DUE = Statement(
    select(loose_blob.c.blob_id)
    .where(loose_blob.c.due_ms <= bindparam("now_ms"))
    .order_by(loose_blob.c.due_ms, loose_blob.c.blob_id)
    .limit(bindparam("most"))
)
_HASTEN = Statement(
    update(loose_blob).where(loose_blob.c.blob_id == bindparam("own_id")).values(due_ms=bindparam("now_ms"))
)
_FORGET = Statement(delete(loose_blob).where(loose_blob.c.blob_id == bindparam("own_id")))


class AttachmentQueries(Queries):
    """``Tx``: attachments."""

    def add_attachment(self, record: JobRecord, attachment: Attachment) -> None:
        content = attachment.content
        if content is not None and not self.sql.change(_CLAIM, own_id=content.blob_id, now_ms=self.now_ms()):
            raise Conflict("The file was not attached in time, and is gone; send it again.", name="AttachmentGone")
        self.sql.change(_ADD, job_key=record.key, **_columns(attachment))

    def save_attachment(self, record: JobRecord, attachment: Attachment) -> None:
        self.sql.change(
            _SAVE,
            own_job=record.key,
            own_id=attachment.attachment_id,
            new_alias=attachment.alias,
            new_folder=attachment.folder,
            new_username=attachment.by,
            new_at_ms=attachment.at_ms,
        )

    def delete_attachment(self, record: JobRecord, attachment: Attachment) -> None:
        self.sql.change(_DELETE, own_job=record.key, own_id=attachment.attachment_id)
        if attachment.content is not None:
            self.loosen_blob(attachment.content.blob_id, self.now_ms())

    def attachment(self, record: JobRecord, attachment_id: str) -> Attachment | None:
        row = self.sql.one(_ONE, job_key=record.key, attachment_id=attachment_id)
        return _attachment(row) if row else None

    def attachments(self, record: JobRecord) -> list[Attachment]:
        return [_attachment(row) for row in self.sql.all(_ALL, job_key=record.key)]

    def loosen_blob(self, blob_id: str, due_ms: int) -> None:
        self.sql.change(_LOOSEN, blob_id=blob_id, due_ms=due_ms)

    def hasten_blob(self, blob_id: str) -> None:
        self.sql.change(_HASTEN, own_id=blob_id, now_ms=self.now_ms())

    def loosen_blobs_of(self, job_key: int) -> None:
        """Let go of all blobs of a job that is about to be deleted."""
        for (blob_id,) in self.sql.all(_BLOBS, job_key=job_key):
            self.loosen_blob(blob_id, self.now_ms())

    def loose_blobs(self, now_ms: int, limit: int = 100) -> list[str]:
        return [blob_id for (blob_id,) in self.sql.all(_DUE, now_ms=now_ms, most=limit)]

    def forget_blob(self, blob_id: str) -> None:
        self.sql.change(_FORGET, own_id=blob_id)


def _columns(attachment: Attachment) -> dict[str, Any]:
    content = attachment.content
    return {
        "attachment_id": attachment.attachment_id,
        "alias": attachment.alias,
        "folder": attachment.folder,
        "username": attachment.by,
        "at_ms": attachment.at_ms,
        "step_id": attachment.step_id,
        "link": attachment.link,
        **{name: getattr(content, name) if content else None for name in _CONTENT},
    }


def _attachment(row: Row) -> Attachment:
    own, kept = row[: len(_OWN)], row[len(_OWN) :]
    return Attachment(*(*own, None if kept[0] is None else Content(*kept)))
