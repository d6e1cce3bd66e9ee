"""Searching jobs: which ones, in which order, and the values that are shown of them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, select

from app.expressions.job_fields import Kind
from app.expressions.where import Constant, Literal, Look, searched_texts
from app.services.ports import Item, JobQuery, JobRow, SortBy
from app.store.base import Queries
from app.store.schema import current_step, ext_property, job
from app.store.sql import AnyOf, Statement
from app.store.where_sql import COLUMNS, PROPERTY_NUMBER, WhereSql, property_column

FEW: Final = 5_000
"""So many matches or fewer are read and sorted; beyond, jobs are read in order until a page of them matches: of a
million jobs about 10,000 for a page of 50, where matches are spread evenly. Reading 20,000 keys took longer than all
else of a search together."""

IN_ORDER: Final = frozenset({"jobName", "priority", "dueDate", "createdDate"})
"""Fields whose indexes are in the order of a page, the key included."""

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
        keys = self._page(item, query, sort, start, count)
        return self._rows(keys) if keys else []

    def count_jobs(self, item: Item, query: JobQuery) -> int:
        where = WhereSql()
        statement = select(func.count()).select_from(job).where(_matching(item, query, where))
        row = self.sql.one(Statement(statement, one_off=True), **where.lists)
        return int(row[0]) if row else 0

    def count_jobs_by(self, item: Item, query: JobQuery, group: SortBy) -> list[tuple[Literal | None, int]]:
        if group.field.name == "activeVersions":
            total = self.count_jobs(item, query)
            return [(None, total)] if total else []
        where = WhereSql()
        column = COLUMNS[group.field.name] if group.field.property is None else _property(group)
        source: Any = job
        if group.field.of_step:
            source = job.outerjoin(current_step, current_step.c.job_key == job.c.key)
        jobs = func.count(job.c.key.distinct()) if group.field.of_step else func.count()
        value = column.label("value")
        statement = select(value, jobs).select_from(source).where(_matching(item, query, where)).group_by(value)
        rows = self.sql.all(Statement(statement, one_off=True), **where.lists)
        flags = group.field.kind is Kind.FLAG
        return [(bool(value) if flags else value, number) for value, number in rows]

    # ------------------------------------------------------------ which jobs

    def _page(self, item: Item, query: JobQuery, sort: Sequence[SortBy], start: int, count: int) -> list[int]:
        first = sort[0].field.name if sort else None
        everything = isinstance(query.condition, Constant) and query.condition.value and query.extent is None
        if first is not None and not everything:
            keys = self._few(item, query)
            if keys is not None:
                return self._sorted(job.c.item_key == item.key, keys, sort, start, count)
        where = WhereSql(COLUMNS.keys() - {first} if first in IN_ORDER else ())
        matching = _matching(item, query, where)
        if first == "dueDate":
            return self._with_and_without(matching, where, sort, start, count)
        statement = _ordered(select(job.c.key).where(matching), sort)
        return self._keys(statement, where.lists, start, count)

    def _few(self, item: Item, query: JobQuery) -> list[int] | None:
        """The keys of all matches, in no order; None when they are more than a few."""
        where = WhereSql()
        found = self._keys(select(job.c.key).where(_matching(item, query, where)), where.lists, 0, FEW + 1)
        return None if len(found) > FEW else found

    def _sorted(
        self, of_item: ColumnElement[bool], keys: list[int], sort: Sequence[SortBy], start: int, count: int
    ) -> list[int]:
        statement = _ordered(select(job.c.key).where(of_item, AnyOf(job.c.key, "keys")), sort)
        return self._keys(statement, {"keys": keys}, start, count) if keys else []

    def _with_and_without(
        self, matching: ColumnElement[bool], where: WhereSql, sort: Sequence[SortBy], start: int, count: int
    ) -> list[int]:
        """Two queries, so that an index that has nulls at its other end can be read in order: those that have a due
        date, then those that have none."""
        has_date = select(job.c.key).where(matching, job.c.due_ms.is_not(None))
        keys = self._keys(_ordered(has_date, sort, no_nulls=True), where.lists, start, count)
        if len(keys) == count:
            return keys
        if start and not keys:
            counting = select(func.count()).select_from(job).where(matching, job.c.due_ms.is_not(None))
            row = self.sql.one(Statement(counting, one_off=True), **where.lists)
            start -= row[0] if row else 0
        else:
            start = 0
        without = _ordered(select(job.c.key).where(matching, job.c.due_ms.is_(None)), sort)
        return keys + self._keys(without, where.lists, start, count - len(keys))

    def _keys(self, statement: Select[Any], values: Any, start: int, count: int) -> list[int]:
        limited = Statement(statement.limit(count).offset(start), one_off=True)
        return [row[0] for row in self.sql.all(limited, **values)]

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


def _matching(item: Item, query: JobQuery, where: WhereSql) -> ColumnElement[bool]:
    parts = [job.c.item_key == item.key, where.of(query.condition)]
    if query.extent is not None:
        west, south, east, north = query.extent
        parts += [job.c.west <= east, job.c.east >= west, job.c.south <= north, job.c.north >= south]
    return and_(*parts)


def _property(sort: SortBy) -> ColumnElement[Any]:
    return property_column(sort.field, ext_property.c.value)


def _ordered(statement: Select[Any], sort: Sequence[SortBy], *, no_nulls: bool = False) -> Select[Any]:
    """Nulls last whatever the direction; jobs that are alike in the direction of the first field.

    Args:
        no_nulls: the first field has none here.
    """
    for number, by in enumerate(sort):
        for column, nullable in _sort_columns(by):
            if nullable and not (no_nulls and number == 0):
                statement = statement.order_by(column.is_(None))
            statement = statement.order_by(column.desc() if by.descending else column.asc())
    return statement.order_by(job.c.key.desc() if sort and sort[0].descending else job.c.key.asc())


def _sort_columns(by: SortBy) -> list[tuple[ColumnElement[Any], bool]]:
    """What a field is sorted by, and whether it may be null; nothing for one that always is."""
    if by.field.name == "activeVersions":
        return []
    if by.field.property is not None:
        return [(property_column(by.field, PROPERTY_NUMBER), True), (_property(by), True)]
    column = COLUMNS[by.field.name]
    if by.field.of_step:
        smallest = select(func.min(column)).where(current_step.c.job_key == job.c.key).correlate(job).scalar_subquery()
        return [(smallest, True)]
    return [(column, bool(getattr(column, "nullable", True)))]
