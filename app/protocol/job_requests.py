"""Bodies that create, assign, manage and comment jobs, as they come in (rest.md 5.1, 5.7, 5.8, 5.10).

Members that are not known are ignored, and ``null`` means absent.
"""

import json
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from app.domain.commands import MAX_COMMENT_CHARS, ManageType
from app.domain.geometry import read_location
from app.domain.job import AssignedType, Assignment, Location
from app.errors import InvalidValue
from app.protocol.text import parse_time

MAX_JOBS_AT_ONCE: Final = 1_000
_LAST_MOMENT_MS: Final = 253_402_300_799_999

Moment = str | int
"""ISO 8601 text, or (ours) milliseconds since 1970."""


class Request(msgspec.Struct, rename="camel", kw_only=True):
    """A body that comes in."""


class LocationBody(Request):
    """A place; ``geometry`` is JSON text inside JSON, or (ours) the geometry itself. Empty, it is no place."""

    geometry_type: str | None = None
    geometry: str | dict[str, Any] | None = None


class SetLocationBody(Request):
    """``PUT jobs/{jobId}/location`` (rest.md 5.11)."""

    location: LocationBody


Value = str | int | float | bool
"""The value of an extended property. It travels as text; a number, true or false is taken as its text."""


class PropertyBody(Request):
    """An extended property; ``identifier`` is ``table.property``."""

    identifier: str
    value: Value | None = None


class RowPropertyBody(Request):
    """One property of a row of a one-to-many table."""

    property_name: str
    value: Value | None = None


class RowBody(Request):
    """A new row of a one-to-many table."""

    properties: list[RowPropertyBody]


class RowsBody(Request):
    """New rows of one table."""

    table_name: str
    entries: list[RowBody]


class JobMembersBody(Request):
    """The members of a job that its creator and those who update it may name."""

    job_name: str | None = None
    start_date: Moment | None = None
    due_date: Moment | None = None
    priority: str | None = None
    description: str | None = None
    owned_by: str | None = None
    percent_complete: Annotated[float, Meta(ge=0, le=100)] | None = None
    job_status: str | None = None
    notes: str | None = None
    parent_job: str | None = None
    extended_properties: list[PropertyBody] | None = None


class CreateJobsBody(JobMembersBody):
    """``POST jobTemplates/{id}/job``; every member is optional and overrides the template's default (rest.md 5.1)."""

    number_of_jobs: Annotated[int, Meta(ge=1, le=MAX_JOBS_AT_ONCE)] | None = None
    job_id: str | None = None
    assigned_type: AssignedType | None = None
    assigned_to: str | None = None
    location: LocationBody | None = None
    related_properties: list[RowsBody] | None = None


class AssignBody(Request):
    """``POST jobs/{jobId}/{stepId}``; without ``assignedType`` the step is unassigned (rest.md 5.8)."""

    assigned_type: AssignedType | None = None
    assigned_to: str | None = None


class ManageBody(Request):
    """``POST jobs/manage``; both members are required (rest.md 5.7)."""

    type: ManageType
    job_ids: Annotated[list[str], Meta(min_length=1, max_length=MAX_JOBS_AT_ONCE)]


class CommentBody(Request):
    """``POST jobs/{jobId}/comments`` (rest.md 5.10)."""

    comment: Annotated[str, Meta(min_length=1, max_length=MAX_COMMENT_CHARS)]


def read_moment(value: Moment | None, name: str) -> int | None:
    """Read a moment into ms since 1970. Raises InvalidValue naming the member."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return parse_time(value)
        except InvalidValue as error:
            raise InvalidValue(f"{name}: {error.message}", details=[name]) from error
    if not -_LAST_MOMENT_MS <= value <= _LAST_MOMENT_MS:
        raise InvalidValue(f"{name}: {value} is not a moment in milliseconds since 1970.", details=[name])
    return value


def read_value(value: Value | None) -> str | None:
    """A value as text; a number, true or false in its JSON spelling."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()


def read_properties(given: list[PropertyBody] | None) -> dict[str, str | None]:
    """Values of one-to-one tables, by ``table.property``."""
    return {each.identifier: read_value(each.value) for each in given or ()}


def read_values(given: list[RowPropertyBody]) -> dict[str, str | None]:
    """The values of a row, by property name."""
    return {each.property_name: read_value(each.value) for each in given}


def read_rows(bodies: list[RowsBody] | None) -> tuple[tuple[str, dict[str, str | None]], ...]:
    """New rows, each with its table."""
    return tuple((body.table_name, read_values(row.properties)) for body in bodies or () for row in body.entries)


def read_assignment(assigned_type: AssignedType | None, assigned_to: str | None) -> Assignment:
    """Read an assignment; ``assignedTo`` of an unassigned step is ignored. Raises InvalidValue when it is missing."""
    kind = assigned_type or AssignedType.UNASSIGNED
    if kind is AssignedType.UNASSIGNED:
        return Assignment()
    if not assigned_to:
        raise InvalidValue(f"assignedTo is missing: assignedType {kind.value} needs the {kind.value.lower()}'s name.")
    return Assignment(kind, assigned_to)


def read_place(body: LocationBody | None) -> Location | None:
    """Read a place into Web Mercator; None for an empty one: no geometry, or one without members. Raises InvalidValue.

    A ``Point`` is kept as a ``Multipoint`` of one; without ``geometryType`` the geometry says what it is.
    """
    geometry = body.geometry if body else None
    text = geometry.strip() if isinstance(geometry, str) else json.dumps(geometry or {})
    if body is None or text in {"", "{}"}:
        return None
    location = read_location(text)
    if body.geometry_type not in {location.geometry_type, None} and not _is_point(body.geometry_type, location):
        raise InvalidValue(
            f"location.geometryType {body.geometry_type!r} does not fit its geometry, a {location.geometry_type}."
        )
    return location


def _is_point(geometry_type: str | None, location: Location) -> bool:
    return geometry_type == "Point" and len(json.loads(location.geometry).get("points", ())) == 1
