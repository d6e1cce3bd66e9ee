"""New jobs: the template's defaults, what a caller may say instead, what is refused, and the first step."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.commands import ManageType
from app.domain.job import UNASSIGNED, AssignedType, Assignment, Location, StepState
from app.domain.properties import PropertyValue
from app.domain.values import Value
from app.errors import Conflict, GatewayError, InvalidValue, NotFound, PermissionDenied, RuleViolation
from app.expressions.arcade import ArcadeError
from app.protocol.text import parse_time
from app.services import jobs, people
from app.services.creation import CreatedJobs, JobOverrides
from app.services.engine import Unit
from app.services.first_start import ADMIN
from tests.conftest import Settings
from tests.support.world import World, open_world, step, user

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
ONE = [step("only")]
SERVES_ITSELF = [step("only", automatic=True, args={})]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings) as opened:
        yield opened


async def create(world: World, template: str, username: str = ADMIN, **overrides: Any) -> CreatedJobs:
    return await world.execute(lambda unit: jobs.create(unit, template, JobOverrides(**overrides)), username)


# ---------------------------------------------------------------- defaults and overrides


async def test_a_job_has_the_templates_defaults(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        template = await world.template(
            ONE,
            defaultJobName="Visit [index] of [index]",
            defaultDescription="Look at it",
            defaultPriorityName="High",
            defaultStatus="Ready",
            defaultAssignedType="User",
            defaultAssignedTo="JobCreator($job)",
        )
        made = await create(world, template)
        job = await world.job(made.job_ids[0])
        assert (made.auto_executed, made.message) == (False, None)
        assert (job.name, job.description, job.priority, job.status) == ("Visit 1 of 1", "Look at it", "High", "Ready")
        assert (job.owned_by, job.created_by, job.percent_complete, job.closed) == (ADMIN, ADMIN, 0, False)
        assert (job.start_ms, job.due_ms, job.started_ms, job.ended_ms) == (job.created_ms, None, None, None)
        (current,) = job.flow.steps
        assert (current.step_id, current.assignment, current.state) == ("only", user(ADMIN), StepState.READY)


async def test_a_template_without_defaults_gives_a_plain_job(world: World) -> None:
    template = await world.template(
        ONE, defaultPriorityName=None, defaultAssignedType=None, defaultAssignedTo=None, defaultJobName=None
    )
    job = await world.job((await create(world, template)).job_ids[0])
    assert (job.name, job.priority, job.status) == ("JOB_1", "Low", "Created")
    assert job.flow.steps[0].assignment == UNASSIGNED


async def test_everything_a_caller_says_takes_the_place_of_the_default(world: World) -> None:
    group_id = await world.add_user("ana")
    template = await world.template(ONE, defaultDescription="default", defaultStatus="Ready")
    parent = await world.create(template)
    place = Location("Multipoint", '{"points":[[0,0]]}')
    said: dict[str, Any] = {
        "job_id": "own-id",
        "job_name": "Named [index]",
        "start_ms": 5 * DAY_MS,
        "due_ms": 4 * DAY_MS,
        "priority": "Critical",
        "description": "",
        "owned_by": "ana",
        "assignment": Assignment(AssignedType.GROUP, group_id),
        "percent_complete": 12.5,
        "job_status": "Mine",
        "notes": "a note",
        "parent_job": parent,
        "location": place,
    }
    if "Critical" not in await _priorities(world):
        said["priority"] = (await _priorities(world))[-1]
    made = await create(world, template, **said)
    job = await world.job("own-id")
    assert made.job_ids == ["own-id"]
    found = {name: getattr(job, name) for name in said if hasattr(job, name)}
    assert found == {name: value for name, value in said.items() if name in found}
    assert (job.name, job.status) == ("Named [index]", "Mine")
    assert job.flow.steps[0].assignment == said["assignment"]
    assert job.created_by == ADMIN


async def _priorities(world: World) -> list[str]:
    return await world.query(lambda unit: [name for name, _ in unit.tx.lookups(unit.item, "priority")])


async def test_numbers_in_names_run_on_and_are_used_only_where_names_have_them(world: World) -> None:
    numbered = await world.template(ONE, defaultJobName="N[index]")
    plain = await world.template(ONE, defaultJobName="plain")
    names = []
    for template, overrides in (
        (numbered, {"number_of_jobs": 2}),
        (plain, {}),
        (numbered, {"job_name": "own", "number_of_jobs": 2}),
        (numbered, {}),
    ):
        made = await create(world, template, **overrides)
        names += [(await world.job(job_id)).name for job_id in made.job_ids]
    assert names == ["N1", "N2", "plain", "own", "own", "N3"]


START = "2030-01-10T00:00:00Z"


@pytest.mark.parametrize(
    ("defaults", "start", "due"),
    [
        ({"jobStartDateType": "SpecificDate", "defaultStartDate": START}, START, None),
        ({"jobStartDateType": "CreationDate", "defaultStartDate": START}, None, None),
        (
            {
                "jobStartDateType": "SpecificDate",
                "defaultStartDate": START,
                "defaultJobDuration": 1.5,
                "defaultDueDate": "2031-01-01T00:00:00Z",
            },
            START,
            "2030-01-11T12:00:00Z",
        ),
        (
            {
                "jobStartDateType": "SpecificDate",
                "defaultStartDate": START,
                "defaultDueDate": "2031-01-01T00:00:00Z",
            },
            START,
            "2031-01-01T00:00:00Z",
        ),
        (
            {
                "jobStartDateType": "SpecificDate",
                "defaultStartDate": START,
                "defaultDueDate": "2030-01-01T00:00:00Z",
            },
            START,
            None,
        ),
        ({"defaultDueDate": "2001-01-01T00:00:00Z"}, None, None),
    ],
    ids=["specific", "creation", "duration wins", "date", "date before start", "date in the past"],
)
async def test_start_and_due_follow_the_template(
    world: World, defaults: dict[str, Any], start: str | None, due: str | None
) -> None:
    job = await world.job((await create(world, await world.template(ONE, **defaults))).job_ids[0])
    assert job.start_ms == (parse_time(start) if start else job.created_ms)
    assert job.due_ms == (parse_time(due) if due else None)


async def test_a_duration_counts_from_the_start_that_the_caller_says(world: World) -> None:
    template = await world.template(ONE, defaultJobDuration=2)
    job = await world.job((await create(world, template, start_ms=10 * DAY_MS)).job_ids[0])
    assert job.due_ms == 12 * DAY_MS


async def test_a_job_is_pinned_to_the_version_that_is_active_when_it_is_created(world: World) -> None:
    template = await world.template(ONE)
    job = await world.job((await create(world, template)).job_ids[0])
    assert job.diagram_version == 1


# ---------------------------------------------------------------- extended properties


TABLES = [
    {
        "tableName": "site",
        "relationshipType": "OneToOne",
        "extendedPropertyDefinitions": [
            {"propertyName": "acres", "dataType": "Double", "defaultValue": "1"},
            {"propertyName": "owner", "dataType": "String", "required": True},
            {"propertyName": "note", "dataType": "String"},
        ],
    },
    {
        "tableName": "visits",
        "relationshipType": "OneToMany",
        "extendedPropertyDefinitions": [{"propertyName": "day", "dataType": "DateOnly", "required": True}],
    },
]


async def test_extended_properties_begin_with_their_defaults_and_what_the_caller_says(world: World) -> None:
    template = await world.template(ONE, extendedPropertyTableDefinitions=TABLES)
    made = await create(world, template, extended_properties=(("site.owner", "ana"), ("site.note", None)))

    def properties(unit: Unit) -> list[PropertyValue]:
        record = unit.tx.job(unit.item, made.job_ids[0])
        assert record is not None
        return unit.tx.properties(record)

    assert await world.query(properties) == [
        PropertyValue("site", "acres", Value("1", number=1.0)),
        PropertyValue("site", "owner", Value("ana")),
        PropertyValue("site", "note"),
    ]


# ---------------------------------------------------------------- refusals


REFUSALS: list[tuple[dict[str, Any], type[GatewayError], str]] = [
    ({"number_of_jobs": 0}, InvalidValue, "numberOfJobs"),
    ({"number_of_jobs": 1001}, InvalidValue, "numberOfJobs"),
    ({"job_id": "x", "number_of_jobs": 2}, InvalidValue, "jobId"),
    ({"job_id": "taken"}, Conflict, "taken"),
    ({"job_id": "deleted"}, Conflict, "deleted"),
    ({"percent_complete": -0.1}, InvalidValue, "percentComplete"),
    ({"job_name": "x" * 256}, InvalidValue, "jobName: it must have at most 255 characters"),
    ({"job_status": "x" * 101}, InvalidValue, "jobStatus: it must have at most 100 characters"),
    ({"percent_complete": 100.1}, InvalidValue, "percentComplete"),
    ({"owned_by": "nobody"}, InvalidValue, "ownedBy: there is no user"),
    ({"owned_by": "gone"}, InvalidValue, "ownedBy: there is no user"),
    ({"owned_by": "outsider"}, InvalidValue, "ownedBy: there is no user"),
    ({"parent_job": "nothing"}, InvalidValue, "parentJob"),
    ({"priority": "Unheard"}, InvalidValue, "priority"),
    ({"assignment": user("nobody")}, InvalidValue, "assignedTo"),
    ({"assignment": user("")}, InvalidValue, "assignedTo must name a user"),
    ({"assignment": user("gone")}, InvalidValue, "assignedTo"),
    ({"assignment": user("outsider")}, InvalidValue, "no role"),
    ({"assignment": Assignment(AssignedType.GROUP, "nothing")}, InvalidValue, "assignedTo"),
    ({"assignment": Assignment(AssignedType.GROUP, None)}, InvalidValue, "assignedTo must name a group"),
    ({"extended_properties": ()}, InvalidValue, "site.owner: it is required"),
    ({"extended_properties": (("site.owner", ""),)}, InvalidValue, "site.owner: it is required"),
    ({"extended_properties": (("site.unknown", "1"),)}, InvalidValue, "no property"),
    ({"extended_properties": (("visits.day", "1"),)}, InvalidValue, "no property"),
    ({"extended_properties": (("site.owner", "ana"), ("site.acres", "many"))}, InvalidValue, "'many' is not a number"),
    ({"related_rows": (("visits", {}),)}, InvalidValue, "visits.day: it is required"),
    ({"related_rows": (("visits", {"day": "today"}),)}, InvalidValue, "'today' is not a day"),
    ({"related_rows": (("visits", {"day": "2025-03-01", "x": "1"}),)}, InvalidValue, "no such property"),
    ({"related_rows": (("site", {"owner": "ana"}),)}, InvalidValue, "no table 'site' of several rows"),
]


async def test_what_makes_no_sense_creates_no_job(world: World) -> None:
    template = await world.template(ONE, extendedPropertyTableDefinitions=TABLES, defaultJobName="N[index]")
    owner: dict[str, Any] = {"extended_properties": (("site.owner", "ana"),)}
    for job_id in ("taken", "deleted"):
        await create(world, template, job_id=job_id, **owner)
    await world.execute(lambda unit: jobs.manage(unit, ManageType.DELETE, ["deleted"]))
    await world.add_user("gone")
    await world.execute(lambda unit: people.set_disabled(unit, "gone", disabled=True))
    await world.add_user("outsider", role=None)
    before = await _counted(world)
    for overrides, error, match in REFUSALS:
        with pytest.raises(error, match=match) as refused:
            await create(world, template, **(owner | overrides))
        assert (type(refused.value), overrides) == (error, overrides)
        assert (await _counted(world), overrides) == (before, overrides)
    following = await world.job((await create(world, template, **owner)).job_ids[0])
    assert following.name == "N3"


async def _counted(world: World) -> tuple[int, int]:
    """How many feed rows and jobs there are."""

    def count(unit: Unit) -> tuple[int, int]:
        on_diagrams = [unit.tx.jobs_on_diagram(unit.item, each.diagram_id) for each in unit.tx.diagrams(unit.item)]
        return unit.tx.last_feed_row(), sum(on_diagrams)

    return await world.query(count)


async def test_creating_needs_the_privilege(world: World) -> None:
    template = await world.template(ONE)
    await world.add_user("viewer", role="View Jobs")
    with pytest.raises(PermissionDenied, match="jobCreate"):
        await create(world, template, "viewer")


async def test_a_template_that_is_not_there_or_not_active_creates_nothing(world: World) -> None:
    with pytest.raises(NotFound) as missing:
        await create(world, "nothing")
    assert missing.value.name == "JobTemplateNotFound"
    draft = await world.template(ONE, state="Draft")
    with pytest.raises(RuleViolation) as inactive:
        await create(world, draft)
    assert inactive.value.name == "JobTemplateNotActive"
    without = await world.template(ONE, diagramId="nothing")
    with pytest.raises(RuleViolation) as no_diagram:
        await create(world, without)
    assert no_diagram.value.name == "DiagramNotActive"


async def test_a_default_assignment_that_cannot_be_worked_out_creates_nothing(world: World) -> None:
    template = await world.template(ONE, defaultAssignedTo="JobOwner($job).nothing()")
    with pytest.raises(ArcadeError):
        await create(world, template)


async def test_of_several_jobs_all_or_none_are_created(world: World) -> None:
    template = await world.template(ONE)
    before = await _counted(world)

    def create_and_fail(unit: Unit) -> None:
        made = jobs.create(unit, template, JobOverrides(number_of_jobs=3))
        jobs.create(unit, template, JobOverrides(job_id=made.job_ids[2]))

    with pytest.raises(Conflict):
        await world.execute(create_and_fail)
    assert await _counted(world) == before


async def test_the_id_of_a_deleted_job_is_never_used_again(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        template = await world.template(ONE)
        await create(world, template, job_id="once")
        await world.execute(lambda unit: jobs.manage(unit, ManageType.DELETE, ["once"]))
        with pytest.raises(Conflict) as refused:
            await create(world, template, job_id="once")
        assert refused.value.name == "JobIdInUse"


# ---------------------------------------------------------------- the first step


async def test_an_automatic_first_step_starts_by_itself(world: World) -> None:
    asks = await world.template([step("only", automatic=True)])
    made = await create(world, asks)
    assert made.auto_executed
    assert world.ear.types(made.job_ids[0]) == ["StepStarted", "StepInfoRequired"]
    done = await create(world, await world.template(SERVES_ITSELF))
    assert done.auto_executed
    assert (await world.job(done.job_ids[0])).flow.is_complete
    assert world.ear.types(done.job_ids[0]) == ["StepStarted", "StepFinished", "JobUpdated"]


async def test_an_automatic_first_step_that_needs_a_person_waits_for_one(world: World) -> None:
    template = await world.template([step("only", automatic=True)])
    made = await create(world, template, assignment=UNASSIGNED)
    assert not made.auto_executed
    assert (await world.job(made.job_ids[0])).flow.current("only").state is StepState.READY


async def test_a_scheduled_first_step_is_held(world: World) -> None:
    schedule = {"scheduleType": "Duration", "timeDuration": 1, "timeType": "Hours"}
    made = await create(world, await world.template([step("only", automatic=True, args={}, schedule=schedule)]))
    assert not made.auto_executed
    (hold,) = (await world.job(made.job_ids[0])).flow.holds
    assert hold.scheduled_release_ms is not None
    assert world.ear.types(made.job_ids[0]) == ["StepHeld"]
    assert await world.store.read(lambda tx: tx.next_timer_ms("me")) == hold.scheduled_release_ms
