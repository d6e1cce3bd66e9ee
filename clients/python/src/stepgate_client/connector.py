"""Keeping a websocket: connect, wait, connect again, and say at each moment how it stands."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from stepgate_client.backoff import Backoff
from stepgate_client.endpoint import Endpoint
from stepgate_client.errors import StepgateError
from stepgate_client.websocket import Websocket


class Phase(StrEnum):
    """Where a connection is in its life."""

    IDLE = "idle"
    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """How a connection stands.

    ``cause`` and ``retry_in_s`` say, while ``WAITING``, what failed and how long the pause is; ``failures`` counts the
    attempts since it last worked.
    """

    phase: Phase
    failures: int = 0
    cause: StepgateError | None = None
    retry_in_s: float | None = None


StateListener = Callable[[ConnectionState], None]


class Connector:
    """Opens one websocket after the other, each with a fresh token.

    Args:
        on_state: called on the event loop with each new state; it must not raise.
    """

    def __init__(self, endpoint: Endpoint, backoff: Backoff, on_state: StateListener | None = None) -> None:
        self._endpoint = endpoint
        self._backoff = backoff
        self._on_state = on_state
        self._cause: StepgateError | None = None
        self._failures = 0
        self.state = ConnectionState(Phase.IDLE)

    async def connect(self) -> Websocket:
        """Return an open websocket, however many attempts it takes. Raises what is not temporary."""
        while True:
            if self._cause is not None:
                await self._pause(self._cause)
            self._enter(Phase.CONNECTING)
            try:
                websocket = await Websocket.open(self._endpoint, await self._endpoint.token())
            except StepgateError as error:
                self.failed(error)
            else:
                self._cause = None
                self._enter(Phase.OPEN)
                return websocket

    def failed(self, error: StepgateError) -> None:
        """Note that an attempt, or the websocket it gave, has failed: ``connect`` will pause first.

        Raises the error when it is not temporary.
        """
        if not error.temporary:
            self.closed()
            raise error
        self._failures += 1
        self._cause = error

    def works(self) -> None:
        """Note that the server has done what the connection is for; the next failure is the first one again.

        Accepting a websocket alone proves nothing: a server that closes each one at once must not be hammered.
        """
        self._failures = 0

    def closed(self) -> None:
        """Note that nobody uses this connection any more."""
        if self.state.phase is not Phase.CLOSED:
            self._enter(Phase.CLOSED)

    async def _pause(self, cause: StepgateError) -> None:
        wait_s = self._backoff.wait_s(self._failures)
        self._enter(Phase.WAITING, cause, wait_s)
        await asyncio.sleep(wait_s)

    def _enter(self, phase: Phase, cause: StepgateError | None = None, retry_in_s: float | None = None) -> None:
        self.state = ConnectionState(phase, self._failures, cause, retry_in_s)
        if self._on_state is not None:
            self._on_state(self.state)
