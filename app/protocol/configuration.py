"""The configuration of an item as it is exported: a zip of JSON files, each a list of rows (rest.md 13.3).

Members are snake_case and nested objects JSON text, as the reference has them; switches are 0 and 1. Members marked
*ours* are attested nowhere. Rows may have more members than are known here: those are passed over.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

Flag = bool | int
"""A switch: written as 0 or 1, read as these or as true and false."""


class Row(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A row of a file: members that have no value are left out."""


class DiagramRow(Row, kw_only=True):
    """A version of a diagram: the newest activated one, or the draft (-1). ``diagram_details`` is the rest of the
    document, as JSON text."""

    diagram_id: str
    diagram_version: int
    diagram_name: str
    description: str | None = None
    diagram_details: str


class TemplateRow(Row, kw_only=True):
    """A job template. The priority is named by ``default_priority_rank``, its value, and (ours)
    ``default_priority_name``. Ours: ``other_members``, what else is in the document, as JSON text."""

    job_template_id: str
    job_template_name: str
    diagram_id: str
    state: str
    category: str | None = None
    description: str | None = None
    default_job_name: str | None = None
    default_assigned_type: str | None = None
    default_assigned_to: str | None = None
    default_priority_rank: int | None = None
    default_priority_name: str | None = None
    default_description: str | None = None
    default_status: str | None = None
    default_final_status: str | None = None
    job_start_date_type: str | None = None
    default_start_date: str | None = None
    default_due_date: str | None = None
    default_job_duration: int | float | None = None
    activities: str | None = None
    other_members: str | None = None


class TableRow(Row, kw_only=True):
    """A table of extended properties. ``table_id`` means it within the file only."""

    table_id: str
    table_name: str
    table_alias: str | None = None
    table_order: int | None = None
    relationship_type: str | int | None = None
    other_members: str | None = None


class PropertyRow(Row, kw_only=True):
    """A property of a table; ``domain`` is JSON text."""

    table_id: str
    property_name: str
    property_alias: str | None = None
    property_order: int | None = None
    data_type: str | int
    default_value: str | None = None
    field_length: int | None = None
    required: Flag | None = None
    editable: Flag | None = None
    visible: Flag | None = None
    domain: str | None = None
    other_members: str | None = None


class TableUseRow(Row, kw_only=True):
    """A job template has a table, as its ``table_order``-th. Ours: ``is_associated``, it took it from another one."""

    table_id: str
    job_template_id: str
    table_order: int = 0
    is_associated: Flag = 0


class AutomationRow(Row, kw_only=True):
    """What makes jobs of a template by itself; ``details`` is JSON text. Ours: ``secret``, that of a webhook, encrypted
    with the passphrase."""

    automation_id: str
    job_template_id: str
    automation_name: str
    automation_type: str
    enabled: Flag
    details: str
    secret: str | None = None


class LookupRow(Row, kw_only=True):
    """One value of a lookup type."""

    lookup_type: str
    lookup_name: str
    value: int


class RoleRow(Row, kw_only=True):
    """A role; ``workflow_privileges`` is a JSON array as text."""

    role_name: str
    description: str | None = None
    workflow_privileges: str


class RoleGroupRow(Row, kw_only=True):
    """A group has a role. The item's own admin group is not among them: it is made with the item."""

    role_name: str
    group_id: str
    group_name: str | None = None


class SearchRow(Row, kw_only=True):
    """A saved search or chart; ``definition`` is JSON text."""

    search_id: str
    search_name: str
    search_type: str
    folder: str | None = None
    definition: str | None = None
    color_ramp: str | None = None
    sort_index: int | None = None


class SettingRow(Row, kw_only=True):
    """A setting. The value of an encrypted one is there only if a passphrase was given, and encrypted with it."""

    prop_name: str
    value: str | None = None
    encrypted: Flag = 0


class ShareRow(Row, kw_only=True):
    """A job template (``JobTemplate``) or saved search (``Search``) is shared with a group. The members are ours."""

    resource_type: str
    resource_id: str
    group_id: str
    group_name: str | None = None


class StoredTemplateRow(Row, kw_only=True):
    """A stored template; ``template_details`` is the text that was stored."""

    template_type: str
    template_id: str
    template_name: str
    template_details: str


class Encryption(msgspec.Struct):
    """Ours: what the secrets of the file were encrypted with beside the passphrase; base64."""

    salt: str


class Info(msgspec.Struct, rename="camel", omit_defaults=True):
    """What the file is. ``schemaVersion`` tells the form of its rows."""

    schema_version: str
    encryption: Encryption | None = None


SCHEMA_VERSION: Final = "24.2.0.1"
"""The reference's version whose form this is."""


class Configuration(msgspec.Struct, kw_only=True):
    """What a file holds. None: the file of that name is not there, so that part of an item is not spoken of."""

    info: Info
    diagrams: list[DiagramRow] | None = None
    job_templates: list[TemplateRow] | None = None
    tables: list[TableRow] | None = None
    properties: list[PropertyRow] | None = None
    table_uses: list[TableUseRow] | None = None
    automations: list[AutomationRow] | None = None
    lookups: list[LookupRow] | None = None
    roles: list[RoleRow] | None = None
    role_groups: list[RoleGroupRow] | None = None
    searches: list[SearchRow] | None = None
    settings: list[SettingRow] | None = None
    shares: list[ShareRow] | None = None
    templates: list[StoredTemplateRow] | None = None


FILES: Final[Mapping[str, str]] = {
    "info": "info.json",
    "diagrams": "diagrams.json",
    "job_templates": "jobTemplates.json",
    "tables": "jobExtPropertyTableDefinitions.json",
    "properties": "jobExtPropertyDefinitions.json",
    "table_uses": "jobTemplatesToExtPropertyTableDefXref.json",
    "automations": "jobTemplateAutomatedCreation.json",
    "lookups": "lookups.json",
    "roles": "roles.json",
    "role_groups": "roleGroups.json",
    "searches": "searches.json",
    "settings": "settings.json",
    "shares": "shareRelationships.json",
    "templates": "templates.json",
}
"""Members of ``Configuration`` and their files, in the order of the zip."""

OTHER: Final = frozenset({"lookups", "roles", "role_groups", "searches", "settings", "templates"})
"""What ``includeOtherConfiguration`` means."""


def text_of(value: Any) -> str:
    """A nested object as JSON text."""
    return msgspec.json.encode(value).decode()
