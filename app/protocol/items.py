"""Workflow items as wholes, on the wire (rest.md 13.3)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class ItemRequest(msgspec.Struct):
    """How an item is to be made or brought up to date. Both are quick, so with ``async`` they are done as well when the
    answer comes; ``creationStatus`` then says so."""

    is_async: bool | None = msgspec.field(default=None, name="async")


class ItemAnswer(msgspec.Struct, rename="camel"):
    """An item that was made, or brought up to date."""

    item_id: str
    success: bool = True
    status: Literal["Succeeded"] = "Succeeded"


class CreationStatus(msgspec.Struct):
    """An item that can be found was made wholly, and is in the newest form."""

    status: Literal["Succeeded"] = "Succeeded"


class ExportBody(msgspec.Struct, rename="camel"):
    """What of an item's configuration is exported. Diagrams and job templates: all where nothing is said, none where
    the list is empty. ``includeOtherConfiguration`` (true when absent): with lookups, roles, searches, settings and
    stored templates. With a ``passphrase`` secrets go along, encrypted with it."""

    include_other_configuration: bool | None = None
    job_template_ids: Annotated[list[str], Meta(max_length=10_000)] | None = None
    diagram_ids: Annotated[list[str], Meta(max_length=10_000)] | None = None
    passphrase: str | None = None


class ImportFields(msgspec.Struct, rename="camel"):
    """An import as a form, beside its ``file``. ``overwriteConfiguration`` (true when absent) replaces what is there,
    and takes an item without jobs; otherwise both are merged. ``mappingFile``: who is meant by users and groups."""

    passphrase: str | None = None
    overwrite_configuration: bool | None = None
    mapping_file: str | None = None
    token: str | None = None


class ExportStarted(msgspec.Struct, rename="camel"):
    """An export that was begun: its file is there when ``ExportCompleted`` comes over the websocket."""

    export_id: str


class LogLine(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A line of the item's log. ``createdUser`` is whom it happened to; ``system`` is the server itself."""

    log_level: Literal["WARN", "ERROR"]
    message: str
    job_id: str | None = None
    step_id: str | None = None
    created_date: str
    created_user: str


class LogPage(msgspec.Struct):
    """Lines of the log, newest first."""

    logs: list[LogLine]
