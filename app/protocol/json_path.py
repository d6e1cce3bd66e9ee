"""Paths into JSON: ``$``, member names and numbers of an array's elements. ``$.sites[0].name``; ``$['a b'].c``.

A path selects one value. There are no wildcards and no filters: whoever needs more has Arcade.
"""

import re
from typing import Any, Final

from app.errors import InvalidValue

MAX_LENGTH: Final = 500

Keys = tuple[str | int, ...]

_PART: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[(-?\d{1,6})\]|\['([^']+)'\]")


def read_path(text: str) -> Keys:
    """The keys that lead to the value, from the whole document on. Raises InvalidValue."""
    place, keys = 1, list[str | int]()
    while text.startswith("$") and len(text) <= MAX_LENGTH and place < len(text):
        part = _PART.match(text, place)
        if part is None:
            break
        keys.append(int(part[2]) if part[2] else part[1] or part[3])
        place = part.end()
    if place != len(text) or not text.startswith("$"):
        raise InvalidValue(f"{text[:MAX_LENGTH]!r} is not a path into JSON, such as $.sites[0].name")
    return tuple(keys)


def value_at(document: Any, keys: Keys) -> Any:
    """The selected value; a negative number counts from an array's end. Raises LookupError: there is none."""
    found: Any = document
    for key in keys:
        fits = isinstance(found, list) if isinstance(key, int) else isinstance(found, dict)
        found = found[key] if fits else _nothing(key)
    return found


def _nothing(key: str | int) -> Any:
    raise LookupError(key)
