"""A person who walks a job through its diagram, answering what it asks, and keeps every message that comes."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import httpx2

from stepgate_client import Answer, Client
from stepgate_client.messages import JobState, Message, StepInfoRequired
from tests.support import ServerProcess, deadline, eventually

M = TypeVar("M", bound=Message)

POLYGON = '{"rings":[[[0,0],[0,9],[9,9],[0,0]]],"spatialReference":{"wkid":4326}}'

ORG, ITEM = "workflow", "00000000000000000000000000000001"


class Watcher:
    """Listens to jobs in the background and keeps what comes, in order."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._heard = asyncio.Event()

    def take(self, message: Message) -> None:
        self.messages.append(message)
        self._heard.set()

    def of(self, kind: type[M]) -> list[M]:
        return [message for message in self.messages if isinstance(message, kind)]

    def seqs(self) -> list[int]:
        """The numbers of the feed messages that came (not of ``JobState``, which repeats the last)."""
        return [m.seq for m in self.messages if m.seq is not None and not isinstance(m, JobState)]

    async def until(self, condition: Callable[[], Any], seconds: float = 2) -> Any:
        """Wait until ``condition()`` is truthy; it is looked at again with each message."""
        async with asyncio.timeout(deadline(seconds)):
            while not (found := condition()):
                self._heard.clear()
                await self._heard.wait()
        return found

    async def next_of(self, kind: type[M], count: int = 1, seconds: float = 2) -> M:
        """Wait for the ``count``-th message of a kind and return it."""
        await self.until(lambda: len(self.of(kind)) >= count, seconds)
        return self.of(kind)[count - 1]


async def heard_the_same(one: Watcher, other: Watcher) -> None:
    """Wait until both have the same messages, whoever is the last to hear."""
    await eventually(lambda: bool(one.seqs()) and one.seqs() == other.seqs(), expected_s=2)


@asynccontextmanager
async def watching(client: Client, *job_ids: str) -> AsyncIterator[Watcher]:
    """Watch jobs; begins once the first ``JobState`` of each has come."""
    watcher = Watcher()

    async def listen() -> None:
        async with client.notifications(*job_ids) as messages:
            async for message in messages:
                watcher.take(message)

    task = asyncio.create_task(listen(), name="watcher")
    try:
        await watcher.until(
            lambda: len({state.job_id for state in watcher.of(JobState)}) == len(job_ids) or task.done()
        )
        yield watcher
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def client_of(server: ServerProcess, user: str = "admin") -> AsyncIterator[Client]:
    """A client of a real server, logged in as ``user``."""
    token = await asyncio.to_thread(server.token, user)
    async with Client(server.url, token=token) as client:
        yield client


def right_answer(prompt: StepInfoRequired, choice: str | None) -> Answer:
    """An answer that fits; a question gets the choice whose name begins like that, or its last one."""
    if prompt.step_type == "Question":
        named = [each.value for each in prompt.question_responses if choice and each.name.startswith(choice)]
        return Answer(question_response=(named or [prompt.question_responses[-1].value])[0])
    if prompt.step_type == "DefineLocation":
        return Answer(location=POLYGON)
    if prompt.step_type == "Attachment":
        return Answer(attachment_response=True)
    if prompt.step_type == "OpenApp":
        return Answer(open_app_response=True)
    return Answer(manual_response=True)


async def walk(
    client: Client,
    watcher: Watcher,
    job_id: str,
    *,
    answer: Callable[[StepInfoRequired], Any],
    stop_at: str | None = None,
    most: int = 100,
) -> list[str]:
    """Run every step that is ready and answer every question, until the job is done.

    Args:
        answer: awaited with each open question.
        stop_at: end when the step of this name asks, without answering it.

    Returns the names of the steps in the order in which they were left.
    """
    names = {step.id: step.name for step in (await client.diagram(job_id)).steps}
    left: list[str] = []
    asked: set[str] = set()
    for _ in range(most):
        job = await client.get_job(job_id)
        if not job.current_steps:
            return left
        step = job.current_steps[0]
        prompt = _open_prompt(watcher, step.step_id, asked)
        if prompt is None:
            prompt = await _run(client, watcher, job_id, step.step_id, asked)
        if prompt is None:
            left.append(names[step.step_id])
            continue
        if stop_at == names[prompt.step_id]:
            return left
        await answer(prompt)
        asked.add(prompt.prompt_id or "")
        left.append(names[prompt.step_id])
    raise AssertionError(f"the job is not done after {most} steps: {left}")


def _open_prompt(watcher: Watcher, step_id: str, asked: set[str]) -> StepInfoRequired | None:
    prompts = [prompt for prompt in watcher.of(StepInfoRequired) if prompt.step_id == step_id]
    return next((prompt for prompt in reversed(prompts) if prompt.prompt_id not in asked), None)


async def _run(client: Client, watcher: Watcher, job_id: str, step_id: str, asked: set[str]) -> StepInfoRequired | None:
    """Run a step (automatic ones have started by themselves); returns what it asks, None when it asks nothing."""
    state = await client.job_state(job_id)
    waiting = any(s.step_id == step_id and s.message_details for s in state.step_states)
    if not waiting:
        await client.run(job_id, step_id)
    found: StepInfoRequired | None = await watcher.until(
        lambda: _open_prompt(watcher, step_id, asked) or _was_finished(watcher, step_id)
    )
    return found if isinstance(found, StepInfoRequired) else None


def _was_finished(watcher: Watcher, step_id: str) -> bool:
    return any(step_id in getattr(message, "step_ids", ()) for message in watcher.messages[-3:])


async def make_template(server: ServerProcess, steps: list[dict[str, Any]], **members: Any) -> str:
    """Create an active diagram and template over REST; returns the template's id."""
    name = uuid.uuid4().hex
    token = await asyncio.to_thread(server.token)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=f"{server.url}/{ORG}/{ITEM}", headers=headers) as http:
        body = {"diagramName": name, "active": True, "displayGrid": True, "steps": steps}
        made = await http.post("/diagrams", json=body)
        assert made.status_code == 200, made.text
        template = {
            "jobTemplateName": name, "diagramId": made.json()["diagramId"], "diagramName": name, "state": "Active",
            "defaultPriorityName": "Low", "defaultAssignedType": "User", "defaultAssignedTo": "JobCreator($job)",
            **members,
        }  # fmt: skip
        made = await http.post("/jobTemplates", json=template)
        assert made.status_code == 200, made.text
        return str(made.json()["jobTemplateId"])
