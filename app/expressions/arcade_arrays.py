"""Arcade functions of arrays. An array never changes: what Arcade does in place gives a new one."""

from functools import cmp_to_key
from typing import Final

from app.expressions.arcade_functions import Functions, Given
from app.expressions.arcade_operators import equals, order
from app.expressions.arcade_values import Dictionary, Value, check_count

FUNCTIONS: Final = Functions()


@FUNCTIONS.add("First", "array", means="The first item; null if there is none")
def _first(given: Given) -> Value:
    array = given.array(0)
    return array[0] if array else None


@FUNCTIONS.add("Front", "array", means="The first item; an error if there is none")
def _front(given: Given) -> Value:
    array = given.array(0)
    return array[0] if array else given.fail("Front needs an array that is not empty")


@FUNCTIONS.add("Back", "array", means="The last item; an error if there is none")
def _back(given: Given) -> Value:
    array = given.array(0)
    return array[-1] if array else given.fail("Back needs an array that is not empty")


@FUNCTIONS.add("Includes", "array", "value", means="Whether the array has the value")
def _includes(given: Given) -> Value:
    return any(equals(item, given[1]) for item in given.array(0))


@FUNCTIONS.add("IndexOf", "array", "value", means="Where the array has the value first, from 0; -1 if nowhere")
def _index_of(given: Given) -> Value:
    return next((index for index, item in enumerate(given.array(0)) if equals(item, given[1])), -1)


@FUNCTIONS.add(
    "Slice", "array", "start", "stop", means="The items from start up to stop, which is left out", optional=2
)
def _slice(given: Given) -> Value:
    array = given.array(0)
    return array[given.whole(1) : given.whole(2, len(array))]


@FUNCTIONS.add("Reverse", "array", means="The items from the last to the first")
def _reverse(given: Given) -> Value:
    return given.array(0)[::-1]


@FUNCTIONS.add("Sort", "array", means="In ascending order: numbers, dates, or texts by code point")
def _sort(given: Given) -> Value:
    def compare(left: Value, right: Value) -> int:
        return order("<", left, right, given.position)

    return tuple(sorted(given.array(0), key=cmp_to_key(compare)))


@FUNCTIONS.add("Distinct", "value", means="The values, or an array's items, each once", repeats=1)
def _distinct(given: Given) -> Value:
    first = given[0]
    values = first if isinstance(first, tuple) and len(given) == 1 else tuple(given)
    found: dict[object, Value] = {}
    for value in values:
        found.setdefault(_identity(value), value)
    return tuple(found.values())


def _identity(value: Value) -> object:
    """Equal for values that ``==`` takes for equal: true is not 1, and arrays equal nothing."""
    return (type(value), id(value)) if isinstance(value, bool | tuple | Dictionary) else value


@FUNCTIONS.add("Splice", "value", means="One array of these values and of the items of these arrays", repeats=1)
def _splice(given: Given) -> Value:
    items: list[Value] = []
    for value in given:
        items += value if isinstance(value, tuple) else (value,)
        check_count(len(items), "the array", given.position)
    return tuple(items)
