"""The operators of Arcade. Pure functions.

Each takes the position of its sign, so that every error says where it happened. Conversions are Arcade's where it has
one rule (text of a number, of null), and an error where Arcade would guess.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from app.expressions.arcade_values import (
    ArcadeError,
    Dictionary,
    Position,
    Value,
    checked_number,
    is_number,
    kind,
    text_of,
    within_size,
)


def equals(left: Value, right: Value) -> bool:
    """Arcade's ``==``: text by letter case, ``1 == 1.0``, null equals null, different types are never equal. Arrays and
    dictionaries equal nothing."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return not isinstance(left, tuple | Dictionary) and left == right


def add(left: Value, right: Value, position: Position) -> Value:
    """Sum of two numbers; when either side is text, both as text one after the other."""
    if isinstance(left, str) or isinstance(right, str):
        joined = text_of(left, position) + text_of(right, position)
        return within_size(joined, "the text", position)
    first, second = _numbers("+", left, right, position)
    return checked_number(first + second, "the sum", position)


def subtract(left: Value, right: Value, position: Position) -> Value:
    """Difference of two numbers."""
    first, second = _numbers("-", left, right, position)
    return checked_number(first - second, "the difference", position)


def multiply(left: Value, right: Value, position: Position) -> Value:
    """Product of two numbers."""
    first, second = _numbers("*", left, right, position)
    return checked_number(first * second, "the product", position)


def divide(left: Value, right: Value, position: Position) -> Value:
    """Exact where integers divide without rest, a fraction otherwise. Raises ArcadeError for a zero divisor."""
    first, second = _divisible("/", left, right, position)
    if isinstance(first, int) and isinstance(second, int) and first % second == 0:
        return checked_number(first // second, "the quotient", position)
    return checked_number(first / second, "the quotient", position)


def remainder(left: Value, right: Value, position: Position) -> Value:
    """Rest of the division, with the sign of the left side (``-7 % 3`` is ``-1``)."""
    first, second = _divisible("%", left, right, position)
    if isinstance(first, int) and isinstance(second, int):
        rest = abs(first) % abs(second)
        return -rest if first < 0 else rest
    return math.fmod(first, second)


def negate(value: Value, position: Position) -> Value:
    """The number with the other sign. Raises ArcadeError for what is no number."""
    if not is_number(value):
        raise ArcadeError(f"'-' needs a number; got {kind(value)}", position)
    return checked_number(-value, "the result", position)


def boolean(sign: str, value: Value, position: Position) -> bool:
    """Return the value if it is true or false; else raise ArcadeError. Nothing else counts as true or false."""
    if isinstance(value, bool):
        return value
    raise ArcadeError(f"{sign!r} needs true or false on each side; got {kind(value)}", position)


def order(sign: str, left: Value, right: Value, position: Position) -> int:
    """Tell how two numbers, two dates, or two texts by code point, stand to each other: -1, 0 or 1.

    Raises:
        ArcadeError: any other pair; null is not 0 and true is not 1.
    """
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, datetime) and isinstance(right, datetime):
        return (left > right) - (left < right)
    first, second = _numbers(sign, left, right, position, "two numbers, two dates or two texts")
    return (first > second) - (first < second)


def _divisible(sign: str, left: Value, right: Value, position: Position) -> tuple[int | float, int | float]:
    first, second = _numbers(sign, left, right, position)
    if second == 0:
        raise ArcadeError(f"{sign!r} by zero", position)
    return first, second


def _numbers(
    sign: str, left: Value, right: Value, position: Position, needs: str = "two numbers"
) -> tuple[int | float, int | float]:
    if is_number(left) and is_number(right):
        return left, right
    raise ArcadeError(f"{sign!r} needs {needs}; got {kind(left)} and {kind(right)}", position)


BINARY: Final[Mapping[str, Callable[[Value, Value, Position], Value]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "==": lambda left, right, _: equals(left, right),
    "!=": lambda left, right, _: not equals(left, right),
    "<": lambda left, right, at: order("<", left, right, at) < 0,
    "<=": lambda left, right, at: order("<=", left, right, at) <= 0,
    ">": lambda left, right, at: order(">", left, right, at) > 0,
    ">=": lambda left, right, at: order(">=", left, right, at) >= 0,
}
"""The operators that evaluate both sides, by their sign."""
