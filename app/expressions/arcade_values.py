"""What an Arcade expression computes with: numbers, text, true and false, null, and the job it is asked about.

Pure functions. Each operator takes the position of its sign, so that every error says where it happened. Conversions
are Arcade's where it has one rule (text of a number, of null), and an error where Arcade would guess.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeGuard

from app.errors import InvalidValue

STEP_SUCCESS: Final = "stepSuccess"
STEP_ERROR: Final = "stepError"

MAX_TEXT_BYTES: Final = 64 * 1024
"""Longest text an expression may make or read, as UTF-8."""

MIN_INTEGER: Final = -(2**63)
MAX_INTEGER: Final = 2**63 - 1

Value = str | int | float | bool | None
Job = Mapping[str, Any]
Operand = Value | Job
"""A job can be handed to a function or compared with null; it is never a result."""

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


@dataclass(frozen=True, slots=True)
class Scope:
    """What the ``$names`` stand for.

    ``job`` has the members of the REST job (``createdBy``, ``ownedBy``, ...), or is None where there is no job.
    ``ret_val`` is what the step returned: the number of the chosen answer for a question, else ``step_success`` or
    ``STEP_ERROR``. ``step_success`` is text, so no answer's number equals it (rest.md 14.4).
    """

    current_user: str | None = None
    job: Job | None = None
    ret_val: Value = None
    step_success: str = STEP_SUCCESS


def kind(value: Operand) -> str:
    """The value's type in the words of the error messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "text" if isinstance(value, str) else "a job"


def checked(value: Any, source: str, position: Position) -> Operand:
    """Let a value from outside (a variable, a member of the job) into an expression.

    Raises:
        ArcadeError: a number that is not finite or beyond 64 bits; text with NUL, half a surrogate pair or too long;
            anything else, such as a list.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _checked_text(value, source, position)
    if isinstance(value, int | float):
        return checked_number(value, source, position)
    if isinstance(value, Mapping):
        return value
    raise ArcadeError(f"{source} is neither text, a number, true, false nor null", position)


def _checked_text(text: str, source: str, position: Position) -> str:
    if "\0" in text:
        raise ArcadeError(f"{source} contains a NUL character", position)
    try:
        return within_size(text, source, position)
    except UnicodeEncodeError:
        raise ArcadeError(f"{source} contains half a surrogate pair", position) from None


def within_size(text: str, source: str, position: Position) -> str:
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


def text_of(value: Operand, position: Position | None = None) -> str:
    """The value as Arcade writes it into text: null is empty, ``4.0`` is ``4``, a job has no text (ArcadeError)."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    raise ArcadeError("a job has no text; ask a function about it, for instance JobCreator($job)", position)


def _float_text(number: float) -> str:
    """Shortest decimal form, with an exponent only below 1e-6 and from 1e21 on (ECMA-262, Number::toString)."""
    if number == 0:
        return "0"
    if 1e-6 <= abs(number) < 1e21:
        return format(Decimal(repr(number)), "f").removesuffix(".0")
    mantissa, _, exponent = repr(number).partition("e")
    return f"{mantissa}e{int(exponent):+d}"


def equals(left: Operand, right: Operand) -> bool:
    """Arcade's ``==``: text by letter case, ``1 == 1.0``, null equals null, different types are never equal."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) or isinstance(right, Mapping):
        return left is right
    return left == right


def add(left: Operand, right: Operand, position: Position) -> Operand:
    """Sum of two numbers; when either side is text, both as text one after the other."""
    if isinstance(left, str) or isinstance(right, str):
        joined = text_of(left, position) + text_of(right, position)
        return within_size(joined, "the text", position)
    first, second = _numbers("+", left, right, position)
    return checked_number(first + second, "the sum", position)


def subtract(left: Operand, right: Operand, position: Position) -> Operand:
    """Difference of two numbers."""
    first, second = _numbers("-", left, right, position)
    return checked_number(first - second, "the difference", position)


def multiply(left: Operand, right: Operand, position: Position) -> Operand:
    """Product of two numbers."""
    first, second = _numbers("*", left, right, position)
    return checked_number(first * second, "the product", position)


def divide(left: Operand, right: Operand, position: Position) -> Operand:
    """Exact where integers divide without rest, a fraction otherwise. Raises ArcadeError for a zero divisor."""
    first, second = _divisible("/", left, right, position)
    if isinstance(first, int) and isinstance(second, int) and first % second == 0:
        return checked_number(first // second, "the quotient", position)
    return checked_number(first / second, "the quotient", position)


def remainder(left: Operand, right: Operand, position: Position) -> Operand:
    """Rest of the division, with the sign of the left side (``-7 % 3`` is ``-1``)."""
    first, second = _divisible("%", left, right, position)
    if isinstance(first, int) and isinstance(second, int):
        rest = abs(first) % abs(second)
        return -rest if first < 0 else rest
    return math.fmod(first, second)


def negate(value: Operand, position: Position) -> Operand:
    """The number with the other sign. Raises ArcadeError for what is no number."""
    if not _is_number(value):
        raise ArcadeError(f"'-' needs a number; got {kind(value)}", position)
    return checked_number(-value, "the result", position)


def boolean(sign: str, value: Operand, position: Position) -> bool:
    """Return the value if it is true or false; else raise ArcadeError. Nothing else counts as true or false."""
    if isinstance(value, bool):
        return value
    raise ArcadeError(f"{sign!r} needs true or false on each side; got {kind(value)}", position)


def order(sign: str, left: Operand, right: Operand, position: Position) -> int:
    """Tell how two numbers, or two texts by code point, stand to each other: -1, 0 or 1.

    Raises:
        ArcadeError: any other pair; null is not 0 and true is not 1.
    """
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    first, second = _numbers(sign, left, right, position, "two numbers or two texts")
    return (first > second) - (first < second)


def _is_number(value: Operand) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _divisible(sign: str, left: Operand, right: Operand, position: Position) -> tuple[int | float, int | float]:
    first, second = _numbers(sign, left, right, position)
    if second == 0:
        raise ArcadeError(f"{sign!r} by zero", position)
    return first, second


def _numbers(
    sign: str, left: Operand, right: Operand, position: Position, needs: str = "two numbers"
) -> tuple[int | float, int | float]:
    if _is_number(left) and _is_number(right):
        return left, right
    raise ArcadeError(f"{sign!r} needs {needs}; got {kind(left)} and {kind(right)}", position)


BINARY: Final[Mapping[str, Callable[[Operand, Operand, Position], Operand]]] = {
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
