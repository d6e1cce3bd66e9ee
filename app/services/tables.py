"""Tables of extended properties, which belong to the item: templates that share one have the same definition.

A template's document holds its tables whole, so that whoever has the template has all. Whoever saves one does it under
the item's lock; a definition that is changed is changed in every template that has the table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from app.errors import InvalidValue
from app.protocol.documents import members_of
from app.protocol.tables import TABLES, TableLine, wire_tables_of
from app.services.designing import require_designer
from app.services.engine import Unit
from app.services.ports import JobTemplate

Document = Mapping[str, Any]
"""A table as JSON, with the members its author gave it."""

_ASSOCIATED: Final = "isAssociated"
_PROPERTIES: Final = "extendedPropertyDefinitions"
_FLAGS: Final = ("updateExisting", "associateToExisting", _ASSOCIATED)


def tables_of_item(unit: Unit) -> list[TableLine]:
    """All tables of the item with the templates that have them. Raises PermissionDenied without adminBasic."""
    require_designer(unit)
    found: dict[str, TableLine] = {}
    for template in unit.tx.templates(unit.item):
        for wire in wire_tables_of(template.body):
            line = found.setdefault(wire.table_name, msgspec.convert(wire, TableLine, from_attributes=True))
            line.is_associated = None
            line.job_templates = [*line.job_templates, template.template_id]
    return list(found.values())


@dataclass(frozen=True, slots=True)
class SavedTables:
    """What becomes of the tables of a template: its own from now on, and new definitions for others, by name."""

    own: list[dict[str, Any]]
    elsewhere: dict[str, dict[str, Any]]


def merge_tables(unit: Unit, template_id: str, sent: list[Document], before: JobTemplate | None) -> SavedTables:
    """Work out a template's tables from those sent (rest.md 7). Tables that are left out are gone from the template.

    A table that the template has stays as it is unless ``updateExisting`` says otherwise. Raises:
        InvalidValue: a new table has the name of another template's without ``associateToExisting``, or the other way
            round; an update changes how many rows a table has, or the type of a property.
    """
    present = _documents(before.body) if before else {}
    others = _others(unit.tx.templates(unit.item), template_id)
    own: list[dict[str, Any]] = []
    elsewhere: dict[str, dict[str, Any]] = {}
    for table in sent:
        name, clean = table["tableName"], _clean(table)
        known = present.get(name) or others.get(name)
        if known is None:
            _check_new(table)
            own.append(clean)
        elif table.get("updateExisting"):
            _check_change(known, clean)
            own.append(clean | _association(known.get(_ASSOCIATED)))
            elsewhere[name] = clean
        elif name in present:
            own.append(known)
        elif table.get("associateToExisting"):
            own.append(known | _association(is_associated=True))
        else:
            raise _invalid(
                f"another job template has a table {name!r}; say associateToExisting to mean it, or use another name"
            )
    return SavedTables(own, elsewhere)


def take_over(unit: Unit, sent: Iterable[Document]) -> dict[str, dict[str, Any]]:
    """Let tables be as they come from elsewhere, also in other templates that have them: returns what those are to have
    (``change_elsewhere``). Raises InvalidValue: jobs' values would change their meaning."""
    known = _others(unit.tx.templates(unit.item), "")
    for table in sent:
        if table["tableName"] in known:
            _check_change(known[table["tableName"]], _clean(table))
    return {table["tableName"]: _clean(table) for table in sent if table["tableName"] in known}


def change_elsewhere(unit: Unit, template_id: str, changed: Mapping[str, dict[str, Any]]) -> None:
    """Let other templates have the new definitions of tables they share with this one."""
    for template in unit.tx.templates(unit.item) if changed else ():
        tables = _documents(template.body)
        if template.template_id != template_id and not changed.keys().isdisjoint(tables):
            new = [changed.get(name, table) | _association(table.get(_ASSOCIATED)) for name, table in tables.items()]
            body = msgspec.json.encode(members_of(template.body) | {TABLES: new})
            unit.tx.put_template(unit.item, replace(template, body=body))


def _documents(template: bytes) -> dict[str, dict[str, Any]]:
    """A stored template's tables as documents, by name."""
    members = members_of(template)
    tables: list[dict[str, Any]] = msgspec.json.decode(members[TABLES]) if TABLES in members else []
    return {table["tableName"]: table for table in tables}


def _others(templates: Iterable[JobTemplate], template_id: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for template in templates:
        if template.template_id != template_id:
            found |= {name: _clean(table) for name, table in _documents(template.body).items()}
    return found


def _clean(table: Document) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in _FLAGS}


def _association(is_associated: Any) -> dict[str, Any]:
    return {_ASSOCIATED: True} if is_associated else {}


def _check_new(sent: Document) -> None:
    for flag in _FLAGS[:2]:
        if sent.get(flag):
            raise _invalid(f"{flag}: there is no table {sent['tableName']!r} in this workflow item")


def _check_change(known: Document, new: Document) -> None:
    """What jobs have stored keeps its meaning."""
    table = new["tableName"]
    if known.get("relationshipType", "OneToOne") != new.get("relationshipType", "OneToOne"):
        raise _invalid(f"the relationshipType of the table {table!r} cannot be changed")
    types = {each["propertyName"]: each["dataType"] for each in known.get(_PROPERTIES) or ()}
    for each in new.get(_PROPERTIES) or ():
        name, kind = each["propertyName"], each["dataType"]
        if types.get(name, kind) != kind:
            raise _invalid(f"{table}.{name} is of dataType {types[name]}, which cannot be changed to {kind}")


def _invalid(fault: str) -> InvalidValue:
    return InvalidValue(f"JobTemplate was invalid: {fault}.", details=[fault])
