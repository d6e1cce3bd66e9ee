"""Holds: manual, scheduled, and dependencies on other jobs; several at once."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.actions import MAX_HOLDS
from app.domain.commands import Finish, ReleaseHold, Run, SetHold
from app.domain.holds import ConnectionFacts, DependencyTarget, find_cycle, has_ended, is_met
from app.domain.job import Flow, Hold, PendingStep, StepState, WebhookDependency
from app.domain.outcomes import StepStatus
from app.errors import InvalidValue, PermissionDenied
from tests.domain.builders import ANA, BEN, START_MS, Play, diagram, job, silent, step, user, visit

OTHER = diagram(step("s1", to=["s2"]), step("s2"))
WAITING = job(Flow((visit("s1"),)), job_id="J2")
OPEN = DependencyTarget(WAITING, OTHER)
HOUR_MS = 3_600_000
FEATURE = WebhookDependency("C1", "state = 3", 0, 7)
ENABLED = ConnectionFacts(enabled=True)


def test_holds_add_up_and_each_must_go() -> None:
    play = Play.created(step("a"))
    play.act(SetHold())
    play.act(SetHold((), START_MS + HOUR_MS))
    play.act(SetHold((), dependent_job_id="J2"), dependency=OPEN)
    assert [reason.status for reason in play.reasons(Run())] == [StepStatus.HELD] * 3
    play.act(ReleaseHold())
    assert [reason.lifts[-1].job_id for reason in play.reasons(Run())] == ["J2"]
    play.forget()
    assert play.act(ReleaseHold((), "J2")).success
    assert play.names == ["HoldReleased"]
    assert play.act(Run()).success


def test_each_hold_on_a_current_step_blocks_and_only_the_last_release_frees() -> None:
    play = Play.created(step("a"))
    play.act(SetHold())
    play.act(SetHold())
    play.act(ReleaseHold())
    events = [event for event in play.events if type(event).__name__.startswith("Hold")]
    assert [getattr(event, "blocks", None) for event in events[:2]] == [True, True]
    assert [getattr(event, "frees", None) for event in events[2:]] == [False, True]


def test_a_future_step_can_be_held_and_says_so_when_it_is_reached() -> None:
    play = Play.created(silent("a", to=["b"]), step("b", automatic=True))
    play.act(SetHold(("b",)))
    assert getattr(play.events[-1], "blocks", None) is False
    play.forget()
    play.act(Run())
    assert play.names == ["StepStarted", "StepFinished", "StepReachedHeld"]
    assert [outcome.status for outcome in play.automatic] == [StepStatus.HELD]
    play.act(ReleaseHold())
    assert play.state("b") == "waiting"


def test_a_hold_on_a_finished_workflow_needs_a_named_step() -> None:
    play = Play(OTHER, job())
    (outcome,) = play.act(SetHold()).outcomes
    assert (outcome.step_id, outcome.status) == ("", StepStatus.NO_ACTIVE_STEP)
    assert play.act(SetHold(("s2",))).success


@pytest.mark.parametrize("by_time", [True, False])
def test_a_hold_with_a_time_and_a_dependency_ends_at_whichever_comes_first(by_time: bool) -> None:
    play = Play.created(step("a"))
    play.act(SetHold((), START_MS + HOUR_MS, "J2"), dependency=OPEN)
    (hold,) = play.job.flow.holds
    assert not has_ended(hold, OPEN, now_ms=START_MS)
    now_ms, done = (
        (START_MS + HOUR_MS, OPEN) if by_time else (START_MS, replace(OPEN, job=replace(WAITING, closed=True)))
    )
    assert has_ended(hold, done, now_ms=now_ms)
    play.now_ms = now_ms
    assert play.end_hold(hold.hold_id)
    assert play.end_hold(hold.hold_id) is None
    assert not play.job.flow.holds


@pytest.mark.parametrize(
    ("command", "target"),
    [
        (SetHold((), START_MS), None),
        (SetHold((), dependent_job_id="J2"), replace(OPEN, job=replace(WAITING, closed=True))),
        (SetHold((), dependent_job_id="J2"), replace(OPEN, job=job(job_id="J2"))),
        (
            SetHold((), dependent_job_id="J2", dependent_step_id="s1"),
            replace(OPEN, job=job(Flow((visit("s2"),), finished=("s1",)), job_id="J2")),
        ),
    ],
)
def test_a_hold_whose_end_has_come_already_blocks_nothing(command: SetHold, target: DependencyTarget | None) -> None:
    play = Play.created(step("a"))
    play.forget()
    assert play.act(command, dependency=target).success
    assert play.names == ["HoldEndedAtOnce"]
    assert play.act(Run()).success


def test_a_dependency_on_a_step_is_met_when_the_step_is_done_and_not_due_again() -> None:
    done = job(Flow((visit("s2"),), finished=("s1",)))
    assert is_met(done, "s1")
    assert not is_met(done, "s2")
    assert not is_met(done, None)
    again = replace(done, flow=replace(done.flow, pending=(PendingStep("s1", user("ana"), START_MS),)))
    assert not is_met(again, "s1")
    assert is_met(job(Flow(finished=("s1",))), "s2")


@pytest.mark.parametrize(
    ("command", "dependency", "words"),
    [
        (SetHold((), dependent_step_id="s1"), None, "dependentStepId needs dependentJobId"),
        (SetHold((), dependent_job_id="J1"), OPEN, "itself"),
        (SetHold((), dependent_job_id="J9"), None, "no job 'J9'"),
        (SetHold((), dependent_job_id="J2", dependent_step_id="zz"), OPEN, "no step 'zz'"),
        (SetHold((), dependent_job_id="J2"), replace(OPEN, cycle=("J1", "J2", "J1")), "J1 -> J2 -> J1"),
    ],
)
def test_a_dependency_that_makes_no_sense_is_refused(
    command: SetHold, dependency: DependencyTarget | None, words: str
) -> None:
    play = Play.created(step("a"))
    with pytest.raises(InvalidValue, match=words):
        play.act(command, dependency=dependency)


def test_releasing_a_dependency_of_a_step_names_the_job() -> None:
    with pytest.raises(InvalidValue, match="dependentStepId needs dependentJobId"):
        Play.created(step("a")).act(ReleaseHold((), dependent_step_id="s1"))


def test_a_dependency_is_released_by_exactly_its_job_and_step() -> None:
    play = Play.created(step("a"))
    play.act(SetHold((), dependent_job_id="J2"), dependency=OPEN)
    play.act(SetHold((), dependent_job_id="J2", dependent_step_id="s1"), dependency=OPEN)
    (refused,) = play.act(ReleaseHold((), "J2", "s2")).outcomes
    assert refused.status is StepStatus.NOT_HELD
    assert "until job 'J2' has finished its step 's1'" in refused.description
    play.act(ReleaseHold((), "J2"))
    assert [hold.dependent_step_id for hold in play.job.flow.holds] == ["s1"]
    assert play.act(ReleaseHold((), "J2", "s1")).success


def test_release_without_steps_means_all_held_steps_also_future_ones() -> None:
    play = Play.created(step("a", to=["b"]), step("b"))
    play.act(SetHold(("a", "b")))
    decision = play.act(ReleaseHold())
    assert [outcome.step_id for outcome in decision.outcomes] == ["a", "b"]
    (outcome,) = play.act(ReleaseHold()).outcomes
    assert (outcome.step_id, outcome.status) == ("", StepStatus.NOT_HELD)


@pytest.mark.parametrize("command", [SetHold(), ReleaseHold()])
def test_holds_need_their_privilege_and_not_the_assignment(command: SetHold | ReleaseHold) -> None:
    play = Play.created(step("a"), assignment=user("somebody else"))
    play.act(SetHold())
    with pytest.raises(PermissionDenied, match="jobUpdateHolds"):
        play.act(command, BEN)
    assert play.act(command, ANA).success


def test_a_job_has_only_so_many_holds() -> None:
    holds = tuple(Hold(f"h{number}", "s1", "ana", START_MS) for number in range(MAX_HOLDS))
    play = Play(OTHER, job(Flow((visit("s1"),), holds=holds)))
    with pytest.raises(InvalidValue, match="1000"):
        play.act(SetHold())


def test_a_held_step_can_be_neither_run_nor_finished_whatever_its_state() -> None:
    play = Play(OTHER, job(Flow((visit("s1", state=StepState.PAUSED),))))
    play.act(SetHold())
    for action in (Run(), Finish()):
        assert [reason.status for reason in play.reasons(action)] == [StepStatus.HELD]


def test_a_hold_that_goes_while_the_job_is_closed_starts_nothing() -> None:
    held = Flow((visit("a"),), holds=(Hold("h1", "a", "ana", START_MS, START_MS + 1),))
    play = Play(diagram(step("a", automatic=True)), job(held, closed=True))
    assert play.end_hold("h1")
    assert play.names == ["HoldReleased"]


# ---------------------------------------------------------------- circles


@pytest.mark.parametrize(
    ("edges", "circle"),
    [
        ([], ()),
        ([("B", "C"), ("C", "D")], ()),
        ([("B", "A")], ("A", "B", "A")),
        ([("B", "C"), ("C", "A")], ("A", "B", "C", "A")),
        ([("B", "C"), ("C", "B")], ()),
        ([("B", "X"), ("B", "C"), ("C", "Y"), ("Y", "A")], ("A", "B", "C", "Y", "A")),
    ],
)
def test_the_circle_that_a_dependency_would_close_is_named(
    edges: list[tuple[str, str]], circle: tuple[str, ...]
) -> None:
    assert find_cycle(edges, "A", "B") == circle


def test_a_job_that_would_wait_for_itself_is_a_circle() -> None:
    assert find_cycle([], "A", "A") == ("A", "A")


@given(st.sets(st.tuples(st.sampled_from("ABCDEF"), st.sampled_from("ABCDEF")), max_size=14))
def test_a_circle_is_found_just_when_there_is_one(edges: set[tuple[str, str]]) -> None:
    found = find_cycle(edges, "A", "B")
    reached, todo = {"B"}, ["B"]
    while todo:
        here = todo.pop()
        news = {awaited for waiting, awaited in edges if waiting == here} - reached
        reached |= news
        todo += news
    assert bool(found) == ("A" in reached)
    if found:
        assert found[0] == found[-1] == "A"
        assert found[1] == "B"
        assert set(pairwise(found[1:])) <= edges


# ---------------------------------------------------------------- features


def test_a_hold_for_a_feature_ends_when_it_is_told_to_and_an_automatic_step_starts() -> None:
    play = Play.created(silent("a", to=["b"]), step("b", automatic=True))
    play.act(SetHold(("b",), webhook=FEATURE), connection=ENABLED)
    (hold,) = play.job.flow.holds
    assert (hold.webhook, hold.is_manual, hold.is_dependency) == (FEATURE, False, False)
    play.act(Run())
    (reason,) = play.reasons(Run())
    assert reason.status is StepStatus.HELD
    assert [(lift.kind.value, lift.name) for lift in reason.lifts] == [
        ("privilege", "jobUpdateHolds"),
        ("feature", "C1"),
    ]
    assert "the feature 7 of layer 0 meets 'state = 3'" in reason.description
    play.forget()
    assert play.end_hold(hold.hold_id, BEN)
    assert play.names == ["HoldReleased", "StepStarted", "PromptOpened"]
    assert getattr(play.events[0], "by", None) == "ben"
    assert play.end_hold(hold.hold_id) is None


def test_a_hold_for_a_feature_is_released_by_its_connection_and_by_nothing_else() -> None:
    play = Play.created(step("a"))
    for webhook in (FEATURE, replace(FEATURE, object_id=8), replace(FEATURE, connection_id="C2")):
        play.act(SetHold(webhook=webhook), connection=ENABLED)
    play.act(SetHold())
    for action in (ReleaseHold((), "J2"), ReleaseHold((), webhook_connection_id="C3")):
        assert [outcome.status for outcome in play.act(action).outcomes] == [StepStatus.NOT_HELD]
    assert play.act(ReleaseHold()).success
    assert play.act(ReleaseHold((), webhook_connection_id="C1")).success
    assert [hold.webhook.connection_id for hold in play.job.flow.holds if hold.webhook] == ["C2"]


def test_a_hold_for_a_feature_may_have_a_time_too() -> None:
    play = Play.created(step("a"))
    play.act(SetHold((), START_MS + HOUR_MS, webhook=FEATURE), connection=ENABLED)
    (hold,) = play.job.flow.holds
    assert has_ended(hold, None, now_ms=START_MS + HOUR_MS)


@pytest.mark.parametrize(
    ("action", "connection", "fault"),
    [
        (SetHold(webhook=FEATURE), None, "there is no webhook connection 'C1'"),
        (SetHold(webhook=FEATURE), ConnectionFacts(enabled=False), "'C1' is disabled"),
        (SetHold((), None, "J2", webhook=FEATURE), ENABLED, "a job or for a feature, not for both"),
        (ReleaseHold((), "J2", webhook_connection_id="C1"), ENABLED, "a job or a webhook connection, not both"),
    ],
)
def test_a_hold_for_a_feature_that_makes_no_sense_is_refused(
    action: SetHold | ReleaseHold, connection: ConnectionFacts | None, fault: str
) -> None:
    play = Play.created(step("a"))
    play.forget()
    with pytest.raises(InvalidValue, match=fault):
        play.act(action, dependency=OPEN, connection=connection)
    assert play.names == []


def test_a_hold_for_a_feature_needs_the_privilege_first() -> None:
    play = Play.created(step("a"))
    with pytest.raises(PermissionDenied):
        play.act(SetHold(webhook=FEATURE), BEN, connection=None)
