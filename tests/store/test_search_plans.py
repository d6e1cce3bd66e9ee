"""How the databases carry searches out: by which index, in which order, and without reading what is not needed.

SQLite plans by the statistics that each database is given (``sqlite_statistics``), whatever is in it; PostgreSQL by its
own, of a small database that is always the same.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.expressions.job_fields import find_field
from app.expressions.where_grammar import read
from app.services.ports import Item, JobQuery, SortBy
from app.store import holds, item_removal, jobs
from app.store import search_statements as statements
from app.store.migrate import migrate
from app.store.search_shapes import Shape, taken_apart
from app.store.sql import Statement
from tests.benchmarks.many_jobs import fill_postgres
from tests.support import PostgresServer

ITEM = Item(1, "bench", "workflow", "Bench", 1)
LIMITS = {"start": 0, "count": 50, "most": 5_000, "reach": 20_000, "bound_value": None, "bound_key": 1_000}
Explain = Callable[[Statement, dict[str, Any]], list[str]]


@pytest.fixture(scope="module")
def sqlite_plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explain]:
    """The lines of SQLite's plan of a statement, on a database with nothing in it."""
    path = tmp_path_factory.mktemp("plans") / "stepgate.db"
    asyncio.run(migrate(path))
    connection = sqlite3.connect(path)

    def plan(statement: Statement, values: dict[str, Any]) -> list[str]:
        text = statement.sqlite
        known = {**text.constants, **values, **dict.fromkeys(text.lists, "[]")}
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text.sql}", known)]

    yield plan
    connection.close()


@pytest.fixture(scope="module")
def postgres_plan(postgres_server: PostgresServer) -> Iterator[Explain]:
    """The lines of PostgreSQL's plan of a statement, on a database of 20,000 jobs."""
    with postgres_server.database() as url:
        asyncio.run(migrate(url))
        fill_postgres(url, 20_000)
        with psycopg.connect(url) as connection:

            def plan(statement: Statement, values: dict[str, Any]) -> list[str]:
                text = statement.postgres
                known = {**text.constants, **values}
                cursor = psycopg.RawCursor(connection)
                cursor.execute(f"EXPLAIN {text.sql}".encode(), [known[name] for name in text.order])
                return [row[0].strip() for row in cursor]

            yield plan


def shape_of(condition: str) -> tuple[Shape, dict[str, Any]]:
    shape, values = taken_apart(ITEM, JobQuery(read(condition, 1_800_000_000_000)))
    return shape, {**LIMITS, **values}


def order(names: str) -> tuple[SortBy, ...]:
    found = [(find_field(name.lstrip("-")), name.startswith("-")) for name in names.split()]
    return tuple(SortBy(field, descending) for field, descending in found if field is not None)


ORDERS = {"name": "jobName", "priority": "priority", "due_ms": "dueDate", "created_ms": "createdDate"}
STRAIGHT = [
    ("1=1", "ix_job_{}"),
    ("closed=0", "ix_job_closed_{}"),
    ("jobStatus='Status 3'", "ix_job_status_{}"),
]


@pytest.mark.parametrize("direction", ["", "-"])
@pytest.mark.parametrize("column", ORDERS)
@pytest.mark.parametrize(("condition", "index"), STRAIGHT)
def test_sqlite_reads_a_page_of_one_value_in_order_from_an_index(
    sqlite_plan: Explain, condition: str, index: str, column: str, direction: str
) -> None:
    (shape, values), sort = shape_of(condition), order(f"{direction}{ORDERS[column]}")
    assert statements.is_straight(shape, sort)
    (line,) = sqlite_plan(statements.walked(shape, sort, has_value=True, is_bounded=False), values)
    assert line.startswith(f"SEARCH job USING COVERING INDEX {index.format(column)} (item_key=?")


@pytest.mark.parametrize("direction", ["", "-"])
@pytest.mark.parametrize("column", ORDERS)
@pytest.mark.parametrize(("condition", "index"), STRAIGHT)
def test_postgres_reads_a_page_of_one_value_in_order_from_an_index(
    postgres_plan: Explain, condition: str, index: str, column: str, direction: str
) -> None:
    (shape, values), sort = shape_of(condition), order(f"{direction}{ORDERS[column]}")
    lines = postgres_plan(statements.walked(shape, sort, has_value=True, is_bounded=False), values)
    assert lines[1].startswith("->  Index Only Scan")
    assert f"using {index.format(column)} on job" in lines[1]


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("ownedBy='ana'", "ix_job_owned_by (item_key=? AND owned_by=?)"),
        ("createdBy='ana' AND closed=0", "ix_job_created_by (item_key=? AND created_by=?)"),
        ("jobTemplateId='t' AND jobStatus='Done'", "ix_job_template_id (item_key=? AND template_id=?)"),
        ("priority='High'", "ix_job_priority (item_key=? AND priority=?)"),
        ("percentComplete > 50", "ix_job_percent_complete (item_key=? AND percent_complete>?)"),
        ("startDate < date '2025-01-01'", "ix_job_start_ms (item_key=? AND start_ms<?)"),
        ("endDate IS NULL", "ix_job_ended_ms (item_key=? AND ended_ms=?)"),
        ("createdDate >= date '2025-01-01'", "ix_job_created_ms (item_key=? AND created_ms>?)"),
        (
            "dueDate BETWEEN date '2025-01-01' AND date '2025-02-01'",
            "ix_job_due_ms (item_key=? AND due_ms>? AND due_ms<?)",
        ),
        ("jobName = 'JOB_7'", "ix_job_name (item_key=? AND name=?)"),
        ("jobName IN ('JOB_7', 'JOB_8')", "ix_job_name (item_key=? AND name=?)"),
        ("closed=0 AND dueDate < date '2025-01-01'", "ix_job_closed_due_ms (item_key=? AND closed=? AND due_ms<?)"),
    ],
)
@pytest.mark.parametrize("column", ORDERS)
def test_sqlite_collects_by_the_index_of_what_is_asked_and_looks_at_no_row(
    sqlite_plan: Explain, condition: str, index: str, column: str
) -> None:
    (shape, values), sort = shape_of(condition), order(ORDERS[column])
    assert statements.is_covered(shape, sort)
    for statement in (statements.matches(shape, upto=True), statements.collected(shape, sort)):
        lines = sqlite_plan(statement, values)
        assert any(f"SEARCH job USING COVERING INDEX {index}" in line for line in lines), lines
        assert not any(line.startswith("SCAN job") for line in lines)


@pytest.mark.parametrize("column", ORDERS)
@pytest.mark.parametrize("condition", ["ownedBy='ana'", "dueDate < date '2025-01-01'", "assignedTo='ana'", "notes='x'"])
def test_a_walk_goes_in_order_through_an_index_up_to_its_bound(
    sqlite_plan: Explain, condition: str, column: str
) -> None:
    (shape, values), sort = shape_of(condition), order(ORDERS[column])
    lines = sqlite_plan(statements.walked(shape, sort, has_value=True, is_bounded=True), values)
    assert f"INDEX ix_job_{column} (item_key=? AND {column}" in lines[0]
    assert not any("TEMP B-TREE" in line for line in lines)
    (line,) = sqlite_plan(statements.bound(shape, sort[0], has_value=True), values)
    assert line.startswith(f"SEARCH job USING COVERING INDEX ix_job_{column} (item_key=?")


@pytest.mark.parametrize(
    "condition",
    ["assignedTo='ana'", "assignedType='User' AND assignedTo='ana'", "closed=0 AND assignedTo IN ('ana', 'bob')"],
)
def test_jobs_of_an_assignee_are_found_through_the_current_steps(sqlite_plan: Explain, condition: str) -> None:
    shape, values = shape_of(condition)
    lines = sqlite_plan(statements.some(shape, ()), values)
    assert lines[0] == "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)"
    assert any("current_step USING COVERING INDEX ix_current_step_assigned_to (assigned_to=?" in line for line in lines)


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("ownedBy='user-7'", "ix_job_owned_by"),
        ("closed=0 AND ownedBy='user-7'", "ix_job_owned_by"),
        ("jobName='JOB_7'", "ix_job_name"),
        ("assignedType='User' AND assignedTo='user-7'", "ix_current_step_assigned_to"),
        ("assignedTo='user-7'", "ix_current_step_assigned_to"),
    ],
)
def test_postgres_finds_few_by_the_index_of_what_is_asked(postgres_plan: Explain, condition: str, index: str) -> None:
    shape, values = shape_of(condition)
    for statement in (statements.some(shape, ()), statements.collected(shape, order("dueDate"))):
        lines = postgres_plan(statement, values)
        assert any(index in line for line in lines), lines
        assert not any("Seq Scan" in line for line in lines), lines


def test_what_sqlite_is_told_stays_when_the_server_starts_again(tmp_path: Path) -> None:
    path = tmp_path / "stepgate.db"

    def told() -> list[Any]:
        connection = sqlite3.connect(path)
        rows = connection.execute("SELECT * FROM sqlite_stat1 ORDER BY tbl, idx").fetchall()
        connection.close()
        return rows

    asyncio.run(migrate(path))
    first = told()
    connection = sqlite3.connect(path)
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()
    assert told() != first
    asyncio.run(migrate(path))
    assert told() == first


def test_what_sqlite_is_told_leads_no_other_query_to_read_all_jobs(tmp_path: Path) -> None:
    """Cycles of dependencies are looked for in the writer's thread: a filter made of all jobs would hold up all others.
    So would a look through all items' jobs for those of one that is being deleted, a thousand times over."""
    path = tmp_path / "stepgate.db"
    asyncio.run(migrate(path))
    connection = sqlite3.connect(path)
    for statement in (holds._EDGES, item_removal._JOBS, jobs._CHILDREN, jobs.LOCK_JOBS):
        text = statement.sqlite
        values = {**dict.fromkeys(re.findall(r":(\w+)", text.sql)), **text.constants}
        lines = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text.sql}", values)]
        assert not any("BLOOM FILTER" in line or line.startswith("SCAN job") for line in lines), lines
    connection.close()
