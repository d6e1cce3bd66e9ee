"""Schedules: when an automation makes its next job. Pure: times are passed in and out, as milliseconds in UTC.

Source: rest.md 7.1. Choices where it is silent: docs/automations.md.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000
_EPOCH: Final = date(1970, 1, 1).toordinal()
_THURSDAY: Final = 5
"""The day of the week of 1970-01-01, Sunday being 1."""

Day = int
"""Days since 1970-01-01."""


class TimeType(StrEnum):
    """How a schedule repeats: each day, each so many days, or on a day of the week, the month, or the year."""

    HOUR_OF_DAY = "HourOfDay"
    NUMBER_OF_DAYS = "NumberOfDays"
    DAY_OF_WEEK = "DayOfWeek"
    DAY_OF_MONTH = "DayOfMonth"
    MONTH_OF_YEAR = "MonthOfYear"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The moments at which jobs are due; one a day at most, at ``hour``:``minutes``.

    ``day_of_week`` is 1 (Sunday) to 7. A month that has no ``day_of_month`` has its last day instead; for
    ``NumberOfDays`` it is the number of days. ``max_occurrences`` bounds how many jobs are made, and no moment is
    after ``end_ms``.
    """

    time_type: TimeType
    hour: int = 0
    minutes: int = 0
    month: int = 1
    day_of_week: int = 1
    day_of_month: int = 1
    max_occurrences: int | None = None
    end_ms: int | None = None


def next_time(schedule: Schedule, *, set_ms: int, after_ms: int, occurrences: int = 0) -> int | None:
    """The first moment of a schedule after another one; None when it is over.

    Args:
        set_ms: since when the schedule is as it is. Each so many days are counted from the first moment after it.
        occurrences: how many jobs it has made.
    """
    if schedule.max_occurrences is not None and occurrences >= schedule.max_occurrences:
        return None
    time_of_day = (schedule.hour * 60 + schedule.minutes) * _MINUTE_MS
    first_day = _day_after(set_ms, time_of_day)
    day = _DAYS[schedule.time_type](schedule, _day_after(after_ms, time_of_day), first_day)
    moment = day * DAY_MS + time_of_day
    return None if schedule.end_ms is not None and moment > schedule.end_ms else moment


def latest_time(schedule: Schedule, *, set_ms: int, due_ms: int, now_ms: int) -> int:
    """The last moment that has come, of those from ``due_ms`` on: what was missed meanwhile makes one job."""
    latest = due_ms
    while True:
        following = next_time(schedule, set_ms=set_ms, after_ms=latest)
        if following is None or following > now_ms:
            return latest
        latest = following


def last_day(month: int, *, year: int = 2000) -> int:
    """How many days a month has; without a year, at most."""
    return monthrange(year, month)[1]


def _day_after(moment_ms: int, time_of_day: int) -> Day:
    """The first day whose ``time_of_day`` is after a moment."""
    return (moment_ms - time_of_day) // DAY_MS + 1


def _each_day(_: Schedule, day: Day, __: Day) -> Day:
    return day


def _each_so_many_days(schedule: Schedule, day: Day, first_day: Day) -> Day:
    number = max(0, -(-(day - first_day) // schedule.day_of_month))
    return first_day + number * schedule.day_of_month


def _day_of_week(schedule: Schedule, day: Day, _: Day) -> Day:
    return day + (schedule.day_of_week - _THURSDAY - day) % 7


def _day_of_month(schedule: Schedule, day: Day, _: Day) -> Day:
    earliest = date.fromordinal(_EPOCH + day)
    found = _in_month(schedule, earliest.year, earliest.month)
    if found >= day:
        return found
    year, month = divmod(earliest.year * 12 + earliest.month, 12)
    return _in_month(schedule, year, month + 1)


def _month_of_year(schedule: Schedule, day: Day, _: Day) -> Day:
    year = date.fromordinal(_EPOCH + day).year
    found = _in_month(schedule, year, schedule.month)
    return found if found >= day else _in_month(schedule, year + 1, schedule.month)


def _in_month(schedule: Schedule, year: int, month: int) -> Day:
    day = min(schedule.day_of_month, last_day(month, year=year))
    return date(year, month, day).toordinal() - _EPOCH


_DAYS: Final[Mapping[TimeType, Callable[[Schedule, Day, Day], Day]]] = {
    TimeType.HOUR_OF_DAY: _each_day,
    TimeType.NUMBER_OF_DAYS: _each_so_many_days,
    TimeType.DAY_OF_WEEK: _day_of_week,
    TimeType.DAY_OF_MONTH: _day_of_month,
    TimeType.MONTH_OF_YEAR: _month_of_year,
}
"""The first day of a schedule that is not before another one; the last argument is the schedule's own first."""
