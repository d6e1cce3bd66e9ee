"""A diagram walked through without a job: which steps are current and which wait, by the real join rule. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from app.domain.branching import Branch
from app.domain.diagram import Diagram
from app.domain.job import UNASSIGNED, PendingStep, ReturnValue
from app.domain.joins import arrive, open_joins

MAX_LOOKS = 500_000
"""So many pairs of steps are compared for joins in all, in some tenths of a second. Only hundreds of parallel branches
use it up."""

MAX_STATES = 400
"""So many states are looked at to prove that a join never opens."""


@dataclass(frozen=True, slots=True)
class Move:
    """A step ended with this value (None: it had no paths, or a question was skipped)."""

    step_id: str
    value: ReturnValue


@dataclass(frozen=True, slots=True)
class Trial:
    """The moves so far, and the steps that are current and that wait then."""

    current: tuple[str, ...]
    pending: tuple[PendingStep, ...] = ()
    moves: tuple[Move, ...] = ()

    @property
    def waiting(self) -> tuple[str, ...]:
        return tuple(each.step_id for each in self.pending)

    @property
    def state(self) -> tuple[frozenset[str], frozenset[str]]:
        return frozenset(self.current), frozenset(self.waiting)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a step can come to an end: with which value, along which paths. All these lead to steps of lower rank."""

    value: ReturnValue
    targets: tuple[str, ...]
    rank: int


class Walker:
    """Makes trials of one diagram. ``endings`` has the steps that can end."""

    def __init__(
        self, diagram: Diagram, branches: Mapping[str, tuple[Branch, ...]], endings: Mapping[str, Ending]
    ) -> None:
        self._diagram = diagram
        self._branches = branches
        self._endings = endings
        self._looks = MAX_LOOKS

    def along(self, way: Sequence[str]) -> Trial:
        """Walk from the first step of ``way`` to its last; other branches go on only where a join waits for them.

        Stops before the end of the way where one of those can never end. When there is too much to look at, the rest of
        the way is shown without the other branches.
        """
        trial = Trial((way[0],))
        for number, (step_id, following) in enumerate(pairwise(way)):
            trial = self.finish_others(trial, until=step_id)
            if step_id not in trial.current:
                break
            branch = self._branch(step_id, following)
            after = self.end(trial, step_id, branch.value, dict.fromkeys((*branch.always, following)))
            if after is None:
                rest = [Move(each, self._branch(each, to).value) for each, to in pairwise(way[number:])]
                return Trial((way[-1],), (), (*trial.moves, *rest))
            trial = after
        return trial

    def _branch(self, step_id: str, following: str) -> Branch:
        return next(each for each in self._branches[step_id] if following in each.targets)

    def finish_others(self, trial: Trial, until: str | None = None) -> Trial:
        """Let the steps that can end do so, those first that have furthest to go, until ``until`` is current.

        Each move leads to steps of lower rank only, so this ends.
        """
        while until not in trial.current:
            able = [step_id for step_id in trial.current if step_id in self._endings]
            if not able:
                break
            step_id = max(able, key=lambda each: self._endings[each].rank)
            ending = self._endings[step_id]
            after = self.end(trial, step_id, ending.value, ending.targets)
            if after is None:
                break
            trial = after
        return trial

    def end(self, trial: Trial, step_id: str, value: ReturnValue, targets: Collection[str]) -> Trial | None:
        """End a current step, go on to ``targets``, and open the joins that are free. None: too much to look at."""
        stay = [current for current in trial.current if current != step_id]
        reached = arrive(trial.pending, stay, [PendingStep(target, UNASSIGNED, 0) for target in targets])
        looks = len(reached) * (len(stay) + len(reached))
        if looks > self._looks:
            return None
        self._looks -= looks
        ready, waiting = open_joins(self._diagram, stay, reached)
        current = (*stay, *(each.step_id for each in ready))
        return Trial(current, waiting, (*trial.moves, Move(step_id, value)))

    def never_open(self, trial: Trial) -> tuple[str, ...]:
        """The waiting steps that become current in no trial that goes on from here; none where that cannot be shown."""
        closed, states, queue = set(trial.waiting), {trial.state}, [replace(trial, moves=())]
        for at in queue:
            closed -= set(at.current)
            for after in self._following(at) if closed else ():
                if after is None or len(states) > MAX_STATES:
                    return ()
                if after.state not in states:
                    states.add(after.state)
                    queue.append(replace(after, moves=()))
        return tuple(step_id for step_id in trial.waiting if step_id in closed)

    def _following(self, trial: Trial) -> Iterator[Trial | None]:
        for step_id in trial.current:
            if not self._diagram.by_id[step_id].paths:
                yield self.end(trial, step_id, None, ())
            for branch in self._branches[step_id]:
                for targets in _choices(branch):
                    yield self.end(trial, step_id, branch.value, targets)


def _choices(branch: Branch) -> Iterator[tuple[str, ...]]:
    """Ways to take a branch: none of its unsure paths, each one, and all of them."""
    if branch.always:
        yield branch.always
    for target in branch.maybe:
        yield (*branch.always, target)
    if len(branch.maybe) > 1:
        yield branch.targets
