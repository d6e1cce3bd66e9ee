"""Assigning, commenting and managing jobs, one and many; a refused call leaves no trace."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.commands import Action, Finish, ManageType, ReleaseHold, Run, SetCurrentStep, SetHold
from app.domain.job import UNASSIGNED, AssignedType, Assignment
from app.errors import GatewayError, InvalidValue, NotFound, PermissionDenied, RuleViolation
from app.protocol.diagrams import parse_diagram
from app.services import jobs, people
from app.services.engine import Unit
from app.services.first_start import ADMIN
from app.services.ports import DiagramRecord
from tests.conftest import Settings
from tests.services.traces import refused, trace
from tests.steps.executors import Scripted, at_once
from tests.support.world import World, open_world, step, user

pytestmark = pytest.mark.anyio

TWO = [step("one", "Manual", "two", canSkip=True), step("two", canSkip=True)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings) as opened:
        yield opened


def group(group_id: str | None) -> Assignment:
    return Assignment(AssignedType.GROUP, group_id)


async def assign(
    world: World, job_id: str, assignment: Assignment, step_id: str | None = "one", by: str = ADMIN
) -> None:
    await world.execute(lambda unit: jobs.assign(unit, job_id, step_id, assignment), by)


async def manage(world: World, kind: ManageType, *job_ids: str, by: str = ADMIN) -> jobs.Managed:
    return await world.execute(lambda unit: jobs.manage(unit, kind, list(job_ids)), by)


async def add_version(world: World, job_id: str, steps: list[dict[str, Any]]) -> None:
    """Activate one more version of the diagram that a job follows."""
    job = await world.job(job_id)
    body = json.dumps({"diagramName": job.diagram_name, "steps": steps}).encode()

    def put(unit: Unit) -> None:
        diagram = parse_diagram(body, diagram_id=job.diagram_id, version=job.diagram_version + 1)
        unit.tx.put_diagram(unit.item, DiagramRecord(diagram, body, None, unit.now_ms, ADMIN))

    await world.execute(put)


# ---------------------------------------------------------------- assign


async def test_a_step_is_given_to_a_user_a_group_and_nobody(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        group_id = await world.add_user("ana")
        job_id = await world.create(await world.template(TWO))
        ignored = Assignment(AssignedType.UNASSIGNED, "ana")
        for wanted, step_id in ((user("ana"), "one"), (group(group_id), None), (ignored, "one"), (user("ana"), None)):
            await assign(world, job_id, wanted, step_id)
        bodies = world.ear.bodies(job_id, "StepReassigned")
        assert [(body["assignedType"], body.get("assignedTo")) for body in bodies] == [
            ("User", "ana"),
            ("Group", group_id),
            ("Unassigned", None),
            ("User", "ana"),
        ]
        assert (await world.job(job_id)).flow.current("one").assignment == user("ana")


async def test_the_same_assignee_again_is_told_again(world: World) -> None:
    job_id = await world.create(await world.template(TWO))
    await assign(world, job_id, user(ADMIN))
    assert world.ear.types(job_id) == ["StepReassigned"]


REFUSED: list[tuple[Assignment, str | None, str, type[GatewayError], str]] = [
    (user("nobody"), "one", ADMIN, InvalidValue, "there is no user 'nobody'"),
    (user("gone"), "one", ADMIN, InvalidValue, "there is no user 'gone'"),
    (user(""), "one", ADMIN, InvalidValue, "must name a user"),
    (group(None), "one", ADMIN, InvalidValue, "must name a group"),
    (group("nothing"), "one", ADMIN, InvalidValue, "there is no group"),
    (user("outsider"), "one", ADMIN, RuleViolation, "no role"),
    (user(ADMIN), "two", ADMIN, RuleViolation, "not a current step"),
    (user(ADMIN), "nothing", ADMIN, RuleViolation, "not a current step"),
    (user("viewer"), "one", "viewer", PermissionDenied, "may not assign"),
    (user("viewer"), None, "basic", PermissionDenied, "jobAssignGroup"),
]
NAMES = {"no role": "NoRole", "not a current step": "StepNotCurrent"}


async def test_an_assignment_that_may_not_be_leaves_no_trace(world: World) -> None:
    await world.add_user("viewer", role="View Jobs")
    await world.add_user("basic", role="Manage Jobs - Basic")
    outsiders = await world.add_user("outsider", role=None)
    await world.add_user("gone")
    await world.execute(lambda unit: people.set_disabled(unit, "gone", disabled=True))
    job_id = await world.create(await world.template(TWO))
    for wanted, step_id, by, error, match in REFUSED:
        async with refused(world, job_id, error, match=match, name=NAMES.get(match)):
            await assign(world, job_id, wanted, step_id, by)
    async with refused(world, job_id, RuleViolation, match="The group .* has no role", name="NoRole"):
        await assign(world, job_id, group(outsiders))


async def test_a_running_step_and_a_closed_or_finished_job_are_not_assigned(world: World) -> None:
    template = await world.template(TWO)
    running, closed, done = [await world.create(template) for _ in range(3)]
    await world.act(running, Run())
    await manage(world, ManageType.CLOSE, closed)
    for _ in range(2):
        await world.act(done, Finish())
    for job_id, name in ((running, "StepRunning"), (closed, "JobClosed"), (done, "StepNotCurrent")):
        async with refused(world, job_id, RuleViolation, name=name):
            await assign(world, job_id, UNASSIGNED, None)
    with pytest.raises(NotFound) as missing:
        await assign(world, "nothing", UNASSIGNED)
    assert missing.value.name == "JobNotFound"


# ---------------------------------------------------------------- actions that are refused as a whole


async def test_a_call_that_is_refused_as_a_whole_leaves_no_trace(world: World) -> None:
    await world.add_user("basic", role="View Jobs")
    template = await world.template(TWO)
    job_id, other = await world.create(template), await world.create(template)
    await world.act(other, SetHold(dependent_job_id=job_id))
    cases: list[tuple[Action, str, type[GatewayError], str | None]] = [
        (SetHold(), "basic", PermissionDenied, None),
        (ReleaseHold(), "basic", PermissionDenied, None),
        (SetCurrentStep(("two",)), "basic", PermissionDenied, None),
        (SetCurrentStep(), ADMIN, InvalidValue, None),
        (SetCurrentStep(("one", "two")), ADMIN, InvalidValue, None),
        (SetHold(dependent_step_id="one"), ADMIN, InvalidValue, None),
        (ReleaseHold(dependent_step_id="one"), ADMIN, InvalidValue, None),
        (SetHold(dependent_job_id=job_id), ADMIN, InvalidValue, None),
        (SetHold(dependent_job_id="nothing"), ADMIN, InvalidValue, "JobNotFound"),
        (SetHold(dependent_job_id=other, dependent_step_id="nothing"), ADMIN, InvalidValue, None),
        (SetHold(dependent_job_id=other), ADMIN, InvalidValue, None),
    ]
    for action, by, error, name in cases:
        async with refused(world, job_id, error, name=name):
            await world.act(job_id, action, by)


async def test_an_action_that_is_refused_for_every_step_leaves_no_trace(world: World) -> None:
    job_id = await world.create(await world.template(TWO))
    await world.add_user("ben")
    before = await trace(world, job_id)
    for action, by in ((Run(), "ben"), (Finish(("two",)), ADMIN), (Run(("nothing",)), ADMIN), (ReleaseHold(), ADMIN)):
        decision = await world.act(job_id, action, by)
        assert not decision.success
    assert await trace(world, job_id) == before


# ---------------------------------------------------------------- comments


async def test_a_comment_is_kept_told_and_possible_on_a_closed_job(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        await world.add_user("ana", role="View Jobs")
        job_id = await world.create(await world.template(TWO))
        await manage(world, ManageType.CLOSE, job_id)
        comment_id = await world.execute(lambda unit: jobs.add_comment(unit, job_id, "Näh, so nicht 🙂"), "ana")
        record = await world.record(job_id)
        assert record is not None
        (comment,) = await world.query(lambda unit: unit.tx.comments(record))
        assert (comment.comment_id, comment.comment, comment.by) == (comment_id, "Näh, so nicht 🙂", "ana")
        (told,) = world.ear.bodies(job_id, "JobCommentUpdated")
        assert told["adds"][0]["commentId"] == comment_id


@pytest.mark.parametrize("comment", ["", " \n", "x" * 10_001])
async def test_a_comment_that_is_none_leaves_no_trace(world: World, comment: str) -> None:
    job_id = await world.create(await world.template(TWO))
    async with refused(world, job_id, InvalidValue):
        await world.execute(lambda unit: jobs.add_comment(unit, job_id, comment))


# ---------------------------------------------------------------- manage


async def test_jobs_that_are_not_refused_are_done_whatever_becomes_of_the_others(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        template = await world.template(TWO, defaultFinalStatus="Done")
        free, running, other = [await world.create(template) for _ in range(3)]
        await world.act(running, Run())
        before = await trace(world, running)
        managed = await manage(world, ManageType.CLOSE, free, running, "nothing", other, free)
        assert [(job.job_id, job.success, job.name) for job in managed.jobs] == [
            (free, True, None),
            (running, False, "JobRunning"),
            ("nothing", False, "JobNotFound"),
            (other, True, None),
        ]
        assert (managed.success, managed.name) == (False, "JobRunning")
        assert managed.message == managed.jobs[1].message
        assert await trace(world, running) == before
        for job_id in (free, other):
            job = await world.job(job_id)
            assert (job.closed, job.closed_by, job.status) == (True, ADMIN, "Done")
            assert job.ended_ms is not None


async def test_what_manage_refuses_leaves_no_trace(world: World) -> None:
    await world.add_user("viewer", role="View Jobs")
    job_id = await world.create(await world.template(TWO))
    for kind in ManageType:
        async with refused(world, job_id, PermissionDenied):
            await manage(world, kind, job_id, by="viewer")
    async with refused(world, job_id, InvalidValue):
        await manage(world, ManageType.CLOSE)
    async with refused(world, job_id, InvalidValue):
        await manage(world, ManageType.CLOSE, *(str(number) for number in range(1001)))
    before = await trace(world, job_id)
    assert [job.name for job in (await manage(world, ManageType.REOPEN, job_id)).jobs] == ["JobNotClosed"]
    assert await trace(world, job_id) == before


async def test_a_closed_job_is_closed_again_without_a_trace_and_goes_on_when_it_is_reopened(world: World) -> None:
    job_id = await world.create(await world.template(TWO))
    await manage(world, ManageType.CLOSE, job_id)
    before = await trace(world, job_id)
    assert (await manage(world, ManageType.CLOSE, job_id)).success
    assert await trace(world, job_id) == before
    assert (await world.act(job_id, Finish())).outcomes[0].status == "JobClosed"
    assert (await manage(world, ManageType.REOPEN, job_id)).success
    job = await world.job(job_id)
    assert (job.closed, job.closed_by, job.ended_ms) == (False, None, None)
    assert (await world.act(job_id, Finish())).success


@pytest.mark.parametrize("kind", [ManageType.CLOSE, ManageType.DELETE])
async def test_a_job_that_is_closed_or_deleted_sets_free_what_waited_for_it(
    backend_settings: Settings, kind: ManageType
) -> None:
    async with open_world(backend_settings) as world:
        template = await world.template(TWO)
        awaited, whole, part = [await world.create(template) for _ in range(3)]
        await world.act(whole, SetHold(dependent_job_id=awaited))
        await world.act(part, SetHold(dependent_job_id=awaited, dependent_step_id="two"))
        assert (await manage(world, kind, awaited)).success
        for job_id in (whole, part):
            assert (await world.job(job_id)).flow.holds == ()
            assert world.ear.types(job_id) == ["StepHeld", "StepHoldReleased"]
            assert world.ear.bodies(job_id, "StepHoldReleased")[0]["releasedBy"] == "system"


async def test_jobs_that_are_deleted_together_with_what_they_wait_for_are_all_gone(world: World) -> None:
    template = await world.template(TWO)
    awaited, waiting = await world.create(template), await world.create(template)
    await world.act(waiting, SetHold(dependent_job_id=awaited))
    assert (await manage(world, ManageType.DELETE, awaited, waiting)).success
    assert [await world.record(job_id) for job_id in (awaited, waiting)] == [None, None]
    assert [message.msg_type for message in await world.feed(waiting)] == [
        "StepHeld",
        "StepHoldReleased",
        "JobUpdated",
    ]


# ---------------------------------------------------------------- upgrade


async def test_a_job_follows_the_newest_version_and_keeps_where_it_is(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        job_id = await world.create(await world.template(TWO))
        await world.act(job_id, SetHold(("two",)))
        await add_version(world, job_id, [step("one", "Manual", "three", canSkip=True), step("three")])
        visit = (await world.job(job_id)).flow.current("one")
        assert (await manage(world, ManageType.UPGRADE, job_id)).success
        job = await world.job(job_id)
        assert (job.diagram_version, job.flow.steps, job.flow.holds) == (2, (visit,), ())
        assert world.ear.types(job_id) == ["StepHoldsUpdated", "StepHoldsUpdated", "JobUpdated"]
        before = await trace(world, job_id)
        assert (await manage(world, ManageType.UPGRADE, job_id)).success
        assert await trace(world, job_id) == before
        await world.act(job_id, Finish())
        assert [current.step_id for current in (await world.job(job_id)).flow.steps] == ["three"]


async def test_a_job_whose_step_is_gone_from_the_newest_version_stays(world: World) -> None:
    job_id = await world.create(await world.template(TWO))
    await add_version(world, job_id, [step("other")])
    before = await trace(world, job_id)
    managed = await manage(world, ManageType.UPGRADE, job_id)
    assert managed.name == "StepNotInDiagram"
    assert await trace(world, job_id) == before


async def test_an_upgrade_that_opens_a_join_runs_on_into_steps_that_only_the_new_version_has(
    backend_settings: Settings,
) -> None:
    """The fault: the run's row was written by the old version, which does not know the step that begins to run."""
    fork = [step("fork", "Manual", "left", "right", canSkip=True), step("left", "Manual", "join", canSkip=True)]
    async with open_world(backend_settings, [Scripted(at_once)]) as world:
        job_id = await world.create(await world.template([*fork, step("right", "Manual", "join"), step("join")]))
        await world.act(job_id, Finish())
        await world.act(job_id, Finish(("left",)))
        assert [pending.step_id for pending in (await world.job(job_id)).flow.pending] == ["join"]
        automatic = step("join", "Manual", "new", args={}, automatic=True)
        serve = step("new", "WebRequest", automatic=True)
        await add_version(world, job_id, [*fork, step("right"), automatic, serve])
        assert (await manage(world, ManageType.UPGRADE, job_id)).success
        await world.ear.until(lambda: world.ear.types(job_id).count("StepFinished") == 4)
        assert [current.step_id for current in (await world.job(job_id)).flow.steps] == ["right"]


# ---------------------------------------------------------------- steps left behind


async def test_a_step_that_is_left_by_hand_on_its_second_visit_sets_free_what_waited_for_it(
    backend_settings: Settings,
) -> None:
    """The fault: nothing told the waiting job that the step, finished once, is not being worked on again any more."""
    async with open_world(backend_settings) as world:
        awaited = await world.create(
            await world.template([step("a", "Manual", "b", canSkip=True), step("b", "Manual", "c"), step("c")])
        )
        waiting = await world.create(await world.template(TWO))
        await world.act(awaited, Finish())
        await world.act(awaited, SetCurrentStep(("a",)))
        await world.act(waiting, SetHold(dependent_job_id=awaited, dependent_step_id="a"))
        assert len((await world.job(waiting)).flow.holds) == 1
        await world.act(awaited, SetCurrentStep(("c",)))
        assert (await world.job(waiting)).flow.holds == ()
