"""The store on PostgreSQL: transactions side by side, tried again when they collide or the connection breaks.

Each use case runs whole in one of a few database threads. READ COMMITTED: what it decides from, it locks.
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import psycopg
from sqlalchemy import bindparam, delete, text

from app.errors import Conflict, StoreUnavailable
from app.services.ports import DiagramRecord, StoreStats
from app.store.base import ParseDiagram, Surroundings
from app.store.calls import Call, Gate
from app.store.diagram_cache import DiagramCache
from app.store.postgres_clock import INTERVAL_S, DatabaseClock
from app.store.postgres_session import LostConnection, LostRace, PostgresSession, translate
from app.store.postgres_tx import PostgresTx
from app.store.postgres_wire import Wire
from app.store.schema import check_revision, command
from app.store.sql import Statement
from app.store.threads import DatabaseThreads

T = TypeVar("T")

_log = logging.getLogger(__name__)

_DELAYS_S: Final = (0.0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0, 1.0)
"""Waits before the next try, each times 0.5 to 1.5; over three seconds in all, the length of a failover at best."""

_COMMANDS_KEPT_MS: Final = 3_600_000

# An administrator may have relaxed synchronous_commit; a 2xx answer means "on disk".
_SETTINGS: Final = (
    b"SET synchronous_commit = on; SET client_encoding = 'UTF8'; SET lock_timeout = '10s'; "
    b"SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'"
)
_CONNECT: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "stepgate",
}
_REVISION = Statement(text("SELECT version_num FROM alembic_version"))
_PRUNE_COMMANDS = Statement(delete(command).where(command.c.created_ms < bindparam("before_ms")))


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Any
    parsed: dict[int, DiagramRecord]


class _CommitUnknown(Exception):
    """COMMIT was sent and the connection broke: it was carried out, or it was not."""

    def __init__(self, outcome: _Outcome) -> None:
        self.outcome = outcome


class PostgresStore:
    """Contract: ``app.services.ports.Store``. Any number of processes serve from the same database.

    Args:
        url: ``postgresql://`` or ``postgresql+psycopg://``; the database is migrated already.
        parse_diagram: reads a stored diagram.
        max_waiting: use cases let in at most; beyond it StoreUnavailable.
        writers, readers: threads, each with a connection.
        diagrams_cached: parsed diagram versions kept.
    """

    is_shared = True

    def __init__(
        self,
        url: str,
        parse_diagram: ParseDiagram,
        *,
        max_waiting: int = 10_000,
        writers: int = 8,
        readers: int = 4,
        diagrams_cached: int = 500,
    ) -> None:
        self._url = "postgresql://" + url.partition("://")[2]
        self._clock = DatabaseClock()
        self._around = Surroundings(parse_diagram, DiagramCache(diagrams_cached), self._clock.now_ms)
        self._gate = Gate(max_waiting)
        self._transactions = 0
        self._writers = DatabaseThreads(self._connect, writers, "stepgate store writer")
        self._readers = DatabaseThreads(self._connect, readers, "stepgate store reader")

    def now_ms(self) -> int:
        return self._clock.now_ms()

    @property
    def stats(self) -> StoreStats:
        return StoreStats(self._gate.inside, self._transactions, commits=self._transactions)

    async def open(self) -> None:
        """Connect and read the time. Raises StoreUnavailable when it cannot be reached or has another schema."""
        self._loop = asyncio.get_running_loop()
        self._writers.open()
        self._readers.open()
        self._gate.open()
        try:
            if await self.read(self._check) > 0:
                await self.run(lambda tx: tx.rebase())
        except BaseException:
            self._gate.close()
            await asyncio.to_thread(self._close_threads)
            raise
        self._housekeeping = asyncio.create_task(self._keep_house(), name="stepgate store housekeeping")

    async def close(self) -> None:
        """Refuse new transactions, finish those let in, close all connections. Idempotent."""
        if self._gate.close():
            self._housekeeping.cancel()
            await asyncio.gather(self._housekeeping, return_exceptions=True)
            await asyncio.to_thread(self._close_threads)

    async def run(
        self,
        use_case: Callable[[PostgresTx], T],
        *,
        command_id: str | None = None,
        after_commit: Callable[[T], None] | None = None,
    ) -> T:
        """As the port says. A ``command_id`` that was committed in the last hour is refused with Conflict."""
        self._gate.enter()
        call = Call(use_case, command_id or secrets.token_urlsafe(16), after_commit, self._loop)
        self._writers.executor.submit(self._carry_out, call)
        result: T = await call.future
        return result

    async def read(self, query: Callable[[PostgresTx], T]) -> T:
        self._gate.enter()
        try:
            return await self._loop.run_in_executor(self._readers.executor, self._read, query)
        finally:
            self._gate.leave()

    # ------------------------------------------------------------ on the loop

    def _deliver(self, call: Call) -> None:
        self._gate.leave()
        self._transactions += call.error is None
        call.deliver()

    async def _keep_house(self) -> None:
        """Compare the clocks, and forget commands whose outcome nobody can be in doubt about any more."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            try:
                await self.read(lambda tx: self._clock.compare(tx.sql))
                await self.run(self._prune)
            except StoreUnavailable as error:
                _log.warning("the store's housekeeping is put off: %s", error)

    # ------------------------------------------------------------ in the database threads

    def _close_threads(self) -> None:
        self._writers.close()
        self._readers.close()

    def _connect(self) -> Wire:
        try:
            connection = Wire(self._url, **_CONNECT)
        except psycopg.Error as error:
            raise LostConnection(f"The database cannot be reached: {error}") from error
        try:
            _command(connection, _SETTINGS)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, tx: PostgresTx) -> int:
        revision = tx.sql.one(_REVISION)
        check_revision(revision[0] if revision else None)
        self._clock.compare(tx.sql)
        return tx.feed_ids_ahead()

    def _prune(self, tx: PostgresTx) -> None:
        tx.sql.change(_PRUNE_COMMANDS, before_ms=tx.now_ms() - _COMMANDS_KEPT_MS)

    def _carry_out(self, call: Call) -> None:
        try:
            outcome = self._commit(call)
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            call.error = error
        else:
            call.result = outcome.result
            self._around.diagrams.add(outcome.parsed)
        self._loop.call_soon_threadsafe(self._deliver, call)

    def _commit(self, call: Call) -> _Outcome:
        """Try until it is committed, or refused, or the tries are used up."""
        also_lock: frozenset[int] = frozenset()
        in_doubt: _Outcome | None = None
        last: Exception | None = None
        for delay_s in _DELAYS_S:
            try:
                return self._try(call, also_lock, in_doubt)
            except _CommitUnknown as error:
                in_doubt, last = error.outcome, error
            except LostRace as error:
                also_lock, last = also_lock | error.also_lock, error
            except LostConnection as error:
                last = error
            time.sleep(delay_s * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
        doubt = " Whether it was committed could not be found out." if in_doubt else ""
        raise StoreUnavailable(f"The database did not commit: {last}.{doubt}") from last

    def _try(self, call: Call, also_lock: frozenset[int], in_doubt: _Outcome | None) -> _Outcome:
        """One try. ``in_doubt`` is the outcome of an earlier one whose COMMIT got no reply."""
        connection = self._writers.connection()
        session = PostgresSession(connection, read_only=False)
        tx = PostgresTx(session, self._around, call.command_id, also_lock)
        try:
            _command(connection, b"BEGIN")
            if not tx.begin():
                return self._committed_before(connection, in_doubt)
            outcome = _Outcome(call.use_case(tx), tx.parsed)
            session.check_sound()
        except BaseException:
            self._roll_back(self._writers, connection)
            raise
        try:
            _command(connection, b"COMMIT")
        except LostConnection as error:
            self._writers.drop()
            raise _CommitUnknown(outcome) from error
        return outcome

    def _committed_before(self, connection: Wire, in_doubt: _Outcome | None) -> _Outcome:
        if in_doubt is None:
            raise Conflict("A command with this id has been committed before.", name="CommandIdInUse")
        _command(connection, b"ROLLBACK")
        return in_doubt

    def _read(self, query: Callable[[PostgresTx], T]) -> T:
        """Read in one snapshot; once more when the connection had broken while it was idle."""
        try:
            return self._read_once(query)
        except LostConnection:
            return self._read_once(query)

    def _read_once(self, query: Callable[[PostgresTx], T]) -> T:
        connection = self._readers.connection()
        tx = PostgresTx(PostgresSession(connection, read_only=True), self._around, command_id="")
        try:
            _command(connection, b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return query(tx)
        finally:
            self._roll_back(self._readers, connection)
            self._around.diagrams.add(tx.parsed)

    def _roll_back(self, threads: DatabaseThreads[Wire], connection: Wire) -> None:
        """Make the connection fit for the next transaction, or drop it."""
        try:
            connection.command(b"ROLLBACK")
        except psycopg.Error:
            threads.drop()


def _command(connection: Wire, sql: bytes) -> None:
    try:
        connection.command(sql)
    except psycopg.Error as error:
        raise translate(error) from error
