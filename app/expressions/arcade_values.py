"""What an Arcade expression computes with: numbers, text, true and false, null, dates, arrays and dictionaries."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeGuard

from app.errors import InvalidValue

STEP_SUCCESS: Final = "stepSuccess"
STEP_ERROR: Final = "stepError"

MAX_TEXT_BYTES: Final = 64 * 1024
"""Longest text an expression may make or read, as UTF-8."""

MIN_INTEGER: Final = -(2**63)
MAX_INTEGER: Final = 2**63 - 1

BYTES_A_STEP: Final = 1024
"""Making text costs a step more for each of these: copying is what an expression without loops can waste."""

ITEMS_A_STEP: Final = 8

MAX_ITEMS: Final = 10_000
"""Most items of an array that a function may make."""


@dataclass(frozen=True, slots=True, eq=False)
class Dictionary:
    """Values by key. A key is found in any letter case if it is not there as written."""

    entries: Mapping[str, "Value"]

    def key(self, wanted: str) -> str | None:
        """The key as it is written in the dictionary; None when there is none."""
        if wanted in self.entries:
            return wanted
        folded = wanted.casefold()
        return next((key for key in self.entries if key.casefold() == folded), None)


Value = str | int | float | bool | datetime | tuple[Any, ...] | Dictionary | None
"""A datetime is aware, in UTC and of whole milliseconds; a tuple is an array of values. Nothing can be changed."""

Position = tuple[int, int]
"""Line and column, both from 1; a column counts characters."""


class ArcadeError(InvalidValue):
    """An expression that cannot be read or evaluated.

    Args:
        problem: what was wrong and what would be right, without the place.
        position: where, if it is known; the message then begins with it.
    """

    def __init__(self, problem: str, position: Position | None = None) -> None:
        place = f"Line {position[0]}, column {position[1]}: " if position else ""
        super().__init__(place + problem)
        self.problem = problem
        self.position = position


def is_number(value: Value) -> TypeGuard[int | float]:
    """Tell a number from all else; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind(value: Value) -> str:
    """The value's type in the words of the error messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, datetime):
        return "a date"
    if isinstance(value, tuple):
        return "an array"
    return "text" if isinstance(value, str) else "a dictionary"


def checked(value: Any, source: str, position: Position) -> Value:
    """Let a value from outside (a variable, a member of the job) into an expression.

    Raises:
        ArcadeError: a number that is not finite or beyond 64 bits; text with NUL, half a surrogate pair or too long;
            more than ``MAX_ITEMS`` items; anything else, such as bytes.
    """
    if value is None or isinstance(value, bool | Dictionary):
        return value
    if isinstance(value, str):
        return _checked_text(value, source, position)
    if isinstance(value, int | float):
        return checked_number(value, source, position)
    if isinstance(value, datetime):
        return value
    if isinstance(value, tuple):
        check_count(len(value), source, position)
        return tuple(checked(item, source, position) for item in value)
    raise ArcadeError(f"{source} is neither text, a number, true, false, a date, an array nor null", position)


def _checked_text(text: str, source: str, position: Position) -> str:
    if "\0" in text:
        raise ArcadeError(f"{source} contains a NUL character", position)
    try:
        return within_size(text, source, position)
    except UnicodeEncodeError:
        raise ArcadeError(f"{source} contains half a surrogate pair", position) from None


def check_count(items: int, source: str, position: Position) -> None:
    """Refuse an array that would be too long. Raises ArcadeError."""
    if items > MAX_ITEMS:
        raise ArcadeError(f"{source} has more than {MAX_ITEMS} items", position)


def weight(value: Value) -> int:
    """What reading or making a value costs beyond one step, by its size."""
    if isinstance(value, str):
        return len(value) // BYTES_A_STEP
    if isinstance(value, tuple):
        return len(value) // ITEMS_A_STEP
    return len(value.entries) // ITEMS_A_STEP if isinstance(value, Dictionary) else 0


def within_size(text: str, source: str, position: Position | None) -> str:
    """Return the text, or raise ArcadeError beyond ``MAX_TEXT_BYTES`` and UnicodeEncodeError for half a pair."""
    size = len(text) if text.isascii() else len(text.encode())
    if size > MAX_TEXT_BYTES:
        raise ArcadeError(f"{source} is longer than {MAX_TEXT_BYTES} bytes", position)
    return text


def checked_number(number: float, source: str, position: Position) -> int | float:
    """Return the number if it is finite, and within 64 bits when it is an integer; else raise ArcadeError."""
    fits = MIN_INTEGER <= number <= MAX_INTEGER if isinstance(number, int) else math.isfinite(number)
    if not fits:
        raise ArcadeError(f"{source} is a number out of range", position)
    return number


def text_of(value: Value, position: Position | None = None) -> str:
    """The value as it is written into text: null is empty, ``4.0`` is ``4``, a date is ISO 8601, an array is JSON.

    Raises ArcadeError when that is longer than text may be.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if is_number(value):
        return str(value) if isinstance(value, int) else _float_text(value)
    if isinstance(value, datetime):
        return iso_text(value)
    return _json_text(value, position)  # true and false are the same in JSON


EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def iso_text(moment: datetime) -> str:
    """``2025-11-17T08:00:00Z``, with ``.123`` only when it is not a whole second."""
    digits = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=digits) + "Z"


def moment_of(ms: float, position: Position | None = None) -> datetime:
    """The date so many milliseconds after 1970, rounded down. Raises ArcadeError outside the years 1 to 9999."""
    try:
        return EPOCH + timedelta(milliseconds=math.floor(ms))
    except OverflowError:
        raise ArcadeError("the date is outside the years 1 to 9999", position) from None


def ms_of(moment: datetime) -> int:
    """Milliseconds after 1970."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _json_text(value: Value, position: Position | None) -> str:
    """Stops as soon as the text is too long: an array may name one long text many times."""
    parts: list[str] = []
    size = 0
    for part in _json_parts(value):
        size += len(part)
        if size > MAX_TEXT_BYTES:
            raise ArcadeError(f"the text is longer than {MAX_TEXT_BYTES} bytes", position)
        parts.append(part)
    return within_size("".join(parts), "the text", position)


def _json_parts(value: Value) -> Iterator[str]:
    """The nesting of literals bounds the recursion."""
    if isinstance(value, tuple):
        yield "["
        for number, item in enumerate(value):
            yield "," if number else ""
            yield from _json_parts(item)
        yield "]"
    elif isinstance(value, Dictionary):
        yield "{"
        for number, (key, item) in enumerate(value.entries.items()):
            yield f"{',' if number else ''}{json.dumps(key, ensure_ascii=False)}:"
            yield from _json_parts(item)
        yield "}"
    elif isinstance(value, str | datetime):
        yield json.dumps(text_of(value), ensure_ascii=False)
    elif value is None:
        yield "null"
    else:
        yield text_of(value) if is_number(value) else str(value).lower()


def _float_text(number: float) -> str:
    """Shortest decimal form, with an exponent only below 1e-6 and from 1e21 on (ECMA-262, Number::toString)."""
    if number == 0:
        return "0"
    if 1e-6 <= abs(number) < 1e21:
        return format(Decimal(repr(number)), "f").removesuffix(".0")
    mantissa, _, exponent = repr(number).partition("e")
    return f"{mantissa}e{int(exponent):+d}"
