"""Letting go of the websockets of a node that ends, little by little."""

import asyncio
from collections.abc import Sequence
from math import ceil
from typing import Final

from app.hub.session import Session
from app.protocol.codes import GOING_AWAY

DRAINED_PER_S: Final = 200
"""Each comes back, is authenticated and reads its jobs' states: about 2 ms of the node that takes it in."""

_BEAT_S: Final = 0.05


async def drain(sessions: Sequence[Session], at_most_s: float) -> None:
    """Ask each session to come back elsewhere, so many a second that those who take them in are not run over.

    Takes ``at_most_s`` seconds, however many they are, and none where nobody is there.
    """
    beats = max(1, ceil(min(at_most_s, len(sessions) / DRAINED_PER_S) / _BEAT_S))
    at_once = ceil(len(sessions) / beats)
    for first in range(0, len(sessions), max(1, at_once)):
        if first:
            await asyncio.sleep(_BEAT_S)
        for session in sessions[first : first + at_once]:
            session.close(GOING_AWAY)
