"""Whether jobs can get through a diagram: what is wrong with it, each finding with the moves that show it. Pure.

A step *can end* when some value it returns leads only to steps that can end, or when it has no paths. A job whose
current and pending steps all can end can itself be ended: let the step that has furthest to go end first, and every
move leads to steps that have less far to go; joins only put branches together, and open at the latest when nothing else
is current. And a job with a step that cannot end is never ended, since whatever that step returns there is such a step
again. So this looks at steps and never at combinations of them, in a time that grows with the paths of the diagram;
only what shows a finding is walked through, with a limit.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from app.domain.branching import Branch, Branching, branching, moves_alone
from app.domain.diagram import Diagram
from app.domain.graphs import components, reachable
from app.domain.job import ReturnValue
from app.domain.trials import Ending, Move, Trial, Walker
from app.expressions.arcade import STEP_SUCCESS

MAX_FINDINGS = 20
"""More are not told: a thousand moves may belong to each."""


class FindingKind(StrEnum):
    """What is wrong (wire: ``kind`` of a warning)."""

    MISSING_STEP = "missingStep"
    NO_PATH = "valueWithoutPath"
    NEVER_REACHED = "neverReached"
    DEAD_END = "deadEnd"
    NEVER_ENDS = "neverEnds"
    STARVING_JOIN = "starvingJoin"
    AUTOMATIC_LOOP = "automaticLoop"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    ``step_ids`` are the steps at fault. ``moves`` lead a new job there, ``current`` and ``waiting`` are its steps then;
    none lead to steps that are never reached, and other branches are left out where ``Walker`` has too much to look at.
    ``values`` are those without a path, ``missing`` ids of no step, ``join`` the step that waits for ever.
    """

    kind: FindingKind
    message: str
    step_ids: tuple[str, ...]
    moves: tuple[Move, ...] = ()
    current: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    values: tuple[ReturnValue, ...] = ()
    missing: tuple[str, ...] = ()
    join: str | None = None


def check_soundness(diagram: Diagram) -> tuple[Finding, ...]:
    """The first ``MAX_FINDINGS`` things that are wrong with a diagram that may become active; none: it is sound."""
    return tuple(islice(_findings(_Plan(diagram)), MAX_FINDINGS))


@dataclass
class _Plan:
    """What the checks look at: the branches of each step, the steps that a job can get to, those that can end."""

    diagram: Diagram
    ways: Mapping[str, Branching] = field(init=False)
    branches: Mapping[str, tuple[Branch, ...]] = field(init=False)
    graph: Mapping[str, tuple[str, ...]] = field(init=False)
    came_from: Mapping[str, str | None] = field(init=False)
    endings: Mapping[str, Ending] = field(init=False)
    walker: Walker = field(init=False)

    def __post_init__(self) -> None:
        self.ways = {step.step_id: branching(self.diagram, step) for step in self.diagram.steps}
        self.branches = {step_id: way.branches for step_id, way in self.ways.items()}
        self.graph = {
            step_id: tuple(dict.fromkeys(target for branch in branches for target in branch.targets))
            for step_id, branches in self.branches.items()
        }
        self.came_from = reachable(self.graph, self.diagram.initial_step_id)
        self.endings = _endings(self.diagram, self.branches)
        self.walker = Walker(self.diagram, self.branches, self.endings)

    def trial_to(self, step_id: str) -> Trial:
        """A walk of a new job to a step it can get to."""
        way = [step_id]
        while (before := self.came_from[way[-1]]) is not None:
            way.append(before)
        return self.walker.along(way[::-1])

    def named(self, step_ids: Collection[str]) -> str:
        """Steps as text, the first few."""
        names = [f"{step_id!r} ({self.diagram.by_id[step_id].name})" for step_id in list(step_ids)[:5]]
        return ", ".join(names) + (f" and {len(step_ids) - 5} more" if len(step_ids) > 5 else "")


def _endings(diagram: Diagram, branches: Mapping[str, tuple[Branch, ...]]) -> dict[str, Ending]:
    """The steps that can end, and how. Each branch counts the targets that are not known to end yet."""
    left: dict[tuple[str, int], int] = {}
    waiting: dict[str, list[tuple[str, int, bool]]] = defaultdict(list)
    for step_id, each in branches.items():
        for number, branch in enumerate(each):
            # A branch without a sure path needs one of its unsure ones.
            left[step_id, number] = len(branch.always) or 1
            for target in branch.always or branch.maybe:
                waiting[target].append((step_id, number, bool(branch.always)))
    found = {step.step_id: Ending(None, (), 0) for step in diagram.steps if not step.paths}
    queue = list(found)
    for target in queue:
        for step_id, number, _ in waiting[target]:
            left[step_id, number] -= 1
            if left[step_id, number] == 0 and step_id not in found:
                branch = branches[step_id][number]
                found[step_id] = Ending(branch.value, branch.always or (target,), len(found))
                queue.append(step_id)
    return found


def _findings(plan: _Plan) -> Iterator[Finding]:
    yield from _traps(plan)
    yield from _loops(plan)
    yield from _gaps(plan)
    unreached = tuple(step.step_id for step in plan.diagram.steps if step.step_id not in plan.came_from)
    if unreached:
        text = f"No job gets to {plan.named(unreached)}: the paths that lead there never open."
        yield Finding(FindingKind.NEVER_REACHED, text, unreached)


def _gaps(plan: _Plan) -> Iterator[Finding]:
    for step_id in plan.came_from:
        way = plan.ways[step_id]
        if way.without_path:
            listed = ", ".join(map(repr, way.without_path[:10]))
            text = f"The step {plan.named([step_id])} may return {listed}, and no path opens for that."
            yield _shown(plan.trial_to(step_id), FindingKind.NO_PATH, text, (step_id,), values=way.without_path)
        if way.missing:
            text = f"Paths of the step {plan.named([step_id])} lead to {', '.join(map(repr, way.missing[:5]))}, "
            text += "which the diagram does not have; they are never taken."
            yield _shown(plan.trial_to(step_id), FindingKind.MISSING_STEP, text, (step_id,), missing=way.missing)


def _traps(plan: _Plan) -> Iterator[Finding]:
    """Sets of steps that lead to each other and can never all end; others that cannot end lead into one of them."""
    stuck = [step_id for step_id in plan.came_from if step_id not in plan.endings]
    inner = {step_id: [target for target in plan.graph[step_id] if target not in plan.endings] for step_id in stuck}
    for trap in components(inner):
        members = set(trap)
        if all(members.issuperset(inner[step_id]) for step_id in trap):
            yield from _trap(plan, tuple(trap))


def _trap(plan: _Plan, trap: tuple[str, ...]) -> Iterator[Finding]:
    members = set(trap)
    trial = plan.trial_to(next(step_id for step_id in plan.came_from if step_id in members))
    leaves = any(not members.issuperset(plan.graph[step_id]) for step_id in trap)
    if not any(plan.graph[step_id] for step_id in trap):
        text = f"No path out of the step {plan.named(trap)} ever opens, so a job that gets there never ends."
        yield _shown(trial, FindingKind.DEAD_END, text, trap)
    elif not leaves:
        text = f"From {plan.named(trap)} no end can be reached: these steps lead only to each other."
        yield _shown(trial, FindingKind.DEAD_END, text, trap)
    else:
        text = f"A job that gets to {plan.named(trap)} never ends: whatever they return, one of them is begun again."
        yield _shown(trial, FindingKind.NEVER_ENDS, text, trap)
    yield from _starving(plan, trial, trap)


def _starving(plan: _Plan, trial: Trial, trap: tuple[str, ...]) -> Iterator[Finding]:
    """Joins that wait for the trap. Go round once: a step that starts a branch each time has not done so yet."""
    idle = plan.walker.finish_others(trial)
    for step_id in (*trap, *trap):
        if step_id in idle.current and plan.branches[step_id]:
            branch = plan.branches[step_id][0]
            after = plan.walker.end(idle, step_id, branch.value, branch.always or branch.maybe[:1])
            if after is None:
                return
            idle = plan.walker.finish_others(after)
    for join in plan.walker.never_open(idle):
        text = f"The step {plan.named([join])} waits for ever: {plan.named(trap)} could lead there and never end."
        yield _shown(idle, FindingKind.STARVING_JOIN, text, trap, join=join)


def _loops(plan: _Plan) -> Iterator[Finding]:
    """Steps that start and end by themselves and lead back to each other: they may go round until they are stopped."""
    alone = {step_id: None for step_id in plan.came_from if moves_alone(plan.diagram.by_id[step_id])}
    inner = {step_id: [each for each in _onward(plan, step_id) if each in alone] for step_id in alone}
    for loop in components(inner):
        if len(loop) > 1 or loop[0] in inner[loop[0]]:
            text = f"{plan.named(loop)} start by themselves and lead back to each other: a job may go round without a "
            text += "person, until it is stopped after 1,000 steps."
            yield _shown(plan.trial_to(loop[0]), FindingKind.AUTOMATIC_LOOP, text, tuple(loop))


def _onward(plan: _Plan, step_id: str) -> Iterator[str]:
    """Where a step leads by itself; one that is no service does not fail."""
    is_service = plan.diagram.by_id[step_id].is_service
    for branch in plan.branches[step_id]:
        if is_service or branch.value == STEP_SUCCESS:
            yield from branch.targets


def _shown(
    trial: Trial,
    kind: FindingKind,
    text: str,
    step_ids: tuple[str, ...],
    *,
    values: tuple[ReturnValue, ...] = (),
    missing: tuple[str, ...] = (),
    join: str | None = None,
) -> Finding:
    return Finding(kind, text, step_ids, trial.moves, trial.current, trial.waiting, values, missing, join)
