"""The feed of a job: numbered, chained, and read by node after node."""

from collections.abc import AsyncIterator

import pytest

from app.domain.job import AssignedType, Assignment
from app.services.ports import FeedMessage
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store.databases import AnyStore, Database, add_jobs, item_of, locked, new_database, say
from tests.support import eventually

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    async with new_database(backend, request) as made:
        yield made


@pytest.fixture
async def store(database: Database) -> AnyStore:
    opened = await database.open_store()
    await opened.run(lambda tx: add_jobs(tx, "job", "other"))
    return opened


async def speak(store: AnyStore, *words: str, job_id: str = "job") -> None:
    await store.run(lambda tx: say(tx, locked(tx, job_id), *words))


async def complete(store: AnyStore, count: int) -> None:
    """Wait for so many rows: on PostgreSQL a transaction of another test on the same cluster may hold them back."""

    async def are_there() -> bool:
        return len(await store.read(lambda tx: tx.feed_since(0))) == count

    await eventually(are_there)


async def faults(store: AnyStore, job_id: str = "job") -> list[tuple[int, str]]:
    item = await store.run(item_of)
    return [(fault.seq, fault.problem) for fault in await store.read(lambda tx: tx.check_feed(item, job_id))]


async def test_a_message_comes_back_whole(store: AnyStore) -> None:
    audience = Assignment(AssignedType.GROUP, "crew")
    message = FeedMessage("item", "job", 1, "StepInfoRequired", 77, b'{"long":1}', b"{}", audience)
    plain = FeedMessage("item", "job", 2, "StepHeld", 78, b"{}")

    def write(tx: SqlTx) -> None:
        record = locked(tx)
        record.seq = 2
        tx.append_feed(record, [message, plain])
        tx.save_job(record)

    await store.run(write)
    item = await store.run(item_of)
    assert await store.read(lambda tx: tx.feed(item, "job", 0)) == [message, plain]
    record = await store.run(locked)
    assert await store.read(lambda tx: tx.feed_messages(record, [2, 2, 9])) == {2: plain}
    assert await store.read(lambda tx: tx.feed_messages(record, [])) == {}


async def test_a_range_of_the_feed_is_ascending_and_limited(store: AnyStore) -> None:
    await speak(store, *"ABCDE")
    item = await store.run(item_of)

    async def words(after: int, upto: int | None = None, limit: int = 1000) -> str:
        return "".join(m.msg_type for m in await store.read(lambda tx: tx.feed(item, "job", after, upto, limit)))

    assert await words(0) == "ABCDE"
    assert await words(1, 3) == "BC"
    assert await words(1, limit=2) == "BC"
    assert await words(5) == ""
    assert await store.read(lambda tx: tx.feed_span(item, "job")) == (1, 5)
    assert await store.read(lambda tx: tx.feed_span(item, "other")) is None
    assert await store.read(lambda tx: tx.feed_span(item, "nobody")) is None


@pytest.mark.parametrize(("seq", "numbers"), [(2, [1]), (1, [1, 2]), (3, [3, 2]), (4, [2, 4]), (1, [1]), (3, [3])])
async def test_a_gap_or_a_repeat_is_refused(store: AnyStore, seq: int, numbers: list[int]) -> None:
    def write(tx: SqlTx) -> None:
        record = locked(tx)
        record.seq = seq
        tx.append_feed(record, [FeedMessage("item", "job", number, "X", 1, b"{}") for number in numbers])

    await speak(store, "A")
    with pytest.raises(ValueError, match="a gap or a repeat"):
        await store.run(write)
    item = await store.run(item_of)
    assert await store.read(lambda tx: tx.feed_span(item, "job")) == (1, 1)


async def test_every_row_carries_the_command_that_wrote_it(store: AnyStore, database: Database) -> None:
    await store.run(lambda tx: say(tx, locked(tx), "A", "B"), command_id="command-1")
    assert database.query("SELECT seq, command_id FROM feed ORDER BY seq") == [(1, "command-1"), (2, "command-1")]


async def test_the_rows_of_all_jobs_are_read_in_the_order_of_their_ids(store: AnyStore) -> None:
    assert await store.read(lambda tx: tx.last_feed_row()) == 0
    await speak(store, "A", "B")
    await speak(store, "C", job_id="other")
    await speak(store, "D")
    await complete(store, 4)
    rows = await store.read(lambda tx: tx.feed_since(0))
    assert [(message.job_id, message.seq, message.msg_type) for _, message in rows] == [
        ("job", 1, "A"),
        ("job", 2, "B"),
        ("other", 1, "C"),
        ("job", 3, "D"),
    ]
    ids = [row_id for row_id, _ in rows]
    assert ids == sorted(set(ids))
    assert await store.read(lambda tx: tx.feed_since(ids[1], limit=1)) == rows[2:3]
    assert await store.read(lambda tx: tx.last_feed_row()) == ids[-1]
    assert await store.read(lambda tx: tx.feed_since(ids[-1])) == []


async def test_a_sound_chain_has_no_faults(store: AnyStore) -> None:
    await speak(store, *"ABC")
    await speak(store, "D")
    assert await faults(store) == []
    assert await faults(store, "other") == []
    assert await faults(store, "nobody") == []


async def test_a_long_chain_is_walked_to_its_end(store: AnyStore, database: Database) -> None:
    await speak(store, *(f"W{number}" for number in range(1201)))
    assert await faults(store) == []
    database.query("UPDATE feed SET msg_type = 'X', created_ms = 1 WHERE seq = 1100")
    assert await faults(store) == []
    database.query("DELETE FROM feed WHERE seq = 1100")
    assert await faults(store) == [(1101, "rows between 1099 and 1101 are missing")]


@pytest.mark.parametrize("column", ["body", "short"])
async def test_a_changed_row_is_found_by_the_next(store: AnyStore, database: Database, column: str) -> None:
    await speak(store, *"ABC")
    database.query(f"UPDATE feed SET {column} = prev_hash WHERE seq = 2")  # noqa: S608
    assert await faults(store) == [(3, "prev_hash does not fit row 2")]


async def test_a_changed_last_row_is_found_by_the_job(store: AnyStore, database: Database) -> None:
    await speak(store, *"AB")
    database.query("UPDATE feed SET body = prev_hash WHERE seq = 2")
    assert await faults(store) == [(2, "the last row is not the one that was written")]
    database.query("DELETE FROM feed WHERE seq = 2")
    assert await faults(store) == [(1, "the feed ends here, the job's last message is 2")]


async def test_a_trimmed_beginning_is_no_fault_but_another_first_row_is(store: AnyStore, database: Database) -> None:
    await speak(store, *"ABC")
    database.query("DELETE FROM feed WHERE seq = 1")
    assert await faults(store) == []
    item = await store.run(item_of)
    assert await store.read(lambda tx: tx.feed_span(item, "job")) == (2, 3)
    await speak(store, "A", job_id="other")
    database.query("UPDATE feed SET prev_hash = body WHERE seq = 1")
    assert (await faults(store, "other"))[0] == (1, "the first row's prev_hash is not the beginning of a chain")


async def test_the_feed_of_a_deleted_job_can_be_read_and_checked(store: AnyStore) -> None:
    await speak(store, *"AB")
    await store.run(lambda tx: tx.delete_job(locked(tx)))
    item = await store.run(item_of)
    assert [message.seq for message in await store.read(lambda tx: tx.feed(item, "job", 1))] == [2]
    assert await store.read(lambda tx: tx.feed_span(item, "job")) == (1, 2)
    await complete(store, 2)
    assert await faults(store) == []


async def test_the_last_message_may_follow_the_deletion(store: AnyStore) -> None:
    def delete(tx: SqlTx) -> None:
        record = locked(tx)
        tx.delete_job(record)
        record.seq += 1
        tx.append_feed(record, [FeedMessage("item", "job", record.seq, "JobDeleted", 1, b"{}")])

    await store.run(delete)
    item = await store.run(item_of)
    assert [message.msg_type for message in await store.read(lambda tx: tx.feed(item, "job", 0))] == ["JobDeleted"]


async def test_the_epoch_stays_until_a_new_one_is_asked_for(store: AnyStore) -> None:
    first = await store.read(SqlTx.epoch)
    assert first
    assert await store.read(SqlTx.epoch) == first
    second = await store.run(SqlTx.new_epoch)
    assert second != first
    assert await store.read(SqlTx.epoch) == second
