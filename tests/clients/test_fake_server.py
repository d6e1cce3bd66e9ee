"""The fake server for users' own tests: the client cannot tell it from a real one, where it knows what is asked."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from stepgate_client import (
    ActionRefused,
    Answer,
    AnswerRejected,
    Backoff,
    Client,
    ConnectionFailed,
    NotFound,
    ServerFailed,
    SubscriptionRefused,
    Unavailable,
    blocking,
)
from stepgate_client.messages import (
    JobCommentUpdated,
    JobState,
    StepCancelled,
    StepError,
    StepFinished,
    StepInfoRequired,
)
from stepgate_client.testing import FakeServer, FakeStep
from tests.support import deadline

AT_ONCE = Backoff(base_s=0.0)
STEPS = [FakeStep("Survey"), FakeStep("Approve?", question={"Yes": 1, "No": 2})]
UNFAKED = 501


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as made:
        yield made


@pytest.fixture
async def client(server: FakeServer) -> AsyncIterator[Client]:
    async with Client(server.url, token="any", backoff=AT_ONCE) as made, asyncio.timeout(deadline(2)):
        yield made


@pytest.mark.anyio
async def test_a_job_is_walked_to_its_end(server: FakeServer, client: Client) -> None:
    job_id = server.add_job(STEPS)
    job = client.job(job_id)
    asked = await job.run()
    assert isinstance(asked, StepInfoRequired)
    assert isinstance(await job.answer(asked, Answer(manual_response=True)), StepFinished)
    question = await job.run()
    assert isinstance(question, StepInfoRequired)
    assert [choice.name for choice in question.question_responses] == ["Yes", "No"]
    assert isinstance(await job.answer(question, Answer(question_response=2)), StepFinished)

    assert server.job(job_id).is_finished
    assert server.job(job_id).answers[-1]["questionResponse"] == 2
    assert (await client.get_job(job_id)).percent_complete == 100
    with pytest.raises(ActionRefused) as refused:
        await client.run(job_id)
    assert refused.value.step_responses[0].status == "NoActiveStep"


@pytest.mark.anyio
async def test_answers_that_do_not_count_are_rejected(server: FakeServer, client: Client) -> None:
    job_id = server.add_job([FakeStep("Approve?", question={"Yes": 1})])
    step_id = server.job(job_id).current_steps()[0]["stepId"]
    with pytest.raises(AnswerRejected) as early:
        await client.answer(job_id, step_id, Answer(question_response=1))
    assert early.value.reason == "not_waiting"
    asked = await client.job(job_id).run()
    assert isinstance(asked, StepInfoRequired)
    with pytest.raises(AnswerRejected) as wrong:
        await client.answer(job_id, step_id, Answer(question_response=7))
    assert wrong.value.reason == "invalid"
    assert isinstance(await client.job(job_id).stop(), StepCancelled)


@pytest.mark.anyio
async def test_holds_and_failures_of_steps_are_told(server: FakeServer, client: Client) -> None:
    job_id = server.add_job([FakeStep("Send", service=True, error="no route"), FakeStep("Sent", service=True)])
    await client.hold(job_id)
    with pytest.raises(ActionRefused) as held:
        await client.run(job_id)
    assert held.value.step_responses[0].status == "Held"
    await client.release_hold(job_id)
    failed = await client.job(job_id).run()
    assert isinstance(failed, StepError)
    assert failed.msg == "no route"


@pytest.mark.anyio
async def test_a_connection_that_is_cut_is_resumed_without_a_gap(server: FakeServer, client: Client) -> None:
    job_id = server.add_job(STEPS)
    async with client.notifications(job_id) as messages:
        assert isinstance(await anext(messages), JobState)
        server.cut_websockets()
        server.job(job_id).progress("half way")
        server.job(job_id).emit("JobCommentUpdated", adds=[])
        kinds = [type(await anext(messages)).__name__ for _ in range(3)]
    assert kinds == ["StepProgress", "JobCommentUpdated", "JobState"]


@pytest.mark.anyio
async def test_a_call_that_fails_for_a_passing_reason_is_made_again(server: FakeServer, client: Client) -> None:
    job_id = server.add_job(STEPS)
    server.fail_next(503, times=2)
    await client.add_comment(job_id, "north gate")
    server.fail_next(None)
    await client.add_comment(job_id, "south gate")

    assert [comment.comment for comment in await client.comments(job_id)] == ["north gate", "south gate"]
    keys = [request.headers["idempotency-key"] for request in server.requests if request.method == "POST"]
    assert len(keys) == 5
    assert len(set(keys)) == 2


@pytest.mark.anyio
async def test_only_so_often_and_only_where_it_is_safe(server: FakeServer) -> None:
    job_id = server.add_job(STEPS)
    async with Client(server.url, token="any", backoff=AT_ONCE, retries=1) as client:
        server.fail_next(503, times=2)
        with pytest.raises(Unavailable):
            await client.get_job(job_id)
        server.fail_next(503)
        with pytest.raises(Unavailable):
            await client.delete_attachment(job_id, "A1")
        server.fail_next(404)
        with pytest.raises(NotFound):
            await client.get_job(job_id)
    async with Client(server.url, token="any", retries=0) as client:
        server.fail_next(None)
        with pytest.raises(ConnectionFailed):
            await client.add_comment(job_id, "x")
    assert [request.method for request in server.requests] == ["GET", "GET", "DELETE", "GET", "POST"]
    assert "idempotency-key" not in server.requests[-1].headers


def test_what_it_does_not_know_is_refused(server: FakeServer) -> None:
    with blocking.Client(server.url, token="any") as client:
        with pytest.raises(ServerFailed, match="does not know GET diagrams") as caught:
            client.item.diagrams()
        assert caught.value.status == UNFAKED
        with pytest.raises(NotFound):
            client.get_job("nobody")
        with client.notifications("nobody") as messages, pytest.raises(SubscriptionRefused):
            next(messages)


def test_jobs_are_created_by_clients_too_and_followed_by_several(server: FakeServer) -> None:
    heard: list[object] = []
    with blocking.Client(server.url, token="any") as client:
        [job_id] = client.create_jobs(job_name="Kerbs").job_ids
        assert client.get_job(job_id).job_name == "Kerbs"
        watching = threading.Event()

        def watch() -> None:
            with client.notifications(job_id) as messages:
                for message in messages:
                    heard.append(message)
                    watching.set()
                    if isinstance(message, JobCommentUpdated):
                        return

        watcher = threading.Thread(target=watch)
        watcher.start()
        assert watching.wait(deadline(1))
        client.add_comment(job_id, "done")
        watcher.join(deadline(1))
    assert [type(message).__name__ for message in heard] == ["JobState", "JobCommentUpdated"]


def test_closing_it_twice_is_as_closing_it_once() -> None:
    server = FakeServer()
    server.close()
    server.close()
    assert not [thread for thread in threading.enumerate() if "serve_forever" in thread.name]
