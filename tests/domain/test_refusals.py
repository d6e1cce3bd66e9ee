"""Every action in every situation, against the table of rules in ``situations.py``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access import SYSTEM, Actor
from app.domain.actions import Moment, decide
from app.domain.commands import Action, Finish, RefreshStatus, ReleaseHold, Run, SetCurrentStep, SetHold, Stop
from app.domain.diagram import Path, StepKind
from app.domain.job import UNASSIGNED, Flow, StepState
from app.domain.outcomes import Reason, StepStatus
from app.domain.refusals import allowed_actions
from tests.domain.builders import START_MS, Ids, Play, diagram, job, person, silent, step, user, visit
from tests.domain.lifting import is_lifted
from tests.domain.situations import (
    HOLDS,
    KINDS,
    OWNERS,
    WAYS,
    Elsewhere,
    Situation,
    action_on,
    all_situations,
    expected,
    play,
)

ACTIONS: list[type[Action]] = [Run, Finish, Stop, SetCurrentStep, SetHold, ReleaseHold, RefreshStatus]
LIFTLESS = {StepStatus.NO_ACTIVE_STEP, StepStatus.NOT_HELD}
"""Nothing can lift these: the workflow is at its end; there is nothing to release."""

UNLIKE = [
    StepKind.MANUAL,
    StepKind.QUESTION,
    StepKind.ATTACHMENT,
    StepKind.UPDATE_PROPERTIES,
    StepKind.EMAIL,
    StepKind.EXECUTE_GP,
]
"""One of each group of kinds that run, stop and are answered alike; the property tests draw from all of them."""

situations = st.builds(
    Situation,
    place=st.sampled_from([*StepState, *Elsewhere]),
    kind=st.sampled_from(KINDS),
    can_skip=st.booleans(),
    proceed_next=st.booleans(),
    automatic=st.booleans(),
    owner=st.sampled_from(list(OWNERS)),
    holds=st.sampled_from(list(HOLDS)),
    way=st.sampled_from(list(WAYS)),
    closed=st.booleans(),
    comment=st.sampled_from(["allowed", "required", "dropped"]),
).filter(lambda situation: situation.is_possible)


def asker(situation: Situation) -> Actor:
    return person("ana", *situation.privileges, groups=["crew"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_situation_is_answered_as_the_rules_say(kind: StepKind) -> None:
    for situation in all_situations(kind):
        world, actor = play(situation), asker(situation)
        for action in ACTIONS:
            check(action, situation, world, actor)


@given(st.sampled_from(ACTIONS), situations)
def test_obstacles_that_come_together_are_all_named(action: type[Action], situation: Situation) -> None:
    check(action, situation, play(situation), asker(situation))


def check(action: type[Action], situation: Situation, world: Play, actor: Actor) -> None:
    """The reasons are the expected ones, the first gives the status, and a refusal leaves no trace."""
    ids = Ids()
    decision = decide(world.job, world.diagram, action_on(action, situation), actor, Moment(START_MS, ids))
    (outcome,) = decision.outcomes
    wanted = expected(action, situation)
    assert [reason.status for reason in outcome.reasons] == wanted, situation
    assert outcome.status is (wanted[0] if wanted else StepStatus.SUCCESS)
    assert outcome.description[0].isupper()
    assert decision.success == (not wanted)
    if wanted:
        assert outcome.description == outcome.reasons[0].description
        assert decision.job is world.job
        assert not decision.recorded
        assert not decision.automatic
        assert not ids.given
    for reason in outcome.reasons:
        check_shape(reason)


def check_shape(reason: Reason) -> None:
    assert reason.description.endswith(".")
    assert len(reason.description) > 15
    waiting = reason.status is StepStatus.ALREADY_EXECUTING and not reason.lifts
    assert waiting == any(words in reason.description for words in ("wait until", "being applied"))
    if not waiting:
        assert bool(reason.lifts) == (reason.status not in LIFTLESS)
    assert (reason.hold_id is not None) == (reason.status is StepStatus.HELD)


@pytest.mark.parametrize("kind", UNLIKE)
def test_what_a_reason_names_as_its_lift_lifts_it(kind: StepKind) -> None:
    for situation in all_situations(kind):
        if not situation.automatic and not situation.proceed_next:
            for action in ACTIONS:
                check_lifts(action, situation)


@given(st.sampled_from(ACTIONS), situations)
def test_lifts_work_also_where_other_obstacles_remain(action: type[Action], situation: Situation) -> None:
    check_lifts(action, situation)


def check_lifts(action: type[Action], situation: Situation) -> None:
    world, actor = play(situation), asker(situation)
    act = action_on(action, situation)
    for reason in world.reasons(act, actor):
        for lift in reason.lifts:
            assert is_lifted(world, act, actor, reason, lift), (situation, reason, lift)


def test_every_status_occurs() -> None:
    seen = {status for situation in all_situations(StepKind.MANUAL) for status in statuses(situation)}
    world = Play.created(silent("a", to=["b"]), step("b", automatic=True), assignment=UNASSIGNED)
    world.act(Run(), SYSTEM)
    seen |= {outcome.status for outcome in world.automatic}
    assert seen == set(StepStatus)


def statuses(situation: Situation) -> set[StepStatus]:
    world = play(situation)
    decisions = [
        decide(world.job, world.diagram, action_on(action, situation), asker(situation), world.moment)
        for action in ACTIONS
    ]
    return {outcome.status for decision in decisions for outcome in decision.outcomes}


ALLOWED = [
    (StepKind.MANUAL, StepState.WAITING, 2 + 4),
    (StepKind.OPEN_APP, StepState.HANDLED, 2 + 4),
    (StepKind.QUESTION, StepState.WAITING, 1),
    (StepKind.UPDATE_PROPERTIES, StepState.WAITING, 1 + 4),
    (StepKind.EXECUTE_GP, StepState.EXECUTING, 1 + 8),
    (StepKind.EXECUTE_GP, StepState.STOPPING, 8),
    (StepKind.EMAIL, StepState.EXECUTING, 1),
    (StepKind.EMAIL, StepState.DONE, 4),
    (StepKind.MANUAL, StepState.EXECUTING, 0),
    (StepKind.MANUAL, StepState.READY, 0),
]


@pytest.mark.parametrize(("kind", "state", "flags"), ALLOWED)
def test_allowed_actions_are_what_the_assignee_may_do(kind: StepKind, state: StepState, flags: int) -> None:
    world = play(Situation(state, kind))
    assert allowed_actions(world.job, world.diagram, world.job.flow.current("x")) == flags


def test_nothing_is_allowed_on_a_closed_job_or_a_step_that_the_diagram_does_not_have() -> None:
    world = play(Situation(StepState.PAUSED, closed=True))
    assert not allowed_actions(world.job, world.diagram, world.job.flow.current("x"))
    assert not allowed_actions(job(), world.diagram, visit("nowhere"))


def test_allowed_actions_know_who_the_assignee_is() -> None:
    way = Path("end", "$currentUser == 'ana'")
    shape = diagram(step("x", to=[way]), step("end"))
    for name, flags in (("ana", 2 + 4), ("ben", 2)):
        current = visit("x", user(name), state=StepState.WAITING)
        assert allowed_actions(job(Flow((current,))), shape, current) == flags
