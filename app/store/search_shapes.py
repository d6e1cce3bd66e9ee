"""Shapes of searches: what stays the same when the same question is asked with other values.

Making SQL of a condition takes longer than SQLite needs for a page. So the values are taken out of a condition first,
a ``Slot`` left in the place of each; what remains is equal for all conditions that differ in their values only, and its
statements are made once (``search_statements``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from app.expressions.job_fields import Kind
from app.expressions.where import Compare, Condition, Constant, In, Like, Literal, Not, Search, Several
from app.services.ports import Item, JobQuery
from app.store.schema import EXTENT

MANY_VALUES: Final = 100
"""A shape with more values than this is not kept: it hardly comes again, and takes much room."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value was: the parameter that gives it, and whether it is text, a float, a list of texts, or else a whole
    number."""

    name: str
    type: type


@dataclass(frozen=True, slots=True)
class Shape:
    """Which jobs are meant, without values."""

    condition: Condition
    has_extent: bool
    is_kept: bool = True

    @property
    def parts(self) -> tuple[Condition, ...]:
        """What must all be true, the extent aside."""
        condition = self.condition
        return condition.members if isinstance(condition, Several) and not condition.is_or else (condition,)

    @property
    def is_everything(self) -> bool:
        return not self.has_extent and self.condition == Constant(True)

    @property
    def reads_no_text(self) -> bool:
        """It has neither LIKE nor words to search for, which look at columns that no index holds."""
        return not _reads_text(self.condition)


@dataclass(slots=True)
class Values:
    """Values on their way out of a condition, by the names of their slots."""

    taken: dict[str, Any] = field(default_factory=dict)

    def take(self, value: Any, kind: type | None = None) -> Literal:
        name = f"v{len(self.taken)}"
        self.taken[name] = value
        return cast("Literal", Slot(name, kind or type(value)))  # only ``where_sql`` reads the condition from here on


def taken_apart(item: Item, query: JobQuery) -> tuple[Shape, dict[str, Any]]:
    """The shape of a search, and the values of its statements' parameters (``item_key`` is one)."""
    values = Values()
    condition = _emptied(query.condition, values)
    is_kept = len(values.taken) <= MANY_VALUES
    extent = dict(zip(EXTENT, query.extent, strict=True)) if query.extent is not None else {}
    return Shape(condition, bool(extent), is_kept), {"item_key": item.key, **extent, **values.taken}


def _reads_text(part: Condition) -> bool:
    return isinstance(part, (Like, Search)) or any(map(_reads_text, part.parts))


def _emptied(part: Condition, values: Values) -> Condition:
    make = _EMPTIED.get(type(part))
    return make(part, values) if make else part


def _compare(part: Compare, values: Values) -> Condition:
    return part if part.field.kind is Kind.FLAG else Compare(part.field, part.sign, values.take(part.value))


def _among(part: In, values: Values) -> Condition:
    if part.field.kind is Kind.FLAG or not part.values:
        return part
    texts = [value for value in part.values if isinstance(value, str)]
    taken = [values.take(texts, list)] if texts else [values.take(value) for value in part.values]
    return In(part.field, tuple(taken))


def _like(part: Like, values: Values) -> Condition:
    pattern = part.pattern.casefold().replace("\\", "\\\\")
    return Like(part.field, cast("str", values.take(pattern)))


def _search(part: Search, values: Values) -> Condition:
    word = part.word.casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Search(cast("str", values.take(f"%{word}%")))


def _several(part: Several, values: Values) -> Condition:
    return Several(part.is_or, _all(part.members, values))


def _all(parts: Sequence[Condition], values: Values) -> tuple[Condition, ...]:
    return tuple(_emptied(part, values) for part in parts)


_EMPTIED: Final[dict[type[Condition], Callable[[Any, Values], Condition]]] = {
    Compare: _compare,
    In: _among,
    Like: _like,
    Search: _search,
    Several: _several,
    Not: lambda part, values: Not(_emptied(part.part, values)),
}
"""What has values; all else has none."""
