"""Copies a SQLite database into an empty PostgreSQL one, and compares the two row by row.

All of it, making the tables included, is one transaction of PostgreSQL that holds the lock of migrations. So a copy
that is interrupted, or found wrong, leaves nothing behind, and a server that starts meanwhile waits for its end.

Keys, times, the epoch and the ids of the feed stay what they are: tokens stay valid and clients resume. SQLite counts
feed ids from 1. Those that PostgreSQL will give are far above; should they not be, the store's ``rebase`` sees to it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Column, Connection, Table, create_engine, delete, exists, func, insert, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.errors import Conflict, StoreUnavailable
from app.store.migrate import driver_url, sqlite_engine, upgrade_postgres
from app.store.schema import SEALED, check_revision, meta, metadata

_AT_ONCE: Final = 200
"""Rows in memory, and in one round trip; those of attachments have 256 KiB."""

_Row = dict[str, Any]
OnProgress = Callable[[str, int], None]
"""Called with what is being done ("copying job") and with how many rows since the last call."""


CopyBlobs = Callable[[Connection, OnProgress], None]


class Sealing(Protocol):
    """Encrypts what may not lie open in a database."""

    def seal(self, secret: bytes) -> bytes:
        """Encrypt."""

    def open(self, stored: bytes) -> bytes:
        """Decrypt what is sealed; what is not comes back as it is. Raises StoreUnavailable without the right key."""


def count_rows(source: Path) -> int:
    """How many rows the database has in all. Raises StoreUnavailable."""
    with _reading(source) as old:
        return sum(old.scalar(select(func.count()).select_from(table)) or 0 for table in metadata.sorted_tables)


def copy_database(
    source: Path, database_url: str, sealing: Sealing, copy_blobs: CopyBlobs, on_progress: OnProgress
) -> None:
    """Copy, then compare every row.

    Args:
        source: the SQLite file, which no server writes to. It is read in one snapshot and not changed.
        database_url: of PostgreSQL.
        sealing: opens the sealed values of the source, and seals them for the target.
        copy_blobs: sees to the attachments once all rows are there, in the same transaction.
        on_progress: hears of every row twice.

    Raises:
        Conflict: the target is not empty, or what arrived is not what was sent. Then the target is as it was.
        StoreUnavailable: one of the databases cannot be used.
    """
    engine = create_engine(driver_url(database_url), poolclass=NullPool)
    try:
        with _reading(source) as old, engine.begin() as new:
            upgrade_postgres(new)
            _check_empty(new)
            new.execute(delete(meta))  # making the tables has named a new epoch, and the old one shall go on
            for table in metadata.sorted_tables:
                _copy(old, new, table, sealing, on_progress)
            _go_on_counting(old, new)
            for table in metadata.sorted_tables:
                _compare(old, new, table, sealing, on_progress)
            copy_blobs(new, on_progress)
    except DBAPIError as error:
        raise StoreUnavailable(f"The database was not copied: {error.orig}") from error
    except OSError as error:
        raise StoreUnavailable(f"An attachment cannot be read: {error}. Nothing was copied.") from error


@contextmanager
def _reading(source: Path) -> Iterator[Connection]:
    """One snapshot of the file."""
    engine = sqlite_engine(URL.create("sqlite", database=str(source)), "BEGIN")
    try:
        with engine.begin() as connection:
            check_revision(connection.scalar(text("SELECT version_num FROM alembic_version")))
            yield connection
    except DBAPIError as error:
        raise StoreUnavailable(f"The database {source} was not copied: {error.orig}") from error


def _check_empty(new: Connection) -> None:
    for table in metadata.sorted_tables:
        if table is not meta and new.scalar(select(exists(select(table)))):
            raise Conflict(
                f"The target is not empty, its table {table.name} has rows. Give an empty database, "
                "one that no server has been started on."
            )


def _copy(old: Connection, new: Connection, table: Table, sealing: Sealing, on_progress: OnProgress) -> None:
    for rows in _pieces(old, table):
        opened = [_with_sealed(row, table, sealing.open) for row in rows]
        new.execute(insert(table), [_with_sealed(row, table, sealing.seal) for row in opened])
        on_progress(f"copying {table.name}", len(rows))


def _go_on_counting(old: Connection, new: Connection) -> None:
    """No key is given out twice, nor those of deleted rows where SQLite remembers them."""
    given = {row.name: row.seq for row in old.execute(text("SELECT name, seq FROM sqlite_sequence"))}
    for table in metadata.sorted_tables:
        for column in table.columns:
            last = max(given.get(table.name, 0), new.scalar(select(func.max(column))) or 0) if column.identity else 0
            if last > 0:
                sequence = func.pg_get_serial_sequence(f'"{table.name}"', column.name)
                new.execute(select(func.setval(sequence, last)))


def _compare(old: Connection, new: Connection, table: Table, sealing: Sealing, on_progress: OnProgress) -> None:
    for sent, arrived in zip_longest(_pieces(old, table), _pieces(new, table), fillvalue=()):
        here = [_with_sealed(row, table, sealing.open) for row in sent]
        there = [_with_sealed(row, table, sealing.open) for row in arrived]
        if here != there:
            row = next(one or other or {} for one, other in zip_longest(here, there) if one != other)
            key = ", ".join(f"{column.name} {row[column.name]!r}" for column in table.primary_key)
            raise Conflict(f"The row {key} of {table.name} did not arrive as it was sent. Nothing was copied.")
        on_progress(f"checking {table.name}", len(sent))


def _pieces(connection: Connection, table: Table) -> Iterator[list[_Row]]:
    """All rows, in the order of the primary key, which is the same on both databases."""
    query = select(table).order_by(*table.primary_key.columns)
    with connection.execute(query, execution_options={"yield_per": _AT_ONCE}) as result:
        for rows in result.mappings().partitions():
            yield [dict(row) for row in rows]


def _with_sealed(row: _Row, table: Table, change: Callable[[bytes], bytes]) -> _Row:
    """The row with its sealed values opened, or sealed."""
    return row | {column.name: change(row[column.name]) for column in table.columns if _is_sealed(column, row)}


def _is_sealed(column: Column[Any], row: _Row) -> bool:
    where = column.info.get(SEALED, False)
    return bool(row[where] if isinstance(where, str) else where)
