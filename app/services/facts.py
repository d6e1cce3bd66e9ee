"""What expressions may ask, answered from the transaction they are evaluated in: users, jobs, their properties."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from app.domain.job import Job
from app.domain.paths import job_facts
from app.domain.values import DataType
from app.expressions.arcade import ArcadeError, JobMembers, UserFacts, Value
from app.protocol.tables import tables_of
from app.services.engine import Unit
from app.services.ports import JobRecord


def know(unit: Unit, record: JobRecord) -> JobRecord:
    """Let the expressions of a job that was just read ask for facts; returns the record."""
    record.job = with_facts(unit, record.job)
    return record


def with_facts(unit: Unit, job: Job) -> Job:
    """The job, whose expressions may ask for facts as long as the transaction lasts."""
    return replace(job, facts=TxFacts(unit, job))


class TxFacts:
    """``app.expressions.arcade.Facts`` of one transaction. Reads when it is asked, and each job once.

    Args:
        own: the job that asks, which need not be stored yet.
    """

    def __init__(self, unit: Unit, own: Job | None = None) -> None:
        self._unit = unit
        self._own = own
        self._records: dict[str, JobRecord | None] = {}

    def now_ms(self) -> int:
        return self._unit.now_ms

    def new_id(self) -> str:
        return self._unit.new_id()

    def user(self, username: str) -> UserFacts | None:
        user = self._unit.tx.user(username)
        return UserFacts(user.username, user.full_name, user.email, user.groups) if user else None

    def job(self, job_id: str) -> JobMembers | None:
        record = self._find(job_id)
        return job_facts(record.job) if record else None

    def job_property(self, job_id: str, table: str, name: str, *, coming: str | None = None) -> Value:
        value = self._stored(job_id, table, name) if coming is None else coming
        return None if value is None else _typed(value, self._type_of(job_id, table, name))

    def job_output(self, job_id: str, step_id: str) -> tuple[Value, ...]:
        return tuple(self._unit.tx.step_output(self._record(job_id), step_id))

    def last_runner(self, job_id: str, step_id: str) -> str | None:
        record = self._record(job_id)
        current = record.job.flow.step(step_id)
        if current is not None and current.run is not None:
            return current.run.started_by
        lines = reversed(self._unit.tx.history(record))
        return next((line.username for line in lines if (line.step_id, line.action) == (step_id, "Started")), None)

    def last_comment(self, job_id: str) -> str | None:
        comments = self._unit.tx.comments(self._record(job_id))
        return comments[-1].comment if comments else None

    def _stored(self, job_id: str, table: str, name: str) -> str | None:
        stored = {(each.table, each.name): each.value.text for each in self._unit.tx.properties(self._record(job_id))}
        if (table, name) not in stored:
            known = ", ".join(f"{known_table}.{known_name}" for known_table, known_name in stored) or "none"
            raise ArcadeError(f"the job has no extended property {table}.{name}; it has: {known[:500]}")
        return stored[table, name]

    def _find(self, job_id: str) -> JobRecord | None:
        if job_id not in self._records:
            self._records[job_id] = self._unit.tx.job(self._unit.item, job_id)
        return self._records[job_id]

    def _record(self, job_id: str) -> JobRecord:
        record = self._find(job_id)
        if record is None:
            raise ArcadeError(f"the job {job_id!r} is not stored yet, and has neither properties nor a history")
        return record

    def _type_of(self, job_id: str, table: str, name: str) -> str:
        own = self._own
        job = own if own is not None and own.job_id == job_id else self._record(job_id).job
        template = self._unit.tx.template(self._unit.item, job.template_id)
        defined = tables_of(template.body).find(f"{table}.{name}") if template else None
        return defined.data_type if defined else DataType.STRING


_CONVERSIONS: Final[Mapping[str, Callable[[str], Value]]] = {
    "Integer": int,
    "Double": float,
    "Boolean": lambda text: {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()],
}
"""Values travel as text (rest.md 14.2). Dates stay text: ``Date`` reads them."""


def _typed(text: str, data_type: str) -> Value:
    """The value of a property; its text where that is not of the type."""
    try:
        return _CONVERSIONS.get(data_type, str)(text)
    except (ValueError, KeyError):
        return text
