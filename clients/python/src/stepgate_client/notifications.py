"""The messages of jobs as they come: in order, each once, across reconnects.

The position of each job (``seq`` and ``epoch``) is kept here. After a reconnect it is sent as ``since``; the server
sends what was missed, then a ``JobState`` with its verdict, then live messages.
Source: design.md section 2, "Subscribing".
"""

import uuid
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

import msgspec

from stepgate_client.connector import ConnectionState, Connector
from stepgate_client.endpoint import Endpoint
from stepgate_client.errors import ConnectionFailed, StepgateError, SubscriptionEnded, SubscriptionRefused
from stepgate_client.messages import Ack, Error, JobState, Message
from stepgate_client.websocket import Websocket

TEMPORARY_REPLIES = frozenset({"unavailable"})
"""Reply codes that say: not now."""


class Position(msgspec.Struct, frozen=True):
    """The last message of a job that was seen, and the ``epoch`` of the ``JobState`` before it."""

    seq: int
    epoch: str


class Subscribe(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, tag_field="msgType", tag="subscribe"):
    """The frame that adds jobs (websocket.md 2.1; ``since`` and ``request_id`` are Stepgate's)."""

    job_ids: list[str]
    token: str
    request_id: str
    since: dict[str, Position] = {}
    sender_id: str | None = None


class Unsubscribe(
    msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, tag_field="msgType", tag="unsubscribe"
):
    """The frame that drops jobs (websocket.md 2.2)."""

    job_ids: list[str]
    token: str


class Notifications:
    """An asynchronous iterator over the messages of jobs, on a websocket of its own.

    It begins with one ``JobState`` per job. A job that may not be watched arrives as an ``Error`` with its ``job_id``
    and is dropped. Lost connections are made again in the background of the iteration, and after each the job's
    ``JobState`` comes anew; look at its ``recovered``.

    Iteration raises:
        SubscriptionEnded: the server ended the websocket for good.
        SubscriptionRefused: no job is left that may be watched.
        Unauthenticated, PermissionDenied, NotFound: the server refused a (re)connection.

    Use it as an asynchronous context manager where the loop may be left early; otherwise its socket stays open until
    the client is closed. Only one task may iterate; ``subscribe`` and ``unsubscribe`` may be called from others.
    Cancelling a wait for the next message loses none.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        connector: Connector,
        job_ids: Iterable[str],
        since: Mapping[str, Position],
        sender_id: str | None,
    ) -> None:
        self._endpoint = endpoint
        self._connector = connector
        self._positions: dict[str, Position | None] = {job_id: since.get(job_id) for job_id in job_ids}
        self._sender_id = sender_id
        self._live: set[str] = set()
        self._requests: set[str] = set()
        self._websocket: Websocket | None = None
        self._closed = False

    @property
    def state(self) -> ConnectionState:
        """How the connection stands."""
        return self._connector.state

    @property
    def positions(self) -> dict[str, Position]:
        """The last message seen of each job: what another process gives as ``since`` to go on from there."""
        return {job_id: position for job_id, position in self._positions.items() if position is not None}

    async def subscribe(self, *job_ids: str, since: Mapping[str, Position] | None = None) -> None:
        """Add jobs. Those watched already are left as they are."""
        new = [job_id for job_id in job_ids if job_id not in self._positions]
        self._positions |= {job_id: (since or {}).get(job_id) for job_id in new}
        if self._websocket is not None:
            await self._ask_for(self._websocket, new)

    async def unsubscribe(self, *job_ids: str) -> None:
        """Drop jobs and forget their positions; messages of theirs that are under way are not given any more."""
        known = [job_id for job_id in job_ids if job_id in self._positions]
        for job_id in known:
            self._drop(job_id)
        if self._websocket is not None and known:
            await self._send(self._websocket, Unsubscribe(job_ids=known, token=await self._endpoint.token()))

    async def close(self) -> None:
        """End the iteration and close the socket. Idempotent."""
        self._closed = True
        self._connector.closed()
        await self._disconnect()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        while not self._closed:
            try:
                websocket = self._websocket or await self._connect()
                message = await websocket.receive()
                if self._accepts(message):
                    return message
            except StepgateError as error:
                await self._disconnect()
                if not self._closed:
                    self._connector.failed(error)
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _connect(self) -> Websocket:
        websocket = await self._connector.connect()
        self._live.clear()
        self._requests.clear()
        self._websocket = websocket
        # From here on ``subscribe`` asks for itself: the list is complete, as nothing was awaited in between.
        try:
            await self._ask_for(websocket, list(self._positions))
        except BaseException:
            await self._disconnect()  # a cancelled request would leave a socket on which nothing ever comes
            raise
        return websocket

    async def _disconnect(self) -> None:
        websocket, self._websocket = self._websocket, None
        if websocket is not None:
            await websocket.close()

    async def _ask_for(self, websocket: Websocket, job_ids: list[str]) -> None:
        if not job_ids:
            return
        request_id = uuid.uuid4().hex
        self._requests.add(request_id)
        token = await self._endpoint.token()
        since = {job_id: position for job_id in job_ids if (position := self._positions.get(job_id)) is not None}
        await self._send(
            websocket,
            Subscribe(job_ids=job_ids, token=token, request_id=request_id, since=since, sender_id=self._sender_id),
        )

    @staticmethod
    async def _send(websocket: Websocket, frame: Subscribe | Unsubscribe) -> None:
        """Send; a closed socket is left to the iteration, which first reads what came before the close."""
        try:
            await websocket.send(frame)
        except (ConnectionFailed, SubscriptionEnded):
            return

    def _accepts(self, message: Message) -> bool:
        """Note what a message means for the positions; tell whether the caller is to see it."""
        if isinstance(message, Ack):
            self._requests.discard(message.request_id)
            return False
        if isinstance(message, Error):
            return self._accepts_error(message)
        job_id: str | None = getattr(message, "job_id", None)
        if job_id is None or message.seq is None:
            return True
        if job_id not in self._positions:
            return False
        if isinstance(message, JobState):
            return self._settle(job_id, message.seq, message.epoch or "")
        return self._advance(job_id, message.seq)

    def _settle(self, job_id: str, seq: int, epoch: str) -> bool:
        """Take over where a job stands: from here on its messages are live."""
        self._positions[job_id] = Position(seq, epoch)
        self._live.add(job_id)
        self._connector.works()
        return True

    def _advance(self, job_id: str, seq: int) -> bool:
        """Move a job's position on; False for a message seen before.

        A missing number among live messages would break the server's promise. Reconnecting makes the server send the
        missing ones, or say that it cannot.
        """
        position = self._positions[job_id]
        if position is None:  # sent before the job's JobState, which includes it
            return False
        if seq <= position.seq:
            return False
        if seq > position.seq + 1 and job_id in self._live:
            raise ConnectionFailed(f"Messages {position.seq + 1} to {seq - 1} of job {job_id} did not come.")
        self._positions[job_id] = Position(seq, position.epoch)
        return True

    def _accepts_error(self, error: Error) -> bool:
        """Drop a refused job; raise when the whole subscription is refused or nothing is left of it."""
        if error.msg_code in TEMPORARY_REPLIES:
            raise ConnectionFailed(error.msg)
        if error.job_id is not None and error.job_id in self._positions:
            self._drop(error.job_id)
            if self._positions:
                return True
        elif error.request_id not in self._requests:
            return True
        raise SubscriptionRefused(error.msg, error.msg_code)

    def _drop(self, job_id: str) -> None:
        self._positions.pop(job_id, None)
        self._live.discard(job_id)
