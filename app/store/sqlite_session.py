"""Statements on a SQLite connection, and its errors in our words."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NoReturn, final

from app.errors import Conflict, GatewayError, InvalidValue, StoreUnavailable
from app.store.settled import SettledRows
from app.store.sql import Row, Statement, Values


@final
class SqliteSession:
    """One transaction, or one savepoint, of a connection. Contract: ``app.store.sql.Session``.

    Args:
        settled: what the connection remembers; None for one that only reads.
    """

    def __init__(self, connection: sqlite3.Connection, settled: SettledRows | None = None) -> None:
        self._connection = connection
        self._settled = settled
        self._lost: GatewayError | None = None

    def check_writable(self) -> None:
        if self._settled is None:
            raise RuntimeError("this transaction is read-only: use Store.run")

    def all(self, statement: Statement, /, **values: Any) -> list[Row]:
        return self._rows(statement, values)

    def one(self, statement: Statement, /, **values: Any) -> Row | None:
        # All rows are fetched: a statement left half-way would keep its lock until it is collected.
        rows = self._rows(statement, values)
        return rows[0] if rows else None

    def change(self, statement: Statement, /, **values: Any) -> int:
        return self._execute(statement, values).rowcount

    def change_many(self, statement: Statement, rows: Sequence[Values]) -> None:
        for row in rows:
            self._execute(statement, row)

    def _rows(self, statement: Statement, values: Values) -> list[Row]:
        if statement.settled and self._settled is not None:
            return self._settled.get(statement, values, lambda: self._execute(statement, values).fetchall())
        return self._execute(statement, values).fetchall()

    def _execute(self, statement: Statement, values: Values) -> sqlite3.Cursor:
        if self._lost is not None:
            raise self._lost
        if statement.writes:
            if self._settled is None:
                self.check_writable()
            else:
                self._settled.written(statement)
        text = statement.sqlite
        if text.constants:
            values = {**text.constants, **values}
        if text.lists:
            values = {**values, **{name: _array(values[name]) for name in text.lists}}
        try:
            return self._connection.execute(text.sql, values)
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> NoReturn:
        """SQLite may have rolled everything back; then what followed would commit by itself, statement by statement."""
        translated = translate(error)
        if not self._connection.in_transaction:
            self._lost = translated
        raise translated from error


def _array(values: list[Any]) -> str:
    """A list as one parameter. SQLite would cut its strings off at a NUL and find what was not asked for."""
    if any(isinstance(value, str) and "\0" in value for value in values):
        raise InvalidValue("Text cannot contain a NUL.")
    return json.dumps(values)


def translate(error: Exception) -> GatewayError:
    """Say in our words what the driver reports; the caller raises it ``from`` the driver's error."""
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(f"The database refused a row that is there already or refers to nothing: {error}.")
    if isinstance(error, (UnicodeError, OverflowError, sqlite3.DataError)):
        return InvalidValue(f"The database cannot hold this value: {error}.")
    return StoreUnavailable(f"The database did not take the transaction: {error}.")
