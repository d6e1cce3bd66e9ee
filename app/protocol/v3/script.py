"""The answer to an interaction script: an open key, one chosen option, and the state as given (v3-jobs.md 4.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.errors import InvalidValue

STATE: Final = "state"


@dataclass(frozen=True, slots=True)
class ScriptInput:
    """The key that was answered, what was said of each option, and whether a state came along."""

    key: str
    chosen: Mapping[str, bool | None]
    has_state: bool


def read_script(body: Mapping[str, Any]) -> ScriptInput:
    """Check the shape. Raises InvalidValue, saying which shape is right."""
    state = body.get(STATE)
    if not (state is None or isinstance(state, list | dict)):
        raise InvalidValue("state must be an array or an object, as it was given.", details=[STATE])
    keys = [key for key in body if key != STATE]
    if len(keys) != 1:
        found = ", ".join(keys) or "none"
        raise InvalidValue(f"The body must answer exactly one question, under its key; found {found}.", details=keys)
    options = body[keys[0]]
    if not isinstance(options, dict) or not all(value is None or isinstance(value, bool) for value in options.values()):
        text = "Under the key stands an object of options: true for the chosen one, null or false for others."
        raise InvalidValue(text, details=keys)
    if sum(value is True for value in options.values()) != 1:
        raise InvalidValue("Exactly one option must be true.", details=keys)
    return ScriptInput(keys[0], options, has_state=bool(state))


def chosen_option(given: ScriptInput, options: list[str]) -> str:
    """The option that is true. Raises InvalidValue: one that the question does not have."""
    unknown = [name for name in given.chosen if name not in options]
    if unknown:
        known = ", ".join(options) or "none"
        raise InvalidValue(f"The question has no option {unknown[0]!r}; its options: {known}.", details=[given.key])
    return next(name for name, value in given.chosen.items() if value is True)
