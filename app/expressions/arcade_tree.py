"""The tree of an Arcade expression, and its evaluation within a budget of steps and time.

A row of operators of one rank (``a + b - c``) is one node with many operands, evaluated from left to right, so a long
concatenation is wide and not deep.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.expressions.arcade_functions import Given
from app.expressions.arcade_operators import BINARY, boolean, negate
from app.expressions.arcade_scope import Scope
from app.expressions.arcade_table import FUNCTIONS, unknown_function
from app.expressions.arcade_values import (
    STEP_ERROR,
    ArcadeError,
    Dictionary,
    Position,
    Value,
    checked,
    is_number,
    kind,
    text_of,
    weight,
    within_size,
)

MAX_DEPTH: Final = 64
MAX_STEPS: Final = 10_000
MAX_SECONDS: Final = 0.05
STEPS_BETWEEN_CLOCKS: Final = 256
"""A usual expression ends before the clock is read once, so a thread the system lets wait is no reason to fail it."""

VARIABLES: Final[Mapping[str, tuple[str, Callable[[Scope], Value]]]] = {
    "$currentuser": ("$currentUser", lambda scope: scope.current_user),
    "$job": ("$job", lambda scope: scope.job.get("jobId") if scope.job else None),
    "$parentjob": ("$parentJob", lambda scope: scope.job.get("parentJob") if scope.job else None),
    "$currentportal": ("$currentPortal", lambda _: "portal"),
    "$retval": ("$retVal", lambda scope: scope.ret_val),
    "$stepsuccess": ("$stepSuccess", lambda scope: scope.step_success),
    "$steperror": ("$stepError", lambda _: STEP_ERROR),
}
"""By name in lower case: the name as documentation writes it, and where its value is."""


class Evaluation:
    """One evaluation under way: its scope, and what is left of its budget.

    Args:
        clock: seconds, never going back.
    """

    __slots__ = ("_clock", "_deadline", "_left", "_next_clock", "scope")

    def __init__(self, scope: Scope, clock: Callable[[], float]) -> None:
        self.scope = scope
        self._clock = clock
        self._deadline = clock() + MAX_SECONDS
        self._left = MAX_STEPS
        self._next_clock = MAX_STEPS - STEPS_BETWEEN_CLOCKS

    def spend(self, steps: int, position: Position) -> None:
        """Take steps from the budget. Raises ArcadeError when it, or the time, is used up."""
        self._left -= steps
        if self._left < self._next_clock:
            self._check(position)

    def _check(self, position: Position) -> None:
        if self._left < 0:
            raise ArcadeError(f"the expression needs more than {MAX_STEPS} steps", position)
        if self._clock() > self._deadline:
            raise ArcadeError(f"the expression needs more than {MAX_SECONDS * 1000:.0f} ms", position)
        self._next_clock = self._left - STEPS_BETWEEN_CLOCKS


@dataclass(frozen=True, slots=True)
class Node(ABC):
    """A part of an expression. ``depth`` counts the levels below and including this one, brackets too."""

    position: Position
    depth: int

    @abstractmethod
    def evaluate(self, run: Evaluation) -> Value: ...

    @property
    def children(self) -> tuple["Node", ...]:
        return ()

    def walk(self) -> Iterator["Node"]:
        """This node and all below it. ``MAX_DEPTH`` bounds the recursion."""
        yield self
        for child in self.children:
            yield from child.walk()

    def fault(self) -> ArcadeError | None:
        """What is wrong with this node in any scope, such as an unknown name; its children are not looked at."""
        return None


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, a quoted text, true, false or null."""

    value: Value

    def evaluate(self, run: Evaluation) -> Value:
        run.spend(1, self.position)
        return self.value


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """``$name``. Names have no letter case."""

    name: str

    def evaluate(self, run: Evaluation) -> Value:
        run.spend(1, self.position)
        return checked(VARIABLES[self.name.lower()][1](run.scope), self.name, self.position)

    def fault(self) -> ArcadeError | None:
        if self.name.lower() in VARIABLES:
            return None
        return ArcadeError(f"there is no variable {self.name}; known: {_known_variables()}", self.position)


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A word on its own. Reading allows it, so that a user's name can be told from an expression; it has no value."""

    name: str

    def evaluate(self, run: Evaluation) -> Value:
        run.spend(1, self.position)
        raise self.fault()

    def fault(self) -> ArcadeError:
        known = _known_variables()
        return ArcadeError(f"{self.name} is no known name; known: {known}; text stands in quotes", self.position)


@dataclass(frozen=True, slots=True)
class Call(Node):
    """``Function(arguments)``. Arguments are evaluated from left to right, unless the function chooses among them."""

    name: str
    arguments: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.arguments

    def evaluate(self, run: Evaluation) -> Value:
        run.spend(1, self.position)
        function = FUNCTIONS[self.name.lower()]
        thunks = [_Argument(argument, run) for argument in self.arguments]
        given = Given(function.name, run.scope, thunks, self.position)
        if not function.is_lazy:
            for _ in given:
                pass
        try:
            value = function.body(given)
        except ArcadeError as error:
            raise error if error.position else ArcadeError(error.problem, self.position) from None
        run.spend(weight(value), self.position)
        return run.scope.encoding.written(value) if function.is_of_job else value

    def fault(self) -> ArcadeError | None:
        function = FUNCTIONS.get(self.name.lower())
        if function is None:
            return ArcadeError(unknown_function(self.name), self.position)
        if function.takes(len(self.arguments)):
            return None
        return ArcadeError(f"{function.signature} does not take {len(self.arguments)} arguments", self.position)


@dataclass(frozen=True, slots=True)
class _Argument:
    """An argument that is evaluated when it is called; reading what it is worth costs by its size."""

    node: Node
    run: Evaluation

    def __call__(self) -> Value:
        value = self.node.evaluate(self.run)
        self.run.spend(weight(value), self.node.position)
        return value


@dataclass(frozen=True, slots=True)
class ArrayLiteral(Node):
    """``[item, ...]``."""

    items: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.items

    def evaluate(self, run: Evaluation) -> Value:
        run.spend(1, self.position)
        return tuple(item.evaluate(run) for item in self.items)


@dataclass(frozen=True, slots=True)
class DictionaryLiteral(Node):
    """``{key: value, ...}``; of two that are the same key, the last one counts."""

    keys: tuple[str, ...]
    values: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.values

    def evaluate(self, run: Evaluation) -> Value:
        run.spend(1, self.position)
        return Dictionary({key: value.evaluate(run) for key, value in zip(self.keys, self.values, strict=True)})


@dataclass(frozen=True, slots=True)
class Template(Node):
    """`` `text ${expression} text` ``: the parts, one after the other, as text."""

    parts: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.parts

    def evaluate(self, run: Evaluation) -> Value:
        run.spend(1, self.position)
        text = ""
        for part in self.parts:
            text = within_size(text + text_of(part.evaluate(run), part.position), "the text", part.position)
            run.spend(weight(text), part.position)
        return text


@dataclass(frozen=True, slots=True)
class Item(Node):
    """``container[index]``, or ``dictionary.key``. An index counts from 0, or from the end when it is negative."""

    container: Node
    index: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.container, self.index)

    def evaluate(self, run: Evaluation) -> Value:
        run.spend(1, self.position)
        container, index = self.container.evaluate(run), self.index.evaluate(run)
        if isinstance(container, Dictionary):
            return self._under(container, text_of(index, self.position))
        if not isinstance(container, tuple | str):
            raise ArcadeError(f"[ ] and . need an array, a dictionary or text; got {kind(container)}", self.position)
        if not is_number(index) or index != int(index):
            raise ArcadeError(f"an index is a whole number; got {kind(index)}", self.position)
        if not -len(container) <= index < len(container):
            raise ArcadeError(f"there is no item {int(index)}; there are {len(container)}", self.position)
        return container[int(index)]

    def _under(self, dictionary: Dictionary, wanted: str) -> Value:
        key = dictionary.key(wanted)
        if key is None:
            known = ", ".join(list(dictionary.entries)[:20]) or "none"
            raise ArcadeError(f"the dictionary has no key {wanted[:40]!r}; it has: {known[:500]}", self.position)
        return dictionary.entries[key]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """``-operand`` or ``!operand``."""

    sign: str
    operand: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.operand,)

    def evaluate(self, run: Evaluation) -> Value:
        run.spend(1, self.position)
        value = self.operand.evaluate(run)
        if self.sign == "-":
            return negate(value, self.position)
        return not boolean(self.sign, value, self.position)


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """Operators of one rank, from left to right: the first operand, then sign, its position and operand for each."""

    first: Node
    rest: tuple[tuple[str, Position, Node], ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.first, *(operand for _, _, operand in self.rest))

    def evaluate(self, run: Evaluation) -> Value:
        value = self.first.evaluate(run)
        for sign, position, operand in self.rest:
            value = BINARY[sign](value, operand.evaluate(run), position)
            run.spend(1 + weight(value), position)
        return value


@dataclass(frozen=True, slots=True)
class Logical(Chain):
    """``a && b && ...`` or ``a || b || ...``: stops at the first operand that decides, the others are not evaluated."""

    def evaluate(self, run: Evaluation) -> Value:
        first_sign, first_position, _ = self.rest[0]
        decides = first_sign == "||"
        for sign, position, operand in ((first_sign, first_position, self.first), *self.rest):
            run.spend(1, position)
            if boolean(sign, operand.evaluate(run), position) is decides:
                return decides
        return not decides


def _known_variables() -> str:
    return ", ".join(name for name, _ in VARIABLES.values())
