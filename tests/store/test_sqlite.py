"""The SQLite store: batches, and what SQLite itself may do to them."""

import asyncio
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from app.errors import StoreUnavailable
from app.store.migrate import migrate
from app.store.sqlite import SqliteStore
from app.store.tx import SqlTx
from tests.store.databases import Database, add_jobs, item_of, locked, parse_diagram, say
from tests.support import deadline

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
BIG = "x" * 40_000


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'stepgate.db'}")
    await migrate(made.url)
    yield made
    await made.close()


async def open_sqlite(database: Database, *, max_batch: int = 16, busy_timeout_s: float = 10.0) -> SqliteStore:
    store = await database.open_store(max_batch=max_batch, busy_timeout_s=busy_timeout_s)
    assert isinstance(store, SqliteStore)
    return store


class Batch:
    """Use cases that the writer takes as one batch: they queue up while it is kept busy."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._begun, self._go_on = threading.Event(), threading.Event()
        self._first = asyncio.create_task(store.run(self._wait))

    def _wait(self, _: SqlTx) -> None:
        self._begun.set()
        assert self._go_on.wait(deadline(3))

    async def begun(self) -> None:
        """Wait until the writer is busy."""
        assert await asyncio.to_thread(self._begun.wait, deadline(3))

    async def run(self, *use_cases: Callable[[SqlTx], object]) -> list[object]:
        """Return the results and exceptions, in order."""
        await self.begun()
        tasks = [asyncio.create_task(self._store.run(use_case)) for use_case in use_cases]
        await asyncio.sleep(0)
        self._go_on.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(self._first, return_exceptions=True)
        return results


def add_item(name: str, tx: SqlTx, *, text: str = "") -> str:
    tx.add_item(name, "workflow", text or name)
    return name


async def test_waiting_use_cases_are_committed_together(database: Database) -> None:
    store = await open_sqlite(database, max_batch=16)
    before = store.stats
    results = await Batch(store).run(*(partial(add_item, f"i{number}") for number in range(20)))
    assert results == [f"i{number}" for number in range(20)]
    assert store.stats.transactions - before.transactions == 21
    assert store.stats.commits - before.commits == 3  # the one that waited, 16, 4


async def test_nothing_of_a_batch_is_seen_before_all_of_it_is_committed(database: Database) -> None:
    store = await open_sqlite(database)
    count = "SELECT count(*) FROM item"
    seen: list[object] = []

    def look(_: SqlTx) -> None:
        seen.append(database.query(count))

    first, *_ = await Batch(store).run(partial(add_item, "a"), partial(add_item, "b"), look)
    assert first == "a"
    assert seen == [[(0,)]]
    assert database.query(count) == [(2,)]


def fill_disk(tx: SqlTx) -> None:
    """Need more pages than there are, in a statement that SQLite cannot undo alone: the transaction goes with it."""
    tx.set_password("ann", BIG)


async def open_nearly_full(database: Database) -> SqliteStore:
    store = await open_sqlite(database)
    await store.run(lambda tx: tx.add_user("ann", "old"))
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count={pages + 5}").fetchall()
    return store


async def test_a_full_disk_in_the_middle_of_a_batch_acknowledges_nothing_of_it(database: Database) -> None:
    store = await open_nearly_full(database)
    followed: list[object] = []
    results = await Batch(store).run(partial(add_item, "a"), fill_disk, partial(add_item, "c"), followed.append)
    assert [type(result) for result in results] == [StoreUnavailable] * 4
    assert all(isinstance(result, StoreUnavailable) and result.__cause__ is not None for result in results)
    assert followed == []
    assert database.query("SELECT item_id FROM item") == []
    store._writer.execute("PRAGMA max_page_count=1000000").fetchall()
    await store.run(fill_disk)
    assert await store.run(partial(add_item, "after")) == "after"
    assert database.query("SELECT length(password_hash) FROM user") == [(len(BIG),)]


async def test_a_use_case_that_ignores_a_full_disk_commits_nothing_on_its_own(database: Database) -> None:
    """SQLite has rolled the transaction back: the statements that follow would each commit by themselves."""
    store = await open_nearly_full(database)

    def ignore(tx: SqlTx) -> str:
        for act in (fill_disk, partial(add_item, "small"), item_of):
            with pytest.raises(StoreUnavailable):
                act(tx)
        return "all is well"

    with pytest.raises(StoreUnavailable):
        await store.run(ignore)
    assert database.query("SELECT item_id FROM item") == []


async def test_a_full_disk_that_sqlite_can_undo_fails_one_use_case_and_no_other(database: Database) -> None:
    store = await open_nearly_full(database)
    results = await Batch(store).run(partial(add_item, "a"), partial(add_item, "b", text=BIG), partial(add_item, "c"))
    assert [results[0], type(results[1]), results[2]] == ["a", StoreUnavailable, "c"]
    assert database.query("SELECT item_id FROM item ORDER BY key") == [("a",), ("c",)]


async def test_a_statement_that_fails_harms_its_own_use_case_only(database: Database) -> None:
    store = await open_sqlite(database)

    def break_constraint(tx: SqlTx) -> None:
        add_item("broken", tx)
        item = item_of(tx)
        tx.put_lookups(item, "t", [("same", 1), ("same", 2)])

    results = await Batch(store).run(partial(add_item, "a"), break_constraint, partial(add_item, "b"))
    assert [results[0], type(results[1]).__name__, results[2]] == ["a", "Conflict", "b"]
    assert database.query("SELECT item_id FROM item ORDER BY key") == [("a",), ("b",)]


async def test_a_commit_that_fails_acknowledges_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await open_sqlite(database)

    class FailingCommit:
        def __init__(self, real: sqlite3.Connection) -> None:
            self._real = real
            self.broken = True

        def __getattr__(self, name: str) -> object:
            return getattr(self._real, name)

        def execute(self, sql: str, *arguments: object) -> sqlite3.Cursor:
            if sql == "COMMIT" and self.broken:
                raise sqlite3.OperationalError("disk I/O error")
            return self._real.execute(sql, *arguments)  # type: ignore[arg-type]

    writer = FailingCommit(store._writer)
    batch = Batch(store)
    await batch.begun()
    monkeypatch.setattr(store, "_writer", writer)
    results = await batch.run(partial(add_item, "a"), partial(add_item, "b"))
    assert [type(result) for result in results] == [StoreUnavailable] * 2
    assert database.query("SELECT count(*) FROM item") == [(0,)]
    writer.broken = False
    assert await store.run(partial(add_item, "c")) == "c"


async def test_another_process_may_write_beside_it(database: Database) -> None:
    store = await open_sqlite(database)
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO item (item_id, org_id, name, going) VALUES ('theirs', 'workflow', 'Theirs', 0)")
    running = asyncio.create_task(store.run(partial(add_item, "ours")))
    await store.read(SqlTx.items)
    assert not running.done()
    other.execute("COMMIT")
    other.close()
    assert await running == "ours"
    assert [item.item_id for item in await store.read(SqlTx.items)] == ["theirs", "ours"]


async def test_a_lock_that_is_held_too_long_is_a_temporary_error(database: Database) -> None:
    store = await open_sqlite(database, busy_timeout_s=0.05)
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable) as refused:
        await store.run(partial(add_item, "ours"))
    assert refused.value.temporary
    other.execute("ROLLBACK")
    other.close()
    assert await store.run(partial(add_item, "ours")) == "ours"


async def test_commits_are_durable_and_references_are_checked(database: Database) -> None:
    store = await open_sqlite(database)
    pragmas = ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
    values = [store._writer.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    assert values == [2, "wal", 1, 10_000]


async def test_a_file_that_is_not_there_is_an_error_not_a_new_database(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "missing.db", parse_diagram)
    with pytest.raises(StoreUnavailable, match=r"missing\.db"):
        await store.open()
    assert not (tmp_path / "missing.db").exists()


async def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("Dear diary, " * 1000)
    store = SqliteStore(path, parse_diagram)
    with pytest.raises(StoreUnavailable):
        await store.open()


async def test_a_path_with_strange_characters_works(tmp_path: Path) -> None:
    path = tmp_path / "a ?#%41 ü.db"
    await migrate(path)
    store = SqliteStore(path, parse_diagram)
    await store.open()
    assert await store.run(partial(add_item, "a")) == "a"
    await store.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from app.store.sqlite import SqliteStore
from tests.store.databases import add_jobs, locked, parse_diagram, say

async def main() -> None:
    store = SqliteStore(Path(sys.argv[1]), parse_diagram)
    await store.open()
    await store.run(lambda tx: add_jobs(tx, *(f"job-{n}" for n in range(8))))

    async def speak(job_id: str) -> None:
        for number in range(1, 100_000):
            await store.run(lambda tx: say(tx, locked(tx, job_id), "Word"))
            print(job_id, number, flush=True)

    await asyncio.gather(*(speak(f"job-{n}") for n in range(8)))

asyncio.run(main())
"""


async def test_what_was_acknowledged_before_a_kill_is_there_and_whole(database: Database) -> None:
    """Each line that the writer printed is an acknowledged transaction."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(database.path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines = [await asyncio.wait_for(process.stdout.readline(), deadline(3)) for _ in range(400)]
    process.kill()
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    acknowledged: dict[str, int] = {}
    for line in lines:
        if line.endswith(b"\n"):
            job_id, number = line.decode().split()
            acknowledged[job_id] = int(number)
    store = await open_sqlite(database)
    item = await store.run(item_of)
    assert len(acknowledged) == 8
    for job_id, seq in acknowledged.items():
        assert await store.read(partial(SqlTx.check_feed, item=item, job_id=job_id)) == []
        record = await store.read(partial(SqlTx.job, item=item, job_id=job_id))
        assert record is not None
        assert record.seq >= seq
        assert await store.read(partial(SqlTx.feed_span, item=item, job_id=job_id)) == (1, record.seq)
    await store.run(lambda tx: say(tx, locked(tx, "job-0"), "After"))
    await store.run(lambda tx: add_jobs(tx, "new"))
