"""Stored templates (rest.md 8.3): e-mails and web requests to be sent when something happens, and users' own texts."""

from collections.abc import Iterator

import msgspec

from app.errors import Conflict, InvalidValue, NotFound
from app.protocol.email import EmailArgs
from app.protocol.item_setup import StoredTemplateBody, StoredTemplateUpdate
from app.protocol.web_request import WebRequestArgs
from app.services.designing import own_or_new_id, require_designer
from app.services.engine import Unit
from app.services.ports import StoredTemplate

EMAIL, WEB_REQUEST = "email", "webRequest"

_DETAILS: dict[str, type[EmailArgs | WebRequestArgs]] = {EMAIL: EmailArgs, WEB_REQUEST: WebRequestArgs}
"""What the details of a type must be; those of other types are their authors'."""

_MAX_TYPE_CHARS = 255


def create(unit: Unit, template_type: str, body: StoredTemplateBody) -> str:
    """Store a new template and return its id. Raises PermissionDenied, InvalidValue, Conflict (the id is taken)."""
    require_designer(unit)
    template_id = own_or_new_id(unit, body.template_id, "templateId")
    check(template_type, body.template_details)
    unit.tx.lock_item(unit.item)
    if unit.tx.stored_template(unit.item, template_type, template_id) is not None:
        raise Conflict(f"There is a template {template_id!r} of type {template_type!r} already.")
    details = body.template_details
    unit.tx.put_stored_template(unit.item, StoredTemplate(template_type, template_id, body.template_name, details))
    return template_id


def read(unit: Unit, template_type: str, template_id: str) -> StoredTemplate:
    """A stored template. Raises NotFound."""
    found = unit.tx.stored_template(unit.item, template_type, template_id)
    if found is None:
        raise NotFound(f"There is no template {template_id!r} of type {template_type!r}.", name="TemplateNotFound")
    return found


def update(unit: Unit, template_type: str, template_id: str, body: StoredTemplateUpdate) -> None:
    """Change a template's name or details. Raises PermissionDenied, NotFound, InvalidValue."""
    require_designer(unit)
    unit.tx.lock_item(unit.item)
    before = read(unit, template_type, template_id)
    details = before.details if body.template_details is None else body.template_details
    check(template_type, details)
    changed = StoredTemplate(template_type, template_id, body.template_name or before.name, details)
    unit.tx.put_stored_template(unit.item, changed)


def delete(unit: Unit, template_type: str, template_id: str) -> None:
    """Delete a template. What still names it sends nothing any more. Raises PermissionDenied, NotFound."""
    require_designer(unit)
    read(unit, template_type, template_id)
    unit.tx.delete_stored_template(unit.item, template_type, template_id)


def check(template_type: str, details: str) -> None:
    """Raises InvalidValue: the details are not what those of the type must be."""
    if len(template_type) > _MAX_TYPE_CHARS:
        raise InvalidValue(f"A template type has at most {_MAX_TYPE_CHARS} characters.")
    schema = _DETAILS.get(template_type)
    if schema is None:
        return
    try:
        read = msgspec.json.decode(details, type=schema)
    except (msgspec.MsgspecError, RecursionError) as error:
        fault = f"templateDetails is not the JSON text of such a template: {error}"
        raise InvalidValue(f"Template was invalid: {fault}.", details=[fault]) from error
    if isinstance(read, WebRequestArgs) and (faults := list(_faults(read))):
        raise InvalidValue(f"Template was invalid: {'; '.join(faults)}.", details=faults)


def _faults(request: WebRequestArgs) -> Iterator[str]:
    yield from (f"templateDetails.{fault}" for fault in request.faults())
    if request.response is not None:
        yield "templateDetails.response is for steps: no job waits for the answer to a stored request"
