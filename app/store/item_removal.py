"""Items that are being deleted: marked first, so that nobody finds them, then removed piece by piece."""

from typing import Final

from sqlalchemy import Table, bindparam, delete, select, true, update

from app.services.ports import Item, RunRecord
from app.store.items import SELECT_ITEM
from app.store.jobs import JobQueries
from app.store.runs import LIVE_RUNS
from app.store.schema import dispatch, feed, item, item_log, job, job_identity, kept_answer, run
from app.store.sql import Statement

_GO = Statement(update(item).where(item.c.key == bindparam("own_key")).values(going=true()))
_GOING = Statement(SELECT_ITEM.where(item.c.going).order_by(item.c.key))
_RUNS = Statement(LIVE_RUNS.where(job.c.item_key == bindparam("item_key")).order_by(run.c.key))
_STOP_RUNS = Statement(
    update(run)
    .where(run.c.job_key.in_(select(job.c.key).where(job.c.item_key == bindparam("own_item"))), run.c.ended.is_(False))
    .values(stopping=true())
)
_DROP_DISPATCHES = Statement(delete(dispatch).where(dispatch.c.item_key == bindparam("own_item")))

_JOBS = Statement(
    select(job.c.job_id).where(job.c.item_key == bindparam("item_key")).order_by(job.c.key).limit(bindparam("count"))
)
_feed_rows = (
    select(feed.c.id)
    .select_from(feed.join(job_identity, feed.c.job_key == job_identity.c.key))
    .where(job_identity.c.item_key == bindparam("own_item"))
    .limit(bindparam("count"))
)
_DROP_FEED = Statement(delete(feed).where(feed.c.id.in_(_feed_rows)))
_LOCK_ITEM = Statement(select(item.c.key).where(item.c.key == bindparam("own_key")).with_for_update())
_LEFT = Statement(select(job_identity.c.key).where(job_identity.c.item_key == bindparam("item_key")).limit(1))
_DELETE = Statement(delete(item).where(item.c.key == bindparam("own_key"), item.c.going))


def _some_of(table: Table, key: str) -> Statement:
    """Delete some rows of an item."""
    rows = select(table.c[key]).where(table.c.item_key == bindparam("own_item")).limit(bindparam("count"))
    return Statement(delete(table).where(table.c[key].in_(rows)))


_ROWS_OF_FEED: Final = 20
"""A job has many messages, and removing one costs a twentieth of removing a job."""

_MANY: Final = (_some_of(job_identity, "key"), _some_of(kept_answer, "slot"), _some_of(item_log, "key"))
"""What there may be too many of to go with the item's row, once the feeds are gone."""


class ItemRemovalQueries(JobQueries):
    """``Tx``: items that are being deleted."""

    def has_jobs(self, item: Item) -> bool:
        return self.sql.one(_JOBS, item_key=item.key, count=1) is not None

    def let_item_go(self, item: Item) -> list[RunRecord]:
        self.sql.change(_GO, own_key=item.key)
        self.sql.change(_DROP_DISPATCHES, own_item=item.key)
        self.sql.change(_STOP_RUNS, own_item=item.key)
        return [RunRecord(*row) for row in self.sql.all(_RUNS, item_key=item.key)]

    def going_items(self) -> list[Item]:
        return [Item(*row) for row in self.sql.all(_GOING)]

    def remove_piece(self, item: Item, limit: int) -> bool:
        if self._remove_jobs(item, limit):
            return True
        if self.sql.change(_DROP_FEED, own_item=item.key, count=limit * _ROWS_OF_FEED):
            return True
        if any(self.sql.change(statement, own_item=item.key, count=limit) for statement in _MANY):
            return True
        # Whoever had read the item before it was let go may only now commit a job. They hold the row against this lock.
        self.sql.one(_LOCK_ITEM, own_key=item.key)
        if self.sql.one(_LEFT, item_key=item.key) is not None:
            return True
        self.sql.change(_DELETE, own_key=item.key)
        return False

    def _remove_jobs(self, item: Item, limit: int) -> bool:
        job_ids = [job_id for (job_id,) in self.sql.all(_JOBS, item_key=item.key, count=limit)]
        for record in self.lock_jobs(item, job_ids).values() if job_ids else ():
            self.delete_job(record)
        return bool(job_ids)
