"""What is set up seldom changes: SQLite's writer remembers such rows until somebody writes there.

Each action reads its item and its job's diagram version, and an assignment reads users, groups and roles as well. In
the one thread that writes, asking once per batch whether another process has written is enough to know that the rows
read before are still right.
"""

from collections.abc import Callable
from typing import Final, final

from app.store.schema import diagram, diagram_version, group, item, membership, role, role_group, user
from app.store.sql import Row, Statement, Values

SETTLED_TABLES: Final = frozenset({item, user, group, membership, role, role_group, diagram, diagram_version})
"""The tables a statement may read that is marked ``settled``."""

_MAX_ENTRIES: Final = 20_000


@final
class SettledRows:
    """Rows of settled statements, by their values. Lives in the writer's thread.

    After a write to one of the tables nothing is kept until the next batch begins: what was read since may be rolled
    back.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[Statement, tuple[object, ...]], list[Row]] = {}
        self._data_version: object = None
        self._keeps = False

    def begin(self, data_version: object) -> None:
        """A batch begins, holding the write lock. ``data_version`` differs when another process has written since."""
        if data_version != self._data_version or len(self._rows) > _MAX_ENTRIES:
            self._rows.clear()
            self._data_version = data_version
        self._keeps = True

    def get(self, statement: Statement, values: Values, read: Callable[[], list[Row]]) -> list[Row]:
        """The rows of a settled statement, read at most once. The list is the caller's to read, not to change."""
        key = (statement, tuple(values.values()))
        rows = self._rows.get(key) if self._keeps else None
        if rows is None:
            rows = read()
            if self._keeps:
                self._rows[key] = rows
        return rows

    def written(self, statement: Statement) -> None:
        """A statement is about to change a table."""
        if statement.table in SETTLED_TABLES:
            self._rows.clear()
            self._keeps = False
