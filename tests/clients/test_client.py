"""The client against a real server: each call, its result and its refusals, and the example of the README."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from stepgate_client import (
    INTRODUCTION_TEMPLATE,
    ActionRefused,
    Answer,
    AnswerRejected,
    Client,
    ConnectionFailed,
    ManageRefused,
    NotFound,
    PermissionDenied,
    RequestRefused,
    ServerFailed,
    StepgateError,
    SubscriptionRefused,
    Unauthenticated,
    Unavailable,
)
from stepgate_client.automations import AutomationChange, NewAutomation
from stepgate_client.endpoint import error_of
from stepgate_client.messages import JobState, StepFinished, StepHeld, StepHoldReleased, StepInfoRequired
from stepgate_client.webhooks import Feature
from tests.support import ServerProcess, deadline, free_port

ROOT = Path(__file__).resolve().parents[2]
REVIEW = "bT8xWm2pRk-5Zc9vLhQ0Ng"
APPROVE = Answer(question_response=1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for the whole module: each test makes its own jobs."""
    started = ServerProcess(tmp_path_factory.mktemp("server"), {})
    started.start_on_a_free_port()
    yield started
    started.close()


@pytest.fixture(scope="module")
def token(server: ServerProcess) -> str:
    return server.token()


@pytest.fixture
async def client(server: ServerProcess, token: str) -> AsyncIterator[Client]:
    async with Client(server.url, token=token) as made:
        yield made


async def new_job(client: Client) -> tuple[str, str]:
    """Create a simple review; returns its id and that of its first step."""
    [job_id] = (await client.create_jobs(REVIEW)).job_ids
    return job_id, (await client.get_job(job_id)).current_steps[0].step_id


async def asking_job(client: Client) -> tuple[str, str]:
    """Create a simple review and bring it to its question; returns its id and that of the question's step."""
    job_id, step_id = await new_job(client)
    await client.run(job_id)
    await client.answer(job_id, step_id, Answer(manual_response=True))
    return job_id, (await client.get_job(job_id)).current_steps[0].step_id


@pytest.mark.anyio
async def test_jobs_are_created_once_for_each_idempotency_key(client: Client) -> None:
    first = await client.create_jobs(REVIEW, idempotency_key="of this test", job_name="Kerbs")
    assert await client.create_jobs(REVIEW, idempotency_key="of this test", job_name="Kerbs") == first
    with pytest.raises(RequestRefused, match="another body") as refused:
        await client.create_jobs(REVIEW, idempotency_key="of this test", job_name="Walls")
    assert refused.value.status == 422


@pytest.mark.anyio
async def test_a_job_is_created_with_what_was_asked_for(client: Client) -> None:
    created = await client.create_jobs(REVIEW, job_name="Kerbs", number_of_jobs=2, priority="High")
    assert len(created.job_ids) == 2
    job = await client.get_job(created.job_ids[0], properties=True, holds=True)
    assert (job.job_name, job.priority, job.created_by, job.holds) == ("Kerbs", "High", "admin", [])
    assert job.created_date is not None
    assert job.created_date.tzinfo is not None
    diagram = await client.diagram(job.job_id)
    assert (diagram.diagram_name, diagram.diagram_version) == (job.diagram_name, job.diagram_version)
    step = diagram.step("review")
    assert step is not None
    assert diagram.step(step.id) is step


@pytest.mark.anyio
async def test_a_job_is_updated(client: Client) -> None:
    job_id, _ = await new_job(client)
    due = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
    await client.update_job(job_id, notes="at the kerb", due_date=due, priority=None)
    job = await client.get_job(job_id)
    assert (job.notes, job.due_date) == ("at the kerb", due)
    with pytest.raises(RequestRefused) as refused:
        await client.update_job(job_id, owned_by="nobody")
    assert refused.value.details == ("ownedBy",)


@pytest.mark.anyio
async def test_a_question_is_answered_over_the_websocket(client: Client) -> None:
    job_id, step_id = await asking_job(client)
    state = await client.job_state(job_id)
    question = state.step_states[0].details
    assert isinstance(question, StepInfoRequired)
    assert [choice.value for choice in question.question_responses] == [1, 0]
    async with client.notifications(job_id) as messages, asyncio.timeout(deadline(2)):
        assert isinstance(await anext(messages), JobState)
        verdict = await client.answer(job_id, step_id, APPROVE, prompt_id=question.prompt_id, request_id="r1")
        assert (verdict.stage, verdict.prompt_id, verdict.request_id) == ("applied", question.prompt_id, "r1")
        async for message in messages:
            if isinstance(message, StepFinished) and step_id in message.step_ids:
                break
    assert (await client.answer(job_id, step_id, APPROVE, request_id="r1")).stage == "applied"
    with pytest.raises(AnswerRejected) as caught:
        await client.answer(job_id, step_id, APPROVE, prompt_id=question.prompt_id, request_id="r2")
    assert caught.value.reason in {"already_answered", "not_waiting"}


@pytest.mark.anyio
async def test_a_question_is_answered_over_http(client: Client) -> None:
    job_id, step_id = await asking_job(client)
    with pytest.raises(AnswerRejected) as caught:
        await client.answer_over_rest(job_id, step_id, Answer(question_response=77))
    assert caught.value.reason == "invalid"
    verdict = await client.answer_over_rest(job_id, step_id, APPROVE, request_id="r1")
    assert verdict.stage == "applied"
    with pytest.raises(AnswerRejected):
        await client.answer_over_rest(job_id, step_id, APPROVE, request_id="r2")


@pytest.mark.anyio
async def test_holds_are_set_released_and_told(client: Client) -> None:
    job_id, step_id = await new_job(client)
    other_id, _ = await new_job(client)
    async with client.notifications(job_id) as messages, asyncio.timeout(deadline(2)):
        await anext(messages)
        await client.hold(job_id, until=datetime.now(UTC) + timedelta(hours=1))
        held = await anext(messages)
        assert isinstance(held, StepHeld)
        assert held.scheduled_release is not None
        await client.release_hold(job_id, step_id)
        assert isinstance(await anext(messages), StepHoldReleased)
        await client.hold(job_id, step_id, other_job_id=other_id)
        dependent = await anext(messages)
        assert isinstance(dependent, StepHeld)
        assert dependent.dependency_details is not None
        assert dependent.dependency_details.dependent_job_id == other_id
        await client.release_hold(job_id, other_job_id=other_id)
        assert isinstance(await anext(messages), StepHoldReleased)
    holds = (await client.get_job(job_id, holds=True)).holds
    assert [hold.released_by for hold in holds] == ["admin", "admin"]


@pytest.mark.anyio
async def test_a_refused_action_raises_with_every_reason(client: Client) -> None:
    job_id, step_id = await new_job(client)
    await client.hold(job_id)
    with pytest.raises(ActionRefused) as caught:
        await client.run(job_id)
    [response] = caught.value.step_responses
    assert (response.step_id, response.status) == (step_id, "Held")
    assert response.reasons[0].lifted_by
    assert str(caught.value) == response.status_description


@pytest.mark.anyio
async def test_the_other_actions_reach_the_job(client: Client) -> None:
    job_id, step_id = await new_job(client)
    diagram = await client.diagram(job_id)
    approved = diagram.step("Approved")
    assert approved is not None
    await client.run(job_id, step_id)
    with pytest.raises(ActionRefused):
        await client.set_current_step(job_id, approved.id)
    await client.stop(job_id, step_id)
    with pytest.raises(ActionRefused) as caught:
        await client.refresh(job_id, step_id)
    assert caught.value.step_responses[0].status == "NotRunning"
    await client.set_current_step(job_id, approved.id)
    await client.assign(job_id)
    job = await client.get_job(job_id)
    assert [(step.step_id, step.assigned_type) for step in job.current_steps] == [(approved.id, "Unassigned")]
    await client.assign(job_id, approved.id, user="admin")
    assert (await client.get_job(job_id)).current_steps[0].assigned_to == "admin"


@pytest.mark.anyio
async def test_a_step_that_may_be_skipped_is_finished_without_a_run(client: Client) -> None:
    [job_id] = (await client.create_jobs()).job_ids
    skippable = (await client.diagram(job_id)).step("A step you may skip")
    assert skippable is not None
    await client.set_current_step(job_id, skippable.id)
    result = await client.finish(job_id, skippable.id)
    assert [(response.step_id, response.is_success) for response in result.step_responses] == [(skippable.id, True)]


@pytest.mark.anyio
async def test_files_and_links_are_attached_read_renamed_and_deleted(client: Client, tmp_path: Path) -> None:
    job_id, step_id = await new_job(client)
    data = os.urandom(600_000)
    saved = tmp_path / "photo"
    saved.write_bytes(data)
    with saved.open("rb") as file:
        photo = await client.add_attachment(job_id, file, 'Häuser "家".jpg', folder="Photos", step_id=step_id)
    note = await client.add_attachment(job_id, b"hi", "note", alias="Nöte", media_type="text/markdown")
    link = await client.add_link(job_id, "https://files.test/1", alias="Files")
    first, second, third = await client.attachments(job_id)
    assert (first.id, first.file_name, first.folder, first.step_id) == (photo, 'Häuser "家".jpg', "Photos", step_id)
    assert (first.media_type, first.size, first.is_link) == ("image/jpeg", len(data), False)
    assert (second.id, second.alias, second.media_type, second.folder) == (note, "Nöte", "text/markdown", "General")
    assert (third.id, third.url, third.is_link) == (link, "https://files.test/1", True)
    assert await client.read_attachment(job_id, photo) == data
    assert await client.read_attachment(job_id, link) == b"https://files.test/1"
    await client.update_attachment(job_id, note, alias="Note", folder="Notes")
    await client.delete_attachment(job_id, photo)
    assert [(each.alias, each.folder) for each in await client.attachments(job_id)] == [
        ("Note", "Notes"),
        ("Files", "General"),
    ]
    for gone in (client.delete_attachment(job_id, photo), client.read_attachment(job_id, photo)):
        with pytest.raises(NotFound):
            await gone
    with pytest.raises(RequestRefused, match="alias"):
        await client.update_attachment(job_id, note, alias="")


@pytest.mark.anyio
async def test_a_location_is_set_read_and_cleared(client: Client) -> None:
    job_id, _ = await new_job(client)
    assert await client.location(job_id) is None
    await client.set_location(job_id, {"x": 0, "y": 0, "spatialReference": {"wkid": 102100}})
    found = await client.location(job_id)
    assert found is not None
    assert (found.geometry_type, "[[0,0]]" in found.geometry) == ("Multipoint", True)
    with pytest.raises(RequestRefused, match="location"):
        await client.set_location(job_id, "nowhere")
    await client.set_location(job_id, None)
    assert await client.location(job_id) is None


@pytest.mark.anyio
async def test_comments_and_history_are_written_and_read(client: Client) -> None:
    job_id, step_id = await new_job(client)
    comment_id = await client.add_comment(job_id, "Häuser, 家 and / & ?")
    [comment] = await client.comments(job_id)
    assert (comment.comment_id, comment.comment, comment.last_modified_by) == (
        comment_id,
        "Häuser, 家 and / & ?",
        "admin",
    )
    await client.run(job_id)
    entries = await client.history(job_id)
    assert {"Created", "Activated", "Started"} <= {entry.action for entry in entries}
    assert any(entry.step_id == step_id and entry.username == "admin" for entry in entries)


@pytest.mark.anyio
async def test_jobs_are_searched_and_counted(client: Client) -> None:
    created = await client.create_jobs(REVIEW, job_name="Wanted", number_of_jobs=3, notes="okapi")
    page = await client.query_jobs(
        "jobName='Wanted'", fields=["jobId", "jobName", "currentStep"], sort=["-jobId"], num=2
    )
    assert [job["jobId"] for job in page.jobs] == sorted(created.job_ids, reverse=True)[:2]
    assert (page.num, page.start, page.next_start, page.fields[0].field_type) == (2, 0, 2, "String")
    rest = await client.query_jobs(search="okapi", q="AND jobName='Wanted'", start=page.next_start)
    assert (rest.num, rest.next_start) == (1, -1)
    counted = await client.job_statistics("jobName='Wanted'", group_by="priority")
    assert (counted.total, [group.count for group in counted.grouped_values]) == (3, [3])
    assert (await client.job_statistics("jobName='Wanted'", has_location=True)).total == 0
    with pytest.raises(RequestRefused, match="q, character 10: the condition ends too early; expected a value"):
        await client.query_jobs("jobName =")


@pytest.mark.anyio
async def test_an_expression_is_evaluated(client: Client) -> None:
    job_id, _ = await new_job(client)
    job = await client.get_job(job_id)
    assert await client.evaluate_arcade("'test ' + 123") == "test 123"
    assert await client.evaluate_arcade("JobName($job)", job_id=job_id) == job.job_name
    created = (await client.create_jobs(REVIEW, job_name="a b&c")).job_ids[0]
    assert await client.evaluate_arcade("'x y' + JobName($job)", job_id=created, parse_mode="URL") == "x ya+b%26c"
    with pytest.raises(RequestRefused, match="Line 1, column 1: function Nope is not supported"):
        await client.evaluate_arcade("Nope()")


@pytest.mark.anyio
async def test_jobs_are_managed_and_refusals_name_the_job(client: Client) -> None:
    job_id, _ = await new_job(client)
    running_id, _ = await new_job(client)
    await client.run(running_id)
    with pytest.raises(ManageRefused) as caught:
        await client.manage("Close", [job_id, running_id])
    assert {entry.job_id: entry.success for entry in caught.value.result.jobs} == {job_id: True, running_id: False}
    assert (await client.get_job(job_id)).closed
    await client.manage("Reopen", [job_id])
    await client.manage("Delete", [job_id])
    with pytest.raises(NotFound):
        await client.get_job(job_id)


@pytest.mark.anyio
async def test_what_is_wrong_is_raised_as_its_kind(client: Client, server: ServerProcess) -> None:
    job_id, _ = await new_job(client)
    with pytest.raises(NotFound):
        await client.run("no-such-job")
    with pytest.raises(SubscriptionRefused):
        await client.job_state("no-such-job")
    with pytest.raises(NotFound):
        await client.answer("no-such-job", "s1", APPROVE)
    with pytest.raises(RequestRefused) as caught:
        await client.add_comment(job_id, "half a pair \ud83d".encode("utf-8", "replace").decode() + "\0")
    assert caught.value.status == 400
    async with Client(server.url, token="nonsense") as stranger:
        with pytest.raises(Unauthenticated):
            await stranger.get_job(job_id)
        with pytest.raises(Unauthenticated):
            await stranger.job_state(job_id)
    async with Client(server.url, token=server.token(), item_id="f" * 32) as elsewhere:
        with pytest.raises(NotFound):
            await elsewhere.job_state(job_id)


@pytest.mark.anyio
async def test_a_user_without_a_role_is_refused(client: Client, server: ServerProcess) -> None:
    job_id, _ = await new_job(client)
    server.command("user", "add", "ben")
    async with Client(server.url, token=server.token("ben")) as ben:
        with pytest.raises(PermissionDenied):
            await ben.get_job(job_id)
        with pytest.raises(PermissionDenied):
            await ben.job_state(job_id)


@pytest.mark.anyio
async def test_a_server_killed_between_messages_leaves_neither_gap_nor_repeat(
    client: Client, server: ServerProcess
) -> None:
    job_id, _ = await new_job(client)
    seen: list[int | None] = []
    async with client.notifications(job_id) as messages, asyncio.timeout(deadline(6)):
        first = await anext(messages)
        for action in (client.hold, client.release_hold):
            await action(job_id)
        server.kill9()
        await asyncio.to_thread(server.start)
        for action in (client.hold, client.release_hold):
            await action(job_id)
        while len(seen) < 4:
            message = await anext(messages)
            if not isinstance(message, JobState):
                seen.append(message.seq)
            assert not (isinstance(message, JobState) and message.recovered is False)
    start = first.seq or 0
    assert seen == [start + 1, start + 2, start + 3, start + 4]


@pytest.mark.anyio
async def test_no_server_is_a_temporary_failure() -> None:
    async with Client(f"http://127.0.0.1:{free_port()}", token="t") as client:
        with pytest.raises(ConnectionFailed) as caught:
            await client.get_job("J1")
    assert caught.value.temporary


def test_a_client_that_cannot_work_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="not both"):
        Client("http://localhost", token="t", get_token=lambda: "t")
    with pytest.raises(ValueError, match="not both"):
        Client("http://localhost")
    with pytest.raises(ValueError, match="URL of a server"):
        Client("localhost:8080", token="t")


@pytest.mark.parametrize(
    ("status", "name", "kind", "temporary"),
    [
        (401, "Unauthenticated", Unauthenticated, False),
        (403, "NoRole", PermissionDenied, False),
        (400, "PermissionDenied", PermissionDenied, False),
        (404, "NotFound", NotFound, False),
        (400, "JobNotFound", NotFound, False),
        (400, "InvalidValue", RequestRefused, False),
        (503, "StoreUnavailable", Unavailable, True),
        (429, "", Unavailable, True),
        (500, "InternalServerError", ServerFailed, False),
    ],
)
def test_a_refusal_over_http_has_its_class(status: int, name: str, kind: type[StepgateError], temporary: bool) -> None:
    error = error_of(status, b'{"error":{"message":"No.","type":"%s","details":["x"]}}' % name.encode(), "7")
    assert isinstance(error, kind)
    assert (error.temporary, error.message) == (temporary, "No.")
    if isinstance(error, Unavailable):
        assert error.retry_after_s == 7


def test_a_proxys_own_page_is_borne() -> None:
    assert str(error_of(418, b"<html>teapot</html>")) == "The server answered with HTTP status 418."


def test_the_example_of_the_readme_runs(server: ServerProcess, tmp_path: Path) -> None:
    readme = (ROOT / "clients" / "python" / "README.md").read_text()
    example = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)[0]
    script = tmp_path / "example.py"
    script.write_text(example)
    environment = os.environ | {
        "STEPGATE_URL": server.url,
        "STEPGATE_TOKEN": server.token(),
        "PYTHONPATH": str(ROOT / "clients" / "python" / "src"),
        "PYTHONWARNINGS": "error",
    }
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False, timeout=deadline(5)
    )
    assert done.returncode == 0, done.stderr
    assert "the answer is applied" in done.stdout
    assert "StepFinished" in done.stdout
    assert "WaitingForInfo" in done.stdout


@pytest.mark.anyio
async def test_what_is_set_up_in_the_item_is_read_and_changed(client: Client) -> None:
    await client.item.update_settings({"smtpPassword": "hunter2"})
    await client.item.update_settings({"colour": "red"}, encrypted=False)
    found = {each.prop_name: (each.value, each.encrypted) for each in await client.item.settings()}
    assert found == {"smtpPassword": (None, True), "colour": ("red", False)}
    assert [each.prop_name for each in await client.item.settings(include_system=False)] == ["colour"]
    await client.item.replace_lookups("tree species", {"Oak": 2, "Ash": 1})
    assert list((await client.item.lookups("tree species")).items()) == [("Oak", 2), ("Ash", 1)]
    await client.item.delete_lookups("tree species")
    with pytest.raises(NotFound):
        await client.item.lookups("tree species")


@pytest.mark.anyio
async def test_stored_templates_are_kept_and_deleted(client: Client) -> None:
    template_id = await client.item.create_stored_template("email", "Greeting", "{}")
    await client.item.update_stored_template("email", template_id, details='{"subject":"Hello"}')
    found = await client.item.stored_template("email", template_id)
    assert (found.template_name, found.template_details) == ("Greeting", '{"subject":"Hello"}')
    assert [each.template_id for each in await client.item.stored_templates("email")] == [template_id]
    await client.item.delete_stored_template("email", template_id)
    assert await client.item.stored_templates("email") == []


@pytest.mark.anyio
async def test_diagrams_are_listed_and_read_and_those_in_use_stay(client: Client) -> None:
    first = (await client.item.diagrams())[0]
    assert (first.active, first.draft) == (True, False)
    found = await client.item.diagram(first.diagram_id)
    assert found == await client.item.diagram(first.diagram_id, 1)
    upgraded = await client.item.upgraded_diagram(first.diagram_id, 1)
    assert upgraded.transformed_diagram["diagramName"] == first.diagram_name
    with pytest.raises(RequestRefused, match="delete them first"):
        await client.item.delete_diagram(first.diagram_id)
    with pytest.raises(NotFound):
        await client.item.delete_diagram_version(first.diagram_id, 99)


@pytest.mark.anyio
async def test_saved_searches_are_kept_shared_and_deleted(client: Client) -> None:
    definition = {"q": "closed=0", "num": 20}
    search_id = await client.saved_searches.create("Open jobs", definition, sort_index=3)
    [search] = [each for each in await client.saved_searches.all("Standard") if each.search_id == search_id]
    assert (search.name, search.definition, search.sort_index) == ("Open jobs", definition, 3)
    await client.saved_searches.replace(msgspec.structs.replace(search, name="All that is open"))
    [group, *_] = await client.people.groups()
    await client.saved_searches.share(search_id, [group.id])
    assert await client.saved_searches.shared_with(search_id) == (group.id,)
    assert {each.search_id: each.name for each in await client.saved_searches.all()}[search_id] == "All that is open"
    assert search_id not in {each.search_id for each in await client.saved_searches.all("Chart")}
    await client.saved_searches.delete(search_id)
    assert search_id not in {each.search_id for each in await client.saved_searches.all()}


@pytest.mark.anyio
async def test_job_templates_are_made_changed_shared_and_deleted(client: Client) -> None:
    before = await client.job_templates.get(REVIEW)
    template = {name: before[name] for name in ("diagramId", "diagramName", "defaultPriorityName")}
    template |= {"jobTemplateName": "Copied?", "state": "Draft", "description": "As it was"}
    template_id = await client.job_templates.create(template)
    await client.job_templates.update(template_id, template | {"state": "Active", "description": None})
    changed = await client.job_templates.get(template_id)
    assert (changed["state"], changed["description"]) == ("Active", "As it was")
    [group, *_] = await client.people.groups()
    await client.job_templates.share(template_id, [group.id])
    assert await client.job_templates.shared_with(template_id) == (group.id,)
    [line] = [each for each in await client.job_templates.all() if each.job_template_id == template_id]
    assert (line.job_template_name, line.state, line.diagram_id) == ("Copied?", "Active", before["diagramId"])
    await client.job_templates.delete(template_id)
    with pytest.raises(NotFound):
        await client.job_templates.get(template_id)


@pytest.mark.anyio
async def test_webhook_connections_are_kept_and_held_for(client: Client) -> None:
    made = await client.webhooks.create("Parcels", "parcels", "s3cret", username="admin")
    connection = await client.webhooks.get(made.connection_id)
    assert (made.success, connection.secret, connection.username) == (True, "s3cret", "admin")
    await client.webhooks.replace(msgspec.structs.replace(connection, connection_name="Plots"))
    names = {each.connection_id: each.connection_name for each in await client.webhooks.all()}
    assert names[made.connection_id] == "Plots"
    job_id, step_id = await new_job(client)
    await client.hold(job_id, feature=Feature(made.connection_id, "state = 3", 0, 7))
    job = await client.get_job(job_id, holds=True)
    [hold] = job.holds
    assert (hold.webhook_connection_id, job.current_steps[0].is_held) == (made.connection_id, True)
    assert hold.webhook_dependency_details is not None
    assert hold.webhook_dependency_details.webhook_object_id == 7
    await client.release_hold(job_id, step_id, webhook_connection_id=made.connection_id)
    assert (await client.webhooks.delete(made.connection_id)).success


@pytest.mark.anyio
async def test_people_and_roles_are_read_and_changed(client: Client) -> None:
    myself = await client.people.user("admin")
    assert "adminAdvanced" in myself.privileges
    assert {each.username: each.is_assignable for each in await client.people.users()}["admin"]
    [group_id] = [each.id for each in await client.people.groups() if each.id in myself.groups]
    await client.people.put_role("Night shift?", ["jobClose"], description="Closes.")
    role = await client.people.role("Night shift?")
    assert (role.description, role.privileges) == ("Closes.", ["jobClose"])
    await client.people.update_group(group_id, give=["Night shift?"])
    assert "Night shift?" in await client.people.roles_of_group(group_id)
    await client.people.update_group(group_id, take=["Night shift?"])
    assert "Night shift?" in {each.role_name for each in await client.people.roles()}
    assert await client.people.delete_role("Night shift?")
    assert not await client.people.delete_role("Night shift?")


@pytest.mark.anyio
async def test_a_diagram_is_activated_with_its_warnings(client: Client) -> None:
    step = {"id": "a", "paths": [{"nextStep": "b"}]}
    diagram = {"diagramName": "Warned", "displayGrid": True, "active": True, "steps": [step]}
    created = await client.item.create_diagram(diagram)
    assert [each.kind for each in created.warnings] == ["deadEnd", "valueWithoutPath", "missingStep"]
    mended = diagram | {"steps": [step, {"id": "b"}]}
    assert await client.item.update_diagram(created.diagram_id, mended) == ()
    assert (await client.item.diagram(created.diagram_id)).diagram_version == 2
    await client.item.delete_diagram_version(created.diagram_id, 1)
    await client.item.delete_diagram(created.diagram_id)


@pytest.mark.anyio
async def test_automations_are_added_read_changed_and_deleted(client: Client) -> None:
    daily = NewAutomation(
        automation_name="Each day", automation_type="Scheduled", details={"timeType": "HourOfDay", "hour": 8}
    )
    edited = await client.automations.edit(INTRODUCTION_TEMPLATE, adds=[daily])
    [automation_id] = edited.automation_ids
    assert edited.message is None
    [line] = await client.automations.all(INTRODUCTION_TEMPLATE)
    assert (line.automation_id, line.automation_name, line.created_by) == (automation_id, "Each day", "admin")
    found = await client.automations.one(INTRODUCTION_TEMPLATE, automation_id)
    assert (found.details, found.enabled, found.occurrences) == (daily.details, True, 0)
    assert found.next_date is not None
    assert found.next_date > datetime.now(UTC)
    weekly = AutomationChange(automation_id=automation_id, details={"timeType": "DayOfWeek", "dayOfWeek": 1})
    await client.automations.edit(INTRODUCTION_TEMPLATE, updates=[weekly])
    changed = await client.automations.one(INTRODUCTION_TEMPLATE, automation_id)
    assert (changed.details, changed.automation_name) == (weekly.details, "Each day")
    await client.automations.edit(INTRODUCTION_TEMPLATE, deletes=[automation_id])
    with pytest.raises(NotFound, match="has no automation"):
        await client.automations.one(INTRODUCTION_TEMPLATE, automation_id)


@pytest.mark.anyio
@pytest.mark.parametrize("header", ["X-Secret", "X-EsriHook-Signature"])
async def test_a_webhook_is_executed_with_its_secret(client: Client, header: str) -> None:
    details = {"headerSecret": {"key": header, "value": "open sesame"}}
    webhook = NewAutomation(automation_name="Hook", automation_type="Webhook", details=details)
    [automation_id] = (await client.automations.edit(INTRODUCTION_TEMPLATE, adds=[webhook])).automation_ids

    async def execute(secret: str) -> str:
        payload = {"parcel": "12-34"}
        made = await client.automations.execute_webhook(
            INTRODUCTION_TEMPLATE, automation_id, payload, header=header, secret=secret, idempotency_key="one"
        )
        return made.job_ids[0]

    job_id = await execute("open sesame")
    assert await execute("open sesame") == job_id
    assert (await client.get_job(job_id)).automation_id == automation_id
    with pytest.raises(NotFound, match="does not prove its secret"):
        await execute("open barley")
    await client.automations.edit(INTRODUCTION_TEMPLATE, deletes=[automation_id])
