"""Several nodes on one PostgreSQL: who executes, applies, stops and takes over, and that each thing happens once.

A lease of a minute means: nothing here waits for a renewal. Nodes without a common exchange cannot hear each other:
there the renewal finds what the post would have brought.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

from app.bus.memory import Exchange
from app.domain.commands import RefreshStatus, Run, SetHold, Stop
from app.domain.job import Answer, Hold, ReturnValue
from app.services import jobs as use_cases
from app.services import runs
from app.services.answers import AnswerReceipt
from app.services.engine import Unit, new_id
from app.services.ports import JobRecord, RunRecord, StepContext, StepExecutor, Timer, Tx
from app.steps.leases import NodeLease
from app.steps.timers import Timers
from tests.conftest import Settings
from tests.steps.executors import Scripted, at_once
from tests.support import deadline, eventually
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

LONG_S = 60.0
SHORT_S = 0.8
SEED = 20261125
QUESTION = {"question": "Which?", "questionResponses": {"Yes": {"value": 1}, "No": {"value": 0}}}
ASKING = [step("ask", "Question", "end", args=QUESTION, automatic=True), step("end")]
SERVING = [step("serve", "WebRequest", "end"), step("end")]


@pytest.fixture
def settings(postgres_url: str) -> Settings:
    return {"database_url": postgres_url}


@asynccontextmanager
async def two_nodes(
    settings: Settings, executors: Sequence[StepExecutor] = (), *, lease_s: float = LONG_S, deaf: bool = False
) -> AsyncIterator[tuple[World, World]]:
    """Two nodes; the second one executes what ``executors`` can do. ``deaf``: they do not hear each other."""
    exchange = Exchange()
    async with open_world(settings, [Scripted()], lease_s=lease_s, exchange=exchange) as one:
        other = Exchange() if deaf else exchange
        async with open_world(settings, executors, lease_s=lease_s, exchange=other) as two:
            yield one, two


async def asked(world: World) -> str:
    """A job whose question is open, on this node."""
    return await world.create(await world.template(ASKING))


async def run_of(world: World, job_id: str, step_id: str) -> RunRecord:
    run_id = (await world.job(job_id)).flow.current(step_id).last_run.run_id
    run = await world.store.read(lambda tx: tx.run(run_id))
    assert run is not None
    return run


async def answer(world: World, job_id: str) -> AnswerReceipt:
    receipt = await world.answer(job_id, "ask", Answer(question_response=1))
    assert receipt.stage == "stored"
    return receipt


async def until_applied(receipt: AnswerReceipt, *worlds: World, seconds: float = 1) -> None:
    """Wait until one of these nodes has applied the answer."""

    def is_applied() -> bool:
        verdicts = [verdict for world in worlds for verdict in world.ear.verdicts]
        return (receipt.answer_id, "applied") in [(verdict.answer_id, verdict.stage) for verdict in verdicts]

    await eventually(is_applied, expected_s=seconds)


async def until_stopped(job_id: str, *worlds: World) -> None:
    """Wait until one of these nodes has stopped the step."""
    await eventually(lambda: any("StepStopped" in world.ear.types(job_id) for world in worlds))


async def test_an_answer_given_to_another_node_is_applied_by_the_node_that_runs_the_step(settings: Settings) -> None:
    async with two_nodes(settings) as (one, two):
        job_id = await asked(one)
        await until_applied(await answer(two, job_id), one)
        assert two.ear.verdicts == []
        assert one.ear.types(job_id).count("StepFinished") == 1


async def test_an_answer_that_the_bus_has_lost_is_applied_at_the_owners_next_renewal(settings: Settings) -> None:
    """By whichever node it is: a pause of the machine longer than this lease makes the other one the owner."""
    async with two_nodes(settings, lease_s=SHORT_S, deaf=True) as (one, two):
        job_id = await asked(one)
        await until_applied(await answer(two, job_id), one, two)
        assert [message.msg_type for message in await one.feed(job_id)].count("StepFinished") == 1


async def test_a_status_asked_of_another_node_wakes_the_executor_at_once(settings: Settings) -> None:
    async def until_asked(context: StepContext) -> ReturnValue:
        await context.asked.refresh(3600)
        return 7

    executor = Scripted(until_asked)
    async with two_nodes(settings, [executor]) as (one, two):
        job_id = await two.create(await two.template(SERVING))
        await two.act(job_id, Run())
        await executor.began()
        assert (await one.act(job_id, RefreshStatus())).success
        await two.ear.until(lambda: "StepFinished" in two.ear.types(job_id))


async def test_a_stop_asked_of_another_node_reaches_the_executor_at_once(settings: Settings) -> None:
    executor = Scripted()
    async with two_nodes(settings, [executor]) as (one, two):
        job_id = await two.create(await two.template(SERVING))
        await two.act(job_id, Run())
        await executor.began()
        await one.act(job_id, Stop())
        await until_stopped(job_id, two)
        assert "StepStopped" not in one.ear.types(job_id)


async def test_a_stop_that_the_bus_has_lost_reaches_the_executor_at_the_next_renewal(settings: Settings) -> None:
    executor = Scripted()
    async with two_nodes(settings, [executor], lease_s=SHORT_S, deaf=True) as (one, two):
        job_id = await two.create(await two.template(SERVING))
        await two.act(job_id, Run())
        await executor.began()
        await one.act(job_id, Stop())
        await until_stopped(job_id, one, two)


async def test_a_node_that_closes_hands_its_runs_and_answers_over_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = Scripted(at_once)
    async with two_nodes(settings, [executor]) as (one, two):
        served, question = await one.create(await one.template(SERVING)), await asked(one)
        await one.act(served, Run())
        monkeypatch.setattr(one.runner, "answered", lambda _: None)
        receipt = await answer(one, question)
        await one.runner.close()
        await two.ear.until(lambda: "StepFinished" in two.ear.types(served))
        await until_applied(receipt, two)
        assert [context.adopted for context in executor.contexts] == [True]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_given_around_the_death_of_the_owner_is_applied_once_by_the_other_node(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    async with two_nodes(settings, lease_s=SHORT_S) as (one, two):
        job_id = await asked(one)
        monkeypatch.setattr(one.runner, "answered", lambda _: None)
        monkeypatch.setattr(one.runner, "_take_up", lambda _: None)
        if when == "before":
            receipt = await answer(two, job_id)
            await one.crash()
        else:
            await one.crash()
            receipt = await answer(two, job_id)
        await until_applied(receipt, two, seconds=2 * SHORT_S)
        feed = [message.msg_type for message in await two.feed(job_id)]
        assert feed.count("StepFinished") == 1
        assert one.ear.verdicts == []


async def test_two_nodes_that_take_over_at_once_take_each_run_once(settings: Settings) -> None:
    count = 150
    async with open_world(settings, lease_s=LONG_S) as world:
        await _create_many(world, await world.template(ASKING), count)
        names = [new_id() for _ in range(4)]
        for name in names:
            await world.store.run(partial(_start_node, name=name))
        await world.store.run(lambda tx: tx.start_node(world.runner.node_id, tx.now_ms() - 1))
        taken: list[RunRecord] = []

        async def adopter(name: str) -> None:
            while len(taken) < count:
                taken.extend(await world.store.run(lambda tx: tx.adopt_runs(name, tx.now_ms(), 7)))

        async with asyncio.timeout(deadline(2)):
            await asyncio.gather(*map(adopter, names))
        assert len({run.run_id for run in taken}) == len(taken) == count
        assert {run.fence for run in taken} == {2}


def _start_node(tx: Tx, name: str) -> None:
    tx.start_node(name, tx.now_ms() + 600_000)


async def test_a_run_is_not_taken_over_while_its_owner_writes_about_it(settings: Settings) -> None:
    """The race: the fencing number is looked at, the run is taken over, and only then what was noted is committed. The
    heir would not know that an e-mail is being sent."""
    loop = asyncio.get_running_loop()
    async with open_world(settings, [Scripted()], lease_s=LONG_S) as world:
        job_id = await world.create(await world.template(SERVING))
        await world.act(job_id, Run())
        run = await run_of(world, job_id, "serve")
        await world.store.run(partial(_start_node, name="heir"))
        await world.store.run(lambda tx: tx.end_node(world.runner.node_id))

        def adopt(tx: Tx) -> list[RunRecord]:
            return tx.adopt_runs("heir", tx.now_ms())

        def note(unit: Unit) -> list[RunRecord]:
            assert runs.note(unit, run, "I am about to send it")
            return asyncio.run_coroutine_threadsafe(world.store.run(adopt), loop).result(deadline(1))

        assert await world.execute(note, None) == []
        (adopted,) = await world.store.run(adopt)
        assert (adopted.fence, adopted.note) == (run.fence + 1, "I am about to send it")
        assert await world.execute(lambda unit: runs.note(unit, run, "again"), None) is False


async def test_a_node_that_was_late_itself_takes_nothing_at_first(settings: Settings) -> None:
    """The race: the database is away longer than a lease; the first node to be back would take the runs of all."""
    looks: list[list[RunRecord]] = [[]]
    async with open_world(settings, lease_s=LONG_S) as world:
        job_id = await asked(world)
        owner = world.runner.node_id

        async def looked() -> None:
            looks.append([])

        def adopted(runs: Sequence[RunRecord]) -> None:
            looks[-1].extend(runs)

        lease = NodeLease(
            world.store, lease_s=SHORT_S, renew_s=SHORT_S / 4,
            on_named=lambda _: None, on_adopted=adopted, on_renewed=looked, on_lost=lambda: None,
        )  # fmt: skip
        await lease.open()
        world.cable.unplug()
        await world.cable.refused()
        away_s = asyncio.get_running_loop().time()
        await eventually(lambda: asyncio.get_running_loop().time() > away_s + SHORT_S)
        looks[:] = [[]]
        world.cable.plug()
        await world.store.run(lambda tx: tx.start_node(owner, tx.now_ms() - 1))
        await eventually(lambda: any(looks))
        await lease.close()
    taken = next(found for found in looks if found)
    assert [run.job_id for run in taken] == [job_id]
    assert looks[0] == [], "the first look after the outage took nothing"


# ---------------------------------------------------------------- timers


async def put_timers(world: World, count: int) -> JobRecord:
    """Holds whose time has come, on one job."""
    record = await world.record(await world.create(await world.template([step("wait")])))
    assert record is not None

    def put(tx: Tx) -> None:
        for number in range(count):
            due_ms = tx.now_ms() - number
            tx.add_hold(record, Hold(f"hold {number}", "wait", "ana", due_ms, scheduled_release_ms=due_ms))

    await world.store.run(put)
    return record


async def test_each_timer_is_done_by_one_of_several_nodes(settings: Settings) -> None:
    count = 60
    fired: list[str] = []
    async with open_world(settings, lease_s=LONG_S) as world:
        await world.runner.close()
        record = await put_timers(world, count)

        async def on_due(timer: Timer) -> None:
            fired.append(timer.hold_id)
            await world.store.run(lambda tx: tx.release_hold(record, timer.hold_id, "system", 1))

        nodes = []
        for name in ("one", "two", "three"):
            await world.store.run(partial(_start_node, name=name))
            nodes.append(Timers(world.store, partial(str, name), on_due))
        for node in nodes:
            node.open()
        await eventually(lambda: len(set(fired)) == count, expected_s=2)
        for node in nodes:
            await node.close()
    assert sorted(fired) == sorted(set(fired))


async def test_a_timer_that_a_dead_node_had_claimed_fires_when_that_nodes_lease_is_over(settings: Settings) -> None:
    async with open_world(settings, lease_s=SHORT_S) as world:
        job_id = await world.create(await world.template([step("wait")]))

        def hold_and_claim(unit: Unit) -> int:
            due_ms = unit.now_ms + 50
            use_cases.act(unit, job_id, SetHold(("wait",), scheduled_release_ms=due_ms))
            unit.tx.start_node("dead", due_ms + 1_000)
            assert len(unit.tx.claim_timers("dead", due_ms)) == 1
            return due_ms + 1_000

        lease_until_ms = await world.execute(hold_and_claim)
        await world.ear.until(lambda: "StepHoldReleased" in world.ear.types(job_id), seconds=2)
        released = next(message for message in world.ear.messages if message.msg_type == "StepHoldReleased")
        assert released.created_ms >= lease_until_ms


# ---------------------------------------------------------------- two people


async def test_of_two_people_who_answer_through_different_nodes_at_once_one_is_applied(settings: Settings) -> None:
    """Half of the questions run on each node; the two answers come within two milliseconds of each other."""
    rounds = 150
    rng = random.Random(SEED)
    async with two_nodes(settings) as (one, two):
        group = await one.add_user("ana")
        await one.join("admin", group)
        template = await one.template(ASKING, defaultAssignedType="Group", defaultAssignedTo=group)
        jobs = [job_id for world in (one, two) for job_id in (await _create_many(world, template, rounds))]
        rng.shuffle(jobs)
        ready = asyncio.Semaphore(8)

        async def compete(job_id: str, pauses_s: tuple[float, float]) -> None:
            async with ready:
                receipts = await asyncio.gather(
                    _answer_after(one, job_id, "admin", pauses_s[0]), _answer_after(two, job_id, "ana", pauses_s[1])
                )
            assert sorted(receipt.stage for receipt in receipts) == ["rejected", "stored"]
            late = next(receipt for receipt in receipts if receipt.stage == "rejected")
            assert late.reason == "already_answered"

        await asyncio.gather(*(compete(job_id, (rng.random() / 500, rng.random() / 500)) for job_id in jobs))
        await eventually(lambda: len(one.ear.verdicts + two.ear.verdicts) == len(jobs), expected_s=3)
        verdicts = one.ear.verdicts + two.ear.verdicts
        assert sorted(verdict.job_id for verdict in verdicts) == sorted(jobs)
        assert {verdict.stage for verdict in verdicts} == {"applied"}
        for world in (one, two):
            finished = [message.job_id for message in world.ear.messages if message.msg_type == "StepFinished"]
            assert len(finished) == rounds


async def _create_many(world: World, template: str, count: int) -> list[str]:
    overrides = use_cases.JobOverrides(number_of_jobs=count)
    made = await world.execute(lambda unit: use_cases.create(unit, template, overrides))
    return list(made.job_ids)


async def _answer_after(world: World, job_id: str, username: str, pause_s: float) -> AnswerReceipt:
    await asyncio.sleep(pause_s)
    return await world.answer(job_id, "ask", Answer(question_response=1), username)
