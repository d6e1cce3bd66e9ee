"""What SQLite is told about the tables that are searched: how many rows have a value in common.

Without it SQLite takes all indexes for equally good, and looks up the open jobs to find those of one person. Figures of
the database's own would make its plans depend on when they were taken. So a database is given these, of an item that
has been in use for long; they are typical, not exact: what counts is which column has more values than which.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, Table, text

from app.store.schema import current_step, job

_ROWS: Final = 10**9
"""So many that SQLite never thinks it worth its while to read a whole table, or to make a filter of one, for a join."""

_VALUES: Final = {
    "job": {
        "item_key": 1_000_000,
        "closed": 2,
        "status": 10,
        "priority": 4,
        "template_id": 20,
        "diagram_id": 20,
        "diagram_version": 5,
        "percent_complete": 10,
        "owned_by": 500,
        "created_by": 500,
        "name": 500_000,
        "due_ms": 100_000,
        "created_ms": 500_000,
        "start_ms": 500_000,
        "ended_ms": 500_000,
        "parent_job": 50_000,
    },
    "current_step": {"assigned_type": 3, "assigned_to": 2_000},
}
"""How many values a column has, by table; the rest differ in all rows. Of so many items each has few jobs: all other
queries are then planned as they would be without these figures."""


def give_statistics(connection: Connection) -> None:
    """Write the statistics unless they are there. Connections opened from now on plan by them."""
    wanted = sorted(_statistics())
    if _stored(connection) != wanted:
        connection.execute(text("ANALYZE meta"))  # makes the table
        connection.execute(text("DELETE FROM sqlite_stat1"))
        insert = text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)")
        connection.execute(insert, [dict(zip(("tbl", "idx", "stat"), row, strict=True)) for row in wanted])


def _stored(connection: Connection) -> list[tuple[str, str, str]]:
    there = connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")).first()
    rows = connection.execute(text("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx")) if there else ()
    return [(row[0], row[1], row[2]) for row in rows]


def _statistics() -> Iterator[tuple[str, str, str]]:
    for table in (job, current_step):
        for index in table.indexes:
            yield table.name, str(index.name), _alike(table, [column.name for column in index.columns])
    yield job.name, "sqlite_autoindex_job_1", _alike(job, ["item_key", "job_id"])  # of the unique constraint
    yield current_step.name, current_step.name, _alike(current_step, ["job_key", "step_id"])  # the table itself


def _alike(table: Table, columns: Sequence[str]) -> str:
    """The rows of the table, then how many of them have the first column in common, the first two, and so on."""
    alike, figures = _ROWS, [_ROWS]
    for name in columns:
        alike = max(1, alike // _VALUES[table.name].get(name, _ROWS))
        figures.append(alike)
    return " ".join(map(str, figures))
