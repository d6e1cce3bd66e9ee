"""What becomes of the runs of a node that is gone, or was away too long: taken over, each as its executor says."""

import asyncio

import pytest

from app.domain.commands import CompleteRun, Run, Stop
from app.domain.job import Answer, ReturnValue, StepState
from app.services import answers, jobs, runs
from app.services.engine import Unit
from app.services.ports import Adoption, RunRecord, StepContext, Tx
from tests.conftest import Settings
from tests.steps.executors import Gate, Scripted, at_once
from tests.support import eventually
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

LEASE_S = 0.6
QUESTION = {"question": "Which?", "questionResponses": {"Yes": {"value": 1}, "No": {"value": 0}}}


async def service_job(world: World, **members: object) -> str:
    return await world.create(await world.template([step("serve", "WebRequest", "end", **members), step("end")]))


async def run_row(world: World, run_id: str) -> RunRecord | None:
    return await world.store.read(lambda tx: tx.run(run_id))


async def running_elsewhere(settings: Settings, executor: Scripted, **members: object) -> tuple[str, RunRecord]:
    """A job whose first step was being executed by a process that was killed."""
    async with open_world(settings, [executor], lease_s=LEASE_S) as world:
        job_id = await service_job(world, **members)
        await world.act(job_id, Run())
        context = await executor.began()
        await world.crash()
        return job_id, context.run


@pytest.mark.parametrize("adoption", [Adoption.RESUME, Adoption.AGAIN, Adoption.ATOMIC])
async def test_a_run_of_a_dead_process_is_executed_again(backend_settings: Settings, adoption: Adoption) -> None:
    job_id, lost = await running_elsewhere(backend_settings, Scripted(adoption=adoption))
    executor = Scripted(at_once, adoption=adoption)
    async with open_world(backend_settings, [executor], lease_s=LEASE_S) as world:
        await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
        assert world.ear.types(job_id) == ["StepFinished"]
        (context,) = executor.contexts
        assert context.adopted
        assert context.run.run_id == lost.run_id
        assert (context.run.fence, context.run.node_id) == (lost.fence + 1, world.runner.node_id)


async def test_what_may_be_done_only_once_is_not_done_again_but_told(backend_settings: Settings) -> None:
    """Its executor has noted that it will do it, and may have done it."""
    job_id, _ = await running_elsewhere(backend_settings, Scripted(adoption=Adoption.ONCE, note="now"))
    executor = Scripted(at_once, adoption=Adoption.ONCE)
    async with open_world(backend_settings, [executor], lease_s=LEASE_S) as world:
        await world.ear.until(lambda: "StepError" in world.ear.types(job_id))
        assert executor.contexts == []
        assert world.ear.bodies(job_id, "StepError")[0]["msgCode"] == "OUTCOME_UNKNOWN"
        assert (await world.act(job_id, Run())).success
        await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))


async def test_what_may_be_done_only_once_is_done_by_the_next_process_if_it_was_not_begun(
    backend_settings: Settings,
) -> None:
    job_id, _ = await running_elsewhere(backend_settings, Scripted(adoption=Adoption.ONCE))
    executor = Scripted(at_once, adoption=Adoption.ONCE)
    async with open_world(backend_settings, [executor], lease_s=LEASE_S) as world:
        await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
        assert len(executor.contexts) == 1


async def test_a_note_comes_with_the_run_to_whoever_takes_it_over(backend_settings: Settings) -> None:
    job_id, _ = await running_elsewhere(backend_settings, Scripted(adoption=Adoption.RESUME, note="service job 7"))
    executor = Scripted(at_once, adoption=Adoption.RESUME)
    async with open_world(backend_settings, [executor], lease_s=LEASE_S) as world:
        await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
        assert executor.contexts[0].run.note == "service job 7"


async def test_a_run_that_was_being_stopped_when_its_process_died_ends_as_stopped(backend_settings: Settings) -> None:
    async def stubborn(_: StepContext) -> ReturnValue:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.Event().wait()
        return None

    executor = Scripted(stubborn)
    async with open_world(backend_settings, [executor], lease_s=LEASE_S, close_s=0) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await executor.began()
        await world.act(job_id, Stop())
        await world.crash()
    again = Scripted(at_once)
    async with open_world(backend_settings, [again], lease_s=LEASE_S) as world:
        await world.ear.until(lambda: "StepStopped" in world.ear.types(job_id))
        assert again.contexts == []
        assert (await world.job(job_id)).flow.current("serve").state is StepState.CANCELLED
    for task in asyncio.all_tasks():
        if task.get_name().startswith("executor of run"):
            task.cancel()


async def test_an_open_question_is_open_after_a_crash_and_its_answer_works(backend_settings: Settings) -> None:
    async with open_world(backend_settings, lease_s=LEASE_S) as world:
        template = await world.template([step("ask", "Question", "end", args=QUESTION), step("end")])
        job_id = await world.create(template)
        await world.act(job_id, Run())
        asked = (await world.job(job_id)).flow.current("ask")
        await world.crash()
    async with open_world(backend_settings, lease_s=LEASE_S) as world:
        assert (await world.job(job_id)).flow.current("ask") == asked
        receipt = await world.answer(job_id, "ask", Answer(question_response=1))
        assert (receipt.stage, receipt.prompt_id) == ("stored", asked.last_run.prompt_id)
        await world.ear.until(lambda: world.ear.verdicts)
        assert world.ear.verdicts[0].stage == "applied"
        assert world.ear.types(job_id) == ["StepProgress", "StepFinished"]


async def test_an_answer_that_was_acknowledged_before_a_crash_is_applied_after_it(
    backend_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world(backend_settings, lease_s=LEASE_S) as world:
        template = await world.template([step("ask", "Question", "end", args=QUESTION), step("end")])
        job_id = await world.create(template)
        await world.act(job_id, Run())
        monkeypatch.setattr(world.runner, "answered", lambda _: None)
        receipt = await world.answer(job_id, "ask", Answer(question_response=1))
        assert receipt.stage == "stored"
        await world.crash()
    async with open_world(backend_settings, lease_s=LEASE_S) as world:
        await world.ear.until(lambda: world.ear.verdicts)
        assert [(verdict.answer_id, verdict.stage) for verdict in world.ear.verdicts] == [
            (receipt.answer_id, "applied")
        ]
        assert (await world.job(job_id)).flow.step("end") is not None


async def test_an_answer_to_a_run_of_another_node_is_left_to_it(backend_settings: Settings) -> None:
    """Through any node an answer may come in; only the run's owner applies it (which a renewal would do, too)."""
    async with open_world(backend_settings, lease_s=60) as world:
        template = await world.template([step("ask", "Question", "end", args=QUESTION), step("end")])
        job_id = await world.create(template)
        await world.act(job_id, Run())
        run_id = (await world.job(job_id)).flow.current("ask").last_run.run_id

        def store_as_another_node(unit: Unit) -> answers.AnswerReceipt:
            receipt = answers.store(unit, job_id=job_id, step_id="ask", answer=Answer(question_response=1))
            unit.effects.answers.clear()
            return receipt

        def apply_as_another_node(unit: Unit) -> object:
            unit.node_id = "somebody else"
            return answers.apply(unit, answer_id)

        receipt = await world.execute(store_as_another_node)
        answer_id = receipt.answer_id or 0
        feed = await world.feed(job_id)
        assert await world.execute(apply_as_another_node) is None
        wrong_fence = await world.execute(lambda unit: answers.apply(unit, answer_id, fence=99))
        assert wrong_fence is None
        assert await world.feed(job_id) == feed
        run = await run_row(world, run_id)
        assert run is not None
        applied = await world.execute(lambda unit: answers.apply(unit, answer_id, fence=run.fence), None)
        assert applied is not None
        assert applied.stage == "applied"
        assert await world.execute(lambda unit: answers.apply(unit, answer_id), None) is None


async def test_a_node_that_was_away_too_long_is_refused_its_late_result(backend_settings: Settings) -> None:
    """Both nodes execute the run for a while; the fencing number tells whose result counts."""
    gate, executor = Gate(), Scripted()
    async with open_world(backend_settings, [Scripted(gate)], lease_s=LEASE_S) as old:
        job_id = await service_job(old)
        await old.act(job_id, Run())
        run_id = (await old.job(job_id)).flow.current("serve").last_run.run_id
        stale = await run_row(old, run_id)
        assert stale is not None
        old.cable.unplug()
        async with open_world(backend_settings, [executor], lease_s=LEASE_S) as new:
            fresh = (await executor.began()).run
            assert fresh.fence == stale.fence + 1
            late = CompleteRun("serve", run_id, 1)
            feed = await new.feed(job_id)
            assert await new.execute(lambda unit: runs.report(unit, stale, late), None) is False
            assert await new.feed(job_id) == feed
            gate.result.set_result(1)
            name = old.runner.node_id
            old.cable.plug()
            if old.store.is_shared:
                await eventually(lambda: old.runner.node_id != name)
            assert (await new.job(job_id)).flow.current("serve").state is StepState.EXECUTING
            assert old.ear.types(job_id) == ["StepStarted"]
            assert await new.execute(lambda unit: runs.report(unit, fresh, late), None) is True


async def test_a_node_that_has_lost_its_lease_starts_anew_and_gives_up_what_it_was_doing(
    backend_settings: Settings,
) -> None:
    """Nobody took the run, so the node itself takes it over, under a new name and the next fencing number."""
    first, second = asyncio.Event(), asyncio.Event()

    async def work(context: StepContext) -> ReturnValue:
        if not context.adopted:
            first.set()
            try:
                await asyncio.Event().wait()
            finally:
                await second.wait()  # still tidying up while the same run has begun again under the new name
        second.set()
        return 1

    async with open_world(backend_settings, [Scripted(work)], lease_s=LEASE_S) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await first.wait()
        name = world.runner.node_id
        await world.store.run(lambda tx: tx.end_node(name))
        await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
        assert second.is_set()
        assert world.runner.node_id != name
        assert world.ear.types(job_id) == ["StepStarted", "StepFinished"]


async def test_a_node_that_closes_leaves_its_runs_to_others_at_once(backend_settings: Settings) -> None:
    executor, again = Scripted(), Scripted(at_once)
    async with open_world(backend_settings, [executor], lease_s=60) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await executor.began()
    async with open_world(backend_settings, [again], lease_s=60) as world:
        await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))


async def test_a_stop_through_another_node_reaches_the_executor(backend_settings: Settings) -> None:
    """The other node cannot tell this one; this one looks at each renewal."""
    executor = Scripted()
    async with open_world(backend_settings, [executor], lease_s=LEASE_S) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await executor.began()

        def stop_as_another_node(unit: Unit) -> None:
            jobs.act(unit, job_id, Stop())
            unit.effects.stopping.clear()

        await world.execute(stop_as_another_node)
        await world.ear.until(lambda: "StepStopped" in world.ear.types(job_id))


async def test_more_runs_than_fit_into_one_piece_are_all_taken_over(backend_settings: Settings) -> None:
    count = 105
    executor = Scripted()
    async with open_world(backend_settings, [executor], lease_s=LEASE_S) as world:
        template = await world.template([step("serve", "WebRequest", automatic=True)])
        await world.create(template, number_of_jobs=count)
        await executor.began()
        await world.crash()
    again = Scripted(at_once)
    async with open_world(backend_settings, [again], lease_s=LEASE_S) as world:
        await world.ear.until(lambda: len(again.contexts) == count, seconds=3)
        assert len({context.run.run_id for context in again.contexts}) == count


async def test_a_run_that_comes_back_under_a_newer_fence_is_begun_again_and_the_older_one_given_up(
    backend_settings: Settings,
) -> None:
    """The race: a run is begun under a name whose lease is being lost, and is then taken over under the new one."""
    executor = Scripted()
    async with open_world(backend_settings, [executor], lease_s=60) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        first = (await executor.began()).run
        name = world.runner.node_id

        def pass_around(tx: Tx) -> list[RunRecord]:
            tx.forget_nodes()
            tx.adopt_runs("somebody else", tx.now_ms())
            return tx.adopt_runs(name, tx.now_ms())

        adopted = await world.store.run(pass_around)
        assert [run.fence for run in adopted] == [first.fence + 2]
        world.runner._adopted(adopted)
        world.runner._adopted(adopted)
        await eventually(lambda: len(executor.contexts) == 2)
        assert (executor.contexts[1].adopted, executor.contexts[1].run) == (True, adopted[0])
        await world.act(job_id, Stop())
        await world.ear.until(lambda: "StepStopped" in world.ear.types(job_id))
        assert len(executor.contexts) == 2
