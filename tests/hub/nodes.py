"""Hubs on one real store, their sessions, and a feed that a test writes message by message."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from app.bus.memory import Exchange, MemoryBus
from app.domain.job import Assignment
from app.hub.channel import Since
from app.hub.frames import payloads
from app.hub.hub import Hub, Identity
from app.hub.session import Session
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID
from app.services.ports import Bus, FeedMessage, Item, JobRecord, Tx
from app.settings import Settings
from tests.support import deadline
from tests.support.world import World

FAR_MS = 2**53


class Peer:
    """A transport whose other end is the test; ``is_congested`` is what the test says it is."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.is_aborted = False
        self.is_broken = False
        self.is_congested = False
        self.unsent_bytes = 0
        self.writes = 0
        self._listener: Callable[[], None] | None = None
        self._heard = asyncio.Event()
        self._drained = asyncio.Event()

    def write(self, frames: bytes) -> None:
        if self.is_broken:
            raise RuntimeError("the handler is closed")
        if self.closed or self.is_aborted:
            return
        self.writes += 1
        self.messages += [json.loads(payload) for payload in payloads(frames)]
        if self.is_congested:
            self.unsent_bytes += len(frames)
            self.felt()
        self._heard.set()

    def felt(self) -> None:
        if self._listener is not None:
            self._listener()

    def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)
        self._heard.set()

    def abort(self) -> None:
        self.is_aborted = True
        self.drain()
        self._heard.set()

    def unsent(self) -> int:
        return self.unsent_bytes

    def when_congested(self, listener: Callable[[], None]) -> None:
        self._listener = listener

    def drain(self) -> None:
        self.is_congested, self.unsent_bytes = False, 0
        self._drained.set()

    async def drained(self) -> None:
        if self.is_congested:
            await self._drained.wait()

    async def until(self, condition: Callable[[], Any], seconds: float = 1) -> Any:
        """Wait until the condition holds, looking again whenever something was written or closed."""
        async with asyncio.timeout(deadline(seconds)):
            while not (result := condition()):
                self._heard.clear()
                await self._heard.wait()
        return result

    async def has(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many messages; returns all there are."""
        await self.until(lambda: len(self.messages) >= count)
        return self.messages

    async def numbered(self, count: int) -> None:
        """Wait for so many feed messages."""
        await self.until(lambda: len(self.seqs) >= count)

    async def stated(self) -> None:
        """Wait for a job's state."""
        await self.until(lambda: self.states)

    async def reaches(self, seq: int) -> None:
        """Wait until the state and the messages together go up to ``seq``."""
        await self.until(lambda: self.states and (self.seqs[-1:] == [seq] or self.states[0]["seq"] == seq))

    @property
    def types(self) -> list[str]:
        return [message["msgType"] for message in self.messages]

    @property
    def seqs(self) -> list[int]:
        """The numbers of the feed messages, in the order they came."""
        return [message["seq"] for message in self.messages if "seq" in message]

    @property
    def states(self) -> list[dict[str, Any]]:
        return [message["message"] for message in self.messages if message["msgType"] == "JobState"]


class Node:
    """One hub and its sessions."""

    def __init__(self, world: World, bus: Bus, settings: Settings, sweep_s: float) -> None:
        self.world = world
        self.bus = bus
        self.hub = Hub(world.store, self.bus, settings, sweep_s=sweep_s)

    def session(
        self, username: str = ADMIN, *, groups: frozenset[str] = frozenset(), expires_ms: int = FAR_MS
    ) -> Session:
        """A session with a ``Peer``, judged long ago."""
        return self.hub.open_session(Peer(), Identity(username, ORG_ID, ITEM_ID, groups, FAR_MS, expires_ms))

    async def subscribed(
        self, job_id: str, username: str = ADMIN, since: Mapping[str, Since] | None = None, **options: Any
    ) -> tuple[Session, Peer]:
        """A session that has the job's state."""
        session = self.session(username, **options)
        peer = peer_of(session)
        self.hub.subscribe(session, [job_id], since or {})
        await peer.until(lambda: "JobState" in peer.types)
        return session, peer


def peer_of(session: Session) -> Peer:
    assert isinstance(session.transport, Peer)
    return session.transport


@asynccontextmanager
async def open_node(
    world: World, exchange: Exchange | None = None, *, bus: Bus | None = None, sweep_s: float = 60.0, **settings: Any
) -> AsyncIterator[Node]:
    """A running hub, on a bus or on one of its own; the sweep is out of the way unless the test is about it."""
    node = Node(world, bus or MemoryBus(exchange), Settings(**settings), sweep_s)
    await node.hub.open()
    try:
        yield node
    finally:
        await node.hub.close()


class Feed:
    """Writes numbered messages of a job, and leaves it to the test who is told."""

    def __init__(self, world: World, job_id: str) -> None:
        self.world = world
        self.job_id = job_id

    async def write(
        self,
        count: int = 1,
        *,
        size: int = 0,
        audience: Assignment | None = None,
        describes: str | None = None,
        msg_type: str = "StepProgress",
    ) -> list[FeedMessage]:
        """Append messages to the feed; with an ``audience`` they have a short form for everybody else."""

        def append(tx: Tx) -> list[FeedMessage]:
            record = self._record(tx)
            messages = [
                _message(self.job_id, record.seq + number, msg_type, size, audience) for number in range(1, count + 1)
            ]
            record.seq += count
            tx.append_feed(record, messages)
            if describes is not None:
                record.details[describes] = record.seq
            tx.save_job(record)
            return messages

        return await self.world.store.run(append)

    async def seq(self) -> int:
        return await self.world.store.read(lambda tx: self._found(tx, item_of(tx)).seq)

    async def epoch(self) -> str:
        return await self.world.store.read(lambda tx: tx.epoch())

    def _record(self, tx: Tx) -> JobRecord:
        return tx.lock_jobs(item_of(tx), [self.job_id])[self.job_id]

    def _found(self, tx: Tx, item: Item) -> JobRecord:
        record = tx.job(item, self.job_id)
        assert record is not None
        return record


def item_of(tx: Tx) -> Item:
    item = tx.item(ORG_ID, ITEM_ID)
    assert item is not None
    return item


def _message(job_id: str, seq: int, msg_type: str, size: int, audience: Assignment | None) -> FeedMessage:
    def envelope(text: str) -> bytes:
        body = {"jobId": job_id, "stepIds": ["s"], "msg": text}
        return json.dumps({"msgType": msg_type, "timestamp": 1, "seq": seq, "message": body}).encode()

    short = None if audience is None else envelope("short")
    return FeedMessage(ITEM_ID, job_id, seq, msg_type, 1, envelope("full" + "x" * size), short, audience)
