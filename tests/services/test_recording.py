"""What is written beside a job: run rows, holds, what describes its steps; and what that resolves for other jobs."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.commands import Finish, ManageType, ReleaseHold, Run, SetHold, Stop
from app.protocol.diagrams import parse_diagram
from app.services import jobs
from app.services.engine import Unit
from app.services.ports import DiagramRecord, ReleasedHold, RunRecord
from tests.conftest import Settings
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

TWO = [step("one", "Manual", "two", canSkip=True), step("two", canSkip=True)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings) as opened:
        yield opened


async def runs_of(world: World) -> list[RunRecord]:
    """All runs that have not ended, found by taking them over for nobody."""

    class TakenBack(Exception):
        def __init__(self, found: list[RunRecord]) -> None:
            self.found = found

    def look(unit: Unit) -> None:
        unit.tx.forget_nodes()
        raise TakenBack(unit.tx.adopt_runs("nobody", unit.now_ms))

    try:
        await world.execute(look)
    except TakenBack as taken:
        return taken.found
    raise AssertionError("the look was committed")


async def holds_of(world: World, job_id: str) -> list[ReleasedHold]:
    record = await world.record(job_id)
    assert record is not None
    return await world.query(lambda unit: unit.tx.holds(record))


async def test_a_run_has_a_row_from_its_start_to_its_end(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        job_id = await world.create(await world.template(TWO))
        assert await runs_of(world) == []
        await world.act(job_id, Run())
        (row,) = await runs_of(world)
        run = (await world.job(job_id)).flow.current("one").last_run
        assert (row.run_id, row.job_id, row.step_id) == (run.run_id, job_id, "one")
        stored = await world.store.read(lambda tx: tx.run(run.run_id))
        assert stored is not None
        assert (stored.node_id, stored.fence) == (world.runner.node_id, 1)
        await world.act(job_id, Stop())
        assert await runs_of(world) == []
        await world.act(job_id, Run())
        (again,) = await runs_of(world)
        assert again.run_id != row.run_id
        await world.act(job_id, Finish())
        assert await runs_of(world) == []


async def test_a_run_that_begins_and_ends_in_one_decision_never_gets_a_row(world: World) -> None:
    job_id = await world.create(await world.template([step("one", args={})]))
    await world.act(job_id, Run())
    assert (await world.job(job_id)).flow.is_complete
    assert await runs_of(world) == []


async def test_a_hold_whose_end_had_come_is_on_record_as_released_and_never_blocked(world: World) -> None:
    job_id = await world.create(await world.template(TWO))
    awaited = await world.create(await world.template([step("only", canSkip=True)]))
    await world.act(awaited, Finish())
    await world.act(job_id, SetHold(("one",), scheduled_release_ms=1))
    await world.act(job_id, SetHold(("one",), dependent_job_id=awaited))
    assert [(held.released_by, held.released_ms is not None) for held in await holds_of(world, job_id)] == [
        ("admin", True),
        ("admin", True),
    ]
    assert world.ear.types(job_id) == ["StepHoldsUpdated", "StepHoldsUpdated"]
    assert await world.store.read(lambda tx: tx.next_timer_ms("me")) is None
    assert (await world.act(job_id, Run(("one",)))).success


async def test_who_released_a_hold_and_when_stays_on_record(world: World) -> None:
    job_id = await world.create(await world.template(TWO))
    await world.act(job_id, SetHold())
    assert [held.released_by for held in await holds_of(world, job_id)] == [None]
    await world.add_user("Ana")
    await world.act(job_id, ReleaseHold(), "Ana")
    (held,) = await holds_of(world, job_id)
    assert (held.hold.set_by, held.released_by) == ("admin", "Ana")
    assert held.released_ms is not None
    assert held.released_ms >= held.hold.set_ms


async def test_what_describes_a_step_goes_when_the_step_is_left(world: World) -> None:
    job_id = await world.create(await world.template(TWO))
    await world.act(job_id, SetHold(("two",)))
    await world.act(job_id, Run())
    record = await world.record(job_id)
    assert record is not None
    assert list(record.details) == ["one"]
    await world.act(job_id, Finish())
    record = await world.record(job_id)
    assert record is not None
    assert list(record.details) == ["two"]
    await world.act(job_id, ReleaseHold())
    await world.act(job_id, Finish())
    record = await world.record(job_id)
    assert record is not None
    assert record.details == {}


async def test_a_finished_step_frees_only_those_that_waited_for_it(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        template = await world.template(TWO)
        awaited, of_one, of_two, of_all, twice = [await world.create(template) for _ in range(5)]
        await world.act(of_one, SetHold(dependent_job_id=awaited, dependent_step_id="one"))
        await world.act(of_two, SetHold(dependent_job_id=awaited, dependent_step_id="two"))
        await world.act(of_all, SetHold(dependent_job_id=awaited))
        await world.act(twice, SetHold(dependent_job_id=awaited, dependent_step_id="one"))
        await world.act(twice, SetHold())
        await world.act(awaited, Finish())
        assert [len((await world.job(job_id)).flow.holds) for job_id in (of_one, of_two, of_all, twice)] == [0, 1, 1, 1]
        assert world.ear.types(twice) == ["StepHeld", "StepHeld", "StepHoldsUpdated"]
        await world.act(awaited, Finish())
        assert [len((await world.job(job_id)).flow.holds) for job_id in (of_one, of_two, of_all, twice)] == [0, 0, 0, 1]


async def test_a_dependency_on_a_step_that_an_upgrade_has_removed_is_resolved(backend_settings: Settings) -> None:
    """It could never be finished any more."""
    async with open_world(backend_settings) as world:
        template = await world.template(TWO)
        awaited, waiting = await world.create(template), await world.create(template)
        await world.act(waiting, SetHold(dependent_job_id=awaited, dependent_step_id="two"))
        job = await world.job(awaited)
        body = json.dumps({"diagramName": job.diagram_name, "steps": [step("one", canSkip=True)]}).encode()

        def upgrade(unit: Unit) -> None:
            newer = parse_diagram(body, diagram_id=job.diagram_id, version=2)
            unit.tx.put_diagram(unit.item, DiagramRecord(newer, body, None, unit.now_ms, "admin"))
            assert jobs.manage(unit, ManageType.UPGRADE, [awaited]).success

        await world.execute(upgrade)
        assert (await world.job(waiting)).flow.holds == ()


async def test_a_job_that_is_set_free_while_it_is_closed_stays_where_it_is(world: World) -> None:
    gate = [step("gate", "Manual", "auto", canSkip=True), step("auto", automatic=True, args={})]
    awaited = await world.create(await world.template(TWO))
    waiting = await world.create(await world.template(gate))
    await world.act(waiting, SetHold(("auto",), dependent_job_id=awaited))
    await world.act(waiting, Finish())
    await world.execute(lambda unit: jobs.manage(unit, ManageType.CLOSE, [waiting]))
    for _ in range(2):
        await world.act(awaited, Finish())
    job = await world.job(waiting)
    assert (job.closed, job.flow.holds, [current.step_id for current in job.flow.steps]) == (True, (), ["auto"])
