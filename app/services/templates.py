"""Job templates: create, change, read, share, delete (rest.md 7). Their tables are in ``tables.py``."""

from dataclasses import replace
from typing import Any

import msgspec

from app.errors import Conflict, InvalidValue, NotFound, RuleViolation
from app.protocol.documents import members_of
from app.protocol.tables import TABLES
from app.protocol.templates import TemplateDocument, TemplateLine, WireTemplate
from app.protocol.text import iso
from app.services.designing import existing_groups, own_or_new_id, require_designer
from app.services.engine import Unit
from app.services.ports import JobTemplate
from app.services.tables import change_elsewhere, merge_tables


def create(unit: Unit, document: TemplateDocument) -> str:
    """Store a new template and return its id. Its ``diagramName`` becomes the diagram's real one.

    Raises:
        PermissionDenied: without adminBasic. InvalidValue: there is no such diagram.
        Conflict: the id or the name is taken.
    """
    require_designer(unit)
    template_id = own_or_new_id(unit, document.head.job_template_id, "jobTemplateId")
    unit.tx.lock_item(unit.item)
    if unit.tx.template(unit.item, template_id) is not None:
        raise Conflict(f"There is a job template {template_id!r} already.", name="InvalidJobTemplateIdDuplicate")
    _save(unit, template_id, document, before=None)
    return template_id


def change(unit: Unit, template_id: str, document: TemplateDocument) -> None:
    """Change a template; members that are not sent stay as they are, and so do jobs.

    Raises:
        PermissionDenied: without adminBasic. NotFound: no such template. Conflict: the name is another template's.
        InvalidValue: there is no such diagram, the id is another one, or a table cannot be as it is sent.
    """
    require_designer(unit)
    unit.tx.lock_item(unit.item)
    before = read(unit, template_id)
    if document.head.job_template_id not in {None, "", template_id}:
        raise InvalidValue(f"JobTemplate was invalid: jobTemplateId is {template_id!r} for good; leave it out.")
    _save(unit, template_id, document, before)


def _save(unit: Unit, template_id: str, document: TemplateDocument, before: JobTemplate | None) -> None:
    members = (members_of(before.body) if before else {}) | document.members
    elsewhere = {}
    if TABLES in document.members:
        tables = merge_tables(unit, template_id, document.members[TABLES], before)
        members[TABLES], elsewhere = tables.own, tables.elsewhere
    put(unit, template_id, TemplateDocument(document.head, members), before.shared_with if before else ())
    change_elsewhere(unit, template_id, elsewhere)


def put(unit: Unit, template_id: str, document: TemplateDocument, shared_with: tuple[str, ...]) -> None:
    """Store a template as it is, its tables too. Raises Conflict (the name), InvalidValue (no such diagram)."""
    name = document.head.job_template_name
    if unit.tx.template_by_name(unit.item, name) not in {None, template_id}:
        raise Conflict(f"There is another job template named {name!r}.", name="InvalidJobTemplateNameDuplicate")
    record = _record(unit, template_id, document.head, document.members)
    unit.tx.put_template(unit.item, replace(record, shared_with=shared_with))


def delete(unit: Unit, template_id: str) -> None:
    """Delete a template that no job was made from. Raises PermissionDenied, NotFound, RuleViolation."""
    require_designer(unit)
    unit.tx.lock_item(unit.item)
    template = read(unit, template_id)
    unit.tx.claim_template(unit.item, template_id)
    count = unit.tx.jobs_of_template(unit.item, template_id)
    if count:
        raise RuleViolation(
            f"The job template {template.name!r} has {count} jobs. Delete them first, or set its state to Retired.",
            name="JobTemplateInUse",
        )
    unit.tx.delete_template(unit.item, template_id)


def share(unit: Unit, template_id: str, group_ids: list[str]) -> None:
    """Let only members of these groups use a template; no groups: everybody. Raises PermissionDenied, NotFound,
    InvalidValue (there is no such group)."""
    require_designer(unit)
    unit.tx.lock_item(unit.item)
    template = read(unit, template_id)
    unit.tx.put_template(unit.item, replace(template, shared_with=existing_groups(unit, group_ids)))


def shared_with(unit: Unit, template_id: str) -> list[str]:
    """The groups a template is shared with. Raises PermissionDenied without adminBasic, NotFound."""
    require_designer(unit)
    return list(read(unit, template_id).shared_with)


def read(unit: Unit, template_id: str) -> JobTemplate:
    """A template. Raises NotFound."""
    template = unit.tx.template(unit.item, template_id)
    if template is None:
        raise NotFound(f"There is no job template {template_id!r}.", name="JobTemplateNotFound")
    return template


def lines(unit: Unit) -> list[TemplateLine]:
    """The templates the caller may use, in short, with the present names of their diagrams."""
    names = {diagram.diagram_id: diagram.name for diagram in unit.tx.diagrams(unit.item)}
    return [
        TemplateLine(
            job_template_id=template.template_id,
            job_template_name=template.name,
            description=template.description,
            category=template.category,
            diagram_id=template.diagram_id,
            diagram_name=names.get(template.diagram_id),
            state=template.state,
        )
        for template in unit.tx.templates(unit.item)
        if unit.actor.may_use_shared(template.shared_with)
    ]


def _record(unit: Unit, template_id: str, head: WireTemplate, members: dict[str, Any]) -> JobTemplate:
    """``head`` has the members that every template must be sent with; the others may have been there before."""
    diagram = unit.tx.diagram(unit.item, head.diagram_id)
    if diagram is None:
        raise InvalidValue(f"JobTemplate was invalid: there is no diagram {head.diagram_id!r}.", details=["diagramId"])
    members = members | {
        "jobTemplateId": template_id,
        "diagramName": diagram.diagram.name,
        "lastUpdatedBy": unit.actor.username,
        "lastUpdatedDate": iso(unit.now_ms),
    }
    return JobTemplate(
        template_id=template_id,
        name=head.job_template_name,
        state=head.state.value,
        diagram_id=head.diagram_id,
        category=_text(members.get("category")),
        description=_text(members.get("description")),
        body=msgspec.json.encode(members),
        updated_by=unit.actor.username,
        updated_ms=unit.now_ms,
    )


def _text(member: Any) -> str | None:
    """A member that was sent now, or read from the stored document."""
    text = msgspec.json.decode(member) if isinstance(member, msgspec.Raw) else member
    return None if text is None else str(text)
