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

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Pass everything on to ``connection``; ``recorded`` is what it was given."""
        self._connection = connection
        self.recorded: Recorded = []

    @property
    def in_transaction(self) -> bool:
        """As the connection's."""
        return self._connection.in_transaction

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        """Note the statement, then carry it out."""
        self.recorded.append((sql, values))
        return self._connection.execute(sql, values)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class RecordedStore(SqliteStore):
    """A store whose statements are noted, for each of its connections: the first one is the writer's."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """As the store."""
        super().__init__(*args, **options)
        self.connections: list[Recorder] = []

    def _connect(self) -> Any:
        recorder = Recorder(super()._connect())
        self.connections.append(recorder)
        return recorder

    def take(self) -> Recorded:
        """What has been noted since the last time, connection by connection."""
        taken = [sent for connection in self.connections for sent in connection.recorded]
        for connection in self.connections:
            connection.recorded.clear()
        return taken


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
