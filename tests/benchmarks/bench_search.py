"""How long a page of a search takes over many jobs on SQLite, beside the same question put to bare sqlite3.

``python -m tests.benchmarks.bench_search [JOBS]`` prints a table; ``make bench ARGS="--only search"`` reports it. Jobs
are written straight into the tables. Each shape is asked with other values each time; the floor is the best statement a
person would write for it by hand, on the same file, and reads the keys of the page only.
"""

import asyncio
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from app.domain.diagram import Diagram, Step
from app.expressions.job_fields import FIELDS
from app.expressions.where_grammar import read
from app.services.ports import Item, JobQuery, JobRow, SortBy, Tx
from app.store.migrate import migrate
from app.store.schema import job
from app.store.sqlite import SqliteStore

JOBS = 1_000_000
ASKED = 40
PAGE = 50
STATUSES = [f"Status {number}" for number in range(10)]
PRIORITIES = ("Low", "Medium", "High")
USERS = [f"user-{number}" for number in range(2_000)]
DAY_MS = 86_400_000
START_MS = 1_700_000_000_000


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of search: its condition and order, and the floor's statement; ``{}`` is a value of ``values``."""

    name: str
    q: str
    sort: str | None
    floor: str
    values: Callable[[random.Random], str] = lambda _: ""
    is_promised: bool = True


def _status(chance: random.Random) -> str:
    return chance.choice(STATUSES)


def _user(chance: random.Random) -> str:
    return chance.choice(USERS)


def _day(chance: random.Random) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(START_MS / 1000 + chance.randrange(1000) * 86_400))


_OF = "SELECT key FROM job {} WHERE item_key=1"
_CLOSED = _OF.format("INDEXED BY ix_job_item_key_{}") + " AND +closed=0"
SHAPES = (
    Shape("closed=0 by name", "closed=0", "jobName", _CLOSED.format("name") + " ORDER BY name, key LIMIT 50"),
    Shape(
        "closed=0 by priority", "closed=0", "priority", _CLOSED.format("priority") + " ORDER BY priority, key LIMIT 50"
    ),
    Shape(
        "closed=0 by due date",
        "closed=0",
        "dueDate",
        _CLOSED.format("due_ms") + " AND due_ms IS NOT NULL ORDER BY due_ms, key LIMIT 50",
    ),
    Shape(
        "closed=0 by created date, newest first",
        "closed=0",
        "-createdDate",
        _CLOSED.format("created_ms") + " ORDER BY created_ms DESC, key DESC LIMIT 50",
    ),
    Shape(
        "one of 10 statuses by name",
        "jobStatus='{}'",
        "jobName",
        _OF.format("INDEXED BY ix_job_item_key_name") + " AND +status='{}' ORDER BY name, key LIMIT 50",
        _status,
    ),
    Shape(
        "one of 2,000 owners by due date",
        "ownedBy='{}'",
        "dueDate",
        _OF.format("INDEXED BY ix_job_item_key_owned_by")
        + " AND owned_by='{}' ORDER BY due_ms IS NULL, due_ms LIMIT 50",
        _user,
    ),
    Shape(
        "due within a week by priority",
        "dueDate BETWEEN date '{}' AND date '2099-01-01' AND dueDate < CURRENT_TIMESTAMP",
        "priority",
        _OF.format("INDEXED BY ix_job_item_key_priority")
        + " AND +due_ms >= unixepoch('{}') * 1000 ORDER BY priority, key LIMIT 50",
        _day,
    ),
    Shape(
        "my jobs by name",
        "assignedType='User' AND closed=0 AND assignedTo='{}'",
        "jobName",
        "SELECT job.key FROM current_step JOIN job ON key=job_key WHERE assigned_type='User' AND assigned_to='{}'"
        " AND closed=0 ORDER BY name LIMIT 50",
        _user,
    ),
    Shape(
        "free text that nothing has",
        "jobName LIKE '%{} nowhere%'",
        "jobName",
        _OF.format("") + " AND name_folded LIKE '%{} nowhere%' LIMIT 50",
        _user,
        is_promised=False,
    ),
)


def parse_diagram(body: bytes, *, diagram_id: str, version: int) -> Diagram:
    """Stand in for the real reader; no job's diagram is read."""
    return Diagram(diagram_id, body.decode(), version, (Step("a", "A"),), "a")


def _rows(jobs: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(1)
    for key in range(1, jobs + 1):
        created_ms = START_MS + key * 1000 * DAY_MS // jobs
        status, priority, user = chance.choice(STATUSES), chance.choice(PRIORITIES), chance.choice(USERS)
        name = f"JOB_{chance.randrange(jobs * 10)}"
        known = {
            "key": key, "item_key": 1, "job_id": f"job-{key:018}", "seq": 0, "feed_hash": bytes(32), "details": "{}",
            "flow": "{}", "name": name, "template_id": "t", "template_name": "Template", "diagram_id": "d",
            "diagram_name": "Diagram", "diagram_version": 1, "owned_by": user, "created_by": user,
            "created_ms": created_ms, "status": status, "priority": priority, "percent_complete": 0,
            "closed": key % 5 == 0,
            "due_ms": None if key % 10 == 0 else created_ms + chance.randrange(30) * DAY_MS, "may_create": 0,
            "name_folded": name.casefold(), "status_folded": status.casefold(), "priority_folded": priority.casefold(),
            "owned_by_folded": user, "created_by_folded": user,
        }  # fmt: skip
        yield {column.name: known.get(column.name) for column in job.columns}


def fill(path: Path, jobs: int) -> None:
    """Write the jobs, each at one step that is a user's."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")
    connection.execute("INSERT INTO item (key, item_id, org_id, name) VALUES (1, 'bench', 'workflow', 'Bench')")
    connection.execute(
        "INSERT INTO job_identity (key, item_key, job_id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
        " SELECT i + 1 FROM n WHERE i < ?) SELECT i, 1, printf('job-%018d', i) FROM n",
        (jobs,),
    )
    names = [column.name for column in job.columns]
    statement = f"INSERT INTO job ({','.join(names)}) VALUES ({','.join(':' + name for name in names)})"  # noqa: S608
    connection.executemany(statement, _rows(jobs))
    connection.execute(
        "INSERT INTO current_step (job_key, step_id, step_name, assigned_type, assigned_to)"
        " SELECT key, 'a', 'Step', 'User', owned_by FROM job"
    )
    connection.execute("COMMIT")
    connection.close()


def _sort(name: str | None) -> list[SortBy]:
    return [] if name is None else [SortBy(FIELDS[name.lstrip("-")], name.startswith("-"))]


def _page(item: Item, query: JobQuery, sort: list[SortBy], tx: Tx) -> list[JobRow]:
    return tx.search_jobs(item, query, sort, 0, PAGE)


async def measure(path: Path) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of each asking, by shape and contender."""
    store = SqliteStore(path, parse_diagram)
    await store.open()
    item = Item(1, "bench", "workflow", "Bench", 1)
    bare = sqlite3.connect(path)
    chance = random.Random(2)
    taken: dict[str, dict[str, list[float]]] = {}
    for shape in SHAPES:
        times = taken[shape.name] = {"Stepgate": [], "bare sqlite3": []}
        for _ in range(ASKED if shape.is_promised else 3):
            value = shape.values(chance)
            begin = time.perf_counter()
            query = JobQuery(read(shape.q.format(value), START_MS + 2000 * DAY_MS))
            await store.read(partial(_page, item, query, _sort(shape.sort)))
            times["Stepgate"].append((time.perf_counter() - begin) * 1000)
            begin = time.perf_counter()
            bare.execute(shape.floor.format(value)).fetchall()
            times["bare sqlite3"].append((time.perf_counter() - begin) * 1000)
    bare.close()
    await store.close()
    return taken


def percentile(values: list[float], part: float) -> float:
    """The value that so large a part of them do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def run(folder: Path, jobs: int) -> dict[str, dict[str, list[float]]]:
    """Make a database of so many jobs in ``folder`` and measure it."""
    path = folder / "search.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    begin = time.perf_counter()
    fill(path, jobs)
    print(f"{jobs:,} jobs written in {time.perf_counter() - begin:.0f} s", flush=True)
    return asyncio.run(measure(path))


def main() -> None:
    """Print p50 and p95 of each shape."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else JOBS
    with tempfile.TemporaryDirectory(dir=Path(__file__).resolve().parents[2] / "build") as folder:
        for shape, times in run(Path(folder), jobs).items():
            shown = [
                f"{name} p50 {statistics.median(ms):.1f} p95 {percentile(ms, 0.95):.1f} ms"
                for name, ms in times.items()
            ]
            print(f"{shape:45} {'; '.join(shown)}")


if __name__ == "__main__":
    main()
