"""Fan-out: ready frames to every session of a channel, without waiting for any of them.

A single change is written at once. When changes come faster than they are written out, they are gathered for some
milliseconds and each socket gets them in one write: with 1,000 subscribers one write per message reaches 260,000
deliveries/s, gathered ones 1,800,000 with 16 and 3,100,000 with 64 publishers (design.md section 2, "Hub").
"""

import asyncio
from collections.abc import Iterable, Sequence

from app.domain.job import Assignment
from app.hub.channel import Channel
from app.hub.frames import Frame
from app.hub.session import Session

GATHER_S = 0.002
MAX_GATHER_S = 0.02
GATHER_PER_FLUSH = 2
"""While it is busy, gathering lasts this many times as long as the last flush did: writing to many sockets takes the
time that commits need, so at most a third of it goes there. Never shorter nor longer than the limits above."""

BUSY_FOR_S = 0.05
"""A flush of several changes says that more are under way; this long it is believed."""


class Fanout:
    """Collects what is due and writes it out. Lives on the event loop.

    ``deliveries`` counts messages times sockets, ``flushes`` how often something was written out, ``busy_s`` adds up
    the time from the first message that waited to the last socket that got it.
    """

    def __init__(self) -> None:
        self.deliveries = 0
        self.flushes = 0
        self.busy_s = 0.0
        self._dirty: dict[Channel, None] = {}
        self._handle: asyncio.Handle | None = None
        self._changes = 0
        self._last_changes = 0
        self._last_flush_s = 0.0
        self._last_end_s = 0.0
        self._first_s = 0.0

    def add(self, channel: Channel, frames: Sequence[Frame]) -> None:
        """Send frames to the channel's sessions, soon and in this order."""
        if not frames or not channel.sessions:
            return
        self._dirty[channel] = None
        channel.pending.extend(frames)
        if self._handle is None:
            loop = asyncio.get_running_loop()
            self._first_s = loop.time()
            is_busy = self._last_changes > 1 and self._first_s - self._last_end_s < BUSY_FOR_S
            self._handle = loop.call_later(self._gather_s(), self.flush) if is_busy else loop.call_soon(self.flush)

    def change(self) -> None:
        """One more change has arrived; its messages follow. Several of them between two flushes mean: busy."""
        self._changes += 1

    def _gather_s(self) -> float:
        return min(MAX_GATHER_S, max(GATHER_S, GATHER_PER_FLUSH * self._last_flush_s))

    def flush(self) -> None:
        """Write out everything now."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        dirty, self._dirty = [channel for channel in self._dirty if channel.pending], {}
        self._last_changes, self._changes = self._changes, 0
        if len(dirty) == 1:
            self.flush_channel(dirty[0])
        else:
            self._flush_together(dirty)
        self._last_end_s = loop.time()
        self._last_flush_s = self._last_end_s - start
        if dirty:
            self.busy_s += self._last_end_s - self._first_s

    def flush_channel(self, channel: Channel) -> None:
        """Write out one channel now. Called before a session joins or leaves, so that each gets its messages once."""
        frames, channel.pending = channel.pending, []
        if not frames:
            return
        views = Views(frames)
        if views.everybody is not None:
            self._write_alike(channel, views.everybody)
        else:
            for session in tuple(channel.sessions):
                session.write(views.of(session))
        self._count(channel, frames)

    @staticmethod
    def _write_alike(channel: Channel, blob: bytes) -> None:
        """The hot loop: the same bytes to all. One socket's exception never ends it."""
        for session in tuple(channel.sessions):
            try:
                session.transport.write(blob)
            except Exception:  # noqa: BLE001  (whatever it was, the others get theirs)
                session.broke()

    def _flush_together(self, channels: Iterable[Channel]) -> None:
        """Write out several channels; a session of more than one gets all of it in one write."""
        parts: dict[Session, list[bytes]] = {}
        for channel in channels:
            frames, channel.pending = channel.pending, []
            views = Views(frames)
            for session in channel.sessions:
                parts.setdefault(session, []).append(views.of(session))
            self._count(channel, frames)
        for session, blobs in parts.items():
            session.write(blobs[0] if len(blobs) == 1 else b"".join(blobs))

    def _count(self, channel: Channel, frames: Sequence[Frame]) -> None:
        self.deliveries += len(frames) * len(channel.sessions)
        self.flushes += 1


class Views:
    """Frames joined once for each way they are seen: by whether a session is in the audience of those that differ."""

    __slots__ = ("_audiences", "_frames", "_joined", "everybody")

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = frames
        audiences: list[Assignment | None] = [frame.audience for frame in frames if frame.short is not None]
        self._audiences = tuple(dict.fromkeys(audiences))
        self.everybody = None if audiences else b"".join(frame.full for frame in frames)
        self._joined: dict[tuple[bool, ...], bytes] = {}

    def of(self, session: Session) -> bytes:
        """What this session gets."""
        if self.everybody is not None:
            return self.everybody
        key = tuple([session.is_in(audience) for audience in self._audiences])
        if (joined := self._joined.get(key)) is None:
            joined = self._joined[key] = b"".join(session.view(frame) for frame in self._frames)
        return joined
