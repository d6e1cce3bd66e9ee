"""Searching jobs: which ones, in which order, and the values that are shown of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import select

from app.expressions.job_fields import Kind
from app.expressions.where import Literal, Look, searched_texts
from app.services.ports import Item, JobQuery, JobRow, SortBy
from app.store import search_statements as statements
from app.store.base import Queries
from app.store.schema import current_step, ext_property, job
from app.store.search_shapes import Shape, taken_apart
from app.store.sql import AnyOf, Statement
from app.store.where_sql import COLUMNS, PROPERTY_NUMBER

# Tuned on SQLite with a million jobs; a look at a row costs 1 us, at an entry of an index 0.06 us, to sort one 0.1 us.
FEW: Final = 15_000
"""So many matches or fewer are collected and sorted at once."""

FEW_COVERED: Final = 50_000
"""As ``FEW``, where an index holds all that is needed."""

MOST_COVERED: Final = 200_000
"""Of more matches than this it is quicker to walk on to the end, where the index holds all that is needed."""

REACH: Final = 5_000
"""How many jobs a walk passes at most, beside those it is to leave out. That finds a page of 50 where one job of 100
matches, if the matches are spread evenly; if they are not, all are collected."""

_OWN: Final = [name for name in COLUMNS if name not in {"currentStep", "currentStepId", "assignedType", "assignedTo"}]
_VALUES: Final = Statement(
    select(job.c.key, *(COLUMNS[name].label(f"v{number}") for number, name in enumerate(_OWN))).where(
        AnyOf(job.c.key, "keys")
    )
)
_STEP: Final = ("currentStep", "currentStepId", "assignedType", "assignedTo")
_STEPS: Final = Statement(
    select(current_step.c.job_key, *(COLUMNS[name] for name in _STEP))
    .where(AnyOf(current_step.c.job_key, "keys"))
    .order_by(current_step.c.job_key, current_step.c.step_id)
)
_PROPERTIES: Final = Statement(
    select(
        ext_property.c.job_key, ext_property.c.table_name, ext_property.c.name, ext_property.c.value, PROPERTY_NUMBER
    ).where(AnyOf(ext_property.c.job_key, "keys"))
)


class SearchQueries(Queries):
    """``Tx``: searches of jobs."""

    def search_jobs(self, item: Item, query: JobQuery, sort: Sequence[SortBy], start: int, count: int) -> list[JobRow]:
        shape, values = taken_apart(item, query)
        keys = self._page(shape, values, tuple(sort), start, count)
        return self._rows(keys) if keys else []

    def count_jobs(self, item: Item, query: JobQuery) -> int:
        shape, values = taken_apart(item, query)
        return self._number(statements.matches(shape), values)

    def count_jobs_by(self, item: Item, query: JobQuery, group: SortBy) -> list[tuple[Literal | None, int]]:
        if group.field.name == "activeVersions":
            total = self.count_jobs(item, query)
            return [(None, total)] if total else []
        shape, values = taken_apart(item, query)
        rows = self.sql.all(statements.matches_by(shape, group.field), **values)
        flags = group.field.kind is Kind.FLAG
        return [(bool(value) if flags else value, number) for value, number in rows]

    # ------------------------------------------------------------ which jobs

    def _page(
        self, shape: Shape, values: Mapping[str, Any], sort: tuple[SortBy, ...], start: int, count: int
    ) -> list[int]:
        values = {**values, "start": start, "count": count}
        if statements.is_straight(shape, sort):
            keys = self._walk(shape, values, sort, is_bounded=False)
        elif statements.is_covered(shape, sort):
            keys = self._page_of_index(shape, values, sort)
        else:
            keys = self._page_of_few(shape, values, sort)
            if keys is None and statements.is_walkable(sort):
                keys = self._walk(shape, values, sort)
        return self._keys(statements.collected(shape, sort), values) if keys is None else keys

    def _page_of_few(self, shape: Shape, values: Mapping[str, Any], sort: tuple[SortBy, ...]) -> list[int] | None:
        """The page, where few jobs match: they are sorted here, so that no row is looked at twice; else None."""
        if shape.is_everything:
            return None
        rows = self.sql.all(statements.some(shape, sort), **values, most=FEW + 1)
        if len(rows) > FEW:
            return None
        rows.sort(key=itemgetter(0), reverse=bool(sort) and sort[0].descending)
        for number, descending in reversed(list(enumerate(statements.directions(sort), 1))):
            of_column = itemgetter(number)
            found = sorted((row for row in rows if of_column(row) is not None), key=of_column, reverse=descending)
            rows = found + [row for row in rows if of_column(row) is None]
        return [row[0] for row in rows[values["start"] : values["start"] + values["count"]]]

    def _page_of_index(self, shape: Shape, values: Mapping[str, Any], sort: tuple[SortBy, ...]) -> list[int] | None:
        """The page, where an index holds all that is needed; None when the matches are to be collected."""
        if not statements.is_walkable(sort) or not self._are_more(FEW_COVERED, shape, values):
            return None
        keys = self._walk(shape, values, sort)
        if keys is None and statements.has_no_end(shape) and self._are_more(MOST_COVERED, shape, values):
            keys = self._walk(shape, values, sort, is_bounded=False)
        return keys

    def _are_more(self, number: int, shape: Shape, values: Mapping[str, Any]) -> bool:
        return self._number(statements.matches(shape, upto=True), {**values, "most": number + 1}) > number

    def _walk(
        self, shape: Shape, values: Mapping[str, Any], sort: tuple[SortBy, ...], *, is_bounded: bool = True
    ) -> list[int] | None:
        """Read the jobs in order: those that have a value of the first field, then those that have none. None when the
        page is not full where the walk must end, or it is not known how many of those without it is to leave out."""
        keys, is_whole = self._walk_through(shape, values, sort, has_value=True, is_bounded=is_bounded)
        if len(keys) < values["count"] and is_whole and statements.may_lack(sort[0]):
            if values["start"]:
                return None
            rest = {**values, "count": values["count"] - len(keys)}
            others, is_whole = self._walk_through(shape, rest, sort, has_value=False, is_bounded=is_bounded)
            keys += others
        return keys if is_whole or len(keys) == values["count"] else None

    def _walk_through(
        self,
        shape: Shape,
        values: Mapping[str, Any],
        sort: tuple[SortBy, ...],
        *,
        has_value: bool,
        is_bounded: bool,
    ) -> tuple[list[int], bool]:
        """The keys up to the bound, and whether no jobs lie beyond it."""
        end = None
        if is_bounded:
            reach = REACH + values["start"] + values["count"]
            end = self.sql.one(statements.bound(shape, sort[0], has_value=has_value), **values, reach=reach)
        if end is not None:
            values = {**values, "bound_value": end[0], "bound_key": end[1]}
        statement = statements.walked(shape, sort, has_value=has_value, is_bounded=end is not None)
        return self._keys(statement, values), end is None

    def _keys(self, statement: Statement, values: Mapping[str, Any]) -> list[int]:
        return [row[0] for row in self.sql.all(statement, **values)]

    def _number(self, statement: Statement, values: Mapping[str, Any]) -> int:
        row = self.sql.one(statement, **values)
        return int(row[0]) if row else 0

    # ------------------------------------------------------------ what they are

    def _rows(self, keys: list[int]) -> list[JobRow]:
        """The values of these jobs, in the order of the keys."""
        members = {row[0]: _members(row[1:]) for row in self.sql.all(_VALUES, keys=keys)}
        steps: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in self.sql.all(_STEPS, keys=keys):
            steps[row[0]].append(dict(zip(_STEP, row[1:], strict=True)))
        properties: defaultdict[int, dict[tuple[str, str], tuple[str | None, float | None]]] = defaultdict(dict)
        for key, table, name, value, number in self.sql.all(_PROPERTIES, keys=keys):
            properties[key][table, name] = value, number
        return [JobRow(members[key], tuple(steps[key]), properties[key]) for key in keys if key in members]


def looks_at(row: JobRow) -> list[Look]:
    """A job as conditions see it: once for each current step, or once without any."""
    texts = searched_texts(row.members, row.steps)
    return [Look(row.members, step, texts, row.properties) for step in row.steps or ({},)]


def _members(values: Sequence[Any]) -> dict[str, Any]:
    members = dict(zip(_OWN, values, strict=True))
    return members | {"closed": bool(members["closed"]), "hasLocation": bool(members["hasLocation"])}
