"""Conditions of job searches as SQL. Every literal is a parameter (``Slot``); names of columns come from the schema.

A job is looked at once for each of its current steps (``app.expressions.where``), so the parts of a condition that
speak of a step become one subquery over ``current_step``; all other parts stay outside of it, where indexes serve.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Float,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from app.expressions.job_fields import Field, Kind
from app.expressions.where import (
    OPERATORS,
    Compare,
    Condition,
    Constant,
    In,
    IsNull,
    Like,
    Literal,
    Not,
    Search,
    Several,
)
from app.store.schema import current_step, ext_property, job
from app.store.search_shapes import Slot
from app.store.sql import AnyOf

PROPERTY_NUMBER: Final = func.coalesce(ext_property.c.number, ext_property.c.integer)
"""What a property compares by that is no String: a number, or ms."""

parent = job.alias("parent")

_PARENT = (parent.c.item_key == job.c.item_key) & (parent.c.job_id == job.c.parent_job)
_OF_JOB = current_step.c.job_key == job.c.key


def _parent_name(name: str) -> ColumnElement[Any]:
    return select(parent.c[name]).where(_PARENT).correlate(job).scalar_subquery()


COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = {
    "jobId": job.c.job_id,
    "jobName": job.c.name,
    "jobStatus": job.c.status,
    "jobTemplateId": job.c.template_id,
    "jobTemplateName": job.c.template_name,
    "diagramId": job.c.diagram_id,
    "diagramName": job.c.diagram_name,
    "diagramVersion": job.c.diagram_version,
    "priority": job.c.priority,
    "description": job.c.description,
    "notes": job.c.notes,
    "ownedBy": job.c.owned_by,
    "createdBy": job.c.created_by,
    "closedBy": job.c.closed_by,
    "createdDate": job.c.created_ms,
    "startDate": job.c.start_ms,
    "startedDate": job.c.started_ms,
    "dueDate": job.c.due_ms,
    "endDate": job.c.ended_ms,
    "percentComplete": job.c.percent_complete,
    "parentJob": job.c.parent_job,
    "parentName": _parent_name("name"),
    "activeVersions": null(),
    "closed": job.c.closed,
    "hasLocation": job.c.geometry_type.is_not(None),
    "currentStep": current_step.c.step_name,
    "currentStepId": current_step.c.step_id,
    "assignedType": current_step.c.assigned_type,
    "assignedTo": current_step.c.assigned_to,
}
"""Where the value of each field is."""

_FOLDED: Final[Mapping[str, ColumnElement[Any]]] = {
    "parentName": _parent_name("name_folded"),
    "activeVersions": null(),
}


class Unindexed(ColumnElement[Any]):
    """A column that SQLite is not to look up in an index. PostgreSQL knows how many rows have a value, and chooses."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type


@compiles(Unindexed)
def _unindexed(element: Unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.column, **kw)


@compiles(Unindexed, "sqlite")
def _unindexed_sqlite(element: Unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.column, **kw)}"


class Unordered(ColumnElement[Any]):
    """A column to sort by, of text or a whole number, that no index is to give in order."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type


@compiles(Unordered, "sqlite")
def _unordered_sqlite(element: Unordered, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.column, **kw)}"


@compiles(Unordered, "postgresql")
def _unordered_postgres(element: Unordered, compiler: SQLCompiler, **kw: Any) -> str:
    nothing = "|| ''" if isinstance(element.type, Text) else "+ 0"
    return f"({compiler.process(element.column, **kw)} {nothing})"


class WhereSql:
    """One condition, its values taken out of it (``search_shapes``), on its way to SQL.

    Args:
        unindexed: names of fields of the job itself that are to be checked row by row.
        step_by_step: what speaks of steps is checked for each job; else the jobs of such steps are looked up.
    """

    def __init__(self, unindexed: Collection[str] = (), *, step_by_step: bool = False) -> None:
        self._unindexed = unindexed
        self._step_by_step = step_by_step
        self._stepless = False
        self._makers: dict[type[Condition], Callable[[Any], ColumnElement[bool]]] = {
            Several: self._several,
            Not: self._not,
            Constant: lambda part: _constant(part.value),
            IsNull: lambda part: self._column(part.field).is_(None),
            Like: self._like,
            Search: lambda part: self._search(part.word),
            In: self._among,
            Compare: self._compare,
        }

    def of(self, condition: Condition) -> ColumnElement[bool]:
        """The WHERE clause over ``job``: one of the looks at the job makes the condition true."""
        parts = condition.members if isinstance(condition, Several) and not condition.is_or else (condition,)
        of_step = [part for part in parts if any(field.of_step for field in part.fields())]
        outside = [self._part(part) for part in parts if part not in of_step]
        if not of_step:
            return and_(true(), *outside)
        speaks_of_step = of_step[0] if len(of_step) == 1 else Several(is_or=False, members=tuple(of_step))
        return and_(*outside, self._any_look(speaks_of_step))

    def _any_look(self, condition: Condition) -> ColumnElement[bool]:
        clause = self._part(condition)
        of_steps_only = all(field.of_step for field in condition.fields()) and not _searches(condition)
        if of_steps_only and not self._step_by_step:
            found: ColumnElement[bool] = job.c.key.in_(select(current_step.c.job_key).where(clause))
        else:
            found = exists().where(_OF_JOB, clause).correlate(job)
        if True not in condition.could():
            return found
        self._stepless = True
        without = and_(not_(exists().where(_OF_JOB).correlate(job)), self._part(condition))
        self._stepless = False
        return or_(found, without)

    # ------------------------------------------------------------ parts

    def _part(self, part: Condition) -> ColumnElement[bool]:
        return self._makers[type(part)](part)

    def _several(self, part: Several) -> ColumnElement[bool]:
        return (or_ if part.is_or else and_)(*(self._part(member) for member in part.members))

    def _not(self, part: Not) -> ColumnElement[bool]:
        return not_(self._part(part.part).self_group())

    def _like(self, part: Like) -> ColumnElement[bool]:
        return self._folded(part.field).like(_parameter(part.pattern), escape="\\")

    def _compare(self, part: Compare) -> ColumnElement[bool]:
        column = self._column(part.field, part.value)
        if part.field.kind is Kind.FLAG:
            return _one_of(column, [flag for flag in (False, True) if OPERATORS[part.sign](flag, part.value)])
        return OPERATORS[part.sign](column, _parameter(part.value))  # type: ignore[arg-type, return-value]

    def _among(self, part: In) -> ColumnElement[bool]:
        if not part.values:
            return _constant(False)
        column = self._column(part.field, part.values[0])
        if part.field.kind is Kind.FLAG:
            return _one_of(column, sorted(set(map(bool, part.values))))
        slot = _slot(part.values[0])
        if slot.type is list:
            return AnyOf(column, slot.name)
        return or_(*(column == _parameter(value) for value in part.values))

    def _search(self, word: str) -> ColumnElement[bool]:
        pattern = _parameter(word)

        def within(columns: Iterable[ColumnElement[Any]]) -> list[ColumnElement[bool]]:
            return [column.like(pattern, escape="\\") for column in columns]

        steps = (current_step.c[name] for name in _SEARCHED_OF_STEP)
        found = exists().where(_OF_JOB.self_group(), or_(*within(steps))).correlate(job)
        return or_(
            *(and_(column.is_not(None), match) for column, match in zip(_SEARCHED, within(_SEARCHED), strict=True)),
            found,
        )

    # ------------------------------------------------------------ columns

    def _column(self, field: Field, value: Literal | None = None) -> ColumnElement[Any]:
        """The column of a field; a property's number when it is compared with one."""
        if field.property is not None:
            is_text = value is None or _slot(value).type in {str, list}
            return property_column(field, ext_property.c.value if is_text else PROPERTY_NUMBER)
        if field.of_step and self._stepless:
            return null()
        column = COLUMNS[field.name]
        return Unindexed(column) if field.name in self._unindexed and not field.of_step else column

    def _folded(self, field: Field) -> ColumnElement[Any]:
        if field.property is not None:
            return property_column(field, ext_property.c.value_folded)
        if field.of_step and self._stepless:
            return null()
        if field.name in _FOLDED:
            return _FOLDED[field.name]
        table = current_step if field.of_step else job
        return table.c[f"{COLUMNS[field.name].name}_folded"]


_SEARCHED: Final[list[ColumnElement[Any]]] = [
    *(
        job.c[f"{name}_folded"]
        for name in "job_id name description notes owned_by created_by priority status diagram_id".split()
    ),
    job.c.template_id_folded,
    job.c.template_name_folded,
    _FOLDED["parentName"],
]
_SEARCHED_OF_STEP: Final = ("step_id_folded", "step_name_folded", "assigned_type_folded", "assigned_to_folded")


def property_column(field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column of the row of an extended property; null when the job has no such property."""
    table, name = field.property or ("", "")
    return (
        select(column)
        .where(ext_property.c.job_key == job.c.key, ext_property.c.table_name == table, ext_property.c.name == name)
        .correlate(job)
        .scalar_subquery()
    )


def _searches(condition: Condition) -> bool:
    return isinstance(condition, Search) or any(map(_searches, condition.parts))


def _one_of(column: ColumnElement[Any], flags: list[bool]) -> ColumnElement[bool]:
    """A flag is never null, so both values are all rows."""
    if len(flags) != 1:
        return _constant(bool(flags))
    return column == literal(flags[0], Boolean())


def _constant(value: bool) -> ColumnElement[bool]:
    """Not ``true()``: what SQLAlchemy would drop from a conjunction, it would also drop from NOT."""
    return literal(1, BigInteger()) == literal(int(value), BigInteger())


_TYPES: Final[Mapping[type, TypeEngine[Any]]] = {str: Text(), float: Float()}


def _parameter(value: Literal) -> ColumnElement[Any]:
    """A parameter of the value's own type: an integer column is compared with 1.5 as it is, not with 2."""
    slot = _slot(value)
    return bindparam(slot.name, type_=_TYPES.get(slot.type, BigInteger()))


def _slot(value: Literal) -> Slot:
    return cast("Slot", value)
