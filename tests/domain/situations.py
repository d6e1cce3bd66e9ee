"""Every situation an action can meet, and the rules of rest.md 15 and design.md section 6 as one table.

The table is written from those two, not from the code: ``expected`` is what the code must answer.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from app.domain.commands import Action, Finish, RefreshStatus, ReleaseHold, Run, SetCurrentStep, SetHold, Stop
from app.domain.diagram import Path, Step, StepKind
from app.domain.job import (
    UNASSIGNED,
    Answer,
    AssignedType,
    Assignment,
    CurrentStep,
    Flow,
    Hold,
    PendingStep,
    StepFault,
    StepState,
    StoredAnswer,
    WebhookDependency,
)
from app.domain.job import Run as JobRun
from app.domain.outcomes import StepStatus
from tests.domain.builders import START_MS, Play, diagram, group, job, step, user, visit

KINDS = list(StepKind)
SERVICES = {StepKind.EMAIL, StepKind.WEB_REQUEST, StepKind.CREATE_JOB, StepKind.EXECUTE_GP}
KEPT_BY_ANSWER = {StepKind.MANUAL, StepKind.OPEN_APP, StepKind.OTHER}

R, W, H, X = StepState.READY, StepState.WAITING, StepState.HANDLED, StepState.EXECUTING
STOPPING, P, C, F, D = StepState.STOPPING, StepState.PAUSED, StepState.CANCELLED, StepState.FAILED, StepState.DONE


class Elsewhere(Enum):
    """Where a step is that is not current."""

    NOT_CURRENT = "another step is current"
    PENDING = "waits for another branch"
    NOT_IN_DIAGRAM = "unknown in the diagram"
    NO_ACTIVE_STEP = "the workflow is complete"


OWNERS: dict[str, Assignment] = {
    "mine": user("ana"),
    "my group's": group("crew"),
    "another user's": user("ben"),
    "another group's": group("office"),
    "nobody's": UNASSIGNED,
}

HOLDS: dict[str, tuple[Hold, ...]] = {
    "manual": (Hold("h1", "x", "olga", START_MS),),
    "scheduled": (Hold("h2", "x", "olga", START_MS, scheduled_release_ms=START_MS + 1000),),
    "job": (Hold("h3", "x", "olga", START_MS, dependent_job_id="J2"),),
    "step of a job": (Hold("h4", "x", "olga", START_MS, dependent_job_id="J2", dependent_step_id="s2"),),
    "time or job": (Hold("h5", "x", "olga", START_MS, START_MS + 1000, "J3"),),
    "feature": (Hold("h6", "x", "olga", START_MS, webhook=WebhookDependency("C1", "state = 3", 0, 7)),),
}
HOLDS["all"] = tuple(hold for holds in HOLDS.values() for hold in holds)
HOLDS["none"] = ()

WAYS: dict[str, tuple[Path, ...]] = {
    "open": (Path("end"),),
    "the end": (),
    "on success": (Path("end", "$retVal == $stepSuccess"),),
    "on error": (Path("end", "$retVal == $stepError"),),
    "on answer 1": (Path("end", "$retVal == 1"),),
    "never": (Path("end", "1 == 2"),),
    "to a missing step": (Path("gone"),),
    "broken expression": (Path("end", "JobCreator(5) == 'x'"),),
    "broken assignment": (Path("end", assigned_type=AssignedType.USER, assigned_to="JobCreator(5)"),),
}
LEADS_ON: dict[str, set[str | None]] = {
    "open": {"success", "error", None},
    "the end": {"success", "error", None},
    "on success": {"success"},
    "on error": {"error"},
}
"""For which return values there is a way on; for the ways not listed there is none. None: no value at all."""


@dataclass(frozen=True)
class Situation:
    """All that can matter to an action on one step."""

    place: StepState | Elsewhere = R
    kind: StepKind = StepKind.MANUAL
    can_skip: bool = False
    proceed_next: bool = False
    automatic: bool = False
    owner: str = "mine"
    holds: str = "none"
    way: str = "open"
    closed: bool = False
    comment: str = "allowed"
    privileges: tuple[str, ...] = ("workflowSetStepCurrent", "jobUpdateHolds")

    @property
    def is_current(self) -> bool:
        return isinstance(self.place, StepState)

    @property
    def is_running(self) -> bool:
        return self.place in {X, W, H, STOPPING}

    @property
    def is_applying(self) -> bool:
        """An interactive step executes only while its stored answer is being applied."""
        return self.place is X and self.kind not in SERVICES

    @property
    def is_possible(self) -> bool:
        """Services never wait for a user, others neither stop slowly nor ask nobody; a closed job is not running."""
        if self.closed and self.is_running:
            return False
        if self.kind in SERVICES:
            return self.place not in {W, H}
        if self.owner == "nobody's" and self.is_running:
            return False
        return self.place is not STOPPING and (self.place is not H or self.kind in KEPT_BY_ANSWER)

    @property
    def is_mine(self) -> bool:
        return self.owner in {"mine", "my group's"}

    @property
    def is_skip(self) -> bool:
        return self.can_skip and self.place in {R, C, F}

    @property
    def returned(self) -> str | None:
        """What ``$retVal`` is when the step is finished now."""
        if self.kind is StepKind.QUESTION:
            return None
        return "error" if self.place is F and not self.can_skip else "success"


ALL: set[type[Action]] = {Run, Finish, Stop, SetCurrentStep, SetHold, ReleaseHold, RefreshStatus}
MOVES: set[type[Action]] = {Run, Finish, Stop, RefreshStatus}

# status, the actions it concerns, how often it is given: rest.md 15.1 (order), 15.2 - 15.8, design.md section 6
RULES: list[tuple[StepStatus, set[type[Action]], Callable[[Situation], int]]] = [
    (StepStatus.JOB_CLOSED, ALL, lambda s: s.closed),
    (StepStatus.NO_ACTIVE_STEP, MOVES | {SetCurrentStep}, lambda s: s.place is Elsewhere.NO_ACTIVE_STEP),
    (StepStatus.STEP_NOT_IN_DIAGRAM, ALL, lambda s: s.place is Elsewhere.NOT_IN_DIAGRAM),
    (StepStatus.STEP_NOT_CURRENT, MOVES, lambda s: s.place in {Elsewhere.NOT_CURRENT, Elsewhere.PENDING}),
    (StepStatus.ASSIGNED_TO_DIFFERENT_USER, {Run, Finish}, lambda s: s.is_current and not s.is_mine),
    (
        StepStatus.ASSIGNED_TO_DIFFERENT_USER,
        {Stop},
        lambda s: s.is_current and not s.is_mine and "jobForceStop" not in s.privileges,
    ),
    (
        StepStatus.ASSIGNED_TO_DIFFERENT_USER,
        {RefreshStatus},
        lambda s: s.is_current and not s.is_mine and not {"adminBasic", "adminAdvanced"} & set(s.privileges),
    ),
    (
        StepStatus.ASSIGNED_TO_DIFFERENT_USER,
        {SetCurrentStep},
        lambda s: s.place is not Elsewhere.NO_ACTIVE_STEP and not s.is_mine,
    ),
    (StepStatus.HELD, {Run, Finish}, lambda s: len(HOLDS[s.holds]) * s.is_current),
    (StepStatus.WAITING_FOR_INFO, {Run}, lambda s: s.place is W),
    (StepStatus.ALREADY_EXECUTING, {Run}, lambda s: s.place in {X, H, STOPPING}),
    (StepStatus.ALREADY_EXECUTING, {SetHold, SetCurrentStep}, lambda s: s.is_running),
    (StepStatus.NOT_RUNNING, {Stop, RefreshStatus}, lambda s: s.is_current and not s.is_running),
    (StepStatus.ALREADY_EXECUTING, {Stop}, lambda s: s.place is STOPPING or s.is_applying),
    (StepStatus.ALREADY_EXECUTING, {Finish}, lambda s: s.place in {X, STOPPING}),
    (StepStatus.NO_STARTED_STEP, {Finish}, lambda s: s.place in {R, C} and not s.can_skip),
    (
        StepStatus.NO_MATCHING_PATHS,
        {Finish},
        lambda s: s.kind is StepKind.QUESTION and s.place in {W, P, F, D} and not s.is_skip,
    ),
    (
        StepStatus.WAITING_FOR_INFO,
        {Finish},
        lambda s: s.comment == "required" and s.place in {W, P} and s.kind is not StepKind.QUESTION,
    ),
    (
        StepStatus.NO_MATCHING_PATHS,
        {Finish},
        lambda s: (
            (s.is_skip or (s.place in {W, H, P, F, D} and s.kind is not StepKind.QUESTION))
            and s.returned not in LEADS_ON.get(s.way, set())
        ),
    ),
    (
        StepStatus.NOT_HELD,
        {ReleaseHold},
        lambda s: s.place is not Elsewhere.NOT_IN_DIAGRAM and not any(hold.is_manual for hold in HOLDS[s.holds]),
    ),
]


def expected(action: type[Action], situation: Situation) -> list[StepStatus]:
    """The status of every reason against the action, in the order of the rules; empty: it is done."""
    return [status for status, actions, count in RULES if action in actions for _ in range(count(situation))]


def action_on(kind: type[Action], situation: Situation) -> Action:
    return kind(("nowhere" if situation.place is Elsewhere.NOT_IN_DIAGRAM else "x",))


def play(situation: Situation) -> Play:
    """A job in this situation: the step ``x``, its neighbour ``other``, which leads to it, and ``end``."""
    return Play(
        diagram(step("other", to=["x"]), _step(situation), step("end")),
        job(_flow(situation), closed=situation.closed),
    )


def _step(situation: Situation) -> Step:
    return step(
        "x",
        situation.kind.value,
        to=WAYS[situation.way],
        can_skip=situation.can_skip,
        proceed_next=situation.proceed_next,
        automatic=situation.automatic,
        can_comment=situation.comment != "dropped",
        comment_required=situation.comment in {"required", "dropped"},
    )


def _flow(situation: Situation) -> Flow:
    owner, holds = OWNERS[situation.owner], HOLDS[situation.holds]
    if isinstance(situation.place, StepState):
        return Flow((_visit(situation, situation.place),), holds=holds)
    if situation.place is Elsewhere.NO_ACTIVE_STEP:
        return Flow(holds=holds, finished=("other", "x"))
    pending = (PendingStep("x", owner, START_MS),) if situation.place is Elsewhere.PENDING else ()
    return Flow((visit("other", owner),), pending, holds)


def _visit(situation: Situation, state: StepState) -> CurrentStep:
    answer = StoredAnswer("ana", START_MS, Answer(manual_response=True, comment="Done"))
    return visit(
        "x",
        OWNERS[situation.owner],
        state=state,
        run=None
        if state is R
        else JobRun("r1", START_MS, "ana", "p1", answer if state is H or situation.is_applying else None),
        return_value="stepSuccess" if state in {H, D} else None,
        fault=StepFault("It broke", "BROKEN") if state is F else None,
    )


def all_situations(kind: StepKind) -> Iterator[Situation]:
    """Each state and place, skippable and not, proceeding or not, automatic or not, with each single obstacle.

    Whether a step starts or proceeds by itself is crossed with the ways out of it only: who asks and what holds the
    step cannot know it. The property tests draw from the whole product.
    """
    for place in [*StepState, *Elsewhere]:
        for flags in range(8):
            base = Situation(place, kind, bool(flags & 1), bool(flags & 2), bool(flags & 4))
            yield from (found for found in _obstacles(base) if found.is_possible)


def _obstacles(base: Situation) -> Iterator[Situation]:
    def but(**changes: Any) -> Situation:
        return Situation(**(vars(base) | changes))

    yield from (but(way=way) for way in WAYS)
    if base.proceed_next or base.automatic:
        return
    yield but(closed=True)
    for owner in OWNERS:
        yield but(owner=owner)
    yield but(owner="another user's", privileges=("workflowSetStepCurrent", "jobUpdateHolds", "jobForceStop"))
    for admin in ("adminBasic", "adminAdvanced"):
        yield but(owner="another user's", privileges=("workflowSetStepCurrent", "jobUpdateHolds", admin))
    for holds in HOLDS:
        yield but(holds=holds)
    for comment in ("required", "dropped"):
        yield but(comment=comment)
    yield but(owner="nobody's", holds="all", way="never", comment="required")
    yield but(closed=True, owner="another group's", holds="all", way="broken expression", comment="required")
