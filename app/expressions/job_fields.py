"""The fields of jobs that can be searched, sorted and shown: their names and kinds (rest.md 5.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What values of a field are; the wire's ``fieldType``. Moments are ms since 1970; a flag is true or false."""

    TEXT = "String"
    INTEGER = "Integer"
    NUMBER = "Double"
    MOMENT = "DateTime"
    FLAG = "Boolean"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a job, of each of its current steps (``of_step``), or an extended property (``property``).

    ``storage`` is the name in translated conditions. A property's kind is ``TEXT``: its values travel as text.
    """

    name: str
    kind: Kind
    storage: str
    of_step: bool = False
    property: tuple[str, str] | None = None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda letter: f"_{letter[1].lower()}", name)


_STORAGE: Final = {"diagramId": "diagram"}
"""Storage names that are not the snake_case of the field's name."""


def _fields(kind: Kind, names: str, *, of_step: bool = False) -> dict[str, Field]:
    return {name: Field(name, kind, _STORAGE.get(name, _snake(name)), of_step) for name in names.split()}


FIELDS: Final[Mapping[str, Field]] = {
    **_fields(Kind.TEXT, "jobId jobName jobStatus jobTemplateId jobTemplateName diagramId diagramName priority"),
    **_fields(Kind.TEXT, "description notes ownedBy createdBy closedBy parentJob parentName activeVersions"),
    **_fields(Kind.TEXT, "currentStep currentStepId assignedType assignedTo", of_step=True),
    **_fields(Kind.INTEGER, "diagramVersion"),
    **_fields(Kind.NUMBER, "percentComplete"),
    **_fields(Kind.MOMENT, "createdDate startDate startedDate dueDate endDate"),
    **_fields(Kind.FLAG, "closed hasLocation"),
}
"""By their camelCase names. ``activeVersions`` is always null: versions are not searched."""

SEARCHED: Final = (
    "jobId jobName description parentName notes ownedBy createdBy priority jobStatus diagramId jobTemplateId "
    "jobTemplateName currentStepId currentStep assignedType assignedTo"
).split()
"""Where the words of a free-text search are looked for."""

_BY_ANY_NAME: Final = {
    name.lower(): field for field in FIELDS.values() for name in (field.name, field.storage, _snake(field.name))
}


def find_field(name: str) -> Field | None:
    """The field of this name, camelCase or snake_case, in any letter case; ``table.property`` is an extended property.

    None for a name that is neither.
    """
    table, dot, prop = name.partition(".")
    if dot:
        return Field(name, Kind.TEXT, name, property=(table, prop)) if table and prop else None
    return _BY_ANY_NAME.get(name.lower())


def known_fields() -> str:
    """The names for an error message."""
    return ", ".join(FIELDS)
