"""Answers: the first valid one is stored and counts, whatever happens until it is applied, and it is applied once."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from app.domain.commands import Finish, ManageType, Run, SetCurrentStep, SetHold, Stop
from app.domain.job import Answer, AssignedType, Assignment, StepState
from app.errors import Conflict, InvalidValue, NotFound
from app.services import answers, jobs, people
from app.services.answers import AnswerReceipt
from app.services.ports import AnswerRecord
from tests.conftest import Settings
from tests.services.traces import refused, trace
from tests.support.world import World, open_world, step, user

pytestmark = pytest.mark.anyio

QUESTION = {"question": "Which?", "questionResponses": {"Yes": {"value": 1}, "No": {"value": 0}}}
ASK = [step("ask", "Question", "end", args=QUESTION), step("end")]
YES, NO = Answer(question_response=1), Answer(question_response=0)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings) as opened:
        yield opened


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Stored answers are not applied by themselves: the test stands between storing and applying."""
    monkeypatch.setattr("app.steps.runner.Runner.answered", lambda *_: None)
    return monkeypatch


async def asked(world: World, steps: list[dict[str, object]] | None = None, **members: object) -> str:
    """A job that waits for an answer to its first step."""
    job_id = await world.create(await world.template(steps or ASK, **members))
    assert (await world.act(job_id, Run())).success
    return job_id


async def give(
    world: World,
    job_id: str,
    answer: Answer = YES,
    by: str = "admin",
    *,
    step_id: str = "ask",
    request_id: str | None = None,
    prompt_id: str | None = None,
) -> AnswerReceipt:
    return await world.execute(
        lambda unit: answers.store(
            unit, job_id=job_id, step_id=step_id, answer=answer, request_id=request_id, prompt_id=prompt_id
        ),
        by,
    )


async def apply(world: World, receipt: AnswerReceipt) -> AnswerRecord | None:
    assert receipt.answer_id is not None
    answer_id = receipt.answer_id
    return await world.execute(lambda unit: answers.apply(unit, answer_id), None)


# ---------------------------------------------------------------- storing


@pytest.mark.usefixtures("slow")
async def test_a_stored_answer_closes_the_prompt_and_nothing_comes_between_it_and_its_effect(
    backend_settings: Settings,
) -> None:
    async with open_world(backend_settings) as world:
        job_id = await asked(world)
        await world.add_user("ben")
        prompt_id = (await world.job(job_id)).flow.current("ask").last_run.prompt_id
        receipt = await give(world, job_id, request_id="r1")
        assert (receipt.stage, receipt.prompt_id, receipt.request_id) == ("stored", prompt_id, "r1")
        assert world.ear.types(job_id) == ["StepStarted", "StepInfoRequired", "StepProgress"]
        before = await trace(world, job_id)
        for action in (Stop(), SetHold(), Run(), Finish(), SetCurrentStep(("end",))):
            assert (await world.act(job_id, action)).outcomes[0].status == "AlreadyExecuting"
        for kind in (ManageType.CLOSE, ManageType.DELETE, ManageType.UPGRADE):
            managed = await world.execute(partial(jobs.manage, kind=kind, job_ids=[job_id]))
            assert managed.name == "JobRunning"
        second = await give(world, job_id, NO)
        assert (second.stage, second.reason, second.answer_id) == ("rejected", "already_answered", None)
        assert await trace(world, job_id) == before


async def test_why_an_answer_is_not_taken_and_that_it_leaves_no_trace(world: World) -> None:
    await world.add_user("ben")
    job_id, ready, closed = await asked(world), *[await world.create(await world.template(ASK)) for _ in range(2)]
    await world.execute(lambda unit: jobs.manage(unit, ManageType.CLOSE, [closed]))
    cases = [
        (job_id, YES, "ben", "ask", None, "not_allowed"),
        (job_id, Answer(question_response=7), "admin", "ask", None, "invalid"),
        (job_id, Answer(manual_response=True), "admin", "ask", None, "invalid"),
        (job_id, Answer(question_response=1, comment="x" * 10_001), "admin", "ask", None, "invalid"),
        (job_id, YES, "admin", "ask", "another prompt", "not_waiting"),
        (job_id, YES, "admin", "end", None, "not_waiting"),
        (job_id, YES, "admin", "nothing", None, "not_waiting"),
        (ready, YES, "admin", "ask", None, "not_waiting"),
        (closed, YES, "admin", "ask", None, "not_waiting"),
    ]
    for job, answer, by, step_id, prompt_id, reason in cases:
        before = await trace(world, job)
        receipt = await give(world, job, answer, by, step_id=step_id, prompt_id=prompt_id, request_id="r")
        assert (receipt.stage, receipt.reason, receipt.answer_id) == ("rejected", reason, None)
        assert receipt.msg
        assert await trace(world, job) == before
    with pytest.raises(NotFound):
        await give(world, "nothing")
    async with refused(world, job_id, InvalidValue, match="requestId"):
        await give(world, job_id, request_id="r" * 129)


async def test_a_step_that_was_answered_and_left_says_who_was_quicker(world: World) -> None:
    job_id = await asked(world)
    first = await give(world, job_id)
    await world.ear.until(lambda: world.ear.verdicts)
    late = await give(world, job_id, NO)
    assert (late.reason, "'admin' has answered" in str(late.msg)) == ("already_answered", True)
    named = await give(world, job_id, NO, prompt_id=first.prompt_id)
    assert named.reason == "already_answered"
    other = await give(world, job_id, NO, prompt_id="another")
    assert other.reason == "not_waiting"


async def test_a_request_id_that_answered_one_question_does_not_answer_another(backend_settings: Settings) -> None:
    """The fault: a client that counts its requests from 1 again was told "applied", and its answer was lost."""
    steps = [step("ask", "Question", "again", args=QUESTION), step("again", "Question", args=QUESTION, automatic=True)]
    async with open_world(backend_settings) as world:
        job_id = await asked(world, steps)
        await give(world, job_id, request_id="1")
        await world.ear.until(lambda: world.ear.verdicts)
        async with refused(world, job_id, Conflict, name="RequestIdInUse"):
            await give(world, job_id, step_id="again", request_id="1")
        async with refused(world, job_id, Conflict, name="RequestIdInUse"):
            await give(world, job_id, request_id="1", prompt_id="another prompt")
        assert (await give(world, job_id, step_id="again", request_id="2")).stage == "stored"


async def test_request_ids_belong_to_their_user(world: World) -> None:
    group_id = await world.add_user("ana")
    await world.join("admin", group_id)
    job_id = await asked(world, defaultAssignedType="Group", defaultAssignedTo=group_id)
    assert (await give(world, job_id, by="ana", request_id="r")).stage == "stored"
    assert (await give(world, job_id, request_id="r")).reason == "already_answered"


# ---------------------------------------------------------------- applying


@pytest.mark.usefixtures("slow")
async def test_an_answer_is_applied_once(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        job_id = await asked(world)
        receipt = await give(world, job_id, request_id="r1")
        verdict = await apply(world, receipt)
        assert verdict is not None
        assert (verdict.stage, verdict.reason, verdict.request_id) == ("applied", None, "r1")
        assert world.ear.verdicts == [verdict]
        before = await trace(world, job_id)
        assert await apply(world, receipt) is None
        assert await apply(world, AnswerReceipt(job_id, "ask", "stored", 999)) is None
        assert await trace(world, job_id) == before
        again = await give(world, job_id, request_id="r1")
        assert (again.stage, again.answer_id) == ("applied", receipt.answer_id)


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("fate", ["removed", "disabled", "demoted"])
async def test_an_answer_counts_whatever_becomes_of_its_giver(backend_settings: Settings, fate: str) -> None:
    async with open_world(backend_settings) as world:
        group_id = await world.add_user("ana")
        job_id = await world.create(await world.template(ASK), assignment=user("ana"))
        await world.act(job_id, Run(), "ana")
        answer = Answer(question_response=1, comment="seen it")
        receipt = await give(world, job_id, answer, "ana")
        if fate == "removed":
            await world.execute(lambda unit: people.remove_user(unit, "ana"))
        elif fate == "disabled":
            await world.execute(lambda unit: people.set_disabled(unit, "ana", disabled=True))
        else:
            await world.execute(lambda unit: people.link_role(unit, group_id, "Workflow Administrator", linked=False))
        verdict = await apply(world, receipt)
        assert verdict is not None
        assert verdict.stage == "applied"
        lines = [(line.action, line.username, line.step_id) for line in await world.history(job_id)]
        assert lines[-3:] == [("Added", "ana", None), ("Finished", "ana", "ask"), ("Activated", "ana", "end")]


@pytest.mark.usefixtures("slow")
async def test_an_answer_that_has_become_wrong_is_rejected_and_the_question_is_open_again(
    backend_settings: Settings,
) -> None:
    async with open_world(backend_settings) as world:
        await world.add_user("ben")
        job_id = await asked(world, [step("ask", "AdvancedAssignment", "end"), step("end")])
        receipt = await give(world, job_id, Answer(assignment_response="ben"), request_id="r1")
        await world.execute(lambda unit: people.remove_user(unit, "ben"))
        verdict = await apply(world, receipt)
        assert verdict is not None
        assert (verdict.stage, verdict.reason) == ("rejected", "invalid")
        assert world.ear.verdicts == [verdict]
        current = (await world.job(job_id)).flow.current("ask")
        assert (current.state, current.last_run.prompt_id) == (StepState.WAITING, receipt.prompt_id)
        assert world.ear.types(job_id)[2:] == ["StepProgress", "StepInfoRequired"]
        again = await give(world, job_id, Answer(assignment_response="ben"), request_id="r1")
        assert (again.stage, again.reason) == ("rejected", "invalid")
        right = await give(world, job_id, Answer(assignment_response="admin"), request_id="r2")
        verdict = await apply(world, right)
        assert verdict is not None
        assert verdict.stage == "applied"


async def test_an_answer_that_says_it_failed_ends_in_an_error_of_the_user(world: World) -> None:
    job_id = await asked(world, [step("ask", "Manual", "end"), step("end")])
    await give(world, job_id, Answer(manual_response=False))
    await world.ear.until(lambda: world.ear.verdicts)
    assert world.ear.verdicts[0].stage == "applied"
    assert world.ear.bodies(job_id, "StepError")[0]["msgCode"] == "USER_FAILED"
    assert (await world.job(job_id)).flow.current("ask").state is StepState.FAILED


async def test_a_step_that_does_not_proceed_is_worked_on_after_its_answer_until_finish(world: World) -> None:
    job_id = await asked(world, [step("ask", "OpenApp", "end", proceedNext=False), step("end")])
    await give(world, job_id, Answer(open_app_response=True))
    await world.ear.until(lambda: world.ear.verdicts)
    assert world.ear.types(job_id)[2:] == ["StepProgress", "StepProgress"]
    assert (await world.job(job_id)).flow.current("ask").state is StepState.HANDLED
    assert (await world.act(job_id, Finish())).success


async def test_a_name_that_is_no_users_is_looked_for_among_the_groups(world: World) -> None:
    group_id = await world.add_user("ana")
    job_id = await asked(world, [step("ask", "AdvancedAssignment", "end"), step("end")])
    await give(world, job_id, Answer(assignment_response=group_id))
    await world.ear.until(lambda: world.ear.verdicts)
    assert (await world.job(job_id)).flow.current("end").assignment == Assignment(AssignedType.GROUP, group_id)
