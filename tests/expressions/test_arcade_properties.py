"""Any text ends in a value or an ArcadeError; any tree, written out and read again, is worth what Python says."""

import math
import operator
import string
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.expressions.arcade import (
    MAX_ITEMS,
    MAX_TEXT_BYTES,
    ArcadeError,
    Dictionary,
    Scope,
    Value,
    evaluate,
    is_expression,
    parse,
)
from app.expressions.arcade_values import text_of

SCOPE = Scope(current_user="carla", job={"jobId": "j1", "createdBy": "ana", "ownedBy": None}, ret_val=3)

PIECES = st.sampled_from(
    "1 2.5 9223372036854775807 1e308 0 'a' \"b\" '\\n' true false null $retVal $job $currentUser $stepSuccess $x foo "
    "JobCreator( JobOwner( Foo( ( ) [ ] { } : ` ${ a: .b , + - * / % == != < <= > >= && || ! = & . ; [ ' \" "
    "\\ \0 \ud800 \n é".split(" ")
)


def outcome(text: str) -> Value | ArcadeError:
    try:
        return evaluate(text, SCOPE)
    except ArcadeError as error:
        return error


def is_sound(value: Value) -> bool:
    """Within what the language promises: finite, 64 bits, valid text of limited size."""
    if isinstance(value, str):
        return len(value.encode()) <= MAX_TEXT_BYTES and "\0" not in value
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, tuple):
        return len(value) <= MAX_ITEMS and all(map(is_sound, value))
    if isinstance(value, Dictionary):
        return all(map(is_sound, value.entries.values()))
    return value is None or isinstance(value, datetime) or -(2**63) <= value < 2**63


@given(st.text() | st.lists(PIECES, max_size=40).map("".join) | st.lists(PIECES, max_size=40).map(" ".join))
def test_any_text_ends_in_a_value_or_an_arcade_error(text: str) -> None:
    result = outcome(text)
    assert isinstance(result, ArcadeError) or is_sound(result)
    assert is_expression(text) in {True, False}


@given(st.text(alphabet=string.ascii_letters + string.digits + " .-_@+", max_size=60))
def test_a_name_without_quotes_brackets_and_dollars_is_never_an_expression(name: str) -> None:
    assert is_expression(name) is False


@given(st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8")))
def test_any_text_can_be_quoted(text: str) -> None:
    assert evaluate(quoted(text), SCOPE) == text


@dataclass(frozen=True)
class Written:
    """An expression as text, how tightly its outermost operator binds, and what it is worth; None: an error."""

    text: str
    rank: int
    result: Callable[[], Value]


class Refused(Exception):
    """The reference's own error."""


ATOM, UNARY = 8, 7
RANKS = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6}
ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def quoted(text: str) -> str:
    """A literal of the text, in the plainest spelling."""
    body = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{body}'"


def leaf(value: Value) -> Written:
    if isinstance(value, str):
        return Written(quoted(value), ATOM, lambda: value)
    if value is None or isinstance(value, bool):
        return Written({None: "null", True: "true", False: "false"}[value], ATOM, lambda: value)
    return Written(repr(value), ATOM, lambda: value)


def bracketed(part: Written, rank: int) -> str:
    """The part as an operand of something that binds as tightly as ``rank``: in brackets only where needed."""
    return part.text if part.rank >= rank else f"({part.text})"


def number(value: Value) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused
    return value


def in_range(value: int | float) -> int | float:  # noqa: PYI041  mypy takes `float` alone for never an integer
    if not is_sound(value):
        raise Refused
    return value


def truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise Refused
    return value


def compare(sign: str, left: Value, right: Value) -> Value:
    if sign in {"==", "!="}:
        alike = isinstance(left, bool) == isinstance(right, bool) and left == right
        return alike is (sign == "==")
    if isinstance(left, str) and isinstance(right, str):
        return bool(ORDER[sign](left, right))
    return bool(ORDER[sign](number(left), number(right)))


def calculate(sign: str, left: Value, right: Value) -> Value:
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        return text_of(left) + text_of(right)
    first, second = number(left), number(right)
    if sign in {"/", "%"} and second == 0:
        raise Refused
    whole = isinstance(first, int) and isinstance(second, int)
    if sign == "%":
        rest = math.fmod(first, second)
        return int(rest) if whole else rest
    if sign == "/":
        exact = whole and first % second == 0
        return in_range(first // second if exact else first / second)
    return in_range({"+": operator.add, "-": operator.sub, "*": operator.mul}[sign](first, second))


def binary(left: Written, sign: str, right: Written) -> Written:
    def result() -> Value:
        if sign == "&&":
            return truth(left.result()) and truth(right.result())
        if sign == "||":
            return truth(left.result()) or truth(right.result())
        first, second = left.result(), right.result()
        return calculate(sign, first, second) if sign in "+-*/%" else compare(sign, first, second)

    rank = RANKS[sign]
    return Written(f"{bracketed(left, rank)} {sign} {bracketed(right, rank + 1)}", rank, result)


def unary(sign: str, operand: Written) -> Written:
    def result() -> Value:
        return not truth(operand.result()) if sign == "!" else in_range(-number(operand.result()))

    return Written(f"{sign} {bracketed(operand, UNARY)}", UNARY, result)


Trees = st.SearchStrategy[Written]

# A literal has no sign: the operator makes one.
NUMBERS = (
    st.integers(0, 20).map(leaf)
    | st.integers(0, 2**63 - 1).map(leaf)
    | st.floats(0, 1e6, allow_nan=False).map(leaf)
    | st.just(Written("$retVal", ATOM, lambda: 3))
)
TEXTS = (
    st.text(alphabet="aB'\"\\\n é", max_size=4).map(leaf)
    | st.just(Written("$currentUser", ATOM, lambda: "carla"))
    | st.just(Written("JobCreator($job)", ATOM, lambda: "ana"))
)
BOOLEANS = st.booleans().map(leaf)
NULLS = st.just(leaf(None)) | st.just(Written("JobOwner($job)", ATOM, lambda: None))


def joined(left: Trees, signs: str, right: Trees) -> Trees:
    return st.builds(binary, left, st.sampled_from(signs.split()), right)


def any_trees() -> Trees:
    """Operators over anything: most of these are refused."""

    def grow(parts: Trees) -> Trees:
        return joined(parts, " ".join(RANKS), parts) | st.builds(unary, st.sampled_from("-!"), parts)

    return st.recursive(NUMBERS | TEXTS | BOOLEANS | NULLS, grow, max_leaves=6)


def fitting_trees(levels: int) -> tuple[Trees, Trees, Trees]:
    """Trees of a number, of text and of true or false, whose operators get what they need: most have a value."""
    if levels == 0:
        return NUMBERS, TEXTS, BOOLEANS
    numbers, texts, booleans = fitting_trees(levels - 1)
    anything = numbers | texts | booleans | NULLS
    return (
        numbers | joined(numbers, "+ - * / %", numbers) | st.builds(unary, st.just("-"), numbers),
        texts | joined(texts, "+", anything) | joined(anything, "+", texts),
        booleans
        | joined(booleans, "&& || == !=", booleans)
        | joined(numbers, "< <= > >= == !=", numbers)
        | joined(texts, "< <= > >= == !=", texts)
        | joined(anything, "== !=", anything)
        | st.builds(unary, st.just("!"), booleans),
    )


TREES = st.one_of(any_trees(), *fitting_trees(4))


@given(TREES)
def test_a_tree_written_out_and_read_again_is_worth_what_python_says(tree: Written) -> None:
    try:
        expected = tree.result()
    except Refused:
        with pytest.raises(ArcadeError):
            evaluate(tree.text, SCOPE)
        return
    value = evaluate(tree.text, SCOPE)
    assert (type(value), value) == (type(expected), expected)


def test_many_threads_may_read_at_once() -> None:
    """The first reading builds the parser; two at once must not see a half built one."""
    results: list[Value] = []
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        results.extend(parse(f"{number} * {i} + {i}").evaluate(SCOPE) for i in range(50))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results, key=str) == sorted((n * i + i for n in range(8) for i in range(50)), key=str)
