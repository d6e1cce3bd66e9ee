"""What can be changed of a job itself: each member under its names, and changes of members and properties as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from app.domain.job import Job
from app.domain.paths import with_properties
from app.domain.properties import NO_TABLES, PropertyValue, RelatedChanges, Tables
from app.domain.values import DataType, read_value
from app.errors import InvalidValue

LOWEST_PRIORITY: Final = "Low"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a job that can be changed.

    Args:
        wire: its name in the REST job.
        attribute: its name in ``Job``.
        search_name: its name in searches, and in the message ``JobUpdated``.
        privilege: what changing it by REST needs (rest.md 5.5).
    """

    wire: str
    attribute: str
    search_name: str
    privilege: str
    data_type: DataType = DataType.STRING


MEMBERS: Final[Mapping[str, Member]] = {
    member.wire: member
    for member in (
        Member("jobName", "name", "job_name", "jobUpdateName"),
        Member("startDate", "start_ms", "start_date", "jobUpdateDate", DataType.DATE_TIME),
        Member("dueDate", "due_ms", "due_date", "jobUpdateDate", DataType.DATE_TIME),
        Member("priority", "priority", "priority", "jobUpdatePriority"),
        Member("description", "description", "description", "jobUpdateDescription"),
        Member("ownedBy", "owned_by", "owned_by", "jobUpdateOwner"),
        Member("percentComplete", "percent_complete", "percent_complete", "jobUpdatePercentComplete", DataType.DOUBLE),
        Member("jobStatus", "status", "job_status", "jobUpdateStatus"),
        Member("notes", "notes", "notes", "jobUpdateNotes"),
        Member("parentJob", "parent_job", "parent_job", "jobUpdateParentJob"),
        Member("versions", "versions", "versions", "jobUpdateVersions"),
    )
}
"""By their names on the wire."""

MEMBER_OF: Final[Mapping[str, Member]] = {member.attribute: member for member in MEMBERS.values()}
"""By their names in ``Job``."""

STEP_MEMBERS: Final = {
    name: member for name, member in MEMBERS.items() if name not in {"ownedBy", "parentJob", "versions"}
}
"""Those that a step may set: the others need more than a value to be judged."""

_NEEDED: Final = frozenset({"name", "priority", "status", "owned_by", "percent_complete"})
"""A job is never without these."""

LONGEST: Final[Mapping[str, int]] = {"name": 255, "status": 100}
"""Characters that a member may have at most: what is searched and sorted by is in indexes, whose rows have an end."""


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A new value of a member, by its name in ``Job``."""

    attribute: str
    value: Any


@dataclass(frozen=True, slots=True)
class Changes:
    """What changes of a job at once: its members, its one-to-one properties, its related rows."""

    members: tuple[MemberChange, ...] = ()
    properties: tuple[PropertyValue, ...] = ()
    related: RelatedChanges = field(default_factory=RelatedChanges)

    def __bool__(self) -> bool:
        return bool(self.members or self.properties or self.related)

    @property
    def names(self) -> list[str]:
        """What is changed, as the wire calls it; a table of several rows by its name."""
        related = self.related
        tables = dict.fromkeys(row.table for row in (*related.adds, *related.updates, *related.deletes))
        members = [MEMBER_OF[change.attribute].wire for change in self.members]
        return [*members, *(each.identifier for each in self.properties), *tables]


@dataclass(frozen=True, slots=True)
class PropertyFacts:
    """What must be known to judge values that a step sets: the template's tables, the item's priorities, and (to show
    them) the values that the job's properties have."""

    tables: Tables = NO_TABLES
    priorities: tuple[str, ...] = ()
    values: tuple[PropertyValue, ...] = ()

    def read(self, given: Mapping[str, str | None]) -> Changes:
        """Check values that a step sets: ``table.property``, or a member of the job by its name on the wire.

        Raises:
            InvalidValue: ``details`` has every fault.
        """
        members, faults = [], []
        for identifier in (identifier for identifier in given if "." not in identifier):
            try:
                members.append(self._member(identifier, given[identifier]))
            except InvalidValue as error:
                faults.append(f"{identifier}: {error.message}")
        extended = {identifier: text for identifier, text in given.items() if "." in identifier}
        try:
            properties = self.tables.read(extended)
        except InvalidValue as error:
            properties = ()
            faults += error.details
        if faults:
            raise InvalidValue("; ".join(faults), details=faults)
        return Changes(tuple(members), properties)

    def _member(self, identifier: str, text: str | None) -> MemberChange:
        member = STEP_MEMBERS.get(identifier)
        if member is None:
            raise InvalidValue(f"use table.property, or one of {', '.join(STEP_MEMBERS)}")
        value = read_value(member.data_type, text)
        by_type = {DataType.DATE_TIME: value.integer, DataType.DOUBLE: value.number}
        change = MemberChange(member.attribute, by_type.get(member.data_type, value.text))
        check_member(change)
        if member.attribute == "priority" and change.value not in self.priorities:
            raise InvalidValue(f"{change.value!r} is not one of {', '.join(self.priorities)}")
        return change


def check_member(change: MemberChange) -> None:
    """Refuse a value that no job may have. Raises InvalidValue."""
    if change.attribute in _NEEDED and change.value in {None, ""}:
        raise InvalidValue("it must have a value")
    if change.attribute == "percent_complete" and not 0 <= change.value <= 100:
        raise InvalidValue("it must be 0 to 100")
    longest = LONGEST.get(change.attribute)
    if longest is not None and len(change.value) > longest:
        raise InvalidValue(f"it must have at most {longest} characters")


def differing(job: Job, changes: tuple[MemberChange, ...]) -> tuple[MemberChange, ...]:
    """Those changes that would change something."""
    return tuple(change for change in changes if getattr(job, change.attribute) != change.value)


def as_changed(job: Job, changes: Changes) -> Job:
    """The job after changes, its expressions included: they ask for extended properties as they will be."""
    changed = replace(job, **{change.attribute: change.value for change in changes.members})
    return with_properties(changed, changes.properties) if changes.properties else changed
