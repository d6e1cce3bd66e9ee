"""Searches and statistics of jobs (rest.md 5.3, 5.4). Reading needs access to the item, and nothing more."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.domain.geometry import read_extent
from app.errors import InvalidValue
from app.expressions.arcade import ArcadeError, evaluate_text
from app.expressions.job_fields import FIELDS, Field, Kind, find_field, known_fields
from app.expressions.where import Compare, Condition, Constant, Literal, Search, Several, all_of
from app.expressions.where_grammar import read
from app.protocol.search import (
    FieldAnswer,
    GroupAnswer,
    SearchAnswer,
    SearchBody,
    SortField,
    StatisticsAnswer,
    StatisticsBody,
    WhichJobs,
)
from app.protocol.text import iso
from app.services.arcade import scope
from app.services.engine import Unit
from app.services.ports import JobQuery, JobRow, SortBy

DEFAULT_FIELDS: Final = ("jobName", "priority", "dueDate", "currentStep")
DEFAULT_NUM: Final = 50
MAX_FIELDS: Final = 100
MAX_SORT_FIELDS: Final = 8
MAX_WORDS: Final = 20
"""Of a free-text search; each is looked for in all jobs."""

MAX_WORD_CHARS: Final = 200

_CONNECTIVE: Final = re.compile(r"\s*(AND|OR)\b", re.IGNORECASE)
_WORD: Final = re.compile(r"'((?:[^']|'')*)'|(\S+)")

Cell = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The jobs that are meant, and their condition as text with storage names."""

    query: JobQuery
    text: str


def jobs(unit: Unit, body: SearchBody) -> SearchAnswer:
    """A page of jobs. Raises InvalidValue: neither ``q`` nor ``search``, a fault in them, or an unknown field."""
    wanted = _wanted(unit, body)
    names = body.fields or DEFAULT_FIELDS
    fields = _fields(names)
    start, num = body.start or 0, body.num or DEFAULT_NUM
    rows = unit.tx.search_jobs(unit.item, wanted.query, _sort(body.sort_fields or []), start, num + 1)
    page = rows[:num]
    if body.return_all_related_properties:
        page = _one_for_each_related_row(unit, page, fields)
    people = _People(unit)
    return SearchAnswer(
        q=wanted.text,
        fields=[FieldAnswer(name, field.kind.value) for name, field in zip(names, fields, strict=True)],
        results=[[_cell(row, field, people) for field in fields] for row in page],
        start=start,
        next_start=start + num if len(rows) > num else -1,
        num=len(page),
    )


def statistics(unit: Unit, body: StatisticsBody) -> StatisticsAnswer:
    """How many jobs match, and how many have each value of a field. Raises as ``jobs``."""
    wanted = _wanted(unit, body)
    total = unit.tx.count_jobs(unit.item, wanted.query)
    if not body.group_by:
        return StatisticsAnswer(total)
    field = _field("groupBy", body.group_by)
    counts = unit.tx.count_jobs_by(unit.item, wanted.query, SortBy(field))
    ordered = sorted(counts, key=lambda pair: (-pair[1], pair[0] is None, str(pair[0])))
    grouped = [GroupAnswer(_text(field, value), count) for value, count in ordered]
    return StatisticsAnswer(total, body.group_by, grouped)


def check(unit: Unit, body: SearchBody, group_by: str | None = None) -> None:
    """Refuse, without looking at jobs, what ``jobs`` and ``statistics`` would refuse. Raises as they do."""
    _wanted(unit, body)
    _fields(body.fields or DEFAULT_FIELDS)
    _sort(body.sort_fields or [])
    if group_by:
        _field("groupBy", group_by)


# ---------------------------------------------------------------- which jobs


def _wanted(unit: Unit, body: WhichJobs) -> _Wanted:
    q = _without_arcade(unit, body.q) if body.q and body.q.strip() else None
    words = _words(body.search or "")
    if q is None and not words:
        raise InvalidValue("q or search must say which jobs are meant.")
    condition = _combined(words, q, unit.now_ms)
    parts: list[Condition] = [condition]
    if body.has_location:
        parts.append(Compare(FIELDS["hasLocation"], "=", True))
    extent = read_extent(body.spatial_extent) if body.spatial_extent else None
    return _Wanted(JobQuery(all_of(*parts), extent), condition.text())


def _without_arcade(unit: Unit, q: str) -> str:
    """``q`` that begins with a quote is an expression whose text is the condition."""
    if q.lstrip()[:1] not in {'"', "'"}:
        return q
    try:
        return evaluate_text(q, scope(unit))
    except ArcadeError as error:
        raise InvalidValue(f"q is an Arcade expression that cannot be evaluated: {error}") from error


def _combined(words: Sequence[Condition], q: str | None, now_ms: int) -> Condition:
    if q is None:
        return all_of(*words)
    connective = _CONNECTIVE.match(q) if words else None
    blank = " " * connective.end() if connective else ""  # so that places in errors are those in q
    condition = read(blank + q[len(blank) :], now_ms) if q[len(blank) :].strip() else Constant(True)
    if not words:
        return condition
    is_or = connective is not None and connective[1].upper() == "OR"
    return Several(is_or, (all_of(*words), condition))


def _words(search: str) -> list[Condition]:
    """The words of a free-text search; what stands in single quotes is one."""
    found = [match[1].replace("''", "'") if match[1] is not None else match[2] for match in _WORD.finditer(search)]
    words = [word for word in found if word.strip()]
    if len(words) > MAX_WORDS or any(len(word) > MAX_WORD_CHARS for word in words):
        raise InvalidValue(f"search takes up to {MAX_WORDS} words of {MAX_WORD_CHARS} characters.")
    return [Search(word) for word in words]


def _fields(names: Sequence[str]) -> list[Field]:
    if len(names) > MAX_FIELDS:
        raise InvalidValue(f"fields has {len(names)} names; the most is {MAX_FIELDS}.")
    return [_field("fields", name) for name in names]


def _field(member: str, name: str) -> Field:
    field = find_field(name)
    if field is None:
        raise InvalidValue(f"{member}: there is no field {name[:60]!r}; known: {known_fields()}, table.property.")
    return field


def _sort(fields: Sequence[SortField]) -> list[SortBy]:
    if len(fields) > MAX_SORT_FIELDS:
        raise InvalidValue(f"sortFields has {len(fields)} fields; the most is {MAX_SORT_FIELDS}.")
    return [SortBy(_field("sortFields", each.field), each.sort_order == "Desc") for each in fields]


# ---------------------------------------------------------------- what is shown


def _one_for_each_related_row(unit: Unit, page: Sequence[JobRow], fields: Sequence[Field]) -> list[JobRow]:
    """The jobs, each once for each row of the one-to-many tables that the fields name, and once where there is none."""
    tables = {field.property[0] for field in fields if field.property is not None}
    if not tables:
        return list(page)
    found = unit.tx.related_rows_of(unit.item, [str(row.members["jobId"]) for row in page], tables)
    rows = []
    for row in page:
        related = found.get(str(row.members["jobId"]), [])
        for each in related:
            own = {(value.table, value.name): (value.value.text, value.value.number) for value in each.values}
            rows.append(replace(row, properties={**row.properties, **own}))
        if not related:
            rows.append(row)
    return rows


class _People:
    """Names as they are shown: a user's full name, a group's title; each is read once."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._names: dict[tuple[bool, str], str] = {}

    def user(self, username: str) -> str:
        if (False, username) not in self._names:
            user = self._unit.tx.user(username)
            self._names[False, username] = (user.full_name if user else None) or username
        return self._names[False, username]

    def group(self, group_id: str) -> str:
        if (True, group_id) not in self._names:
            group = self._unit.tx.group(group_id)
            self._names[True, group_id] = group.name if group else group_id
        return self._names[True, group_id]


def _cell(row: JobRow, field: Field, people: _People) -> Cell:
    if field.property is not None:
        return row.properties.get(field.property, (None, None))[0]
    if field.of_step:
        values = [_of_step(step, field, people) for step in row.steps]
        return ", ".join(dict.fromkeys(value for value in values if value is not None)) or None
    value = row.members[field.name]
    if field.kind is Kind.MOMENT and isinstance(value, int):
        return iso(value)
    if field.name in {"ownedBy", "createdBy"} and isinstance(value, str):
        return people.user(value)
    return value


def _of_step(step: Mapping[str, str | None], field: Field, people: _People) -> str | None:
    value = step[field.name]
    if field.name != "assignedTo" or value is None:
        return value
    return people.user(value) if step["assignedType"] == "User" else people.group(value)


def _text(field: Field, value: Literal | None) -> str | None:
    """A value of a group: names as they are stored, moments as ISO 8601, flags as 1 and 0, as in conditions."""
    if value is None:
        return None
    if field.kind is Kind.MOMENT and isinstance(value, int):
        return iso(value)
    return str(int(value)) if isinstance(value, bool) else str(value)
