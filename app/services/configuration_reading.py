"""What an imported configuration says, read and checked as far as that takes no item (rest.md 13.3)."""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from app.domain.access import Role
from app.domain.diagram import DRAFT_VERSION, Diagram
from app.errors import InvalidValue
from app.protocol.automations import AutomationAdd, read_details
from app.protocol.community import RoleBody
from app.protocol.configuration import AutomationRow, Configuration, DiagramRow, RoleRow, SearchRow, SettingRow, text_of
from app.protocol.diagrams import DiagramDocument, build_diagram, check_expressions, read_document
from app.protocol.ids import check_own_id
from app.protocol.item_setup import SettingGiven
from app.protocol.passphrase import PassphraseCipher
from app.protocol.saved_searches import SavedSearchDocument, read_saved_search
from app.protocol.templates import TemplateDocument
from app.protocol.text import decode
from app.services import diagrams, roles
from app.services.configuration_export import ELSEWHERE
from app.services.configuration_places import at, nested
from app.services.configuration_templates import Priorities, read_templates

_VERSIONS: Final = range(1, 2**31)


@dataclass(slots=True)
class Prepared:
    """A configuration whose documents have been read. ``notes`` are sentences about what was passed over.

    With an automation comes whether it lacks a secret that it needs.
    """

    rows: Configuration
    diagrams: list[tuple[DiagramRow, DiagramDocument, Diagram]]
    templates: list[tuple[str, TemplateDocument]]
    searches: list[tuple[str, SavedSearchDocument]]
    roles: list[Role]
    settings: list[SettingGiven]
    automations: list[tuple[AutomationRow, AutomationAdd, bool]]
    notes: list[str] = field(default_factory=list)


def prepare(rows: Configuration, cipher: PassphraseCipher | None) -> Prepared:
    """Read all documents of a configuration. Raises InvalidValue, naming file, entry and member."""
    notes: list[str] = []
    return Prepared(
        rows=rows,
        diagrams=[_diagram(number, row) for number, row in enumerate(rows.diagrams or ())],
        templates=read_templates(rows, Priorities.of(rows)),
        searches=[_search(number, row) for number, row in enumerate(rows.searches or ())],
        roles=[_role(number, row) for number, row in enumerate(rows.roles or ())],
        settings=[given for row in rows.settings or () if (given := _setting(row, cipher, notes))],
        automations=[_automation(number, row, cipher) for number, row in enumerate(rows.automations or ())],
        notes=notes,
    )


def _diagram(number: int, row: DiagramRow) -> tuple[DiagramRow, DiagramDocument, Diagram]:
    with at("diagrams", number, row.diagram_name):
        check_own_id(row.diagram_id, "diagram_id")
        if row.diagram_version != DRAFT_VERSION and row.diagram_version not in _VERSIONS:
            raise InvalidValue(f"diagram_version {row.diagram_version} is neither -1 nor 1, 2, ...")
        details = nested(row.diagram_details, "diagram_details")
        own = {"diagramName": row.diagram_name, "active": row.diagram_version != DRAFT_VERSION}
        described = {"description": row.description} if row.description is not None else {}
        rest = {name: value for name, value in details.items() if name not in ELSEWHERE}
        document = read_document(msgspec.json.encode(own | described | rest))
        diagram = build_diagram(document.head, diagram_id=row.diagram_id, version=row.diagram_version)
        check_expressions(diagram)
        if row.diagram_version != DRAFT_VERSION:
            diagrams.check_active(diagram)
        return row, document, diagram


def _search(number: int, row: SearchRow) -> tuple[str, SavedSearchDocument]:
    with at("searches", number, row.search_name):
        check_own_id(row.search_id, "search_id")
        definition = None if row.definition is None else nested(row.definition, "definition", msgspec.Raw)
        members = {
            "name": row.search_name,
            "searchType": row.search_type,
            "folder": row.folder,
            "definition": definition,
            "colorRamp": row.color_ramp,
            "sortIndex": row.sort_index,
        }
        return row.search_id, read_saved_search(msgspec.json.encode(members))


def _automation(
    number: int, row: AutomationRow, cipher: PassphraseCipher | None
) -> tuple[AutomationRow, AutomationAdd, bool]:
    with at("automations", number, row.automation_name):
        check_own_id(row.automation_id, "automation_id")
        details = row.details
        if row.secret is not None and cipher is not None:
            details = with_secret(details, cipher.open(row.automation_id, row.secret))
        members = {
            "automationName": row.automation_name,
            "automationType": row.automation_type,
            "enabled": bool(row.enabled),
            "details": details,
        }
        add = decode(AutomationAdd, msgspec.json.encode(members), "Automation")
        read = read_details(add.automation_type, details)
        return row, add, read.needs_secret and read.secret is None


def with_secret(details: str, secret: str) -> str:
    """The details of a webhook with the secret that its requests must prove."""
    members = nested(details, "details")
    header = msgspec.json.decode(members.get("headerSecret", b"{}"), type=dict[str, msgspec.Raw])
    return text_of(members | {"headerSecret": header | {"value": secret}})


def _role(number: int, row: RoleRow) -> Role:
    with at("roles", number, row.role_name):
        names = nested(row.workflow_privileges, "workflow_privileges", list[str])
        if faults := roles.faults_of(row.role_name, RoleBody(privileges=names)):
            raise InvalidValue(f"{'; '.join(faults)}.", details=faults)
        return Role(row.role_name, row.description or "", tuple(dict.fromkeys(names)))


def _setting(row: SettingRow, cipher: PassphraseCipher | None, notes: list[str]) -> SettingGiven | None:
    """A secret that the file does not have, or that nobody gives the passphrase for, is left as it is in the item."""
    value = row.value
    if row.encrypted:
        if value is not None and cipher is not None:
            value = cipher.open(row.prop_name, value)
        elif value is not None:
            value = None
        if value is None:
            notes.append(f"The secret setting {row.prop_name!r} was left out: it takes the passphrase of the export.")
            return None
    if value is None:
        return None
    try:
        return msgspec.convert(
            {"propName": row.prop_name, "value": value, "encrypted": bool(row.encrypted)}, SettingGiven
        )
    except msgspec.ValidationError as error:
        raise InvalidValue(f"settings.json ({row.prop_name[:80]}): {error}.", name="InvalidConfiguration") from error
