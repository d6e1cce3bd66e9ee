"""The functions an Arcade expression may call. A new one is added here, by its decorator, and nowhere else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.expressions.arcade_values import ArcadeError, Operand, Position, Scope, checked, kind

Body = Callable[[Scope, Sequence[Operand], Position], Operand]


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its name as documentation writes it, its parameters, and what it computes.

    ``optional`` of the parameters, counted from the end, may be left out. ``body`` gets the scope, the evaluated
    arguments (as many as were given) and the position of the call for its errors.
    """

    name: str
    parameters: tuple[str, ...]
    body: Body
    optional: int = 0

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"

    def takes(self, count: int) -> bool:
        """Tell whether the function can be called with so many arguments."""
        return len(self.parameters) - self.optional <= count <= len(self.parameters)


_REGISTRY: Final[dict[str, Function]] = {}
FUNCTIONS: Final[Mapping[str, Function]] = _REGISTRY
"""By name in lower case: Arcade's names have no letter case."""


def known_functions() -> str:
    """The names for an error message, in alphabetical order."""
    return ", ".join(sorted(function.name for function in FUNCTIONS.values()))


def arcade_function(name: str, *parameters: str, optional: int = 0) -> Callable[[Body], Body]:
    """Register a function; two of one name are a fault of the program and raise ValueError at import."""

    def register(body: Body) -> Body:
        if name.lower() in _REGISTRY:
            raise ValueError(f"the Arcade function {name} is defined twice")
        _REGISTRY[name.lower()] = Function(name, parameters, body, optional)
        return body

    return register


@arcade_function("JobCreator", "job")
def _job_creator(_: Scope, arguments: Sequence[Operand], position: Position) -> Operand:
    return _member("JobCreator", arguments[0], "createdBy", position)


@arcade_function("JobOwner", "job")
def _job_owner(_: Scope, arguments: Sequence[Operand], position: Position) -> Operand:
    return _member("JobOwner", arguments[0], "ownedBy", position)


def _member(function: str, job: Operand, member: str, position: Position) -> Operand:
    """A member of the job, null when it has none."""
    if job is None:
        raise ArcadeError(f"{function} needs a job, and there is none here", position)
    if not isinstance(job, Mapping):
        raise ArcadeError(f"{function} needs a job, for instance {function}($job); got {kind(job)}", position)
    return checked(job.get(member), f"{member} of the job", position)
