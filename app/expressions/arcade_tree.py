"""The tree of an Arcade expression, and its evaluation within a budget of steps and time.

A row of operators of one rank (``a + b - c``) is one node with many operands, evaluated from left to right, so a long
concatenation is wide and not deep.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.expressions.arcade_functions import FUNCTIONS, known_functions
from app.expressions.arcade_values import (
    BINARY,
    STEP_ERROR,
    ArcadeError,
    Operand,
    Position,
    Scope,
    Value,
    boolean,
    checked,
    negate,
)

MAX_DEPTH: Final = 64
MAX_STEPS: Final = 10_000
MAX_SECONDS: Final = 0.05
STEPS_BETWEEN_CLOCKS: Final = 256
"""A usual expression ends before the clock is read once, so a thread the system lets wait is no reason to fail it."""

BYTES_A_STEP: Final = 1024
"""Making text costs a step more for each of these: copying is what an expression without loops can waste."""

VARIABLES: Final[Mapping[str, tuple[str, Callable[[Scope], Operand]]]] = {
    "$currentuser": ("$currentUser", lambda scope: scope.current_user),
    "$job": ("$job", lambda scope: scope.job),
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
    def evaluate(self, run: Evaluation) -> Operand: ...

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

    def evaluate(self, run: Evaluation) -> Operand:
        run.spend(1, self.position)
        return self.value


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """``$name``. Names have no letter case."""

    name: str

    def evaluate(self, run: Evaluation) -> Operand:
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

    def evaluate(self, run: Evaluation) -> Operand:
        run.spend(1, self.position)
        raise self.fault()

    def fault(self) -> ArcadeError:
        known = _known_variables()
        return ArcadeError(f"{self.name} is no known name; known: {known}; text stands in quotes", self.position)


@dataclass(frozen=True, slots=True)
class Call(Node):
    """``Function(arguments)``. All arguments are evaluated, from left to right."""

    name: str
    arguments: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.arguments

    def evaluate(self, run: Evaluation) -> Operand:
        run.spend(1, self.position)
        values = [argument.evaluate(run) for argument in self.arguments]
        return FUNCTIONS[self.name.lower()].body(run.scope, values, self.position)

    def fault(self) -> ArcadeError | None:
        function = FUNCTIONS.get(self.name.lower())
        if function is None:
            return ArcadeError(f"function {self.name} is not supported; known: {known_functions()}", self.position)
        if function.takes(len(self.arguments)):
            return None
        return ArcadeError(f"{function.signature} does not take {len(self.arguments)} arguments", self.position)


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """``-operand`` or ``!operand``."""

    sign: str
    operand: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.operand,)

    def evaluate(self, run: Evaluation) -> Operand:
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

    def evaluate(self, run: Evaluation) -> Operand:
        value = self.first.evaluate(run)
        for sign, position, operand in self.rest:
            value = BINARY[sign](value, operand.evaluate(run), position)
            run.spend(1 + len(value) // BYTES_A_STEP if isinstance(value, str) else 1, position)
        return value


@dataclass(frozen=True, slots=True)
class Logical(Chain):
    """``a && b && ...`` or ``a || b || ...``: stops at the first operand that decides, the others are not evaluated."""

    def evaluate(self, run: Evaluation) -> Operand:
        first_sign, first_position, _ = self.rest[0]
        decides = first_sign == "||"
        for sign, position, operand in ((first_sign, first_position, self.first), *self.rest):
            run.spend(1, position)
            if boolean(sign, operand.evaluate(run), position) is decides:
                return decides
        return not decides


def _known_variables() -> str:
    return ", ".join(name for name, _ in VARIABLES.values())
