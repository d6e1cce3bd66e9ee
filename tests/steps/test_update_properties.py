"""UpdateJobProperties with values: what is set, how it is told, what fails the step, and that it is done once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.commands import Run
from app.domain.job import StepState
from app.domain.properties import PropertyValue
from app.services.engine import Unit
from app.steps.update_properties import UpdateJobProperties
from tests.conftest import Settings
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

TABLES = [
    {
        "tableName": "site",
        "extendedPropertyDefinitions": [
            {"propertyName": "acres", "dataType": "Double", "defaultValue": "2"},
            {"propertyName": "owner", "dataType": "String", "fieldLength": 8},
            {"propertyName": "paid", "dataType": "Boolean", "editable": False},
        ],
    }
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings, [UpdateJobProperties()]) as opened:
        yield opened


def given(**values: Any) -> list[dict[str, Any]]:
    return [{"identifier": name.replace("__", "."), "value": value} for name, value in values.items()]


def sets(*nexts: str, **values: Any) -> dict[str, Any]:
    return step("set", "UpdateJobProperties", *nexts, args={"propertyValues": given(**values)})


async def new_job(world: World, *steps: dict[str, Any]) -> str:
    return await world.create(await world.template(steps, extendedPropertyTableDefinitions=TABLES))


async def properties(world: World, job_id: str) -> dict[str, str | None]:
    def read(unit: Unit) -> list[PropertyValue]:
        record = unit.tx.job(unit.item, job_id)
        assert record is not None
        return unit.tx.properties(record)

    return {each.identifier: each.value.text for each in await world.query(read)}


async def test_constants_and_expressions_are_set_in_the_transaction_that_finishes_the_step(
    backend_settings: Settings,
) -> None:
    async with open_world(backend_settings, [UpdateJobProperties()]) as world:
        first = sets(
            "end",
            site__acres="JobExtendedProperty($job, 'site', 'acres') * 2",
            site__owner="$currentUser",
            site__paid=True,
            dueDate="2030-01-01T00:00:00Z",
            jobName="'Job of ' + JobOwner($job)",
            priority="High",
        )
        job_id = await new_job(world, first, step("end"))
        await world.act(job_id, Run())
        await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
        assert await properties(world, job_id) == {"site.acres": "4", "site.owner": "admin", "site.paid": "true"}
        job = await world.job(job_id)
        assert (job.name, job.priority, job.due_ms) == ("Job of admin", "High", 1_893_456_000_000)
        assert world.ear.types(job_id) == ["StepStarted", "JobUpdated", "StepFinished"]
        (line,) = [line for line in await world.history(job_id) if line.action == "Updated"]
        assert (line.username, line.result) == (
            "system",
            "dueDate, jobName, priority, site.acres, site.owner, site.paid",
        )


async def test_paths_see_the_values_that_were_just_set(world: World) -> None:
    first = sets(site__acres=5)
    first["paths"] = [
        {"nextStep": "small", "expression": "JobExtendedProperty($job, 'site', 'acres') < 5"},
        {"nextStep": "large", "expression": "JobExtendedProperty($job, 'site', 'acres') >= 5"},
    ]
    job_id = await new_job(world, first, step("small"), step("large"))
    await world.act(job_id, Run())
    await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
    assert [current.step_id for current in (await world.job(job_id)).flow.steps] == ["large"]


FAILURES: list[tuple[dict[str, Any], str, str]] = [
    ({"site__acres": "many"}, "INVALID_VALUE", "site.acres: 'many' is not a number"),
    ({"site__owner": "much too long"}, "INVALID_VALUE", "at most 8"),
    ({"site__unknown": "1"}, "INVALID_VALUE", "no property of this name"),
    ({"priority": "Unheard"}, "INVALID_VALUE", "priority: 'Unheard' is not one of"),
    ({"ownedBy": "ben"}, "INVALID_VALUE", "use table.property, or one of"),
    ({"percentComplete": "101"}, "INVALID_VALUE", "0 to 100"),
    ({"dueDate": "soon"}, "INVALID_VALUE", "is not a moment"),
    ({"site__acres": "JobCreator($job) * 2"}, "EXPRESSION_FAILED", "site.acres cannot be evaluated"),
]


@pytest.mark.parametrize(("values", "code", "words"), FAILURES)
async def test_a_wrong_value_fails_the_step_and_sets_nothing(
    world: World, values: dict[str, Any], code: str, words: str
) -> None:
    job_id = await new_job(world, sets("end", notes="changed", **values), step("end"))
    await world.act(job_id, Run())
    (error,) = await world.ear.until(lambda: world.ear.bodies(job_id, "StepError"))
    assert error["msgCode"] == code
    assert words in error["msg"]
    job = await world.job(job_id)
    assert (job.notes, job.flow.current("set").state) == (None, StepState.FAILED)
    (line,) = [line for line in await world.history(job_id) if line.action == "Error"]
    assert (line.step_id, line.result) == ("set", error["msg"])
    assert (await world.act(job_id, Run())).success


async def test_a_failure_goes_along_the_path_that_asks_for_it(world: World) -> None:
    first = sets(site__acres="many")
    first["paths"] = [{"nextStep": "end"}, {"nextStep": "help", "expression": "$retVal == 'stepError'"}]
    job_id = await new_job(world, first, step("end"), step("help"))
    await world.act(job_id, Run())
    await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
    assert world.ear.types(job_id) == ["StepStarted", "StepError", "StepFinished"]
    assert [current.step_id for current in (await world.job(job_id)).flow.steps] == ["help"]
