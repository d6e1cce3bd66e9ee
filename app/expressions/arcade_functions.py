"""How a function of the language is written: its name, its parameters, what it means, and what it computes.

Each module of functions has a ``Functions`` of its own; ``arcade_table`` is all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from app.expressions.arcade_scope import Scope
from app.expressions.arcade_values import ArcadeError, Dictionary, Position, Value, is_number, kind, text_of

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")


class Given:
    """The arguments of one call, evaluated when they are asked for, and each at most once.

    Every accessor raises ArcadeError for a value of another type.
    """

    __slots__ = ("_evaluate", "_values", "name", "position", "scope")

    def __init__(self, name: str, scope: Scope, arguments: Sequence[Callable[[], Value]], position: Position) -> None:
        self.name = name
        self.scope = scope
        self.position = position
        self._evaluate = arguments
        self._values: dict[int, Value] = {}

    def __len__(self) -> int:
        return len(self._evaluate)

    def __getitem__(self, index: int) -> Value:
        if index not in self._values:
            self._values[index] = self._evaluate[index]()
        return self._values[index]

    def __iter__(self) -> Iterator[Value]:
        return (self[index] for index in range(len(self)))

    def text(self, index: int, default: str = "") -> str:
        """As text; numbers, dates, true, false and null have one."""
        value = self[index] if index < len(self) else default
        if isinstance(value, tuple | Dictionary):
            self.wrong(index, "text", value)
        return text_of(value)

    def number(self, index: int) -> int | float:
        value = self[index]
        return value if is_number(value) else self.wrong(index, "a number", value)

    def whole(self, index: int, default: int = 0) -> int:
        """A number without a fraction."""
        value = self.number(index) if index < len(self) else default
        return int(value) if value == int(value) else self.wrong(index, "a whole number", value)

    def flag(self, index: int) -> bool:
        value = self[index]
        return value if isinstance(value, bool) else self.wrong(index, "true or false", value)

    def date(self, index: int) -> datetime:
        value = self[index]
        return value if isinstance(value, datetime) else self.wrong(index, "a date, for instance Date(...),", value)

    def array(self, index: int) -> tuple[Value, ...]:
        value = self[index]
        return value if isinstance(value, tuple) else self.wrong(index, "an array", value)

    def wrong(self, index: int, needed: str, got: Value) -> NoReturn:
        """Raise the error for an argument of the wrong type."""
        place = _ORDINALS[index] if index < len(_ORDINALS) else f"{index + 1}th"
        self.fail(f"{self.name} needs {needed} as its {place} argument; got {kind(got)}")

    def fail(self, problem: str) -> NoReturn:
        """Raise an error that says where the call is."""
        raise ArcadeError(problem, self.position)


Body = Callable[[Given], Value]


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its name as documentation writes it, its parameters, its meaning in a line, and what it computes.

    ``optional`` of the parameters, counted from the end, may be left out. ``repeats`` is how many of the last
    parameters may be given again and again. ``is_lazy``: evaluates only the arguments it needs. ``is_of_job``: its
    value is a job's, and is encoded where the scope asks for that.
    """

    name: str
    parameters: tuple[str, ...]
    meaning: str
    body: Body
    optional: int = 0
    repeats: int = 0
    is_lazy: bool = False
    is_of_job: bool = False

    @property
    def signature(self) -> str:
        required = len(self.parameters) - self.optional
        shown = [name if number < required else f"{name}?" for number, name in enumerate(self.parameters)]
        return f"{self.name}({', '.join(shown)}{', ...' if self.repeats else ''})"

    def takes(self, count: int) -> bool:
        """Tell whether the function can be called with so many arguments."""
        most = len(self.parameters)
        if self.repeats and count > most:
            return (count - most) % self.repeats == 0
        return most - self.optional <= count <= most


class Functions(dict[str, Function]):
    """Functions by name in lower case: Arcade's names have no letter case."""

    def add(
        self,
        name: str,
        *parameters: str,
        means: str,
        optional: int = 0,
        repeats: int = 0,
        is_lazy: bool = False,
        is_of_job: bool = False,
    ) -> Callable[[Body], Body]:
        """Register a function; two of one name are a fault of the program and raise ValueError at import."""

        def register(body: Body) -> Body:
            self.put(Function(name, parameters, means, body, optional, repeats, is_lazy, is_of_job))
            return body

        return register

    def put(self, function: Function) -> None:
        """Raises ValueError when there is one of this name."""
        if function.name.lower() in self:
            raise ValueError(f"the Arcade function {function.name} is defined twice")
        self[function.name.lower()] = function
