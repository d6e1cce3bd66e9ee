"""Jobs in the store, their ids, what is written down about them, and how they are found."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.domain.job import (
    Answer,
    AssignedType,
    Assignment,
    CurrentStep,
    DataVersion,
    Flow,
    Hold,
    Location,
    PendingStep,
    PropertyResponse,
    Run,
    StepFault,
    StepState,
    StoredAnswer,
)
from app.domain.properties import PropertyValue, RelatedRow
from app.domain.values import Value
from app.errors import Conflict
from app.services.ports import Comment, Dependent, HistoryEntry, JobRecord, ReleasedHold
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store.databases import AnyStore, Database, add_jobs, item_of, locked, new_database, new_job, say

pytestmark = pytest.mark.anyio

ANN = Assignment(AssignedType.USER, "ann")
CREW = Assignment(AssignedType.GROUP, "crew")
FILLED_IN = Answer(property_responses=(PropertyResponse("t.p", None, "u"),))
FULL_FLOW = Flow(
    steps=(
        CurrentStep(
            "a", "v1", ANN, 11, StepState.EXECUTING,
            Run("r", 12, "ann", "p", StoredAnswer("ann", 13, FILLED_IN)),
        ),
        CurrentStep("b", "v2", CREW, 14, StepState.FAILED, return_value=1.0, fault=StepFault("broken", "E1")),
        CurrentStep("c", "v3", Assignment(), 15, StepState.DONE, return_value=True),
    ),
    pending=(PendingStep("d", ANN, 16),),
    holds=(Hold("h", "a", "ann", 17, scheduled_release_ms=18, dependent_job_id="other", dependent_step_id="x"),),
    finished=("e", "f"),
    automatic_run=3,
    rounds={"a": 2},
)  # fmt: skip


@pytest.fixture
async def database(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    async with new_database(backend, request) as made:
        yield made


@pytest.fixture
async def store(database: Database) -> AnyStore:
    return await database.open_store()


async def saved(store: AnyStore, job_id: str = "job") -> JobRecord:
    def find(tx: SqlTx) -> JobRecord | None:
        (item,) = tx.items()
        return tx.job(item, job_id)

    record = await store.read(find)
    assert record is not None
    return record


async def test_a_job_comes_back_whole(store: AnyStore) -> None:
    full = new_job(
        percent_complete=12.5, description="d", notes="n", parent_job="p", start_ms=1, started_ms=2, due_ms=3,
        ended_ms=4, closed=True, closed_by="c", location=Location("Polygon", '{"rings":[]}'), flow=FULL_FLOW,
        versions=(DataVersion("source", name="v"), DataVersion(reference_id="r", guid="g", workflow_administered=True)),
        may_create=7,
    )  # fmt: skip
    plain = new_job("plain", flow=Flow())
    await store.run(lambda tx: [tx.add_job(item_of(tx), job) for job in (full, plain)])
    assert (await saved(store)).job == full
    assert (await saved(store, "plain")).job == plain
    record = await saved(store)
    assert (record.seq, record.details) == (0, {})


async def test_saving_writes_the_whole_record_back(store: AnyStore) -> None:
    await store.run(lambda tx: add_jobs(tx, "job"))
    changed = new_job(
        step="z", name="New name", status="Done", closed=True, closed_by="ann", percent_complete=100,
        location=Location("Multipoint", "{}"),
    )  # fmt: skip

    def save(tx: SqlTx) -> None:
        record = locked(tx)
        record.job = changed
        record.details = {"z": 9}
        tx.save_job(record)

    await store.run(save)
    record = await saved(store)
    assert (record.job, record.details) == (changed, {"z": 9})


async def test_saving_only_the_flow_leaves_the_rest_as_it_was(store: AnyStore) -> None:
    await store.run(lambda tx: add_jobs(tx, "job"))

    def move(tx: SqlTx) -> None:
        record = locked(tx)
        record.job = replace(record.job, flow=FULL_FLOW)
        tx.save_job(record)

    await store.run(move)
    assert (await saved(store)).job == new_job(flow=FULL_FLOW)


async def test_a_record_of_another_transaction_cannot_be_saved(store: AnyStore) -> None:
    (record,) = await store.run(lambda tx: add_jobs(tx, "job"))
    with pytest.raises(ValueError, match="not read in this transaction"):
        await store.run(lambda tx: tx.save_job(record))


@pytest.mark.parametrize(
    "steps",
    [
        (("a", ANN),),
        (("b", Assignment()),),
        (("b", ANN), ("c", CREW)),
        (("a", Assignment()), ("c", CREW), ("d", CREW)),
        (),
    ],
    ids=["reassigned", "moved on", "split", "joined by others", "finished"],
)
async def test_the_index_of_current_steps_follows_the_flow(
    store: AnyStore, database: Database, steps: tuple[tuple[str, Assignment], ...]
) -> None:
    await store.run(lambda tx: add_jobs(tx, "other", "job"))

    def move(tx: SqlTx) -> None:
        record = locked(tx)
        current = tuple(CurrentStep(step_id, "v", assignment, 1) for step_id, assignment in steps)
        record.job = replace(record.job, flow=Flow(current))
        tx.save_job(record)

    await store.run(move)
    found = database.query(
        "SELECT job_id, step_id, assigned_type, assigned_to FROM current_step JOIN job ON job.key = job_key"
        " ORDER BY job_id, step_id"
    )
    expected = [("job", step_id, assignment.type, assignment.to) for step_id, assignment in steps]
    assert found == [*expected, ("other", "a", "Unassigned", None)]


async def test_locking_gives_the_jobs_that_exist_in_the_order_of_their_keys(store: AnyStore) -> None:
    await store.run(lambda tx: add_jobs(tx, "z", "y", "x"))
    found = await store.run(lambda tx: tx.lock_jobs(item_of(tx), ["x", "nobody", "z", "x", "y"]))
    assert list(found) == ["z", "y", "x"]
    assert await store.run(lambda tx: tx.lock_jobs(item_of(tx), [])) == {}


async def test_locking_more_jobs_in_the_same_transaction_works(store: AnyStore) -> None:
    await store.run(lambda tx: add_jobs(tx, "x", "y", "z"))

    def lock_twice(tx: SqlTx) -> list[str]:
        item = item_of(tx)
        return [*tx.lock_jobs(item, ["y"]), *tx.lock_jobs(item, ["x", "y", "z"])]

    assert await store.run(lock_twice) == ["y", "x", "y", "z"]


async def test_jobs_of_two_items_do_not_meet(store: AnyStore) -> None:
    def fill(tx: SqlTx) -> None:
        add_jobs(tx, "job")
        other = tx.add_item("second", "workflow", "Second")
        tx.add_job(other, new_job("job", name="Elsewhere"))
        assert tx.lock_jobs(other, ["job"])["job"].job.name == "Elsewhere"

    await store.run(fill)
    assert (await store.run(locked)).job.name == "Name of job"


async def test_a_deleted_job_is_gone_and_its_id_stays_used(store: AnyStore, database: Database) -> None:
    def fill_and_delete(tx: SqlTx) -> None:
        (record,) = add_jobs(tx, "job")
        tx.add_hold(record, Hold("h", "a", "ann", 1, scheduled_release_ms=5))
        tx.append_history(record, [HistoryEntry("Create", "ann", 1)])
        tx.add_comment(record, Comment("c", "text", "ann", 1))
        tx.set_properties(record, [PropertyValue("t", "p", Value("v"))])
        tx.add_related_row(record, RelatedRow("1", "t", (PropertyValue("t", "p", Value("v")),), 1))
        tx.add_run(record, "r", "a", "node")
        tx.add_answer(
            record, step_id="a", run_id="r", prompt_id="p", request_id=None, username="ann", answer=Answer(), at_ms=1
        )
        say(tx, record, "Last")
        tx.delete_job(record)

    await store.run(fill_and_delete)
    item = await store.run(item_of)
    assert await store.read(lambda tx: tx.job(item, "job")) is None
    for table in (
        "job",
        "hold",
        "timer",
        "history",
        "comment",
        "ext_property",
        "related_row",
        "related_value",
        "run",
        "answer",
        "current_step",
    ):
        assert database.query(f"SELECT count(*) FROM {table}") == [(0,)], table  # noqa: S608
    assert [message.msg_type for message in await store.read(lambda tx: tx.feed(item, "job", 0))] == ["Last"]
    with pytest.raises(Conflict) as refused:
        await store.run(lambda tx: tx.add_job(item, new_job()))
    assert refused.value.name == "JobIdInUse"


async def test_the_key_of_a_deleted_job_is_never_given_to_another(store: AnyStore) -> None:
    (first,) = await store.run(lambda tx: add_jobs(tx, "first"))
    await store.run(lambda tx: tx.delete_job(locked(tx, "first")))
    (second,) = await store.run(lambda tx: add_jobs(tx, "second"))
    assert second.key > first.key


async def test_children_are_found_by_their_parent(store: AnyStore) -> None:
    def fill(tx: SqlTx) -> None:
        item = item_of(tx)
        for job_id, parent in (("c2", "p"), ("c1", "p"), ("p", None), ("q", "P")):
            tx.add_job(item, new_job(job_id, parent_job=parent))

    await store.run(fill)
    assert await store.run(lambda tx: tx.child_job_ids(item_of(tx), "p")) == ["c2", "c1"]


async def test_job_numbers_are_given_out_once_per_item(store: AnyStore) -> None:
    def draw(tx: SqlTx) -> list[int]:
        item = item_of(tx)
        return [tx.next_job_number(item, count) for count in (1, 3, 1)]

    assert await store.run(draw) == [1, 2, 5]
    assert await store.run(draw) == [6, 7, 10]
    other = await store.run(lambda tx: tx.add_item("second", "workflow", "Second"))
    assert await store.run(lambda tx: tx.next_job_number(other, 2)) == 1


async def test_jobs_are_counted_by_diagram_and_version(store: AnyStore) -> None:
    def fill(tx: SqlTx) -> tuple[int, ...]:
        item = item_of(tx)
        for number, version in enumerate((1, 1, 2)):
            tx.add_job(item, new_job(f"job-{number}", diagram_version=version))
        return (
            tx.jobs_on_diagram(item, "diagram"), tx.jobs_on_diagram(item, "diagram", 1),
            tx.jobs_on_diagram(item, "diagram", 3), tx.jobs_on_diagram(item, "other"),
        )  # fmt: skip

    assert await store.run(fill) == (3, 2, 0, 0)


async def test_text_is_also_stored_casefolded(store: AnyStore, database: Database) -> None:
    await store.run(lambda tx: tx.add_job(item_of(tx), new_job(name="STRASSE Straße")))
    assert database.query("SELECT name_folded, job_id_folded, notes_folded FROM job") == [
        ("strasse strasse", "job", None)
    ]


async def test_the_last_output_of_a_step_is_kept(store: AnyStore) -> None:
    def put_out(tx: SqlTx) -> JobRecord:
        (record,) = add_jobs(tx, "job")
        tx.set_step_output(record, "a", ["x", 1, 2.5, True, None])
        tx.set_step_output(record, "b", ["old"])
        tx.set_step_output(record, "b", [])
        return record

    record = await store.run(put_out)
    assert await store.read(lambda tx: tx.step_output(record, "a")) == ["x", 1, 2.5, True, None]
    assert await store.read(lambda tx: tx.step_output(record, "b")) == []
    assert await store.read(lambda tx: tx.step_output(record, "c")) == []


async def test_history_comments_and_properties_keep_their_order(store: AnyStore) -> None:
    entries = [HistoryEntry("B", "ann", 9, "a", "ok", 1, 2), HistoryEntry("A", "bob", 1)]
    comments = [Comment("2", "second", "ann", 9), Comment("1", "first", "bob", 1)]

    properties = [
        PropertyValue("t", "b", Value("2", integer=2**63 - 1)),
        PropertyValue("t", "a"),
        PropertyValue("s", "b", Value("3", number=0.1)),
    ]

    def write(tx: SqlTx) -> None:
        (record,) = add_jobs(tx, "job")
        tx.append_history(record, entries)
        tx.append_history(record, [])
        for comment in comments:
            tx.add_comment(record, comment)
        tx.set_properties(record, [PropertyValue("t", "b", Value("1")), PropertyValue("t", "a")])
        tx.set_properties(record, properties[:1] + properties[2:])

    await store.run(write)
    record = await saved(store)
    assert await store.read(lambda tx: tx.history(record)) == entries
    assert await store.read(lambda tx: tx.comments(record)) == comments
    assert await store.read(lambda tx: tx.properties(record)) == properties


async def test_related_rows_are_added_changed_and_deleted_each_by_its_id(store: AnyStore) -> None:
    day, note = PropertyValue("t", "day", Value("2025-03-01", integer=1)), PropertyValue("t", "note", Value("Straße"))
    rows = [RelatedRow("1", "t", (day, note), 10), RelatedRow("2", "t", (), 11), RelatedRow("3", "u", (day,), 12)]

    def write(tx: SqlTx) -> None:
        (record,) = add_jobs(tx, "job")
        for row in rows:
            tx.add_related_row(record, row)
        tx.change_related_row(record, RelatedRow("2", "t", (note,), 0))
        tx.change_related_row(record, RelatedRow("1", "t", (PropertyValue("t", "day"),), 0))
        tx.change_related_row(record, RelatedRow("nothing", "t", (note,), 0))
        tx.delete_related_row(record, "3")

    await store.run(write)
    record = await saved(store)
    assert await store.read(lambda tx: tx.related_rows(record)) == [
        RelatedRow("1", "t", (PropertyValue("t", "day"), note), 10),
        RelatedRow("2", "t", (note,), 11),
    ]
    with pytest.raises(Conflict):
        await store.run(lambda tx: tx.add_related_row(record, rows[0]))
    item = await store.read(item_of)
    kept = await store.read(lambda tx: tx.related_rows(record))
    job_id, tables = record.job.job_id, {row.table for row in kept}
    found = await store.read(lambda tx: tx.related_rows_of(item, [job_id, "none"], tables))
    assert found == {job_id: kept}
    assert await store.read(lambda tx: tx.related_rows_of(item, [job_id], ["another"])) == {}


async def test_holds_stay_on_record_with_their_first_release(store: AnyStore) -> None:
    manual, timed = Hold("h1", "a", "ann", 1), Hold("h2", "b", "bob", 2, 50, "other", "x")

    def write(tx: SqlTx) -> None:
        (record,) = add_jobs(tx, "job")
        tx.add_hold(record, manual)
        tx.add_hold(record, timed)
        tx.release_hold(record, "h2", "carol", 30)
        tx.release_hold(record, "h2", "dave", 40)

    await store.run(write)
    record = await saved(store)
    assert await store.read(lambda tx: tx.holds(record)) == [
        ReleasedHold(manual, None, None),
        ReleasedHold(timed, "carol", 30),
    ]


async def test_timers_follow_their_holds(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        (record,) = add_jobs(tx, "job")
        for hold_id, due in (("late", 300), ("soon", 100), ("never", None), ("next", 200)):
            tx.add_hold(record, Hold(hold_id, "a", "ann", 1, due))
        tx.release_hold(record, "soon", "ann", 2)

    await store.run(write)
    due = await store.run(lambda tx: tx.claim_timers("me", 300))
    assert [(timer.item_id, timer.job_id, timer.hold_id, timer.due_ms) for timer in due] == [
        ("item", "job", "next", 200),
        ("item", "job", "late", 300),
    ]
    assert [timer.hold_id for timer in await store.run(lambda tx: tx.claim_timers("me", 300, limit=1))] == ["next"]
    assert await store.run(lambda tx: tx.claim_timers("me", 199)) == []
    assert await store.read(lambda tx: tx.next_timer_ms("me")) == 200
    await store.run(lambda tx: tx.delete_job(locked(tx)))
    assert await store.read(lambda tx: tx.next_timer_ms("me")) is None


async def test_a_timer_is_claimed_by_one_node_as_long_as_that_has_its_lease(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        (record,) = add_jobs(tx, "job")
        for hold_id, due in (("first", 100), ("second", 200)):
            tx.add_hold(record, Hold(hold_id, "a", "ann", 1, due))
        tx.start_node("one", 1_000)
        tx.start_node("two", 1_000)

    async def claims(node_id: str, now_ms: int) -> list[str]:
        return [timer.hold_id for timer in await store.run(lambda tx: tx.claim_timers(node_id, now_ms))]

    await store.run(write)
    assert await claims("one", 150) == ["first"]
    assert await claims("two", 250) == ["second"]
    assert await claims("one", 250) == ["first"], "its own once more, and nobody else's"
    assert await store.read(lambda tx: tx.next_timer_ms("one")) == 100
    assert await store.read(lambda tx: tx.next_timer_ms("two")) == 200
    assert await store.read(lambda tx: tx.next_timer_ms("three")) is None
    await store.run(lambda tx: tx.end_node("one"))
    assert await store.read(lambda tx: tx.next_timer_ms("two")) == 100
    assert await claims("two", 250) == ["first", "second"]


def _depend(tx: SqlTx, record: JobRecord, *targets: str, step_id: str | None = None) -> None:
    for target in targets:
        hold = Hold(f"{record.job.job_id}->{target}", "a", "ann", 1, dependent_job_id=target, dependent_step_id=step_id)
        tx.add_hold(record, hold)


async def test_dependents_are_the_unreleased_holds_of_other_jobs(store: AnyStore) -> None:
    def write(tx: SqlTx) -> list[Dependent]:
        a, b, c, d = add_jobs(tx, "a", "b", "c", "d")
        _depend(tx, a, "d")
        _depend(tx, b, "d", step_id="x")
        _depend(tx, c, "d")
        _depend(tx, d, "d")
        tx.release_hold(c, "c->d", "ann", 2)
        elsewhere = tx.add_item("second", "workflow", "Second")
        _depend(tx, tx.add_job(elsewhere, new_job("a")), "d")
        return tx.dependents(item_of(tx), "d")

    assert await store.run(write) == [Dependent("item", "a", "a->d"), Dependent("item", "b", "b->d")]


async def test_dependency_edges_are_followed_as_far_as_they_go(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        a, b, c, d, e = add_jobs(tx, "a", "b", "c", "d", "e")
        _depend(tx, a, "b", "missing")
        _depend(tx, b, "c")
        _depend(tx, c, "a")
        _depend(tx, d, "a")
        _depend(tx, e, "b")
        tx.release_hold(e, "e->b", "ann", 2)
        elsewhere = tx.add_item("second", "workflow", "Second")
        _depend(tx, tx.add_job(elsewhere, new_job("b")), "z")

    await store.run(write)
    item = await store.run(item_of)
    circle = [("a", "b"), ("a", "missing"), ("b", "c"), ("c", "a")]
    assert await store.read(lambda tx: tx.dependency_edges(item, ["a"])) == circle
    assert await store.read(lambda tx: tx.dependency_edges(item, ["d", "e"])) == [*circle, ("d", "a")]
    assert await store.read(lambda tx: tx.dependency_edges(item, ["e", "nobody"])) == []
