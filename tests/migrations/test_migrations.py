"""Migrations: they lead to the tables of the schema, once, whoever else migrates."""

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.errors import InvalidValue, StoreUnavailable
from app.store.migrate import driver_url, migrate
from app.store.schema import REVISION, metadata
from tests.conftest import BackendName
from tests.support import PostgresServer, deadline

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]

POSTGRES_SHAPE = (
    (
        "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name, is_identity "
        "FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
    ),
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
    (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'alembic%'"
    ),
    "SELECT sequencename, increment_by FROM pg_sequences WHERE schemaname = 'public'",
)
SQLITE_SHAPE = (
    (
        "SELECT type, name, tbl_name, sql FROM sqlite_master "
        "WHERE name NOT LIKE 'sqlite_%' AND tbl_name <> 'alembic_version'"
    ),
)


@pytest.fixture
def new_url(backend: BackendName, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Give the URL of an empty database of that name."""
    if backend == "sqlite":
        return lambda name: f"sqlite:///{tmp_path / name}.db"
    server: PostgresServer = request.getfixturevalue("postgres_server")

    def database(name: str) -> str:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"{server.url.rpartition('/')[0]}/{name}"

    return database


def rows(url: str, sql: str) -> list[Any]:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()
    with psycopg.connect(url) as other:
        return other.execute(sql.encode()).fetchall()


def shape(url: str) -> list[list[str]]:
    """All tables, columns, indexes and constraints, but Alembic's own table."""
    queries = SQLITE_SHAPE if url.startswith("sqlite") else POSTGRES_SHAPE
    found = [[str(row) for row in rows(url, query)] for query in queries]
    return [sorted(map(_in_any_order, part)) for part in found]


def _in_any_order(row: str) -> str:
    """Sort the lines of a CREATE TABLE: the order of its constraints means nothing."""
    return "\n".join(
        sorted(line.rstrip(", ") for line in row.replace("\\n\\t", "\n").replace("\\n", "\n").splitlines())
    )


async def test_the_migrations_lead_to_exactly_the_schema(new_url: Callable[[str], str]) -> None:
    migrated, fresh = new_url("migrated"), new_url("fresh")
    await migrate(migrated)
    engine = create_engine(driver_url(fresh), poolclass=NullPool)
    metadata.create_all(engine)
    assert all(shape(fresh)[:1])
    for migrated_part, fresh_part in zip(shape(migrated), shape(fresh), strict=True):
        assert migrated_part == fresh_part


async def test_alembic_finds_nothing_left_to_do(new_url: Callable[[str], str]) -> None:
    url = new_url("compared")
    await migrate(url)
    engine = create_engine(driver_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == REVISION


async def test_migrating_again_changes_nothing(new_url: Callable[[str], str]) -> None:
    url = new_url("again")
    await migrate(url)
    before = shape(url), rows(url, "SELECT * FROM meta")
    await migrate(url)
    assert (shape(url), rows(url, "SELECT * FROM meta")) == before
    assert [name for name, _ in before[1]] == ["epoch"]


async def test_of_several_processes_that_start_at_once_one_migrates(new_url: Callable[[str], str]) -> None:
    url = new_url("together")
    program = "import asyncio, sys; from app.store.migrate import migrate; asyncio.run(migrate(sys.argv[1]))"
    processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, url, cwd=ROOT) for _ in range(3)]
    assert await asyncio.wait_for(asyncio.gather(*(process.wait() for process in processes)), deadline(6)) == [0, 0, 0]
    assert rows(url, "SELECT version_num FROM alembic_version") == [(REVISION,)]
    assert len(rows(url, "SELECT * FROM meta")) == 1


async def test_a_migration_that_fails_leaves_nothing(
    new_url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_url("failed")
    monkeypatch.setattr("app.store.migrate.secrets.token_hex", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await migrate(url)
    assert not any(shape(url))
    monkeypatch.undo()
    await migrate(url)
    assert len(rows(url, "SELECT * FROM meta")) == 1


def test_the_program_asks_for_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "app" / "store" / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


@pytest.mark.parametrize("url", ["mysql://root@localhost/x", "sqlite://", "nonsense", ""])
async def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match="sqlite:///FILE or postgresql://"):
        await migrate(url)


async def test_a_password_is_not_repeated_in_the_refusal() -> None:
    with pytest.raises(InvalidValue) as refused:
        await migrate("oracle://scott:tiger@localhost/x")
    assert "tiger" not in str(refused.value)


async def test_a_database_that_cannot_be_reached_is_a_temporary_error(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path / 'no' / 'folder.db'}", "postgresql://nobody@127.0.0.1:1/nothing"):
        with pytest.raises(StoreUnavailable) as refused:
            await migrate(url)
        assert refused.value.__cause__ is not None


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_both_spellings_of_postgresql_use_our_driver(scheme: str) -> None:
    assert driver_url(f"{scheme}://u:p@h/d").drivername == "postgresql+psycopg"
