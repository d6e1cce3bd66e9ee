"""The messages of jobs for programs without an event loop: a plain iterator."""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

from stepgate_client import notifications
from stepgate_client.blocking_loop import Loop
from stepgate_client.connector import ConnectionState
from stepgate_client.messages import Message
from stepgate_client.notifications import Position


class Notifications:
    """As ``stepgate_client.Notifications``, without ``await``.

    Iterate over it, in a ``with`` block where the loop may be left early. Iteration waits for the next message as long
    as it takes; ``close`` from another thread ends it.
    """

    def __init__(self, loop: Loop, asynchronous: notifications.Notifications) -> None:
        self._loop = loop
        self._asynchronous = asynchronous
        self._messages = loop.iterate(asynchronous)

    @property
    def state(self) -> ConnectionState:
        """How the connection stands."""
        return self._asynchronous.state

    @property
    def positions(self) -> dict[str, Position]:
        """The last message seen of each job: what another process gives as ``since`` to go on from there."""
        return self._asynchronous.positions

    def subscribe(self, *job_ids: str, since: Mapping[str, Position] | None = None) -> None:
        """Add jobs. Those watched already are left as they are."""
        self._loop.run(self._asynchronous.subscribe(*job_ids, since=since))

    def unsubscribe(self, *job_ids: str) -> None:
        """Drop jobs and forget their positions."""
        self._loop.run(self._asynchronous.unsubscribe(*job_ids))

    def close(self) -> None:
        """End the iteration and close the socket. Idempotent."""
        self._loop.run(self._asynchronous.close())

    def __iter__(self) -> Iterator[Message]:
        return self

    def __next__(self) -> Message:
        return next(self._messages)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
