"""The time all nodes agree on: the database's, without asking it each time."""

import time
from typing import Final

from sqlalchemy import BigInteger, cast, func, select

from app.store.sql import Session, Statement

INTERVAL_S: Final = 10.0
"""How often to compare: clocks of machines drift apart by some 100 us in that time."""

_SAMPLES: Final = 5
"""Questions per comparison. A single one is late by whatever this process or the database happened to wait for."""

_NOW: Final = Statement(select(cast(func.floor(func.extract("epoch", func.clock_timestamp()) * 1000), BigInteger)))


class DatabaseClock:
    """The database's clock as last seen, moved on by the machine's monotonic clock.

    Never ahead of the database at a comparison, and behind it by no more than the quickest answer took on its way: a
    hold is not released before its time, a lease not taken before its end.
    """

    def __init__(self) -> None:
        self._ahead_ms = 0.0

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return int(self._ahead_ms + time.monotonic() * 1000)

    def compare(self, sql: Session) -> None:
        """Ask the database. When an answer is here, it is at least as late there as the answer says."""
        self._ahead_ms = max(_ahead_ms(sql) for _ in range(_SAMPLES))


def _ahead_ms(sql: Session) -> float:
    ((database_ms,),) = sql.all(_NOW)
    return float(database_ms - time.monotonic() * 1000)
