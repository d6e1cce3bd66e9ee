"""Brings a database's tables up to date, under a lock: of several nodes that start at once, one does it."""

import asyncio
import fcntl
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from app.errors import InvalidValue, StoreUnavailable
from app.store.sqlite_statistics import give_statistics

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_KINDS: Final = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
_LOCK: Final = 0x5374_6570_6761_7465
"""The number of PostgreSQL's advisory lock ("Stepgate" in ASCII)."""


async def migrate(database: str | Path) -> None:
    """Create or update the tables, and name the database's history (its epoch) when it has no name yet.

    Waits while another process migrates; does nothing where nothing is to be done. A migration is one transaction.

    Args:
        database: a SQLite file, made when it is not there, by its path or as ``sqlite:///FILE``; or a URL with
            ``postgresql://`` or ``postgresql+psycopg://``.

    Raises:
        InvalidValue: another kind of database. StoreUnavailable: it cannot be reached or written.
    """
    url = URL.create("sqlite", database=str(database)) if isinstance(database, Path) else driver_url(database)
    try:
        await asyncio.to_thread(_migrate_sqlite if url.get_backend_name() == "sqlite" else _migrate_postgres, url)
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise StoreUnavailable(f"The database cannot be migrated: {error}") from error


def driver_url(database_url: str) -> URL:
    """The URL with the driver we use; ``postgresql`` alone means psycopg 3. Raises InvalidValue."""
    try:
        url = make_url(database_url)
    except ArgumentError:
        raise InvalidValue(f"The database's URL cannot be read; give {_KINDS}.") from None
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and url.database:
        return url
    raise InvalidValue(f"The database {url.render_as_string()} is of a kind this server does not know; give {_KINDS}.")


def sqlite_engine(url: URL, begin: str) -> Engine:
    """An engine for one SQLite file whose transactions begin with the statement ``begin``."""
    engine = create_engine(url, poolclass=NullPool)

    # sqlite3 would commit before each CREATE TABLE: we begin and end the transaction ourselves.
    @event.listens_for(engine, "connect")
    def _no_own_transactions(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def upgrade_postgres(connection: Connection) -> None:
    """As ``migrate``, in the caller's transaction: whoever else migrates waits for its end."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    _upgrade(connection)


def _migrate_sqlite(url: URL) -> None:
    engine = sqlite_engine(url, "BEGIN IMMEDIATE")
    with _file_lock(Path(f"{url.database}.migrating")), engine.begin() as connection:
        _upgrade(connection)
        give_statistics(connection)


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock; the operating system drops it when the process dies."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _migrate_postgres(url: URL) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        upgrade_postgres(connection)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.execute(
        text("INSERT INTO meta (name, value) VALUES ('epoch', :epoch) ON CONFLICT DO NOTHING"),
        {"epoch": secrets.token_hex(8)},
    )
