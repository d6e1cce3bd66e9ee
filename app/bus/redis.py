"""A bus between processes: Redis pub/sub, kept alive over everything that may happen to it.

Redis delivers at most once and forgets at once; so does this. What a node misses while the link is down it finds in the
database, and each time channels are heard (again) the hub is told to look there.
"""

import asyncio
import logging
import random
import secrets
from collections.abc import Callable, Collection
from contextlib import suppress
from urllib.parse import urlsplit

from redis.exceptions import RedisError

from app.bus.outbox import Outbox
from app.bus.redis_link import CONNECT_S, PROBE_S, Link, connection_of, pool_of
from app.errors import BusUnavailable
from app.services.ports import BusStats

RETRY_S = 0.1
MAX_RETRY_S = 5.0
"""Bounds of the pause before the next attempt: a random part of twice as much each time (full jitter), so that many
nodes do not come back to a Redis that has just started all at once."""

CLOSE_S = 1.0
"""How long the last messages have at shutdown; what they do not reach is found in the store."""

_log = logging.getLogger(__name__)


class RedisBus:
    """A ``Bus`` (see ``services/ports``).

    Args:
        url: ``redis://`` or ``rediss://``.
        prefix: begins all channel names. Pub/sub ignores Redis' database numbers, so it keeps installations apart.
        probe_s: seconds between probes; a stall is noticed within twice as many.

    Raises:
        BusUnavailable: the URL has an option that makes no sense.
    """

    def __init__(self, url: str, prefix: str, *, probe_s: float = PROBE_S) -> None:
        try:
            self._pool = pool_of(url)
            connection_of(self._pool)
        except (RedisError, TypeError, ValueError) as error:
            raise BusUnavailable(f"The Redis URL cannot be used: {error}.") from error
        self.wanted: set[bytes] = set()
        self._confirmed: set[bytes] = set()
        self._changed: dict[bytes, None] = {}
        self._has_changed = asyncio.Event()
        self._outbox = Outbox()
        self._prefix = prefix.encode()
        self._own = self._prefix + b"probe:" + secrets.token_hex(8).encode()
        self._probe_s = probe_s
        self._server = server_of(url)
        self._handler: Callable[[str, bytes], None] | None = None
        self._heard: Callable[[Collection[str]], None] = lambda _: None
        self._task: asyncio.Task[None] | None = None
        self._link = self._new_link()
        self._state = State()

    async def open(self, handler: Callable[[str, bytes], None], heard: Callable[[Collection[str]], None]) -> None:
        """Start. Waits a moment for Redis, and no longer: a server starts without it."""
        self._handler = handler
        self._heard = heard
        self._task = asyncio.create_task(self._keep_linked(), name="bus")
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_S):
                await self._state.is_known.wait()

    async def close(self) -> None:
        """Send what waits, if the bus is up; hear and say nothing any more. Idempotent."""
        self._handler = None
        self.wanted.clear()
        if self._task is not None:
            if self._state.is_up:
                with suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_S):
                        await self._outbox.settled()
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._state.is_up = False

    @property
    def stats(self) -> BusStats:
        """Counters for the metrics."""
        state, outbox = self._state, self._outbox
        return BusStats(state.is_up, state.reconnects, outbox.published, outbox.dropped, self._link.round_trip_s)

    def publish(self, channel: str, payload: bytes) -> None:
        """Queue a message for everybody who is subscribed when it reaches Redis, the publisher included."""
        if self._handler is None:
            return
        fits = self._outbox.put(self._prefix + channel.encode(), payload)
        if not fits and self._state.is_first_drop():
            _log.warning("messages for the bus are dropped: too many wait", extra={"fields": {"server": self._server}})

    def subscribe(self, channel: str) -> bool:
        """Hear a channel; returns whether that takes a moment, after which ``heard`` is called. Idempotent."""
        name = self._prefix + channel.encode()
        if name not in self.wanted:
            self.wanted.add(name)
            self._note(name)
        return self._state.is_up and name not in self._confirmed

    def unsubscribe(self, channel: str) -> None:
        """Stop hearing a channel, at once. Idempotent."""
        name = self._prefix + channel.encode()
        if name in self.wanted:
            self.wanted.discard(name)
            self._note(name)

    def _note(self, name: bytes) -> None:
        self._changed[name] = None
        self._has_changed.set()

    # ------------------------------------------------------------ what the link tells

    async def changes(self) -> Collection[bytes]:
        """Wait for channels to be subscribed to or left."""
        await self._has_changed.wait()
        self._has_changed.clear()
        changed, self._changed = self._changed, {}
        return changed

    def left(self, names: Collection[bytes]) -> None:
        """Channels are not heard any more."""
        self._confirmed.difference_update(names)

    def arrived(self, name: bytes, payload: bytes) -> None:
        """Hand a message to the handler, unless its channel was left while it was under way."""
        if self._handler is None or name not in self.wanted:
            return
        try:
            self._handler(self._channel(name), payload)
        except Exception:  # noqa: BLE001  (one bad message must not end the delivery of the others)
            _log.exception("a message of the bus could not be handled", extra={"fields": {"channel": name.decode()}})

    def confirmed(self, name: bytes) -> None:
        """A channel is heard. Also told when it was before: then something may have been missed in between."""
        self._confirmed.add(name)
        if self._state.is_up and name in self.wanted:
            self._heard([self._channel(name)])

    def is_up(self) -> None:
        """Everything is heard (again)."""
        attempts = self._state.attempts
        down_s = self._state.rose()
        fields = {
            "server": self._server,
            "down_s": round(down_s, 3),
            "attempts": attempts,
            "dropped": self._outbox.dropped,
        }
        _log.info("the bus is up", extra={"fields": fields})
        self._heard([self._channel(name) for name in self._confirmed if name in self.wanted])

    def _channel(self, name: bytes) -> str:
        return name[len(self._prefix) :].decode()

    # ------------------------------------------------------------ keeping it alive

    async def _keep_linked(self) -> None:
        attempt = 0
        while True:
            self._link = self._new_link()
            self._changed = {}
            try:
                await self._link.run()
            except (RedisError, OSError, BusUnavailable) as error:
                self._is_down(str(error) or type(error).__name__)
            except Exception:  # noqa: BLE001  (whatever it was, the next link may live)
                _log.exception("the bus failed")
                self._is_down("see above")
            # One that was probed has lived: a Redis that ends each new connection is not asked again and again.
            attempt = 0 if self._link.probes else attempt + 1
            await asyncio.sleep(random.uniform(0, min(MAX_RETRY_S, RETRY_S * 2**attempt)))  # noqa: S311  (no secret)

    def _new_link(self) -> Link:
        return Link(self._pool, self._outbox, self, self._own, self._probe_s)

    def _is_down(self, reason: str) -> None:
        """A link has ended or could not be made. It is said once, until the bus is up again."""
        state = self._state
        state.attempts += 1
        self._confirmed.clear()
        if state.is_up or not state.is_known.is_set():
            fields = {"server": self._server, "reason": reason}
            _log.warning("the bus is down: other nodes find changes in the database", extra={"fields": fields})
            state.fell()


class State:
    """Whether the bus is up, and since when it is not."""

    def __init__(self) -> None:
        self.is_up = False
        self.is_known = asyncio.Event()
        self.reconnects = 0
        self.attempts = 0
        self._has_dropped = False
        self._fell_s: float | None = None

    def fell(self) -> None:
        """The bus has gone down, or was so from the beginning."""
        self.is_up = False
        self.is_known.set()
        self._fell_s = asyncio.get_running_loop().time()

    def rose(self) -> float:
        """The bus has come up; returns the seconds it was down."""
        self.is_up = True
        self.is_known.set()
        self.attempts = 0
        self._has_dropped = False
        if self._fell_s is None:
            return 0.0
        self.reconnects += 1
        return asyncio.get_running_loop().time() - self._fell_s

    def is_first_drop(self) -> bool:
        """Tell whether this is the first message dropped since the bus came up."""
        is_first, self._has_dropped = not self._has_dropped, True
        return is_first


def server_of(url: str) -> str:
    """The part of a URL that a log may show: no user, no password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}"
