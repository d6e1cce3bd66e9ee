"""The feeds: the wire messages of each job in order, chained by hashes; and the epoch that names their history."""

import secrets
from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import bindparam, func, select

from app.domain.job import AssignedType, Assignment
from app.errors import StoreUnavailable
from app.services.ports import ChainFault, FeedMessage, Item, JobRecord
from app.store.base import Queries
from app.store.jobs import NO_HASH
from app.store.schema import feed, item, job, job_identity, meta
from app.store.sql import AnyOf, Row, Statement, insert_into, put_into

_EPOCH = "epoch"
_CHECKED_AT_ONCE = 500
FEED_COLUMNS: Final = (
    "job_key seq msg_type created_ms body short audience_type audience_to command_id prev_hash"
).split()

_MESSAGE = [
    item.c.item_id,
    job_identity.c.job_id,
    *(feed.c[name] for name in ("seq", "msg_type", "created_ms", "body", "short", "audience_type", "audience_to")),
]
_JOINED = feed.join(job_identity, feed.c.job_key == job_identity.c.key).join(
    item, job_identity.c.item_key == item.c.key
)
_OF_JOB = (job_identity.c.item_key == bindparam("item_key"), job_identity.c.job_id == bindparam("job_id"))

_APPEND = insert_into(feed, *FEED_COLUMNS)
_RANGE = Statement(
    select(*_MESSAGE)
    .select_from(_JOINED)
    .where(*_OF_JOB, feed.c.seq > bindparam("after"), feed.c.seq <= bindparam("upto"))
    .order_by(feed.c.seq)
    .limit(bindparam("count"))
)
_SOME = Statement(
    select(*_MESSAGE).select_from(_JOINED).where(feed.c.job_key == bindparam("job_key"), AnyOf(feed.c.seq, "seqs"))
)
_SPAN = Statement(select(func.min(feed.c.seq), func.max(feed.c.seq)).select_from(_JOINED).where(*_OF_JOB))
SINCE: Final = (
    select(feed.c.id, *_MESSAGE)
    .select_from(_JOINED)
    .where(feed.c.id > bindparam("row_id"))
    .order_by(feed.c.id)
    .limit(bindparam("count"))
)
_SINCE = Statement(SINCE)
_LAST_ROW = Statement(select(func.max(feed.c.id)))
_CHAIN = Statement(
    select(feed.c.seq, feed.c.prev_hash, feed.c.body, feed.c.short)
    .select_from(feed.join(job_identity, feed.c.job_key == job_identity.c.key))
    .where(*_OF_JOB, feed.c.seq > bindparam("after"))
    .order_by(feed.c.seq)
    .limit(bindparam("count"))
)
_END = Statement(
    select(job.c.seq, job.c.feed_hash).where(
        job.c.item_key == bindparam("item_key"), job.c.job_id == bindparam("job_id")
    )
)
_READ_META = Statement(select(meta.c.value).where(meta.c.name == bindparam("name")))
_PUT_META = put_into(meta, ["name"])

_LAST_SEQ: Final = 2**63 - 1


class FeedQueries(Queries):
    """``Tx``: feed and epoch."""

    def append_feed(self, record: JobRecord, messages: Sequence[FeedMessage]) -> None:
        """Write feed rows, chained to what is there.

        Raises:
            ValueError: the numbers are not the next ones up to ``record.seq``, or the job was not read here.
        """
        last = self._last_seq.get(record.key)
        if last is None or [message.seq for message in messages] != list(range(last + 1, record.seq + 1)):
            raise ValueError(f"the feed of job {record.job.job_id!r} would get a gap or a repeat after {last}")
        rows = []
        for message in messages:
            rows.append(self._feed_row(record, message))
            record.feed_hash = chain(record.feed_hash, message.seq, message.body, message.short)
        self._write_feed(rows)
        self._last_seq[record.key] = record.seq

    def _feed_row(self, record: JobRecord, message: FeedMessage) -> dict[str, Any]:
        audience = message.audience
        return {
            "job_key": record.key,
            "seq": message.seq,
            "msg_type": message.msg_type,
            "created_ms": message.created_ms,
            "body": message.body,
            "short": message.short,
            "audience_type": audience.type.value if audience else None,
            "audience_to": audience.to if audience else None,
            "command_id": self.command_id,
            "prev_hash": record.feed_hash,
        }

    def _write_feed(self, rows: list[dict[str, Any]]) -> None:
        self.sql.change_many(_APPEND, rows)

    def feed(
        self, item: Item, job_id: str, after: int, upto: int | None = None, limit: int = 1000
    ) -> list[FeedMessage]:
        end = _LAST_SEQ if upto is None else upto
        rows = self.sql.all(_RANGE, item_key=item.key, job_id=job_id, after=after, upto=end, count=limit)
        return [message_of(row) for row in rows]

    def feed_messages(self, record: JobRecord, seqs: Collection[int]) -> dict[int, FeedMessage]:
        if not seqs:
            return {}
        messages = map(message_of, self.sql.all(_SOME, job_key=record.key, seqs=sorted(set(seqs))))
        return {message.seq: message for message in messages}

    def feed_span(self, item: Item, job_id: str) -> tuple[int, int] | None:
        row = self.sql.one(_SPAN, item_key=item.key, job_id=job_id)
        return None if row is None or row[0] is None else (row[0], row[1])

    def feed_since(self, row_id: int, limit: int = 1000) -> list[tuple[int, FeedMessage]]:
        return [(row[0], message_of(row[1:])) for row in self.sql.all(_SINCE, row_id=row_id, count=limit)]

    def last_feed_row(self) -> int:
        row = self.sql.one(_LAST_ROW)
        return (row[0] or 0) if row else 0

    def check_feed(self, item: Item, job_id: str) -> list[ChainFault]:
        """Walk a job's hash chain from its first stored row to its end, which the job's own row remembers.

        The last row of a deleted job has nothing to be held against.
        """
        faults: list[ChainFault] = []
        seq, expected = 0, None
        while rows := self.sql.all(_CHAIN, item_key=item.key, job_id=job_id, after=seq, count=_CHECKED_AT_ONCE):
            for number, prev_hash, body, short in rows:
                faults.extend(_link_faults(job_id, seq, expected, number, prev_hash))
                seq, expected = number, chain(prev_hash, number, body, short)
        return faults + self._end_faults(item, job_id, seq, expected)

    def _end_faults(self, item: Item, job_id: str, seq: int, expected: bytes | None) -> list[ChainFault]:
        end = self.sql.one(_END, item_key=item.key, job_id=job_id)
        if end is None:
            return []
        if end[0] != seq:
            return [ChainFault(job_id, seq, f"the feed ends here, the job's last message is {end[0]}")]
        if expected is not None and end[1] != expected:
            return [ChainFault(job_id, seq, "the last row is not the one that was written")]
        return []

    def epoch(self) -> str:
        row = self.sql.one(_READ_META, name=_EPOCH)
        if row is None:
            raise StoreUnavailable("The database has no epoch: it was not set up by this program.")
        return str(row[0])

    def new_epoch(self) -> str:
        epoch = secrets.token_hex(8)
        self.sql.change(_PUT_META, name=_EPOCH, value=epoch)
        return epoch


def chain(prev_hash: bytes, seq: int, body: bytes, short: bytes | None) -> bytes:
    """The hash of a feed row: SHA-256 over the row before it, its number (8 bytes, big-endian) and what was sent."""
    return sha256(prev_hash + seq.to_bytes(8, "big") + body + (short or b"")).digest()


def _link_faults(job_id: str, before: int, expected: bytes | None, seq: int, prev_hash: bytes) -> list[ChainFault]:
    """Hold a row against the one before it; the first stored one may follow rows that were trimmed."""
    if expected is None:
        if seq == 1 and prev_hash != NO_HASH:
            return [ChainFault(job_id, seq, "the first row's prev_hash is not the beginning of a chain")]
        return []
    if seq != before + 1:
        return [ChainFault(job_id, seq, f"rows between {before} and {seq} are missing")]
    if prev_hash != expected:
        return [ChainFault(job_id, seq, f"prev_hash does not fit row {before}")]
    return []


def message_of(row: Row) -> FeedMessage:
    """Make a message of the columns that the queries of this module name."""
    item_id, job_id, seq, msg_type, created_ms, body, short, audience_type, audience_to = row
    audience = None if audience_type is None else Assignment(AssignedType(audience_type), audience_to)
    return FeedMessage(item_id, job_id, seq, msg_type, created_ms, body, short, audience)
