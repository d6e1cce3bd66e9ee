"""What administrators set up in an item, on the wire: settings, lookups, stored templates (rest.md 8)."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

_Name = Annotated[str, Meta(min_length=1, max_length=255)]
_Value = Annotated[str, Meta(max_length=10_000)]
_Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class SettingGiven(msgspec.Struct, rename="camel"):
    """A setting to store. Without a value, or with null, the stored one stays, so a list that was read may be sent
    back. ``encrypted`` makes it a secret; it stays one until a new value comes with ``encrypted`` false."""

    prop_name: _Name
    value: _Value | int | None = None
    encrypted: bool | None = None


class SettingsBody(msgspec.Struct):
    """Settings to add or change; others stay as they are."""

    settings: Annotated[list[SettingGiven], Meta(max_length=1_000)]


class WireSetting(msgspec.Struct, rename="camel", omit_defaults=True):
    """A setting as it is told: one that is encrypted without its value."""

    prop_name: str
    value: str | None = None
    encrypted: bool = False


class SettingsAnswer(msgspec.Struct):
    """The settings, in the order in which they were first stored."""

    settings: list[WireSetting]


class WireLookup(msgspec.Struct, rename="camel"):
    """One value of a lookup type."""

    lookup_name: _Name
    value: _Integer


class LookupsBody(msgspec.Struct):
    """The values of a lookup type, in the order in which they are shown."""

    lookups: Annotated[list[WireLookup], Meta(min_length=1, max_length=1_000)]


class LookupsAnswer(msgspec.Struct):
    """The values of a lookup type, in their order."""

    lookups: list[WireLookup]


class StoredTemplateBody(msgspec.Struct, rename="camel"):
    """A stored template to create; ``templateDetails`` is JSON text (of types other than email and webRequest, any)."""

    template_name: _Name
    template_details: str
    template_id: str | None = None


class StoredTemplateUpdate(msgspec.Struct, rename="camel"):
    """What a stored template is to become; a member that is missing stays as it is, and so does the id."""

    template_name: _Name | None = None
    template_details: str | None = None


class StoredTemplateCreated(msgspec.Struct, rename="camel"):
    """A new stored template's id."""

    template_id: str


class StoredTemplateLine(msgspec.Struct, rename="camel"):
    """One line of the list."""

    template_id: str
    template_name: str


class StoredTemplateList(msgspec.Struct):
    """The stored templates of a type, in the order they were created."""

    templates: list[StoredTemplateLine]


class StoredTemplateAnswer(StoredTemplateLine, rename="camel"):
    """A stored template; its details are the text that was stored."""

    template_details: str


SYSTEM_SETTINGS: Final = (
    "smtpServer",
    "smtpPort",
    "smtpProtocol",
    "smtpUsername",
    "smtpPassword",
    "smtpDefaultSenderEmail",
    "smtpDefaultSenderDisplayName",
)
"""Names with a meaning for the server; all others are the users' own."""

ALWAYS_SECRET: Final = "smtpPassword"  # noqa: S105 - its name, not its value
"""The setting that is encrypted whatever its author says."""
