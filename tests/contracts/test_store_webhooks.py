"""Webhook connections in the store, the users they act as, and the holds that wait for features."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.domain.job import Hold, WebhookDependency
from app.errors import NotFound
from app.services.ports import JobRecord, ReleasedHold, WatchedFeature, WebhookConnection
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store.databases import AnyStore, Database, add_jobs, item_of, new_database
from tests.support import deadline

pytestmark = pytest.mark.anyio

CONNECTION = WebhookConnection("C1", "Parcels", "item", enabled=True, secret=b"\x00sealed")
FULL = WebhookConnection(
    "C2", "Roads", "https://x/", False, b"s", "ann", "bob", True, ("FeaturesUpdated", "FeaturesEdited"), "7", True
)
FEATURE = WebhookDependency("C1", "state = 3", 0, 2**40)


@pytest.fixture
async def database(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    async with new_database(backend, request) as made:
        yield made


@pytest.fixture
async def store(database: Database) -> AnyStore:
    return await database.open_store()


async def test_connections_are_kept_changed_and_deleted_in_their_item(store: AnyStore) -> None:
    item = await store.run(item_of)
    other = await store.run(lambda tx: tx.add_item("second", "workflow", "Second"))

    def put(tx: SqlTx) -> None:
        for connection in (FULL, CONNECTION):
            tx.put_webhook_connection(item, connection)
        tx.put_webhook_connection(other, replace(CONNECTION, name="Another"))

    await store.run(put)
    assert await store.read(lambda tx: tx.webhook_connections(item)) == [FULL, CONNECTION]
    await store.run(lambda tx: tx.put_webhook_connection(item, replace(FULL, username=None, webhook_id=None)))
    changed = await store.read(lambda tx: tx.webhook_connection(item, "C2"))
    assert changed is not None
    assert changed.run_as == ("bob",)
    await store.run(lambda tx: tx.delete_webhook_connection(item, "C1"))
    assert await store.read(lambda tx: tx.webhook_connection(item, "C1")) is None
    kept = await store.read(lambda tx: tx.webhook_connection(other, "C1"))
    assert kept is not None
    assert kept.name == "Another"


async def test_a_connection_can_be_used_by_many_and_changed_by_one_alone(store: AnyStore) -> None:
    """A hold that is set while its connection is deleted would wait for ever: whoever deletes sees the hold."""
    item = await store.run(item_of)
    await store.run(lambda tx: tx.put_webhook_connection(item, CONNECTION))

    def hold(tx: SqlTx, number: int) -> None:
        assert tx.webhook_connection(item, "C1", use=True) == CONNECTION
        tx.add_hold(add_jobs(tx, f"job {number}")[0], Hold("h", "a", "ann", 1, webhook=FEATURE))

    def watched(tx: SqlTx) -> int:
        assert tx.webhook_connection(item, "C1", change=True) == CONNECTION
        return len(tx.watched_features(item, "C1"))

    async with asyncio.timeout(deadline(5)):
        await asyncio.gather(*(store.run(lambda tx, number=number: hold(tx, number)) for number in range(4)))  # type: ignore[misc]
        assert await store.run(watched) == 4
        with pytest.raises(RuntimeError):
            await store.read(lambda tx: tx.webhook_connection(item, "C1", use=True))


async def test_a_user_opts_in_once_and_may_give_another_token(store: AnyStore) -> None:
    item = await store.run(item_of)

    def opt_in(tx: SqlTx) -> None:
        tx.add_user("ann", None)
        tx.put_webhook_token(item, "ann", b"first")
        tx.put_webhook_token(item, "ann", b"\xff second")

    await store.run(opt_in)
    assert await store.read(lambda tx: tx.webhook_token(item, "ann")) == b"\xff second"
    assert await store.read(lambda tx: tx.webhook_token(item, "bob")) is None
    with pytest.raises(NotFound):
        await store.run(lambda tx: tx.put_webhook_token(item, "bob", b""))
    await store.run(lambda tx: tx.delete_user("ann"))
    await store.run(lambda tx: tx.add_user("ann", None))
    assert await store.read(lambda tx: tx.webhook_token(item, "ann")) is None, "it is another person now"


async def test_what_waits_for_features_is_found_until_it_is_released(store: AnyStore) -> None:
    item = await store.run(item_of)

    def write(tx: SqlTx) -> JobRecord:
        [record] = add_jobs(tx, "job")
        for hold_id, webhook in (("h1", FEATURE), ("h2", replace(FEATURE, connection_id="C2")), ("h3", FEATURE)):
            tx.add_hold(record, Hold(hold_id, "a", "ann", 1, webhook=webhook))
        tx.add_hold(record, Hold("h4", "a", "ann", 1))
        tx.release_hold(record, "h3", "ann", 2)
        return record

    record = await store.run(write)
    found = await store.read(lambda tx: tx.watched_features(item, "C1"))
    assert found == [WatchedFeature("job", "h1", FEATURE, closed=False)]
    known = await store.read(lambda tx: tx.holds(record))
    assert known[0] == ReleasedHold(Hold("h1", "a", "ann", 1, webhook=FEATURE), None, None)
    assert [each.hold.webhook for each in known[2:]] == [FEATURE, None]
    await store.run(lambda tx: tx.delete_job(record))
    assert await store.read(lambda tx: tx.watched_features(item, "C1")) == []
