"""Lookups (rest.md 8.1): named lists of values, such as the priorities of an item."""

from collections import Counter

from app.errors import InvalidValue, NotFound, RuleViolation
from app.protocol.item_setup import LookupsBody, WireLookup
from app.services.designing import require_designer
from app.services.engine import Unit

SYSTEM_TYPES = frozenset({"status", "priority", "percentComplete"})
"""Types that the server or its clients count on: they can be replaced, and not deleted."""

_MAX_TYPE_CHARS = 255


def read(unit: Unit, lookup_type: str) -> list[WireLookup]:
    """The values of a type. Raises NotFound."""
    found = unit.tx.lookups(unit.item, lookup_type)
    if not found:
        raise NotFound(f"There is no lookup type {lookup_type!r}.", name="LookupNotFound")
    return [WireLookup(name, value) for name, value in found]


def replace(unit: Unit, lookup_type: str, body: LookupsBody) -> None:
    """Give a type these values and no others; a new type is made. Raises PermissionDenied, InvalidValue."""
    require_designer(unit)
    if len(lookup_type) > _MAX_TYPE_CHARS:
        raise InvalidValue(f"The name of a lookup type has at most {_MAX_TYPE_CHARS} characters.")
    names = Counter(each.lookup_name for each in body.lookups)
    if faults := [f"the name {name!r} comes twice" for name, count in names.items() if count > 1]:
        raise InvalidValue(f"LookupTable was invalid: {'; '.join(faults)}.", details=faults)
    unit.tx.lock_item(unit.item)  # of two at once, one replaces the other's; unlocked, their values could meet
    unit.tx.put_lookups(unit.item, lookup_type, [(each.lookup_name, each.value) for each in body.lookups])


def delete(unit: Unit, lookup_type: str) -> None:
    """Delete a type. Raises PermissionDenied, RuleViolation for a type of the system, NotFound."""
    require_designer(unit)
    if lookup_type in SYSTEM_TYPES:
        raise RuleViolation(f"The lookup type {lookup_type!r} belongs to the system: give it other values instead.")
    unit.tx.lock_item(unit.item)
    read(unit, lookup_type)
    unit.tx.put_lookups(unit.item, lookup_type, [])
