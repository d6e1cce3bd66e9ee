"""The PostgreSQL store: transactions that meet each other, and connections that break."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import psycopg
import pytest

from app.errors import Conflict, StoreUnavailable
from app.services.ports import Item
from app.store.postgres import PostgresStore
from app.store.postgres_clock import DatabaseClock
from app.store.postgres_session import LostConnection
from app.store.postgres_tx import PostgresTx
from app.store.postgres_wire import Wire
from app.store.tx import SqlTx
from tests.store.databases import Database, add_jobs, item_of, locked, new_database, say
from tests.support import deadline, eventually

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    async with new_database("postgres", request) as made:
        yield made


@pytest.fixture
async def store(database: Database) -> PostgresStore:
    return await open_postgres(database)


async def open_postgres(database: Database, **options: Any) -> PostgresStore:
    store = await database.open_store(**options)
    assert isinstance(store, PostgresStore)
    return store


class Step:
    """A point in a use case at which a test holds it. Passed only once: a second try runs through."""

    def __init__(self) -> None:
        self._reached, self._go_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self._reached.set()
        assert self._go_on.wait(deadline(3))

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, deadline(3))

    def go_on(self) -> None:
        self._go_on.set()


async def waits_for_a_lock(database: Database, *, count: int = 1) -> None:
    """Wait until so many transactions of the store wait for another."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    await eventually(lambda: database.query(query) == [(count,)])


# ---------------------------------------------------------------- locks


async def test_a_job_is_locked_until_the_commit_and_then_read_anew(store: PostgresStore, database: Database) -> None:
    await store.run(lambda tx: add_jobs(tx, "job"))
    step = Step()

    def first(tx: SqlTx) -> None:
        record = locked(tx)
        step()
        say(tx, record, "First")

    running = asyncio.create_task(store.run(first))
    await step.reached()
    second = asyncio.create_task(store.run(lambda tx: say(tx, locked(tx), "Second")))
    await waits_for_a_lock(database)
    step.go_on()
    await asyncio.gather(running, second)
    item = await store.run(item_of)
    assert [message.msg_type for message in await store.read(lambda tx: tx.feed(item, "job", 0))] == ["First", "Second"]


async def test_jobs_are_locked_in_ascending_order_whatever_order_they_are_named_in(
    store: PostgresStore, database: Database
) -> None:
    """Whoever waits for the first holds nothing: a third that wants only the second gets it at once."""
    await store.run(lambda tx: add_jobs(tx, "a", "b"))
    step = Step()

    def hold_a(tx: SqlTx) -> None:
        locked(tx, "a")
        step()

    running = asyncio.create_task(store.run(hold_a))
    await step.reached()
    both = asyncio.create_task(store.run(lambda tx: list(tx.lock_jobs(item_of(tx), ["b", "a"]))))
    await waits_for_a_lock(database)
    await asyncio.wait_for(store.run(lambda tx: say(tx, locked(tx, "b"), "Free")), deadline(1))
    step.go_on()
    assert await both == ["a", "b"]
    await running


async def test_two_that_lock_more_in_opposite_order_both_succeed_without_a_deadlock(
    store: PostgresStore, database: Database
) -> None:
    """The race: one holds A and needs B, the other holds B and needs A."""
    await store.run(lambda tx: add_jobs(tx, "a", "b"))
    item = await store.run(item_of)
    barrier = threading.Barrier(2, timeout=deadline(3))
    tries: list[str] = []

    def lock_then_more(first: str, second: str, tx: SqlTx) -> None:
        tries.append(first)
        tx.lock_jobs(item, [first])
        if len(tries) <= 2:
            barrier.wait()
        records = tx.lock_jobs(item, [first, second])
        for job_id in "ab":
            say(tx, records[job_id], first)

    await asyncio.gather(store.run(partial(lock_then_more, "a", "b")), store.run(partial(lock_then_more, "b", "a")))
    for job_id in "ab":
        feed = await store.read(partial(SqlTx.feed, item=item, job_id=job_id, after=0))
        assert sorted(message.msg_type for message in feed) == ["a", "b"]
    assert tries.count("b") == 2, "whoever needs a smaller key than it holds begins anew"
    assert database.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == [(0,)]


async def test_a_deadlock_among_rows_the_store_does_not_order_is_tried_again(store: PostgresStore) -> None:
    for name in ("x", "y"):
        await store.run(partial(SqlTx.add_user, username=name, password_hash=None))
    barrier = threading.Barrier(2, timeout=deadline(3))
    tries: list[str] = []

    def change(first: str, second: str, tx: SqlTx) -> None:
        tries.append(first)
        tx.set_password(first, first)
        if len(tries) <= 2:
            barrier.wait()
        tx.set_password(second, first)

    await asyncio.gather(store.run(partial(change, "x", "y")), store.run(partial(change, "y", "x")))
    assert len(tries) >= 3
    hashes = [await store.read(partial(SqlTx.password_hash, username=name)) for name in ("x", "y")]
    assert hashes[0] == hashes[1]


async def test_the_lock_of_an_item_lets_one_in_at_a_time(store: PostgresStore, database: Database) -> None:
    item = await store.run(item_of)
    other = await store.run(lambda tx: tx.add_item("second", "workflow", "Second"))
    step = Step()
    order: list[str] = []

    def first(tx: SqlTx) -> None:
        tx.lock_item(item)
        step()
        order.append("first")

    def second(tx: SqlTx, where: Item = item) -> None:
        tx.lock_item(where)
        order.append(where.item_id)

    running = asyncio.create_task(store.run(first))
    await step.reached()
    waiting = asyncio.create_task(store.run(second))
    await waits_for_a_lock(database)
    await store.run(partial(second, where=other))
    step.go_on()
    await asyncio.gather(running, waiting)
    assert order == ["second", "first", "item"]


async def test_a_lock_that_is_held_too_long_is_a_temporary_error(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.postgres._SETTINGS", b"SET lock_timeout = '20ms'")
    store = await open_postgres(database)
    await store.run(lambda tx: add_jobs(tx, "job"))
    step = Step()

    def hold(tx: SqlTx) -> None:
        locked(tx)
        step()

    running = asyncio.create_task(store.run(hold))
    await step.reached()
    with pytest.raises(StoreUnavailable, match="lock timeout"):
        await store.run(locked)
    step.go_on()
    await running
    assert (await store.run(locked)).job.job_id == "job"


# ---------------------------------------------------------------- the feed of all jobs


async def test_a_row_that_commits_late_is_never_passed_over(store: PostgresStore, database: Database) -> None:
    """The race: the first transaction draws the smaller feed id and commits after the second."""
    await store.run(lambda tx: add_jobs(tx, "slow", "quick"))
    step = Step()

    def slow(tx: SqlTx) -> None:
        say(tx, locked(tx, "slow"), "Slow")
        step()

    running = asyncio.create_task(store.run(slow))
    await step.reached()
    await store.run(lambda tx: say(tx, locked(tx, "quick"), "Quick"))
    assert database.query("SELECT count(*) FROM feed") == [(1,)]
    assert await store.read(lambda tx: tx.feed_since(0)) == []
    assert await store.read(lambda tx: tx.last_feed_row()) == 0
    step.go_on()
    await running
    await _rows_become_complete(store, 2)
    rows = await store.read(lambda tx: tx.feed_since(0))
    assert [message.msg_type for _, message in rows] == ["Slow", "Quick"]


async def test_a_row_written_late_by_a_transaction_that_began_early_is_never_passed_over(
    store: PostgresStore, database: Database
) -> None:
    """The race: the early one has the smaller ids and is given its transaction id first, but writes after the other
    has committed; comparing transaction ids alone would show the other's row and move on."""
    await store.run(lambda tx: add_jobs(tx, "early", "late"))
    begun, written = Step(), Step()

    def early(tx: SqlTx) -> None:
        begun()
        say(tx, locked(tx, "early"), "Early")
        written()

    running = asyncio.create_task(store.run(early))
    await begun.reached()
    await store.run(lambda tx: say(tx, locked(tx, "late"), "Late"))
    assert await store.read(lambda tx: tx.feed_since(0)) == []
    begun.go_on()
    await written.reached()
    assert await store.read(lambda tx: tx.feed_since(0)) == []
    written.go_on()
    await running
    await _rows_become_complete(store, 2)
    rows = await store.read(lambda tx: tx.feed_since(0))
    assert [message.msg_type for _, message in rows] == ["Early", "Late"]


async def _rows_become_complete(store: PostgresStore, count: int) -> None:
    async def all_there() -> bool:
        return len(await store.read(lambda tx: tx.feed_since(0))) == count

    # Other tests of the cluster may have a transaction open, which holds the horizon back.
    await eventually(all_there)


async def test_a_reader_that_follows_many_writers_sees_every_row_once(store: PostgresStore) -> None:
    names = [f"job-{number}" for number in range(6)]
    await store.run(lambda tx: add_jobs(tx, *names))
    seen: list[tuple[str, int]] = []

    def speak(job_id: str, words: str, tx: SqlTx) -> None:
        say(tx, locked(tx, job_id), *words)

    async def follow() -> None:
        last = 0
        while len(seen) < 6 * 39:
            rows = await store.read(partial(PostgresTx.feed_since, row_id=last, limit=7))
            seen.extend((message.job_id, message.seq) for _, message in rows)
            last = rows[-1][0] if rows else last

    async def write(job_id: str) -> None:
        for words in ["A", "AB", "ABC"] * 6 + ["A", "AB"]:
            await store.run(partial(speak, job_id, words))

    following = asyncio.create_task(follow())
    await asyncio.gather(*map(write, names))
    await asyncio.wait_for(following, deadline(5))
    assert sorted(seen) == sorted((job_id, seq) for job_id in names for seq in range(1, 40))


async def test_many_rows_of_one_transaction_keep_their_order(store: PostgresStore) -> None:
    await store.run(lambda tx: add_jobs(tx, "job", "other"))
    await store.run(lambda tx: say(tx, locked(tx), *(["Word"] * 900)))
    await store.run(lambda tx: say(tx, locked(tx, "other"), "After"))
    await _rows_become_complete(store, 901)
    rows = await store.read(lambda tx: tx.feed_since(0, limit=5000))
    assert [message.seq for _, message in rows] == [*range(1, 901), 1]


async def test_more_rows_than_a_transaction_has_ids_are_refused(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.postgres_tx._IDS", 3)
    await store.run(lambda tx: add_jobs(tx, "job"))
    await store.run(lambda tx: say(tx, locked(tx), *"abc"))
    with pytest.raises(ValueError, match="3 feed rows"):
        await store.run(lambda tx: say(tx, locked(tx), *"abcd"))


async def test_new_rows_come_behind_those_restored_from_another_cluster(database: Database) -> None:
    """There, transaction numbers may have been far ahead of ours, and would be given out once more."""
    first = await open_postgres(database)
    await first.run(lambda tx: add_jobs(tx, "job"))
    await first.run(lambda tx: say(tx, locked(tx), "Old"))
    await first.close()
    database.query(f"UPDATE feed SET id = id + {2**50}")  # noqa: S608
    first, second = await asyncio.gather(open_postgres(database), open_postgres(database))
    await _rows_become_complete(first, 1)
    last = await first.read(lambda tx: tx.last_feed_row())
    assert last > 2**50
    await second.run(lambda tx: say(tx, locked(tx), "New"))
    await _rows_become_complete(first, 2)
    assert [message.msg_type for _, message in await first.read(lambda tx: tx.feed_since(last))] == ["New"]
    assert await first.read(lambda tx: tx.feed_ids_ahead()) <= 0
    base = "SELECT value FROM meta WHERE name = 'feed_base'"
    moved = database.query(base)
    await open_postgres(database)
    assert database.query(base) == moved


# ---------------------------------------------------------------- commits in doubt


class CutAtCommit:
    """Breaks a connection around COMMIT: before the server has it, or before its reply is read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, committed: bool, times: int = 1) -> None:
        self._real = Wire.command
        self._committed = committed
        self.left = times
        monkeypatch.setattr(Wire, "command", self._patched())

    def _patched(self) -> Callable[[Wire, bytes], None]:
        def command(wire: Wire, sql: bytes) -> None:
            if sql == b"COMMIT" and self.left:
                self.left -= 1
                if self._committed:
                    self._real(wire, sql)
                wire.close()
                raise psycopg.OperationalError("server closed the connection unexpectedly")
            self._real(wire, sql)

        return command


@pytest.mark.parametrize("committed", [True, False], ids=["it was committed", "it was not"])
async def test_a_commit_without_a_reply_is_looked_up_by_its_command(
    store: PostgresStore, database: Database, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    await store.run(lambda tx: add_jobs(tx, "job"))
    cut = CutAtCommit(monkeypatch, committed=committed)
    tries: list[int] = []
    followed: list[int] = []

    def speak(tx: SqlTx) -> int:
        tries.append(len(tries))
        say(tx, locked(tx), "Word")
        return len(tries)

    assert await store.run(speak, command_id="command", after_commit=followed.append) == (1 if committed else 2)
    assert cut.left == 0
    assert len(tries) == (1 if committed else 2)
    assert followed == [len(tries)]
    assert database.query("SELECT seq, command_id FROM feed") == [(1, "command")]
    assert database.query("SELECT count(*) FROM command WHERE command_id = 'command'") == [(1,)]


async def test_a_commit_still_under_way_is_waited_for(
    store: PostgresStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race: the reply is lost while the server is still committing; asking too early would find nothing."""
    await store.run(lambda tx: add_jobs(tx, "job"))
    real = Wire.command
    abandoned: list[Wire] = []

    def command(wire: Wire, sql: bytes) -> None:
        if sql == b"COMMIT" and not abandoned:
            abandoned.append(wire)
            store._writers._local.connection = None  # the store's thread never sees this connection again
            raise psycopg.OperationalError("timed out") from None
        real(wire, sql)

    monkeypatch.setattr(Wire, "command", command)
    monkeypatch.setattr("app.store.postgres.translate", lambda error: LostConnection(str(error)))
    monkeypatch.setattr(store._writers, "drop", lambda: None)
    running = asyncio.create_task(store.run(lambda tx: say(tx, locked(tx), "Word"), command_id="command"))
    await waits_for_a_lock(database)
    await asyncio.to_thread(real, abandoned[0], b"COMMIT")
    await running
    assert database.query("SELECT seq FROM feed") == [(1,)]


async def test_a_command_id_is_committed_once(store: PostgresStore) -> None:
    await store.run(item_of, command_id="once")
    ran: list[object] = []
    with pytest.raises(Conflict) as refused:
        await store.run(ran.append, command_id="once")
    assert refused.value.name == "CommandIdInUse"
    assert ran == []


async def test_when_the_database_stays_away_the_doubt_is_told(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.postgres._DELAYS_S", (0.0, 0.0, 0.0))
    CutAtCommit(monkeypatch, committed=False, times=100)
    with pytest.raises(StoreUnavailable, match="could not be found out"):
        await store.run(item_of)


async def test_a_connection_that_breaks_in_the_middle_is_replaced_and_the_use_case_tried_again(
    store: PostgresStore, database: Database
) -> None:
    tries: list[int] = []

    def cut_once(tx: SqlTx) -> int:
        item_of(tx)
        tries.append(len(tries))
        if len(tries) == 1:
            database.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND application_name = 'stepgate'"
            )
            tx.items()
        return len(tries)

    assert await store.run(cut_once) == 2
    assert [item.item_id for item in await store.read(SqlTx.items)] == ["item"]


async def test_idle_connections_that_broke_are_not_noticed_by_anybody(store: PostgresStore, database: Database) -> None:
    await asyncio.gather(*(store.run(SqlTx.items) for _ in range(20)), *(store.read(SqlTx.items) for _ in range(20)))
    database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    await asyncio.gather(*(store.run(SqlTx.items) for _ in range(20)), *(store.read(SqlTx.items) for _ in range(20)))


async def test_a_use_case_that_ignores_a_broken_transaction_is_not_acknowledged(store: PostgresStore) -> None:
    """PostgreSQL answers COMMIT of a broken transaction without an error, and rolls back."""

    def ignore(tx: SqlTx) -> str:
        item = item_of(tx)
        with pytest.raises(Conflict):
            tx.put_lookups(item, "t", [("same", 1), ("same", 2)])
        return "all is well"

    with pytest.raises(Conflict):
        await store.run(ignore)
    assert await store.read(SqlTx.items) == []


async def test_a_database_that_is_not_there_is_a_temporary_error() -> None:
    store = PostgresStore("postgresql://nobody@127.0.0.1:1/nothing", lambda *_, **__: pytest.fail("no diagram"))
    with pytest.raises(StoreUnavailable) as refused:
        await store.open()
    assert refused.value.temporary
    assert isinstance(refused.value.__cause__, psycopg.OperationalError)
    await store.close()


# ---------------------------------------------------------------- settings and time


async def test_commits_are_on_disk_whatever_the_server_says(store: PostgresStore) -> None:
    def ask(tx: SqlTx) -> tuple[object, ...]:
        wire: Wire = tx.sql._wire  # type: ignore[attr-defined]
        return tuple(
            wire._pg.exec_(f"SHOW {name}".encode()).get_value(0, 0) for name in ("synchronous_commit", "lock_timeout")
        )

    assert await store.run(ask) == (b"on", b"10s")


async def test_reads_are_one_snapshot_and_cannot_write(store: PostgresStore) -> None:
    def ask(tx: SqlTx) -> tuple[object, ...]:
        wire: Wire = tx.sql._wire  # type: ignore[attr-defined]
        names = ("transaction_isolation", "transaction_read_only")
        return tuple(wire._pg.exec_(f"SHOW {name}".encode()).get_value(0, 0) for name in names)

    assert await store.read(ask) == (b"repeatable read", b"on")
    assert await store.run(ask) == (b"read committed", b"off")


async def test_the_time_is_the_databases_not_the_machines(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setattr("time.time_ns", lambda: 0)
    store = await open_postgres(database)
    ((database_ms,),) = database.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    assert abs(store.now_ms() - database_ms) < deadline(0.2) * 1000
    first, second = store.now_ms(), store.now_ms()
    assert first <= second


async def test_slow_answers_never_put_the_clock_ahead_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hold was once released 24 ms early: the answer to the one question asked had waited on its way back."""
    machine_s = 100.0
    waits_s = iter((0.3, 0.02, 0.001, 0.05, 0.4))
    monkeypatch.setattr("time.monotonic", lambda: machine_s)

    class SlowSession:
        def all(self, _: object) -> list[tuple[int]]:
            nonlocal machine_s
            asked_ms = round(machine_s * 1000) + 5_000
            machine_s += next(waits_s)
            return [(asked_ms,)]

    clock = DatabaseClock()
    clock.compare(SlowSession())  # type: ignore[arg-type]
    assert machine_s * 1000 + 5_000 - 2 <= clock.now_ms() <= machine_s * 1000 + 5_000


async def test_old_commands_are_forgotten(store: PostgresStore, database: Database) -> None:
    await store.run(item_of, command_id="new")
    database.query("INSERT INTO command VALUES ('old', 1)")
    await store.run(store._prune)
    names = [name for (name,) in database.query("SELECT command_id FROM command")]
    assert "new" in names
    assert "old" not in names


async def test_housekeeping_goes_on_after_a_fault(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.store.postgres.INTERVAL_S", 0.001)
    pruned = asyncio.Event()
    loop = asyncio.get_running_loop()
    real: Callable[..., None] = PostgresStore._prune
    calls: list[int] = []

    def prune(self: PostgresStore, tx: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise StoreUnavailable("on purpose")
        real(self, tx)
        loop.call_soon_threadsafe(pruned.set)

    monkeypatch.setattr(PostgresStore, "_prune", prune)
    await open_postgres(database)
    await asyncio.wait_for(pruned.wait(), deadline(1))
    assert "housekeeping is put off: on purpose" in caplog.text


async def test_both_spellings_of_the_url_mean_the_same(database: Database) -> None:
    for scheme in ("postgresql", "postgresql+psycopg"):
        store = PostgresStore(database.url.replace("postgresql", scheme, 1), lambda *_, **__: pytest.fail("none"))
        await store.open()
        assert await store.read(SqlTx.items) == []
        await store.close()
