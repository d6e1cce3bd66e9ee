"""Dispatches in the store: claimed by one node at a time, by another when that is gone, and never twice at once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.services.ports import Dispatch
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store.databases import AnyStore, Database, item_of, new_database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    async with new_database(backend, request) as made:
        yield made


@pytest.fixture
async def store(database: Database) -> AnyStore:
    return await database.open_store()


def add(tx: SqlTx, due_ms: int, job_id: str = "job", step_id: str | None = "a", kind: str = "Email") -> None:
    tx.add_dispatch(
        item_of(tx), job_id=job_id, step_id=step_id, kind=kind, title="it", content=b"\x00\xff", due_ms=due_ms
    )


async def claim(store: AnyStore, node_id: str, now_ms: int, limit: int = 100, kind: str = "Email") -> list[Dispatch]:
    return await store.run(lambda tx: tx.claim_dispatches(node_id, kind, now_ms, limit))


async def test_what_is_due_is_claimed_by_one_living_node_until_it_is_put_back(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        for node_id in ("one", "two"):
            tx.start_node(node_id, 1_000)
        add(tx, 20, "later", None)
        add(tx, 10)

    await store.run(write)
    assert await store.read(lambda tx: tx.next_dispatch_ms(["Email"])) == 10
    assert await claim(store, "one", 9) == []
    (first,) = await claim(store, "one", 15)
    expected = Dispatch(first.dispatch_id, "item", "job", "a", "Email", "it", b"\x00\xff", tries=1, begun=False)
    assert first == expected
    assert await store.read(lambda tx: tx.next_dispatch_ms(["Email"])) == 20
    assert await claim(store, "two", 15) == []
    assert not await store.run(lambda tx: tx.put_dispatch_back(first.dispatch_id, "two", 30))
    assert await store.run(lambda tx: tx.put_dispatch_back(first.dispatch_id, "one", 30))
    found = await claim(store, "two", 30)
    assert [(each.job_id, each.step_id, each.tries) for each in found] == [("later", None, 1), ("job", "a", 2)]
    assert await store.read(lambda tx: tx.next_dispatch_ms(["Email"])) is None


async def test_each_kind_is_claimed_by_itself(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        tx.start_node("one", 1_000)
        add(tx, 10, kind="WebRequest")
        add(tx, 20)

    await store.run(write)
    nexts = [
        await store.read(lambda tx, kinds=kinds: tx.next_dispatch_ms(kinds))  # type: ignore[misc]
        for kinds in (["Email"], ["Email", "WebRequest"], ["Another"])
    ]
    assert nexts == [20, 10, None]
    assert [each.kind for each in await claim(store, "one", 30)] == ["Email"]
    assert [each.kind for each in await claim(store, "one", 30, kind="WebRequest")] == ["WebRequest"]


async def test_the_claims_of_a_node_that_is_gone_are_free_and_what_it_had_begun_is_known(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        tx.start_node("one", 1_000)
        tx.start_node("two", 1_000)
        add(tx, 10)

    await store.run(write)
    (first,) = await claim(store, "one", 10)
    assert not await store.run(lambda tx: tx.begin_dispatch(first.dispatch_id, "two"))
    assert await store.run(lambda tx: tx.begin_dispatch(first.dispatch_id, "one"))
    await store.run(lambda tx: tx.end_node("one"))
    (again,) = await claim(store, "two", 10)
    assert again == replace(first, tries=2, begun=True)
    assert not await store.run(lambda tx: tx.delete_dispatch(first.dispatch_id, "one"))
    assert await store.run(lambda tx: tx.delete_dispatch(first.dispatch_id, "two"))
    assert await claim(store, "two", 10) == []


async def test_nodes_that_claim_at_once_share_what_is_due(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        for node_id in ("one", "two", "three"):
            tx.start_node(node_id, 1_000)
        for _ in range(30):
            add(tx, 10)

    await store.run(write)
    claimed: list[int] = []
    while found := await asyncio.gather(*(claim(store, node_id, 10, 4) for node_id in ("one", "two", "three"))):
        if not any(found):
            break
        claimed += [each.dispatch_id for part in found for each in part]
    assert len(claimed) == len(set(claimed)) == 30


async def test_one_like_it_is_due_until_a_node_has_it(store: AnyStore) -> None:
    item = await store.run(item_of)

    async def is_due(now_ms: int, job_id: str = "job", content: bytes = b"\x00\xff") -> bool:
        return await store.read(
            lambda tx: tx.is_dispatch_due(item, job_id=job_id, kind="Email", content=content, now_ms=now_ms)
        )

    await store.run(lambda tx: add(tx, 10))
    assert [await is_due(9), await is_due(10)] == [False, True]
    assert [await is_due(10, job_id="another"), await is_due(10, content=b"")] == [False, False]
    await store.run(lambda tx: tx.start_node("one", 1_000))
    await claim(store, "one", 10)
    assert not await is_due(10)
