"""What SQLite's writer remembers: right after every kind of change, whoever made it and whatever became of it."""

import importlib
import pkgutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Table
from sqlalchemy.sql.util import find_tables

import app.store
from app.services.ports import Item
from app.store.migrate import migrate
from app.store.settled import SETTLED_TABLES
from app.store.sql import Statement
from app.store.sqlite import SqliteStore
from app.store.tx import SqlTx
from tests.store.databases import Database

pytestmark = pytest.mark.anyio

ITEM_ID = "1" * 32


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'stepgate.db'}")
    await migrate(made.url)
    yield made
    await made.close()


@pytest.fixture
async def store(database: Database) -> SqliteStore:
    opened = await database.open_store()
    assert isinstance(opened, SqliteStore)
    await opened.run(lambda tx: tx.add_item(ITEM_ID, "workflow", "Mine"))
    await opened.run(item)
    return opened


def item(tx: SqlTx) -> Item:
    found = tx.item("workflow", ITEM_ID)
    assert found is not None
    return found


def bumped_twice(tx: SqlTx) -> tuple[int, int, int]:
    before = item(tx)
    tx.bump_access(before)
    between = item(tx)
    tx.bump_access(None)
    return before.access_version, between.access_version, item(tx).access_version


async def test_what_was_read_before_is_not_read_again(store: SqliteStore) -> None:
    statements: list[str] = []
    store._writer.set_trace_callback(statements.append)
    assert (await store.run(item)).name == "Mine"
    store._writer.set_trace_callback(None)
    assert not any("FROM item" in statement for statement in statements)


async def test_a_transaction_sees_its_own_changes(store: SqliteStore) -> None:
    assert await store.run(bumped_twice) == (1, 2, 3)
    assert (await store.run(item)).access_version == 3


async def test_another_process_is_heeded_by_the_next_transaction(store: SqliteStore, database: Database) -> None:
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("UPDATE item SET access_version = 7, name = 'Theirs'")
    other.close()
    found = await store.run(item)
    assert (found.access_version, found.name) == (7, "Theirs")


async def test_a_change_that_is_rolled_back_leaves_nothing_behind(store: SqliteStore) -> None:
    """What was read between the change and its end must not outlive it, neither in this batch nor in the next."""

    def fail(tx: SqlTx) -> None:
        assert bumped_twice(tx) == (1, 2, 3)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.run(fail)
    assert (await store.run(item)).access_version == 1
    assert (await store.run(item)).access_version == 1


async def test_a_user_who_was_unknown_is_known_once_there(store: SqliteStore) -> None:
    assert await store.run(lambda tx: tx.user("maria")) is None
    await store.run(lambda tx: tx.add_user("maria", None))
    found = await store.run(lambda tx: tx.user("maria"))
    assert found is not None
    assert found.username == "maria"
    assert await store.run(lambda tx: tx.delete_user("maria"))
    assert await store.run(lambda tx: tx.user("maria")) is None


def test_settled_statements_read_settled_tables_only() -> None:
    settled = [statement for statement in statements_of_the_store() if statement.settled]
    assert settled
    for statement in settled:
        tables = set(find_tables(statement._clause, include_joins=True, check_columns=True))
        assert not statement.writes
        assert {table for table in tables if isinstance(table, Table)} <= SETTLED_TABLES, statement.sqlite.sql


def statements_of_the_store() -> Iterator[Statement]:
    for module in pkgutil.iter_modules(app.store.__path__, "app.store."):
        if not module.ispkg:
            yield from (v for v in vars(importlib.import_module(module.name)).values() if isinstance(v, Statement))
