"""One job, followed: actions that return when the step has ended, asks, or failed."""

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from stepgate_client.answers import Answer
from stepgate_client.messages import (
    JobState,
    Message,
    StepCancelled,
    StepError,
    StepFinished,
    StepInfoRequired,
    StepPaused,
    StepProgress,
    StepStopped,
    StepWarningStopped,
)
from stepgate_client.models import CurrentStep

if TYPE_CHECKING:  # it imports this module
    from stepgate_client.client import Client
    from stepgate_client.notifications import Notifications

Ending = StepFinished | StepInfoRequired | StepError | StepStopped | StepWarningStopped | StepPaused | StepCancelled
"""What an action may come to: the step is done; it asks; it failed; it was stopped, or has run to its end and waits for
``finish`` (``StepStopped``). Tell them apart with ``match`` or ``isinstance``."""

OnProgress = Callable[[StepProgress], Awaitable[None] | None]
"""Told about each ``StepProgress`` of the step, in order; plain or asynchronous."""

T = TypeVar("T")

HANDLED = "HANDLED"
"""The ``msg_code`` of the progress that says: the answer counts, and the step stays until ``finish``."""


class JobHandle:
    """A job of ``client``, by its id. Nothing is opened before a method is called, and nothing stays open after it.

    Each action subscribes first and acts then, so that nothing can happen in between unseen; a connection that breaks
    meanwhile is made again. All of them raise the errors of the client's method of the same name, and those of
    ``Notifications``. Put ``asyncio.timeout`` around one to wait no longer: the step goes on, whoever waits.
    """

    def __init__(self, client: "Client", job_id: str) -> None:
        self._client = client
        self.job_id = job_id

    async def state(self) -> JobState:
        """Read how the job stands, its open questions included."""
        return await self._client.job_state(self.job_id)

    async def questions(self) -> list[StepInfoRequired]:
        """Read the questions that are open now."""
        details = [step.details for step in (await self.state()).step_states]
        return [asked for asked in details if isinstance(asked, StepInfoRequired)]

    async def run(self, step_id: str | None = None, *, on_progress: OnProgress | None = None) -> Ending:
        """Run a step and wait until it has ended or asks something.

        Args:
            step_id: the step; None means the only current one. ValueError names them when there are several.
            on_progress: told about each progress meanwhile.
        """
        return await self._end(step_id, lambda step: self._client.run(self.job_id, step), on_progress)

    async def finish(self, step_id: str | None = None) -> Ending:
        """Finish a step and wait until the job has moved on; arguments as ``run``."""
        return await self._end(step_id, lambda step: self._client.finish(self.job_id, step))

    async def stop(self, step_id: str | None = None) -> Ending:
        """Stop a step and wait until it has stopped (``StepPaused``, ``StepCancelled``, ``StepStopped``) or ended.

        Arguments as ``run``."""
        return await self._end(step_id, lambda step: self._client.stop(self.job_id, step))

    async def answer(
        self, asked: StepInfoRequired, answer: Answer, *, on_progress: OnProgress | None = None
    ) -> Ending | StepProgress:
        """Answer what a step asks, and wait for what comes of it.

        Args:
            asked: the question, as ``run`` has returned it or ``questions`` lists it.
            answer: what the user says.
            on_progress: told about each progress meanwhile.

        Returns what ``run`` returns, or the ``StepProgress`` which says that the answer counts and the step stays until
        ``finish``. Raises AnswerRejected, having changed nothing.
        """

        async def say(step_id: str) -> None:
            await self._client.answer(self.job_id, step_id, answer, prompt_id=asked.prompt_id)

        return await self._do(asked.step_id, say, on_progress, _outcome_of_answer)

    async def _end(
        self, step_id: str | None, act: Callable[[str], Awaitable[object]], on_progress: OnProgress | None = None
    ) -> Ending:
        return await self._do(step_id, act, on_progress, _ending_of)

    async def _do(
        self,
        step_id: str | None,
        act: Callable[[str], Awaitable[object]],
        on_progress: OnProgress | None,
        outcome_of: Callable[[Message, str], T | None],
    ) -> T:
        """Act once the job's messages are heard, and return what the first of them that is an outcome says."""
        async with self._client.notifications(self.job_id) as messages:
            state = await _first_state(messages)
            step_id = step_id or _only_step(state)
            await act(step_id)
            async for message in messages:
                outcome = outcome_of(message, step_id)
                if outcome is not None:
                    return outcome
                if isinstance(message, StepProgress) and step_id in message.step_ids:
                    await _tell(on_progress, message)
        raise AssertionError("an open subscription ends with an error or an outcome")


async def _first_state(messages: "Notifications") -> JobState:
    async for message in messages:
        if isinstance(message, JobState):
            return message
    raise AssertionError("an open subscription ends with an error or a JobState")


async def _tell(on_progress: OnProgress | None, message: StepProgress) -> None:
    told = on_progress(message) if on_progress is not None else None
    if inspect.isawaitable(told):
        await told


def _only_step(state: JobState) -> str:
    steps = [step.step_id for step in state.step_states]
    if len(steps) == 1:
        return steps[0]
    if not steps:
        raise ValueError(f"Job {state.job_id} has no current step: its diagram is finished.")
    raise ValueError(f"Job {state.job_id} has several current steps; name one: {', '.join(steps)}.")


def _outcome_of_answer(message: Message, step_id: str) -> Ending | StepProgress | None:
    if isinstance(message, StepProgress) and step_id in message.step_ids and message.msg_code == HANDLED:
        return message
    return _ending_of(message, step_id)


def _ending_of(message: Message, step_id: str) -> Ending | None:
    """What a message says about the step's end, None if nothing."""
    match message:
        case StepFinished(step_ids=ids) | StepPaused(step_ids=ids) | StepCancelled(step_ids=ids) if step_id in ids:
            return message
        case (
            StepInfoRequired(step_id=step)
            | StepError(step_id=step)
            | StepStopped(step_id=step)
            | StepWarningStopped(step_id=step)
        ) if step == step_id:
            return message
        case JobState(recovered=False):
            return _ending_in(message, step_id)
        case _:
            return None


def _ending_in(state: JobState, step_id: str) -> Ending | None:
    """The end of a step whose messages are lost for good (the server says so), read off how the job stands now."""
    for step in state.step_states:
        if step.step_id == step_id:
            return _ending_of(step.details, step_id) if step.details is not None else None
    current = [
        CurrentStep(step_id=step.step_id, step_name=step.step_name, assigned_to=step.assigned_to)
        for step in state.step_states
    ]
    return StepFinished(job_id=state.job_id, step_ids=[step_id], job_status=state.job_status, current_steps=current)
