"""Recovery: states for those who subscribe, and messages that a channel or a client has missed, read from the store.

One reader serves all. While a read is under way, everybody who comes waits for the next one, so a herd of subscribers
of one job costs two reads, and a thousand jobs are read in batches. A session waits in its channel's ``waiters`` until
its state was read *after* it asked: messages let through meanwhile are in the channel's ring and follow the state.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.errors import OWN_FAULT, BackendError, GatewayError
from app.hub.channel import Channel, Waiter
from app.hub.fanout import Fanout, Views
from app.hub.frames import Frame, framed, text_frame
from app.hub.session import Session
from app.protocol.codes import ReplyCode, reply_code
from app.protocol.notifications import Error, JobState, encode
from app.services.ports import Store
from app.services.subscriptions import JobSnapshot, JobWanted, Reading, ReplayLimits, read_jobs, state_for

BATCH_JOBS = 64
RETRY_S = 0.5

_log = logging.getLogger(__name__)

Batch = list[tuple[Channel, list[Waiter]]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a client has everything again, and why not."""

    recovered: bool
    reason: str | None = None


RECOVERED = Verdict(True)


class Recovery:
    """Reads for channels that were named by ``want``, until ``run`` is cancelled. Lives on the event loop.

    Args:
        store: where states and feeds are.
        fanout: takes the messages that close a gap.
        limits: what may be sent again.
        on_unused: told of channels that nobody listens to any more.
        on_version: told the ``access_version`` each read has seen of an item.
    """

    def __init__(
        self,
        store: Store,
        fanout: Fanout,
        limits: ReplayLimits,
        on_unused: Callable[[Channel], None],
        on_version: Callable[[str, int], None],
    ) -> None:
        self.reads = 0
        self.recovered = 0
        self.not_recovered = 0
        self._store = store
        self._fanout = fanout
        self._limits = limits
        self._on_unused = on_unused
        self._on_version = on_version
        self._wanted: dict[Channel, None] = {}
        self._wake = asyncio.Event()
        self._parked: dict[Session, set[Channel]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def want(self, channel: Channel) -> None:
        """Read this channel's job: somebody waits for its state, or messages are missing."""
        self._wanted[channel] = None
        self._wake.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        try:
            while True:
                await self._wake.wait()
                await self._serve(self._next_batch())
                if not self._wanted:
                    self._wake.clear()
        finally:
            for task in self._tasks:
                task.cancel()

    def _next_batch(self) -> Batch:
        """Some channels of one item, with those who wait there now."""
        item_id = next(iter(self._wanted)).item_id
        channels = [channel for channel in self._wanted if channel.item_id == item_id][:BATCH_JOBS]
        batch: Batch = []
        for channel in channels:
            del self._wanted[channel]
            waiters, channel.waiters = [waiter for waiter in channel.waiters if _still_waits(waiter, channel)], []
            batch.append((channel, waiters))
        return batch

    async def _serve(self, batch: Batch) -> None:
        channel = batch[0][0]
        wanted = [_wanted(channel, waiters) for channel, waiters in batch]
        try:
            self.reads += 1
            reading = await self._store.read(
                lambda tx: read_jobs(tx, channel.org_id, channel.item_id, wanted, self._limits)
            )
        except GatewayError as error:
            await self._failed(batch, error)
            return
        except Exception as error:  # noqa: BLE001  (the reader must outlive any one job)
            _log.exception("the state of jobs could not be read")
            await self._failed(batch, error)
            return
        if reading is None:
            self._refuse(batch, ReplyCode.NOT_FOUND, "The workflow item does not exist any more.")
            return
        self._on_version(channel.item_id, reading.access_version)
        for channel, waiters in batch:
            self._settle(channel, waiters, reading)

    def _settle(self, channel: Channel, waiters: list[Waiter], reading: Reading) -> None:
        """One job was read: close the channel's gap, then let the waiters in."""
        snapshot = reading.jobs[channel.job_id]
        waiters = [waiter for waiter in waiters if _still_waits(waiter, channel)]
        replay = [framed(message) for message in snapshot.replay]
        self._close_gap(channel, [*(framed(message) for message in snapshot.healing), *replay], snapshot.seq)
        if snapshot.state is None:
            self._refuse([(channel, waiters)], ReplyCode.NOT_FOUND, f"There is no job {channel.job_id!r}.")
        elif waiters:
            self._admit(channel, waiters, Admission(snapshot, snapshot.state, reading, replay, self._limits))
        if channel.is_unused:
            self._on_unused(channel)

    def _close_gap(self, channel: Channel, frames: Iterable[Frame], seq: int) -> None:
        if channel.last is None:
            self._fanout.add(channel, channel.start(seq))
        for frame in frames:
            self._fanout.add(channel, channel.offer(frame))
        if channel.last is not None and channel.last < seq:
            self.want(channel)

    def _admit(self, channel: Channel, waiters: list[Waiter], admission: "Admission") -> None:
        """Send each waiter what it missed, the state, and what was let through since the state was read."""
        self._fanout.flush_channel(channel)
        tail = channel.after(admission.snapshot.seq)
        after = Views(tail or [])
        for session, own in _by_session(waiters).items():
            missed = None if tail is None else admission.missed(own[0], channel)
            if tail is None or missed is None or session.transport.is_congested:
                self._put_back(channel, session, own)
                continue
            states = [admission.state(session, waiter) for waiter in own]
            session.write(b"".join((Views(missed).of(session), *states, after.of(session))))
            channel.sessions.add(session)
            self._count(own, admission)

    def _count(self, waiters: list[Waiter], admission: "Admission") -> None:
        if waiters[0].since is not None:
            is_recovered = admission.verdict(waiters[0]).recovered
            self.recovered += is_recovered
            self.not_recovered += not is_recovered

    def _put_back(self, channel: Channel, session: Session, waiters: list[Waiter]) -> None:
        """Try again: at once where the channel has run ahead, after the peer has read what it was sent otherwise."""
        channel.waiters.extend(waiters)
        if not session.transport.is_congested:
            self.want(channel)
            return
        self._parked.setdefault(session, set()).add(channel)
        if len(self._parked[session]) == 1:
            task = asyncio.create_task(self._when_drained(session), name=f"session {session.session_id} recovery")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _when_drained(self, session: Session) -> None:
        await session.transport.drained()
        for channel in self._parked.pop(session):
            self.want(channel)

    async def _failed(self, batch: Batch, error: Exception) -> None:
        """Tell the waiters; messages that are missing are read later."""
        text = error.message if isinstance(error, GatewayError) else OWN_FAULT
        self._refuse(batch, reply_code(error), text)
        for channel, _ in batch:
            if channel.sessions:
                self.want(channel)
        await asyncio.sleep(RETRY_S if isinstance(error, BackendError) else RETRY_S * 2)

    def _refuse(self, batch: Batch, code: ReplyCode, text: str) -> None:
        for channel, waiters in batch:
            for waiter in waiters:
                waiter.session.tell(Error(job_id=channel.job_id, msg=text, msg_code=code), self._store.now_ms())
                waiter.session.channels.pop(channel.job_id, None)
            if channel.is_unused:
                self._on_unused(channel)


class Admission:
    """One job's snapshot and how each waiter sees it; what several see alike is encoded once."""

    def __init__(
        self, snapshot: JobSnapshot, state: JobState, reading: Reading, replay: list[Frame], limits: ReplayLimits
    ) -> None:
        self.snapshot = snapshot
        self._known = state
        self._reading = reading
        self._replay = replay
        self._limits = limits
        self._states: dict[tuple[object, ...], bytes] = {}
        self._missed: dict[int, list[Frame] | None] = {}

    def verdict(self, waiter: Waiter) -> Verdict:
        """Judge what a client has (or says it has) against the feed."""
        since = waiter.since
        if waiter.position is None and since is not None and since.epoch != self._reading.epoch:
            return Verdict(False, "epoch_changed")
        seq = _position(waiter)
        if seq is None:
            return RECOVERED
        if seq > self.snapshot.seq:
            return Verdict(False, "ahead")
        if seq < self.snapshot.first_seq - 1:
            return Verdict(False, "trimmed")
        replay_from = self.snapshot.replay_from
        is_cut = replay_from is not None and seq < replay_from
        return Verdict(False, "too_many") if is_cut or self.snapshot.seq - seq > self._limits.messages else RECOVERED

    def missed(self, waiter: Waiter, channel: Channel) -> list[Frame] | None:
        """The messages from what the waiter has up to the state; none if it cannot be recovered. None: read again."""
        seq = _position(waiter)
        if seq is None or not self.verdict(waiter).recovered:
            return []
        if seq not in self._missed:
            self._missed[seq] = self._between(seq, channel)
        return self._missed[seq]

    def _between(self, seq: int, channel: Channel) -> list[Frame] | None:
        if seq >= self.snapshot.seq:
            return []
        if self.snapshot.replay_from is not None and self.snapshot.replay_from <= seq:
            return [frame for frame in self._replay if frame.seq > seq]
        ring = channel.after(seq)
        return None if ring is None else [frame for frame in ring if frame.seq <= self.snapshot.seq]

    def state(self, session: Session, waiter: Waiter) -> bytes:
        """The framed ``JobState`` for one waiter."""
        verdict = self.verdict(waiter)
        sees_all = tuple(detail is None or session.is_in(detail.audience) for detail in self.snapshot.details)
        key = (sees_all, verdict, waiter.sender_id)
        if key not in self._states:
            self._states[key] = self._encode(sees_all, verdict, waiter.sender_id)
        return self._states[key]

    def _encode(self, sees_all: tuple[bool, ...], verdict: Verdict, sender_id: str | None) -> bytes:
        body = JobState(
            job_id=self._known.job_id,
            sender_id=sender_id,
            job_status=self._known.job_status,
            job_template_name=self._known.job_template_name,
            diagram_id=self._known.diagram_id,
            diagram_version=self._known.diagram_version,
            percent_complete=self._known.percent_complete,
            closed=self._known.closed,
            step_states=state_for(self.snapshot, sees_all),
            seq=self.snapshot.seq,
            epoch=self._reading.epoch,
            recovered=verdict.recovered,
            reason=verdict.reason,
        )
        return text_frame(encode(body, timestamp_ms=self._reading.now_ms))


def _wanted(channel: Channel, waiters: list[Waiter]) -> JobWanted:
    """What must be read: from the earliest point a waiter has, unless the ring goes back that far."""
    points = [seq for waiter in waiters if (seq := _position(waiter)) is not None and channel.after(seq) is None]
    return JobWanted(channel.job_id, bool(waiters), min(points, default=None), channel.last)


def _position(waiter: Waiter) -> int | None:
    """The seq up to which a waiter has the messages."""
    if waiter.position is not None:
        return waiter.position
    return None if waiter.since is None else waiter.since.seq


def _still_waits(waiter: Waiter, channel: Channel) -> bool:
    session = waiter.session
    return not session.is_closed and session.channels.get(channel.job_id) is channel


def _by_session(waiters: list[Waiter]) -> dict[Session, list[Waiter]]:
    """A session that asked twice gets its missed messages once, and a state for each time it asked."""
    found: dict[Session, list[Waiter]] = {}
    for waiter in waiters:
        found.setdefault(waiter.session, []).append(waiter)
    return found
