"""The synchronous face of the Python client."""

import importlib.util
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepgate_client import Answer, NotFound, SubscriptionRefused, blocking
from stepgate_client.messages import JobState, StepFinished, StepInfoRequired, StepStarted
from tests.support import ServerProcess, deadline

ROOT = Path(__file__).resolve().parents[2]
REVIEW = "bT8xWm2pRk-5Zc9vLhQ0Ng"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    started = ServerProcess(tmp_path_factory.mktemp("server"), {})
    started.start_on_a_free_port()
    yield started
    started.close()


@pytest.fixture
def client(server: ServerProcess) -> Iterator[blocking.Client]:
    with blocking.Client(server.url, token=server.token()) as made:
        yield made


def test_it_is_what_the_asynchronous_client_makes_of_it() -> None:
    path = ROOT / "clients/python/make_blocking.py"
    spec = importlib.util.spec_from_file_location("make_blocking", path)
    assert spec is not None
    assert spec.loader is not None
    maker: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert maker.TARGET.read_text() == maker.text(), "run clients/python/make_blocking.py"


def test_a_job_is_walked_without_an_await(client: blocking.Client) -> None:
    [job_id] = client.create_jobs(REVIEW).job_ids
    job = client.job(job_id)
    asked = job.run()
    assert isinstance(asked, StepInfoRequired)
    assert isinstance(job.answer(asked, Answer(manual_response=True)), StepFinished)
    assert client.get_job(job_id).current_steps[0].step_id != asked.step_id
    assert client.history(job_id)[0].action == "Created"


def test_messages_are_iterated_over_and_a_loop_may_be_left(client: blocking.Client) -> None:
    [job_id] = client.create_jobs(REVIEW).job_ids
    seen = []
    with client.notifications(job_id) as messages:
        for message in messages:
            seen.append(type(message))
            if isinstance(message, JobState):
                client.run(job_id)
            if isinstance(message, StepInfoRequired):
                break
    assert seen == [JobState, StepStarted, StepInfoRequired]
    assert messages.positions[job_id].seq >= 2


def test_stages_of_an_answer_and_pieces_of_a_file_are_plain_iterators(client: blocking.Client) -> None:
    [job_id] = client.create_jobs(REVIEW).job_ids
    asked = client.job(job_id).run()
    assert isinstance(asked, StepInfoRequired)
    stages = client.answer_stages(job_id, asked.step_id, Answer(manual_response=True))
    assert [verdict.stage for verdict in stages][-1] == "applied"
    attachment_id = client.add_attachment(job_id, b"north gate", "gate.txt")
    assert b"".join(client.stream_attachment(job_id, attachment_id)) == b"north gate"


def test_the_parts_of_a_client_are_there_too(client: blocking.Client) -> None:
    assert client.people.user("admin").username == "admin"
    assert client.saved_searches.all()
    assert client.item.diagrams()


def test_errors_are_raised_as_they_are(client: blocking.Client) -> None:
    with pytest.raises(NotFound):
        client.get_job("nobody")
    with client.notifications("nobody") as messages, pytest.raises(SubscriptionRefused):
        next(messages)


def test_a_client_used_from_its_own_callback_or_after_its_end_says_so(server: ServerProcess) -> None:
    client = blocking.Client(server.url, token=server.token())
    errors: list[str] = []

    async def in_its_thread() -> None:
        with pytest.raises(RuntimeError, match="its own callbacks") as raised:
            client.job_state("J1")
        errors.append(str(raised.value))

    client._loop.run(in_its_thread())
    client.close()
    client.close()
    assert errors == ["This client cannot be called from its own callbacks."]
    with pytest.raises(RuntimeError, match="is closed"):
        client.get_job("J1")
    assert not [thread for thread in threading.enumerate() if thread.name == "stepgate client"]


def test_closing_from_another_thread_ends_an_iteration(client: blocking.Client) -> None:
    [job_id] = client.create_jobs(REVIEW).job_ids
    messages = client.notifications(job_id)
    began, ended = threading.Event(), threading.Event()

    def watch() -> None:
        for _ in messages:
            began.set()
        ended.set()

    threading.Thread(target=watch, daemon=True).start()
    assert began.wait(deadline(1))
    messages.close()
    assert ended.wait(deadline(1))
