"""All functions of the language, by name in lower case."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from app.expressions import (
    arcade_arrays,
    arcade_dates,
    arcade_jobs,
    arcade_logic,
    arcade_numbers,
    arcade_text,
)
from app.expressions.arcade_functions import Function, Functions

GROUPS: Final[Mapping[str, Functions]] = {
    "Jobs and users": arcade_jobs.FUNCTIONS,
    "Logic and dictionaries": arcade_logic.FUNCTIONS,
    "Text": arcade_text.FUNCTIONS,
    "Numbers": arcade_numbers.FUNCTIONS,
    "Dates": arcade_dates.FUNCTIONS,
    "Arrays": arcade_arrays.FUNCTIONS,
}
"""By what they are about, as the documentation shows them."""


def _all() -> Functions:
    joined = Functions()
    for functions in GROUPS.values():
        for function in functions.values():
            joined.put(function)
    return joined


FUNCTIONS: Final[Mapping[str, Function]] = _all()


def unknown_function(name: str) -> str:
    """Say that there is no function of this name, and what there is."""
    names = {key: function.name for key, function in FUNCTIONS.items()}
    near = get_close_matches(name.lower()[:60], names, n=1)
    hint = f"; did you mean {names[near[0]]}?" if near else ""
    return f"function {name[:60]} is not supported{hint}; known: {', '.join(sorted(names.values()))}"
