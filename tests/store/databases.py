"""A migrated database of either kind, stores on it, and second connections beside them."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.domain.diagram import Diagram, Step
from app.domain.job import Assignment, CurrentStep, Flow, Job
from app.services.ports import DiagramRecord, FeedMessage, Item, JobRecord
from app.store.migrate import migrate
from app.store.postgres import PostgresStore
from app.store.schema import metadata
from app.store.sqlite import SqliteStore
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.support import PostgresServer

AnyStore = SqliteStore | PostgresStore

_made: set[str] = set()


def parse_diagram(body: bytes, *, diagram_id: str, version: int) -> Diagram:
    """A document is its name; what it says besides is nothing."""
    return _diagram(body, diagram_id, version)


def _diagram(body: bytes, diagram_id: str, version: int) -> Diagram:
    return Diagram(diagram_id, body.decode(), version, (Step("a", "A"),), "a")


class Database:
    """One migrated database. ``url`` is what ``migrate`` takes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._open: list[AnyStore] = []

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def path(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.url.removeprefix("sqlite:///"))

    def store(self, **options: Any) -> AnyStore:
        """A store that is not open yet."""
        if self.is_sqlite:
            return SqliteStore(self.path, parse_diagram, **options)
        return PostgresStore(self.url, parse_diagram, **options)

    async def open_store(self, **options: Any) -> AnyStore:
        """An open store, closed with the database."""
        store = self.store(**options)
        await store.open()
        self._open.append(store)
        return store

    async def close(self) -> None:
        for store in self._open:
            await store.close()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Carry out a statement on a connection of its own, as another program would."""
        if self.is_sqlite:
            connection = sqlite3.connect(self.path, timeout=0)
            try:
                with connection:
                    return connection.execute(sql).fetchall()
            finally:
                connection.close()
        with psycopg.connect(self.url) as other:
            cursor = other.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []


@asynccontextmanager
async def new_database(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """Give a migrated, empty database. Its keys go on where the last test's ended.

    SQLite: a file of its own. PostgreSQL: one for all tests of this process, emptied, as to make and to drop one takes
    a second or two.
    """
    if backend == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        database = Database(f"sqlite:///{folder / 'stepgate.db'}")
        await migrate(database.url)
    else:
        database = Database(await _shared_postgres(request.getfixturevalue("postgres_server")))
    try:
        yield database
    finally:
        await database.close()


async def _shared_postgres(server: PostgresServer) -> str:
    name = f"store_{os.getpid()}"
    url = f"{server.url.rpartition('/')[0]}/{name}"
    if url not in _made:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        await migrate(url)
        _made.add(url)
    else:
        empty(url)
    return url


def empty(url: str) -> None:
    """Delete all rows of a PostgreSQL database but its revision's; name its epoch anew."""
    tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    with psycopg.connect(url) as connection:
        connection.execute(f"TRUNCATE {tables}".encode())
        connection.execute("INSERT INTO meta VALUES ('epoch', gen_random_uuid()::text)")


def new_job(job_id: str = "job", *, step: str = "a", **members: Any) -> Job:
    """A job at one step, waiting for nobody."""
    flow = Flow(steps=(CurrentStep(step, f"visit-{step}", Assignment(), 5),))
    known: dict[str, Any] = {
        "job_id": job_id,
        "name": f"Name of {job_id}",
        "template_id": "template",
        "template_name": "Template",
        "diagram_id": "diagram",
        "diagram_name": "Diagram",
        "diagram_version": 1,
        "owned_by": "owner",
        "created_by": "creator",
        "created_ms": 1,
        "status": "New",
        "priority": "High",
        "flow": flow,
    }
    return Job(**(known | members))


def item_of(tx: SqlTx) -> Item:
    """The one item of the test, made when it is not there."""
    return tx.item("workflow", "item") or tx.add_item("item", "workflow", "Item")


def locked(tx: SqlTx, job_id: str = "job") -> JobRecord:
    """The job, locked."""
    return tx.lock_jobs(item_of(tx), [job_id])[job_id]


def say(tx: SqlTx, record: JobRecord, *words: str) -> None:
    """Append a feed row for each word, and save the job."""
    first = record.seq + 1
    record.seq += len(words)
    messages = [
        FeedMessage("item", record.job.job_id, first + number, word, 7, b'{"%s":1}' % word.encode())
        for number, word in enumerate(words)
    ]
    tx.append_feed(record, messages)
    tx.save_job(record)


def add_jobs(tx: SqlTx, *job_ids: str) -> list[JobRecord]:
    item = item_of(tx)
    return [tx.add_job(item, new_job(job_id)) for job_id in job_ids]


def diagram_record(name: str = "Diagram", *, diagram_id: str = "diagram", version: int = 1) -> DiagramRecord:
    body = name.encode()
    return DiagramRecord(_diagram(body, diagram_id, version), body, f"About {name}", 3, "author")
