"""A database of very many jobs, written straight into the tables: what the store would write, a million in a minute.

The jobs are those of an item that has been in use for 1,000 days. The older ones are closed, but for a few; names are
numbered; a third of all is the work of one user, the rest of 2,000; each open job waits at one step for a user or one
of 20 groups, and so does every tenth of the closed ones. The same statements serve both databases.
"""
# ruff: noqa: S608 - statements are put together from what stands here

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from app.domain.phases import Phase
from app.store.schema import FOLDED, STEP_FOLDED, current_step, job

DAY_MS = 86_400_000
START_MS = 1_700_000_000_000
DAYS = 1_000
END_MS = START_MS + DAYS * DAY_MS
STATUSES = ("Closed", *(f"Status {number}" for number in range(9)))
USERS = 2_000
GROUPS = 20
TEMPLATES = 20

_SPREAD = "({} * 2654435761 % 4294967291 / 65536)"
"""A number that looks like chance: of the job's number, below 65,536."""

_FLOW = (
    '{"steps":[{"step_id":"aaaaaaaa-0000","visit_id":"bbbbbbbb-0000-cccc","assignment":{"type":"User","to":"user-1"},'
    '"since_ms":1700000000000}],"joins":[],"holds":[],"finished":[],"prompts":[]}'
)

_IS_CLOSED = "i < {jobs} * 0.85 AND one % 100 <> 0"
_CREATED = f"{START_MS} + i * {DAYS * 1000} / {{jobs}} * {DAY_MS // 1000}"
_VALUES = {
    "key": "i",
    "item_key": "1",
    "job_id": "'job-' || (1000000000 + i)",
    "seq": "3",
    "feed_hash": "{hash}",
    "details": "'{{}}'",
    "flow": f"'{_FLOW}'".replace("{", "{{").replace("}", "}}"),
    "name": "'JOB_' || i",
    "template_id": f"'template-' || ((i * {TEMPLATES} / {{jobs}} + one % 10) % {TEMPLATES})",
    "template_name": f"'Template ' || ((i * {TEMPLATES} / {{jobs}} + one % 10) % {TEMPLATES})",
    "diagram_id": "'diagram'",
    "diagram_name": "'Diagram'",
    "diagram_version": "1",
    "owned_by": f"CASE one % 3 WHEN 0 THEN 'system' ELSE 'user-' || (two % {USERS}) END",
    "created_by": f"CASE one % 3 WHEN 0 THEN 'system' ELSE 'user-' || (two % {USERS}) END",
    "created_ms": _CREATED,
    "status": f"CASE WHEN {_IS_CLOSED} THEN 'Closed' ELSE 'Status ' || (two % 9) END",
    "priority": "CASE one % 7 WHEN 0 THEN 'High' WHEN 1 THEN 'Low' ELSE 'Medium' END",
    "percent_complete": f"CASE WHEN {_IS_CLOSED} THEN 100 ELSE two % 10 * 10 END",
    "start_ms": _CREATED,
    "due_ms": f"CASE two % 10 WHEN 0 THEN NULL ELSE {_CREATED} + two % 30 * {DAY_MS} END",
    "ended_ms": f"CASE WHEN {_IS_CLOSED} THEN {_CREATED} + one % 40 * {DAY_MS} END",
    "closed": _IS_CLOSED,
    "may_create": "1000",
    "phase": f"CASE WHEN {_IS_CLOSED} THEN '{Phase.SUCCEEDED}' ELSE '{Phase.RUNNING}' END",
    "phase_ms": _CREATED,
}
_STEPS = {
    "job_key": "key",
    "step_id": "'aaaaaaaa-0000'",
    "step_name": "'Review'",
    "assigned_type": "CASE key % 5 WHEN 0 THEN 'Group' ELSE 'User' END",
    "assigned_to": f"CASE key % 5 WHEN 0 THEN 'group-' || (key / 5 % {GROUPS}) ELSE 'user-' || (key * 7 % {USERS}) END",
}

Execute = Callable[[str], Any]


def fill_sqlite(path: Path, jobs: int) -> None:
    """Write the jobs into a migrated, empty SQLite file."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-200000")
    _fill(connection.execute, jobs, "zeroblob(32)")
    connection.close()


def fill_postgres(url: str, jobs: int) -> None:
    """Write the jobs into a migrated, empty PostgreSQL database, and let it look at them, as it does by itself."""
    with psycopg.connect(url, autocommit=True) as connection:

        def execute(sql: str) -> None:
            connection.execute(sql.encode())

        execute("SET maintenance_work_mem = '256MB'")
        _fill(execute, jobs, "decode(repeat('00', 32), 'hex')")
        for table in ("job", "job_identity", "current_step", "item"):
            execute(f"VACUUM ANALYZE {table}")


def _fill(execute: Execute, jobs: int, no_hash: str) -> None:
    """Indexes are made again at the end: sorted, a tenth of the time."""
    indexes = [index for index in (*job.indexes, *current_step.indexes) if not index.unique]
    execute("BEGIN")
    for index in indexes:
        execute(f"DROP INDEX {index.name}")
    execute("INSERT INTO item (key, item_id, org_id, name, going) VALUES (1, 'bench', 'workflow', 'Bench', FALSE)")
    numbers = f"WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {jobs})"
    execute(f"INSERT INTO job_identity (key, item_key, job_id) {numbers} SELECT i, 1, {_VALUES['job_id']} FROM n")
    values = {name: sql.format(jobs=jobs, hash=no_hash) for name, sql in _VALUES.items()}
    spread = f"SELECT i, {_SPREAD.format('i')} AS one, {_SPREAD.format('(i + 77777)')} AS two FROM n"
    execute(f"{_insert('job', values, FOLDED)} {numbers} {_select(values, FOLDED)} FROM ({spread}) AS spread")
    waiting = "job WHERE NOT closed OR key % 10 = 0"
    execute(f"{_insert('current_step', _STEPS, STEP_FOLDED)} {_select(_STEPS, STEP_FOLDED)} FROM {waiting}")
    for index in indexes:
        columns = ", ".join(column.name for column in index.columns)
        execute(f"CREATE INDEX {index.name} ON {index.table.name} ({columns})")  # type: ignore[union-attr]
    execute("COMMIT")


def _insert(table: str, values: Mapping[str, str], folded: Sequence[str]) -> str:
    names = [*values, *(f"{name}_folded" for name in folded if name in values)]
    return f"INSERT INTO {table} ({', '.join(names)})"


def _select(values: Mapping[str, str], folded: Sequence[str]) -> str:
    found = [*values.values(), *(f"lower({values[name]})" for name in folded if name in values)]
    return f"SELECT {', '.join(found)}"
