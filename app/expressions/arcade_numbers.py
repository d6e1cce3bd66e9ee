"""Arcade functions of numbers."""

import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from app.expressions.arcade_functions import Functions, Given
from app.expressions.arcade_values import Value, checked_number, is_number, ms_of

FUNCTIONS: Final = Functions()

_MAX_PLACES: Final = 15
_EXACT: Final = Context(prec=60)
_NUMBER: Final = re.compile(r"\s*[+-]?(?:[0-9]+(?!\.|[eE]|[0-9])|([0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*")
"""The group is there for a number with a point or an exponent."""


@FUNCTIONS.add("Abs", "number", means="The number without its sign")
def _abs(given: Given) -> Value:
    return checked_number(abs(given.number(0)), "the result", given.position)


@FUNCTIONS.add("Ceil", "number", "places", means="Rounded up, to so many digits behind the point", optional=1)
def _ceil(given: Given) -> Value:
    return _rounded(given, "ROUND_CEILING")


@FUNCTIONS.add("Floor", "number", "places", means="Rounded down, to so many digits behind the point", optional=1)
def _floor(given: Given) -> Value:
    return _rounded(given, "ROUND_FLOOR")


@FUNCTIONS.add(
    "Round",
    "number",
    "places",
    means="Rounded to so many digits behind the point, half of the last one away from zero",
    optional=1,
)
def _round(given: Given) -> Value:
    return _rounded(given, ROUND_HALF_UP)


def _rounded(given: Given, rounding: str) -> Value:
    number, places = given.number(0), given.whole(1)
    if not 0 <= places <= _MAX_PLACES:
        given.fail(f"{given.name} takes 0 to {_MAX_PLACES} digits behind the point; got {places}")
    if isinstance(number, int) or abs(number) >= 2**53:  # has no fraction
        return number
    result = Decimal(repr(number)).quantize(Decimal(1).scaleb(-places), rounding, _EXACT)
    return float(result) if places else int(result)


@FUNCTIONS.add("Number", "value", means="A number from text, true (1), false (0) or a date (ms since 1970)")
def _number(given: Given) -> Value:
    value = given[0]
    if is_number(value) or value is None:
        return value
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, str):
        return ms_of(given.date(0))
    match = _NUMBER.fullmatch(value)
    if match is None:
        given.fail(f"{value[:40]!r} is not a number")
    number = int(value) if match[1] is None and len(value) < 40 else float(value)
    return checked_number(number, "the text", given.position)


@FUNCTIONS.add("IsNaN", "value", means="Whether the value is something other than a number")
def _is_nan(given: Given) -> Value:
    return not is_number(given[0])


@FUNCTIONS.add("Pow", "base", "exponent", means="The base to the power of the exponent")
def _pow(given: Given) -> Value:
    base, exponent = given.number(0), given.number(1)
    try:
        power = math.pow(base, exponent)
    except (ValueError, OverflowError):
        given.fail(f"Pow({base}, {exponent}) is no number in range")
    exact = isinstance(base, int) and isinstance(exponent, int) and abs(power) < 2**53 and exponent >= 0
    return int(power) if exact else checked_number(power, "the power", given.position)


@FUNCTIONS.add("Sqrt", "number", means="The square root")
def _sqrt(given: Given) -> Value:
    number = given.number(0)
    return math.sqrt(number) if number >= 0 else given.fail("Sqrt needs a number that is not negative")


@FUNCTIONS.add("Min", "number", means="The smallest of these numbers, or of an array's; null for none", repeats=1)
def _min(given: Given) -> Value:
    return min(_numbers(given), default=None)


@FUNCTIONS.add("Max", "number", means="The largest of these numbers, or of an array's; null for none", repeats=1)
def _max(given: Given) -> Value:
    return max(_numbers(given), default=None)


@FUNCTIONS.add("Sum", "number", means="The sum of these numbers, or of an array's", repeats=1)
def _sum(given: Given) -> Value:
    return checked_number(_total(_numbers(given)), "the sum", given.position)


@FUNCTIONS.add("Average", "number", means="The mean of these numbers, or of an array's; null for none", repeats=1)
@FUNCTIONS.add("Mean", "number", means="The mean of these numbers, or of an array's; null for none", repeats=1)
def _mean(given: Given) -> Value:
    numbers = _numbers(given)
    return checked_number(_total(numbers) / len(numbers), "the mean", given.position) if numbers else None


def _total(numbers: list[int | float]) -> int | float:
    whole = [number for number in numbers if isinstance(number, int)]
    return sum(whole) if len(whole) == len(numbers) else math.fsum(numbers)


def _numbers(given: Given) -> list[int | float]:
    """The arguments, or the items of the only one; each must be a number."""
    array = given[0] if len(given) == 1 else None
    values = array if isinstance(array, tuple) else tuple(given)
    for index, value in enumerate(values):
        if not is_number(value):
            given.wrong(index if array is None else 0, "numbers" if isinstance(array, tuple) else "a number", value)
    return [value for value in values if is_number(value)]
