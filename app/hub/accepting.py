"""How fast new websockets are taken in: accepting one costs about 0.3 ms, which those connected should not notice."""

import time
from collections import OrderedDict
from collections.abc import Callable

KNOWN_ADDRESSES = 10_000


class AcceptLimit:
    """Token buckets: one for all (``per_s``, up to one second's worth at once), and one of ``burst`` per address.

    Args:
        per_s: new sockets per second, all addresses together; also how fast an address's burst grows back.
        burst: new sockets one address may open at once.
        clock: monotonic seconds.
    """

    def __init__(self, per_s: int, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._all = (float(per_s), clock())
        self._by_address: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admits(self, address: str) -> bool:
        """Tell whether one more may come in from this address now, and count it if so."""
        now = self._clock()
        shared = self._filled(self._all, self._per_s, now)
        own = self._filled(self._by_address.get(address, (self._burst, now)), self._burst, now)
        if shared < 1 or own < 1:
            return False
        self._all = (shared - 1, now)
        self._by_address[address] = (own - 1, now)
        self._by_address.move_to_end(address)
        if len(self._by_address) > KNOWN_ADDRESSES:
            self._by_address.popitem(last=False)
        return True

    def _filled(self, bucket: tuple[float, float], size: int, now: float) -> float:
        level, at = bucket
        return min(float(size), level + (now - at) * self._per_s)
