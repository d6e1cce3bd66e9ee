"""The main job, end to end: real processes, real databases, the clients that people use."""

import asyncio
import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from stepgate_client import ActionRefused, Answer, AnswerRejected, Client
from stepgate_client.messages import (
    JobUpdated,
    StepFinished,
    StepHeld,
    StepHoldReleased,
    StepInfoRequired,
    StepPaused,
    StepProgress,
    StepReassigned,
    StepStarted,
)
from tests.e2e.walker import ITEM, ORG, client_of, make_template, right_answer, walk, watching
from tests.support import ServerProcess, deadline
from tests.support.world import step

pytestmark = pytest.mark.anyio

REAL_DIAGRAM = Path(__file__).parents[3] / "shared" / "data" / "introduction-diagram.json"


async def new_colleague(server: ServerProcess) -> str:
    """Add a user who may do all that admin may; returns the name."""
    name = f"ana-{uuid.uuid4().hex[:8]}"
    await asyncio.to_thread(server.command, "user", "add", name, "--group", "Workflow Manager Admin Workflow")
    return name


def stepgate(server: ServerProcess, *arguments: str, stdin: str = "") -> str:
    """Run a terminal command against the server's URL as admin."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments, "--url", server.url],
        env={**os.environ, "STEPGATE_TOKEN": server.token()},
        input=stdin, capture_output=True, text=True, check=False, timeout=deadline(5),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_the_introduction_is_walked_to_its_end_with_answers_over_the_websocket(client: Client) -> None:
    job_id = (await client.create_jobs()).job_ids[0]
    async with watching(client, job_id) as watcher:
        turns = iter(["Yes"])

        async def answer(prompt: StepInfoRequired) -> None:
            choice = next(turns, None) if prompt.step_type == "Question" else None
            verdict = await client.answer(job_id, prompt.step_id, right_answer(prompt, choice))
            assert verdict.stage == "applied"

        left = await walk(client, watcher, job_id, answer=answer)
        await watcher.until(lambda: watcher.of(JobUpdated))
    assert left.count("Mark the place") == 2, "the question's first answer leads back to the place"
    assert left[-1] == "The end"
    assert watcher.seqs() == list(range(1, len(watcher.seqs()) + 1))
    job = await client.get_job(job_id)
    assert (job.percent_complete, job.closed, job.current_steps) == (100, False, [])
    assert watcher.of(StepFinished)[-1].current_steps == []


async def test_the_introduction_is_walked_to_its_end_with_answers_over_rest(client: Client) -> None:
    job_id = (await client.create_jobs()).job_ids[0]
    async with watching(client, job_id) as watcher:

        async def answer(prompt: StepInfoRequired) -> None:
            verdict = await client.answer_over_rest(job_id, prompt.step_id, right_answer(prompt, None))
            assert verdict.stage == "applied"

        assert (await walk(client, watcher, job_id, answer=answer))[-1] == "The end"
    assert watcher.seqs() == list(range(1, len(watcher.seqs()) + 1))


async def test_the_question_is_answered_from_the_terminal(server: ServerProcess, client: Client) -> None:
    job_id = (await client.create_jobs()).job_ids[0]
    async with watching(client, job_id) as watcher:

        async def answer(prompt: StepInfoRequired) -> None:
            if prompt.step_type != "Question":
                await client.answer(job_id, prompt.step_id, right_answer(prompt, None))
                return
            name = prompt.question_responses[-1].name
            said = await asyncio.to_thread(stepgate, server, "answer", job_id, "--value", name)
            assert "applied" in said or "taken" in said.lower(), said

        assert (await walk(client, watcher, job_id, answer=answer))[-1] == "The end"


async def test_a_scheduled_hold_is_told_keeps_the_step_from_running_and_ends_when_the_time_comes(
    server: ServerProcess, client: Client
) -> None:
    template = await make_template(server, [step("only")])
    job_id = (await client.create_jobs(template)).job_ids[0]
    async with watching(client, job_id) as watcher:
        until = datetime.now(UTC) + timedelta(seconds=2)
        until -= timedelta(microseconds=until.microsecond % 1000)  # the wire's moments are whole milliseconds
        await client.hold(job_id, "only", until=until)
        held = await watcher.next_of(StepHeld)
        assert held.scheduled_release == until
        with pytest.raises(ActionRefused) as refused:
            await client.run(job_id, "only")
        assert [each.status for each in refused.value.step_responses] == ["Held"]
        await watcher.next_of(StepHoldReleased, seconds=4)
        assert datetime.now(UTC) >= until
        await client.run(job_id, "only")
        await watcher.next_of(StepInfoRequired)


async def test_a_dependency_on_a_step_of_another_job_ends_when_that_step_is_finished(
    server: ServerProcess, client: Client
) -> None:
    template = await make_template(server, [step("one", "Manual", "two", canSkip=True), step("two", canSkip=True)])
    waiting, awaited = (await client.create_jobs(template, number_of_jobs=2)).job_ids
    async with watching(client, waiting) as watcher:
        await client.hold(waiting, "one", other_job_id=awaited, other_step_id="one")
        held = await watcher.next_of(StepHeld)
        assert held.dependency
        assert held.dependency_details is not None
        assert held.dependency_details.dependent_job_id == awaited
        with pytest.raises(ActionRefused):
            await client.finish(waiting, "one")
        await client.finish(awaited, "one")
        released = await watcher.next_of(StepHoldReleased)
        assert released.hold_ids == held.hold_ids
        await client.finish(waiting, "one")


async def test_a_reassigned_step_is_told_and_is_the_other_persons_from_then_on(
    server: ServerProcess, client: Client
) -> None:
    name = await new_colleague(server)
    template = await make_template(server, [step("only")])
    job_id = (await client.create_jobs(template)).job_ids[0]
    async with client_of(server, name) as ana, watching(ana, job_id) as watcher:
        await client.assign(job_id, "only", user=name)
        told = await watcher.next_of(StepReassigned)
        assert (told.assigned_type, told.assigned_to) == ("User", name)
        with pytest.raises(ActionRefused) as refused:
            await client.run(job_id, "only")
        assert [each.status for each in refused.value.step_responses] == ["AssignedToDifferentUser"]
        await ana.run(job_id, "only")
        prompt = await watcher.next_of(StepInfoRequired)
        assert prompt.user_prompt == "Do it"


async def test_who_a_question_is_not_for_sees_that_it_is_asked_but_not_what(
    server: ServerProcess, client: Client
) -> None:
    name = await new_colleague(server)
    template = await make_template(server, [step("only")])
    job_id = (await client.create_jobs(template)).job_ids[0]
    async with client_of(server, name) as ana, watching(ana, job_id) as hers, watching(client, job_id) as his:
        await client.run(job_id)
        full, short = await his.next_of(StepInfoRequired), await hers.next_of(StepInfoRequired)
        assert (full.user_prompt, short.user_prompt) == ("Do it", None)
        assert (full.seq, full.prompt_id, short.allowed_actions) == (short.seq, short.prompt_id, 0)
        with pytest.raises(AnswerRejected) as rejected:
            await ana.answer(job_id, "only", Answer(manual_response=True))
        assert rejected.value.reason == "not_allowed"


async def test_two_parallel_steps_meet_in_a_join_that_opens_once(server: ServerProcess, client: Client) -> None:
    template = await make_template(
        server,
        [
            step("fork", "Manual", "left", "right", canSkip=True),
            step("left", "Manual", "join", canSkip=True),
            step("right", "Manual", "join", canSkip=True),
            step("join", canSkip=True),
        ],
    )
    job_id = (await client.create_jobs(template)).job_ids[0]
    async with watching(client, job_id) as watcher:
        await client.finish(job_id, "fork")
        await asyncio.gather(client.finish(job_id, "left"), client.finish(job_id, "right"))
        await watcher.next_of(StepFinished, 3)
    first, second, third = watcher.of(StepFinished)
    assert {each.step_id for each in first.current_steps} == {"left", "right"}
    assert len(second.current_steps) == 1, "the join waits for the other branch"
    assert [each.step_id for each in third.current_steps] == ["join"]


async def test_a_running_step_is_stopped_and_then_finished(server: ServerProcess, client: Client) -> None:
    template = await make_template(server, [step("one", "Manual", "two"), step("two")])
    job_id = (await client.create_jobs(template)).job_ids[0]
    async with watching(client, job_id) as watcher:
        await client.run(job_id)
        await client.stop(job_id)
        await watcher.next_of(StepPaused)
        await client.finish(job_id)
        finished = await watcher.next_of(StepFinished)
    assert [each.step_id for each in finished.current_steps] == ["two"]
    kinds = [type(message).__name__ for message in watcher.messages]
    assert kinds == ["JobState", "StepStarted", "StepInfoRequired", "StepPaused", "StepFinished"]


async def test_a_client_that_comes_late_finds_the_open_question_and_answers_it(
    server: ServerProcess, client: Client
) -> None:
    template = await make_template(server, [step("only")])
    job_id = (await client.create_jobs(template)).job_ids[0]
    await client.run(job_id)
    async with client_of(server) as late:
        state = await late.job_state(job_id)
        details = json.loads(bytes(state.step_states[0].message_details or b"null"))
        assert details["msgType"] == "StepInfoRequired"
        verdict = await late.answer(
            job_id, "only", Answer(manual_response=True), prompt_id=details["message"]["promptId"]
        )
        assert verdict.stage == "applied"
    assert (await client.get_job(job_id)).current_steps == []


async def test_of_two_people_who_answer_at_once_over_the_websocket_one_is_told_already_answered(
    server: ServerProcess, client: Client
) -> None:
    template = await make_template(server, [step("only")])
    job_ids = (await client.create_jobs(template, number_of_jobs=10)).job_ids
    async with client_of(server) as second:
        for job_id in job_ids:
            await client.run(job_id)
            results = await asyncio.gather(
                client.answer(job_id, "only", Answer(manual_response=True)),
                second.answer(job_id, "only", Answer(manual_response=True)),
                return_exceptions=True,
            )
            rejected = [result for result in results if isinstance(result, AnswerRejected)]
            assert [error.reason for error in rejected] == ["already_answered"], results


@pytest.mark.skipif(not REAL_DIAGRAM.exists(), reason="the real diagram is not part of the project")
@pytest.mark.parametrize("first_answer", ["Yes", "No"])
async def test_the_real_introduction_diagram_runs_to_its_end(
    server: ServerProcess, client: Client, first_answer: str
) -> None:
    """The diagram as the real product exports it, loop and join included; one person walks it from end to end."""
    document = json.loads(await asyncio.to_thread(REAL_DIAGRAM.read_text))
    document["diagramName"] = f"The real introduction, {first_answer}"
    token = await asyncio.to_thread(server.token)
    async with httpx2.AsyncClient(
        base_url=f"{server.url}/{ORG}/{ITEM}", headers={"X-Esri-Authorization": f"Bearer {token}"}
    ) as http:
        made = (await http.post("/diagrams", json=document)).json()
        template = {
            "jobTemplateName": document["diagramName"],
            "diagramId": made["diagramId"],
            "diagramName": document["diagramName"],
            "state": "Active",
            "defaultPriorityName": "Low",
            "defaultAssignedType": "User",
            "defaultAssignedTo": "JobCreator($job)",
        }
        template_id = (await http.post("/jobTemplates", json=template)).json()["jobTemplateId"]
    job_id = (await client.create_jobs(template_id)).job_ids[0]
    turns = iter([first_answer])
    async with watching(client, job_id) as watcher:

        async def answer(prompt: StepInfoRequired) -> None:
            choice = next(turns, "No") if prompt.step_type == "Question" else None
            await client.answer(job_id, prompt.step_id, right_answer(prompt, choice))

        left = await walk(client, watcher, job_id, answer=answer)
    assert left.count("Define Location") == (2 if first_answer == "Yes" else 1)
    assert left[-1] == "Finished"
    assert {"Parallel Step 1", "Parallel Step 2", "Parallel Step 3"} <= set(left)


async def test_progress_tells_others_that_a_question_is_closed(server: ServerProcess, client: Client) -> None:
    template = await make_template(server, [step("only", "Manual", proceedNext=False)])
    job_id = (await client.create_jobs(template)).job_ids[0]
    async with watching(client, job_id) as watcher:
        await client.run(job_id)
        await client.answer(job_id, "only", Answer(manual_response=True))
        await watcher.next_of(StepProgress, 2)
    assert [progress.msg_code for progress in watcher.of(StepProgress)] == ["ANSWERED", "HANDLED"]
    assert watcher.of(StepStarted)
    with pytest.raises(AnswerRejected) as rejected:
        await client.answer(job_id, "only", Answer(manual_response=True))
    assert rejected.value.reason == "already_answered"
