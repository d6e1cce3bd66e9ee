"""Jobs: one row each, their current steps as an index, and the ids that stay used."""

from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update

from app.domain.geometry import extent
from app.domain.job import NO_TICKET, AutomationType, DataVersion, Document, Flow, Job, Location, Origin, Ticket
from app.domain.phases import phase_of
from app.errors import Conflict
from app.services.ports import Item, JobRecord
from app.store.base import Queries, Surroundings
from app.store.schema import EXTENT, FOLDED, STEP_FOLDED, current_step, job, job_identity
from app.store.sql import AnyOf, Row, Session, Statement, insert_if_new, insert_into

_DESCRIBED: Final = (
    "job_id name template_id template_name diagram_id diagram_name diagram_version owned_by created_by created_ms "
    "status priority percent_complete description notes parent_job start_ms started_ms due_ms ended_ms"
).split()
"""Members of ``Job`` that are columns as they are, in the order of its constructor."""

_DESCRIPTION: Final = attrgetter(
    *_DESCRIBED, "closed", "closed_by", "location", "versions", "may_create", "origin", "ticket"
)
"""All of a job but its flow: what a mere step forward leaves alone."""

NO_HASH: Final = bytes(32)
"""What the hash chain of a feed begins with."""

_COLUMNS = [
    job.c[name]
    for name in (
        "key seq feed_hash details flow closed closed_by geometry_type geometry versions may_create automation_id "
        "automation_type ticket phase_ms"
    ).split()
] + [job.c[name] for name in _DESCRIBED]

SELECT_JOBS: Final = select(*_COLUMNS).where(job.c.item_key == bindparam("item_key"))
_READ = Statement(SELECT_JOBS.where(job.c.job_id == bindparam("job_id")))
_LOCK_IDS = SELECT_JOBS.where(AnyOf(job.c.job_id, "job_ids")).order_by(job.c.key)
LOCK_JOBS: Final = Statement(_LOCK_IDS.with_for_update())
LOCK_JOBS_AT_ONCE: Final = Statement(_LOCK_IDS.with_for_update(nowait=True))
LOCK_KEYS: Final = Statement(select(job.c.key).where(AnyOf(job.c.key, "keys")).order_by(job.c.key).with_for_update())
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
_COUNT_OF_TEMPLATE = Statement(
    select(func.count())
    .select_from(job)
    .where(job.c.item_key == bindparam("item_key"), job.c.template_id == bindparam("template_id"))
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
    .values({name: bindparam(name) for name in ("seq", "feed_hash", "details", "flow", "phase", "phase_ms")})
)
_DELETE = Statement(delete(job).where(job.c.key == bindparam("own_key")))
_MARK_DELETED = Statement(
    update(job_identity).where(job_identity.c.key == bindparam("own_key")).values(deleted_ms=bindparam("now_ms"))
)
_STEP_COLUMNS: Final = ("step_id", "step_name", "assigned_type", "assigned_to")
_NEW_STEP: Final[dict[str, ColumnElement[Any]]] = {
    name: bindparam(f"new_{name}") for name in (*_STEP_COLUMNS, *(f"{name}_folded" for name in STEP_FOLDED))
}
_OF_JOB = current_step.c.job_key == bindparam("own_job")
_DROP_STEP = Statement(delete(current_step).where(_OF_JOB, current_step.c.step_id == bindparam("own_step")))
_CHANGE_STEP = Statement(
    update(current_step).where(_OF_JOB, current_step.c.step_id == bindparam("own_step")).values(_NEW_STEP)
)
_ADD_STEP = Statement(insert(current_step).values(job_key=bindparam("own_job"), **_NEW_STEP))

_StepRow = tuple[str, str, str, str | None]
"""What is known of a current step, in the order of ``_STEP_COLUMNS``."""

_decode_flow = msgspec.json.Decoder(Flow).decode
_decode_ticket = msgspec.json.Decoder(Ticket).decode
_decode_versions = msgspec.json.Decoder(tuple[DataVersion, ...]).decode
_decode_details = msgspec.json.Decoder(dict[str, int]).decode
_encode = msgspec.json.Encoder().encode


class JobQueries(Queries):
    """``Tx``: jobs."""

    def __init__(self, sql: Session, around: Surroundings, command_id: str) -> None:
        super().__init__(sql, around, command_id)
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
        return self.sql.all(LOCK_JOBS, item_key=item.key, job_ids=job_ids)

    def _record(self, row: Row) -> JobRecord:
        key, seq, feed_hash, details, flow, closed, closed_by, geometry_type, geometry, versions, quota = row[:11]
        location = None if geometry_type is None else Location(geometry_type, geometry)
        automation_id, automation_type, ticket, phase_ms = row[11:15]
        origin = None if automation_id is None else Origin(automation_id, AutomationType(automation_type))
        kept_ticket = _decode_ticket(ticket) if ticket else NO_TICKET
        made = (_decode_versions(versions) if versions else (), quota, origin, kept_ticket)
        members: Row = (*row[15:], bool(closed), closed_by, location, _decode_flow(flow), *made)
        job = Job(*members)
        self._known[key] = job
        self._last_seq[key] = seq
        return JobRecord(key, job, seq, feed_hash, _decode_details(details), phase_ms=phase_ms)

    def add_job(self, item: Item, job: Job, step_names: Mapping[str, str] | None = None) -> JobRecord:
        used = self.sql.one(_USE_ID, item_key=item.key, job_id=job.job_id)
        if used is None:
            raise Conflict(f"The job id {job.job_id!r} has been used in this item; choose another.", name="JobIdInUse")
        record = JobRecord(used[0], job, 0, NO_HASH, {}, phase_ms=self.now_ms())
        self.sql.change(
            _INSERT, key=record.key, item_key=item.key, job_id=job.job_id, **_moving(record), **_describing(job)
        )
        self._index_steps(record.key, {}, _step_rows(job.flow, step_names or {}))
        self._known[record.key] = job
        self._last_seq[record.key] = 0
        return record

    def save_job(self, record: JobRecord) -> None:
        """Write what differs from what this transaction has read: mostly the flow, seldom the described columns.

        Indexed columns are left out of the UPDATE when they are as before: it is what makes an action cheap. Raises:
            ValueError: the record was not read in this transaction, so what is stored now is not known.
        """
        before, after = self._known.get(record.key), record.job
        if before is None:
            raise ValueError(f"job {record.job.job_id!r} was not read in this transaction")
        if phase_of(before) is not phase_of(after):
            record.phase_ms = self.now_ms()
        if _DESCRIPTION(before) == _DESCRIPTION(after):
            self.sql.change(_SAVE_FLOW, own_key=record.key, **_moving(record))
        else:
            self.sql.change(_SAVE, own_key=record.key, **_moving(record), **_describing(after))
        renamed = before.diagram_version != after.diagram_version
        if before.flow.steps != after.flow.steps or renamed:
            rows = _step_rows(after.flow, record.step_names)
            known = {} if renamed else _step_rows(before.flow, record.step_names)
            self._index_steps(record.key, known, rows, [step.step_id for step in before.flow.steps])
        self._known[record.key] = after

    def _index_steps(
        self, key: int, known: Mapping[str, _StepRow], rows: Mapping[str, _StepRow], old: Collection[str] = ()
    ) -> None:
        """Bring the index of current steps up to date; mostly one step follows another in the same row.

        Args:
            known: rows that are stored as they are here. old: the ids of all that are stored.
        """
        gone = [step_id for step_id in old if step_id not in rows]
        for step_id, row in rows.items():
            if known.get(step_id) == row:
                continue
            values = {f"new_{name}": value for name, value in zip(_STEP_COLUMNS, row, strict=True)}
            values |= {f"new_{name}_folded": _fold(values[f"new_{name}"]) for name in STEP_FOLDED}
            if step_id in old or gone:
                self.sql.change(_CHANGE_STEP, own_job=key, own_step=step_id if step_id in old else gone.pop(), **values)
            else:
                self.sql.change(_ADD_STEP, own_job=key, **values)
        for step_id in gone:
            self.sql.change(_DROP_STEP, own_job=key, own_step=step_id)

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

    def jobs_of_template(self, item: Item, template_id: str) -> int:
        row = self.sql.one(_COUNT_OF_TEMPLATE, item_key=item.key, template_id=template_id)
        return int(row[0]) if row else 0


def _moving(record: JobRecord) -> dict[str, Any]:
    return {
        "seq": record.seq,
        "feed_hash": record.feed_hash,
        "details": _encode(record.details).decode(),
        "flow": _encode(record.job.flow).decode(),
        "phase": phase_of(record.job).value,
        "phase_ms": record.phase_ms,
    }


def _describing(job: Job) -> dict[str, Any]:
    """The columns that change seldom; the id and the keys not among them, they never do."""
    location = job.location
    return {
        **{name: getattr(job, name) for name in _DESCRIBED[1:]},
        "closed": job.closed,
        "closed_by": job.closed_by,
        "geometry_type": location.geometry_type if location else None,
        "geometry": location.geometry if location else None,
        "versions": _encode(job.versions).decode() if job.versions else None,
        "may_create": job.may_create,
        "automation_id": job.origin.automation_id if job.origin else None,
        "automation_type": job.origin.automation_type.value if job.origin else None,
        "ticket": None if job.ticket == NO_TICKET else _encode(job.ticket).decode(),
        "document_key": _document_key(job.ticket.document),
        **dict(zip(EXTENT, (location and extent(location)) or (None,) * 4, strict=True)),
        **{f"{name}_folded": _fold(getattr(job, name)) for name in FOLDED},
    }


def _document_key(document: Document | None) -> str | None:
    """What a document is found by: whom it was registered for, and what their computer calls it."""
    return key_of_document(document.registered_for, document.uuid) if document else None


def key_of_document(registered_for: str, uuid: str) -> str:
    """No user's name has a line end."""
    return f"{registered_for}\n{uuid}"


def _step_rows(flow: Flow, names: Mapping[str, str]) -> dict[str, _StepRow]:
    """The rows of a job's current steps by their ids; one whose name is not given has its id for a name."""
    return {
        step.step_id: (
            step.step_id,
            names.get(step.step_id, step.step_id),
            step.assignment.type.value,
            step.assignment.to,
        )
        for step in flow.steps
    }


def _fold(text: str | None) -> str | None:
    return None if text is None else text.casefold()
