"""Jobs: one row each, their current steps as an index, and the ids that stay used."""

from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, delete, func, select, update

from app.domain.job import Flow, Job, Location
from app.errors import Conflict
from app.services.ports import Item, JobRecord
from app.store.base import Queries
from app.store.schema import FOLDED, current_step, job, job_identity
from app.store.sql import AnyOf, Row, Statement, insert_if_new, insert_into

_DESCRIBED: Final = (
    "job_id name template_id template_name diagram_id diagram_name diagram_version owned_by created_by created_ms "
    "status priority percent_complete description notes parent_job start_ms started_ms due_ms ended_ms"
).split()
"""Members of ``Job`` that are columns as they are, in the order of its constructor."""

_DESCRIPTION: Final = attrgetter(*_DESCRIBED, "closed", "closed_by", "location")
"""All of a job but its flow: what a mere step forward leaves alone."""

_CURRENT: Final = attrgetter("step_id", "assignment")

NO_HASH: Final = bytes(32)
"""What the hash chain of a feed begins with."""

_COLUMNS = [
    job.c[name]
    for name in ("key", "seq", "feed_hash", "details", "flow", "closed", "closed_by", "geometry_type", "geometry")
] + [job.c[name] for name in _DESCRIBED]

_SELECT = select(*_COLUMNS).where(job.c.item_key == bindparam("item_key"))
_READ = Statement(_SELECT.where(job.c.job_id == bindparam("job_id")))
_LOCK_IDS = _SELECT.where(AnyOf(job.c.job_id, "job_ids")).order_by(job.c.key)
LOCK: Final = Statement(_LOCK_IDS.with_for_update())
LOCK_AT_ONCE: Final = Statement(_LOCK_IDS.with_for_update(nowait=True))
KEYS: Final = Statement(
    select(job.c.key).where(job.c.item_key == bindparam("item_key"), AnyOf(job.c.job_id, "job_ids"))
)
_CHILDREN = Statement(
    select(job.c.job_id)
    .where(job.c.item_key == bindparam("item_key"), job.c.parent_job == bindparam("job_id"))
    .order_by(job.c.key)
)
_ON_DIAGRAM = (
    select(func.count())
    .select_from(job)
    .where(job.c.item_key == bindparam("item_key"), job.c.diagram_id == bindparam("diagram_id"))
)
_COUNT_ON_DIAGRAM = Statement(_ON_DIAGRAM)
_COUNT_ON_VERSION = Statement(_ON_DIAGRAM.where(job.c.diagram_version == bindparam("version")))

_USE_ID = insert_if_new(job_identity, "item_key", "job_id", returning="key")
_INSERT = insert_into(job)
_SAVED = [column.name for column in job.columns if column.name not in ("key", "item_key", "job_id")]
_SAVE = Statement(
    update(job).where(job.c.key == bindparam("own_key")).values({name: bindparam(name) for name in _SAVED})
)
_SAVE_FLOW = Statement(
    update(job)
    .where(job.c.key == bindparam("own_key"))
    .values({name: bindparam(name) for name in ("seq", "feed_hash", "details", "flow")})
)
_DELETE = Statement(delete(job).where(job.c.key == bindparam("own_key")))
_MARK_DELETED = Statement(
    update(job_identity).where(job_identity.c.key == bindparam("own_key")).values(deleted_ms=bindparam("now_ms"))
)
_CLEAR_STEPS = Statement(delete(current_step).where(current_step.c.job_key == bindparam("own_key")))
_ADD_STEP = insert_into(current_step)

_decode_flow = msgspec.json.Decoder(Flow).decode
_decode_details = msgspec.json.Decoder(dict[str, int]).decode
_encode = msgspec.json.Encoder().encode


class JobQueries(Queries):
    """``Tx``: jobs."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._known: dict[int, Job] = {}

    def job(self, item: Item, job_id: str) -> JobRecord | None:
        row = self.sql.one(_READ, item_key=item.key, job_id=job_id)
        return self._record(row) if row else None

    def lock_jobs(self, item: Item, job_ids: Collection[str]) -> dict[str, JobRecord]:
        records = (self._record(row) for row in self._lock_rows(item, sorted(set(job_ids))))
        return {record.job.job_id: record for record in records}

    def _lock_rows(self, item: Item, job_ids: list[str]) -> Iterable[Row]:
        """Read the rows, ascending by key; SQLite has one writer, who holds them all already."""
        self.sql.check_writable()
        if len(job_ids) == 1:
            row = self.sql.one(_READ, item_key=item.key, job_id=job_ids[0])
            return [row] if row else []
        return self.sql.all(LOCK, item_key=item.key, job_ids=job_ids)

    def _record(self, row: Row) -> JobRecord:
        key, seq, feed_hash, details, flow, closed, closed_by, geometry_type, geometry = row[:9]
        location = None if geometry_type is None else Location(geometry_type, geometry)
        job = Job(*row[9:], bool(closed), closed_by, location, _decode_flow(flow))
        self._known[key] = job
        return JobRecord(key, job, seq, feed_hash, _decode_details(details))

    def add_job(self, item: Item, job: Job) -> JobRecord:
        used = self.sql.one(_USE_ID, item_key=item.key, job_id=job.job_id)
        if used is None:
            raise Conflict(f"The job id {job.job_id!r} has been used in this item; choose another.", name="JobIdInUse")
        record = JobRecord(used[0], job, 0, NO_HASH, {})
        self.sql.change(_INSERT, key=record.key, item_key=item.key, **_moving(record), **_describing(job))
        self._index_steps(record)
        self._known[record.key] = job
        return record

    def save_job(self, record: JobRecord) -> None:
        """Write what differs from what this transaction has read: mostly the flow, seldom the described columns.

        Indexed columns are left out of the UPDATE when they are as before: it is what makes an action cheap.
        """
        before, after = self._known.get(record.key), record.job
        if before is not None and (before is after or _DESCRIPTION(before) == _DESCRIPTION(after)):
            self.sql.change(_SAVE_FLOW, own_key=record.key, **_moving(record))
        else:
            described = _describing(after)
            del described["job_id"]
            self.sql.change(_SAVE, own_key=record.key, **_moving(record), **described)
        if before is None or list(map(_CURRENT, before.flow.steps)) != list(map(_CURRENT, after.flow.steps)):
            self.sql.change(_CLEAR_STEPS, own_key=record.key)
            self._index_steps(record)
        self._known[record.key] = after

    def _index_steps(self, record: JobRecord) -> None:
        rows = [
            {
                "job_key": record.key,
                "step_id": step.step_id,
                "assigned_type": step.assignment.type.value,
                "assigned_to": step.assignment.to,
            }
            for step in record.job.flow.steps
        ]
        self.sql.change_many(_ADD_STEP, rows)

    def delete_job(self, record: JobRecord) -> None:
        self.sql.change(_DELETE, own_key=record.key)
        self.sql.change(_MARK_DELETED, own_key=record.key, now_ms=self.now_ms())
        self._known.pop(record.key, None)

    def child_job_ids(self, item: Item, job_id: str) -> list[str]:
        return [row[0] for row in self.sql.all(_CHILDREN, item_key=item.key, job_id=job_id)]

    def jobs_on_diagram(self, item: Item, diagram_id: str, version: int | None = None) -> int:
        if version is None:
            row = self.sql.one(_COUNT_ON_DIAGRAM, item_key=item.key, diagram_id=diagram_id)
        else:
            row = self.sql.one(_COUNT_ON_VERSION, item_key=item.key, diagram_id=diagram_id, version=version)
        return int(row[0]) if row else 0


def _moving(record: JobRecord) -> dict[str, Any]:
    return {
        "seq": record.seq,
        "feed_hash": record.feed_hash,
        "details": _encode(record.details).decode(),
        "flow": _encode(record.job.flow).decode(),
    }


def _describing(job: Job) -> dict[str, Any]:
    values = {name: getattr(job, name) for name in _DESCRIBED}
    values |= {"closed": job.closed, "closed_by": job.closed_by, "geometry_type": None, "geometry": None}
    if job.location is not None:
        values |= {"geometry_type": job.location.geometry_type, "geometry": job.location.geometry}
    return values | {f"{name}_folded": _fold(values[name]) for name in FOLDED}


def _fold(text: str | None) -> str | None:
    return None if text is None else text.casefold()
