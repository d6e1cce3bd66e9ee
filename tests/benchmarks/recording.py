"""The floor of what the store does: the statements it sends to SQLite, recorded, and carried out again by bare sqlite3.

What remains between the two is ours: conditions read, statements chosen, rows made into records, threads and rules.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.store.sqlite import _PRAGMAS, SqliteStore

Recorded = list[tuple[str, Any]]
"""SQL text and its values, in order."""


class Recorder:
    """Stands in for a connection of a store, and notes what it is given."""

    def __init__(self, connection: sqlite3.Connection, recorded: Recorded) -> None:
        """Pass everything on to ``connection``."""
        self._connection = connection
        self._recorded = recorded

    @property
    def in_transaction(self) -> bool:
        """As the connection's."""
        return self._connection.in_transaction

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        """Note the statement, then carry it out."""
        self._recorded.append((sql, values))
        return self._connection.execute(sql, values)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class RecordedStore(SqliteStore):
    """A store whose statements are noted: ``recorded``, of all its connections in the order they were sent."""

    recorded: Recorded

    def _connect(self) -> Any:
        if not hasattr(self, "recorded"):
            self.recorded = []
        return Recorder(super()._connect(), self.recorded)


def bare(path: Path) -> sqlite3.Connection:
    """Open the file as the store does."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=400)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection


def replay(connection: sqlite3.Connection, recorded: Sequence[tuple[str, Any]]) -> None:
    """Carry the statements out again, and read all they give."""
    for sql, values in recorded:
        connection.execute(sql, values).fetchall()
