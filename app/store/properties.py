"""Extended properties of jobs: those of one-to-one tables, and the rows of one-to-many tables.

Each value is kept as text and as what it compares by (``schema._property``).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import bindparam, delete, select

from app.domain.properties import PropertyValue, RelatedRow
from app.domain.values import Value
from app.services.ports import Item, JobRecord
from app.store.base import Queries
from app.store.schema import ext_property, job, related_row, related_value
from app.store.sql import AnyOf, Row, Statement, insert_into, put_into

_VALUE: Final = ("value", "integer", "number")
"""Columns of a ``Value``, in the order of its constructor."""

_PUT = put_into(ext_property, ["job_key", "table_name", "name"])
_ALL = Statement(
    select(ext_property.c.table_name, ext_property.c.name, *(ext_property.c[name] for name in _VALUE))
    .where(ext_property.c.job_key == bindparam("job_key"))
    .order_by(ext_property.c.key)
)
_ADD_ROW = insert_into(related_row, returning="key")
_PUT_VALUE = put_into(related_value, ["related_row_key", "name"])
_OWN_ROW = (related_row.c.job_key == bindparam("own_job"), related_row.c.row_id == bindparam("own_row"))
_ROW_KEY = Statement(select(related_row.c.key).where(*_OWN_ROW))
_DELETE_ROW = Statement(delete(related_row).where(*_OWN_ROW))
_rows = (
    select(
        related_row.c.row_id,
        related_row.c.table_name,
        related_row.c.created_ms,
        related_value.c.name,
        *(related_value.c[name] for name in _VALUE),
    )
    .select_from(related_row.outerjoin(related_value, related_value.c.related_row_key == related_row.c.key))
    .order_by(related_row.c.key, related_value.c.key)
)
_ROWS = Statement(_rows.where(related_row.c.job_key == bindparam("job_key")))
_ROWS_OF_JOBS = Statement(
    _rows.add_columns(job.c.job_id)
    .join(job, related_row.c.job_key == job.c.key)
    .where(
        job.c.item_key == bindparam("item_key"),
        AnyOf(job.c.job_id, "job_ids"),
        AnyOf(related_row.c.table_name, "tables"),
    )
)


class PropertyQueries(Queries):
    """``Tx``: extended properties."""

    def set_properties(self, record: JobRecord, values: Iterable[PropertyValue]) -> None:
        rows = [{"job_key": record.key, "table_name": each.table} | _columns(each) for each in values]
        self.sql.change_many(_PUT, rows)

    def properties(self, record: JobRecord) -> list[PropertyValue]:
        return [PropertyValue(row[0], row[1], Value(*row[2:])) for row in self.sql.all(_ALL, job_key=record.key)]

    def add_related_row(self, record: JobRecord, row: RelatedRow) -> None:
        """Raises Conflict when the job has a row of that id."""
        key = self._key_of(
            _ADD_ROW, job_key=record.key, row_id=row.row_id, table_name=row.table, created_ms=row.created_ms
        )
        self._put_values(key, row)

    def change_related_row(self, record: JobRecord, row: RelatedRow) -> None:
        found = self.sql.one(_ROW_KEY, own_job=record.key, own_row=row.row_id)
        if found is not None:
            self._put_values(found[0], row)

    def delete_related_row(self, record: JobRecord, row_id: str) -> None:
        self.sql.change(_DELETE_ROW, own_job=record.key, own_row=row_id)

    def related_rows(self, record: JobRecord) -> list[RelatedRow]:
        return _related_rows(self.sql.all(_ROWS, job_key=record.key))

    def related_rows_of(
        self, item: Item, job_ids: Collection[str], tables: Collection[str]
    ) -> Mapping[str, list[RelatedRow]]:
        found: dict[str, list[Row]] = {}
        values = {"item_key": item.key, "job_ids": sorted(set(job_ids)), "tables": sorted(set(tables))}
        for row in self.sql.all(_ROWS_OF_JOBS, **values):
            found.setdefault(row[-1], []).append(row[:-1])
        return {job_id: _related_rows(rows) for job_id, rows in found.items()}

    def _put_values(self, key: int, row: RelatedRow) -> None:
        self.sql.change_many(_PUT_VALUE, [{"related_row_key": key} | _columns(each) for each in row.values])


def _related_rows(found: Iterable[Row]) -> list[RelatedRow]:
    """The rows of one job, oldest first, from their values."""
    rows: dict[str, list[Row]] = {}
    for row in found:
        rows.setdefault(row[0], []).append(row)
    return [_related_row(row_id, parts) for row_id, parts in rows.items()]


def _columns(given: PropertyValue) -> dict[str, Any]:
    value = given.value
    return {
        "name": given.name,
        "value": value.text,
        "value_folded": None if value.text is None else value.text.casefold(),
        "integer": value.integer,
        "number": value.number,
    }


def _related_row(row_id: str, parts: list[Row]) -> RelatedRow:
    """One row from its values; one without any has a single part without a name."""
    _, table, created_ms = parts[0][:3]
    values = tuple(PropertyValue(table, part[3], Value(*part[4:])) for part in parts if part[3] is not None)
    return RelatedRow(row_id, table, values, created_ms)
