"""Items in the store: how one is let go and removed, piece by piece."""

from collections.abc import AsyncIterator

import pytest

from app.domain.access import PortalRole
from app.domain.job import Attachment, Content
from app.errors import NotFound
from app.services.ports import Group, Item, KeptAnswer, LogEntry, LogLevel, TaskEnded, TaskKind, TaskState
from app.store import administration
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store.databases import AnyStore, Database, add_jobs, item_of, new_database, new_job, say

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    async with new_database(backend, request) as made:
        yield made


@pytest.fixture
async def store(database: Database) -> AnyStore:
    return await database.open_store()


def furnish(tx: SqlTx) -> Item:
    """An item with jobs, a file, a run, a feed, a kept answer, and something to send."""
    item = item_of(tx)
    tx.loosen_blob("blob", tx.now_ms() + 10**6)
    for record in add_jobs(tx, "a", "b", "c"):
        say(tx, record, "One", "Two")
    record = tx.lock_jobs(item, ["b"])["b"]
    content = Content("blob", "plan.pdf", "application/pdf", 4, "f" * 64)
    tx.add_attachment(record, Attachment("file", "Plan", "General", "ana", 5, content=content))
    tx.add_run(record, "run", "a", "node")
    tx.add_item_task(item, "task", TaskKind.EXPORT, "ana", b"sealed")
    tx.add_log(item, LogEntry(LogLevel.WARN, "m", 1, "ana"))
    tx.keep_answer(item, "slot", KeptAnswer("digest", b"{}"), 1)
    tx.add_dispatch(item, job_id="a", step_id=None, kind="Email", title="it", content=b"", due_ms=1)
    return item


async def test_whoever_is_let_go_is_not_found_any_more(store: AnyStore) -> None:
    item = await store.run(furnish)
    stopping = await store.run(lambda tx: tx.let_item_go(item))
    assert [(run.run_id, run.job_id, run.node_id) for run in stopping] == [("run", "b", "node")]
    assert await store.read(SqlTx.items) == []
    assert await store.read(lambda tx: tx.item("workflow", "item")) is None
    assert [each.item_id for each in await store.read(SqlTx.going_items)] == ["item"]
    assert await store.run(lambda tx: tx.claim_dispatches("node", "Email", 10, 10)) == []


async def test_it_is_removed_in_pieces_and_nothing_is_left(store: AnyStore, database: Database) -> None:
    item = await store.run(furnish)
    other = await store.run(lambda tx: tx.add_item("other", "workflow", "Other", "ana"))
    await store.run(lambda tx: tx.add_job(other, new_job("a")))
    await store.run(lambda tx: tx.let_item_go(item))
    pieces = 1
    while await store.run(lambda tx: tx.remove_piece(item, 1)):
        pieces += 1
    assert pieces >= 3 + 1 + 3 + 1, "jobs, feed, ids, kept answers"
    assert await store.read(SqlTx.going_items) == []
    assert await store.read(SqlTx.items) == [other]
    assert await store.read(lambda tx: tx.loose_blobs(tx.now_ms())) == ["blob"]
    assert database.query("SELECT count(*) FROM job") == [(1,)]
    assert database.query("SELECT count(*) FROM feed") == [(0,)]
    assert database.query("SELECT count(*) FROM job_identity") == [(1,)]


async def test_an_item_that_was_not_let_go_stays(store: AnyStore) -> None:
    item = await store.run(item_of)
    assert not await store.run(lambda tx: tx.remove_piece(item, 10))
    assert await store.read(SqlTx.items) == [item]


async def test_a_user_has_the_portal_role_that_was_given_last(store: AnyStore) -> None:
    await store.run(lambda tx: tx.add_user("ann", None))
    assert (await store.read(lambda tx: tx.users()))[0].portal_role is PortalRole.USER
    await store.run(lambda tx: tx.set_portal_role("ann", PortalRole.PUBLISHER))
    assert (await store.read(lambda tx: tx.users()))[0].portal_role is PortalRole.PUBLISHER
    with pytest.raises(NotFound):
        await store.run(lambda tx: tx.set_portal_role("bob", PortalRole.PUBLISHER))


async def test_a_group_goes_with_its_members_and_roles(store: AnyStore) -> None:
    def add(tx: SqlTx) -> None:
        tx.add_user("ann", None)
        tx.add_group(Group("g", "Group"))
        tx.set_member("ann", "g", True)

    await store.run(add)
    await store.run(lambda tx: tx.delete_group("g"))
    await store.run(lambda tx: tx.delete_group("g"))
    assert await store.read(SqlTx.groups) == []
    assert (await store.read(SqlTx.users))[0].groups == ()


# ---------------------------------------------------------------- background work and the log


async def test_a_task_is_claimed_by_one_living_node_and_again_when_it_is_gone(store: AnyStore) -> None:
    item = await store.run(item_of)
    for name in ("one", "two"):
        await store.run(lambda tx, name=name: tx.add_item_task(item, name, TaskKind.IMPORT, "ana", b"s"))  # type: ignore[misc]
    await store.run(lambda tx: tx.start_node("n1", 10**15))
    await store.run(lambda tx: tx.start_node("n2", 10**15))
    first = await store.run(lambda tx: tx.claim_item_task("n1"))
    assert first is not None
    assert (first.task_id, first.item_id, first.kind, first.username, first.body, first.tries) == (
        "one",
        "item",
        TaskKind.IMPORT,
        "ana",
        b"s",
        1,
    )
    assert await store.run(lambda tx: tx.claim_item_task("n1")) == first, "its own, once more, is no other try"
    second = await store.run(lambda tx: tx.claim_item_task("n2"))
    assert second is not None
    assert second.task_id == "two"
    assert await store.run(lambda tx: tx.claim_item_task("n3")) is None
    await store.run(lambda tx: tx.end_node("n1"))
    taken = await store.run(lambda tx: tx.claim_item_task("n2"))
    assert taken is not None
    assert (taken.task_id, taken.tries) == ("one", 2)
    assert not await store.run(lambda tx: tx.end_item_task(first, "n1", None, None, None))
    assert await store.run(lambda tx: tx.end_item_task(taken, "n2", None, None, None))
    assert await store.read(lambda tx: tx.waiting_item_tasks(item)) == 1


async def test_what_became_of_a_task_is_kept_and_told(store: AnyStore) -> None:
    item = await store.run(item_of)
    await store.run(lambda tx: tx.add_item_task(item, "task", TaskKind.EXPORT, "ana", b"s"))
    assert await store.read(lambda tx: tx.item_task(item, "task")) == TaskState(TaskKind.EXPORT, None)
    task = await store.run(lambda tx: tx.claim_item_task("n"))
    assert task is not None
    content = Content("blob", "a.wmc", "application/zip", 4, "f" * 64)
    await store.run(lambda tx: tx.end_item_task(task, "n", None, content, b"{}"))
    state = await store.read(lambda tx: tx.item_task(item, "task"))
    assert state is not None
    assert state.ended_ms is not None
    assert (state.problem, state.content, state.mapping) == (None, content, b"{}")
    ended = await store.read(lambda tx: tx.ended_item_tasks(tx.now_ms() - 60_000))
    assert ended == [TaskEnded(task.key, "item", "task", TaskKind.EXPORT, "ana")]
    assert await store.read(lambda tx: tx.ended_item_tasks(tx.now_ms() + 60_000)) == []
    assert await store.run(lambda tx: tx.claim_item_task("n")) is None
    assert await store.run(lambda tx: tx.forget_item_tasks(tx.now_ms() + 1, 10)) == 1
    assert await store.read(lambda tx: tx.item_task(item, "task")) is None


async def test_a_log_keeps_the_newest_entries_and_not_more(store: AnyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(administration, "KEPT_LOGS", 10)
    item = await store.run(item_of)

    def fill(tx: SqlTx) -> None:
        for number in range(350):
            tx.add_log(item, LogEntry(LogLevel.ERROR, f"m{number}", number, "ana", "job", "step"))

    await store.run(fill)
    kept = await store.read(lambda tx: tx.logs(item, 0, 10**6, 0, 1_000))
    assert kept[0] == LogEntry(LogLevel.ERROR, "m349", 349, "ana", "job", "step")
    assert 10 <= len(kept) <= 110
    assert [entry.at_ms for entry in await store.read(lambda tx: tx.logs(item, 340, 345, 1, 2))] == [344, 343]
