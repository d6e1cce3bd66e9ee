"""A conversation on one websocket: what the client says, carried out frame by frame (websocket.md 2)."""

import logging

from starlette.websockets import WebSocket

from app.api.state import Gateway
from app.errors import OWN_FAULT, GatewayError, PermissionDenied
from app.hub.channel import Since
from app.hub.session import Session
from app.protocol.answers import StepAnswerRequest
from app.protocol.codes import TOO_LARGE, ReplyCode, reply_code
from app.protocol.notifications import Ack, Error, StepAnswer
from app.protocol.requests import Subscribe, Unsubscribe, decode_frame, request_id_of
from app.services import answers
from app.services.engine import Caller
from app.services.ports import AnswerRecord

_log = logging.getLogger(__name__)


class Conversation:
    """One session's dialogue. A frame that is refused is answered, and the next one is read."""

    def __init__(self, parts: Gateway, session: Session) -> None:
        self._parts = parts
        self._session = session
        self._watched: dict[int, AnswerWatch] = {}

    async def hold(self, websocket: WebSocket) -> None:
        """Read and carry out frames until the socket ends."""
        while (message := await websocket.receive())["type"] == "websocket.receive":
            text = message.get("text")
            if text is None:
                self._tell_error(ReplyCode.MALFORMED, "Binary frames are not understood; send JSON as text.")
            elif len(text) > self._parts.settings.max_frame_bytes:
                self._session.close(TOO_LARGE)
            else:
                await self._carry_out(text.encode(errors="surrogatepass"))

    def end(self) -> None:
        """The socket is gone."""
        for watch in self._watched.values():
            self._parts.hub.unwatch_answer(watch.answer_id, watch.tell)
        self._parts.hub.end_session(self._session)

    async def _carry_out(self, raw: bytes) -> None:
        try:
            frame = decode_frame(raw)
            self._check_token(frame.token)
            if isinstance(frame, Subscribe):
                self._subscribe(frame)
            elif isinstance(frame, Unsubscribe):
                self._unsubscribe(frame)
            else:
                await self._answer(frame)
        except GatewayError as error:
            self._tell_error(reply_code(error), error.message, request_id_of(raw), list(error.details))
        except Exception:  # noqa: BLE001  (one frame must not end the session)
            _log.exception("a frame could not be carried out", extra={"fields": self._session.who()})
            text = OWN_FAULT
            self._tell_error(ReplyCode.INTERNAL, text, request_id_of(raw))

    def _check_token(self, token: str | None) -> None:
        """A frame's token renews the session's. Raises Unauthenticated; PermissionDenied for another user's."""
        if token is None:
            return
        principal = self._parts.tokens.verify(token)
        if principal.username != self._session.username:
            raise PermissionDenied("The token is another user's. Open a websocket of its own for that user.")
        self._parts.hub.extend(self._session, principal.expires_ms)

    def _subscribe(self, frame: Subscribe) -> None:
        since = {job_id: Since(point.seq, point.epoch) for job_id, point in frame.since.items()}
        self._parts.hub.subscribe(self._session, frame.job_ids, since, frame.sender_id)
        self._acknowledge(frame.request_id)

    def _unsubscribe(self, frame: Unsubscribe) -> None:
        job_ids = list(self._session.channels) if frame.all else frame.job_ids or []
        self._parts.hub.unsubscribe(self._session, job_ids)
        self._acknowledge(frame.request_id)

    def _acknowledge(self, request_id: str | None) -> None:
        if request_id is not None:
            self._session.tell(Ack(request_id=request_id), self._now_ms())

    async def _answer(self, frame: StepAnswerRequest) -> None:
        """Store an answer and say so; what becomes of it is told when it is known."""
        session = self._session
        try:
            receipt = await self._parts.engine.execute(
                Caller(session.org_id, session.item_id, session.username),
                lambda unit: answers.store(
                    unit,
                    job_id=frame.job_id,
                    step_id=frame.step_id,
                    answer=frame.answer,
                    request_id=frame.request_id,
                    prompt_id=frame.prompt_id,
                ),
            )
        except GatewayError as error:
            self._tell_refusal(frame, reply_code(error), error.message)
            return
        if receipt.stage == answers.REJECTED:
            self._tell_refusal(frame, receipt.reason or ReplyCode.INVALID, receipt.msg or "The answer was rejected.")
            return
        if frame.request_id is not None:
            ack = Ack(
                request_id=frame.request_id,
                job_id=frame.job_id,
                step_id=frame.step_id,
                prompt_id=receipt.prompt_id,
                stage=receipt.stage,
            )
            session.tell(ack, self._now_ms())
        if receipt.stage == answers.STORED and receipt.answer_id is not None:
            self._watch(receipt.answer_id, frame)

    def _watch(self, answer_id: int, frame: StepAnswerRequest) -> None:
        if (known := self._watched.pop(answer_id, None)) is not None:  # the same request, sent again
            self._parts.hub.unwatch_answer(answer_id, known.tell)
        watch = self._watched[answer_id] = AnswerWatch(self, answer_id, frame)
        self._parts.hub.watch_answer(answer_id, watch.tell)

    def tell_verdict(self, frame: StepAnswerRequest, verdict: AnswerRecord) -> None:
        """Tell the sender what became of an answer; without a request id only when it was rejected."""
        self._watched.pop(verdict.answer_id, None)
        if frame.request_id is None:
            if verdict.stage == answers.REJECTED:
                self._tell_refusal(frame, verdict.reason or ReplyCode.INVALID, "The answer could not be applied.")
            return
        body = StepAnswer(
            request_id=frame.request_id,
            job_id=verdict.job_id,
            step_id=verdict.step_id,
            prompt_id=verdict.prompt_id,
            stage=verdict.stage,
            reason=verdict.reason,
        )
        self._session.tell(body, self._now_ms())

    def _tell_refusal(self, frame: StepAnswerRequest, code: str, text: str) -> None:
        body = Error(
            job_id=frame.job_id, step_id=frame.step_id, request_id=frame.request_id, msg=text, msg_code=str(code)
        )
        self._session.tell(body, self._now_ms())

    def _tell_error(
        self, code: ReplyCode, text: str, request_id: str | None = None, details: list[str] | None = None
    ) -> None:
        body = Error(request_id=request_id, msg=text, msg_code=code, details=details or [])
        self._session.tell(body, self._now_ms())

    def _now_ms(self) -> int:
        return self._parts.engine.store.now_ms()


class AnswerWatch:
    """Waits for what becomes of one answer of a conversation."""

    __slots__ = ("_conversation", "_frame", "answer_id")

    def __init__(self, conversation: Conversation, answer_id: int, frame: StepAnswerRequest) -> None:
        self.answer_id = answer_id
        self._conversation = conversation
        self._frame = frame

    def tell(self, verdict: AnswerRecord) -> None:
        """The answer was applied or rejected."""
        self._conversation.tell_verdict(self._frame, verdict)
