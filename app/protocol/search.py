"""Searches and statistics of jobs on the wire (rest.md 5.3, 5.4)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAX_PAGE = 10_000
"""Rows of one page."""


class SortField(msgspec.Struct, rename="camel"):
    """A field to sort by."""

    field: str
    sort_order: Literal["Asc", "Desc"] | None = None


class WhichJobs(msgspec.Struct, rename="camel"):
    """Which jobs are meant; ``q`` or ``search`` must be there.

    With both, ``q`` begins with the connective: ``"search": "edits", "q": "AND priority='High'"``. ``q`` that begins
    with a quote is an Arcade expression whose text is the condition. ``spatialExtent`` is extent JSON as text, or
    ``xmin,ymin,xmax,ymax`` and perhaps the ``wkid``; a job matches when the box around its place touches it.
    ``hasLocation`` true: only jobs with a place.
    """

    q: str | None = None
    search: str | None = None
    spatial_extent: str | None = None
    has_location: bool | None = None


class SearchBody(WhichJobs, rename="camel"):
    """A search. ``displayNames`` are kept with saved searches and have no effect here.

    ``returnAllRelatedProperties`` true: a job has a row in the result for each of its rows in the one-to-many tables
    that ``fields`` name. ``start`` and ``num`` count jobs then too.
    """

    fields: list[str] | None = None
    display_names: list[str] | None = None
    sort_fields: list[SortField] | None = None
    start: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    num: Annotated[int, Meta(ge=1, le=MAX_PAGE)] | None = None
    return_all_related_properties: bool | None = None


class StatisticsBody(WhichJobs, rename="camel"):
    """Which jobs to count, and the field by whose values to count them."""

    group_by: str | None = None


class FieldAnswer(msgspec.Struct, rename="camel"):
    """A column of the result; a name that was asked for is given back as it was written."""

    name: str
    field_type: Literal["String", "Integer", "DateTime", "Boolean", "Double"]


class SearchAnswer(msgspec.Struct, rename="camel"):
    """A page of jobs: one row for each job (or related row), its values in the order of ``fields``.

    ``q`` is the condition with storage names. ``num`` is the number of rows, ``nextStart`` where the next page begins,
    -1 after the last one. Dates are ISO 8601; values of several current steps stand in one text with commas.
    """

    q: str
    fields: list[FieldAnswer]
    results: list[list[str | int | float | bool | None]]
    start: int
    next_start: int
    num: int


class GroupAnswer(msgspec.Struct):
    """How many jobs have a value; null: have none."""

    value: str | None
    count: int


class StatisticsAnswer(msgspec.Struct, rename="camel", omit_defaults=True):
    """How many jobs match, and how many of them have each value of the field, the most frequent first."""

    total: int
    group_by: str | None = None
    grouped_values: list[GroupAnswer] | None = None
