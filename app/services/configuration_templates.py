"""Job templates of an exported configuration: rows of four files, put together to the documents they were."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from app.errors import InvalidValue
from app.protocol.configuration import Configuration, PropertyRow, Row, TableRow, TemplateRow
from app.protocol.ids import check_own_id
from app.protocol.tables import TABLES
from app.protocol.templates import TemplateDocument, read_template
from app.services.configuration_export import UNKEPT, camel_names, template_members
from app.services.configuration_places import at, nested

_RELATIONS: Final[Mapping[int, str]] = {1: "OneToOne", 2: "OneToMany"}
_TYPES: Final[Mapping[int, str]] = {-1: "String"}
"""Numbers in files of the reference; ours have the words. -1 stands where the type is a feature service's matter."""

_FLAGS: Final = ("required", "editable", "visible")


@dataclass(frozen=True, slots=True)
class Priorities:
    """Names of priorities by their values, as the file's lookups have them."""

    names: Mapping[int, str]

    @classmethod
    def of(cls, rows: Configuration) -> "Priorities":
        return cls({row.value: row.lookup_name for row in rows.lookups or () if row.lookup_type == "priority"})

    def name_of(self, row: TemplateRow) -> str:
        """The priority of a template. Raises InvalidValue: it is not named, and its rank has no name."""
        if row.default_priority_name:
            return row.default_priority_name
        rank = row.default_priority_rank
        if rank is None or rank not in self.names:
            raise InvalidValue(f"default_priority_rank {rank} is no value of a priority in lookups.json")
        return self.names[rank]


def read_templates(rows: Configuration, priorities: Priorities) -> list[tuple[str, TemplateDocument]]:
    """The job templates with their ids. Raises InvalidValue, naming file, entry and member."""
    tables = _tables(rows)
    known = {row.job_template_id for row in rows.job_templates or ()}
    uses: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, use in enumerate(rows.table_uses or ()):
        with at("table_uses", number, use.table_id):
            if use.table_id not in tables or use.job_template_id not in known:
                raise InvalidValue("the table, or the job template, is not in the file")
        associated = {"isAssociated": True} if use.is_associated else {}
        uses.setdefault(use.job_template_id, []).append((use.table_order, tables[use.table_id] | associated))
    names = {row.diagram_id: row.diagram_name for row in rows.diagrams or ()}
    return [
        (row.job_template_id, _document(number, row, uses.get(row.job_template_id), names, priorities))
        for number, row in enumerate(rows.job_templates or ())
    ]


def _document(
    number: int,
    row: TemplateRow,
    uses: list[tuple[int, dict[str, Any]]] | None,
    diagram_names: Mapping[str, str],
    priorities: Priorities,
) -> TemplateDocument:
    with at("job_templates", number, row.job_template_name):
        check_own_id(row.job_template_id, "job_template_id")
        members = {
            wire: value for name, wire in template_members().items() if (value := getattr(row, name)) is not None
        }
        members["defaultPriorityName"] = priorities.name_of(row)
        members["diagramName"] = diagram_names.get(row.diagram_id, "")
        if row.activities is not None:
            members["activities"] = nested(row.activities, "activities", msgspec.Raw)
        if uses:
            members[TABLES] = [table for _, table in sorted(uses, key=lambda use: use[0])]
        other = {name: value for name, value in _other(row) if name not in UNKEPT | {TABLES}}
        return read_template(msgspec.json.encode(other | members))


def _tables(rows: Configuration) -> dict[str, dict[str, Any]]:
    """The tables by their ids, as documents."""
    properties: dict[str, list[dict[str, Any]]] = {}
    for number, row in enumerate(rows.properties or ()):
        with at("properties", number, row.property_name):
            properties.setdefault(row.table_id, []).append(_property(row))
    found = {}
    for number, table in enumerate(rows.tables or ()):
        with at("tables", number, table.table_name):
            if table.table_id in found:
                raise InvalidValue(f"table_id {table.table_id!r} comes twice")
            found[table.table_id] = _table(table, properties.get(table.table_id))
    return found


def _table(row: TableRow, properties: list[dict[str, Any]] | None) -> dict[str, Any]:
    members = _members(row)
    if isinstance(row.relationship_type, int):
        members["relationshipType"] = _word(_RELATIONS, "relationship_type", row.relationship_type)
    return members if properties is None else members | {"extendedPropertyDefinitions": properties}


def _property(row: PropertyRow) -> dict[str, Any]:
    members = _members(row)
    if isinstance(row.data_type, int):
        members["dataType"] = _word(_TYPES, "data_type", row.data_type)
    for name in _FLAGS:
        if name in members:
            members[name] = bool(members[name])
    if row.domain is not None:
        members["domain"] = nested(row.domain, "domain", msgspec.Raw)
    return members


def _members(row: TableRow | PropertyRow) -> dict[str, Any]:
    own = {wire: value for name, wire in camel_names(type(row)).items() if (value := getattr(row, name)) is not None}
    return own | dict(_other(row))


def _other(row: Row) -> Iterator[tuple[str, Any]]:
    text = getattr(row, "other_members", None)
    if text is not None:
        yield from nested(text, "other_members").items()


def _word(words: Mapping[int, str], member: str, number: int) -> str:
    if number not in words:
        known = ", ".join(f"{key} ({word})" for key, word in words.items())
        raise InvalidValue(f"{member} {number} is not known here; known are {known}, and the words themselves")
    return words[number]
