"""Which ways a step can go, whatever the job: for each value it may return, the paths that open. Pure.

An expression that looks at nothing but ``$retVal`` is decided here; one that asks for the job, its user or the time may
turn out either way. An expression that fails for a value lets nothing open for it, as when a job is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.diagram import Diagram, Path, Step, StepKind
from app.domain.job import ReturnValue
from app.domain.prompts import choices
from app.expressions.arcade import STEP_ERROR, STEP_SUCCESS, ArcadeError, Scope, evaluate_condition, parse
from app.expressions.arcade_tree import Call, Literal, Node, Variable

MAX_CODES = 50
"""So many return codes of one step are looked at; each costs an evaluation of every path of the step."""

_DECIDED = {"$retval", "$stepsuccess", "$steperror"}


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a step leads when it returns ``value``: to all of ``always``, and to any of ``maybe``, at least to one."""

    value: ReturnValue
    always: tuple[str, ...]
    maybe: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        return (*self.always, *self.maybe)


@dataclass(frozen=True, slots=True)
class Branching:
    """A step's branches, and what of it leads nowhere: values that must have a path, ids of steps that are not there.

    A step without paths has no branches: it is an explicit end.
    """

    branches: tuple[Branch, ...]
    without_path: tuple[ReturnValue, ...] = ()
    missing: tuple[str, ...] = ()


def branching(diagram: Diagram, step: Step) -> Branching:
    """Work out the ways out of one step."""
    if not step.paths:
        return Branching(())
    missing = tuple(dict.fromkeys(path.next_step for path in step.paths if path.next_step not in diagram.by_id))
    paths = [path for path in step.paths if path.next_step in diagram.by_id]
    codes = _codes(step)
    expected = _expected(step, codes)
    values = [*expected, *([STEP_SUCCESS] if step.is_service else []), *_skipped(step)]
    branches = [branch for value in dict.fromkeys(values) if (branch := _branch(paths, value)) is not None]
    leading = {branch.value for branch in branches}
    without_path = tuple(value for value in expected if value not in leading and value != STEP_ERROR)
    failing = [] if step.kind is StepKind.QUESTION else _failing(step, paths)
    return Branching((*branches, *failing), without_path, missing)


def moves_alone(step: Step) -> bool:
    """The step starts by itself, asks nobody and goes on by itself."""
    return step.automatic and step.proceed_next and not step.asks


def _expected(step: Step, codes: list[ReturnValue]) -> list[ReturnValue]:
    """Values that need a path: a question's answers; success; and the codes a service's expressions name."""
    if step.kind is StepKind.QUESTION:
        return [choice.value for choice in choices(step) if not choice.cancels]
    if not step.is_service:
        return [STEP_SUCCESS]
    numbers = [code for code in codes if code not in {STEP_SUCCESS, STEP_ERROR}]
    return list(dict.fromkeys([*([] if numbers else [STEP_SUCCESS]), *codes]))


def _skipped(step: Step) -> list[ReturnValue]:
    """A question that is skipped returns nothing; other steps then return success."""
    return [None] if step.kind is StepKind.QUESTION and step.can_skip else []


def _failing(step: Step, paths: list[Path]) -> list[Branch]:
    """Where a failure leads: along the paths that ask for one, else, finished by hand, along those open for it.

    As ``paths.error_ways`` and ``finishing.finishing_value`` have it. A step that asks nobody and is no service fails
    only when nothing opens for its success, or at the end of an automatic loop.
    """
    by_hand = None if step.can_skip else _branch(paths, STEP_ERROR)
    if not (step.asks or step.is_service):
        return [by_hand] if by_hand and (step.automatic or _branch(paths, STEP_SUCCESS) is None) else []
    asked_for = _asked_for(paths)
    if asked_for and asked_for.always:
        return [asked_for]
    return [branch for branch in (asked_for, by_hand) if branch is not None]


def _asked_for(paths: list[Path]) -> Branch | None:
    """The paths that open for a failure and not for success."""
    always: list[str] = []
    maybe: list[str] = []
    for path in paths:
        try:
            failed, succeeded = _opens(path, STEP_ERROR), _opens(path, STEP_SUCCESS)
        except ArcadeError:
            return None
        if path.expression and failed is not False and succeeded is not True:
            (always if failed and succeeded is False else maybe).append(path.next_step)
    return _as_branch(STEP_ERROR, always, maybe)


def _branch(paths: list[Path], value: ReturnValue) -> Branch | None:
    always: list[str] = []
    maybe: list[str] = []
    for path in paths:
        try:
            opens = _opens(path, value)
        except ArcadeError:
            return None
        if opens is not False:
            (maybe if opens is None else always).append(path.next_step)
    return _as_branch(value, always, maybe)


def _as_branch(value: ReturnValue, always: list[str], maybe: list[str]) -> Branch | None:
    sure = tuple(dict.fromkeys(always))
    unsure = tuple(target for target in dict.fromkeys(maybe) if target not in sure)
    return Branch(value, sure, unsure) if sure or unsure else None


def _opens(path: Path, value: ReturnValue) -> bool | None:
    """Tell whether a path opens for a value; None when that depends on the job. Raises ArcadeError."""
    if not path.expression:
        return True
    if not all(_is_decided(node) for node in parse(path.expression).root.walk()):
        return None
    return evaluate_condition(path.expression, Scope(ret_val=value))


def _is_decided(node: Node) -> bool:
    return not isinstance(node, Call) and (not isinstance(node, Variable) or node.name.lower() in _DECIDED)


def _codes(step: Step) -> list[ReturnValue]:
    """The values that a step's expressions compare with ``$retVal``, in order."""
    found = dict.fromkeys(code for path in step.paths if path.expression for code in _codes_in(path.expression))
    return list(found)[:MAX_CODES]


def _codes_in(expression: str) -> Iterator[ReturnValue]:
    try:
        nodes = list(parse(expression).root.walk())
    except ArcadeError:
        return
    names = {node.name.lower() for node in nodes if isinstance(node, Variable)}
    if "$retval" not in names or not all(map(_is_decided, nodes)):
        return
    if "$stepsuccess" in names:
        yield STEP_SUCCESS
    if "$steperror" in names:
        yield STEP_ERROR
    for node in nodes:
        if isinstance(node, Literal) and isinstance(node.value, int | float | str) and not isinstance(node.value, bool):
            yield node.value
