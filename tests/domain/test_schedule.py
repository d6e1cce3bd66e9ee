"""Schedules: which moments they have, whatever the length of months and years."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.schedule import DAY_MS, Schedule, TimeType, latest_time, next_time

T = TimeType
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def text(moment: int | None) -> str | None:
    if moment is None:
        return None
    return f"{EPOCH + timedelta(milliseconds=moment):%Y-%m-%d %H:%M}"


def moments(schedule: Schedule, after: str, count: int, since: str | None = None) -> list[str | None]:
    found: list[int | None] = [ms(after)]
    while len(found) <= count and found[-1] is not None:
        found.append(next_time(schedule, set_ms=ms(since or after), after_ms=found[-1]))
    return [text(moment) for moment in found[1:]]


@pytest.mark.parametrize(
    ("members", "after", "expected"),
    [
        ({"time_type": T.HOUR_OF_DAY}, "2026-01-01 00:00", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        (
            {"time_type": T.HOUR_OF_DAY, "hour": 8, "minutes": 30},
            "2026-01-01 08:29:59.999",
            ["2026-01-01 08:30", "2026-01-02 08:30"],
        ),
        ({"time_type": T.HOUR_OF_DAY, "hour": 23, "minutes": 59}, "2026-12-31 23:59", ["2027-01-01 23:59"]),
        (
            {"time_type": T.NUMBER_OF_DAYS, "day_of_month": 3, "hour": 6},
            "2026-02-26 07:00",
            ["2026-02-27 06:00", "2026-03-02 06:00", "2026-03-05 06:00"],
        ),
        ({"time_type": T.DAY_OF_WEEK, "day_of_week": 1}, "2026-11-25 18:00", ["2026-11-29 00:00", "2026-12-06 00:00"]),
        ({"time_type": T.DAY_OF_WEEK, "day_of_week": 4, "hour": 18}, "2026-11-25 17:59", ["2026-11-25 18:00"]),
        ({"time_type": T.DAY_OF_WEEK, "day_of_week": 7}, "2026-11-25 18:00", ["2026-11-28 00:00"]),
        (
            {"time_type": T.DAY_OF_MONTH, "day_of_month": 31, "hour": 1},
            "2024-01-30 00:00",
            ["2024-01-31 01:00", "2024-02-29 01:00", "2024-03-31 01:00", "2024-04-30 01:00"],
        ),
        (
            {"time_type": T.DAY_OF_MONTH, "day_of_month": 30},
            "2025-01-30 00:00",
            ["2025-02-28 00:00", "2025-03-30 00:00"],
        ),
        ({"time_type": T.DAY_OF_MONTH, "day_of_month": 1}, "2026-12-01 00:00", ["2027-01-01 00:00"]),
        (
            {"time_type": T.MONTH_OF_YEAR, "month": 2, "day_of_month": 29, "hour": 12},
            "2027-06-01 00:00",
            ["2028-02-29 12:00", "2029-02-28 12:00", "2030-02-28 12:00"],
        ),
        ({"time_type": T.MONTH_OF_YEAR, "month": 12, "day_of_month": 31}, "2026-12-31 00:00", ["2027-12-31 00:00"]),
    ],
)
def test_the_next_moments_of_a_schedule(members: dict[str, Any], after: str, expected: list[str]) -> None:
    assert moments(Schedule(**members), after, len(expected)) == expected


def test_each_so_many_days_are_counted_from_when_the_schedule_was_set() -> None:
    schedule = Schedule(T.NUMBER_OF_DAYS, day_of_month=7, hour=6)
    assert moments(schedule, "2026-01-20 00:00", 2, since="2026-01-01 05:00") == [
        "2026-01-22 06:00",
        "2026-01-29 06:00",
    ]
    assert moments(schedule, "2026-01-20 00:00", 1, since="2026-01-01 07:00") == ["2026-01-23 06:00"]


def test_nothing_is_due_after_the_end() -> None:
    schedule = Schedule(T.HOUR_OF_DAY, hour=8, end_ms=ms("2026-01-03 08:00"))
    assert moments(schedule, "2026-01-01 09:00", 5) == ["2026-01-02 08:00", "2026-01-03 08:00", None]


def test_a_schedule_is_over_once_it_has_made_as_many_jobs_as_it_may() -> None:
    schedule = Schedule(T.HOUR_OF_DAY, max_occurrences=2)
    found = [next_time(schedule, set_ms=0, after_ms=0, occurrences=made) for made in range(4)]
    assert found == [DAY_MS, DAY_MS, None, None]


def test_of_what_was_missed_the_last_moment_counts() -> None:
    schedule = Schedule(T.HOUR_OF_DAY, hour=8)
    due_ms = ms("2026-01-01 08:00")
    for now, expected in (
        ("2026-01-01 08:00", "2026-01-01 08:00"),
        ("2026-01-02 07:59", "2026-01-01 08:00"),
        ("2026-01-09 08:00", "2026-01-09 08:00"),
        ("2026-01-09 09:00", "2026-01-09 08:00"),
    ):
        assert text(latest_time(schedule, set_ms=0, due_ms=due_ms, now_ms=ms(now))) == expected


SCHEDULES = st.builds(
    Schedule,
    time_type=st.sampled_from(TimeType),
    hour=st.integers(0, 23),
    minutes=st.integers(0, 59),
    month=st.integers(1, 12),
    day_of_week=st.integers(1, 7),
    day_of_month=st.integers(1, 31),
)
MOMENTS = st.integers(0, ms("2400-01-01 00:00"))


@given(SCHEDULES, MOMENTS, MOMENTS)
def test_the_next_moment_is_the_first_one_after(schedule: Schedule, set_ms: int, after_ms: int) -> None:
    """Told by what the words mean, day by day, and not by arithmetic: no day before it fits, and it does."""
    found = next_time(schedule, set_ms=set_ms, after_ms=after_ms)
    assert found is not None
    assert found > after_ms
    time_of_day = timedelta(hours=schedule.hour, minutes=schedule.minutes)
    first = EPOCH + timedelta(days=set_ms // DAY_MS)
    while first + time_of_day <= EPOCH + timedelta(milliseconds=set_ms):
        first += timedelta(days=1)
    after = EPOCH + timedelta(milliseconds=after_ms)
    day = EPOCH + timedelta(days=after_ms // DAY_MS)
    if schedule.time_type is T.NUMBER_OF_DAYS:
        day = max(day, first)
    while day + time_of_day <= after or not fits(schedule, day, first):
        day += timedelta(days=1)
    assert EPOCH + timedelta(milliseconds=found) == day + time_of_day


def fits(schedule: Schedule, day: datetime, first: datetime) -> bool:
    is_last = (day + timedelta(days=1)).month != day.month
    in_month = day.day == schedule.day_of_month or (is_last and day.day < schedule.day_of_month)
    return {
        T.HOUR_OF_DAY: True,
        T.NUMBER_OF_DAYS: day >= first and (day - first).days % schedule.day_of_month == 0,
        T.DAY_OF_WEEK: day.isoweekday() % 7 + 1 == schedule.day_of_week,
        T.DAY_OF_MONTH: in_month,
        T.MONTH_OF_YEAR: in_month and day.month == schedule.month,
    }[schedule.time_type]


@given(SCHEDULES, MOMENTS, MOMENTS, st.integers(0, 400 * DAY_MS))
def test_later_moments_never_come_sooner(schedule: Schedule, set_ms: int, after_ms: int, more_ms: int) -> None:
    earlier = next_time(schedule, set_ms=set_ms, after_ms=after_ms)
    later = next_time(schedule, set_ms=set_ms, after_ms=after_ms + more_ms)
    assert earlier is not None
    assert later is not None
    assert earlier <= later
    if after_ms + more_ms < earlier:
        assert later == earlier
