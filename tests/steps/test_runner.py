"""Service steps from Run to their outcome, whatever the executor, the user, the database or the server does."""

import asyncio
import time
from pathlib import Path

import pytest

from app.domain.commands import CompleteRun, Finish, Run, Stop
from app.domain.job import Answer, ReturnValue, StepState
from app.errors import StepFailed, StepTimedOut
from app.services import runs
from app.services.first_start import ITEM_ID
from app.services.ports import PendingAnswer, RunRecord, StepContext
from app.steps.progress import Progress
from app.steps.tasks import Tasks
from tests.conftest import Settings
from tests.steps.executors import Gate, Scripted, at_once
from tests.support import deadline
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """SQLite: what the runner does is the same on both databases."""
    return {"data_dir": tmp_path / "data"}


async def service_job(world: World, kind: str = "WebRequest", **members: object) -> str:
    """A job whose first step is done by the server."""
    return await world.create(await world.template([step("serve", kind, "end", **members), step("end")]))


async def until_told(world: World, job_id: str, msg_type: str) -> list[str]:
    await world.ear.until(lambda: msg_type in world.ear.types(job_id))
    return world.ear.types(job_id)


async def run_row(world: World, run_id: str) -> RunRecord | None:
    return await world.store.read(lambda tx: tx.run(run_id))


# ---------------------------------------------------------------- outcomes


async def test_a_service_step_that_is_done_moves_the_job_on_with_its_return_value(settings: Settings) -> None:
    executor = Scripted(at_once)
    async with open_world(settings, [executor]) as world:
        paths = [
            {"nextStep": "seven", "evaluate": True, "expression": "$retVal == 7", "assignedType": "Unassigned"},
            {"nextStep": "other", "evaluate": True, "expression": "$retVal != 7", "assignedType": "Unassigned"},
        ]
        steps = [step("serve", "WebRequest", paths=paths), step("seven"), step("other")]
        job_id = await world.create(await world.template(steps))
        await world.act(job_id, Run())
        assert await until_told(world, job_id, "StepFinished") == ["StepStarted", "StepFinished"]
        assert [current.step_id for current in (await world.job(job_id)).flow.steps] == ["seven"]
        context = executor.contexts[0]
        assert (context.step.step_id, context.job.job_id, context.adopted) == ("serve", job_id, False)
        assert await run_row(world, context.run.run_id) is None


async def test_a_step_that_does_not_proceed_by_itself_stays_until_finish(settings: Settings) -> None:
    async with open_world(settings, [Scripted(at_once)]) as world:
        job_id = await service_job(world, proceedNext=False)
        await world.act(job_id, Run())
        assert await until_told(world, job_id, "StepStopped") == ["StepStarted", "StepStopped"]
        assert world.ear.bodies(job_id, "StepStopped")[0]["msgCode"] == "COMPLETED"
        current = (await world.job(job_id)).flow.current("serve")
        assert (current.state, current.return_value) == (StepState.DONE, 7)
        assert (await world.act(job_id, Finish())).success
        assert (await world.job(job_id)).flow.step("end") is not None


@pytest.mark.parametrize("error", [StepFailed("The site is closed.", name="SITE_CLOSED"), StepTimedOut("Too slow.")])
async def test_a_step_that_fails_says_why_and_can_be_run_again(
    settings: Settings, error: StepFailed | StepTimedOut
) -> None:
    results: list[Exception | int] = [error, 1]

    async def work(_: StepContext) -> ReturnValue:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    async with open_world(settings, [Scripted(work)]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await until_told(world, job_id, "StepError")
        expected = {"jobId": job_id, "stepId": "serve", "msg": str(error), "msgCode": error.name}
        assert world.ear.bodies(job_id, "StepError") == [expected]
        lines = [(line.action, line.result) for line in await world.history(job_id)]
        assert lines[-1] == ("Error", str(error))
        assert (await world.act(job_id, Run())).success
        await until_told(world, job_id, "StepFinished")


async def test_an_executor_that_breaks_is_a_failed_step_and_its_secrets_stay_in_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(_: StepContext) -> ReturnValue:
        raise ZeroDivisionError("password=hunter2")

    async with open_world(settings, [Scripted(work)]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await until_told(world, job_id, "StepError")
        body = world.ear.bodies(job_id, "StepError")[0]
        assert body["msgCode"] == "STEP_FAILED"
        assert "hunter2" not in str(world.ear.messages)
        assert "hunter2" in caplog.text


async def test_an_executor_that_cancels_itself_is_a_failed_step(settings: Settings) -> None:
    async def work(_: StepContext) -> ReturnValue:
        raise asyncio.CancelledError

    async with open_world(settings, [Scripted(work)]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await until_told(world, job_id, "StepError")


async def test_a_return_value_that_cannot_be_kept_is_a_failed_step(settings: Settings) -> None:
    async def work(_: StepContext) -> ReturnValue:
        value: ReturnValue = object()  # type: ignore[assignment]
        return value

    async with open_world(settings, [Scripted(work)]) as world:
        job_id = await service_job(world, proceedNext=False)
        await world.act(job_id, Run())
        await until_told(world, job_id, "StepError")
        assert world.ear.bodies(job_id, "StepError")[0]["msgCode"] == "STEP_FAILED"


async def test_a_kind_that_nobody_executes_fails_and_the_job_can_still_go_on(settings: Settings) -> None:
    async with open_world(settings) as world:
        job_id = await service_job(world, canSkip=True)
        await world.act(job_id, Run())
        await until_told(world, job_id, "StepError")
        body = world.ear.bodies(job_id, "StepError")[0]
        assert (body["msgCode"], "WebRequest" in body["msg"]) == ("NO_EXECUTOR", True)
        assert (await world.act(job_id, Finish())).success
        assert (await world.job(job_id)).flow.step("end") is not None


async def test_a_failure_follows_the_path_that_asks_for_it(settings: Settings) -> None:
    async def work(_: StepContext) -> ReturnValue:
        raise StepFailed("No.")

    async with open_world(settings, [Scripted(work)]) as world:
        paths = [
            {"nextStep": "good", "evaluate": True, "expression": "$retVal == $stepSuccess"},
            {"nextStep": "bad", "evaluate": True, "expression": "$retVal != $stepSuccess"},
        ]
        steps = [step("serve", "WebRequest", paths=paths), step("good"), step("bad")]
        job_id = await world.create(await world.template(steps))
        await world.act(job_id, Run())
        types = await until_told(world, job_id, "StepFinished")
        assert types == ["StepStarted", "StepError", "StepFinished"]
        assert [current.step_id for current in (await world.job(job_id)).flow.steps] == ["bad"]


async def test_an_automatic_service_step_is_executed_when_the_job_reaches_it(settings: Settings) -> None:
    async with open_world(settings, [Scripted(at_once)]) as world:
        steps = [step("first", "Manual", "serve", canSkip=True), step("serve", "WebRequest", "end", automatic=True)]
        job_id = await world.create(await world.template([*steps, step("end")]))
        await world.act(job_id, Finish())
        await world.ear.until(lambda: world.ear.types(job_id).count("StepFinished") == 2)
        assert world.ear.types(job_id) == ["StepFinished", "StepStarted", "StepFinished"]


# ---------------------------------------------------------------- stop


@pytest.mark.parametrize(
    ("kind", "told", "state", "line"),
    [
        ("WebRequest", "StepStopped", StepState.CANCELLED, "Cancelled"),
        ("Email", "StepStopped", StepState.CANCELLED, "Cancelled"),
        ("CreateJob", "StepStopped", StepState.CANCELLED, "Cancelled"),
        ("ExecuteGP", "StepCancelled", StepState.CANCELLED, "Cancelled"),
    ],
)
async def test_stop_cancels_the_executor_and_ends_as_its_kind_does(
    settings: Settings, kind: str, told: str, state: StepState, line: str
) -> None:
    executor = Scripted(action_type=kind)
    async with open_world(settings, [executor]) as world:
        job_id = await service_job(world, kind)
        await world.act(job_id, Run())
        await executor.began()
        assert (await world.act(job_id, Stop())).success
        assert await until_told(world, job_id, told) == ["StepStarted", "StepStopping", told]
        assert (await world.job(job_id)).flow.current("serve").state is state
        assert (await world.history(job_id))[-1].action == line


async def test_a_stop_that_comes_in_the_same_breath_as_the_run_ends_the_step(settings: Settings) -> None:
    """The race: both are committed in one batch, so the stop is heard before the run's task has begun to work."""
    async with open_world(settings, [Scripted()]) as world:
        template = await world.template([step("serve", "WebRequest")])
        for _ in range(10):
            job_id = await world.create(template)
            started, stopped = await asyncio.gather(world.act(job_id, Run()), world.act(job_id, Stop()))
            assert started.success
            if not stopped.success:
                stopped = await world.act(job_id, Stop())
            assert stopped.success
            await until_told(world, job_id, "StepStopped")
            assert (await world.job(job_id)).flow.current("serve").state is StepState.CANCELLED


async def test_a_stopped_executor_that_takes_its_time_is_waited_for(settings: Settings) -> None:
    tidied_up = asyncio.Event()

    async def work(_: StepContext) -> ReturnValue:
        try:
            await asyncio.Event().wait()
        finally:
            await tidied_up.wait()
        return None

    executor = Scripted(work)
    async with open_world(settings, [executor]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await executor.began()
        await world.act(job_id, Stop())
        assert (await world.job(job_id)).flow.current("serve").state is StepState.STOPPING
        second = await world.act(job_id, Stop())
        assert second.outcomes[0].status == "AlreadyExecuting"
        tidied_up.set()
        await until_told(world, job_id, "StepStopped")


async def test_a_stop_that_is_found_again_does_not_cancel_what_a_stopped_executor_still_does(
    settings: Settings,
) -> None:
    """The race: a renewal of the lease, which looks for stops, comes while the executor tells its service."""
    told_service = False
    tidying, go_on = asyncio.Event(), asyncio.Event()

    async def work(_: StepContext) -> ReturnValue:
        nonlocal told_service
        try:
            await asyncio.Event().wait()
        finally:
            tidying.set()
            await go_on.wait()
            told_service = True
        return None

    executor = Scripted(work)
    async with open_world(settings, [executor]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        run = (await executor.began()).run
        await world.act(job_id, Stop())
        await asyncio.wait_for(tidying.wait(), deadline(1))
        world.runner.stopping([run])
        go_on.set()
        await until_told(world, job_id, "StepStopped")
    assert told_service


async def test_an_executor_that_fails_because_it_was_stopped_has_been_stopped(settings: Settings) -> None:
    async def work(_: StepContext) -> ReturnValue:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise StepFailed("The connection was closed.") from None
        return None

    executor = Scripted(work)
    async with open_world(settings, [executor]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await executor.began()
        await world.act(job_id, Stop())
        assert await until_told(world, job_id, "StepStopped") == ["StepStarted", "StepStopping", "StepStopped"]


async def test_what_was_done_before_the_stop_took_hold_counts(settings: Settings) -> None:
    async def work(_: StepContext) -> ReturnValue:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return 1
        return None

    executor = Scripted(work)
    async with open_world(settings, [executor]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await executor.began()
        await world.act(job_id, Stop())
        assert await until_told(world, job_id, "StepFinished") == ["StepStarted", "StepStopping", "StepFinished"]


async def test_a_late_result_of_a_run_that_is_over_changes_nothing(settings: Settings) -> None:
    executor = Scripted()
    async with open_world(settings, [executor]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        run = (await executor.began()).run
        await world.act(job_id, Stop())
        await until_told(world, job_id, "StepStopped")
        await world.act(job_id, Run())
        before = (await world.record(job_id), len(await world.feed(job_id)))
        late = CompleteRun("serve", run.run_id, 1)
        assert await world.execute(lambda unit: runs.report(unit, run, late), None) is False
        assert (await world.record(job_id), len(await world.feed(job_id))) == before


async def test_a_run_whose_outcome_got_lost_can_still_be_stopped(settings: Settings) -> None:
    """The fault: a run row that nobody executes answered a stop with STOPPING, and stayed so until a restart."""
    async with open_world(settings, [Scripted()]) as world:
        job_id = await service_job(world)
        await world.runner.close()
        await world.act(job_id, Run())
        world.runner._is_open = True  # a runner that has forgotten a run cannot be made in public
        assert (await world.act(job_id, Stop())).success
        await until_told(world, job_id, "StepStopped")


# ---------------------------------------------------------------- progress


async def test_progress_is_told_at_most_once_in_a_while_and_the_newest_is_never_lost() -> None:
    told: list[tuple[str, float]] = []
    now_s = asyncio.get_running_loop().time
    second = asyncio.Event()

    def tell(msg: str, _: str) -> None:
        told.append((msg, now_s()))
        if len(told) == 2:
            second.set()

    progress = Progress(tell, every_s=0.05)
    start_s = now_s()
    for number in range(10):
        progress(str(number), "CODE")
    assert [msg for msg, _ in told] == ["0"]
    await asyncio.wait_for(second.wait(), deadline(0.1))
    assert [msg for msg, _ in told] == ["0", "9"]
    assert told[1][1] - start_s >= 0.05 - time.get_clock_info("monotonic").resolution
    progress("10", "CODE")
    progress.close()
    assert len(told) == 2


async def test_progress_of_an_executor_reaches_subscribers_and_changes_nothing(settings: Settings) -> None:
    gate = Gate()

    async def work(context: StepContext) -> ReturnValue:
        for number in range(20):
            context.progress(f"{number} of 20", "COUNTING")
        return await gate(context)

    async with open_world(settings, [Scripted(work)]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await until_told(world, job_id, "StepProgress")
        expected = {
            "jobId": job_id,
            "stepIds": ["serve"],
            "msg": "0 of 20",
            "msgCode": "COUNTING",
            "allowedActions": 1,
        }
        assert world.ear.bodies(job_id, "StepProgress") == [expected]
        assert (await world.job(job_id)).flow.current("serve").state is StepState.EXECUTING
        gate.result.set_result(1)
        assert await until_told(world, job_id, "StepFinished") == ["StepStarted", "StepProgress", "StepFinished"]


# ---------------------------------------------------------------- a database that is away, a server that closes


async def test_an_outcome_waits_for_a_database_that_is_away(settings: Settings) -> None:
    gate = Gate()
    executor = Scripted(gate)
    async with open_world(settings, [executor]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await executor.began()
        world.cable.unplug()
        gate.result.set_result(1)
        await world.cable.refused()
        world.cable.plug()
        await until_told(world, job_id, "StepFinished")


async def test_an_answer_that_was_stored_is_applied_when_the_database_is_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world(settings, lease_s=0.4) as world:
        job_id = await world.create(await world.template([step("ask", "Manual", "end"), step("end")]))
        await world.act(job_id, Run())
        with monkeypatch.context() as deaf:
            deaf.setattr(world.runner, "answered", lambda _: None)
            receipt = await world.answer(job_id, "ask", Answer(manual_response=True))
        assert receipt.answer_id is not None
        world.cable.unplug()
        world.runner.answered([PendingAnswer(ITEM_ID, receipt.answer_id, world.runner.node_id)])
        await world.cable.refused()
        world.cable.plug()
        await until_told(world, job_id, "StepFinished")


async def test_what_an_executor_has_brought_to_an_end_is_written_by_a_closing_server(settings: Settings) -> None:
    async def work(_: StepContext) -> ReturnValue:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return 1
        return None

    executor = Scripted(work)
    async with open_world(settings, [executor]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await executor.began()
        await world.runner.close()
        assert world.ear.types(job_id) == ["StepStarted", "StepFinished"]


async def test_an_executor_that_is_cancelled_by_a_closing_server_is_taken_over_at_the_next_start(
    settings: Settings,
) -> None:
    executor = Scripted()
    async with open_world(settings, [executor]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await executor.began()
    again = Scripted(at_once)
    async with open_world(settings, [again]) as world:
        await until_told(world, job_id, "StepFinished")
        assert again.contexts[0].adopted
        assert world.ear.types(job_id) == ["StepFinished"]


async def test_a_server_closes_although_an_executor_does_not_end(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    end = asyncio.Event()

    async def work(_: StepContext) -> ReturnValue:
        while not end.is_set():
            try:
                await end.wait()
            except asyncio.CancelledError:
                continue
        return None

    executor = Scripted(work)
    async with open_world(settings, [executor], close_s=0.05) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        context = await executor.began()
        async with asyncio.timeout(deadline(1)):
            await world.runner.close()
        assert f"executor of run {context.run.run_id}" in caplog.text
        end.set()
        await until_told(world, job_id, "StepFinished")


async def test_a_closing_server_does_not_wait_for_a_database_that_is_away(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    executor = Scripted(gate)
    async with open_world(settings, [executor]) as world:
        job_id = await service_job(world)
        await world.act(job_id, Run())
        await executor.began()
        world.cable.unplug()
        gate.result.set_result(1)
        await world.cable.refused()
        async with asyncio.timeout(deadline(1)):
            await world.runner.close()
        assert world.ear.types(job_id) == ["StepStarted"]
        assert "waiting for the database" in caplog.text


async def test_after_close_nothing_is_begun_and_no_task_is_left(settings: Settings) -> None:
    executor = Scripted()
    async with open_world(settings, [executor]) as world:
        job_id = await service_job(world)
        tasks = asyncio.all_tasks()
        await world.runner.close()
        assert len(asyncio.all_tasks()) < len(tasks)
        await world.act(job_id, Run())
        await world.act(job_id, Stop())
        assert executor.contexts == []
        assert asyncio.all_tasks() <= tasks


async def test_tasks_that_fail_unseen_are_not_reported_by_the_event_loop() -> None:
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    tasks = Tasks()

    async def fail() -> None:
        raise StepFailed("seen elsewhere")

    tasks.start(fail(), "a task")
    await tasks.ended(within_s=deadline(0.1))
    loop.set_exception_handler(None)
    assert complaints == []
