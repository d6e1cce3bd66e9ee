"""The store on SQLite: one writer thread that commits waiting use cases together, and a few readers beside it.

Measured on two cores at ``synchronous=FULL``: one commit for each transaction gives 2,900 a second, up to 16 in one
commit 10,000 and more. sqlite3's own transaction handling is switched off (with it, savepoints commit by themselves).
"""

import asyncio
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar

from app.errors import StoreUnavailable
from app.services.ports import StoreStats
from app.store.base import ParseDiagram, Surroundings
from app.store.calls import Call, Gate, deliver
from app.store.diagram_cache import DiagramCache
from app.store.schema import check_revision
from app.store.settled import SettledRows
from app.store.sqlite_session import SqliteSession, translate
from app.store.threads import DatabaseThreads
from app.store.tx import SqlTx

T = TypeVar("T")

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-32000",
    "PRAGMA wal_autocheckpoint=10000",  # 40 MB: at the default 4 MB, checkpoints cost a fifth of the throughput
)


class SqliteStore:
    """Contract: ``app.services.ports.Store``. One process serves from it; others may write beside it.

    Args:
        path: the database file, migrated already.
        parse_diagram: reads a stored diagram.
        max_batch: use cases committed together at most.
        max_waiting: use cases let in at most; beyond it StoreUnavailable.
        readers: threads that read.
        busy_timeout_s: how long to wait for another process that writes.
        diagrams_cached: parsed diagram versions kept.
    """

    is_shared = False

    def __init__(
        self,
        path: Path,
        parse_diagram: ParseDiagram,
        *,
        max_batch: int = 16,
        max_waiting: int = 10_000,
        readers: int = 4,
        busy_timeout_s: float = 10.0,
        diagrams_cached: int = 500,
    ) -> None:
        self._path = path
        self._max_batch = max_batch
        self._busy_timeout_s = busy_timeout_s
        self._around = Surroundings(parse_diagram, DiagramCache(diagrams_cached), self.now_ms)
        self._gate = Gate(max_waiting)
        self._settled = SettledRows()
        self._transactions = self._commits = 0
        self._queue: SimpleQueue[Call | None] = SimpleQueue()
        self._readers = DatabaseThreads(self._connect_reader, readers, "stepgate store reader")

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    @property
    def stats(self) -> StoreStats:
        return StoreStats(self._gate.inside, self._transactions, self._commits)

    async def open(self) -> None:
        """Start the writer. Raises StoreUnavailable when the file cannot be used or has another schema."""
        self._loop = asyncio.get_running_loop()
        self._written_out = asyncio.Event()
        self._writer = await asyncio.to_thread(self._open_writer)
        threading.Thread(target=self._write_batches, name="stepgate store writer", daemon=True).start()
        self._readers.open()
        self._gate.open()

    async def close(self) -> None:
        """Refuse new transactions, finish those let in, close all connections. Idempotent."""
        if self._gate.close():
            self._queue.put(None)
            await self._written_out.wait()
            await asyncio.to_thread(self._readers.close)

    async def run(
        self,
        use_case: Callable[[SqlTx], T],
        *,
        command_id: str | None = None,
        after_commit: Callable[[T], None] | None = None,
    ) -> T:
        self._gate.enter()
        call = Call(use_case, command_id or secrets.token_urlsafe(16), after_commit, self._loop)
        self._queue.put(call)
        result: T = await call.future
        return result

    async def read(self, query: Callable[[SqlTx], T]) -> T:
        self._gate.enter()
        try:
            return await self._loop.run_in_executor(self._readers.executor, self._read, query)
        finally:
            self._gate.leave()

    # ------------------------------------------------------------ in the reader threads

    def _read(self, query: Callable[[SqlTx], T]) -> T:
        connection = self._readers.connection()
        tx = SqlTx(SqliteSession(connection), self._around, command_id="")
        _execute(connection, "BEGIN")
        try:
            result = query(tx)
        finally:
            if connection.in_transaction:
                _execute(connection, "ROLLBACK")
        self._around.diagrams.add(tx.parsed)
        return result

    def _connect_reader(self) -> sqlite3.Connection:
        connection = self._connect()
        _execute(connection, "PRAGMA query_only=ON")
        return connection

    # ------------------------------------------------------------ in the writer thread

    def _open_writer(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            check_revision(_execute(connection, "SELECT version_num FROM alembic_version").fetchone()[0])
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        try:
            # A URI in mode rw: a wrong path is an error, not a new and empty database.
            uri = f"{self._path.resolve().as_uri()}?mode=rw"
            connection = sqlite3.connect(
                uri,
                uri=True,
                timeout=self._busy_timeout_s,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=400,
            )
        except sqlite3.Error as error:
            raise StoreUnavailable(f"The database {self._path} cannot be opened: {error}.") from error
        for pragma in _PRAGMAS:
            _execute(connection, pragma)
        return connection

    def _write_batches(self) -> None:
        while batch := self._next_batch():
            self._commit(batch)
            self._loop.call_soon_threadsafe(self._deliver, batch)
        self._writer.close()
        self._loop.call_soon_threadsafe(self._written_out.set)

    def _next_batch(self) -> list[Call]:
        """Wait for a use case and take those that wait behind it; empty when the store closes."""
        batch: list[Call] = []
        call = self._queue.get()
        while call is not None:
            batch.append(call)
            if len(batch) >= self._max_batch:
                return batch
            try:
                call = self._queue.get_nowait()
            except Empty:
                return batch
        if batch:
            self._queue.put(None)  # the store closes after this batch; nothing was queued behind the sign
        return batch

    def _deliver(self, batch: list[Call]) -> None:
        self._gate.leave(len(batch))
        committed = sum(call.error is None for call in batch)
        self._transactions += committed
        self._commits += committed > 0
        deliver(batch)

    def _commit(self, batch: list[Call]) -> None:
        """Run a batch as one transaction. Either it is durable, or every call of it has an error."""
        try:
            if self._writer.in_transaction:  # a rollback failed: there is no other way on
                _execute(self._writer, "ROLLBACK")
            _execute(self._writer, "BEGIN IMMEDIATE")
            self._settled.begin(_execute(self._writer, "PRAGMA data_version").fetchone())
            transactions = [self._run(call) for call in batch]
            _execute(self._writer, "COMMIT")
        except BaseException as error:  # noqa: BLE001 - whatever it was, every caller must hear of it
            self._abandon(batch, error)
        else:
            for call, tx in zip(batch, transactions, strict=True):
                if call.error is None and tx.parsed:
                    self._around.diagrams.add(tx.parsed)

    def _run(self, call: Call) -> SqlTx:
        """Run one use case in a savepoint of its own; its exception is its caller's alone.

        Raises:
            StoreUnavailable: SQLite has rolled the whole transaction back (disk full, I/O error).
        """
        writer = self._writer
        tx = SqlTx(SqliteSession(writer, self._settled), self._around, call.command_id)
        _execute(writer, "SAVEPOINT use_case")
        try:
            call.result = call.use_case(tx)
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            call.error = error
        if not writer.in_transaction:
            raise StoreUnavailable("The database gave up the transaction.") from call.error
        if call.error is not None:
            _execute(writer, "ROLLBACK TO use_case")
        return tx  # the savepoint stays: the next one of the same name hides it, COMMIT ends them all

    def _abandon(self, batch: list[Call], error: BaseException) -> None:
        """Nothing of the batch was committed: roll back, and tell everybody."""
        with suppress(sqlite3.Error):
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        for call in batch:
            call.error = StoreUnavailable(f"The database did not commit: {error}")
            call.error.__cause__ = error


def _execute(connection: sqlite3.Connection, sql: str) -> sqlite3.Cursor:
    try:
        return connection.execute(sql)
    except sqlite3.Error as error:
        raise translate(error) from error
