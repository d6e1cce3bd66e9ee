"""Transactions of a store: what is promised about them, on both databases."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from app.errors import Conflict, InvalidValue, StoreUnavailable
from app.store.schema import REVISION
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store.databases import AnyStore, Database, add_jobs, item_of, locked, new_database, new_job, say
from tests.support import deadline, no_leaks

pytestmark = pytest.mark.anyio

COUNT_ITEMS = "SELECT count(*) FROM item"


@pytest.fixture
async def database(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    async with new_database(backend, request) as made:
        yield made


@pytest.fixture
async def store(database: Database) -> AnyStore:
    return await database.open_store()


class Held:
    """A use case that stays in the middle of its transaction until it is let go."""

    def __init__(self, use_case: Callable[[SqlTx], Any]) -> None:
        self._use_case = use_case
        self._begun, self._go_on = threading.Event(), threading.Event()

    def __call__(self, tx: SqlTx) -> Any:
        result = self._use_case(tx)
        self._begun.set()
        assert self._go_on.wait(deadline(3))
        return result

    async def begun(self) -> None:
        assert await asyncio.to_thread(self._begun.wait, deadline(3))

    def go_on(self) -> None:
        self._go_on.set()


async def test_a_result_is_handed_out_after_its_commit(store: AnyStore, database: Database) -> None:
    item = await store.run(item_of)
    assert (item.item_id, item.access_version) == ("item", 1)
    assert database.query(COUNT_ITEMS) == [(1,)]


async def test_nothing_of_a_transaction_is_seen_before_its_commit(store: AnyStore, database: Database) -> None:
    held = Held(item_of)
    running = asyncio.create_task(store.run(held))
    await held.begun()
    assert database.query(COUNT_ITEMS) == [(0,)]
    assert await store.read(SqlTx.items) == []
    assert not running.done()
    held.go_on()
    await running
    assert database.query(COUNT_ITEMS) == [(1,)]
    assert len(await store.read(SqlTx.items)) == 1


async def test_an_exception_rolls_back_its_own_writes_and_reaches_the_caller(store: AnyStore) -> None:
    def fail(tx: SqlTx) -> None:
        item_of(tx)
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        await store.run(fail)
    assert await store.read(SqlTx.items) == []


async def test_an_exception_does_not_harm_the_neighbours_of_its_batch(store: AnyStore) -> None:
    held = Held(item_of)

    def add(name: str, tx: SqlTx) -> str:
        tx.add_item(name, "workflow", name)
        if name == "b":
            raise LookupError(name)
        return name

    first = asyncio.create_task(store.run(held))
    await held.begun()
    others = [asyncio.create_task(store.run(partial(add, name))) for name in "abc"]
    await asyncio.sleep(0)
    held.go_on()
    await first
    results = await asyncio.gather(*others, return_exceptions=True)
    assert [repr(result) for result in results] == ["'a'", "LookupError('b')", "'c'"]
    assert sorted(item.item_id for item in await store.read(SqlTx.items)) == ["a", "c", "item"]


async def test_a_refused_row_ends_neither_the_transaction_nor_its_neighbours(store: AnyStore) -> None:
    """On PostgreSQL a violated constraint would: what a use case may meet and go on from is asked for differently."""

    def meet_conflicts(tx: SqlTx) -> int:
        item = item_of(tx)
        tx.add_job(item, new_job())
        tx.add_user("Ann", None)
        refused = 0
        for again in (lambda: tx.add_job(item, new_job()), lambda: tx.add_user("aNN", None)):
            with pytest.raises(Conflict):
                again()
            refused += 1
        return refused

    assert await store.run(meet_conflicts) == 2
    assert [user.username for user in await store.read(SqlTx.users)] == ["Ann"]


async def test_what_follows_a_commit_is_called_on_the_loop_in_commit_order(database: Database) -> None:
    options = {} if database.is_sqlite else {"writers": 1}
    store = await database.open_store(**options)
    loop_thread = threading.get_ident()
    seen: list[tuple[int, bool]] = []

    def note(number: int) -> None:
        seen.append((number, threading.get_ident() == loop_thread))

    def number(value: int, tx: SqlTx) -> int:
        tx.add_item(f"item-{value}", "workflow", "Item")
        return value

    await asyncio.gather(*(store.run(partial(number, value), after_commit=note) for value in range(40)))
    assert seen == [(value, True) for value in range(40)]
    assert [item.item_id for item in await store.read(SqlTx.items)] == [f"item-{value}" for value in range(40)]


async def test_what_follows_a_commit_happens_also_when_the_caller_was_cancelled(store: AnyStore) -> None:
    held, followed = Held(item_of), asyncio.Event()
    running = asyncio.create_task(store.run(held, after_commit=lambda _: followed.set()))
    await held.begun()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    held.go_on()
    await asyncio.wait_for(followed.wait(), deadline(1))
    assert len(await store.read(SqlTx.items)) == 1


async def test_a_fault_in_what_follows_does_not_make_the_commit_fail(store: AnyStore) -> None:
    reported: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))

    def fail(_: object) -> None:
        raise LookupError("afterwards")

    item = await store.run(item_of, after_commit=fail)
    assert item.item_id == "item"
    assert [str(error) for error in reported] == ["afterwards"]


async def test_nothing_follows_a_use_case_that_failed(store: AnyStore) -> None:
    followed: list[object] = []
    with pytest.raises(ZeroDivisionError):
        await store.run(lambda _: 1 / 0, after_commit=followed.append)
    assert followed == []


async def test_a_use_case_may_even_raise_what_a_future_does_not_take(store: AnyStore) -> None:
    with pytest.raises(RuntimeError, match="StopIteration") as raised:
        await store.run(lambda _: next(iter(())))
    assert isinstance(raised.value.__cause__, StopIteration)


async def test_a_read_refuses_to_write(store: AnyStore) -> None:
    item = await store.run(item_of)
    await store.run(lambda tx: tx.add_job(item, new_job()))
    writes: list[Callable[[SqlTx], object]] = [
        lambda tx: tx.add_item("other", "workflow", "Other"),
        lambda tx: tx.bump_access(None),
        lambda tx: tx.lock_jobs(item, ["job"]),
        lambda tx: tx.lock_item(item),
        lambda tx: tx.put_lookups(item, "priority", [("High", 1)]),
        lambda tx: tx.new_epoch(),
    ]
    for write in writes:
        with pytest.raises(RuntimeError, match="read-only"):
            await store.read(write)
    assert [other.item_id for other in await store.read(SqlTx.items)] == ["item"]


async def test_a_read_sees_one_snapshot(store: AnyStore) -> None:
    await store.run(item_of)
    held = Held(SqlTx.items)

    def look_twice(tx: SqlTx) -> tuple[int, int]:
        return len(held(tx)), len(tx.items())

    reading = asyncio.create_task(store.read(look_twice))
    await held.begun()
    await store.run(lambda tx: tx.add_item("other", "workflow", "Other"))
    held.go_on()
    assert await reading == (1, 1)
    assert len(await store.read(SqlTx.items)) == 2


async def test_a_full_queue_answers_at_once_and_recovers(database: Database) -> None:
    options = {} if database.is_sqlite else {"writers": 1}
    store = await database.open_store(max_waiting=3, **options)
    held = Held(item_of)
    let_in = [asyncio.create_task(store.run(held))]
    await held.begun()
    let_in += [asyncio.create_task(store.run(SqlTx.items)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="waiting") as refused:
        await store.run(SqlTx.items)
    assert refused.value.temporary
    with pytest.raises(StoreUnavailable):
        await store.read(SqlTx.items)
    held.go_on()
    await asyncio.gather(*let_in)
    assert len(await store.run(SqlTx.items)) == 1


async def test_closing_finishes_what_was_let_in_and_refuses_the_rest(database: Database) -> None:
    store = await database.open_store()
    held = Held(item_of)
    running = asyncio.create_task(store.run(held))
    await held.begun()
    waiting = [
        asyncio.create_task(store.run(partial(SqlTx.add_item, item_id=f"i{number}", org_id="o", name="I")))
        for number in range(30)
    ]
    await asyncio.sleep(0)
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.run(item_of)
    held.go_on()
    await closing
    assert running.done()
    assert len(await asyncio.gather(*waiting)) == 30
    assert database.query(COUNT_ITEMS) == [(31,)]
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.read(SqlTx.items)
    await store.close()


async def test_a_store_that_was_never_opened_refuses_and_closes(database: Database) -> None:
    store = database.store()
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.run(item_of)
    await store.close()


async def test_opening_and_closing_leaves_nothing_behind(database: Database) -> None:
    async def once() -> None:
        store = database.store()
        await store.open()
        await asyncio.gather(*(store.run(SqlTx.items) for _ in range(3)), *(store.read(SqlTx.items) for _ in range(3)))
        await store.close()

    # A default executor of one thread: a larger one grows at its own pace.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    await once()
    async with no_leaks():
        for _ in range(5):
            await once()


async def test_tables_of_another_version_are_refused(database: Database) -> None:
    database.query("UPDATE alembic_version SET version_num = '9999'")
    store = database.store()
    try:
        with pytest.raises(StoreUnavailable, match="9999"):
            await store.open()
    finally:
        database.query(f"UPDATE alembic_version SET version_num = '{REVISION}'")  # noqa: S608
    await store.close()


@pytest.mark.parametrize("text", ["'; DROP TABLE job; --", "%s %(x)s :name ? $1", "\U0001f600 ß İ", "", '{"a,\\'])
async def test_text_comes_back_as_it_was(store: AnyStore, text: str) -> None:
    await store.run(lambda tx: tx.add_job(item_of(tx), new_job("id" + text, name=text)))
    item = await store.run(item_of)
    record = await store.read(lambda tx: tx.job(item, "id" + text))
    assert record is not None
    assert record.job.name == text
    found = await store.run(lambda tx: tx.lock_jobs(item, ["id" + text, "other"]))
    assert [record.job.job_id for record in found.values()] == ["id" + text]


async def test_a_nul_is_refused_or_kept_but_never_cuts_text_short(store: AnyStore, database: Database) -> None:
    item = await store.run(item_of)
    await store.run(lambda tx: tx.add_job(item, new_job("a")))
    for job_ids in (["a\0b", "c"], ["a\0b"]):
        try:
            assert await store.run(partial(SqlTx.lock_jobs, item=item, job_ids=job_ids)) == {}
        except InvalidValue:
            assert len(job_ids) == 2 or not database.is_sqlite
    if database.is_sqlite:
        await store.run(lambda tx: tx.add_job(item, new_job("a\0b")))
        assert (await store.run(lambda tx: locked(tx, "a\0b"))).job.job_id == "a\0b"


@pytest.mark.parametrize("value", ["\ud800", 2**63, -(2**63) - 1])
async def test_what_no_database_can_hold_is_an_invalid_value(store: AnyStore, value: Any) -> None:
    member = {"name": value} if isinstance(value, str) else {"due_ms": value}
    with pytest.raises(InvalidValue) as refused:
        await store.run(lambda tx: tx.add_job(item_of(tx), new_job(**member)))
    assert refused.value.__cause__ is not None
    assert await store.read(SqlTx.items) == []


async def test_the_largest_numbers_come_back(store: AnyStore) -> None:
    await store.run(
        lambda tx: tx.add_job(item_of(tx), new_job(due_ms=2**63 - 1, start_ms=-(2**63), percent_complete=0.1))
    )
    job = (await store.run(locked)).job
    assert (job.due_ms, job.start_ms, job.percent_complete) == (2**63 - 1, -(2**63), 0.1)


async def test_two_hundred_transactions_at_once_on_few_jobs_lose_nothing(store: AnyStore) -> None:
    await store.run(lambda tx: add_jobs(tx, "a", "b", "c"))

    def speak(job_id: str, tx: SqlTx) -> None:
        say(tx, locked(tx, job_id), "Word")

    await asyncio.gather(*(store.run(partial(speak, "abc"[number % 3])) for number in range(200)))
    item = await store.run(item_of)
    for job_id, count in (("a", 67), ("b", 67), ("c", 66)):
        feed = await store.read(partial(SqlTx.feed, item=item, job_id=job_id, after=0))
        assert [message.seq for message in feed] == list(range(1, count + 1))
        assert await store.read(partial(SqlTx.check_feed, item=item, job_id=job_id)) == []


async def test_the_time_is_this_century(store: AnyStore) -> None:
    assert 1_700_000_000_000 < store.now_ms() < 4_000_000_000_000
    assert abs(await store.read(SqlTx.now_ms) - store.now_ms()) < deadline(1) * 1000
