"""Runs, the leases of their nodes, and answers, in the store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from app.domain.job import Answer, PropertyResponse
from app.errors import Conflict
from app.services.ports import AnswerRecord, JobRecord, RunRecord
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store.databases import AnyStore, Database, add_jobs, locked, new_database

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


def reply(tx: SqlTx, record: JobRecord, prompt_id: str, request_id: str | None = None, **changes: Any) -> int:
    """Store an answer of Ann's to step ``a`` of run ``r``."""
    values: dict[str, Any] = {
        "step_id": "a",
        "run_id": "r",
        "prompt_id": prompt_id,
        "request_id": request_id,
        "username": "ann",
        "answer": Answer(question_response=1, comment="yes"),
        "at_ms": 9,
    }
    return tx.add_answer(record, **(values | changes))


async def test_a_run_is_found_until_it_ends(store: AnyStore) -> None:
    def begin(tx: SqlTx) -> JobRecord:
        record = locked(tx)
        tx.add_run(record, "r", "a", "node")
        return record

    record = await store.run(begin)
    run = RunRecord("r", "item", record.key, "job", "a", "node", fence=1)
    assert await store.read(lambda tx: tx.run("r")) == run
    assert await store.read(lambda tx: tx.run("other")) is None
    await store.run(lambda tx: tx.set_run_note("r", "first"))
    await store.run(lambda tx: tx.set_run_note("r", "second"))
    assert await store.read(lambda tx: tx.run("r")) == replace(run, note="second")
    await store.run(lambda tx: tx.end_run("r"))
    assert await store.read(lambda tx: tx.run("r")) is None


async def test_runs_of_a_node_whose_lease_is_over_are_adopted_with_a_higher_fence(store: AnyStore) -> None:
    def begin(tx: SqlTx) -> None:
        tx.start_node("dead", 100)
        tx.start_node("alive", 300)
        tx.start_node("me", 300)
        record = locked(tx)
        for run_id, node in (("r1", "dead"), ("r2", "alive"), ("r3", "dead"), ("r4", "dead"), ("mine", "me")):
            tx.add_run(record, run_id, "a", node)
        tx.end_run("r4")

    await store.run(begin)
    assert await store.run(lambda tx: tx.adopt_runs("me", 100)) == []
    adopted = await store.run(lambda tx: tx.adopt_runs("me", 101, limit=1))
    assert [(run.run_id, run.node_id, run.fence, run.item_id) for run in adopted] == [("r1", "me", 2, "item")]
    adopted = await store.run(lambda tx: tx.adopt_runs("me", 101))
    assert [(run.run_id, run.fence) for run in adopted] == [("r3", 2)]
    assert await store.run(lambda tx: tx.adopt_runs("me", 101)) == []
    for run_id, owner, fence in (("r1", "me", 2), ("r2", "alive", 1), ("r3", "me", 2), ("mine", "me", 1)):
        run = await store.read(partial(SqlTx.run, run_id=run_id))
        assert run is not None
        assert (run.node_id, run.fence) == (owner, fence)


async def test_runs_of_several_nodes_that_are_gone_are_adopted_piece_by_piece(store: AnyStore) -> None:
    def begin(tx: SqlTx) -> None:
        record = locked(tx)
        for number, node in enumerate(("gone 2", "alive", "gone 1", "gone 2", "gone 3", "me", "gone 1")):
            tx.add_run(record, f"r{number}", "a", node)
        tx.start_node("alive", 10**15)

    await store.run(begin)
    pieces = [await store.run(lambda tx: tx.adopt_runs("me", 1, limit=2)) for _ in range(4)]
    assert [[run.run_id for run in piece] for piece in pieces] == [["r2", "r6"], ["r0", "r3"], ["r4"], []]


async def test_a_second_takeover_raises_the_fence_again(store: AnyStore) -> None:
    await store.run(lambda tx: tx.add_run(locked(tx), "r", "a", "gone"))
    for number, node in enumerate(("b", "c"), start=2):
        await store.run(partial(SqlTx.start_node, node_id=node, lease_until_ms=10))
        (run,) = await store.run(partial(SqlTx.adopt_runs, node_id=node, now_ms=50))
        assert (run.node_id, run.fence) == (node, number)
        await store.run(partial(SqlTx.end_node, node_id=node))


async def test_a_node_whose_runs_were_taken_cannot_renew_its_lease(store: AnyStore) -> None:
    await store.run(lambda tx: tx.start_node("late", 100))
    assert await store.run(lambda tx: tx.renew_node("late", 150))
    assert await store.run(lambda tx: tx.adopt_runs("me", 150)) == []
    assert await store.run(lambda tx: tx.renew_node("late", 200))
    await store.run(lambda tx: tx.adopt_runs("me", 201))
    assert not await store.run(lambda tx: tx.renew_node("late", 300))


async def test_a_node_may_renew_a_lease_that_is_over_while_nobody_took_anything(store: AnyStore) -> None:
    """Also when it looks for runs to adopt itself: its own are not among them."""

    def begin(tx: SqlTx) -> None:
        tx.start_node("me", 100)
        tx.add_run(locked(tx), "r", "a", "me")

    await store.run(begin)
    assert await store.run(lambda tx: tx.adopt_runs("me", 500)) == []
    assert await store.run(lambda tx: tx.renew_node("me", 600))


async def test_forgetting_all_nodes_makes_every_run_an_orphan(store: AnyStore) -> None:
    def begin(tx: SqlTx) -> None:
        tx.start_node("before", 10**15)
        tx.add_run(locked(tx), "r", "a", "before")

    await store.run(begin)
    await store.run(lambda tx: tx.forget_nodes())
    assert [run.run_id for run in await store.run(lambda tx: tx.adopt_runs("me", 1))] == ["r"]


async def test_an_answer_comes_back_whole(store: AnyStore) -> None:
    answer = Answer(property_responses=(PropertyResponse("t.p", "v", "u"), PropertyResponse("t.q", None)), comment="c")

    def write(tx: SqlTx) -> tuple[JobRecord, int]:
        record = locked(tx)
        tx.add_run(record, "r", "a", "node")
        return record, reply(tx, record, "p", "q", answer=answer)

    record, answer_id = await store.run(write)
    stored = AnswerRecord(
        answer_id, "item", record.key, "job", "a", "r", "p", "q", "ann", answer, "stored", None, at_ms=9
    )
    assert await store.read(lambda tx: tx.answer(answer_id)) == stored
    assert await store.read(lambda tx: tx.answer_by_request(record, "ann", "q")) == stored
    assert await store.read(lambda tx: tx.answer_by_request(record, "bob", "q")) is None
    assert await store.read(lambda tx: tx.last_answer(record, "a")) == stored
    assert await store.read(lambda tx: tx.last_answer(record, "b")) is None
    assert await store.read(lambda tx: tx.unapplied_answers("node")) == [stored]
    assert await store.read(lambda tx: tx.unapplied_answers("other")) == []
    await store.run(lambda tx: tx.set_answer_stage(answer_id, "applied"))
    assert await store.read(lambda tx: tx.unapplied_answers("node")) == []
    applied = await store.read(lambda tx: tx.answer(answer_id))
    assert applied is not None
    assert (applied.stage, applied.reason) == ("applied", None)
    assert await store.read(lambda tx: tx.answer(answer_id + 1)) is None


async def test_answers_move_to_the_node_that_adopts_their_run(store: AnyStore) -> None:
    def write(tx: SqlTx) -> list[int]:
        tx.add_run(locked(tx), "r", "a", "gone")
        return [reply(tx, locked(tx), "p2"), reply(tx, locked(tx), "p1")]

    ids = await store.run(write)
    await store.run(lambda tx: tx.adopt_runs("me", 1))
    assert [answer.answer_id for answer in await store.read(lambda tx: tx.unapplied_answers("me"))] == ids


async def test_answers_of_a_run_that_has_ended_are_not_handed_out(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        tx.add_run(locked(tx), "r", "a", "node")
        reply(tx, locked(tx), "p")
        tx.end_run("r")

    await store.run(write)
    assert await store.read(lambda tx: tx.unapplied_answers("node")) == []


async def test_a_prompt_takes_one_answer_unless_that_is_rejected(store: AnyStore) -> None:
    first = await store.run(lambda tx: reply(tx, locked(tx), "p"))
    with pytest.raises(Conflict) as refused:
        await store.run(lambda tx: reply(tx, locked(tx), "p", username="bob"))
    assert refused.value.name == "AlreadyAnswered"
    await store.run(lambda tx: reply(tx, locked(tx, "other"), "p"))
    await store.run(lambda tx: tx.set_answer_stage(first, "rejected", "invalid"))
    second = await store.run(lambda tx: reply(tx, locked(tx), "p", username="bob"))
    assert second > first
    newest = await store.run(lambda tx: tx.last_answer(locked(tx), "a"))
    assert newest is not None
    assert newest.answer_id == second
    rejected = await store.read(lambda tx: tx.answer(first))
    assert rejected is not None
    assert (rejected.stage, rejected.reason) == ("rejected", "invalid")


async def test_a_request_id_is_used_once_by_a_user_on_a_job(store: AnyStore) -> None:
    await store.run(lambda tx: reply(tx, locked(tx), "p1", "q"))
    with pytest.raises(Conflict) as refused:
        await store.run(lambda tx: reply(tx, locked(tx), "p2", "q"))
    assert refused.value.name == "RequestIdInUse"
    await store.run(lambda tx: reply(tx, locked(tx), "p2", "q", username="bob"))
    await store.run(lambda tx: reply(tx, locked(tx, "other"), "p1", "q"))
    await store.run(lambda tx: [reply(tx, locked(tx), prompt_id, None) for prompt_id in ("p3", "p4")])


async def test_an_unknown_stage_is_refused(store: AnyStore) -> None:
    answer_id = await store.run(lambda tx: reply(tx, locked(tx), "p"))
    with pytest.raises(Conflict):
        await store.run(lambda tx: tx.set_answer_stage(answer_id, "lost"))
    unchanged = await store.read(lambda tx: tx.answer(answer_id))
    assert unchanged is not None
    assert unchanged.stage == "stored"
