"""Conditions of job searches: the tree, what it is worth for one job, and its text with storage names (rest.md 5.3).

``where_grammar`` reads conditions, ``app.store.where_sql`` makes SQL of them; a test holds that both agree. Logic has
three values as in SQL: a comparison with null is neither true nor false, and what is not true does not match.

A job is looked at once for each of its current steps (or once without any), so ``assignedType='User' AND
assignedTo='ana'`` speaks of one step; it matches when one of these looks does.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Final

from app.expressions.job_fields import SEARCHED, Field, Kind

Literal = str | int | float | bool
"""Of a moment: ms since 1970."""

OPERATORS: Final[Mapping[str, Callable[[Literal, Literal], bool]]] = {
    "=": eq,
    "<>": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a job, as a condition sees it.

    Args:
        members: values of the job's own fields by name; a missing one is null.
        step: those of one current step, by name.
        texts: all texts that a free-text search looks at, those of all current steps too, casefolded.
        properties: extended properties by table and name: the text, and the number it compares by.
    """

    members: Mapping[str, Literal | None]
    step: Mapping[str, Literal | None]
    texts: Sequence[str]
    properties: Mapping[tuple[str, str], tuple[str | None, float | None]]

    def value(self, field: Field, literal: Literal | None = None) -> Literal | None:
        """The field's value; a property's as a number when it is compared with one."""
        if field.property is not None:
            text, number = self.properties.get(field.property, (None, None))
            return text if literal is None or isinstance(literal, str) else number
        return (self.step if field.of_step else self.members).get(field.name)


class Condition(ABC):
    """A part of a condition. Immutable; equal when it says the same."""

    __slots__ = ()

    @abstractmethod
    def holds(self, look: Look) -> bool | None:
        """True, false, or None: unknown."""

    @abstractmethod
    def text(self) -> str:
        """The condition with storage names."""

    @property
    def parts(self) -> tuple["Condition", ...]:
        return ()

    def fields(self) -> Iterator[Field]:
        """All fields it looks at."""
        for part in self.parts:
            yield from part.fields()

    def could(self) -> frozenset[bool | None]:
        """What it could be worth for a job without a current step."""
        return frozenset({True, False, None})


@dataclass(frozen=True, slots=True)
class Compare(Condition):
    """``field op value``. The value is of the field's kind; of a property it is text or a number."""

    field: Field
    sign: str
    value: Literal

    def holds(self, look: Look) -> bool | None:
        found = look.value(self.field, self.value)
        return None if found is None else OPERATORS[self.sign](found, self.value)

    def text(self) -> str:
        return f"{self.field.storage}{self.sign}{_literal(self.field, self.value)}"

    def fields(self) -> Iterator[Field]:
        yield self.field

    def could(self) -> frozenset[bool | None]:
        return frozenset({None}) if self.field.of_step else frozenset({True, False, None})


@dataclass(frozen=True, slots=True)
class In(Condition):
    """``field IN (values)``; none at all is false. The values are all text, or all numbers."""

    field: Field
    values: tuple[Literal, ...]

    def holds(self, look: Look) -> bool | None:
        if not self.values:
            return False
        found = look.value(self.field, self.values[0])
        return None if found is None else found in self.values

    def text(self) -> str:
        return f"{self.field.storage} IN ({','.join(_literal(self.field, value) for value in self.values)})"

    def fields(self) -> Iterator[Field]:
        yield self.field

    def could(self) -> frozenset[bool | None]:
        if not self.values:
            return frozenset({False})
        return frozenset({None}) if self.field.of_step else frozenset({True, False, None})


@dataclass(frozen=True, slots=True)
class Like(Condition):
    """``field LIKE pattern``: ``%`` stands for any text, ``_`` for one character; letter case is ignored."""

    field: Field
    pattern: str

    def holds(self, look: Look) -> bool | None:
        found = look.value(self.field)
        return None if found is None else like_pattern(self.pattern).fullmatch(str(found).casefold()) is not None

    def text(self) -> str:
        return f"{self.field.storage} LIKE {_quoted(self.pattern)}"

    def fields(self) -> Iterator[Field]:
        yield self.field

    def could(self) -> frozenset[bool | None]:
        return frozenset({None}) if self.field.of_step else frozenset({True, False, None})


@dataclass(frozen=True, slots=True)
class IsNull(Condition):
    """``field IS NULL``."""

    field: Field

    def holds(self, look: Look) -> bool:
        return look.value(self.field) is None

    def text(self) -> str:
        return f"{self.field.storage} IS NULL"

    def fields(self) -> Iterator[Field]:
        yield self.field

    def could(self) -> frozenset[bool | None]:
        return frozenset({True}) if self.field.of_step else frozenset({True, False})


@dataclass(frozen=True, slots=True)
class Constant(Condition):
    """A comparison of two literals, such as ``1=1``."""

    value: bool

    def holds(self, look: Look) -> bool:  # noqa: ARG002 - the same whatever is looked at
        return self.value

    def text(self) -> str:
        return "1=1" if self.value else "1=0"

    def could(self) -> frozenset[bool | None]:
        return frozenset({self.value})


@dataclass(frozen=True, slots=True)
class Search(Condition):
    """A word of a free-text search: it is part of one of the searched texts, in any letter case."""

    word: str

    def holds(self, look: Look) -> bool:
        word = self.word.casefold()
        return any(word in text for text in look.texts)

    def text(self) -> str:
        return f"SEARCH({_quoted(self.word)})"

    def could(self) -> frozenset[bool | None]:
        return frozenset({True, False})


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """``NOT part``."""

    part: Condition

    def holds(self, look: Look) -> bool | None:
        return _opposite(self.part.holds(look))

    def text(self) -> str:
        return f"NOT ({self.part.text()})"

    @property
    def parts(self) -> tuple[Condition, ...]:
        return (self.part,)

    def could(self) -> frozenset[bool | None]:
        return frozenset(map(_opposite, self.part.could()))


@dataclass(frozen=True, slots=True)
class Several(Condition):
    """``part AND part ...`` (``is_or`` false), or ``part OR part ...``."""

    is_or: bool
    members: tuple[Condition, ...]

    def holds(self, look: Look) -> bool | None:
        return self._joined({part.holds(look) for part in self.members})

    def text(self) -> str:
        return (" OR " if self.is_or else " AND ").join(
            f"({part.text()})" if isinstance(part, Several) else part.text() for part in self.members
        )

    @property
    def parts(self) -> tuple[Condition, ...]:
        return self.members

    def could(self) -> frozenset[bool | None]:
        known: frozenset[bool | None] = frozenset({not self.is_or})
        for part in self.members:
            known = frozenset(self._joined({one, other}) for one in known for other in part.could())
        return known

    def _joined(self, values: set[bool | None]) -> bool | None:
        """What decides (true for OR) wins, then unknown."""
        if self.is_or in values:
            return self.is_or
        return None if None in values else not self.is_or


def all_of(*parts: Condition) -> Condition:
    """All of these; one is itself."""
    return parts[0] if len(parts) == 1 else Several(is_or=False, members=parts)


def matches(condition: Condition, looks: Sequence[Look]) -> bool:
    """Tell whether a job matches: one of the looks at it does."""
    return any(condition.holds(look) is True for look in looks)


@lru_cache(maxsize=256)
def like_pattern(pattern: str) -> re.Pattern[str]:
    """A LIKE pattern for casefolded text."""
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(each, re.escape(each)) for each in pattern.casefold()), re.DOTALL)


def searched_texts(members: Mapping[str, Literal | None], steps: Sequence[Mapping[str, Literal | None]]) -> list[str]:
    """What a free-text search looks at, casefolded."""
    values = [source.get(name) for source in (members, *steps) for name in SEARCHED]
    return [str(value).casefold() for value in values if value is not None]


def _opposite(value: bool | None) -> bool | None:
    return None if value is None else not value


def _literal(field: Field, value: Literal) -> str:
    if field.kind is Kind.MOMENT:
        moment = _EPOCH + timedelta(milliseconds=value)  # type: ignore[arg-type]  # a number, by the field's kind
        return f"timestamp '{moment.isoformat(sep=' ').removesuffix('+00:00')}'"
    if isinstance(value, str):
        return _quoted(value)
    return str(int(value)) if isinstance(value, bool) else repr(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
