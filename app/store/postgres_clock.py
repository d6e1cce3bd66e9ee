"""The time all nodes agree on: the database's, without asking it each time."""

import time
from typing import Final

from sqlalchemy import BigInteger, cast, func, select

from app.store.sql import Session, Statement

INTERVAL_S: Final = 10.0
"""How often to compare: clocks of machines drift apart by some 100 us in that time."""

_NOW = Statement(select(cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)))


class DatabaseClock:
    """The database's clock as last seen, moved on by the machine's monotonic clock."""

    def __init__(self) -> None:
        self._ahead_ms = 0.0

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC; right within half a round trip to the database."""
        return int(self._ahead_ms + time.monotonic() * 1000)

    def compare(self, sql: Session) -> None:
        """Ask the database; what it answers was true half-way between the question and its answer."""
        asked = time.monotonic()
        ((database_ms,),) = sql.all(_NOW)
        self._ahead_ms = database_ms - (asked + time.monotonic()) / 2 * 1000
