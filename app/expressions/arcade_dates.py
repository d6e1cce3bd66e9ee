"""Arcade functions of dates. All dates are in UTC; months count from 0 and weekdays from Sunday (0), as in Arcade."""

import calendar
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from app.expressions.arcade_functions import Functions, Given
from app.expressions.arcade_values import Value, checked_number, is_number, moment_of, ms_of

FUNCTIONS: Final = Functions()

_SECONDS_BELOW: Final = 10**11
"""Numbers below are seconds (1970 to 5138), others milliseconds (from 1973 on): job functions give seconds."""

_UNITS_MS: Final = {
    "milliseconds": 1,
    "seconds": 1_000,
    "minutes": 60_000,
    "hours": 3_600_000,
    "days": 86_400_000,
    "weeks": 604_800_000,
}
_MONTHS_OF_UNIT: Final = {"months": 1, "years": 12}


def _week(moment: datetime) -> int:
    first = moment.replace(month=1, day=1).isoweekday() % 7
    return (moment.timetuple().tm_yday - 1 + first) // 7


_PARTS: Final[Mapping[str, tuple[str, Callable[[datetime], int]]]] = {
    "Year": ("The year", lambda at: at.year),
    "Month": ("The month, 0 is January", lambda at: at.month - 1),
    "ISOMonth": ("The month, 1 is January", lambda at: at.month),
    "Day": ("The day of the month", lambda at: at.day),
    "Hour": ("The hour, 0 to 23", lambda at: at.hour),
    "Minute": ("The minute", lambda at: at.minute),
    "Second": ("The second", lambda at: at.second),
    "Millisecond": ("The millisecond", lambda at: at.microsecond // 1000),
    "Weekday": ("The weekday, 0 is Sunday", lambda at: at.isoweekday() % 7),
    "ISOWeekday": ("The weekday, 1 is Monday", lambda at: at.isoweekday()),
    "Week": ("The week of the year, 0 is the one with January 1; weeks begin on Sunday", _week),
    "ISOWeek": ("The ISO week", lambda at: at.isocalendar().week),
    "ISOYear": ("The year the ISO week belongs to", lambda at: at.isocalendar().year),
}


@FUNCTIONS.add("Now", means="The present moment, in UTC")
def _now(given: Given) -> Value:
    return moment_of(given.scope.facts.now_ms(), given.position)


@FUNCTIONS.add("Timestamp", means="The present moment, in UTC")
def _timestamp(given: Given) -> Value:
    return _now(given)


@FUNCTIONS.add("Today", means="The beginning of the present day, in UTC")
def _today(given: Given) -> Value:
    return moment_of(given.scope.facts.now_ms(), given.position).replace(hour=0, minute=0, second=0, microsecond=0)


@FUNCTIONS.add(
    "Date",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "millisecond",
    means="A date from its parts, from ISO text, or from seconds or (from 100,000,000,000 on) milliseconds since 1970",
    optional=7,
)
def _date(given: Given) -> Value:
    if len(given) == 0:
        return _now(given)
    if len(given) == 1:
        return _converted(given, given[0])
    if len(given) == 2:
        given.fail("Date takes a year, a month and a day at least, or one value")
    return _assembled(given)


def _converted(given: Given, value: Value) -> Value:
    if value is None or value == "" or isinstance(value, datetime):
        return value or None
    if is_number(value):
        return moment_of(value * 1000 if abs(value) < _SECONDS_BELOW else value, given.position)
    text = given.text(0).strip()
    digits = text.removeprefix("-")
    if digits.isdecimal() and len(digits) in range(9, 17):  # a job function's seconds, as text
        return _converted(given, int(text))
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        given.fail(f"{text[:40]!r} is not a date; write it like 2025-11-17T08:00:00Z")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _assembled(given: Given) -> Value:
    parts = [given.whole(index) for index in range(len(given))]
    parts += [0] * (7 - len(parts))
    if not 0 <= parts[1] <= 11:
        given.fail(f"Date takes months 0 (January) to 11; got {parts[1]}")
    try:
        year, month, day, hour, minute, second, millisecond = parts
        return datetime(year, month + 1, day, hour, minute, second, millisecond * 1000, UTC)
    except (ValueError, OverflowError) as error:
        given.fail(f"there is no such date: {error}")


@FUNCTIONS.add(
    "DateAdd", "date", "count", "units", means="The date so many units (`days` if none are named) later", optional=1
)
def _date_add(given: Given) -> Value:
    date, count, units = given.date(0), given.number(1), _units(given, 2, "days")
    try:
        if units in _MONTHS_OF_UNIT:
            return _months_later(date, given.whole(1) * _MONTHS_OF_UNIT[units])
        later = date + timedelta(milliseconds=count * _UNITS_MS[units])
        return later.replace(microsecond=later.microsecond // 1000 * 1000)
    except (ValueError, OverflowError):
        given.fail("the date is outside the years 1 to 9999")


def _months_later(date: datetime, months: int) -> datetime:
    """The same day of another month, or its last one. Raises ValueError or OverflowError outside the years."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise ValueError(year)
    return date.replace(year=year, month=month + 1, day=min(date.day, calendar.monthrange(year, month + 1)[1]))


@FUNCTIONS.add(
    "DateDiff",
    "date",
    "earlier",
    "units",
    means="How much later the first date is, in units (`milliseconds` if none)",
    optional=1,
)
def _date_diff(given: Given) -> Value:
    later, earlier, units = given.date(0), given.date(1), _units(given, 2, "milliseconds")
    if units in _MONTHS_OF_UNIT:
        return _months_between(later, earlier) / _MONTHS_OF_UNIT[units]
    difference = ms_of(later) - ms_of(earlier)
    return (
        difference if units == "milliseconds" else checked_number(difference / _UNITS_MS[units], "it", given.position)
    )


def _months_between(later: datetime, earlier: datetime) -> float:
    """Whole months, and the rest as a part of a month of 31 days."""
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    return months + ((later.day - earlier.day) + (later.hour - earlier.hour) / 24) / 31


def _units(given: Given, index: int, default: str) -> str:
    """Arcade takes ``day`` and ``days``, in any letter case."""
    word = given.text(index, default).strip().lower()
    found = word if word.endswith("s") else f"{word}s"
    if found not in _UNITS_MS and found not in _MONTHS_OF_UNIT:
        known = ", ".join([*_UNITS_MS, *_MONTHS_OF_UNIT])
        given.fail(f"there is no unit {word[:40]!r}; known: {known}")
    return found


@FUNCTIONS.add("ToUTC", "date", means="The date itself: all dates are in UTC")
def _to_utc(given: Given) -> Value:
    return given.date(0)


def _add_part(name: str, meaning: str, part: Callable[[datetime], int]) -> None:
    FUNCTIONS.add(name, "date", means=meaning)(lambda given: part(given.date(0)))


for _name, (_meaning, _part) in _PARTS.items():
    _add_part(_name, _meaning, _part)
