"""A job template on the wire: what is checked, everything else stays in the document (rest.md 7, 14.2)."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from app.domain.changes import LONGEST
from app.domain.job import AssignedType
from app.errors import InvalidValue
from app.protocol.documents import check_document, members_of, without_transport
from app.protocol.tables import WireTable, table_faults
from app.protocol.text import decode, parse_time

_FILLER_MS: Final = timedelta(seconds=1) // timedelta(milliseconds=1)
_MAX_DAYS: Final = 36_600

Text = Annotated[str, Meta(min_length=1)]


class TemplateState(StrEnum):
    """Only jobs of ``Active`` templates are created over REST."""

    DRAFT = "Draft"
    ACTIVE = "Active"
    AUTOMATED = "Automated"
    RETIRED = "Retired"


class WireActivity(msgspec.Struct, rename="camel"):
    """A message to send when something happens to a job of the template."""

    type_name: Literal["CloseJob", "CreateJob", "AddComment", "AssignJob", "SetCurrentStep", "DeleteJob"]
    action_name: Literal["Email", "WebRequest"]
    template_id: Text


class WireTemplate(msgspec.Struct, rename="camel", kw_only=True):
    """A JobTemplate as sent. The first five are required, ``defaultAssignedTo`` too for ``User`` and ``Group``."""

    job_template_name: Annotated[str, Meta(min_length=1, max_length=255)]
    diagram_id: Text
    diagram_name: str
    default_priority_name: Text
    state: TemplateState
    job_template_id: str | None = None
    category: str | None = None
    description: str | None = None
    default_job_name: Annotated[str, Meta(max_length=200)] | None = None
    default_assigned_type: AssignedType | None = None
    default_assigned_to: str | None = None
    default_description: str | None = None
    default_status: Annotated[str, Meta(max_length=LONGEST["status"])] | None = None
    default_final_status: Annotated[str, Meta(max_length=LONGEST["status"])] | None = None
    job_start_date_type: Literal["CreationDate", "SpecificDate"] | None = None
    default_start_date: str | None = None
    default_due_date: str | None = None
    default_job_duration: Annotated[float, Meta(ge=0, le=_MAX_DAYS)] | None = None
    activities: list[WireActivity] | None = None
    extended_property_table_definitions: list[WireTable] | None = None
    last_updated_date: str | None = None


class TemplateDocument(msgspec.Struct, frozen=True):
    """What a client sent, read: the members of ``WireTemplate``, beside all members that are not null."""

    head: WireTemplate
    members: dict[str, Any]


class ShareBody(msgspec.Struct, rename="camel"):
    """``POST jobTemplates/{id}/shareWith``: the groups whose members may use the template; none means everybody."""

    group_ids: Annotated[list[Annotated[str, Meta(min_length=1, max_length=255)]], Meta(max_length=1_000)]


class TemplateLine(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One line of the list."""

    job_template_id: str
    job_template_name: str
    description: str | None = None
    category: str | None = None
    diagram_id: str
    diagram_name: str | None = None
    state: str


class TemplateList(msgspec.Struct, rename="camel"):
    """All templates of an item, in the order they were created."""

    job_templates: list[TemplateLine]


class TemplateCreated(msgspec.Struct, rename="camel"):
    """A new template's id."""

    job_template_id: str


_decoder = msgspec.json.Decoder(WireTemplate)


def read_template(body: bytes) -> TemplateDocument:
    """Decode and check a JobTemplate. Raises InvalidValue ("JobTemplate was invalid: ..."); ``details`` has all faults.

    ``defaultStartDate`` and ``defaultDueDate`` are dropped when they are within a second of ``lastUpdatedDate``: the
    vendor's client fills all three with its present time, and a job would be overdue at birth (python-client.md 1,
    trap 13).
    """
    head = decode(_decoder, body, "JobTemplate")
    check_document(body, "JobTemplate")
    if faults := list(_faults(head)):
        raise InvalidValue(f"JobTemplate was invalid: {'; '.join(faults)}.", details=faults)
    members: dict[str, Any] = _pruned(msgspec.json.decode(without_transport(body)))
    for name in _fillers(head):
        del members[name]
    return TemplateDocument(head, members)


def render_template(body: bytes) -> dict[str, Any]:
    """The stored document."""
    return members_of(body)


def _faults(head: WireTemplate) -> Iterator[str]:
    kind = head.default_assigned_type
    if kind in {AssignedType.USER, AssignedType.GROUP} and not head.default_assigned_to:
        yield f"defaultAssignedTo is missing, and defaultAssignedType is {kind}"
    for name, value in _dates(head).items():
        try:
            parse_time(value)
        except InvalidValue as error:
            yield f"{name}: {error.message.rstrip('.')}"
    yield from table_faults(head.extended_property_table_definitions or [])


def _dates(head: WireTemplate) -> dict[str, str]:
    dates = {
        "defaultStartDate": head.default_start_date,
        "defaultDueDate": head.default_due_date,
        "lastUpdatedDate": head.last_updated_date,
    }
    return {name: text for name, text in dates.items() if text is not None}


def _fillers(head: WireTemplate) -> list[str]:
    moments = {name: parse_time(text) for name, text in _dates(head).items()}
    updated = moments.pop("lastUpdatedDate", None)
    if updated is None:
        return []
    return [name for name, moment in moments.items() if abs(moment - updated) <= _FILLER_MS]


def _pruned(value: Any) -> Any:
    """The value without members that are None, at any depth: whoever reads it later need not know of null."""
    if isinstance(value, dict):
        return {name: _pruned(member) for name, member in value.items() if member is not None}
    return [_pruned(member) for member in value] if isinstance(value, list) else value
