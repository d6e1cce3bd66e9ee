"""Prepared statements on libpq itself, by way of ``psycopg.pq``.

psycopg's cursors take 60 to 100 us of Python a statement, ten of which are one job action; all threads together then
manage about 2,000 actions/s. Straight through libpq it is 10 us and 3,500 to 7,000 (two cores, ten statements each).
The call blocks its thread and nothing else: the interpreter lock is released.

Strings and bytes travel in binary form (a NUL is then the server's to refuse, and cannot cut a string short), all else
as text.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, final

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

from app.store.sql import Row, Statement, Values

_TEXT: Final = 0
_BINARY: Final = 1
_DONE: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


@final
class Wire:
    """A connection, and the statements prepared on it. Lives in one thread at a time.

    All methods raise what psycopg would: subclasses of ``psycopg.Error``; ``UnicodeError`` for a lone surrogate.
    """

    def __init__(self, conninfo: str, **options: Any) -> None:
        self._connection = psycopg.connect(conninfo, autocommit=True, **options)
        self._pg = self._connection.pgconn
        self._prepared: set[bytes] = set()

    @property
    def is_broken(self) -> bool:
        """The connection is closed or lost."""
        return self._pg.status == ConnStatus.BAD

    def close(self) -> None:
        self._connection.close()

    def command(self, sql: bytes) -> None:
        """Carry out one or several statements without parameters."""
        self._check(self._pg.exec_(sql))

    def execute(self, statement: Statement, values: Values) -> "Answer":
        text = statement.postgres
        if text.constants:
            values = {**text.constants, **values}
        params, formats = _encode([values[name] for name in text.order])
        if statement.one_off:
            result = self._pg.exec_params(text.sql.encode(), params, None, formats, _TEXT)
            self._check(result)
            return Answer(result)
        if statement.name not in self._prepared:
            self._check(self._pg.prepare(statement.name, text.sql.encode()))
            self._prepared.add(statement.name)
        # Its type hints forget NULL, which it takes.
        result = self._pg.exec_prepared(statement.name, params, formats, _TEXT)  # type: ignore[arg-type]
        self._check(result)
        return Answer(result)

    def _check(self, result: PGresult) -> None:
        if result.status not in _DONE:
            if self.is_broken:
                raise psycopg.OperationalError(result.error_message.decode(errors="replace").strip())
            raise error_from_result(result)


@final
class Answer:
    """What a statement gave."""

    __slots__ = ("_result",)

    def __init__(self, result: PGresult) -> None:
        self._result = result

    @property
    def changed(self) -> int:
        """How many rows were written."""
        return self._result.command_tuples or 0

    def rows(self) -> list[Row]:
        result = self._result
        columns = [(number, _load(result.ftype(number))) for number in range(result.nfields)]
        return [
            tuple(None if (raw := result.get_value(row, number)) is None else load(raw) for number, load in columns)
            for row in range(result.ntuples)
        ]


def _encode(values: Sequence[Any]) -> tuple[list[bytes | None], list[int]]:
    params: list[bytes | None] = []
    formats: list[int] = []
    for value in values:
        if value is None or isinstance(value, bytes):
            params.append(value)
            formats.append(_BINARY)
        elif isinstance(value, str):
            params.append(value.encode())
            formats.append(_BINARY)
        else:
            params.append(_as_text(value))
            formats.append(_TEXT)
    return params, formats


def _as_text(value: Any) -> bytes:
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, list):
        return b"{" + b",".join(map(_element, value)) + b"}"
    return repr(value).encode()


def _element(value: str | int) -> bytes:
    """One member of an array. libpq would cut the array off at a NUL."""
    text = str(value)
    if "\0" in text:
        raise psycopg.DataError("PostgreSQL text cannot contain a NUL")
    return b'"' + text.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def _bytea(raw: bytes) -> bytes:
    return bytes.fromhex(raw[2:].decode())  # \x0123...


def _bool(raw: bytes) -> bool:
    return raw == b"t"


_LOADERS: Final[dict[int, Callable[[bytes], Any]]] = {
    16: _bool,
    17: _bytea,
    20: int,
    21: int,
    23: int,
    700: float,
    701: float,
}
"""By type id (pg_type.oid): bool, bytea, int8, int2, int4, float4, float8; all others are text."""


def _load(type_id: int) -> Callable[[bytes], Any]:
    return _LOADERS.get(type_id, bytes.decode)
