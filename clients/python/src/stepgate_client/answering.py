"""Answers sent over one websocket, each with its verdict, across reconnects.

The socket is opened by the first answer and shared by all that follow. When it breaks, the answers still without a
final verdict are sent again with the same ``requestId``; the server takes each once (design.md section 2, "Prompts").
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec

from stepgate_client.answers import AnswerBody
from stepgate_client.connector import Connector
from stepgate_client.endpoint import Endpoint
from stepgate_client.errors import (
    AnswerRejected,
    ConnectionFailed,
    NotFound,
    RequestRefused,
    StepgateError,
    SubscriptionEnded,
    Unauthenticated,
    Unavailable,
    VerdictMissing,
)
from stepgate_client.messages import Ack, Error, Message, StepAnswer
from stepgate_client.models import AnswerVerdict
from stepgate_client.notifications import TEMPORARY_REPLIES
from stepgate_client.websocket import Websocket

REJECTIONS = frozenset({"already_answered", "not_waiting", "not_allowed", "invalid"})


class AnswerFrame(msgspec.Struct, rename="camel", kw_only=True, tag_field="msgType", tag="StepInformation"):
    """The frame of an answer (websocket.md 2.3; ``request_id`` is Stepgate's)."""

    message: AnswerBody
    request_id: str
    token: str


@dataclass(slots=True)
class _Pending:
    """An answer on its way, and what was reported about it."""

    body: AnswerBody
    reports: asyncio.Queue[AnswerVerdict | StepgateError] = field(default_factory=asyncio.Queue)


class AnswerChannel:
    """Sends answers and hands each its verdicts."""

    def __init__(self, endpoint: Endpoint, connector: Connector) -> None:
        self._endpoint = endpoint
        self._connector = connector
        self._pending: dict[str, _Pending] = {}
        self._websocket: Websocket | None = None
        self._task: asyncio.Task[None] | None = None

    async def verdicts(self, body: AnswerBody, request_id: str, timeout_s: float) -> AsyncIterator[AnswerVerdict]:
        """Send an answer and yield ``stored``, then ``applied``, each at most once.

        Raises:
            AnswerRejected: it does not count.
            VerdictMissing: the final verdict did not come within ``timeout_s`` seconds.
            ValueError: an answer with this ``request_id`` is under way.
        """
        if request_id in self._pending:
            raise ValueError(f"An answer with the request id {request_id!r} is under way.")
        end = asyncio.get_running_loop().time() + timeout_s
        pending = self._pending[request_id] = _Pending(body)
        stage: str | None = None
        try:
            await self._begin(request_id, pending)
            while stage in {None, "stored"}:
                verdict = await self._next(pending, end, request_id, stage)
                if verdict.stage != stage:
                    stage = verdict.stage
                    yield verdict
        finally:
            del self._pending[request_id]
            if not self._pending and self._websocket is None:
                await self._end()  # nobody waits for the connection it tries to make

    async def close(self) -> None:
        """Close the socket; answers under way end with ConnectionFailed."""
        self._fail(ConnectionFailed("The client was closed."))
        await self._end()
        self._connector.closed()

    async def _end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @staticmethod
    async def _next(pending: _Pending, end: float, request_id: str, stage: str | None) -> AnswerVerdict:
        try:
            async with asyncio.timeout_at(end):
                report = await pending.reports.get()
        except TimeoutError:
            raise VerdictMissing(request_id, stage) from None
        if isinstance(report, StepgateError):
            raise report
        return report

    async def _begin(self, request_id: str, pending: _Pending) -> None:
        """Send now when the socket is open; otherwise whoever opens it sends all that is pending."""
        if self._websocket is not None:
            await self._send(self._websocket, request_id, pending)
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._serve(), name="stepgate answers")

    async def _serve(self) -> None:
        """Keep the socket while an answer waits for its verdict, and after that until it closes."""
        try:
            while self._pending:
                await self._serve_one()
        except StepgateError as error:
            self._fail(error)
        except Exception as error:
            self._fail(ConnectionFailed(f"The connection for answers failed: {error!r}."))
            raise

    async def _serve_one(self) -> None:
        try:
            websocket = self._websocket = await self._connector.connect()
            # From here on a new answer sends itself: the list is complete, as nothing was awaited in between.
            for request_id, pending in list(self._pending.items()):
                await self._send(websocket, request_id, pending)
            while True:
                self._report(await websocket.receive())
        except StepgateError as error:
            self._connector.failed(error)
        finally:
            websocket_, self._websocket = self._websocket, None
            if websocket_ is not None:
                await websocket_.close()

    async def _send(self, websocket: Websocket, request_id: str, pending: _Pending) -> None:
        """Send; a closed socket is left to its reader, which sends again or gives up."""
        frame = AnswerFrame(message=pending.body, request_id=request_id, token=await self._endpoint.token())
        try:
            await websocket.send(frame)
        except (ConnectionFailed, SubscriptionEnded):
            return

    def _report(self, message: Message) -> None:
        """Hand a reply to the answer it belongs to. Replies to answers nobody waits for any more are dropped."""
        if not isinstance(message, (Ack, StepAnswer, Error)) or message.request_id is None:
            return
        self._connector.works()
        pending = self._pending.get(message.request_id)
        if pending is not None:
            pending.reports.put_nowait(_verdict(message))

    def _fail(self, error: StepgateError) -> None:
        for pending in self._pending.values():
            pending.reports.put_nowait(error)


def _verdict(message: Ack | StepAnswer | Error) -> AnswerVerdict | StepgateError:
    """Read a reply as a verdict, or as the error to raise."""
    if isinstance(message, Error):
        return _refusal(message)
    if isinstance(message, StepAnswer) and message.stage == "rejected":
        return AnswerRejected(message.msg or "The answer was not taken.", message.reason or "invalid")
    return AnswerVerdict(
        stage=message.stage or "stored",
        job_id=message.job_id,
        step_id=message.step_id,
        prompt_id=message.prompt_id,
        request_id=message.request_id,
    )


def _refusal(error: Error) -> StepgateError:
    if error.msg_code in REJECTIONS:
        return AnswerRejected(error.msg, error.msg_code)
    if error.msg_code in TEMPORARY_REPLIES:
        return Unavailable(error.msg)
    if error.msg_code == "not_found":
        return NotFound(error.msg)
    if error.msg_code == "unauthenticated":
        return Unauthenticated(error.msg)
    return RequestRefused(error.msg, type=error.msg_code, details=error.details)
