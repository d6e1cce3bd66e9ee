"""What an executor may ask of the server: to read, to write, to note, and to end its step in one transaction."""

import asyncio
from pathlib import Path

import pytest

from app.auth.sealing import Sealer
from app.domain.commands import Run
from app.domain.job import ReturnValue
from app.errors import StepFailed
from app.services.engine import Unit
from app.services.ports import AtomicWork, Setting, StepContext
from app.services.recording import Jobs
from app.services.texts import Texts
from tests.conftest import Settings
from tests.steps.executors import Scripted
from tests.support import deadline
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

VAULT = Sealer("a master key of some length")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """SQLite: what executors may do is the same on both databases."""
    return {"data_dir": tmp_path / "data"}


async def run_job(world: World, until: str = "StepFinished") -> str:
    job_id = await world.create(await world.template([step("serve", "WebRequest", "end"), step("end")]))
    await world.act(job_id, Run())
    await world.ear.until(lambda: until in world.ear.types(job_id))
    return job_id


async def test_an_executor_reads_and_writes_in_its_item(settings: Settings) -> None:
    async def work(context: StepContext) -> ReturnValue:
        await context.services.write(lambda unit: unit.tx.put_setting(unit.item, Setting("x", b"1", False)))
        return await context.services.read(lambda unit: unit.tx.settings(unit.item)[0].name)

    executor = Scripted(work)
    async with open_world(settings, [executor]) as world:
        await run_job(world)
        (context,) = executor.contexts
        assert context.started_by == "admin"
        assert await world.query(lambda unit: unit.tx.settings(unit.item)) == [Setting("x", b"1", False)]


async def test_an_executor_gets_the_settings_with_their_secrets(settings: Settings) -> None:
    found: list[object] = []

    async def work(context: StepContext) -> ReturnValue:
        found.append(await context.services.settings())
        return None

    async with open_world(settings, [Scripted(work)], vault=VAULT) as world:
        sealed = VAULT.seal(b"secret")
        await world.execute(lambda unit: unit.tx.put_setting(unit.item, Setting("smtpPassword", sealed, True)))
        await world.execute(lambda unit: unit.tx.put_setting(unit.item, Setting("smtpServer", b"mail", False)))
        await run_job(world)
    assert found == [{"smtpPassword": "secret", "smtpServer": "mail"}]


async def test_settings_under_another_master_key_fail_the_step_and_say_so(settings: Settings) -> None:
    async def work(context: StepContext) -> ReturnValue:
        await context.services.settings()
        return None

    async with open_world(settings, [Scripted(work)], vault=Sealer("another master key")) as world:
        sealed = VAULT.seal(b"secret")
        await world.execute(lambda unit: unit.tx.put_setting(unit.item, Setting("smtpPassword", sealed, True)))
        job_id = await run_job(world, "StepError")
        (body,) = world.ear.bodies(job_id, "StepError")
        assert body["msgCode"] == "NOT_CONFIGURED"
        assert "STEPGATE_SECRET_KEY" in body["msg"]


async def test_the_effect_of_atomic_work_and_the_end_of_its_step_are_one_transaction(
    backend_settings: Settings,
) -> None:
    seen: list[bool] = []

    def do(unit: Unit, jobs: Jobs) -> ReturnValue:
        (run_step,) = jobs.lock(executor.contexts[0].job.job_id).job.flow.steps
        seen.append(run_step.is_running)
        unit.tx.put_setting(unit.item, Setting("done", b"", False))
        return 7

    async def work(_: StepContext) -> AtomicWork:
        return AtomicWork(do)

    executor = Scripted(work)
    async with open_world(backend_settings, [executor]) as world:
        job_id = await run_job(world)
        assert seen == [True]
        assert [current.step_id for current in (await world.job(job_id)).flow.steps] == ["end"]
        assert len(await world.query(lambda unit: unit.tx.settings(unit.item))) == 1


async def test_atomic_work_that_fails_leaves_nothing_but_the_failure(backend_settings: Settings) -> None:
    def do(unit: Unit, _: Jobs) -> ReturnValue:
        unit.tx.put_setting(unit.item, Setting("done", b"", False))
        raise StepFailed("There is no such template.", name="TEMPLATE_GONE")

    async def work(_: StepContext) -> AtomicWork:
        return AtomicWork(do)

    async with open_world(backend_settings, [Scripted(work)]) as world:
        job_id = await run_job(world, "StepError")
        (body,) = world.ear.bodies(job_id, "StepError")
        assert (body["msg"], body["msgCode"]) == ("There is no such template.", "TEMPLATE_GONE")
        assert await world.query(lambda unit: unit.tx.settings(unit.item)) == []
        assert (await world.act(job_id, Run())).success


async def test_atomic_work_of_a_run_that_was_taken_over_is_not_done(settings: Settings) -> None:
    """The executor returns while another node has the run already."""
    done: list[str] = []

    async def work(context: StepContext) -> AtomicWork:
        if not context.adopted:
            await world.store.run(lambda tx: tx.end_node(context.run.node_id))
            await world.store.run(lambda tx: tx.start_node("other", tx.now_ms() + 3_600_000))
            await world.store.run(lambda tx: tx.adopt_runs("other", tx.now_ms()))
            try:
                await context.services.note("too late")
            except StepFailed:
                refused.set()

        def do(_: Unit, __: Jobs) -> ReturnValue:
            done.append(context.run.run_id)
            return None

        return AtomicWork(do)

    refused = asyncio.Event()
    async with open_world(settings, [Scripted(work)], lease_s=3600) as world:
        job_id = await world.create(await world.template([step("serve", "WebRequest", "end"), step("end")]))
        await world.act(job_id, Run())
        await asyncio.wait_for(refused.wait(), deadline(1))
    assert done == []


async def test_an_argument_is_computed_for_the_user_who_ran_the_step(settings: Settings) -> None:
    async def work(context: StepContext) -> ReturnValue:
        made = Texts(context.job, context.started_by)
        texts = [made.text("subject", text) for text in ("'For ' + $currentUser", "Plain text", "JobCreator($job)")]
        return "|".join(texts)

    paths = [{"nextStep": "end", "assignedType": "Unassigned", "expression": "$retVal == 'For admin|Plain text|admin'"}]
    async with open_world(settings, [Scripted(work)]) as world:
        job_id = await world.create(await world.template([step("serve", "WebRequest", paths=paths), step("end")]))
        await world.act(job_id, Run())
        await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))


async def test_an_argument_that_cannot_be_computed_fails_the_step_by_name(settings: Settings) -> None:
    async def work(context: StepContext) -> ReturnValue:
        return Texts(context.job, context.started_by).text("subject", "'Job ' + NoSuchThing($job)")

    async with open_world(settings, [Scripted(work)]) as world:
        job_id = await run_job(world, "StepError")
        (body,) = world.ear.bodies(job_id, "StepError")
        assert body["msgCode"] == "EXPRESSION_FAILED"
        assert body["msg"].startswith("subject cannot be evaluated")
