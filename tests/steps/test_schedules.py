"""Schedules: one job for each moment, by whoever added the automation, and none is lost or made twice."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.domain.access import Role
from app.domain.job import AutomationType, Origin
from app.domain.schedule import DAY_MS
from app.protocol.automations import AutomationsBody, AutomationUpdate
from app.protocol.search import SearchBody
from app.services import automations, schedules, search, templates
from app.services.engine import Unit, new_id
from app.services.first_start import ADMIN
from app.services.ports import Automation, DueAutomation, Group
from tests.conftest import Settings
from tests.support import eventually
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

SOON_MS = 150


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """SQLite, where the database does not matter."""
    async with open_world({"data_dir": tmp_path / "data"}) as opened:
        yield opened


async def scheduled(world: World, due_ms: int, details: str = "", *, state: str = "Active", **members: Any) -> str:
    """A template with a daily schedule that is due then; returns the automation's id."""
    template_id = await world.template([step("one")], state=state)
    known: dict[str, Any] = {
        "automation_id": new_id(),
        "template_id": template_id,
        "name": "A",
        "automation_type": AutomationType.SCHEDULED,
        "enabled": True,
        "details": details or '{"timeType":"HourOfDay"}',
        "secret": None,
        "created_by": ADMIN,
        "set_ms": due_ms - 10 * DAY_MS,
        "next_ms": due_ms,
    }
    automation = Automation(**(known | members))

    def put(unit: Unit) -> None:
        unit.tx.put_automation(unit.item, automation)
        unit.effects.timers_changed = True

    await world.execute(put)
    return automation.automation_id


async def automation(world: World, automation_id: str) -> Automation:
    found = await world.query(lambda unit: unit.tx.automation(unit.item, automation_id))
    assert found is not None
    return found


async def moved_on(world: World, automation_id: str, due_ms: int) -> Automation:
    """The automation, once the moment is dealt with."""

    async def is_later() -> bool:
        return (await automation(world, automation_id)).next_ms != due_ms

    await eventually(is_later)
    return await automation(world, automation_id)


async def jobs_of(world: World, automation_id: str) -> list[str]:
    """The ids of the jobs of an automation's template."""
    template_id = (await automation(world, automation_id)).template_id
    body = SearchBody(q=f"jobTemplateId='{template_id}'", fields=["jobId"])
    return [str(row[0]) for row in (await world.query(lambda unit: search.jobs(unit, body))).results]


async def test_a_job_is_made_when_its_moment_comes_and_not_before(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        due_ms = world.store.now_ms() + SOON_MS
        made_by = await scheduled(world, due_ms, state="Automated")
        after = await moved_on(world, made_by, due_ms)
        (job_id,) = await jobs_of(world, made_by)
        job = await world.job(job_id)
        assert job.created_ms >= due_ms
        assert (job.created_by, job.owned_by) == (ADMIN, ADMIN)
        assert job.origin == Origin(made_by, AutomationType.SCHEDULED)
        assert [line.action for line in await world.history(job_id)] == ["Created", "Activated"]
        assert (after.occurrences, after.last_ms, after.last_error) == (1, due_ms, None)
        assert after.next_ms is not None
        assert after.next_ms % DAY_MS == 0
        assert after.next_ms > due_ms


async def test_moments_that_were_missed_make_one_job_at_the_next_start(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        await world.runner.close()
        now_ms = world.store.now_ms()
        due_ms = now_ms - now_ms % DAY_MS - 5 * DAY_MS
        made_by = await scheduled(world, due_ms)
    async with open_world(backend_settings) as world:
        after = await moved_on(world, made_by, due_ms)
        assert len(await jobs_of(world, made_by)) == 1
        assert (after.occurrences, after.last_ms) == (1, due_ms + 5 * DAY_MS)
        assert after.next_ms is not None
        assert after.next_ms > now_ms


async def test_nodes_that_see_the_same_moment_make_one_job(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as one, open_world(backend_settings) as two:
        due_ms = one.store.now_ms() + SOON_MS
        made_by = await scheduled(one, due_ms)
        two.runner.timers_changed()
        await moved_on(two, made_by, due_ms)
        assert len(await jobs_of(one, made_by)) == 1


async def test_of_many_that_make_the_job_of_a_moment_at_once_one_does(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        await world.runner.close()
        due_ms = world.store.now_ms()
        made_by = await scheduled(world, due_ms)
        make = partial(schedules.make_job_when_due, due=DueAutomation("any", made_by, due_ms))
        made = await asyncio.gather(*(world.execute(make, None) for _ in range(8)))
        assert [each for each in made if each is not None] == await jobs_of(world, made_by)
        assert (await automation(world, made_by)).occurrences == 1


async def test_an_edit_at_the_same_time_neither_undoes_a_job_nor_makes_it_twice(backend_settings: Settings) -> None:
    """An edit that had read the schedule before its job was made would set the moment back."""
    async with open_world(backend_settings) as world:
        await world.runner.close()
        due_ms = world.store.now_ms()
        made_by = await scheduled(world, due_ms)
        template_id = (await automation(world, made_by)).template_id
        make = partial(schedules.make_job_when_due, due=DueAutomation("any", made_by, due_ms))
        body = AutomationsBody(updates=[AutomationUpdate(made_by, automation_name="Renamed")])
        rename = partial(automations.edit, template_id=template_id, body=body)
        await asyncio.gather(
            *(world.execute(each, user) for _ in range(6) for each, user in ((rename, ADMIN), (make, None)))
        )
        after = await automation(world, made_by)
        assert (after.name, after.occurrences) == ("Renamed", 1)
        assert after.next_ms != due_ms
        assert len(await jobs_of(world, made_by)) == 1


async def test_a_moment_that_has_not_come_or_is_another_one_by_now_makes_no_job(world: World) -> None:
    await world.runner.close()
    now_ms = world.store.now_ms()
    made_by = await scheduled(world, now_ms + DAY_MS)
    for due_ms in (now_ms + DAY_MS, now_ms, now_ms - DAY_MS):
        due = DueAutomation("any", made_by, due_ms)
        assert await world.execute(partial(schedules.make_job_when_due, due=due), None) is None
        assert await world.execute(partial(schedules.skip_when_due, due=due, reason="x"), None) is False
    gone = DueAutomation("any", "gone", now_ms)
    assert await world.execute(partial(schedules.make_job_when_due, due=gone), None) is None
    assert (await jobs_of(world, made_by), (await automation(world, made_by)).last_error) == ([], None)


async def test_a_job_that_cannot_be_made_is_told_and_the_schedule_goes_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    due_ms = world.store.now_ms() + SOON_MS
    made_by = await scheduled(world, due_ms, state="Retired")
    after = await moved_on(world, made_by, due_ms)
    assert "is Retired" in (after.last_error or "")
    assert after.last_error_ms is not None
    assert (after.occurrences, after.last_ms, await jobs_of(world, made_by)) == (0, None, [])
    assert after.next_ms is not None
    assert after.next_ms > due_ms
    assert f"the automation {made_by} made no job" in caplog.text


async def test_the_next_job_clears_the_error(world: World) -> None:
    due_ms = world.store.now_ms() + SOON_MS
    made_by = await scheduled(world, due_ms, last_error="No.", last_error_ms=5)
    after = await moved_on(world, made_by, due_ms)
    assert (after.last_error, after.last_error_ms, after.occurrences) == (None, None, 1)


@pytest.mark.parametrize("fault", ["gone", "disabled", "no role", "no privilege", "not shared"])
async def test_who_has_added_a_schedule_must_be_allowed_to_create_jobs_when_it_is_due(world: World, fault: str) -> None:
    """Judged then, not when it was added; nothing is made in the name of somebody who may not."""
    await add_author(world, fault)
    due_ms = world.store.now_ms() + SOON_MS
    made_by = await scheduled(world, due_ms, created_by="author")
    if fault == "not shared":
        template_id = (await automation(world, made_by)).template_id
        await world.execute(lambda unit: templates.share(unit, template_id, ["others"]))
    after = await moved_on(world, made_by, due_ms)
    assert "author" in (after.last_error or "")
    assert await jobs_of(world, made_by) == []


async def add_author(world: World, fault: str) -> None:
    def add(unit: Unit) -> None:
        unit.tx.put_role(unit.item, Role("Creators", "", () if fault == "no privilege" else ("jobCreate",)))
        unit.tx.add_group(Group("others", "Others"))

    await world.execute(add)
    await world.add_user("author", role=None if fault == "no role" else "Creators")

    def take(unit: Unit) -> None:
        if fault == "disabled":
            unit.tx.set_disabled("author", True)
        if fault == "gone":
            unit.tx.delete_user("author")
        unit.tx.bump_access(unit.item)

    await world.execute(take)


async def test_a_schedule_ends_with_its_last_occurrence(world: World) -> None:
    due_ms = world.store.now_ms() + SOON_MS
    made_by = await scheduled(world, due_ms, '{"timeType":"HourOfDay","maxOccurrences":2}', occurrences=1)
    after = await moved_on(world, made_by, due_ms)
    assert (after.occurrences, after.next_ms, len(await jobs_of(world, made_by))) == (2, None, 1)


async def test_a_mistake_of_the_server_does_not_end_a_schedule_and_is_not_shown(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.services.schedules.create", lambda *_: 1 / 0)
    due_ms = world.store.now_ms() + SOON_MS
    after = await moved_on(world, await scheduled(world, due_ms), due_ms)
    assert after.last_error == "The server made a mistake. Its log says which."
    assert "ZeroDivisionError" in caplog.text


async def test_schedules_go_on_after_a_database_that_was_away(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.cable.unplug()
    world.runner.timers_changed()
    await world.cable.refused()
    world.cable.plug()
    due_ms = world.store.now_ms() + SOON_MS
    made_by = await scheduled(world, due_ms)
    assert (await moved_on(world, made_by, due_ms)).occurrences == 1
    assert "schedules wait" in caplog.text
