"""Who is meant by the users and groups that a configuration names, on a server that knows them by other names.

An export gives a mapping with everybody it names and nobody for them; filled in, it goes along with the import.
"""

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from app.errors import InvalidValue
from app.protocol.configuration import AutomationRow, Configuration, DiagramRow, TemplateRow, text_of
from app.protocol.text import decode

_Name = Annotated[str, Meta(min_length=1, max_length=255)]

_PLAIN_USER: Final = re.compile(r"[\w.@+-]+")
"""Whatever else an assignment to a user says is an expression."""

USER, GROUP = "User", "Group"


class MappedGroup(msgspec.Struct, rename="camel"):
    """A group of the configuration, and the id of the one that is meant; null: one of the same id, or else name."""

    group_id: _Name
    group_name: str | None = None
    new_group_id: str | None = None


class MappedUser(msgspec.Struct, rename="camel"):
    """A user of the configuration, and who is meant; null: whoever has the same name."""

    username: _Name
    new_username: str | None = None


class Mapping(msgspec.Struct):
    """Ours: the reference says that there is such a file, and not what is in it."""

    groups: Annotated[list[MappedGroup], Meta(max_length=10_000)] = []
    users: Annotated[list[MappedUser], Meta(max_length=10_000)] = []


_decoder = msgspec.json.Decoder(Mapping)


def read_mapping(data: bytes) -> Mapping:
    """Decode a mapping file. Raises InvalidValue ("mappingFile was invalid: ...")."""
    return decode(_decoder, data, "mappingFile")


def mapping_of(configuration: Configuration, group_names: dict[str, str]) -> Mapping:
    """Everybody whom a configuration names, each once, in the order of their names.

    Args:
        group_names: names of groups by their ids.
    """
    named: dict[str, set[str]] = {USER: set(), GROUP: set()}
    for row in configuration.job_templates or ():
        _note(named, row.default_assigned_type, row.default_assigned_to)
    for diagram in configuration.diagrams or ():
        for assigned in _assignments(msgspec.json.decode(diagram.diagram_details)):
            _note(named, assigned.get("assignedType"), assigned.get("assignedTo"))
    for automation in configuration.automations or ():
        for _, username in _run_as(msgspec.json.decode(automation.details)):
            _note(named, USER, username)
    named[GROUP] |= {row.group_id for row in (configuration.role_groups or [])}
    named[GROUP] |= {row.group_id for row in (configuration.shares or [])}
    groups = sorted(named[GROUP], key=lambda group_id: (group_names.get(group_id, ""), group_id))
    return Mapping(
        [MappedGroup(group_id, group_names.get(group_id)) for group_id in groups],
        [MappedUser(username) for username in sorted(named[USER])],
    )


def mapped(configuration: Configuration, mapping: Mapping) -> Configuration:
    """The configuration with those in it who are meant."""
    renamed = {
        USER: {each.username: each.new_username for each in mapping.users if each.new_username},
        GROUP: {each.group_id: each.new_group_id for each in mapping.groups if each.new_group_id},
    }
    if not any(renamed.values()):
        return configuration

    def one(kind: Any, name: Any) -> Any:
        return renamed.get(kind, {}).get(name, name) if isinstance(kind, str) and isinstance(name, str) else name

    changed = msgspec.structs.replace(configuration)
    changed.job_templates = _each(configuration.job_templates, lambda row: _template(row, one))
    changed.diagrams = _each(configuration.diagrams, lambda row: _diagram(row, one))
    changed.automations = _each(configuration.automations, lambda row: _automation(row, one))
    changed.role_groups = _each(configuration.role_groups, lambda row: _group_row(row, one))
    changed.shares = _each(configuration.shares, lambda row: _group_row(row, one))
    return changed


def _note(named: dict[str, set[str]], kind: Any, name: Any) -> None:
    if isinstance(name, str) and name and (kind == GROUP or (kind == USER and _PLAIN_USER.fullmatch(name))):
        named[kind].add(name)


def _each(rows: list[Any] | None, change: Callable[[Any], Any]) -> list[Any] | None:
    return None if rows is None else [change(row) for row in rows]


def _template(row: TemplateRow, one: Callable[[Any, Any], Any]) -> TemplateRow:
    return msgspec.structs.replace(row, default_assigned_to=one(row.default_assigned_type, row.default_assigned_to))


def _automation(row: AutomationRow, one: Callable[[Any, Any], Any]) -> AutomationRow:
    details = _read(row.details, f"jobTemplateAutomatedCreation.json ({row.automation_name}): details")
    for member, username in list(_run_as(details)):
        details[member] = one(USER, username)
    return msgspec.structs.replace(row, details=text_of(details))


def _run_as(details: Any) -> Iterator[tuple[str, Any]]:
    """The members of a webhook's details that name users, and whom they name."""
    for member in ("username", "fallbackUsername"):
        if isinstance(details, dict) and details.get(member):
            yield member, details[member]


def _group_row(row: Any, one: Callable[[Any, Any], Any]) -> Any:
    return msgspec.structs.replace(row, group_id=one(GROUP, row.group_id))


def _diagram(row: DiagramRow, one: Callable[[Any, Any], Any]) -> DiagramRow:
    details = _read(row.diagram_details, f"diagrams.json ({row.diagram_name}): diagram_details")
    for assigned in _assignments(details):
        assigned["assignedTo"] = one(assigned.get("assignedType"), assigned["assignedTo"])
    return msgspec.structs.replace(row, diagram_details=text_of(details))


def _read(text: str, place: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidValue(f"{place} is not JSON: {error}.", name="InvalidConfiguration") from error


def _assignments(value: Any) -> Iterator[dict[str, Any]]:
    """All objects within that give work to somebody by name."""
    if isinstance(value, dict):
        if value.get("assignedTo") and not value.get("isAssignedToCustomExpression"):
            yield value
        for member in value.values():
            yield from _assignments(member)
    elif isinstance(value, list):
        for member in value:
            yield from _assignments(member)
