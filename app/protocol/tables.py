"""Tables of extended properties on the wire: as a job template defines them, and as a list (rest.md 11, 14.2)."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from app.domain.properties import Domain, Property, Table, Tables
from app.domain.values import DataType

Text = Annotated[str, Meta(min_length=1)]

TABLES: Final = "extendedPropertyTableDefinitions"
"""The member of a job template that holds its tables."""

_NAME: Final = re.compile(r"[^\W\d]\w{0,127}")


class WireCode(msgspec.Struct):
    """One value of a coded domain, and the name it is shown by."""

    code: str
    name: str


class WireDomain(msgspec.Struct, rename="camel"):
    """Which values a property may have: ``codedValues``, or a ``range`` of two, both included."""

    type: Literal["codedValue", "range"]
    coded_values: list[WireCode] | None = None
    range: list[str] | None = None


class WireProperty(msgspec.Struct, rename="camel"):
    """An extended property. ``fieldLength`` bounds a String, in characters."""

    property_name: Text
    data_type: DataType
    property_alias: str | None = None
    property_order: int | None = None
    default_value: str | None = None
    field_length: Annotated[int, Meta(ge=1)] | None = None
    required: bool | None = None
    editable: bool | None = None
    visible: bool | None = None
    domain: WireDomain | None = None


class WireTable(msgspec.Struct, rename="camel"):
    """A table of extended properties; one row per job, or several (``OneToMany``).

    ``updateExisting``: this complete definition takes the place of the present one, in every template that has the
    table. ``associateToExisting``: a table of another template is meant; its definition is taken from there.
    """

    table_name: Text
    relationship_type: Literal["OneToOne", "OneToMany"] = "OneToOne"
    table_alias: str | None = None
    table_order: int | None = None
    extended_property_definitions: list[WireProperty] | None = None
    update_existing: bool | None = None
    associate_to_existing: bool | None = None
    is_associated: bool | None = None


class TableLine(WireTable, rename="camel", omit_defaults=True):
    """A table of the item, with the ids of the templates that have it."""

    job_templates: list[str] = []


class TableList(msgspec.Struct, rename="camel"):
    """All tables of an item, in the order in which templates first had them."""

    table_definitions: list[TableLine]


class _Tables(msgspec.Struct, rename="camel"):
    extended_property_table_definitions: list[WireTable] | None = None


_decoder = msgspec.json.Decoder(_Tables)


@lru_cache(maxsize=256)
def tables_of(template: bytes) -> Tables:
    """The tables of a stored template."""
    return Tables({wire.table_name: _table(wire) for wire in wire_tables_of(template)})


def wire_tables_of(template: bytes) -> list[WireTable]:
    """The tables of a stored template, as its author wrote them."""
    return _decoder.decode(template).extended_property_table_definitions or []


def _table(wire: WireTable) -> Table:
    properties = {each.property_name: _property(each) for each in wire.extended_property_definitions or []}
    return Table(wire.table_name, properties, is_many=wire.relationship_type == "OneToMany")


def _property(wire: WireProperty) -> Property:
    return Property(
        name=wire.property_name,
        data_type=wire.data_type,
        alias=wire.property_alias,
        default=wire.default_value,
        length=wire.field_length,
        required=bool(wire.required),
        editable=wire.editable is not False,
        domain=_domain(wire.domain) if wire.domain else None,
    )


def _domain(wire: WireDomain) -> Domain:
    if wire.type == "codedValue":
        return Domain(codes={each.code: each.name for each in wire.coded_values or []})
    low, high = (*(wire.range or []), None, None)[:2]
    return Domain(low=low, high=high)


def table_faults(tables: list[WireTable]) -> Iterator[str]:
    """Everything that is wrong with the tables of a template that is being saved."""
    for name in _doubles(table.table_name for table in tables):
        yield f"extendedPropertyTableDefinitions has two tables named {name!r}"
    for table in tables:
        yield from _name_fault("table", table.table_name)
        definitions = table.extended_property_definitions or []
        for name in _doubles(each.property_name for each in definitions):
            yield f"the table {table.table_name!r} has two properties named {name!r}"
        for each in definitions:
            yield from _name_fault("property", each.property_name)
            place = f"{table.table_name}.{each.property_name}"
            yield from (f"{place}: {fault}" for fault in _property_faults(each))


def _doubles(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _name_fault(kind: str, name: str) -> Iterator[str]:
    """Names stand in ``table.property`` and in search conditions."""
    if not _NAME.fullmatch(name):
        yield f"the {kind} name {name[:80]!r} must be at most 128 letters, digits and _, not beginning with a digit"


def _property_faults(wire: WireProperty) -> Iterator[str]:
    domain = wire.domain
    if domain is not None and domain.type == "codedValue" and not domain.coded_values:
        yield "domain.codedValues is missing"
    elif domain is not None and domain.type == "range" and len(domain.range or []) != 2:
        yield "domain.range must be two values, the lowest and the highest"
    else:
        yield from _property(wire).faults()
