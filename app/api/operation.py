"""How an operation of the REST API is described; the tables are in ``operations.py`` and beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.protocol.errors import ErrorBody

JSON: Final = "application/json"
FORM: Final = "multipart/form-data"
URL_ENCODED: Final = "application/x-www-form-urlencoded"
ANY: Final = "*/*"

TEXT: Final = {"type": "string"}
FLAG: Final = {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Extended:
    """A struct with members that its type does not have, as ``{name: type or schema}``; all of them are there."""

    base: type
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Either:
    """One of several types."""

    types: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Args:
        operation_id: its name for generated clients, the reference's where it has one (rest.md 4).
        answer: type of the body of a 200; a ``str`` is the media type of something that is not JSON; None: no 200.
        body: type of the body, if it takes one.
        media: the media types that the body may come in.
        query: switches of the query, and what they do.
        more: other statuses of success: the media type of the body, None without one.
        on: those of them that are on when absent.
        words: those of them that are one of these words, the first when absent.
        free: those of them that are any text.
        texts: parameters of the query that must be there, and are any text.
        filters: parameters of the query that may be there: what they do, and their schema.
        errors: statuses that come with an error object.
        refusal: the type of that object.
        is_open: nobody is asked for a token.
        schemes: the ways in which a token may come.
        privilege: what the caller needs beside access to the item, in words.
    """

    operation_id: str
    tag: str
    summary: str
    answer: Any
    body: Any = None
    media: tuple[str, ...] = (JSON,)
    query: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[int, str | None] = field(default_factory=dict)
    on: frozenset[str] = frozenset()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    free: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    errors: tuple[int, ...] = (400, 401, 403, 404, 503)
    refusal: Any = ErrorBody
    is_open: bool = False
    schemes: tuple[str, ...] = ("bearer", "esri", "query")
    privilege: str | None = None
    notes: str = ""

    @property
    def needs_token(self) -> bool:
        """Somebody is asked for a token."""
        return 401 in self.errors and not self.is_open
