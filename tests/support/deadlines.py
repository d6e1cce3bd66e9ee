"""How long a test waits before it fails: one factor from the environment scales every wait."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

SCALE_VARIABLE = "STEPGATE_TEST_SCALE"
HEADROOM = 10
POLL_S = 0.02


def deadline(expected_s: float) -> float:
    """Return the seconds to wait for something that should take ``expected_s`` seconds.

    Ten times the expected time, so that a busy machine fails no test, multiplied by ``STEPGATE_TEST_SCALE`` (default 1)
    for machines slower still. Meant for timeouts that a passing test never reaches.
    """
    return expected_s * HEADROOM * float(os.environ.get(SCALE_VARIABLE, "1"))


async def eventually(condition: Callable[[], bool | Awaitable[bool]], *, expected_s: float = 1.0) -> None:
    """Wait until ``condition`` holds, for state of another process that has no event to await.

    Args:
        condition: plain or async function; asked every 20 ms.
        expected_s: the time this should take, see `deadline`.

    Raises:
        AssertionError: the condition did not hold in time.
    """
    end = time.monotonic() + deadline(expected_s)
    while True:
        holds = condition()
        if not isinstance(holds, bool):
            holds = await holds
        if holds:
            return
        if time.monotonic() > end:
            raise AssertionError(f"{condition!r} did not hold within {deadline(expected_s):.1f} s")
        await asyncio.sleep(POLL_S)
