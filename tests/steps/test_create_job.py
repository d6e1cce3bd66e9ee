"""CreateJob: how many jobs, of which template, in whose name; children, dependencies, limits; done once and whole."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.commands import Finish, Run
from app.domain.job import Job, StepState
from app.protocol.diagrams import read_document
from app.services import diagrams
from app.services.engine import Unit
from app.steps.create_job import CreateJob
from tests.conftest import Settings
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

TABLES = [
    {
        "tableName": "plot",
        "extendedPropertyDefinitions": [{"propertyName": "number", "dataType": "Integer", "required": True}],
    }
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings, [CreateJob()]) as opened:
        yield opened


def creates(*nexts: str, **args: Any) -> dict[str, Any]:
    return step("make", "CreateJob", *nexts, args=args)


async def children(world: World, job_id: str) -> list[Job]:
    ids = await world.query(lambda unit: unit.tx.child_job_ids(unit.item, job_id))
    return [await world.job(child) for child in ids]


async def output(world: World, job_id: str, step_id: str = "make") -> list[Any]:
    def read(unit: Unit) -> list[Any]:
        record = unit.tx.job(unit.item, job_id)
        assert record is not None
        return unit.tx.step_output(record, step_id)

    return await world.query(read)


async def run(world: World, *steps: dict[str, Any], **members: Any) -> str:
    """Make a job of these steps and run its first one; the step has finished or failed when this returns."""
    job_id = await world.create(await world.template(steps), **members)
    await world.act(job_id, Run())
    await world.ear.until(lambda: {"StepFinished", "StepError"} & set(world.ear.types(job_id)))
    return job_id


async def failed(world: World, *steps: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The StepError of such a run, after which the step can be run again and nothing was created."""
    before = await count(world)
    job_id = await run(world, *steps, **members)
    assert await count(world) == before + 1
    assert (await world.job(job_id)).flow.current("make").state is StepState.FAILED
    assert await output(world, job_id) == []
    assert "Error" in [line.action for line in await world.history(job_id)]
    (error,) = world.ear.bodies(job_id, "StepError")
    return error


async def count(world: World) -> int:
    def jobs_of_item(unit: Unit) -> int:
        return sum(unit.tx.jobs_of_template(unit.item, each.template_id) for each in unit.tx.templates(unit.item))

    return await world.query(jobs_of_item)


async def test_a_job_is_created_as_a_child_with_what_the_step_says_of_it(backend_settings: Settings) -> None:
    async with open_world(backend_settings, [CreateJob()]) as world:
        plot = await world.template([step("only")], extendedPropertyTableDefinitions=TABLES)
        make = creates(
            "end",
            jobTemplateId=plot,
            createAsChild=True,
            jobName="'Part of ' + JobId($job)",
            description="constant",
            priority="High",
            dueDate="2030-01-01T00:00:00Z",
            extendedProperties=[{"identifier": "plot.number", "value": "Round(6.6)"}],
        )
        await world.add_user("ana")
        job_id = await run(world, make, step("end"), owned_by="ana")
        (child,) = await children(world, job_id)
        assert (child.name, child.description, child.priority) == (f"Part of {job_id}", "constant", "High")
        assert (child.created_by, child.owned_by, child.due_ms) == ("admin", "admin", 1_893_456_000_000)
        assert await output(world, job_id) == [child.job_id]
        assert [line.action for line in await world.history(child.job_id)] == ["Created", "Activated"]
        assert world.ear.types(job_id) == ["StepStarted", "StepFinished"]


async def test_the_template_may_be_computed_and_jobs_counted(world: World) -> None:
    plot = await world.template([step("only")])
    make = creates("end", jobTemplateId=f"'{plot[:5]}' + '{plot[5:]}'", numberOfJobs="Count([1, 2, 3])")
    job_id = await run(world, make, step("end"))
    made = await output(world, job_id)
    assert len(set(made)) == 3
    assert {(await world.job(each)).template_id for each in made} == {plot}
    assert {(await world.job(each)).parent_job for each in made} == {None}


async def test_there_is_a_job_for_each_item_of_an_array(world: World) -> None:
    plot = await world.template([step("only")], extendedPropertyTableDefinitions=TABLES)
    simple = creates("end", jobTemplateId=plot, items="[7, 8]", itemProperty="plot.number", notes="'all'")
    job_id = await run(world, simple, step("end"))
    found = [await world.job(each) for each in await output(world, job_id)]
    assert [job.notes for job in found] == ["all", "all"]
    named = "[{'jobName': 'A', 'plot.number': 1}, {'jobName': 'B', 'plot.number': 2, 'notes': 'own'}]"
    job_id = await run(world, creates("end", jobTemplateId=plot, items=named, notes="all"), step("end"))
    found = [await world.job(each) for each in await output(world, job_id)]
    assert [(job.name, job.notes) for job in found] == [("A", "all"), ("B", "own")]
    empty = await run(world, creates("end", jobTemplateId=plot, items="[]"), step("end"))
    assert (await output(world, empty), world.ear.types(empty)) == ([], ["StepStarted", "StepFinished"])


async def test_the_next_step_waits_until_all_jobs_are_complete(backend_settings: Settings) -> None:
    async with open_world(backend_settings, [CreateJob()]) as world:
        part = await world.template([step("only", args={})])
        make = creates("next", jobTemplateId=part, numberOfJobs=2, createAsDependency=True)
        job_id = await run(world, make, step("next", automatic=True, args={}))
        held = (await world.job(job_id)).flow
        first, second = await output(world, job_id)
        assert [hold.dependent_job_id for hold in held.holds_of("next")] == [first, second]
        assert held.current("next").state is StepState.READY
        assert world.ear.types(job_id)[-1] == "StepHeld"
        for part_id in (first, second):
            assert not (await world.job(job_id)).flow.is_complete
            await world.act(part_id, Run())
        assert (await world.job(job_id)).flow.is_complete


async def test_a_job_that_is_complete_at_once_is_not_waited_for(world: World) -> None:
    part = await world.template([step("only", automatic=True, args={})])
    job_id = await run(world, creates("next", jobTemplateId=part, createAsDependency=True), step("next"))
    assert (await world.job(job_id)).flow.holds == ()


async def test_only_steps_that_are_reached_wait(world: World) -> None:
    part = await world.template([step("only")])
    make = creates(jobTemplateId=part, createAsDependency=True)
    make["paths"] = [
        {"nextStep": "next", "expression": "Count(JobOutputArray($job, 'make')) == 1"},
        {"nextStep": "other", "expression": "Count(JobOutputArray($job, 'make')) > 1"},
    ]
    job_id = await run(world, make, step("next"), step("other"))
    assert [hold.step_id for hold in (await world.job(job_id)).flow.holds] == ["next"]


async def test_a_step_that_waits_for_finish_holds_what_follows_until_then(world: World) -> None:
    part = await world.template([step("only", args={})])
    make = creates("next", jobTemplateId=part, createAsDependency=True)
    make["proceedNext"] = False
    job_id = await world.create(await world.template([make, step("next")]))
    await world.act(job_id, Run())
    await world.ear.until(lambda: world.ear.bodies(job_id, "StepStopped"))
    await world.act(job_id, Finish())
    assert not (await world.act(job_id, Run())).success
    (part_id,) = await output(world, job_id)
    await world.act(part_id, Run())
    assert (await world.act(job_id, Run())).success


async def test_what_cannot_be_created_fails_the_step_and_creates_nothing(world: World) -> None:
    plot = await world.template([step("only")], extendedPropertyTableDefinitions=TABLES)
    draft = await world.template([step("only")], state="Draft")
    numbers = [{"identifier": "plot.number", "value": "1"}]
    half = "[{'plot.number': 1}, {'plot.number': 'x'}]"
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"jobTemplateId": "nowhere"}, "JOBS_NOT_CREATED", "no job template 'nowhere'"),
        ({"jobTemplateId": draft}, "JOBS_NOT_CREATED", "is Draft"),
        ({"jobTemplateId": plot}, "JOBS_NOT_CREATED", "plot.number: it is required"),
        ({"jobTemplateId": plot, "items": half}, "JOBS_NOT_CREATED", "'x' is not a whole number"),
        ({"jobTemplateId": plot, "items": "[{'colour': 1}]"}, "JOBS_NOT_CREATED", "'colour' is nothing to say"),
        ({"jobTemplateId": plot, "numberOfJobs": "'many'"}, "JOBS_NOT_CREATED", "a whole number, not 'many'"),
        ({"jobTemplateId": plot, "numberOfJobs": 101}, "TOO_MANY_JOBS", "at most 100"),
        ({"jobTemplateId": "JobName($job"}, "EXPRESSION_FAILED", "jobTemplateId cannot be evaluated"),
        ({"jobTemplateId": plot, "items": "Nothing()"}, "EXPRESSION_FAILED", "items cannot be evaluated"),
        ({"items": "[1]"}, "INVALID_ARGS", "jobTemplateId"),
        ({"jobTemplateId": plot, "ownedBy": "nobody", "extendedProperties": numbers}, "JOBS_NOT_CREATED", "no user"),
    ]
    for args, code, words in cases:
        error = await failed(world, creates("end", **args), step("end"))
        assert (error["msgCode"], words in error["msg"]) == (code, True), error


async def test_a_step_that_cannot_be_left_creates_nothing(world: World) -> None:
    """Run again, it would create its jobs a second time."""
    plot = await world.template([step("only")])
    make = creates(jobTemplateId=plot)
    for expression, code in (("$retVal == 5", "NO_MATCHING_PATHS"), ("$retVal > 1", "EXPRESSION_FAILED")):
        make["paths"] = [{"nextStep": "end", "expression": expression}]
        assert (await failed(world, make, step("end")))["msgCode"] == code


async def test_templates_that_create_each_other_come_to_an_end(world: World) -> None:
    """Each job gets an equal share of what its creator may bring about, less what was created: 100, 9 each, none."""
    own = await world.template([step("unused")])

    def again(unit: Unit) -> None:
        template = unit.tx.template(unit.item, own)
        assert template is not None
        steps = [step("make", "CreateJob", automatic=True, args={"jobTemplateId": own, "numberOfJobs": 10})]
        body = {"diagramName": "Loop", "active": True, "displayGrid": True, "steps": steps}
        diagrams.update(unit, template.diagram_id, read_document(json.dumps(body).encode()), delete_draft=True)

    await world.execute(again)
    first = await world.create(own)
    errors = await world.ear.until(
        lambda: [message for message in world.ear.messages if message.msg_type == "StepError"], 20
    )
    assert b"TOO_MANY_JOBS" in errors[0].body
    await world.ear.until(lambda: sum(message.msg_type == "StepError" for message in world.ear.messages) == 100, 20)
    assert await count(world) == 1 + 10 + 100
    assert (await world.job(first)).may_create == 1000


async def test_a_node_that_dies_leaves_all_jobs_or_none_and_the_next_one_makes_them_once(tmp_path: Path) -> None:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings, [CreateJob()]) as world:
        part = await world.template([step("only")])
        make = creates("end", jobTemplateId=part, numberOfJobs=3, createAsChild=True)
        job_id = await world.create(await world.template([make, step("end")]))
        await world.act(job_id, Run())
        await world.crash()
    async with open_world(settings, [CreateJob()]) as world:
        job = await world.job(job_id)
        if job.flow.step("make") is not None:
            await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
        assert len(await children(world, job_id)) == 3
        assert [current.step_id for current in (await world.job(job_id)).flow.steps] == ["end"]
