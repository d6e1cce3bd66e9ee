"""Typed values: text that is checked, brought into one form ("4", not "04"), and kept beside what it compares by.

    String            the text itself
    Integer, Boolean  ``integer``: the number; 0 or 1
    Double            ``number``
    DateTime          ``integer``: milliseconds since 1970, UTC
    TimestampOffset   likewise; its text keeps the offset
    DateOnly          likewise, of its midnight in UTC
    TimeOnly          ``integer``: milliseconds since midnight

The tables ``ext_property`` and ``related_value`` have a column for each, so that a search compares numbers and moments.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from app.errors import InvalidValue

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INT64: Final = range(-(2**63), 2**63)


class DataType(StrEnum):
    """What kind of value a property has."""

    STRING = "String"
    INTEGER = "Integer"
    DOUBLE = "Double"
    BOOLEAN = "Boolean"
    DATE_TIME = "DateTime"
    DATE_ONLY = "DateOnly"
    TIME_ONLY = "TimeOnly"
    TIMESTAMP_OFFSET = "TimestampOffset"


@dataclass(frozen=True, slots=True)
class Value:
    """One value in its form to be kept: the text, and what it compares by; a String compares by its text."""

    text: str | None = None
    integer: int | None = None
    number: float | None = None

    @property
    def order(self) -> int | float | str:
        """What two values of one property compare by."""
        if self.integer is not None:
            return self.integer
        return self.number if self.number is not None else self.text or ""


NO_VALUE: Final = Value()


def read_value(data_type: DataType, text: str | None) -> Value:
    """Read a value of a type. No text, and empty text where that is no value, is none. Raises InvalidValue."""
    is_text = data_type is DataType.STRING
    if text is None or (not is_text and not text.strip()):
        return NO_VALUE
    try:
        return _READERS[data_type](text if is_text else text.strip())
    except (ValueError, OverflowError):
        raise InvalidValue(f"{text[:80]!r} is not {_EXAMPLES[data_type]}") from None


def compare(left: Value, right: Value) -> int:
    """Tell how two values of one type stand to each other: -1, 0 or 1."""
    first, second = left.order, right.order
    if isinstance(first, str) or isinstance(second, str):
        return (str(first) > str(second)) - (str(first) < str(second))
    return (first > second) - (first < second)


def _whole(text: str) -> Value:
    if not _WHOLE.fullmatch(text) or int(text) not in _INT64:
        raise ValueError(text)
    return Value(str(int(text)), integer=int(text))


def _decimal(text: str) -> Value:
    number = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise ValueError(text)
    return Value(text.removeprefix("+"), number=number + 0.0)


def _boolean(text: str) -> Value:
    truth = {"true": 1, "1": 1, "false": 0, "0": 0}.get(text.lower())
    if truth is None:
        raise ValueError(text)
    return Value("true" if truth else "false", integer=truth)


def _instant(text: str) -> Value:
    if _WHOLE.fullmatch(text):
        moment = _EPOCH + int(text) * _MILLISECOND
    else:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    ms = (moment - _EPOCH) // _MILLISECOND
    shown = moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds")
    return Value(shown.removesuffix("+00:00") + "Z", integer=ms)


def _day(text: str) -> Value:
    day = date.fromisoformat(text)
    return Value(day.isoformat(), integer=(datetime.combine(day, time(), UTC) - _EPOCH) // _MILLISECOND)


def _time_of_day(text: str) -> Value:
    moment = time.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError(text)
    ms = ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 1000 + moment.microsecond // 1000
    return Value(moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds"), integer=ms)


def _with_offset(text: str) -> Value:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    ms = (moment - _EPOCH) // _MILLISECOND
    shown = moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds")
    return Value(shown.replace("+00:00", "Z"), integer=ms)


_READERS: Final[Mapping[DataType, Callable[[str], Value]]] = {
    DataType.STRING: Value,
    DataType.INTEGER: _whole,
    DataType.DOUBLE: _decimal,
    DataType.BOOLEAN: _boolean,
    DataType.DATE_TIME: _instant,
    DataType.DATE_ONLY: _day,
    DataType.TIME_ONLY: _time_of_day,
    DataType.TIMESTAMP_OFFSET: _with_offset,
}

_EXAMPLES: Final[Mapping[DataType, str]] = {
    DataType.STRING: "text",
    DataType.INTEGER: "a whole number of 64 bits, such as 12",
    DataType.DOUBLE: "a number, such as 12.5",
    DataType.BOOLEAN: "true or false",
    DataType.DATE_TIME: "a moment, such as 2025-11-17T08:00:00Z",
    DataType.DATE_ONLY: "a day, such as 2025-11-17",
    DataType.TIME_ONLY: "a time of day, such as 08:00:00",
    DataType.TIMESTAMP_OFFSET: "a moment with its offset, such as 2025-11-17T08:00:00+01:00",
}
