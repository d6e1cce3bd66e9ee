"""SQL text made from Core statements once, and the session that runs it on a raw driver connection.

Running a statement through SQLAlchemy costs 20 to 30 us, more than SQLite needs to carry it out; one job action is six
of them. So a statement is built with Core, compiled at its first use, and its text given to the driver.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, Protocol, final

from sqlalchemy import BindParameter, ClauseElement, ColumnElement, Table, UpdateBase, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import iterate

Row = tuple[Any, ...]
Values = Mapping[str, Any]

_SQLITE = sqlite.dialect(paramstyle="named")
_POSTGRES = psycopg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

_numbers = count(1)


@final
class Statement:
    """A Core statement, and its SQL text for each database.

    Args:
        clause: names every value it needs with ``bindparam``.
        columns: of an INSERT: the columns that are given values.
        settled: it reads nothing but what is seldom changed (``settled.py``), always with its values in one order.
        one_off: it is run once, so it is not worth preparing.
    """

    def __init__(
        self,
        clause: ClauseElement,
        columns: Sequence[str] | None = None,
        *,
        settled: bool = False,
        one_off: bool = False,
    ) -> None:
        self._clause = clause
        self._columns = columns
        self.settled = settled
        self.one_off = one_off
        self.table = clause.table if isinstance(clause, UpdateBase) else None
        """What it changes; None for a query."""
        self.writes = self.table is not None
        self.name = f"stepgate_{next(_numbers)}".encode()
        """What it is called as a prepared statement."""

    @cached_property
    def sqlite(self) -> "Text":
        return self._compile(_SQLITE)

    @cached_property
    def postgres(self) -> "Text":
        return self._compile(_POSTGRES)

    def _compile(self, dialect: Dialect) -> "Text":
        compiled = self._clause.compile(dialect=dialect, column_keys=self._columns)
        constants = {name: value for name, value in (compiled.params or {}).items() if value is not None}
        lists = [element.parameter.key for element in iterate(self._clause) if isinstance(element, AnyOf)]
        return Text(str(compiled), constants, tuple(lists), tuple(getattr(compiled, "positiontup", None) or ()))


@final
@dataclass(frozen=True, slots=True)
class Text:
    """SQL text with parameters.

    ``constants`` are the values of parameters that are always the same, ``lists`` the names of those that are lists,
    ``order`` the names by position, where parameters are numbered.
    """

    sql: str
    constants: Values
    lists: tuple[str, ...]
    order: tuple[str, ...]


class Session(Protocol):
    """Runs statements in one transaction of one connection. Lives in one thread.

    All methods raise:
        Conflict: a constraint of the schema was violated.
        InvalidValue: a value the database cannot hold (a lone surrogate, an integer beyond 64 bits).
        StoreUnavailable: everything else the driver reports.
    """

    def check_writable(self) -> None:
        """Raise a RuntimeError in a read-only transaction, as every method does for a statement that writes."""

    def all(self, statement: Statement, /, **values: Any) -> list[Row]:
        """All rows of a query."""

    def one(self, statement: Statement, /, **values: Any) -> Row | None:
        """The first row of a query, or of a change with RETURNING; None when there is none."""

    def change(self, statement: Statement, /, **values: Any) -> int:
        """Write; return the number of rows changed."""

    def change_many(self, statement: Statement, rows: Sequence[Values]) -> None:
        """Carry the statement out for each of ``rows``."""


def insert_into(table: Table, *columns: str, returning: str | None = None) -> Statement:
    """``INSERT`` of the named columns (none named: all but the key the database gives out)."""
    names = columns or tuple(column.name for column in table.columns if column.identity is None)
    clause = upsert(table).inline()
    return Statement(clause.returning(table.c[returning]) if returning else clause, names)


def insert_if_new(table: Table, *columns: str, returning: str | None = None) -> Statement:
    """As ``insert_into``; does nothing (no row changed, none returned) where a unique constraint is in the way.

    On PostgreSQL a violated constraint would end the transaction; this lets its caller go on.
    """
    names = columns or tuple(column.name for column in table.columns if column.identity is None)
    clause = upsert(table).on_conflict_do_nothing()
    return Statement(clause.returning(table.c[returning]) if returning else clause.inline(), names)


def put_into(table: Table, unique: Sequence[str], returning: str | None = None) -> Statement:
    """``INSERT``, or where the ``unique`` columns are there already, ``UPDATE`` of all others."""
    names = [column.name for column in table.columns if column.identity is None]
    clause = upsert(table)
    others = {name: clause.excluded[name] for name in names if name not in unique}
    clause = clause.on_conflict_do_update(index_elements=list(unique), set_=others)
    return Statement(clause.returning(table.c[returning]) if returning else clause.inline(), names)


class AnyOf(ColumnElement[bool]):
    """``column IN (...)`` for a list given as one parameter, so that the text is the same for every length."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.parameter: BindParameter[Any] = bindparam(name)


@compiles(AnyOf, "sqlite")
def _any_of_sqlite(element: AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, parameter = compiler.process(element.column, **kw), compiler.process(element.parameter, **kw)
    return f"{column} IN (SELECT value FROM json_each({parameter}))"  # noqa: S608 - both are compiled here


@compiles(AnyOf, "postgresql")
def _any_of_postgres(element: AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} = ANY({compiler.process(element.parameter, **kw)})"
