"""Arcade functions that choose between values, or ask what a value is."""

from typing import Final

from app.expressions.arcade_functions import Functions, Given
from app.expressions.arcade_operators import equals
from app.expressions.arcade_values import Dictionary, Value, kind

FUNCTIONS: Final = Functions()

_KINDS: Final = {
    "null": "Null",
    "true or false": "Boolean",
    "a number": "Number",
    "a date": "Date",
    "an array": "Array",
    "text": "String",
    "a dictionary": "Dictionary",
}
"""What ``TypeOf`` calls the kinds."""


@FUNCTIONS.add("IIf", "condition", "yes", "no", means="One of two values; the other is not evaluated", is_lazy=True)
def _iif(given: Given) -> Value:
    return given[1] if given.flag(0) else given[2]


@FUNCTIONS.add(
    "When",
    "condition",
    "value",
    "default",
    means="The value behind the first condition that is true, else the default",
    repeats=2,
    is_lazy=True,
)
def _when(given: Given) -> Value:
    for index in range(0, len(given) - 1, 2):
        if given.flag(index):
            return given[index + 1]
    return given[len(given) - 1]


@FUNCTIONS.add(
    "Decode",
    "value",
    "compared",
    "result",
    "default",
    means="The result behind the first compared value that equals the value, else the default",
    repeats=2,
    is_lazy=True,
)
def _decode(given: Given) -> Value:
    for index in range(1, len(given) - 1, 2):
        if equals(given[0], given[index]):
            return given[index + 1]
    return given[len(given) - 1]


@FUNCTIONS.add("DefaultValue", "value", "default", means="The value, or the default when it is null or empty text")
def _default_value(given: Given) -> Value:
    return given[1] if given[0] is None or given[0] == "" else given[0]


@FUNCTIONS.add("IsEmpty", "value", means="Whether the value is null or empty text")
def _is_empty(given: Given) -> Value:
    return given[0] is None or given[0] == ""


@FUNCTIONS.add("Boolean", "value", means="`true` and `1` in any form as true, `false` and `0` as false")
def _boolean(given: Given) -> Value:
    word = given.text(0).strip().lower()
    if word in {"true", "1"}:
        return True
    return False if word in {"false", "0", ""} else given.fail(f"Boolean takes true, false, 1, 0; got {word[:40]!r}")


@FUNCTIONS.add("TypeOf", "value", means="`String`, `Number`, `Boolean`, `Date`, `Array`, `Dictionary` or `Null`")
def _type_of(given: Given) -> Value:
    return _KINDS[kind(given[0])]


@FUNCTIONS.add("Dictionary", "key", "value", means="A dictionary of these keys and values", optional=2, repeats=2)
def _dictionary(given: Given) -> Value:
    if len(given) == 1:
        given.fail("Dictionary needs a value for each key")
    return Dictionary({given.text(index): given[index + 1] for index in range(0, len(given), 2)})


@FUNCTIONS.add("HasKey", "dictionary", "key", means="Whether the dictionary has the key, in any letter case")
def _has_key(given: Given) -> Value:
    value = given[0]
    if not isinstance(value, Dictionary):
        given.wrong(0, "a dictionary", value)
    return value.key(given.text(1)) is not None


@FUNCTIONS.add("HasValue", "container", "key", means="Whether there is something other than null under a key or index")
def _has_value(given: Given) -> Value:
    value = given[0]
    if isinstance(value, Dictionary):
        key = value.key(given.text(1))
        return key is not None and value.entries[key] is not None
    if isinstance(value, tuple):
        index = given.whole(1)
        return -len(value) <= index < len(value) and value[index] is not None
    return False
