"""The lines of a job's history: one for each thing that happened, with who, when and what came of it (rest.md 14.6)."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from app.domain.commands import Action, Finish, ManageType, ReleaseHold, Run, SetCurrentStep, SetHold, Stop
from app.domain.events import StepProgressed
from app.domain.job import Answer, PropertyResponse
from app.services import history, jobs
from tests.conftest import Settings
from tests.support.world import World, open_world, step, user

pytestmark = pytest.mark.anyio

SITE = [
    {
        "tableName": "site",
        "extendedPropertyDefinitions": [
            {"propertyName": "acres", "dataType": "Double"},
            {"propertyName": "owner", "dataType": "String"},
        ],
    }
]

Line = tuple[str, str | None]
"""An action and the step it is about."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings) as opened:
        yield opened


STORIES: dict[str, tuple[list[dict[str, object]], list[tuple[Action, list[Line]]]]] = {
    "run, stop, run, finish, to the end": (
        [step("one", "Manual", "two"), step("two", canSkip=True)],
        [
            (Run(), [("Started", "one")]),
            (Run(), []),
            (Stop(), [("Paused", "one")]),
            (Run(), [("Started", "one")]),
            (Finish(), [("Finished", "one"), ("Activated", "two")]),
            (Finish(), [("Finished", "two"), ("Completed", None)]),
        ],
    ),
    "a question is cancelled": (
        [step("ask", "Question", args={"questionResponses": {"Yes": {"value": 1}}})],
        [(Run(), [("Started", "ask")]), (Stop(), [("Cancelled", "ask")])],
    ),
    "an automatic step starts and finishes by itself": (
        [step("one", "Manual", "two", args={}), step("two", automatic=True, args={})],
        [
            (
                Run(),
                [
                    ("Started", "one"),
                    ("Finished", "one"),
                    ("Activated", "two"),
                    ("Started", "two"),
                    ("Finished", "two"),
                    ("Completed", None),
                ],
            )
        ],
    ),
    "holds are set and released": (
        [step("one", "Manual", "two"), step("two")],
        [
            (SetHold(("one", "two")), [("Held", "one"), ("Held", "two")]),
            (SetHold(("one",), scheduled_release_ms=1), [("Held", "one"), ("HoldReleased", "one")]),
            (ReleaseHold(), [("HoldReleased", "one"), ("HoldReleased", "two")]),
        ],
    ),
    "a step is set": (
        [step("one", "Manual", "two"), step("two")],
        [
            (SetCurrentStep(("two",)), [("Deactivated", "one"), ("Activated", "two")]),
            (SetCurrentStep(("two",)), []),
        ],
    ),
}


@pytest.mark.parametrize("story", STORIES)
async def test_every_action_leaves_its_lines(world: World, story: str) -> None:
    steps, acts = STORIES[story]
    job_id = await world.create(await world.template(steps, defaultJobName="Visit [index]"))
    lines = await world.history(job_id)
    assert [(line.action, line.step_id, line.result) for line in lines] == [
        ("Created", None, "Visit 1"),
        ("Activated", steps[0]["id"], None),
    ]
    for action, expected in acts:
        before = len(lines)
        await world.act(job_id, action)
        lines = await world.history(job_id)
        assert ([(line.action, line.step_id) for line in lines[before:]], action) == (expected, action)
    assert {line.username for line in lines} == {"admin"}


async def test_a_finished_step_tells_when_its_run_began_and_ended(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        steps = [step("one", "Manual", "two"), step("two", canSkip=True)]
        job_id = await world.create(await world.template(steps))
        await world.act(job_id, Run())
        started_ms = (await world.job(job_id)).flow.current("one").last_run.started_ms
        await world.act(job_id, Finish())
        await world.act(job_id, Finish())
        finished, skipped = [line for line in await world.history(job_id) if line.action == "Finished"]
        assert (finished.start_ms, finished.end_ms, finished.result) == (started_ms, finished.date_ms, None)
        assert started_ms <= finished.date_ms
        assert (skipped.start_ms, skipped.end_ms, skipped.result) == (None, skipped.date_ms, "Skipped")


async def test_what_was_given_taken_and_changed_is_named(world: World) -> None:
    asked = {"properties": [{"identifier": "site.acres"}, {"identifier": "site.owner"}]}
    await world.add_user("Ana")
    steps = [step("fill", "UpdateJobProperties", "place", args=asked), step("place", "DefineLocation", automatic=True)]
    job_id = await world.create(await world.template(steps, extendedPropertyTableDefinitions=SITE))
    other = await world.create(await world.template([step("only")]))
    await world.execute(lambda unit: jobs.assign(unit, job_id, "fill", user("Ana")))
    await world.execute(lambda unit: jobs.assign(unit, job_id, "fill", user("admin")))
    await world.act(job_id, SetHold(dependent_job_id=other))
    await world.act(other, Run())
    await world.execute(lambda unit: jobs.add_comment(unit, job_id, "hello"), "Ana")
    await world.act(other, Finish())
    await world.act(job_id, Run())
    given = (PropertyResponse("site.acres", "1"), PropertyResponse("site.owner", "ana"))
    await world.answer(job_id, "fill", Answer(property_responses=given))
    await world.ear.until(lambda: len(world.ear.verdicts) == 1)
    await world.answer(job_id, "place", Answer(location='{"points":[[0,0]],"spatialReference":{"wkid":102100}}'))
    await world.ear.until(lambda: len(world.ear.verdicts) == 2)
    lines = [(line.action, line.username, line.result) for line in await world.history(job_id)]
    held = f"The step is on hold, set by 'admin', until job {other!r} is done."
    for expected in (
        ("Reassigned", "admin", "Assigned to the user 'Ana'"),
        ("DependencyAdded", "admin", held),
        ("Added", "Ana", "Comment"),
        ("HoldReleased", "system", None),
        ("Updated", "admin", "site.acres, site.owner"),
        ("Added", "admin", "Location"),
    ):
        assert lines.count(expected) == 1, expected


async def test_a_failed_run_names_its_fault(world: World) -> None:
    job_id = await world.create(await world.template([step("serve", "WebRequest")]))
    await world.act(job_id, Run())
    await world.ear.until(lambda: "StepError" in world.ear.types(job_id))
    line = (await world.history(job_id))[-1]
    assert (line.action, line.username, line.step_id) == ("Error", "system", "serve")
    assert "no executor" in str(line.result)


async def test_a_job_that_is_closed_and_reopened_says_so_for_its_steps_too(world: World) -> None:
    job_id = await world.create(await world.template([step("one")], defaultFinalStatus="Done"))
    for kind in (ManageType.CLOSE, ManageType.REOPEN):
        await world.execute(partial(jobs.manage, kind=kind, job_ids=[job_id]))
    lines = [(line.action, line.step_id, line.result) for line in await world.history(job_id)]
    assert lines[2:] == [("Closed", None, "Done"), ("Reopened", None, None), ("Reactivated", "one", None)]


async def test_a_deleted_jobs_history_goes_with_it_and_its_feed_stays(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        job_id = await world.create(await world.template([step("one")]))
        await world.act(job_id, Run())
        await world.act(job_id, Stop())
        record = await world.record(job_id)
        assert record is not None
        await world.execute(lambda unit: jobs.manage(unit, ManageType.DELETE, [job_id]))
        assert await world.query(lambda unit: unit.tx.history(record)) == []
        assert [message.msg_type for message in await world.feed(job_id)][-2:] == ["StepPaused", "JobUpdated"]


def test_an_event_that_is_no_news_for_people_adds_no_line() -> None:
    assert history.entries(StepProgressed("one", "half", "HALF"), 1, "ana") == []
