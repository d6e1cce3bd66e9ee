"""Extended properties: what a template's tables define, and whether a value is one of a property.

Source: rest.md 14.2. Choices where it is silent: docs/compatibility.md, "Extended properties".
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from app.domain.values import NO_VALUE, DataType, Value, compare, read_value
from app.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class PropertyValue:
    """The value of a property, in a job or in a row of a table of several rows."""

    table: str
    name: str
    value: Value = NO_VALUE

    @property
    def identifier(self) -> str:
        return f"{self.table}.{self.name}"


@dataclass(frozen=True, slots=True)
class RelatedRow:
    """A row of a table of several rows. In a change, ``values`` are those that are set."""

    row_id: str
    table: str
    values: tuple[PropertyValue, ...]
    created_ms: int


@dataclass(frozen=True, slots=True)
class RelatedChanges:
    """What happens to a job's related rows; ``deletes`` are whole rows as they were."""

    adds: tuple[RelatedRow, ...] = ()
    updates: tuple[RelatedRow, ...] = ()
    deletes: tuple[RelatedRow, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.adds or self.updates or self.deletes)


@dataclass(frozen=True, slots=True)
class Domain:
    """Which values a property may have: ``codes`` (with the names they are shown by), or from ``low`` to ``high``."""

    codes: Mapping[str, str] | None = None
    low: str | None = None
    high: str | None = None

    @property
    def kind(self) -> str:
        """The wire's word for it."""
        return "range" if self.codes is None else "codedValue"


@dataclass(frozen=True, slots=True)
class Property:
    """One extended property. ``length`` bounds a String, in characters."""

    name: str
    data_type: DataType = DataType.STRING
    alias: str | None = None
    default: str | None = None
    length: int | None = None
    required: bool = False
    editable: bool = True
    domain: Domain | None = None

    def read(self, text: str | None) -> Value:
        """Check a value and bring it into its form. No text, and empty text where that is no value, is none.

        Raises:
            InvalidValue: of another type, missing, too long, or outside the domain; says what would be right.
        """
        value = self.typed(text)
        if not value.text and self.required:
            raise InvalidValue("it is required, and must be given")
        if value.text is None:
            return value
        if self.length is not None and self.data_type is DataType.STRING and len(value.text) > self.length:
            raise InvalidValue(f"the text has {len(value.text)} characters; at most {self.length} are allowed")
        if self.domain is not None:
            self._check_domain(self.domain, value)
        return value

    def typed(self, text: str | None) -> Value:
        """The value by its type alone. Raises InvalidValue."""
        return read_value(self.data_type, text)

    def _check_domain(self, domain: Domain, value: Value) -> None:
        if domain.codes is not None:
            if value.order not in [self.typed(code).order for code in domain.codes]:
                listed = ", ".join(f"{code} ({name})" for code, name in domain.codes.items())
                raise InvalidValue(f"{value.text!r} is not one of {listed}")
            return
        for bound, sign in ((domain.low, 1), (domain.high, -1)):
            if bound is not None and compare(value, self.typed(bound)) * sign < 0:
                raise InvalidValue(f"{value.text} is not between {domain.low} and {domain.high}")

    def faults(self) -> Iterator[str]:
        """What is wrong with the definition itself: its domain and its default must be values of its type."""
        domain = self.domain
        try:
            for code in domain.codes or () if domain else ():
                self.typed(code)
            if domain is not None and domain.codes is None:
                low, high = self.typed(domain.low), self.typed(domain.high)
                if low.text is not None and high.text is not None and compare(low, high) > 0:
                    yield f"domain.range: {domain.low} is above {domain.high}"
        except InvalidValue as error:
            yield f"domain: {error.message}"
            return
        try:
            if self.default:
                self.read(self.default)
        except InvalidValue as error:
            yield f"defaultValue: {error.message}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of extended properties, one row for each job or (``is_many``) several. Properties in their order."""

    name: str
    properties: Mapping[str, Property]
    is_many: bool = False

    def read(self, given: Mapping[str, str | None]) -> tuple[PropertyValue, ...]:
        """Check values by property name. Raises InvalidValue; ``details`` has every fault."""
        values, faults = [], []
        for name, text in given.items():
            try:
                values.append(PropertyValue(self.name, name, self._property(name).read(text)))
            except InvalidValue as error:
                faults.append(f"{self.name}.{name}: {error.message}")
        if faults:
            raise InvalidValue("; ".join(faults), details=faults)
        return tuple(values)

    def _property(self, name: str) -> Property:
        found = self.properties.get(name)
        if found is None:
            known = ", ".join(self.properties) or "none"
            raise InvalidValue(f"the table has no such property; it has: {known}")
        return found

    def new_row(self, given: Mapping[str, str | None]) -> tuple[PropertyValue, ...]:
        """The values of a new row: what is given, else the defaults. Raises InvalidValue, also for what is missing."""
        return self.read(self.defaults() | dict(given))

    def defaults(self) -> dict[str, str | None]:
        return {name: each.default for name, each in self.properties.items()}


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables a template defines, by name, in their order."""

    by_name: Mapping[str, Table] = field(default_factory=lambda: MappingProxyType({}))

    def find(self, identifier: str) -> Property | None:
        """The property that ``table.property`` names, in a table of one row."""
        table, _, name = identifier.partition(".")
        found = self.by_name.get(table)
        return found.properties.get(name) if found and not found.is_many else None

    def read(self, given: Mapping[str, str | None]) -> tuple[PropertyValue, ...]:
        """Check values of one-to-one tables by identifier. Raises InvalidValue; ``details`` has every fault."""
        values, faults = [], []
        for identifier, text in given.items():
            table, _, name = identifier.partition(".")
            try:
                values.append(PropertyValue(table, name, self._one(identifier).read(text)))
            except InvalidValue as error:
                faults.append(f"{identifier}: {error.message}")
        if faults:
            raise InvalidValue("; ".join(faults), details=faults)
        return tuple(values)

    def _one(self, identifier: str) -> Property:
        found = self.find(identifier)
        if found is not None:
            return found
        known = ", ".join(f"{table.name}.{name}" for table in self.single() for name in table.properties) or "none"
        raise InvalidValue(f"the job's template has no property of this name with one value; it has: {known}")

    def new_job(self, given: Mapping[str, str | None]) -> tuple[PropertyValue, ...]:
        """The values of a new job: what is given, else the defaults. Raises InvalidValue, also for what is missing."""
        defaults = {f"{table.name}.{name}": text for table in self.single() for name, text in table.defaults().items()}
        return self.read(defaults | dict(given))

    def single(self) -> list[Table]:
        """The tables of one row."""
        return [table for table in self.by_name.values() if not table.is_many]

    def many(self, name: str) -> Table:
        """A table of several rows. Raises InvalidValue when there is none of that name."""
        found = self.by_name.get(name)
        if found is not None and found.is_many:
            return found
        known = ", ".join(table.name for table in self.by_name.values() if table.is_many) or "none"
        raise InvalidValue(f"the job's template has no table {name!r} of several rows; it has: {known}")


NO_TABLES: Final = Tables()


@contextmanager
def faults_of(member: str) -> Iterator[None]:
    """Say in which member of a body a value is that was refused. Raises InvalidValue."""
    try:
        yield
    except InvalidValue as error:
        raise InvalidValue(f"{member}: {error.message}.", details=error.details or [error.message]) from error
