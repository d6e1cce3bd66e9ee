"""Reports of executors: taken under the right fencing number while the run lasts, and otherwise of no effect."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.commands import CompleteRun, EndStoppedRun, FailRun, ManageType, ReportProgress, Run, Stop
from app.domain.job import StepState
from app.services import jobs, runs
from app.services.ports import RunRecord
from tests.conftest import Settings
from tests.services.traces import trace
from tests.steps.executors import Scripted
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The executor never ends by itself: every report is the test's."""
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings, [Scripted()]) as opened:
        yield opened


async def running(world: World) -> tuple[str, RunRecord]:
    job_id = await world.create(await world.template([step("serve", "WebRequest", "end"), step("end")]))
    await world.act(job_id, Run())
    run_id = (await world.job(job_id)).flow.current("serve").last_run.run_id
    run = await world.store.read(lambda tx: tx.run(run_id))
    assert run is not None
    return job_id, run


async def report(world: World, run: RunRecord, command: runs.Report) -> bool:
    return await world.execute(lambda unit: runs.report(unit, run, command), None)


def reports(run: RunRecord) -> list[runs.Report]:
    """One of each kind."""
    return [
        ReportProgress(run.step_id, run.run_id, "half", "HALF"),
        CompleteRun(run.step_id, run.run_id, 1),
        FailRun(run.step_id, run.run_id, "No.", "NO"),
        EndStoppedRun(run.step_id, run.run_id),
    ]


async def test_a_report_of_somebody_who_does_not_own_the_run_changes_nothing(backend_settings: Settings) -> None:
    async with open_world(backend_settings, [Scripted()]) as world:
        job_id, run = await running(world)
        before = await trace(world, job_id)
        strangers = (
            replace(run, fence=run.fence - 1),
            replace(run, fence=run.fence + 1),
            replace(run, node_id="somebody else"),
            replace(run, run_id="another run"),
            replace(run, job_id="nothing"),
        )
        for stranger in strangers:
            for command in reports(run):
                assert await report(world, stranger, command) is False
        assert await trace(world, job_id) == before
        assert await report(world, run, reports(run)[1]) is True


async def test_a_run_that_is_over_takes_no_reports(world: World) -> None:
    job_id, run = await running(world)
    assert await report(world, run, FailRun("serve", run.run_id, "No.", "NO"))
    before = await trace(world, job_id)
    for command in reports(run):
        assert await report(world, run, command) is False
    assert await trace(world, job_id) == before


async def test_a_report_that_names_another_run_of_the_step_changes_nothing(world: World) -> None:
    job_id, run = await running(world)
    before = await trace(world, job_id)
    assert await report(world, run, CompleteRun("serve", "another run", 1)) is False
    assert await report(world, run, CompleteRun("end", run.run_id, 1)) is False
    assert await trace(world, job_id) == before


async def test_a_late_report_about_a_deleted_job_is_of_no_effect(world: World) -> None:
    job_id, run = await running(world)
    await report(world, run, FailRun("serve", run.run_id, "No.", "NO"))
    assert (await world.execute(lambda unit: jobs.manage(unit, ManageType.DELETE, [job_id]))).success
    for command in reports(run):
        assert await report(world, run, command) is False
    assert [message.msg_type for message in await world.feed(job_id)][-1] == "JobUpdated"


async def test_a_stop_that_the_executor_confirms_ends_the_run(world: World) -> None:
    job_id, run = await running(world)
    await world.act(job_id, Stop())
    await world.ear.until(lambda: "StepStopped" in world.ear.types(job_id))
    assert (await world.job(job_id)).flow.current("serve").state is StepState.CANCELLED
    assert await report(world, run, EndStoppedRun("serve", run.run_id)) is False
