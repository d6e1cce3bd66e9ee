"""The statements of job searches: each is made once for a shape (``search_shapes``) and an order.

A page can be found in two ways. Where few jobs match, or none of the indexes is in the order wanted, all matches are
**collected** and sorted. Where an index is in that order, jobs are **walked** through in it until the page is full. How
far one must walk depends on where the matches lie: the oldest of what is mostly new lie at the end. So a walk that
has to look at rows goes up to a **bound**, some thousands of jobs on.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Concatenate, Final, ParamSpec

from sqlalchemy import ColumnElement, Float, Select, and_, bindparam, func, literal, select, tuple_

from app.expressions.job_fields import Field
from app.expressions.where import Compare, Condition, Constant
from app.services.ports import SortBy
from app.store.schema import EXTENT, current_step, ext_property, job
from app.store.search_shapes import Shape
from app.store.sql import Statement
from app.store.where_sql import COLUMNS, PROPERTY_NUMBER, Unordered, WhereSql, property_column

IN_ORDER: Final = frozenset({"jobName", "priority", "dueDate", "createdDate"})
"""Fields whose indexes are in the order of a page, the key included (``schema.SORTED``)."""

ALIKE: Final = frozenset({"closed", "jobStatus"})
"""Fields of which each value's jobs can be had in one of those orders (``schema.IN_ORDER_OF``)."""

BESIDE: Final = frozenset({"jobTemplateId", "ownedBy", "createdBy", "startDate", "endDate", "percentComplete"})
"""Other fields that have an index (``schema.BESIDE``); like those above it holds all of ``IN_ORDER`` and ``ALIKE``."""

_COLUMNS_IN_ORDER: Final = [COLUMNS[name] for name in IN_ORDER]
_KEPT: Final = 300

P = ParamSpec("P")


def _kept(make: Callable[Concatenate[Shape, P], Statement]) -> Callable[Concatenate[Shape, P], Statement]:
    """Keep what was made for a shape."""
    kept: Callable[..., Statement] = lru_cache(_KEPT)(make)

    def made(shape: Shape, /, *args: P.args, **kwargs: P.kwargs) -> Statement:
        return (kept if shape.is_kept else make)(shape, *args, **kwargs)

    return made


# ---------------------------------------------------------------- how many


@_kept
def matches(shape: Shape, *, upto: bool = False) -> Statement:
    """Count the matches; ``upto``: no further than the parameter ``most``."""
    if not upto:
        return _one_off(select(func.count()).select_from(job).where(_matching(shape, WhereSql())))
    found = select(literal(1).label("one")).select_from(job).where(_matching(shape, WhereSql()))
    return _one_off(select(func.count()).select_from(found.limit(bindparam("most")).subquery()))


@_kept
def matches_by(shape: Shape, group: Field) -> Statement:
    """Each value of a field among the matches, and how many jobs have it."""
    column = COLUMNS[group.name] if group.property is None else property_column(group, ext_property.c.value)
    source: Any = job
    if group.of_step:
        source = job.outerjoin(current_step, current_step.c.job_key == job.c.key)
    jobs = func.count(job.c.key.distinct()) if group.of_step else func.count()
    value = column.label("value")
    return _one_off(select(value, jobs).select_from(source).where(_matching(shape, WhereSql())).group_by(value))


# ---------------------------------------------------------------- collected and sorted


@_kept
def collected(shape: Shape, sort: tuple[SortBy, ...]) -> Statement:
    """The page of keys, of all matches. Parameters beside the shape's: ``start``, ``count``."""
    return _page(_sorted(select(job.c.key).where(_matching(shape, WhereSql())), sort))


@_kept
def some(shape: Shape, sort: tuple[SortBy, ...]) -> Statement:
    """Keys of matches, each with what it is sorted by (``directions``), in no order, ``most`` of them at most."""
    columns = [column.label(f"s{number}") for number, (column, _, _) in enumerate(_ordered_by(sort))]
    return _one_off(select(job.c.key, *columns).where(_matching(shape, WhereSql())).limit(bindparam("most")))


def directions(sort: tuple[SortBy, ...]) -> list[bool]:
    """Whether each column that ``some`` gives beside the key is sorted descending."""
    return [descending for _, descending, _ in _ordered_by(sort)]


def is_covered(shape: Shape, sort: Sequence[SortBy]) -> bool:
    """An index holds all that is asked for and sorted by, so that collecting reads no rows."""
    if shape.has_extent or any(by.field.name not in IN_ORDER for by in sort):
        return False
    names = {field.name for field in shape.condition.fields()} - IN_ORDER - ALIKE
    return len(names) <= 1 and names <= BESIDE and shape.reads_no_text


def _sorted(statement: Select[Any], sort: tuple[SortBy, ...]) -> Select[Any]:
    """Nulls last whatever the direction; jobs that are alike in the direction of the first field."""
    for column, descending, nullable in _ordered_by(sort):
        each = Unordered(column) if any(column is one for one in _COLUMNS_IN_ORDER) else column
        if nullable:
            statement = statement.order_by(each.is_(None))
        statement = statement.order_by(_directed(each, descending))
    return statement.order_by(_directed(job.c.key, bool(sort) and sort[0].descending))


# ---------------------------------------------------------------- walked through in order


def is_walkable(sort: Sequence[SortBy]) -> bool:
    """An index is in this order, but for jobs alike in its first field; of one priority there are too many."""
    first = sort[0].field.name if sort else None
    return first in IN_ORDER and (len(sort) == 1 or first != "priority")


def is_straight(shape: Shape, sort: Sequence[SortBy]) -> bool:
    """An index holds just the matches, in this order: there is nothing to pass over on the way."""
    if shape.has_extent or not sort or sort[0].field.name not in IN_ORDER:
        return False
    others = [part for part in shape.parts if part != Constant(True) and not _is_range_of(part, sort[0].field)]
    return not others or (len(others) == 1 and _is_alike(others[0]))


def has_no_end(shape: Shape) -> bool:
    """A walk looks at nothing but the index that gives the order: it may as well go on to its last job."""
    return shape.reads_no_text and not shape.has_extent and {each.name for each in shape.condition.fields()} <= IN_ORDER


@_kept
def bound(shape: Shape, by: SortBy, *, has_value: bool) -> Statement:
    """Where a walk is to end: the first field's value and the key of the job ``reach`` further on.

    Args:
        has_value: of the jobs that have a value of the field; else of those that have none.
    """
    alike = [part for part in shape.parts if _is_alike(part)]
    where = and_(job.c.item_key == bindparam("item_key"), *map(WhereSql().of, alike))
    statement = _in_order(select(COLUMNS[by.field.name], job.c.key).where(where), (by,), has_value)
    return _one_off(statement.limit(1).offset(bindparam("reach")))


@_kept
def walked(shape: Shape, sort: tuple[SortBy, ...], *, has_value: bool, is_bounded: bool) -> Statement:
    """The page of keys, of the matches up to the bound. Parameters beside the shape's: ``start``, ``count``, and
    ``bound_value`` and ``bound_key`` when it ``is_bounded``."""
    first = sort[0]
    checked = COLUMNS.keys() - {first.field.name} - ALIKE
    matching = _matching(shape, WhereSql(checked, step_by_step=True))
    statement = _in_order(select(job.c.key).where(matching), sort, has_value)
    if is_bounded:
        statement = statement.where(_within(first, has_value=has_value, with_key=len(sort) == 1))
    return _page(statement)


def _within(by: SortBy, *, has_value: bool, with_key: bool) -> ColumnElement[bool]:
    column: ColumnElement[Any] = COLUMNS[by.field.name]
    key: ColumnElement[Any] = job.c.key
    last_value, last_key = bindparam("bound_value", type_=column.type), bindparam("bound_key", type_=key.type)
    if not has_value:
        here, there = key, last_key
    elif with_key:
        here, there = tuple_(column, key), tuple_(last_value, last_key)  # type: ignore[assignment]
    else:
        here, there = column, last_value
    return here >= there if by.descending else here <= there


def _in_order(statement: Select[Any], sort: tuple[SortBy, ...], has_value: bool) -> Select[Any]:
    """Restrict to the jobs that have a value of the first field, or to those without, so that nulls, which both
    databases keep at the other end of their indexes, do not matter."""
    column = COLUMNS[sort[0].field.name]
    if _is_nullable(column):
        statement = statement.where(column.is_not(None) if has_value else column.is_(None))
    for number, by in enumerate(sort):
        for each, nullable in _sort_columns(by):
            if nullable and number > 0:
                statement = statement.order_by(each.is_(None))
            if number > 0 or has_value:
                statement = statement.order_by(_directed(each, by.descending))
    return statement.order_by(_directed(job.c.key, sort[0].descending))


def may_lack(by: SortBy) -> bool:
    """Whether jobs may have no value of the field."""
    return any(nullable for _, nullable in _sort_columns(by))


# ---------------------------------------------------------------- parts


def _one_off(statement: Select[Any]) -> Statement:
    """Not prepared on PostgreSQL, where a plan made for all values would not do for each."""
    return Statement(statement, one_off=True)


def _page(statement: Select[Any]) -> Statement:
    return _one_off(statement.limit(bindparam("count")).offset(bindparam("start")))


def _matching(shape: Shape, where: WhereSql) -> ColumnElement[bool]:
    parts = [job.c.item_key == bindparam("item_key"), where.of(shape.condition)]
    if shape.has_extent:
        west, south, east, north = (bindparam(name, type_=Float()) for name in EXTENT)
        parts += [job.c.west <= east, job.c.east >= west, job.c.south <= north, job.c.north >= south]
    return and_(*parts)


def _is_range_of(part: Condition, field: Field) -> bool:
    return isinstance(part, Compare) and part.field == field and part.sign != "<>"


def _is_alike(part: Condition) -> bool:
    """It holds for the jobs of one value."""
    if not isinstance(part, Compare) or part.field.name not in ALIKE:
        return False
    return part.sign == "="


def _directed(column: ColumnElement[Any], descending: bool) -> ColumnElement[Any]:
    return column.desc() if descending else column.asc()


def _ordered_by(sort: tuple[SortBy, ...]) -> list[tuple[ColumnElement[Any], bool, bool]]:
    """Each column: whether it is sorted descending, and whether it may be null."""
    return [(column, by.descending, nullable) for by in sort for column, nullable in _sort_columns(by)]


def _sort_columns(by: SortBy) -> list[tuple[ColumnElement[Any], bool]]:
    """What a field is sorted by, and whether it may be null; nothing for one that always is."""
    if by.field.name == "activeVersions":
        return []
    if by.field.property is not None:
        number = property_column(by.field, PROPERTY_NUMBER)
        return [(number, True), (property_column(by.field, ext_property.c.value), True)]
    column = COLUMNS[by.field.name]
    if by.field.of_step:
        smallest = select(func.min(column)).where(current_step.c.job_key == job.c.key).correlate(job).scalar_subquery()
        return [(smallest, True)]
    return [(column, _is_nullable(column))]


def _is_nullable(column: ColumnElement[Any]) -> bool:
    return bool(getattr(column, "nullable", True))
