"""The hub: who listens to what on this node, and how messages reach them.

Messages come from this node's own commits (``publish``), from the bus, and from the sweep, which reads what neither has
brought. Each passes its channel once, in order, and goes to every session of the channel without waiting for any.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from app.errors import QuotaExceeded
from app.hub.accepting import AcceptLimit
from app.hub.authority import Authority
from app.hub.channel import Channel, Since, Waiter, item_channel, job_channel
from app.hub.deadlines import Deadlines
from app.hub.draining import drain
from app.hub.fanout import Fanout
from app.hub.frames import framed
from app.hub.notices import Notices
from app.hub.payload import AccessChanged, Payload, decode_payload, encode_payload
from app.hub.post import NodePost
from app.hub.pressure import Limits, Pressure
from app.hub.recovery import Recovery
from app.hub.session import Session
from app.hub.sweep import Sweep, Swept
from app.hub.transport import Transport
from app.hub.verdicts import OnVerdict, Verdicts
from app.protocol.codes import ACCESS_LOST, GOING_AWAY, TOKEN_EXPIRED
from app.services.ports import AnswerRecord, Bus, Errand, FeedMessage, Store, TaskEnded
from app.services.subscriptions import ReplayLimits
from app.settings import Settings

GAP_S = 0.05
"""How long a message waits for one before it: commits of one job that overtake each other are closer together."""

HEARD_S = 0.25
"""How long a first state waits for the bus to hear the job's channel. Then it is read, and what lies between is found
once the channel is heard."""

SWEEP_S = 2.0
MAX_REPLAY_BYTES = 1_000_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who opens a session, in which item, as judged at the item's ``access_version``; ``expires_ms`` ends the token."""

    username: str
    org_id: str
    item_id: str
    groups: frozenset[str]
    access_version: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class HubStats:
    """Counters since the start, except ``sessions`` to ``unsent_bytes``: as they are now. ``fanout_s`` adds up how long
    each flush took, from its first message to its last socket.

    ``published`` were made on this node, ``received`` came over the bus, ``swept`` were found in the store by the sweep
    only; ``gaps`` had to be closed from the store; ``recovered`` and ``not_recovered`` count clients that came back.
    """

    sessions: int
    subscriptions: int
    channels: int
    unsent_bytes: int
    published: int
    received: int
    swept: int
    gaps: int
    reads: int
    deliveries: int
    flushes: int
    fanout_s: float
    recovered: int
    not_recovered: int
    cut: int


class Hub:
    """A ``Publisher`` (services/ports), and what the websocket endpoint talks to. Lives on one event loop."""

    def __init__(self, store: Store, bus: Bus, settings: Settings, *, sweep_s: float = SWEEP_S) -> None:
        self.post = NodePost(bus)
        self._store = store
        self._bus = bus
        self._max_subscriptions = settings.max_subscriptions
        self._accepting = AcceptLimit(settings.accept_per_s, settings.accept_burst)
        self._numbers = count(1)
        self._sessions: dict[str, set[Session]] = {}
        self._channels: dict[str, Channel] = {}
        self._gap_timers: dict[Channel, asyncio.TimerHandle] = {}
        self._unheard: dict[Channel, asyncio.TimerHandle] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.is_draining = False
        self._published = self._received = self._swept = self._gaps = 0
        self._fanout = Fanout()
        self._verdicts = Verdicts()
        self._notices = Notices(self._sessions)
        self._pressure = Pressure(_limits(settings))
        self._deadlines = Deadlines(store.now_ms, lambda session: session.close(TOKEN_EXPIRED))
        self._authority = Authority(store, self._sessions, lambda session: session.close(ACCESS_LOST))
        replay = ReplayLimits(settings.max_replay_messages, min(MAX_REPLAY_BYTES, settings.hard_unsent_bytes // 2))
        self._recovery = Recovery(store, self._fanout, replay, self._drop_unused, self._authority.note)
        self._sweep = Sweep(store, sweep_s)

    async def open(self) -> None:
        """Start. What was committed before is not fanned out: whoever subscribes reads it. Raises StoreUnavailable."""
        now = await self._sweep.start()
        for ended in now.tasks_ended:
            self._notices.know(ended)
        await self._bus.open(self._from_bus, self._are_heard)
        for item_id in self._sweep.item_ids:
            self._bus.subscribe(item_channel(item_id))
        self._tasks = [
            asyncio.create_task(self._recovery.run(), name="hub recovery"),
            asyncio.create_task(self._authority.run(), name="hub authority"),
            asyncio.create_task(self._sweep.run(self._sweep_question, self._take_swept), name="hub sweep"),
        ]

    async def drain(self, at_most_s: float) -> None:
        """Ask the sessions to come back, one after the other: this node ends. Its readiness says so from now on."""
        self.is_draining = True
        await drain(self._open_sessions(), at_most_s)

    async def close(self) -> None:
        """Close the sessions that are left with a code that means "come back", and stop. Idempotent."""
        for session in self._open_sessions():
            session.close(GOING_AWAY)
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        for timer in (*self._gap_timers.values(), *self._unheard.values()):
            timer.cancel()
        self._pressure.close()
        self._deadlines.close()
        await self._bus.close()

    @property
    def stats(self) -> HubStats:
        """Counters for the metrics."""
        return HubStats(
            sessions=sum(map(len, self._sessions.values())),
            subscriptions=sum(len(channel.sessions) for channel in self._channels.values()),
            channels=len(self._channels),
            unsent_bytes=self._pressure.unsent_bytes,
            published=self._published,
            received=self._received,
            swept=self._swept,
            gaps=self._gaps,
            reads=self._recovery.reads,
            deliveries=self._fanout.deliveries,
            flushes=self._fanout.flushes,
            fanout_s=self._fanout.busy_s,
            recovered=self._recovery.recovered,
            not_recovered=self._recovery.not_recovered,
            cut=self._pressure.cut_count,
        )

    # ------------------------------------------------------------ sessions

    def _open_sessions(self) -> list[Session]:
        return [session for sessions in self._sessions.values() for session in sessions]

    def admits(self, address: str) -> bool:
        """Tell whether one more socket may come in from this address now, and count it if so."""
        return self._accepting.admits(address)

    def open_session(self, transport: Transport, identity: Identity) -> Session:
        """Take a socket in. Its owner calls ``end_session`` when the socket is gone, however that came."""
        session = Session(
            session_id=str(next(self._numbers)),
            username=identity.username,
            org_id=identity.org_id,
            item_id=identity.item_id,
            groups=identity.groups,
            access_version=identity.access_version,
            expires_ms=identity.expires_ms,
            transport=transport,
        )
        if identity.item_id not in self._sessions:
            self._bus.subscribe(item_channel(identity.item_id))
        self._sessions.setdefault(identity.item_id, set()).add(session)
        self._pressure.watch(session)
        self._deadlines.put(session)
        self._authority.changed()  # access may have changed between its judgement and now
        return session

    def end_session(self, session: Session) -> None:
        """The socket is gone: drop all it was subscribed to. Idempotent."""
        session.is_closed = True
        self._pressure.forget(session)
        self.unsubscribe(session, list(session.channels))
        sessions = self._sessions.get(session.item_id, set())
        sessions.discard(session)
        if not sessions:
            self._sessions.pop(session.item_id, None)

    def extend(self, session: Session, expires_ms: int) -> None:
        """A frame brought a token of the same user: the session lasts as long as the longer one."""
        if expires_ms > session.expires_ms:
            session.expires_ms = expires_ms
            self._deadlines.put(session)

    def subscribe(
        self, session: Session, job_ids: Iterable[str], since: Mapping[str, Since], sender_id: str | None = None
    ) -> None:
        """Subscribe to jobs, also to those subscribed already. Each gets one ``JobState``, or an ``Error`` naming it.

        The session is registered first, and the state read once the bus hears the channel: no message falls between.

        Raises:
            QuotaExceeded: more jobs than one session may have; then none of them is subscribed.
        """
        wanted = dict.fromkeys(job_ids)
        if len(session.channels.keys() | wanted.keys()) > self._max_subscriptions:
            raise QuotaExceeded(f"One websocket may be subscribed to {self._max_subscriptions} jobs at most.")
        for job_id in wanted:
            channel = session.channels.get(job_id) or self._channel(session, job_id)
            position = self._pause(session, channel)
            channel.waiters.append(Waiter(session, since.get(job_id), sender_id, position))
            if channel not in self._unheard:
                self._recovery.want(channel)

    def unsubscribe(self, session: Session, job_ids: Collection[str]) -> None:
        """Drop jobs; ids the session is not subscribed to are ignored."""
        for job_id in job_ids:
            channel = session.channels.pop(job_id, None)
            if channel is not None:
                self._pause(session, channel)
                channel.waiters = [waiter for waiter in channel.waiters if waiter.session is not session]
                self._drop_unused(channel)

    def _channel(self, session: Session, job_id: str) -> Channel:
        name = job_channel(session.item_id, job_id)
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = Channel(session.org_id, session.item_id, job_id)
            if self._bus.subscribe(name):
                self._unheard[channel] = asyncio.get_running_loop().call_later(HEARD_S, self._read_first, channel)
        session.channels[job_id] = channel
        return channel

    def _pause(self, session: Session, channel: Channel) -> int | None:
        """Take a session out of the fan-out, after it got what is due; returns the seq up to which it has all."""
        if session not in channel.sessions:
            return None
        self._fanout.flush_channel(channel)
        channel.sessions.discard(session)
        return channel.last

    def _drop_unused(self, channel: Channel) -> None:
        """Leave a channel nobody listens to. It may be called for one that is in use again, or left already."""
        if channel.is_unused and self._channels.get(channel.name) is channel:
            del self._channels[channel.name]
            self._bus.unsubscribe(channel.name)
            if (timer := self._unheard.pop(channel, None)) is not None:
                timer.cancel()

    # ------------------------------------------------------------ messages

    def publish(self, messages: Sequence[FeedMessage]) -> None:
        """Fan out what this node has committed, and give it to the bus where other nodes may listen."""
        self._published += len(messages)
        self._fanout.change()
        for message in messages:
            self._offer(message)
            if self._store.is_shared:
                self._bus.publish(job_channel(message.item_id, message.job_id), encode_payload(message))

    def verdict(self, answer: AnswerRecord) -> None:
        """Tell whoever waits for an answer, here or on another node, that it was applied or rejected."""
        self._verdicts.arrived(answer)
        self._tell_nodes([answer.item_id], answer)

    def task_ended(self, ended: TaskEnded) -> None:
        """Tell the sockets of an item what has become of an export or import; those of other nodes too."""
        self._notices.tell(ended, self._store.now_ms())
        self._tell_nodes([ended.item_id], ended)

    def access_changed(self) -> None:
        """Judge the sessions again, here and on the other nodes."""
        self._authority.changed()
        self._tell_nodes(self._sweep.item_ids, AccessChanged())

    def watch_answer(self, answer_id: int, callback: OnVerdict) -> None:
        """Call ``callback`` once with the applied or rejected answer, wherever it is applied; never before returning.

        Call it after the answer was stored. A verdict the bus has lost is found by the sweep.
        """
        self._verdicts.watch(answer_id, callback)

    def unwatch_answer(self, answer_id: int, callback: OnVerdict) -> None:
        """Stop waiting. Idempotent."""
        self._verdicts.unwatch(answer_id, callback)

    def _tell_nodes(self, item_ids: Iterable[str], content: Payload) -> None:
        if self._store.is_shared:
            payload = encode_payload(content)
            for item_id in item_ids:
                self._bus.publish(item_channel(item_id), payload)

    def _offer(self, message: FeedMessage) -> bool:
        """Let a message through if somebody listens and it is new."""
        channel = self._channels.get(job_channel(message.item_id, message.job_id))
        if channel is None or not channel.is_news(message.seq):
            return False
        self._fanout.add(channel, channel.offer(framed(message)))
        if channel.has_gap and channel not in self._gap_timers:
            loop = asyncio.get_running_loop()
            self._gap_timers[channel] = loop.call_later(GAP_S, self._gap_is_due, channel)
        return True

    def _gap_is_due(self, channel: Channel) -> None:
        del self._gap_timers[channel]
        if channel.has_gap and not channel.is_unused:
            self._gaps += 1
            self._recovery.want(channel)

    def _are_heard(self, names: Collection[str]) -> None:
        """The bus hears channels: read the states that waited for it. For the others it has heard nothing for a while,
        or not from the beginning; one look of the sweep finds what that cost, in all of them."""
        self.post.heard(names)
        for name in names:
            channel = self._channels.get(name)
            if channel is None or (timer := self._unheard.get(channel)) is None:
                self._sweep.look_soon()
            else:
                timer.cancel()
                self._read_first(channel)

    def _read_first(self, channel: Channel) -> None:
        del self._unheard[channel]
        self._recovery.want(channel)

    def _from_bus(self, _: str, payload: bytes) -> None:
        content = decode_payload(payload)
        if isinstance(content, FeedMessage):
            self._fanout.change()
            self._received += self._offer(content)
        elif isinstance(content, AnswerRecord):
            self._verdicts.arrived(content)
        elif isinstance(content, TaskEnded):
            self._notices.tell(content, self._store.now_ms())
        elif isinstance(content, AccessChanged):
            self._authority.changed()
        elif isinstance(content, Errand):
            self.post.arrived(content)

    def _sweep_question(self) -> tuple[bool, list[int]]:
        return bool(self._channels), self._verdicts.watched

    def _take_swept(self, swept: Swept) -> None:
        for message in swept.messages:
            self._swept += self._offer(message)
        for answer in swept.verdicts:
            self._verdicts.arrived(answer)
        for ended in swept.tasks_ended:
            self._notices.tell(ended, self._store.now_ms())
        for item in swept.items:
            self._authority.note(item.item_id, item.access_version)
        for item_id in swept.new_item_ids:
            self._bus.subscribe(item_channel(item_id))
        for item_id in swept.gone_item_ids:
            self._bus.unsubscribe(item_channel(item_id))
        if not self._sessions.keys() <= self._sweep.item_ids:
            self._authority.changed()  # their item was deleted


def _limits(settings: Settings) -> Limits:
    return Limits(
        soft_bytes=settings.soft_unsent_bytes,
        soft_s=settings.soft_unsent_s,
        hard_bytes=settings.hard_unsent_bytes,
        budget_bytes=settings.unsent_budget_bytes,
    )
