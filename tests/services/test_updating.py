"""Updates of jobs: what changes, who may change it, what is refused, and how it is told."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.access import Role
from app.domain.changes import MEMBERS
from app.domain.commands import ManageType, Run
from app.domain.job import AssignedType, Assignment, DataVersion
from app.errors import InvalidValue, NotFound, PermissionDenied, RuleViolation
from app.services import jobs
from app.services.engine import Unit
from app.services.first_start import ADMIN
from app.services.queries import job as read_job
from app.services.updating import JobUpdate, RowUpdate, update_job
from tests.conftest import Settings
from tests.services.traces import refused, trace
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

TABLES = [
    {
        "tableName": "site",
        "extendedPropertyDefinitions": [
            {"propertyName": "acres", "dataType": "Double", "defaultValue": "1"},
            {"propertyName": "owner", "dataType": "String", "required": True, "defaultValue": "ana", "fieldLength": 8},
            {"propertyName": "number", "dataType": "Integer", "defaultValue": "7", "editable": False},
        ],
    },
    {
        "tableName": "visits",
        "relationshipType": "OneToMany",
        "extendedPropertyDefinitions": [
            {"propertyName": "day", "dataType": "DateOnly", "required": True},
            {"propertyName": "note", "dataType": "String"},
        ],
    },
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings) as opened:
        yield opened


async def new_job(world: World, **overrides: Any) -> str:
    template = await world.template(
        [step("one", "Manual", "two"), step("two")], extendedPropertyTableDefinitions=TABLES
    )
    return await world.create(template, **overrides)


async def update(world: World, job_id: str, username: str = ADMIN, **wanted: Any) -> None:
    await world.execute(lambda unit: update_job(unit, job_id, JobUpdate(**wanted)), username)


async def grant(world: World, username: str, *privileges: str) -> None:
    """Add a user with exactly these privileges."""
    group = await world.add_user(username, role=None)

    def link(unit: Unit) -> None:
        unit.tx.put_role(unit.item, Role(f"{username}'s", "", privileges))
        unit.tx.link_role(unit.item, group, f"{username}'s", True)
        unit.tx.bump_access(unit.item)

    await world.execute(link)


async def shown(world: World, job_id: str) -> Any:
    return await world.query(lambda unit: read_job(unit, job_id, with_properties=True))


async def test_everything_that_is_sent_changes_at_once_and_is_told_once(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        await grant(world, "ben", "jobUpdatePercentComplete", *(member.privilege for member in MEMBERS.values()))
        job_id, parent = await new_job(world), await new_job(world)
        members = {
            "name": "New name",
            "start_ms": 1_000,
            "due_ms": 2_000,
            "priority": "High",
            "description": "d",
            "owned_by": "ben",
            "percent_complete": 12.5,
            "status": "Ready",
            "notes": "n",
            "parent_job": parent,
        }
        await world.execute(lambda unit: jobs.assign(unit, job_id, None, Assignment(AssignedType.USER, "ben")))
        heard = len(world.ear.messages)
        version = DataVersion("parcels", name="ana.J1")
        await update(world, job_id, "ben", members=members, versions=(version,))
        found = await world.job(job_id)
        assert {name: getattr(found, name) for name in members} == members
        assert found.versions == (version,)
        (message,) = world.ear.messages[heard:]
        told = json.loads(message.body)["message"]["properties"]["jobProperties"]
        assert {each["propertyName"]: each["value"] for each in told} == {
            "job_name": "New name",
            "start_date": "1970-01-01T00:00:01Z",
            "due_date": "1970-01-01T00:00:02Z",
            "priority": "High",
            "description": "d",
            "owned_by": "ben",
            "percent_complete": "12.5",
            "job_status": "Ready",
            "notes": "n",
            "parent_job": parent,
            "versions": "ana.J1",
        }
        last = (await world.history(job_id))[-1]
        assert (last.action, last.username) == ("Updated", "ben")
        assert last.result == ", ".join(MEMBERS)
        assert (await shown(world, job_id)).active_versions[0].data_source_name == "parcels"


async def test_properties_and_related_rows_change_together(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        rows = (("visits", {"day": "2025-03-01", "note": "first"}), ("visits", {"day": "2025-03-02"}))
        job_id = await new_job(world, related_rows=rows)
        first, second = (await shown(world, job_id)).related_properties[0].entries
        await update(
            world,
            job_id,
            properties={"site.acres": " 2.50 ", "site.owner": "ben"},
            row_adds=(("visits", {"day": "2025-03-03"}),),
            row_updates=(RowUpdate("visits", first.id, {"note": "again"}),),
            row_deletes=(("visits", second.id),),
        )
        after = await shown(world, job_id)
        assert [(each.property_name, each.value) for each in after.extended_properties[0].properties] == [
            ("acres", "2.50"),
            ("owner", "ben"),
            ("number", "7"),
        ]
        kept, added = after.related_properties[0].entries
        assert (kept.id, kept.created_date) == (first.id, first.created_date)
        assert [[(each.property_name, each.value) for each in row.properties] for row in (kept, added)] == [
            [("day", "2025-03-01"), ("note", "again")],
            [("day", "2025-03-03"), ("note", None)],
        ]
        (told,) = world.ear.bodies(job_id, "JobUpdated")
        assert told["properties"]["relatedProperties"] == [
            {
                "tableName": "visits",
                "adds": [
                    {
                        "id": added.id,
                        "properties": [
                            {"propertyName": "day", "value": "2025-03-03"},
                            {"propertyName": "note", "value": None},
                        ],
                    }
                ],
                "updates": [{"id": first.id, "properties": [{"propertyName": "note", "value": "again"}]}],
                "deletes": [second.id],
            }
        ]
        assert (await world.history(job_id))[-1].result == "site.acres, site.owner, visits"


async def test_what_is_sent_as_it_is_needs_no_privilege_and_changes_nothing(world: World) -> None:
    """Clients send the whole job back: only what differs counts."""
    await grant(world, "ben", "jobUpdateNotes")
    job_id = await new_job(world, owned_by="ben", due_ms=5_000)
    job = await world.job(job_id)
    same = {"name": job.name, "due_ms": 5_000, "priority": job.priority, "percent_complete": 0.0, "status": job.status}
    before = await trace(world, job_id)
    properties = {"site.acres": "1", "site.number": "7"}
    await update(world, job_id, "ben", members=same, properties=properties)
    assert await trace(world, job_id) == before
    await update(world, job_id, "ben", members={**same, "notes": "new"}, properties=properties)
    assert world.ear.bodies(job_id, "JobUpdated")[0]["properties"] == {
        "jobProperties": [{"propertyName": "notes", "value": "new"}]
    }


@pytest.mark.parametrize("member", MEMBERS.values(), ids=MEMBERS)
async def test_each_member_needs_its_own_privilege(world: World, member: Any) -> None:
    others = {each.privilege for each in MEMBERS.values()} - {member.privilege}
    await grant(world, "ben", *others)
    job_id = await new_job(world, owned_by="ben")
    parent = await new_job(world)
    values = {"start_ms": 1, "due_ms": 1, "owned_by": ADMIN, "percent_complete": 5.0, "parent_job": parent}
    versions = (DataVersion("s", name="v"),) if member.attribute == "versions" else ()
    wanted = {} if versions else {member.attribute: values.get(member.attribute, "High")}
    fault = f"{member.wire} needs the privilege {member.privilege}"
    async with refused(world, job_id, PermissionDenied, match=fault):
        await update(world, job_id, "ben", members=wanted, versions=versions)


async def test_extended_and_related_properties_need_their_privilege(world: World) -> None:
    await grant(world, "ben", "jobUpdateName")
    job_id = await new_job(world, owned_by="ben")
    for wanted in ({"properties": {"site.acres": "2"}}, {"row_adds": (("visits", {"day": "2025-03-01"}),)}):
        async with refused(world, job_id, PermissionDenied, match="jobUpdateExtendedProperties"):
            await update(world, job_id, "ben", members={"name": "x"}, **wanted)


async def test_only_owner_assignee_and_administrators_may(world: World) -> None:
    await grant(world, "ben", "jobUpdateNotes")
    await grant(world, "eve", "jobUpdateNotes", "adminAdvanced")
    job_id = await new_job(world)
    async with refused(world, job_id, PermissionDenied, match="neither owns the job"):
        await update(world, job_id, "ben", members={"notes": "1"})
    await update(world, job_id, "eve", members={"notes": "2"})
    await world.execute(lambda unit: jobs.assign(unit, job_id, None, Assignment(AssignedType.USER, "ben")))
    await update(world, job_id, "ben", members={"notes": "3"})
    assert (await world.job(job_id)).notes == "3"


async def test_a_running_job_changes_only_for_the_step_that_is_named(world: World) -> None:
    job_id = await new_job(world)
    await world.act(job_id, Run())
    for other in (None, "two"):
        async with refused(world, job_id, RuleViolation, name="JobRunning"):
            await update(world, job_id, members={"notes": "1"}, running_step_id=other)
    await update(world, job_id, members={"notes": "2"}, running_step_id="one")
    assert (await world.job(job_id)).notes == "2"


async def test_a_closed_job_does_not_change(world: World) -> None:
    job_id = await new_job(world)
    await world.execute(lambda unit: jobs.manage(unit, ManageType.CLOSE, [job_id]))
    async with refused(world, job_id, RuleViolation, name="JobClosed"):
        await update(world, job_id, members={"notes": "1"})


async def test_an_unknown_priority_becomes_the_lowest_and_an_empty_parent_none(world: World) -> None:
    parent = await new_job(world)
    job_id = await new_job(world, priority="High", parent_job=parent)
    await update(world, job_id, members={"priority": "Unheard", "parent_job": None})
    job = await world.job(job_id)
    assert (job.priority, job.parent_job) == ("Low", None)


async def test_a_version_takes_the_place_of_the_one_of_its_source(world: World) -> None:
    job_id = await new_job(world)
    await update(world, job_id, versions=(DataVersion("a", name="1"), DataVersion("b", name="1")))
    await update(world, job_id, versions=(DataVersion("a", name="2"),))
    assert (await world.job(job_id)).versions == (DataVersion("a", name="2"), DataVersion("b", name="1"))


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"members": {"name": ""}}, "jobName: it must have a value"),
    ({"members": {"status": ""}}, "jobStatus"),
    ({"members": {"owned_by": "nobody"}}, "no user 'nobody'"),
    ({"members": {"owned_by": "outsider"}}, "no user 'outsider' with a role in this item"),
    ({"members": {"name": "x" * 256}}, "jobName: it must have at most 255 characters"),
    ({"members": {"status": "x" * 101}}, "jobStatus: it must have at most 100 characters"),
    ({"members": {"parent_job": "nothing"}}, "no job 'nothing'"),
    ({"members": {"parent_job": "self"}}, "is the job itself"),
    ({"members": {"parent_job": "child"}}, "comes below it"),
    ({"properties": {"site.acres": "many"}}, "site.acres: 'many' is not a number"),
    ({"properties": {"site.owner": "much too long"}}, "at most 8"),
    ({"properties": {"site.owner": None}}, "required"),
    ({"properties": {"site.number": "8"}}, "site.number: this property is not for editing"),
    ({"properties": {"site.unknown": "1"}}, "no property of this name"),
    ({"properties": {"visits.day": "2025-03-01"}}, "no property of this name"),
    ({"row_adds": (("visits", {"note": "x"}),)}, "visits.day: it is required"),
    ({"row_adds": (("site", {}),)}, "no table 'site' of several rows"),
    ({"row_updates": (RowUpdate("visits", "0", {}),)}, "no row '0'"),
    ({"row_deletes": (("visits", "0"),)}, "no row '0'"),
]


async def test_what_makes_no_sense_changes_nothing(world: World) -> None:
    await world.add_user("outsider", role=None)
    await new_job(world, job_id="self")
    await new_job(world, job_id="child", parent_job="self")
    for wanted, match in REFUSED:
        async with refused(world, "self", InvalidValue, match=match):
            await update(world, "self", **wanted)
    with pytest.raises(NotFound):
        await update(world, "nothing", members={"notes": "1"})
