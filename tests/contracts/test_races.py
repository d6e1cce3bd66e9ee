"""Use cases that meet each other: whatever the order of commits, nothing is lost and nothing happens twice."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest

from app.domain.commands import Action, Finish, ManageType, ReleaseHold, Run, SetHold
from app.domain.job import Answer, Job, StepState
from app.errors import InvalidValue, NotFound, RuleViolation
from app.services import answers, diagrams, jobs, templates
from app.services.engine import Unit
from app.services.updating import JobUpdate, update_job
from tests.conftest import Settings
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

ROUNDS = 40
SEED = 20261122


@pytest.fixture
async def world(backend_settings: Settings) -> AsyncIterator[World]:
    async with open_world(backend_settings) as opened:
        yield opened


async def test_a_hold_that_waits_for_a_job_that_is_being_finished_never_stays_for_ever(world: World) -> None:
    """The race: A's hold reads "B is not done" while B's finish reads "nobody waits for me"; both commit."""
    template = await world.template([step("only", canSkip=True)])
    for _ in range(ROUNDS):
        held, awaited = await world.create(template), await world.create(template)
        await asyncio.gather(
            world.act(held, SetHold(("only",), dependent_job_id=awaited)), world.act(awaited, Finish(("only",)))
        )
        assert (await world.job(held)).flow.holds == ()
        assert (await world.job(awaited)).flow.is_complete


async def test_two_jobs_that_ask_to_wait_for_each_other_do_not_both_get_it(world: World) -> None:
    template = await world.template([step("only")])
    for _ in range(ROUNDS):
        one, two = await world.create(template), await world.create(template)
        results = await asyncio.gather(
            world.act(one, SetHold(dependent_job_id=two)),
            world.act(two, SetHold(dependent_job_id=one)),
            return_exceptions=True,
        )
        refused = [result for result in results if isinstance(result, BaseException)]
        assert [type(error) for error in refused] == [InvalidValue]
        assert "wait for each other" in str(refused[0])
        assert len((await world.job(one)).flow.holds) + len((await world.job(two)).flow.holds) == 1


async def test_a_circle_over_three_jobs_is_found_whoever_closes_it(world: World) -> None:
    template = await world.template([step("only")])
    a, b, c = [await world.create(template) for _ in range(3)]
    results = await asyncio.gather(
        *(world.act(waits, SetHold(dependent_job_id=awaited)) for waits, awaited in ((a, b), (b, c), (c, a))),
        return_exceptions=True,
    )
    assert sum(isinstance(result, InvalidValue) for result in results) == 1


async def test_two_siblings_that_finish_into_one_join_at_once_both_succeed_and_open_it_once(world: World) -> None:
    template = await world.template(
        [
            step("fork", "Manual", "left", "right", canSkip=True),
            step("left", "Manual", "join", canSkip=True),
            step("right", "Manual", "join", canSkip=True),
            step("join"),
        ]
    )
    for _ in range(ROUNDS):
        job_id = await world.create(template)
        await world.act(job_id, Finish(("fork",)))
        done = await asyncio.gather(world.act(job_id, Finish(("left",))), world.act(job_id, Finish(("right",))))
        assert all(decision.success for decision in done)
        job = await world.job(job_id)
        assert [current.step_id for current in job.flow.steps] == ["join"]
        assert job.flow.pending == ()
        lines = await world.history(job_id)
        assert [line.step_id for line in lines if line.action == "Activated"].count("join") == 1


async def test_a_chain_of_jobs_is_set_free_from_end_to_end_in_one_transaction(world: World) -> None:
    """Each job waits for the next one and then finishes by itself, so the last finish runs through all of them."""
    manual = await world.template([step("only", canSkip=True)])
    last = await world.create(manual)
    chain = [last]
    gate = await world.template([step("gate", "Manual", "auto", canSkip=True), step("auto", automatic=True, args={})])
    for _ in range(30):
        job_id = await world.create(gate)
        await world.act(job_id, SetHold(("auto",), dependent_job_id=chain[-1]))
        await world.act(job_id, Finish(("gate",)))
        assert (await world.job(job_id)).flow.step("auto") is not None
        chain.append(job_id)
    await world.act(last, Finish(("only",)))
    assert all([(await world.job(job_id)).flow.is_complete for job_id in chain])


QUESTION = {
    "question": "Which?",
    "questionResponses": {"Yes": {"value": 1, "order": 0}, "No": {"value": 0, "order": 1}},
}


async def test_of_two_people_who_answer_at_once_one_is_applied_and_one_already_answered(world: World) -> None:
    rng = random.Random(SEED)
    group = await world.add_user("ana")
    await world.join("admin", group)
    template = await world.template(
        [step("ask", "Question", "end", args=QUESTION), step("end", canSkip=True)],
        defaultAssignedType="Group",
        defaultAssignedTo=group,
    )
    for _ in range(ROUNDS):
        job_id = await world.create(template)
        assert (await world.act(job_id, Run(("ask",)))).success
        people = ["admin", "ana"]
        rng.shuffle(people)
        receipts = await asyncio.gather(*(_answer_after(world, job_id, name, rng.random() / 500) for name in people))
        assert sorted(receipt.stage for receipt in receipts) == ["rejected", "stored"]
        late = next(receipt for receipt in receipts if receipt.stage == "rejected")
        assert late.reason == "already_answered"
        await world.ear.until(partial(_has_finished, world, job_id))
        assert world.ear.types(job_id).count("StepFinished") == 1


def _has_finished(world: World, job_id: str) -> bool:
    return "StepFinished" in world.ear.types(job_id)


async def _answer_after(world: World, job_id: str, username: str, pause_s: float) -> answers.AnswerReceipt:
    await asyncio.sleep(pause_s)
    return await world.answer(job_id, "ask", Answer(question_response=1), username)


async def test_the_same_request_id_gets_the_same_verdict_again_however_often(world: World) -> None:
    template = await world.template([step("ask", "Question", "end", args=QUESTION), step("end", canSkip=True)])
    job_id = await world.create(template)
    await world.act(job_id, Run())

    def send(unit: Unit) -> answers.AnswerReceipt:
        answer = Answer(question_response=1)
        return answers.store(unit, job_id=job_id, step_id="ask", answer=answer, request_id="r-1")

    first, again = await asyncio.gather(world.execute(send), world.execute(send))
    assert {first.answer_id} == {again.answer_id}
    await world.ear.until(lambda: world.ear.verdicts)
    later = await world.execute(send)
    assert (later.stage, later.answer_id) == ("applied", first.answer_id)
    assert len(world.ear.verdicts) == 1


async def test_holding_and_releasing_from_many_sides_leaves_a_feed_without_gap_or_repeat(world: World) -> None:
    template = await world.template([step("only")])
    job_id = await world.create(template)
    actions: list[Action] = [SetHold(("only",)), ReleaseHold(("only",))] * 25
    await asyncio.gather(*(world.act(job_id, action) for action in actions))
    feed = await world.query(lambda unit: unit.tx.feed(unit.item, job_id, 0))
    assert [message.seq for message in feed] == list(range(1, len(feed) + 1))
    assert await world.query(lambda unit: unit.tx.check_feed(unit.item, job_id)) == []
    job = await world.job(job_id)
    assert job.flow.current("only").state is StepState.READY


async def test_a_dependency_ends_when_its_step_is_finished_also_if_a_loop_leads_straight_back_to_it(
    world: World,
) -> None:
    """After the transaction the step is current again; judged by that alone the hold would stay."""
    loop = await world.template([step("again", "Manual", "again", canSkip=True)])
    waiting, awaited = await world.create(await world.template([step("only")])), await world.create(loop)
    await world.act(waiting, SetHold(("only",), dependent_job_id=awaited, dependent_step_id="again"))
    await world.act(awaited, Finish(("again",)))
    assert (await world.job(awaited)).flow.step("again") is not None
    assert (await world.job(waiting)).flow.holds == ()


async def test_two_jobs_that_ask_to_be_below_each_other_do_not_both_get_it(world: World) -> None:
    """The race: each reads that the other has no parent, and both commit."""
    template = await world.template([step("only")])
    for _ in range(ROUNDS // 2):
        one, two = await world.create(template), await world.create(template)
        results = await asyncio.gather(
            *(
                world.execute(partial(update_job, job_id=job_id, wanted=JobUpdate({"parent_job": parent})))
                for job_id, parent in ((one, two), (two, one))
            ),
            return_exceptions=True,
        )
        (refused,) = [result for result in results if result is not None]
        assert isinstance(refused, InvalidValue)
        assert "comes below it" in str(refused)


async def test_a_version_that_is_deleted_while_jobs_are_made_from_it_leaves_none_without_a_diagram(
    world: World,
) -> None:
    """The race: the deletion counts no jobs while one is being made from the version, or upgraded to it; both commit.

    A newer version is activated just before, so that the one being deleted is the newest for some and not for others.
    """
    for number in range(ROUNDS // 4):
        template_id = await world.template([step("only")])
        diagram_id = (await world.query(lambda unit, name=template_id: templates.read(unit, name))).diagram_id  # type: ignore[misc]
        old = await world.create(template_id)
        await _activate(world, diagram_id)

        async def activate_and_delete(name: str = diagram_id) -> None:
            await _activate(world, name)
            await world.execute(lambda unit: diagrams.delete_version(unit, name, 2))

        results = await asyncio.gather(
            *(world.create(template_id) for _ in range(3)),
            world.execute(lambda unit, name=old: jobs.manage(unit, ManageType.UPGRADE, [name])),  # type: ignore[misc]
            activate_and_delete(),
            return_exceptions=True,
        )
        assert not [each for each in results[:4] if isinstance(each, BaseException)]
        assert results[4] is None or isinstance(results[4], RuleViolation), f"round {number}"
        for job_id in (old, *(each for each in results[:3] if isinstance(each, str))):
            job = await world.job(job_id)
            assert await _has_version(world, job)


async def test_a_template_that_is_deleted_while_jobs_are_made_from_it_stays_or_makes_none(world: World) -> None:
    """The race: the deletion counts no jobs while one is being made; both commit."""
    for _ in range(ROUNDS // 4):
        template_id = await world.template([step("only")])
        made, deleted = await asyncio.gather(
            world.create(template_id),
            world.execute(lambda unit, name=template_id: templates.delete(unit, name)),  # type: ignore[misc]
            return_exceptions=True,
        )
        assert isinstance(made, NotFound) != isinstance(deleted, RuleViolation)


async def _activate(world: World, diagram_id: str) -> None:
    """Activate one more version, like the newest."""

    def put(unit: Unit) -> None:
        newest = diagrams.read(unit, diagram_id)
        unit.tx.lock_item(unit.item)
        diagram = replace(newest.diagram, version=newest.diagram.version + 1)
        unit.tx.put_diagram(unit.item, replace(newest, diagram=diagram))

    await world.execute(put)


async def _has_version(world: World, job: Job) -> bool:
    found = await world.query(lambda unit: unit.tx.diagram(unit.item, job.diagram_id, job.diagram_version))
    return found is not None
