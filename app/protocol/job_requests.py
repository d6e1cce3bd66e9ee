"""Bodies that create, assign, manage and comment jobs, as they come in (rest.md 5.1, 5.7, 5.8, 5.10).

Members that are not known are ignored, and ``null`` means absent.
"""

from typing import Annotated, Final

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
    """A place; ``geometry`` is JSON text inside JSON."""

    geometry_type: str | None = None
    geometry: str | None = None


class PropertyBody(Request):
    """An extended property; ``identifier`` is ``table.property``."""

    identifier: str
    value: str | None = None


class CreateJobsBody(Request):
    """``POST jobTemplates/{id}/job``; every member is optional and overrides the template's default (rest.md 5.1)."""

    number_of_jobs: Annotated[int, Meta(ge=1, le=MAX_JOBS_AT_ONCE)] | None = None
    job_id: str | None = None
    job_name: str | None = None
    start_date: Moment | None = None
    due_date: Moment | None = None
    priority: str | None = None
    description: str | None = None
    owned_by: str | None = None
    assigned_type: AssignedType | None = None
    assigned_to: str | None = None
    percent_complete: Annotated[float, Meta(ge=0, le=100)] | None = None
    job_status: str | None = None
    notes: str | None = None
    parent_job: str | None = None
    location: LocationBody | None = None
    extended_properties: list[PropertyBody] | None = None
    related_properties: list[msgspec.Raw] | None = None


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


def read_assignment(assigned_type: AssignedType | None, assigned_to: str | None) -> Assignment:
    """Read an assignment; ``assignedTo`` of an unassigned step is ignored. Raises InvalidValue when it is missing."""
    kind = assigned_type or AssignedType.UNASSIGNED
    if kind is AssignedType.UNASSIGNED:
        return Assignment()
    if not assigned_to:
        raise InvalidValue(f"assignedTo is missing: assignedType {kind.value} needs the {kind.value.lower()}'s name.")
    return Assignment(kind, assigned_to)


def read_place(body: LocationBody | None) -> Location | None:
    """Read a place into Web Mercator; None for an empty one. Raises InvalidValue."""
    if body is None or not body.geometry:
        return None
    location = read_location(body.geometry)
    if body.geometry_type not in {location.geometry_type, None}:
        raise InvalidValue(
            f"location.geometryType {body.geometry_type!r} does not fit its geometry, a {location.geometry_type}."
        )
    return location
