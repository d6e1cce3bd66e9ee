"""Properties of a job in messages: what has changed (websocket.md 3.13), and what a step asks for (3.9)."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.changes import MEMBER_OF, STEP_MEMBERS, Changes, MemberChange, PropertyFacts
from app.domain.job import Job
from app.domain.properties import Domain, PropertyValue, RelatedChanges, RelatedRow
from app.domain.values import DataType
from app.protocol import notifications as n
from app.protocol import prompts as p
from app.protocol.text import iso


def updated_properties(changes: Changes) -> n.UpdatedProperties:
    """New values in their groups; those of the job itself under their search names."""
    tables = _by_table(changes.properties)
    return n.UpdatedProperties(
        job_properties=[_member(change) for change in changes.members],
        extended_properties=[n.TableProperties(table_name=name, properties=values) for name, values in tables.items()],
        related_properties=_related(changes.related),
    )


def _member(change: MemberChange) -> n.PropertyValue:
    """A new value of the job's own as text, under its search name."""
    member, value = MEMBER_OF[change.attribute], change.value
    text: str | None
    if member.data_type is DataType.DATE_TIME and value is not None:
        text = iso(value)
    elif member.wire == "versions":
        text = ", ".join(version.name or version.guid or "" for version in value)
    else:
        text = None if value is None else str(value).removesuffix(".0") if isinstance(value, float) else str(value)
    return n.PropertyValue(property_name=member.search_name, value=text)


def _by_table(values: Iterable[PropertyValue]) -> dict[str, list[n.PropertyValue]]:
    tables: dict[str, list[n.PropertyValue]] = {}
    for each in values:
        tables.setdefault(each.table, []).append(_value(each))
    return tables


def _value(given: PropertyValue) -> n.PropertyValue:
    return n.PropertyValue(property_name=given.name, value=given.value.text)


def _related(related: RelatedChanges) -> list[n.RelatedTable]:
    tables: dict[str, n.RelatedTable] = {}

    def table(row: RelatedRow) -> n.RelatedTable:
        return tables.setdefault(row.table, n.RelatedTable(table_name=row.table))

    for row in related.adds:
        table(row).adds.append(_entry(row))
    for row in related.updates:
        table(row).updates.append(_entry(row))
    for row in related.deletes:
        table(row).deletes.append(row.row_id)
    return list(tables.values())


def _entry(row: RelatedRow) -> n.RelatedEntry:
    return n.RelatedEntry(id=row.row_id, properties=[_value(each) for each in row.values])


def property_detail(job: Job, entry: Mapping[str, Any], order: int, facts: PropertyFacts) -> p.PropertyDetail:
    """A property as the step's author wrote it, completed by its definition and its present value."""
    identifier = str(entry["identifier"])
    member, defined = STEP_MEMBERS.get(identifier), facts.tables.find(identifier)
    known = next((each.value.text for each in facts.values if each.identifier == identifier), None)
    if member is not None:
        known = _member(MemberChange(member.attribute, getattr(job, member.attribute))).value
    data_type = member.data_type if member else defined.data_type if defined else None
    domain = defined.domain if defined else None
    return p.PropertyDetail(
        identifier=identifier,
        unique_id=_text(entry.get("uniqueId")),
        alias=_text(entry.get("alias")) or (defined.alias if defined else None),
        value=known if known is not None else _text(entry.get("value")),
        data_type=data_type.value if data_type else _text(entry.get("dataType")),
        required=bool(entry.get("required")) or bool(defined and defined.required),
        order=order,
        domain_type=domain.kind if domain else None,
        field_length=defined.length if defined else None,
        coded_values=_codes(domain),
        range=[domain.low, domain.high] if domain and domain.codes is None else None,
    )


def _codes(domain: Domain | None) -> list[p.CodedValue] | None:
    if domain is None or domain.codes is None:
        return None
    return [p.CodedValue(code=code, name=name) for code, name in domain.codes.items()]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
