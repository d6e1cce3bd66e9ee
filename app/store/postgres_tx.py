"""``Tx`` on PostgreSQL, where several transactions write at once.

Rows are locked in ascending key order, so no two transactions wait for each other. A second call that needs a job with
a smaller key than one held does not wait either: it gets the lock at once, or the use case begins anew and locks all
of them in its first call.

Feed ids must be such that whoever has read up to one never misses a smaller one that commits later. Each transaction
draws a block of ids when it begins, after it was given its transaction id, and writes down with each row its
``horizon``: the first transaction id not given out yet. All that could still write smaller ids have ids below it. So
once they have ended (``pg_snapshot_xmin`` has reached the horizon), the row and everything before it is complete.
After a restore into another cluster, whose transaction ids begin anew, ``new_epoch`` sets the horizons to 0. (Comparing
the row's own transaction id with ``pg_snapshot_xmin`` is not enough: a younger transaction may have drawn the smaller
feed id and still be at work.)
"""

from collections.abc import Iterable
from typing import Any, Final

from psycopg.errors import LockNotAvailable
from sqlalchemy import BigInteger, ColumnElement, Text, bindparam, cast, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.errors import StoreUnavailable
from app.services.ports import FeedMessage, Item
from app.store.base import Surroundings
from app.store.feed import FEED_COLUMNS, SINCE, message_of
from app.store.jobs import KEYS, LOCK, LOCK_AT_ONCE, LOCK_KEYS
from app.store.postgres_session import LostRace, PostgresSession
from app.store.schema import FEED_BLOCK, command, feed, feed_block
from app.store.sql import Row, Statement
from app.store.tx import SqlTx

_ITEM_LOCKS: Final = 0x5374_6570
"""First half of the numbers of the items' advisory locks ("Step" in ASCII)."""


def _number(transaction_id: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(cast(transaction_id, Text), BigInteger)


# The row is written before RETURNING is worked out: the transaction has its id when it draws the block.
_BEGIN = Statement(
    upsert(command)
    .values(command_id=bindparam("command_id"), created_ms=bindparam("created_ms"))
    .on_conflict_do_nothing()
    .returning(feed_block.next_value())
)
_NEXT_BLOCK = Statement(select(feed_block.next_value()))
_LOCK_ITEM = Statement(
    select(
        func.pg_advisory_xact_lock(
            bindparam("namespace", type_=BigInteger) * literal_column("4294967296", BigInteger)
            + bindparam("item_key", type_=BigInteger)
        )
    )
)
_snapshot = func.pg_current_snapshot()
_APPEND = Statement(
    insert(feed)
    .values(
        id=bindparam("id"),
        horizon=_number(func.pg_snapshot_xmax(_snapshot)),
        **{name: bindparam(name) for name in FEED_COLUMNS},
    )
    .inline()
)
_is_complete = feed.c.horizon <= _number(func.pg_snapshot_xmin(_snapshot))
_SINCE = Statement(SINCE.add_columns(_is_complete))
_LAST_ROW = Statement(select(feed.c.id).where(_is_complete).order_by(feed.c.id.desc()).limit(bindparam("count")))
_FORGET_HORIZONS = Statement(update(feed).where(feed.c.horizon != bindparam("none")).values(horizon=bindparam("none")))


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
        self._next_feed_id = self._last_feed_id = 0

    def begin(self) -> bool:
        """Write the command id down and draw a block of feed ids; False when the id has been committed before.

        Waits for another transaction with the same id that has not ended: a COMMIT whose outcome we do not know.
        """
        drawn = self.sql.one(_BEGIN, command_id=self.command_id, created_ms=self.now_ms())
        if drawn is None:
            return False
        self._take_block(drawn)
        return True

    def _take_block(self, drawn: Row) -> None:
        self._next_feed_id, self._last_feed_id = drawn[0], drawn[0] + FEED_BLOCK - 1

    def lock_item(self, item: Item) -> None:
        self.sql.check_writable()
        self.sql.one(_LOCK_ITEM, namespace=_ITEM_LOCKS, item_key=item.key)

    def _lock_rows(self, item: Item, job_ids: list[str]) -> Iterable[Row]:
        self.sql.check_writable()
        if not self._held and not self._also_lock:
            rows = self.sql.all(LOCK, item_key=item.key, job_ids=job_ids)
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
        return self.sql.all(LOCK, item_key=item.key, job_ids=job_ids)

    def _lock_at_once(self, item: Item, job_ids: list[str], keys: set[int]) -> list[Row]:
        try:
            return self.sql.all(LOCK_AT_ONCE, item_key=item.key, job_ids=job_ids)
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            raise LostRace(error.message, also_lock=frozenset(self._held | keys)) from error

    def _write_feed(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if self._next_feed_id > self._last_feed_id:
                self._take_block(self.sql.all(_NEXT_BLOCK)[0])
            row["id"] = self._next_feed_id
            self._next_feed_id += 1
        self.sql.change_many(_APPEND, rows)

    def feed_since(self, row_id: int, limit: int = 1000) -> list[tuple[int, FeedMessage]]:
        rows = self.sql.all(_SINCE, row_id=row_id, count=limit)
        while rows and not rows[-1][-1]:
            rows.pop()
        return [(row[0], message_of(row[1:-1])) for row in rows]

    def last_feed_row(self) -> int:
        row = self.sql.one(_LAST_ROW, count=1)
        return row[0] if row else 0

    def new_epoch(self) -> str:
        self.sql.change(_FORGET_HORIZONS, none=0)
        return super().new_epoch()
