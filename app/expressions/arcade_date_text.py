"""Writing a date in a format such as ``dddd, MMMM D, Y``."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from app.expressions.arcade_values import ArcadeError, Position, ms_of

_MONTHS: Final = "January February March April May June July August September October November December".split()
_DAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

DATE_TOKENS: Final[Mapping[str, tuple[str, Callable[[datetime], str]]]] = {
    "YYYY": ("year, 4 digits", lambda at: f"{at.year:04}"),
    "YY": ("year, 2 digits", lambda at: f"{at.year % 100:02}"),
    "Y": ("year", lambda at: str(at.year)),
    "MMMM": ("month, as `May`", lambda at: _MONTHS[at.month - 1]),
    "MMM": ("month, 3 letters", lambda at: _MONTHS[at.month - 1][:3]),
    "MM": ("month, 2 digits", lambda at: f"{at.month:02}"),
    "M": ("month", lambda at: str(at.month)),
    "DDDD": ("day of the year, 3 digits", lambda at: f"{at.timetuple().tm_yday:03}"),
    "DDD": ("day of the year", lambda at: str(at.timetuple().tm_yday)),
    "DD": ("day, 2 digits", lambda at: f"{at.day:02}"),
    "D": ("day", lambda at: str(at.day)),
    "dddd": ("weekday, as `Thursday`", lambda at: _DAYS[at.weekday()]),
    "ddd": ("weekday, 3 letters", lambda at: _DAYS[at.weekday()][:3]),
    "d": ("weekday, 0 is Sunday", lambda at: str(at.isoweekday() % 7)),
    "E": ("weekday, 1 is Monday", lambda at: str(at.isoweekday())),
    "WW": ("ISO week, 2 digits", lambda at: f"{at.isocalendar().week:02}"),
    "W": ("ISO week", lambda at: str(at.isocalendar().week)),
    "HH": ("hour of 24, 2 digits", lambda at: f"{at.hour:02}"),
    "H": ("hour of 24", lambda at: str(at.hour)),
    "hh": ("hour of 12, 2 digits", lambda at: f"{_hour_of_12(at):02}"),
    "h": ("hour of 12", lambda at: str(_hour_of_12(at))),
    "mm": ("minute, 2 digits", lambda at: f"{at.minute:02}"),
    "m": ("minute", lambda at: str(at.minute)),
    "ss": ("second, 2 digits", lambda at: f"{at.second:02}"),
    "s": ("second", lambda at: str(at.second)),
    "SSS": ("millisecond, 3 digits", lambda at: f"{at.microsecond // 1000:03}"),
    "A": ("`AM` or `PM`", lambda at: "AM" if at.hour < 12 else "PM"),
    "ZZ": ("offset, `+0000`: all dates are UTC", lambda _: "+0000"),
    "Z": ("offset, `+00:00`: all dates are UTC", lambda _: "+00:00"),
    "x": ("milliseconds since 1970", lambda at: str(ms_of(at))),
    "X": ("seconds since 1970", lambda at: str(ms_of(at) // 1000)),
}
"""What the letters of a format stand for: documentation, and the text."""

MAX_FORMAT: Final = 200

_PART: Final = re.compile(r"\[([^\]]*)\]|([A-Za-z])\2*|.", re.DOTALL)


def date_text(moment: datetime, pattern: str, position: Position) -> str:
    """The date in a format. Raises ArcadeError for letters that mean nothing; text in ``[ ]`` stands as it is."""
    if len(pattern) > MAX_FORMAT:
        raise ArcadeError(f"the format has more than {MAX_FORMAT} characters", position)
    return "".join(_part(match, moment, position) for match in _PART.finditer(pattern))


def _part(match: re.Match[str], moment: datetime, position: Position) -> str:
    if match[1] is not None:
        return match[1]
    if match[2] is None or (match[0] == "T"):
        return match[0]
    if match[0] not in DATE_TOKENS:
        known = ", ".join(DATE_TOKENS)
        raise ArcadeError(f"a date's format has no {match[0]!r}; known: {known}; other text in [ ]", position)
    return DATE_TOKENS[match[0]][1](moment)


def _hour_of_12(moment: datetime) -> int:
    return moment.hour % 12 or 12
