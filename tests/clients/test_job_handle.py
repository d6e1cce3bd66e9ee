"""Actions of the Python client that return when the step has ended, asks, or failed."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from stepgate_client import ActionRefused, Answer, Client
from stepgate_client.job_handle import HANDLED, _ending_of, _outcome_of_answer
from stepgate_client.messages import StepFinished, StepInfoRequired, StepPaused, StepProgress, StepStopped
from tests.clients.scripted import Peer, scripted
from tests.support import ServerProcess, deadline

pytestmark = pytest.mark.anyio
REVIEW = "bT8xWm2pRk-5Zc9vLhQ0Ng"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    started = ServerProcess(tmp_path_factory.mktemp("server"), {})
    started.start_on_a_free_port()
    yield started
    started.close()


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    async with Client(server.url, token=server.token()) as made, asyncio.timeout(deadline(5)):
        yield made


async def test_a_job_is_walked_to_its_end_by_what_each_call_returns(client: Client) -> None:
    [job_id] = (await client.create_jobs(REVIEW)).job_ids
    job = client.job(job_id)

    asked = await job.run()
    assert isinstance(asked, StepInfoRequired)
    moved_on = await job.answer(asked, Answer(manual_response=True))
    assert isinstance(moved_on, StepFinished)

    [question] = await job.questions()
    done = await job.answer(question, Answer(question_response=1))
    assert isinstance(done, StepFinished)
    assert done.step_ids == [question.step_id]


async def test_a_stopped_step_is_told_as_paused_and_can_be_run_again(client: Client) -> None:
    [job_id] = (await client.create_jobs(REVIEW)).job_ids
    job = client.job(job_id)
    await job.run()

    assert isinstance(await job.stop(), StepPaused)
    assert isinstance(await job.run(), StepInfoRequired)


async def test_an_answer_after_which_its_user_works_on_is_told_as_progress(client: Client) -> None:
    told = StepProgress(job_id="J1", step_ids=["s1"], msg_code=HANDLED)
    assert _outcome_of_answer(told, "s1") is told
    assert _outcome_of_answer(told, "s2") is None
    assert _outcome_of_answer(StepProgress(job_id="J1", step_ids=["s1"]), "s1") is None


async def test_a_finish_without_a_run_is_refused_and_nothing_is_waited_for(client: Client) -> None:
    [job_id] = (await client.create_jobs(REVIEW)).job_ids
    with pytest.raises(ActionRefused):
        await client.job(job_id).finish()


async def test_the_only_step_is_meant_where_none_is_named() -> None:
    with pytest.raises(ValueError, match="several current steps; name one: s1, s2"):
        await _scripted_run([{"stepId": "s1"}, {"stepId": "s2"}])
    with pytest.raises(ValueError, match="no current step"):
        await _scripted_run([])


async def test_progress_is_told_in_order_and_others_steps_are_not_waited_for() -> None:
    told: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.frame()
        await peer.state(1, stepStates=[{"stepId": "s1"}])
        await peer.frame()  # the act: a second subscription
        for seq, step, text in ((2, "s1", "a"), (3, "s2", "b"), (4, "s1", "c")):
            await peer.send("StepProgress", seq, jobId="J1", stepIds=[step], msg=text)
        await peer.send("StepStopped", 5, jobId="J1", stepId="s2")
        await peer.send("StepStopped", 6, jobId="J1", stepId="s1", msgCode="COMPLETED")
        await peer.hold()

    async with scripted([script]) as server, server.client() as client, asyncio.timeout(deadline(1)):
        job = client.job("J1")

        async def act(step_id: str) -> None:
            [messages] = client._notifications
            await messages.subscribe("J2")

        ending = await job._do(None, act, lambda progress: told.append(progress.msg), _ending_of)
    assert isinstance(ending, StepStopped)
    assert ending.step_id == "s1"
    assert told == ["a", "c"]


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([{"stepId": "s2", "stepName": "Next"}], "StepFinished"),
        (
            [
                {
                    "stepId": "s1",
                    "messageDetails": {
                        "msgType": "StepError",
                        "timestamp": 1,
                        "message": {"jobId": "J1", "stepId": "s1", "msg": "no"},
                    },
                }
            ],
            "StepError",
        ),
    ],
)
async def test_an_end_that_was_missed_for_good_is_read_off_the_state(steps: list[object], kind: str) -> None:
    async def first(peer: Peer) -> None:
        await peer.frame()
        await peer.state(1, stepStates=[{"stepId": "s1"}])
        await peer.frame()
        await peer.cut()

    async def second(peer: Peer) -> None:
        await peer.frame()
        await peer.state(40, stepStates=steps, recovered=False, reason="trimmed")
        await peer.hold()

    async with scripted([first, second]) as server, server.client() as client, asyncio.timeout(deadline(1)):

        async def act(step_id: str) -> None:
            [messages] = client._notifications
            await messages.subscribe("J2")

        ending = await client.job("J1")._do("s1", act, None, _ending_of)
    assert ending.msg_type == kind


async def _scripted_run(steps: list[dict[str, str]]) -> None:
    async def script(peer: Peer) -> None:
        await peer.frame()
        await peer.state(1, stepStates=steps)
        await peer.hold()

    async with scripted([script]) as server, server.client() as client, asyncio.timeout(deadline(1)):
        await client.job("J1").run()
