"""An item's configuration, to be taken elsewhere: all that is set up in it, and none of its jobs (rest.md 13.3)."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from hashlib import blake2b
from typing import Any, Final, TypeVar

import msgspec

from app.domain.diagram import DRAFT_VERSION
from app.errors import InvalidValue
from app.protocol.configuration import (
    OTHER,
    SCHEMA_VERSION,
    AutomationRow,
    Configuration,
    DiagramRow,
    Encryption,
    Info,
    LookupRow,
    PropertyRow,
    RoleGroupRow,
    RoleRow,
    SearchRow,
    SettingRow,
    ShareRow,
    StoredTemplateRow,
    TableRow,
    TableUseRow,
    TemplateRow,
    text_of,
)
from app.protocol.diagrams import render_diagram
from app.protocol.items import ExportBody
from app.protocol.passphrase import PassphraseCipher
from app.protocol.tables import TABLES
from app.services import automations
from app.services.engine import Unit
from app.services.new_item import admin_group
from app.services.people import require_administrator
from app.services.ports import DiagramRecord, JobTemplate

TEMPLATE, SEARCH = "JobTemplate", "Search"
"""What can be shared."""

ELSEWHERE: Final = frozenset({"diagramId", "diagramVersion", "diagramName", "description", "active"})
"""Members of a diagram that have a place of their own in its row, or follow from it."""

UNKEPT: Final = frozenset({"diagramName", "lastUpdatedBy", "lastUpdatedDate"})
"""Members of a job template that are made anew whenever it is saved."""

R = TypeVar("R", bound=msgspec.Struct)


def read(unit: Unit, wanted: ExportBody, cipher: PassphraseCipher | None) -> Configuration:
    """The configuration as it is now, or the part of it that is wanted.

    Raises:
        PermissionDenied: without adminAdvanced. InvalidValue: a template or diagram that is not there, or a template
        without its diagram.
    """
    require_administrator(unit)
    diagrams = _chosen(
        "diagramIds", wanted.diagram_ids, {each.diagram_id: each.diagram_id for each in unit.tx.diagrams(unit.item)}
    )
    templates = _chosen(
        "jobTemplateIds", wanted.job_template_ids, {each.template_id: each for each in unit.tx.templates(unit.item)}
    )
    _check_complete(templates, diagrams)
    with_other = wanted.include_other_configuration is not False
    encryption = Encryption(b64encode(cipher.salt).decode()) if cipher else None
    configuration = Configuration(
        info=Info(SCHEMA_VERSION, encryption),
        diagrams=[row for diagram_id in diagrams for row in _diagram_rows(unit, diagram_id)],
        job_templates=[_template_row(unit, template) for template in templates],
        automations=[row for each in templates for row in _automation_rows(unit, each, cipher)],
        shares=list(_share_rows(unit, templates, with_searches=with_other)),
        **_tables(templates),
    )
    if with_other:
        for member in OTHER:
            setattr(configuration, member, list(_OTHERS[member](unit, cipher)))
    return configuration


def group_names(unit: Unit) -> dict[str, str]:
    """Names of all groups by their ids."""
    return {group.group_id: group.name for group in unit.tx.groups()}


def _chosen(member: str, wanted: list[str] | None, there: Mapping[str, Any]) -> list[Any]:
    """All, where nothing is said; none, where none is named."""
    if wanted is None:
        return list(there.values())
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise InvalidValue(f"{member}: there is no {', '.join(map(repr, unknown))} in this item.", details=unknown)
    return [value for name, value in there.items() if name in set(wanted)]


def _check_complete(templates: Collection[JobTemplate], diagram_ids: Collection[str]) -> None:
    faults = [
        f"the job template {each.name!r} needs the diagram {each.diagram_id!r}"
        for each in templates
        if each.diagram_id not in diagram_ids
    ]
    if faults:
        raise InvalidValue(f"The export would lack diagrams: {'; '.join(faults)}.", details=faults)


# ---------------------------------------------------------------- diagrams and templates


def _diagram_rows(unit: Unit, diagram_id: str) -> Iterator[DiagramRow]:
    """The newest activated version and the draft: older ones matter to jobs only."""
    newest = unit.tx.diagram(unit.item, diagram_id)
    draft = unit.tx.diagram(unit.item, diagram_id, DRAFT_VERSION)
    if newest is not None and newest.diagram.version != DRAFT_VERSION:
        yield diagram_row(newest)
    if draft is not None:
        yield diagram_row(draft)


def diagram_row(record: DiagramRecord) -> DiagramRow:
    """A version as a row."""
    details = render_diagram(record.body, record.diagram)
    return DiagramRow(
        diagram_id=record.diagram.diagram_id,
        diagram_version=record.diagram.version,
        diagram_name=record.diagram.name,
        description=record.description,
        diagram_details=text_of({name: value for name, value in details.items() if name not in ELSEWHERE}),
    )


def _template_row(unit: Unit, template: JobTemplate) -> TemplateRow:
    document: dict[str, Any] = msgspec.json.decode(template.body)
    members = {name: document.pop(wire) for name, wire in template_members().items() if wire in document}
    if "activities" in members:
        members["activities"] = text_of(members["activities"])
    ranks = dict(unit.tx.lookups(unit.item, "priority"))
    other = {name: value for name, value in document.items() if name not in UNKEPT | {TABLES}}
    return TemplateRow(
        **members,
        default_priority_rank=ranks.get(str(members.get("default_priority_name"))),
        other_members=text_of(other) if other else None,
    )


@cache
def template_members() -> Mapping[str, str]:
    """Members of a job template's row that are members of its document, and what they are called there."""
    return {name: wire for name, wire in camel_names(TemplateRow).items() if name != "default_priority_rank"}


def _tables(templates: Collection[JobTemplate]) -> dict[str, Any]:
    """The tables of the templates, each once, their properties, and which template has which."""
    tables: dict[str, TableRow] = {}
    properties: list[PropertyRow] = []
    uses = []
    for template in templates:
        for number, table in enumerate(msgspec.json.decode(template.body).get(TABLES, ())):
            name, is_associated = table["tableName"], bool(table.pop("isAssociated", False))
            if name not in tables:
                properties += [_property_row(name, each) for each in table.pop("extendedPropertyDefinitions", ())]
                tables[name] = _row_of(table, TableRow, table_id=_table_id(name))
            uses.append(
                TableUseRow(
                    table_id=_table_id(name),
                    job_template_id=template.template_id,
                    table_order=number,
                    is_associated=int(is_associated),
                )
            )
    return {"tables": list(tables.values()), "properties": properties, "table_uses": uses}


def _property_row(table: str, definition: dict[str, Any]) -> PropertyRow:
    for name in ("required", "editable", "visible"):
        if name in definition:
            definition[name] = int(definition[name])
    if "domain" in definition:
        definition["domain"] = text_of(definition["domain"])
    return _row_of(definition, PropertyRow, table_id=_table_id(table))


def _row_of(document: dict[str, Any], row: type[R], **own: Any) -> R:
    """A row of the members it knows by their names in camelCase; what is left of the document as JSON text."""
    members = {name: document.pop(wire) for name, wire in camel_names(row).items() if wire in document}
    return row(**members, **own, other_members=text_of(document) if document else None)


def camel_names(row: type[msgspec.Struct]) -> dict[str, str]:
    """The members of a row, and what they are called in documents."""
    return {name: _camel(name) for name in row.__struct_fields__ if name not in {"table_id", "other_members"}}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return "".join((first, *(word.title() for word in rest)))


def _table_id(name: str) -> str:
    """Tables have names and no ids; the reference's files have ids, in the form of all ids."""
    return urlsafe_b64encode(blake2b(name.encode(), digest_size=16).digest()).rstrip(b"=").decode()


def _automation_rows(unit: Unit, template: JobTemplate, cipher: PassphraseCipher | None) -> Iterator[AutomationRow]:
    for each in unit.tx.automations(unit.item, template.template_id):
        secret = automations.secret_of(unit, each) if cipher else None
        yield AutomationRow(
            automation_id=each.automation_id,
            job_template_id=each.template_id,
            automation_name=each.name,
            automation_type=each.automation_type.value,
            enabled=int(each.enabled),
            details=each.details,
            secret=cipher.seal(each.automation_id, secret) if cipher and secret is not None else None,
        )


# ---------------------------------------------------------------- the rest


def _share_rows(unit: Unit, templates: Collection[JobTemplate], *, with_searches: bool) -> Iterator[ShareRow]:
    names = group_names(unit)
    shared = [(TEMPLATE, each.template_id, each.shared_with) for each in templates]
    if with_searches:
        shared += [(SEARCH, each.search_id, each.shared_with) for each in unit.tx.searches(unit.item)]
    for kind, resource_id, group_ids in shared:
        for group_id in group_ids:
            yield ShareRow(
                resource_type=kind, resource_id=resource_id, group_id=group_id, group_name=names.get(group_id)
            )


def _lookup_rows(unit: Unit, _: object) -> Iterator[LookupRow]:
    for kind in unit.tx.lookup_types(unit.item):
        for name, value in unit.tx.lookups(unit.item, kind):
            yield LookupRow(lookup_type=kind, lookup_name=name, value=value)


def _role_rows(unit: Unit, _: object) -> Iterator[RoleRow]:
    for role in unit.tx.roles(unit.item):
        yield RoleRow(role_name=role.name, description=role.description, workflow_privileges=text_of(role.privileges))


def _role_group_rows(unit: Unit, _: object) -> Iterator[RoleGroupRow]:
    names, own = group_names(unit), admin_group(unit.tx, unit.item)
    for group_id, roles in unit.tx.roles_of_groups(unit.item).items():
        if own is None or group_id != own.group_id:
            for role in roles:
                yield RoleGroupRow(role_name=role, group_id=group_id, group_name=names.get(group_id))


def _search_rows(unit: Unit, _: object) -> Iterator[SearchRow]:
    for each in unit.tx.searches(unit.item):
        yield SearchRow(
            search_id=each.search_id,
            search_name=each.name,
            search_type=each.search_type,
            folder=each.folder,
            definition=None if each.definition is None else each.definition.decode(),
            color_ramp=each.color_ramp,
            sort_index=each.sort_index,
        )


def _setting_rows(unit: Unit, cipher: PassphraseCipher | None) -> Iterator[SettingRow]:
    for each in unit.tx.settings(unit.item):
        if not each.encrypted:
            yield SettingRow(prop_name=each.name, value=each.value.decode())
            continue
        secret = cipher.seal(each.name, unit.vault.open(each.value).decode()) if cipher else None
        yield SettingRow(prop_name=each.name, value=secret, encrypted=1)


def _stored_template_rows(unit: Unit, _: object) -> Iterator[StoredTemplateRow]:
    for kind in unit.tx.stored_template_types(unit.item):
        for each in unit.tx.stored_templates(unit.item, kind):
            yield StoredTemplateRow(
                template_type=kind,
                template_id=each.template_id,
                template_name=each.name,
                template_details=each.details,
            )


_OTHERS: Final[Mapping[str, Callable[[Unit, PassphraseCipher | None], Iterator[Any]]]] = {
    "lookups": _lookup_rows,
    "roles": _role_rows,
    "role_groups": _role_group_rows,
    "searches": _search_rows,
    "settings": _setting_rows,
    "templates": _stored_template_rows,
}
