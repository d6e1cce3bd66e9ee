"""Statements on a PostgreSQL connection, and its errors in our words."""

from collections.abc import Sequence
from typing import Any, final

import psycopg
from psycopg import errors

from app.errors import Conflict, GatewayError, InvalidValue, StoreUnavailable
from app.store.postgres_wire import Answer, Wire
from app.store.sql import Row, Statement, Values


class LostRace(StoreUnavailable):
    """Another transaction was in the way (serialization failure, deadlock): the same use case may be tried again.

    ``also_lock`` are keys of jobs to lock at the beginning of the next try, together with all others.
    """

    def __init__(self, message: str, *, also_lock: frozenset[int] = frozenset()) -> None:
        super().__init__(message)
        self.also_lock = also_lock


class LostConnection(StoreUnavailable):
    """The connection broke. Before COMMIT was sent this means that nothing was committed."""


@final
class PostgresSession:
    """One transaction of a connection. Contract: ``app.store.sql.Session``."""

    def __init__(self, wire: Wire, *, read_only: bool) -> None:
        self._wire = wire
        self._read_only = read_only
        self._failure: GatewayError | None = None

    def check_writable(self) -> None:
        if self._read_only:
            raise RuntimeError("this transaction is read-only: use Store.run")

    def all(self, statement: Statement, /, **values: Any) -> list[Row]:
        return self._execute(statement, values).rows()

    def one(self, statement: Statement, /, **values: Any) -> Row | None:
        rows = self._execute(statement, values).rows()
        return rows[0] if rows else None

    def change(self, statement: Statement, /, **values: Any) -> int:
        return self._execute(statement, values).changed

    def change_many(self, statement: Statement, rows: Sequence[Values]) -> None:
        for row in rows:
            self._execute(statement, row)

    def check_sound(self) -> None:
        """Raise what broke the transaction, if anything did: COMMIT of a broken one rolls back without an error."""
        if self._failure is not None:
            raise self._failure

    def _execute(self, statement: Statement, values: Values) -> Answer:
        self.check_sound()
        if statement.writes:
            self.check_writable()
        try:
            return self._wire.execute(statement, values)
        except (psycopg.Error, UnicodeError) as error:
            self._failure = translate(error)
            raise self._failure from error


def translate(error: Exception) -> GatewayError:
    """Say in our words what the driver reports; the caller raises it ``from`` the driver's error."""
    if isinstance(error, (errors.SerializationFailure, errors.DeadlockDetected)):
        return LostRace(f"Another transaction was in the way: {error}")
    if isinstance(error, psycopg.IntegrityError):
        return Conflict(f"The database refused a row that is there already or refers to nothing: {error}")
    if isinstance(error, (UnicodeError, psycopg.DataError)):
        return InvalidValue(f"The database cannot hold this value: {error}")
    if isinstance(error, (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow)):
        return LostConnection(f"The database is shutting down or starting: {error}")
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return LostConnection(f"The connection to the database is gone: {error}")
    return StoreUnavailable(f"The database did not take the transaction: {error}")
