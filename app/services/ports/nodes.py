"""What carries messages between nodes and to their subscribers, and what a committed use case asks for there."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.services.ports.administration import TaskEnded
from app.services.ports.jobs import FeedMessage
from app.services.ports.runs import AnswerRecord, Errand, PendingAnswer, RunRecord


class Bus(Protocol):
    """Carries messages between nodes. At most once: the hub heals what is lost.

    Channels: ``job:{item}:{job}``, ``item:{item}``, ``node:{node}``. What one node publishes on a channel arrives in
    that order. All methods but ``open`` and ``close`` return at once and never raise, whatever state the bus is in.
    """

    def publish(self, channel: str, payload: bytes) -> None:
        """Queue a message for all who hear the channel, the publisher included."""

    def subscribe(self, channel: str) -> bool:
        """Hear a channel. Idempotent; may be called before ``open``. True: that takes a moment, after which ``heard``
        is called. False: there is nothing to wait for, it is heard from now on, or the bus is down."""

    def unsubscribe(self, channel: str) -> None:
        """Stop hearing a channel, at once. Idempotent."""

    async def open(self, handler: Callable[[str, bytes], None], heard: Callable[[Collection[str]], None]) -> None:
        """Start, also when the bus is down: it comes up later by itself. Both are called on the event loop.

        Args:
            handler: ``handler(channel, payload)`` gets each message of a subscribed channel.
            heard: ``heard(channels)``: messages of these arrive from now on; earlier ones may have been lost. Called
                after ``subscribe``, and with all channels after an interruption.
        """

    @property
    def stats(self) -> "BusStats":
        """Counters for the metrics."""

    async def close(self) -> None:
        """Send what is queued, if that does not take long, and stop. Idempotent."""


@dataclass(frozen=True, slots=True)
class BusStats:
    """``is_up`` and ``round_trip_s`` (of the last probe, 0 before the first) as they are now; the others count since
    the start. ``dropped`` were published here and not sent, or not known to be.
    """

    is_up: bool = True
    reconnects: int = 0
    published: int = 0
    dropped: int = 0
    round_trip_s: float = 0.0


class Publisher(Protocol):
    """Takes the messages of a committed transaction: to this node's subscribers at once, and to the other nodes."""

    def publish(self, messages: Sequence[FeedMessage]) -> None:
        """Never raises, never waits. Called on the event loop."""

    def verdict(self, answer: AnswerRecord) -> None:
        """An answer was applied or rejected: tell whoever sent it, if it waits."""

    def task_ended(self, ended: TaskEnded) -> None:
        """Tell the sockets of an item, here and on the other nodes, what has become of an export or import."""

    def access_changed(self) -> None:
        """Who may do what has changed: sessions must be judged again."""


class Post(Protocol):
    """Carries errands between nodes. At most once: what is lost, the owner finds in the store at its next renewal."""

    def listen(self, node_id: str, take: Callable[[Errand], None]) -> None:
        """From now on ``take`` gets the errands for ``node_id``, on the event loop; a name this process had before is
        given up."""

    def send(self, node_id: str, errand: Errand) -> None:
        """Never raises, never waits."""


class RunStarter(Protocol):
    """The runner, as use cases see it. All methods are called on the event loop after the commit; none waits."""

    @property
    def node_id(self) -> str:
        """This process start's name."""

    def started(self, runs: Sequence[RunRecord]) -> None:
        """Service steps of this node that have begun: execute them."""

    def stopping(self, runs: Sequence[RunRecord]) -> None:
        """Runs whose stop was asked for, of this node or another: their owners cancel the executors."""

    def refreshing(self, runs: Sequence[RunRecord]) -> None:
        """Runs whose status was asked for, of this node or another: their owners' executors look at once."""

    def answered(self, answers: Sequence[PendingAnswer]) -> None:
        """Answers were stored, to runs of this node or another: their owners apply them."""

    def timers_changed(self) -> None:
        """The next timer, or the next moment of a schedule, may be another one now."""

    def dispatches_added(self) -> None:
        """There is something to send."""


@dataclass(slots=True)
class Effects:
    """What a committed use case asks for outside the store, in the order it happened."""

    messages: list[FeedMessage] = field(default_factory=list)
    started: list[RunRecord] = field(default_factory=list)
    stopping: list[RunRecord] = field(default_factory=list)
    refreshing: list[RunRecord] = field(default_factory=list)
    answers: list[PendingAnswer] = field(default_factory=list)
    verdicts: list[AnswerRecord] = field(default_factory=list)
    timers_changed: bool = False
    dispatches_added: bool = False
    tasks_ended: list[TaskEnded] = field(default_factory=list)
    access_changed: bool = False
