"""``Tx`` on PostgreSQL, where several transactions write at once.

Rows are locked in ascending key order, so no two transactions wait for each other. A second call that needs a job with
a smaller key than one held does not wait either: it gets the lock at once, or the use case begins anew and locks all
of them in its first call.

Whoever has read the feeds up to some id must never miss a smaller one that commits later. So a feed row's id is its
transaction's number, times 2^20, and a count; rows are shown once every transaction with a smaller number has ended
(``pg_snapshot_xmin``). Ids of a sequence would not do: which transaction draws first, which gets its number first and
which commits first are three different things. After a restore into another cluster, whose numbers begin anew,
``rebase`` moves the ids to come beyond those that are there.
"""

from collections.abc import Iterable
from typing import Any, Final
from zlib import crc32

from psycopg.errors import LockNotAvailable
from sqlalchemy import BigInteger, ColumnElement, Text, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.errors import StoreUnavailable
from app.services.ports import DiagramRecord, FeedMessage, Item, JobTemplate
from app.store.base import Surroundings
from app.store.diagrams import CLAIM_TEMPLATE, CLAIM_VERSION, CLAIM_VERSIONS, USE_TEMPLATE, USE_VERSION
from app.store.feed import FEED_COLUMNS, SINCE, message_of
from app.store.jobs import KEYS, LOCK_JOBS, LOCK_JOBS_AT_ONCE, LOCK_KEYS
from app.store.postgres_session import LostRace, PostgresSession
from app.store.schema import command, feed, meta
from app.store.sql import Row, Statement, insert_into
from app.store.tx import SqlTx

_BASE: Final = "feed_base"
_IDS: Final = 2**20
"""Feed ids of one transaction."""

_LOCKS: Final = 0x5374_6570
"""First half of the numbers of our advisory locks ("Step" in ASCII); the second is the key of an item."""

_SLOTS: Final = 0x536C_6F74
"""First half of those that claim slots ("Slot"); the second is of the slot's digest."""

_REBASING: Final = 0
"""No item's key."""


def _number(transaction_id: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(cast(transaction_id, Text), BigInteger)


def _first_id(transaction_id: ColumnElement[Any]) -> ColumnElement[int]:
    """The smallest feed id that a transaction may give."""
    base = select(cast(meta.c.value, BigInteger)).where(meta.c.name == _BASE).scalar_subquery()
    return _number(transaction_id) * _IDS + func.coalesce(base, 0)


_BEGIN = Statement(
    upsert(command)
    .values(command_id=bindparam("command_id"), created_ms=bindparam("created_ms"))
    .on_conflict_do_nothing()
    .returning(_first_id(func.pg_current_xact_id()))
)
_lock_number = bindparam("namespace", type_=BigInteger) * literal_column("4294967296", BigInteger) + bindparam(
    "number", type_=BigInteger
)
_LOCK = Statement(select(func.pg_advisory_xact_lock(_lock_number)))
_TRY_LOCK = Statement(select(func.pg_try_advisory_xact_lock(_lock_number)))
_APPEND = insert_into(feed, "id", *FEED_COLUMNS)
_snapshot = func.pg_current_snapshot()
_is_complete = feed.c.id < _first_id(func.pg_snapshot_xmin(_snapshot))
_SINCE = Statement(SINCE.where(_is_complete))
_LAST_ROW = Statement(select(func.max(feed.c.id)).where(_is_complete))
# All that a snapshot shows was written by transactions below its xmax, unless it comes from elsewhere.
_AHEAD = Statement(select(func.max(feed.c.id) + 1 - _first_id(func.pg_snapshot_xmax(_snapshot))))
_MOVE_BASE = Statement(
    upsert(meta)
    .values(name=_BASE, value=cast(bindparam("ahead", type_=BigInteger), Text))
    .on_conflict_do_update(
        index_elements=["name"],
        set_={"value": cast(cast(meta.c.value, BigInteger) + bindparam("ahead", type_=BigInteger), Text)},
    )
)


class PostgresTx(SqlTx):
    """One transaction among others.

    Args:
        also_lock: keys of jobs to lock together with the first ones, as an earlier try has found.
    """

    def __init__(
        self, sql: PostgresSession, around: Surroundings, command_id: str, also_lock: frozenset[int] = frozenset()
    ) -> None:
        super().__init__(sql, around, command_id)
        self._also_lock = also_lock
        self._held: set[int] = set()
        self._first_feed_id = self._feed_rows = 0

    def begin(self) -> bool:
        """Write the command id down; False when it has been committed before.

        Waits for another transaction with the same id that has not ended: a COMMIT whose outcome we do not know.
        """
        begun = self.sql.one(_BEGIN, command_id=self.command_id, created_ms=self.now_ms())
        if begun is None:
            return False
        self._first_feed_id = begun[0]
        return True

    def lock_item(self, item: Item) -> None:
        self._lock(item.key)

    def claim_slot(self, slot: str) -> bool:
        """A lock, not a row: a row that is not committed could only be waited for. It ends after the commit is visible,
        so whoever gets it next sees what was kept. Two slots of one number only stand in each other's way."""
        self.sql.check_writable()
        row = self.sql.one(_TRY_LOCK, namespace=_SLOTS, number=crc32(slot.encode()))
        return bool(row and row[0])

    def _lock(self, number: int) -> None:
        self.sql.check_writable()
        self.sql.one(_LOCK, namespace=_LOCKS, number=number)

    def _lock_rows(self, item: Item, job_ids: list[str]) -> Iterable[Row]:
        self.sql.check_writable()
        if not self._held and not self._also_lock:
            rows = self.sql.all(LOCK_JOBS, item_key=item.key, job_ids=job_ids)
        else:
            rows = self._lock_more(item, job_ids)
        self._held.update(row[0] for row in rows)
        return rows

    def _lock_more(self, item: Item, job_ids: list[str]) -> list[Row]:
        keys = {key for (key,) in self.sql.all(KEYS, item_key=item.key, job_ids=job_ids)} | self._also_lock
        if self._held and keys - self._held and min(keys - self._held) < max(self._held):
            return self._lock_at_once(item, job_ids, keys)
        if not self._held:
            self._held.update(key for (key,) in self.sql.all(LOCK_KEYS, keys=sorted(keys)))
        return self.sql.all(LOCK_JOBS, item_key=item.key, job_ids=job_ids)

    def _lock_at_once(self, item: Item, job_ids: list[str], keys: set[int]) -> list[Row]:
        try:
            return self.sql.all(LOCK_JOBS_AT_ONCE, item_key=item.key, job_ids=job_ids)
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            raise LostRace(error.message, also_lock=frozenset(self._held | keys)) from error

    def use_diagram(self, item: Item, diagram_id: str, version: int | None = None) -> DiagramRecord | None:
        """Read, then locked; what was deleted in between is read anew: another version may be the newest now."""
        while (found := self.diagram(item, diagram_id, version)) is not None:
            number = found.diagram.version
            if self.sql.one(USE_VERSION, item_key=item.key, diagram_id=diagram_id, version=number) is not None:
                return found
        return None

    def claim_diagram(self, item: Item, diagram_id: str, version: int | None = None) -> None:
        self.sql.check_writable()
        if version is None:
            self.sql.all(CLAIM_VERSIONS, item_key=item.key, diagram_id=diagram_id)
        else:
            self.sql.all(CLAIM_VERSION, item_key=item.key, diagram_id=diagram_id, version=version)

    def use_template(self, item: Item, template_id: str) -> JobTemplate | None:
        """Locked, then read: as it was changed meanwhile."""
        self.sql.check_writable()
        self.sql.one(USE_TEMPLATE, item_key=item.key, template_id=template_id)
        return self.template(item, template_id)

    def claim_template(self, item: Item, template_id: str) -> None:
        self.sql.check_writable()
        self.sql.one(CLAIM_TEMPLATE, item_key=item.key, template_id=template_id)

    def _write_feed(self, rows: list[dict[str, Any]]) -> None:
        if self._feed_rows + len(rows) > _IDS:
            raise ValueError(f"a transaction can write {_IDS} feed rows at most")
        for row in rows:
            row["id"] = self._first_feed_id + self._feed_rows
            self._feed_rows += 1
        self.sql.change_many(_APPEND, rows)

    def feed_since(self, row_id: int, limit: int = 1000) -> list[tuple[int, FeedMessage]]:
        return [(row[0], message_of(row[1:])) for row in self.sql.all(_SINCE, row_id=row_id, count=limit)]

    def last_feed_row(self) -> int:
        row = self.sql.one(_LAST_ROW)
        return (row[0] or 0) if row else 0

    def feed_ids_ahead(self) -> int:
        """How far the ids that are there reach beyond what this cluster has given out: above 0 after a restore."""
        row = self.sql.one(_AHEAD)
        return row[0] or 0 if row else 0

    def rebase(self) -> None:
        """Make sure that the feed ids to come are beyond those that are there. Idempotent, one at a time."""
        self._lock(_REBASING)
        ahead = self.feed_ids_ahead()
        if ahead > 0:
            self.sql.change(_MOVE_BASE, ahead=ahead)
