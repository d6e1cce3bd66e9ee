"""How long to wait before the next attempt to connect."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full jitter from the first retry on: a uniformly random part of a ceiling that doubles with each failure.

    Full jitter, not a fixed delay with some noise, because a server that restarts loses all its clients in the same
    moment: spread evenly they come back at a rate it can accept.

    Args:
        base_s: ceiling of the first wait, in seconds.
        cap_s: no wait is longer.
        chance: gives numbers in [0, 1); tests pass their own.
    """

    base_s: float = 1.0
    cap_s: float = 30.0
    chance: Callable[[], float] = random.random

    def wait_s(self, failures: int) -> float:
        """Seconds to wait after ``failures`` attempts (1, 2, 3, ...) have failed since the last success."""
        ceiling: float = min(self.cap_s, self.base_s * 2 ** min(failures - 1, 30))
        return self.chance() * ceiling
