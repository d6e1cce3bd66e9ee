"""Holds that end by themselves: on time, once, after a restart too, and whatever becomes of other timers."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from app.domain.commands import Finish, ManageType, ReleaseHold, Run, SetHold
from app.domain.job import Hold
from app.errors import StoreUnavailable
from app.services import jobs
from app.services.ports import Timer, Tx
from app.steps.timers import Timers
from tests.conftest import Settings
from tests.support import eventually
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

SOON_MS = 150
FAR_MS = 3_600_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return {"data_dir": tmp_path / "data"}


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    """SQLite, where the database does not matter."""
    async with open_world(settings) as opened:
        yield opened


async def held(world: World, in_ms: int) -> str:
    job_id = await world.create(await world.template([step("wait", "Manual", "end"), step("end")]))
    await world.act(job_id, SetHold(("wait",), scheduled_release_ms=world.store.now_ms() + in_ms))
    return job_id


async def until_released(world: World, job_id: str) -> None:
    await world.ear.until(lambda: "StepHoldReleased" in world.ear.types(job_id))


async def next_timer(world: World) -> int | None:
    return await world.store.read(lambda tx: tx.next_timer_ms("me"))


async def test_a_scheduled_hold_ends_when_its_time_has_come_and_not_before(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        job_id = await held(world, SOON_MS)
        (hold,) = (await world.job(job_id)).flow.holds
        assert (await world.act(job_id, Run())).outcomes[0].status == "Held"
        await until_released(world, job_id)
        released = next(message for message in world.ear.messages if message.msg_type == "StepHoldReleased")
        assert hold.scheduled_release_ms is not None
        assert released.created_ms >= hold.scheduled_release_ms
        body = world.ear.bodies(job_id, "StepHoldReleased")[0]
        assert (body["holdIds"], body["releasedBy"]) == ([hold.hold_id], "system")
        assert (await world.job(job_id)).flow.holds == ()
        assert await next_timer(world) is None
        assert (await world.act(job_id, Run())).success


async def test_a_timer_that_ran_out_while_the_server_was_down_fires_at_the_next_start(
    backend_settings: Settings,
) -> None:
    async with open_world(backend_settings) as world:
        job_id = await held(world, SOON_MS)
        await world.crash()
    async with open_world(backend_settings) as world:
        await until_released(world, job_id)
        assert world.ear.types(job_id) == ["StepHoldReleased"]


async def test_two_nodes_that_see_the_same_timer_end_the_hold_once(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as one, open_world(backend_settings) as two:
        job_id = await held(one, SOON_MS)
        two.runner.timers_changed()
        await eventually(lambda: _is_free(one, job_id))
        feed = await one.feed(job_id)
        assert [message.msg_type for message in feed] == ["StepHeld", "StepHoldReleased"]


async def _is_free(world: World, job_id: str) -> bool:
    return not (await world.job(job_id)).flow.holds


async def test_a_timer_that_was_set_later_and_is_due_earlier_fires_first(world: World) -> None:
    late = await held(world, FAR_MS)
    early = await held(world, SOON_MS)
    await until_released(world, early)
    assert len((await world.job(late)).flow.holds) == 1


async def test_a_step_with_a_schedule_is_held_on_arrival_and_starts_by_itself_when_it_may(world: World) -> None:
    steps = [
        step("first", "Manual", "later", canSkip=True),
        step(
            "later",
            automatic=True,
            args={},
            schedule={"scheduleType": "Duration", "timeDuration": SOON_MS / 1000, "timeType": "Seconds"},
        ),
    ]
    job_id = await world.create(await world.template(steps))
    await world.act(job_id, Finish())
    await world.ear.until(lambda: world.ear.types(job_id).count("StepFinished") == 2)
    assert world.ear.types(job_id) == [
        "StepFinished",
        "StepHeld",
        "StepHoldReleased",
        "StepStarted",
        "StepFinished",
        "JobUpdated",
    ]
    assert (await world.job(job_id)).flow.is_complete


async def test_a_hold_that_is_released_by_hand_has_no_timer_any_more(world: World) -> None:
    job_id = await held(world, FAR_MS)
    assert await next_timer(world) is not None
    await world.act(job_id, ReleaseHold())
    assert await next_timer(world) is None


async def test_a_deleted_job_has_no_timers_any_more(world: World) -> None:
    job_id = await held(world, FAR_MS)
    await world.execute(lambda unit: jobs.manage(unit, ManageType.DELETE, [job_id]))
    assert await next_timer(world) is None


async def test_a_hold_whose_time_has_not_come_or_that_is_gone_is_not_ended(world: World) -> None:
    job_id = await held(world, FAR_MS)
    (hold,) = (await world.job(job_id)).flow.holds
    feed = await world.feed(job_id)
    for job, hold_id in ((job_id, hold.hold_id), (job_id, "gone"), ("gone", hold.hold_id)):
        assert await world.execute(partial(jobs.end_hold_when_due, job_id=job, hold_id=hold_id)) is False
    assert await world.feed(job_id) == feed


async def test_a_hold_with_a_time_and_a_dependency_ends_at_whichever_comes_first(world: World) -> None:
    template = await world.template([step("wait", canSkip=True)])
    awaited, timed, met = [await world.create(template) for _ in range(3)]
    now_ms = world.store.now_ms()
    await world.act(timed, SetHold(scheduled_release_ms=now_ms + SOON_MS, dependent_job_id=awaited))
    await world.act(met, SetHold(scheduled_release_ms=now_ms + FAR_MS, dependent_job_id=awaited))
    await until_released(world, timed)
    assert len((await world.job(met)).flow.holds) == 1
    await world.act(awaited, Finish())
    await until_released(world, met)
    assert await next_timer(world) is None


async def test_timers_that_fail_hide_no_others_however_many_they_are(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """More failing timers than are read at once would come first every time, and no other would ever be read."""
    count = 101
    await world.runner.close()
    job_id = await world.create(await world.template([step("wait")]))
    record = await world.record(job_id)
    assert record is not None
    now_ms = world.store.now_ms()

    def set_holds(tx: Tx) -> None:
        for number in range(count):
            tx.add_hold(record, Hold(f"hold {number}", "wait", "ana", now_ms, scheduled_release_ms=now_ms - 1))

    await world.store.run(set_holds)
    fired: list[str] = []

    async def on_due(timer: Timer) -> None:
        if timer.hold_id != f"hold {count - 1}":
            raise StoreUnavailable("this one always fails")
        fired.append(timer.hold_id)
        await world.store.run(lambda tx: tx.release_hold(record, timer.hold_id, "system", now_ms))

    timers = Timers(world.store, lambda: "me", on_due)
    timers.open()
    await eventually(lambda: fired == [f"hold {count - 1}"], expected_s=2)
    await timers.close()
    assert "could not be ended" in caplog.text


async def test_timers_go_on_after_a_database_that_was_away(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.cable.unplug()
    world.runner.timers_changed()
    await world.cable.refused()
    world.cable.plug()
    job_id = await held(world, SOON_MS)
    await until_released(world, job_id)
    assert "timers wait" in caplog.text
