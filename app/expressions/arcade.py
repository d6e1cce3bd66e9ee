"""Arcade expressions: paths, assignments, texts of steps and templates, searches. A sandboxed subset of the language.

``$retVal == $stepSuccess``, ``JobCreator($job)``, ``'Job of ' + $currentUser``: literals, arrays and dictionaries,
arithmetic, comparison, ``&& || !``, concatenation, templates, functions and a few variables (rest.md 13.1, 14.4;
docs/arcade.md). An expression reads what its ``Scope`` holds and its ``Facts`` answer, has no loop and no effect, and
ends within ``MAX_STEPS`` steps and ``MAX_SECONDS``. Whatever is outside the subset raises ``ArcadeError``, which names
it and its place.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from app.expressions.arcade_grammar import MAX_LENGTH, read
from app.expressions.arcade_scope import NO_FACTS, ChangedProperties, Encoding, Facts, JobMembers, Scope, UserFacts
from app.expressions.arcade_table import FUNCTIONS
from app.expressions.arcade_tree import (
    MAX_DEPTH,
    MAX_SECONDS,
    MAX_STEPS,
    Call,
    Evaluation,
    Literal,
    Node,
    Template,
    Variable,
)
from app.expressions.arcade_values import (
    MAX_ITEMS,
    MAX_TEXT_BYTES,
    STEP_ERROR,
    STEP_SUCCESS,
    ArcadeError,
    Dictionary,
    Value,
    kind,
    text_of,
)

__all__ = [
    "MAX_DEPTH",
    "MAX_ITEMS",
    "MAX_LENGTH",
    "MAX_SECONDS",
    "MAX_STEPS",
    "MAX_TEXT_BYTES",
    "NO_FACTS",
    "STEP_ERROR",
    "STEP_SUCCESS",
    "ArcadeError",
    "ChangedProperties",
    "Dictionary",
    "Encoding",
    "Expression",
    "Facts",
    "JobMembers",
    "Scope",
    "UserFacts",
    "Value",
    "evaluate",
    "evaluate_condition",
    "evaluate_text",
    "evaluate_values",
    "is_expression",
    "parse",
]

Clock = Callable[[], float]
"""Seconds, never going back."""

_CACHED_LENGTH = 256
"""Longer texts are read anew each time. A tree takes up to 160 bytes a character: all 1,024 take 40 MB at most."""

_MARK = re.compile(r"['\"$(`]")
_BEGINNING = re.compile(r"\s*(?:['\"`]|\$[A-Za-z_]|([A-Za-z_][A-Za-z0-9_]*)\s*\()")


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read and checked: its form is right, and its names and functions exist. Immutable."""

    text: str
    root: Node

    def evaluate(self, scope: Scope, *, clock: Clock = time.monotonic) -> Value:
        """Compute the value.

        Raises:
            ArcadeError: types that do not fit, a value out of range, a question its facts cannot answer, or budget
                used up.
        """
        return self.root.evaluate(Evaluation(scope, clock))


def parse(text: str) -> Expression:
    """Read and check an expression, without a scope: what this accepts can only fail for the values it meets.

    The last 1,024 short ones are remembered. Safe to call from any thread. Raises:
        ArcadeError: not an expression of the subset; the message says where and what is known instead.
    """
    return _parse_remembered(text) if len(text) <= _CACHED_LENGTH else _parse(text)


def _parse(text: str) -> Expression:
    root = read(text)
    for node in root.walk():
        if fault := node.fault():
            raise fault
    return Expression(text, root)


_parse_remembered = lru_cache(maxsize=1024)(_parse)


def evaluate(text: str, scope: Scope, *, clock: Clock = time.monotonic) -> Value:
    """Read and compute at once. Raises ArcadeError."""
    return parse(text).evaluate(scope, clock=clock)


def evaluate_condition(text: str, scope: Scope, *, clock: Clock = time.monotonic) -> bool:
    """Compute a path's condition. Raises ArcadeError, also when the result is neither true nor false."""
    value = evaluate(text, scope, clock=clock)
    if isinstance(value, bool):
        return value
    raise ArcadeError(f"a condition must be true or false; the result of {text!r} is {kind(value)}")


def evaluate_text(text: str, scope: Scope, *, clock: Clock = time.monotonic) -> str:
    """Compute a text, such as an assignee: numbers, true and false as Arcade writes them, null is empty, dates are ISO
    8601. Raises ArcadeError."""
    return text_of(evaluate(text, scope, clock=clock))


def evaluate_values(text: str, scope: Scope, *, clock: Clock = time.monotonic) -> tuple[Value, ...]:
    """Compute an array, such as the items to create a job for each of; null is none, any other value is the only one.
    Raises ArcadeError."""
    value = evaluate(text, scope, clock=clock)
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)


def is_expression(text: str) -> bool:
    """Tell an expression from a plain word such as a user's name, a group's id or an address. Never raises.

    An expression has a call, a ``$name`` or a quoted literal in it: ``a-b`` and ``5`` are words. A text that cannot be
    read counts when it begins like an expression (``$name``, a quote, a known function and its bracket), so that its
    fault is reported and not taken for a name.
    """
    if not _MARK.search(text):
        return False
    return _has_mark_remembered(text) if len(text) <= _CACHED_LENGTH else _has_mark(text)


def _has_mark(text: str) -> bool:
    try:
        return any(_is_marked(node) for node in read(text).walk())
    except ArcadeError:
        return _begins_like_one(text)


_has_mark_remembered = lru_cache(maxsize=1024)(_has_mark)


def _is_marked(node: Node) -> bool:
    return isinstance(node, Call | Variable | Template) or (isinstance(node, Literal) and isinstance(node.value, str))


def _begins_like_one(text: str) -> bool:
    match = _BEGINNING.match(text)
    return match is not None and (match[1] is None or match[1].lower() in FUNCTIONS)
