"""Holds, the dependencies among them, and the timers of those that end by themselves."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from app.domain.job import Hold, WebhookDependency
from app.services.ports import Dependent, Item, JobRecord, ReleasedHold, Timer
from app.store.base import Queries
from app.store.schema import hold, item, job, node, timer
from app.store.sql import AnyOf, Row, Statement, insert_into

_FIELDS: Final = "hold_id step_id set_by set_ms scheduled_release_ms dependent_job_id dependent_step_id".split()
"""Members of ``Hold``, in the order of its constructor; ``webhook`` comes after them."""

WEBHOOK_FIELDS: Final = {f"webhook_{name}": name for name in "connection_id condition layer_id object_id".split()}
"""Columns, and members of ``WebhookDependency`` in the order of its constructor."""

_ITEM_OF_JOB = select(job.c.item_key).where(job.c.key == bindparam("own_job")).scalar_subquery()
_ADD = Statement(
    insert(hold)
    .values(
        job_key=bindparam("own_job"),
        item_key=_ITEM_OF_JOB,
        **{name: bindparam(name) for name in (*_FIELDS, *WEBHOOK_FIELDS)},
    )
    .returning(hold.c.key)
)
_RELEASE = Statement(
    update(hold)
    .where(
        hold.c.job_key == bindparam("own_job"), hold.c.hold_id == bindparam("own_hold"), hold.c.released_ms.is_(None)
    )
    .values(released_by=bindparam("by"), released_ms=bindparam("at_ms"))
    .returning(hold.c.key, hold.c.scheduled_release_ms)
)
_ALL = Statement(
    select(*(hold.c[name] for name in (*_FIELDS, *WEBHOOK_FIELDS)), hold.c.released_by, hold.c.released_ms)
    .where(hold.c.job_key == bindparam("job_key"))
    .order_by(hold.c.key)
)
_WAITING = (
    hold.c.item_key == bindparam("item_key"),
    hold.c.released_ms.is_(None),
    hold.c.dependent_job_id.is_not(None),
)
_HOLD_OF_JOB = hold.join(job, hold.c.job_key == job.c.key)
_DEPENDENTS = Statement(
    select(item.c.item_id, job.c.job_id, hold.c.hold_id)
    .select_from(_HOLD_OF_JOB.join(item, hold.c.item_key == item.c.key))
    .where(*_WAITING, hold.c.dependent_job_id == bindparam("job_id"), job.c.job_id != bindparam("job_id"))
    .order_by(hold.c.key)
)

_edge = (
    select(job.c.job_id.label("source"), hold.c.dependent_job_id.label("target"))
    .select_from(_HOLD_OF_JOB)
    .where(*_WAITING, AnyOf(job.c.job_id, "job_ids"))
    .cte("edge", recursive=True)
)
_edge = _edge.union(
    select(job.c.job_id, hold.c.dependent_job_id)
    .select_from(
        _edge.join(job, job.c.job_id == _edge.c.target).join(hold, hold.c.job_key == job.c.key),
    )
    .where(*_WAITING, job.c.item_key == bindparam("item_key"))
)
_EDGES = Statement(select(_edge.c.source, _edge.c.target).order_by(_edge.c.source, _edge.c.target))

_ADD_TIMER = insert_into(timer, "hold_key", "due_ms")
_DROP_TIMER = Statement(delete(timer).where(timer.c.hold_key == bindparam("own_hold")))
_MAY_CLAIM = or_(
    timer.c.node_id.is_(None), timer.c.node_id == bindparam("own_id"), timer.c.node_id.not_in(select(node.c.node_id))
)
_DUE = Statement(
    select(timer.c.key)
    .where(timer.c.due_ms <= bindparam("now_ms"), _MAY_CLAIM)
    .order_by(timer.c.due_ms, timer.c.key)
    .limit(bindparam("count"))
    .with_for_update(skip_locked=True, of=timer)
)
_CLAIM = Statement(update(timer).where(AnyOf(timer.c.key, "keys")).values(node_id=bindparam("own_id")))
_CLAIMED = Statement(
    select(timer.c.key, item.c.item_id, job.c.job_id, hold.c.hold_id, timer.c.due_ms)
    .select_from(
        timer.join(hold, timer.c.hold_key == hold.c.key)
        .join(job, hold.c.job_key == job.c.key)
        .join(item, hold.c.item_key == item.c.key)
    )
    .where(AnyOf(timer.c.key, "keys"))
    .order_by(timer.c.due_ms, timer.c.key)
)
_NEXT = Statement(select(func.min(timer.c.due_ms)).where(_MAY_CLAIM))


class HoldQueries(Queries):
    """``Tx``: holds, dependencies, timers."""

    def add_hold(self, record: JobRecord, hold: Hold) -> None:
        values = {name: getattr(hold, name) for name in _FIELDS}
        for column, name in WEBHOOK_FIELDS.items():
            values[column] = getattr(hold.webhook, name) if hold.webhook else None
        key = self._key_of(_ADD, own_job=record.key, **values)
        if hold.scheduled_release_ms is not None:
            self.sql.change(_ADD_TIMER, hold_key=key, due_ms=hold.scheduled_release_ms)

    def release_hold(self, record: JobRecord, hold_id: str, by: str, at_ms: int) -> None:
        """Does nothing to a hold that was released before: who was first stays on record."""
        released = self.sql.one(_RELEASE, own_job=record.key, own_hold=hold_id, by=by, at_ms=at_ms)
        if released and released[1] is not None:
            self.sql.change(_DROP_TIMER, own_hold=released[0])

    def holds(self, record: JobRecord) -> list[ReleasedHold]:
        return [_released(row) for row in self.sql.all(_ALL, job_key=record.key)]

    def dependents(self, item: Item, job_id: str) -> list[Dependent]:
        return [Dependent(*row) for row in self.sql.all(_DEPENDENTS, item_key=item.key, job_id=job_id)]

    def dependency_edges(self, item: Item, job_ids: Collection[str]) -> list[tuple[str, str]]:
        rows = self.sql.all(_EDGES, item_key=item.key, job_ids=sorted(set(job_ids)))
        return [(source, target) for source, target in rows]

    def claim_timers(self, node_id: str, now_ms: int, limit: int = 100) -> list[Timer]:
        """The claim is a short transaction of its own: one that kept the rows locked until the holds are released would
        wait for jobs, and whoever has such a job and releases its hold by hand would wait for the timer."""
        keys = [row[0] for row in self.sql.all(_DUE, own_id=node_id, now_ms=now_ms, count=limit)]
        if not keys:
            return []
        self.sql.change(_CLAIM, keys=keys, own_id=node_id)
        return [Timer(*row) for row in self.sql.all(_CLAIMED, keys=keys)]

    def next_timer_ms(self, node_id: str) -> int | None:
        row = self.sql.one(_NEXT, own_id=node_id)
        return row[0] if row else None


def _released(row: Row) -> ReleasedHold:
    *all_members, released_by, released_ms = row
    webhook: Row = tuple(all_members[len(_FIELDS) :])
    waits = WebhookDependency(*webhook) if webhook[0] is not None else None
    members: Row = (*all_members[: len(_FIELDS)], waits)
    return ReleasedHold(Hold(*members), released_by, released_ms)
