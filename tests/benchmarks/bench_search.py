"""How long a page of a search takes over many jobs: on SQLite, beside the same statements on bare sqlite3, and on
PostgreSQL.

``python -m tests.benchmarks.bench_search [JOBS [POSTGRES_URL]]`` prints it (the PostgreSQL database must be empty);
``make bench ARGS="--only search"`` reports it. ``many_jobs`` writes the jobs. Each shape is asked with other values
each time, through the store: from the text of the condition to the rows of the page.
"""

import asyncio
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.domain.diagram import Diagram, Step
from app.expressions.job_fields import Field, find_field
from app.expressions.where import Search
from app.expressions.where_grammar import read
from app.services.ports import Item, JobQuery, SortBy, Tx
from app.store.migrate import migrate
from app.store.postgres import PostgresStore
from app.store.sqlite import SqliteStore
from tests.benchmarks.many_jobs import DAYS, END_MS, START_MS, STATUSES, fill_postgres, fill_sqlite
from tests.benchmarks.recording import Recorded, RecordedStore, bare, replay

JOBS = 1_000_000
ASKED = 40
ASKED_OTHERS = 5
PAGE = 50
ITEM = Item(1, "bench", "workflow", "Bench", 1)
STEPGATE, FLOOR, POSTGRES = "Stepgate", "bare sqlite3", "Stepgate on PostgreSQL"
ORDERS = {"name": "jobName", "priority": "priority", "due": "dueDate", "created": "createdDate"}

Times = dict[str, dict[str, list[float]]]
"""Milliseconds of each asking, by shape and contender."""


@dataclass(frozen=True, slots=True)
class Question:
    """A search, ready to be asked; ``group`` makes it a question of how many."""

    query: JobQuery
    sort: tuple[SortBy, ...] = ()
    start: int = 0
    group: SortBy | None = None

    def ask(self, tx: Tx) -> int:
        """Ask it; give the number of rows."""
        if self.group is not None:
            return len(tx.count_jobs_by(ITEM, self.query, self.group))
        return len(tx.search_jobs(ITEM, self.query, self.sort, self.start, PAGE + 1))


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of search: the text of its condition, where ``{}`` stands for one of ``values``, and its order."""

    name: str
    q: str
    sort: str = ""
    values: Callable[[random.Random], str] = lambda _: ""
    is_promised: bool = True
    start: int = 0
    group: str = ""
    extent: tuple[float, float, float, float] | None = None
    word: str = ""

    def question(self, chance: random.Random) -> Question:
        """The question with values by chance; made of text anew each time, as a request makes it."""
        condition = Search(self.word) if self.word else read(self.q.format(self.values(chance)), END_MS)
        sort = tuple(SortBy(_field(name.lstrip("-")), name.startswith("-")) for name in self.sort.split())
        group = SortBy(_field(self.group)) if self.group else None
        return Question(JobQuery(condition, self.extent), sort, self.start, group)


def _field(name: str) -> Field:
    field = find_field(name)
    if field is None:
        raise LookupError(name)
    return field


def _one_of(prefix: str, number: int) -> Callable[[random.Random], str]:
    return lambda chance: f"{prefix}{chance.randrange(number)}"


def _day(first: int, last: int) -> Callable[[random.Random], str]:
    """A day of the item's life, counted from its first."""
    return lambda chance: time.strftime(
        "%Y-%m-%d", time.gmtime(START_MS / 1000 + chance.randrange(first, last) * 86_400)
    )


def _week(first: int, last: int) -> Callable[[random.Random], str]:
    def week(chance: random.Random) -> str:
        begin = START_MS / 1000 + chance.randrange(first, last) * 86_400
        return "' AND date '".join(time.strftime("%Y-%m-%d", time.gmtime(begin + days * 86_400)) for days in (0, 7))

    return week


FILTERS = (
    ("open (1 of 6)", "closed=0", lambda _: ""),
    ("closed (5 of 6)", "closed=1", lambda _: ""),
    ("one of 10 statuses", "jobStatus='{}'", lambda chance: chance.choice(STATUSES)),
    ("priority High (1 of 7)", "priority='High'", lambda _: ""),
    ("one of 20 templates", "jobTemplateId='{}'", _one_of("template-", 20)),
    ("one of 2,000 owners", "ownedBy='{}'", _one_of("user-", 2_000)),
    ("the owner of a third", "ownedBy='system'", lambda _: ""),
    ("assigned to a user", "assignedTo='{}'", _one_of("user-", 2_000)),
    ("assigned to one of 20 groups", "assignedType='Group' AND assignedTo='{}'", _one_of("group-", 20)),
    ("due in one week", "dueDate BETWEEN date '{}'", _week(0, DAYS)),
    ("due in the last tenth", "dueDate > date '{}'", _day(DAYS * 9 // 10, DAYS)),
    ("created in the last half", "createdDate >= date '{}'", _day(DAYS // 2, DAYS)),
    ("ended in one week", "endDate BETWEEN date '{}'", _week(0, DAYS * 8 // 10)),
    ("open and one of 2,000 owners", "closed=0 AND ownedBy='{}'", _one_of("user-", 2_000)),
    ("open and overdue", "closed=0 AND dueDate < date '{}'", _day(DAYS * 8 // 10, DAYS)),
)
SHAPES = (
    *(Shape(f"{name}, by {order}", q, sort, values) for name, q, values in FILTERS for order, sort in ORDERS.items()),
    Shape("open, newest first", "closed=0", "-createdDate"),
    Shape("open, latest due first", "closed=0", "-dueDate"),
    Shape("one of 20 templates, newest first", "jobTemplateId='{}'", "-createdDate", _one_of("template-", 20)),
    Shape("all, by name", "1=1", "jobName"),
    Shape("open, by name from the 1,000th", "closed=0", "jobName", start=1_000),
    Shape("open, by name from the 100,000th", "closed=0", "jobName", start=100_000, is_promised=False),
    Shape("all, by name from the 500,000th", "1=1", "jobName", start=500_000, is_promised=False),
    Shape("open, by priority, then name", "closed=0", "priority jobName", is_promised=False),
    Shape("open, by status", "closed=0", "jobStatus", is_promised=False),
    Shape("all, by owner", "1=1", "ownedBy", is_promised=False),
    Shape(
        "status and template, by due",
        "jobStatus='Status 3' AND jobTemplateId='{}'",
        "dueDate",
        _one_of("template-", 20),
        is_promised=False,
    ),
    Shape("status or priority, by name", "jobStatus='Status 3' OR priority='High'", "jobName", is_promised=False),
    Shape("name LIKE, many, by name", "jobName LIKE '%9%'", "jobName", is_promised=False),
    Shape("name LIKE, none, by name", "jobName LIKE '%{}nowhere%'", "jobName", _one_of("", 9), is_promised=False),
    Shape("free text, many, by name", "", "jobName", word="review", is_promised=False),
    Shape("free text, none, by name", "", "jobName", word="nowhere", is_promised=False),
    Shape("extended property, none have it, by name", "parcel.apn='{}'", "jobName", _one_of("", 9), is_promised=False),
    Shape("current step's name, by name", "currentStep='Review'", "jobName", is_promised=False),
    Shape("assigned to any group, by name", "assignedType='Group'", "jobName", is_promised=False),
    Shape("within an extent, none, by name", "1=1", "jobName", extent=(0.0, 0.0, 9.0, 9.0), is_promised=False),
    Shape("statistics: open, by status", "closed=0", group="jobStatus", is_promised=False),
    Shape("statistics: all, by template", "1=1", group="jobTemplateId", is_promised=False),
    Shape("statistics: open, by assignee", "closed=0", group="assignedTo", is_promised=False),
)


def parse_diagram(body: bytes, *, diagram_id: str, version: int) -> Diagram:
    """Stand in for the real reader; no job's diagram is read."""
    return Diagram(diagram_id, body.decode(), version, (Step("a", "A"),), "a")


async def _timed(ask: Callable[[], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    await ask()
    return (time.perf_counter() - begin) * 1000


async def measure_sqlite(path: Path) -> Times:
    """Ask the store and bare sqlite3 in turn, each shape with the same values."""
    store, recorder = SqliteStore(path, parse_diagram), RecordedStore(path, parse_diagram)
    await store.open()
    await recorder.open()
    floor = bare(path)
    chance = random.Random(2)
    taken: Times = {}
    for shape in SHAPES:
        times = taken[shape.name] = {STEPGATE: [], FLOOR: []}
        for number in range(ASKED if shape.is_promised else ASKED_OTHERS):
            state = chance.getstate()
            recorder.take()
            await recorder.read(shape.question(chance).ask)
            sent = recorder.take()
            contenders = [
                (STEPGATE, partial(_ask, store, shape, chance, state)),
                (FLOOR, partial(_replay, floor, sent)),
            ]
            for name, ask in contenders if number % 2 else reversed(contenders):
                times[name].append(await _timed(ask))
        _show(shape, times)
    floor.close()
    await recorder.close()
    await store.close()
    return taken


async def _ask(store: SqliteStore | PostgresStore, shape: Shape, chance: random.Random, state: object) -> None:
    chance.setstate(state)  # type: ignore[arg-type]
    await store.read(shape.question(chance).ask)


async def _replay(floor: sqlite3.Connection, sent: Recorded) -> None:
    replay(floor, sent)


async def measure_postgres(url: str) -> Times:
    """Ask each shape of a database that is filled."""
    store = PostgresStore(url, parse_diagram)
    await store.open()
    chance = random.Random(2)
    taken: Times = {}
    for shape in SHAPES:
        times = taken[shape.name] = {POSTGRES: []}
        for _ in range(ASKED if shape.is_promised else ASKED_OTHERS):
            times[POSTGRES].append(await _timed(partial(_ask, store, shape, chance, chance.getstate())))
        _show(shape, times)
    await store.close()
    return taken


def _show(shape: Shape, times: dict[str, list[float]]) -> None:
    shown = [
        f"{name} p50 {statistics.median(ms):7.1f} p95 {percentile(ms, 0.95):7.1f} ms" for name, ms in times.items()
    ]
    print(f"{'' if shape.is_promised else '(not promised) '}{shape.name:50} {'; '.join(shown)}", flush=True)


def percentile(values: list[float], part: float) -> float:
    """The value that so large a part of them do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def run(jobs: int, postgres: str | None = None) -> Times:
    """Make a database of so many jobs and measure it; then another one in an empty PostgreSQL database by its URL."""
    with tempfile.TemporaryDirectory(prefix="stepgate-bench-") as folder:
        path = Path(folder) / "search.db"
        asyncio.run(_filled(f"sqlite:///{path}", partial(fill_sqlite, path), jobs))
        taken = asyncio.run(measure_sqlite(path))
    if postgres is not None:
        asyncio.run(_filled(postgres, partial(fill_postgres, postgres), jobs))
        for name, times in asyncio.run(measure_postgres(postgres)).items():
            taken[name] |= times
    return taken


async def _filled(url: str, fill: Callable[[int], None], jobs: int) -> None:
    await migrate(url)
    begin = time.perf_counter()
    fill(jobs)
    await migrate(url)  # an index that was made again has lost its statistics on SQLite: every start gives them back
    print(f"{jobs:,} jobs written in {time.perf_counter() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else JOBS, sys.argv[2] if len(sys.argv) > 2 else None)
