"""Job templates: create and read (rest.md 7)."""

import msgspec

from app.errors import Conflict, InvalidValue, NotFound
from app.protocol.templates import TemplateDocument, TemplateLine
from app.protocol.text import iso
from app.services.designing import own_or_new_id, require_designer
from app.services.engine import Unit
from app.services.ports import JobTemplate


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
    name = document.head.job_template_name
    if unit.tx.template_by_name(unit.item, name) is not None:
        raise Conflict(f"There is another job template named {name!r}.", name="InvalidJobTemplateNameDuplicate")
    unit.tx.put_template(unit.item, _record(unit, template_id, document))
    return template_id


def read(unit: Unit, template_id: str) -> JobTemplate:
    """A template. Raises NotFound."""
    template = unit.tx.template(unit.item, template_id)
    if template is None:
        raise NotFound(f"There is no job template {template_id!r}.", name="JobTemplateNotFound")
    return template


def lines(unit: Unit) -> list[TemplateLine]:
    """All templates in short, with the present names of their diagrams."""
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
    ]


def _record(unit: Unit, template_id: str, document: TemplateDocument) -> JobTemplate:
    head = document.head
    diagram = unit.tx.diagram(unit.item, head.diagram_id)
    if diagram is None:
        raise InvalidValue(f"JobTemplate was invalid: there is no diagram {head.diagram_id!r}.", details=["diagramId"])
    members = document.members | {
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
        category=head.category,
        description=head.description,
        body=msgspec.json.encode(members),
        updated_by=unit.actor.username,
        updated_ms=unit.now_ms,
    )
