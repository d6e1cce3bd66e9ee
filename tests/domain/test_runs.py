"""Runs of service steps: completed, failed, stopped, late; automatic steps one after the other."""

from typing import Any

import pytest

from app.domain.access import SYSTEM
from app.domain.commands import CompleteRun, EndStoppedRun, FailRun, Finish, RefreshStatus, ReportProgress, Run, Stop
from app.domain.diagram import Path, Schedule, StepKind
from app.domain.events import StepFailed, StepStopped
from app.domain.job import UNASSIGNED, Answer, Flow, StepState
from app.domain.outcomes import StepStatus
from app.domain.work import MAX_AUTOMATIC_STEPS, release_of
from tests.domain.builders import ANA, START_MS, Play, diagram, job, silent, step, user, visit


def executing(*, kind: str = "WebRequest", **members: Any) -> Play:
    play = Play.created(step("a", kind, to=["b"], **members), step("b"))
    assert play.act(Run()).success
    assert play.state("a") == "executing"
    play.forget()
    return play


# ---------------------------------------------------------------- ends of a run


def test_a_service_that_proceeds_moves_the_job_on() -> None:
    play = executing(proceed_next=True)
    play.complete("a")
    assert (play.names, play.at) == (["StepFinished"], ["b"])


def test_a_service_that_does_not_proceed_waits_for_finish() -> None:
    play = executing()
    play.complete("a", "200")
    assert (play.names, play.state("a")) == (["StepCompleted"], "done")
    assert play.act(Finish()).success
    assert getattr(play.events[-1], "return_value", None) == "200"


def test_what_a_service_returns_chooses_the_path() -> None:
    play = Play.created(
        step("a", "WebRequest", to=[Path("b", "$retVal == 200"), Path("c", "$retVal == 404")], proceed_next=True),
        step("b"),
        step("c"),
    )
    play.act(Run())
    play.complete("a", 404)
    assert play.at == ["c"]


@pytest.mark.parametrize(
    ("way", "code"),
    [(Path("b", "1 == 2"), "NO_MATCHING_PATHS"), (Path("b", "JobCreator(5) == 1"), "EXPRESSION_FAILED")],
)
def test_a_service_with_no_way_on_has_failed(way: Path, code: str) -> None:
    play = Play.created(step("a", "Email", to=[way], proceed_next=True), step("b"))
    play.act(Run())
    play.complete("a")
    event = play.events[-1]
    assert isinstance(event, StepFailed)
    assert (event.fault.msg_code, play.state("a")) == (code, "failed")


def test_a_failed_run_stays_and_can_be_run_again() -> None:
    play = executing(proceed_next=True)
    play.fail("a")
    assert (play.names, play.state("a")) == (["StepFailed"], "failed")
    fault = play.job.flow.current("a").fault
    assert fault is not None
    assert (fault.msg, fault.msg_code) == ("It broke", "BROKEN")
    assert play.act(Run()).success
    assert play.job.flow.current("a").fault is None


@pytest.mark.parametrize("proceed_next", [True, False])
def test_a_failed_run_goes_along_a_path_that_asks_for_failures(proceed_next: bool) -> None:
    play = Play.created(
        step("a", "Email", to=["b", Path("help", "$retVal != $stepSuccess")], proceed_next=proceed_next),
        step("b"),
        step("help"),
    )
    play.act(Run())
    play.forget()
    play.fail("a")
    assert (play.names, play.at) == (["StepFailed", "StepFinished"], ["help"])


def test_a_failed_step_can_be_finished_by_hand_where_a_path_leads_on() -> None:
    play = executing()
    play.fail("a")
    assert play.act(Finish()).success
    assert getattr(play.events[-1], "return_value", None) == "stepError"
    assert play.at == ["b"]


# ---------------------------------------------------------------- stop

STOPS = [
    (StepKind.EMAIL, StepState.CANCELLED, True),
    (StepKind.WEB_REQUEST, StepState.CANCELLED, True),
    (StepKind.CREATE_JOB, StepState.CANCELLED, True),
    (StepKind.EXECUTE_GP, StepState.CANCELLED, False),
    (StepKind.UPDATE_PROPERTIES, StepState.CANCELLED, True),
    (StepKind.QUESTION, StepState.CANCELLED, False),
    (StepKind.MANUAL, StepState.PAUSED, False),
    (StepKind.OPEN_APP, StepState.PAUSED, False),
    (StepKind.DEFINE_LOCATION, StepState.PAUSED, False),
    (StepKind.ATTACHMENT, StepState.PAUSED, False),
    (StepKind.ADVANCED_ASSIGNMENT, StepState.PAUSED, False),
    (StepKind.OTHER, StepState.PAUSED, False),
]


@pytest.mark.parametrize(("kind", "state", "told_as_stopped"), STOPS)
def test_each_kind_stops_in_its_way(kind: StepKind, state: StepState, told_as_stopped: bool) -> None:
    play = Play.created(step("a", kind.value))
    play.act(Run())
    play.forget()
    assert play.act(Stop()).success
    if kind in {StepKind.EMAIL, StepKind.WEB_REQUEST, StepKind.CREATE_JOB, StepKind.EXECUTE_GP}:
        assert (play.names, play.state("a")) == (["StepStopping"], "stopping")
        play.end_stopped("a")
    event = play.events[-1]
    assert isinstance(event, StepStopped)
    assert (event.state, event.told_as_stopped, event.state.value) == (state, told_as_stopped, play.state("a"))
    finish = play.reasons(Finish())
    assert [reason.status for reason in finish] == (
        [StepStatus.NO_STARTED_STEP] if state is StepState.CANCELLED else []
    )
    assert play.act(Run()).success


def test_a_service_that_ends_while_it_is_being_stopped_has_ended() -> None:
    play = executing(proceed_next=True)
    play.act(Stop())
    play.complete("a")
    assert play.at == ["b"]


def test_run_stop_finish_finishes_a_manual_step() -> None:
    play = Play.created(step("a", to=["b"]), step("b"))
    for action in (Run(), Stop(), Finish()):
        assert play.act(action).success
    assert play.at == ["b"]


# ---------------------------------------------------------------- late, progress, refresh


def test_a_result_of_a_run_that_is_over_changes_nothing() -> None:
    play = executing()
    old = play.job.flow.current("a").last_run.run_id
    play.act(Stop())
    play.end_stopped("a")
    play.act(Run())
    before = play.job
    for command in (
        CompleteRun("a", old, "stepSuccess"),
        FailRun("a", old, "late", "LATE"),
        EndStoppedRun("a", old),
        ReportProgress("a", old, "late", "LATE"),
        CompleteRun("b", old, "stepSuccess"),
    ):
        assert play.end(command) is None
    assert play.job is before


def test_a_result_given_twice_counts_once() -> None:
    play = executing()
    run_id = play.job.flow.current("a").last_run.run_id
    assert play.end(CompleteRun("a", run_id, "stepSuccess"))
    assert play.end(CompleteRun("a", run_id, "stepSuccess")) is None


def test_progress_and_refresh_are_told_and_change_nothing() -> None:
    play = executing()
    before = play.job
    play.end(ReportProgress("a", play.job.flow.current("a").last_run.run_id, "Half", "HALF"))
    assert play.act(RefreshStatus()).success
    assert (play.names, play.job) == (["StepProgressed", "StatusRefreshed"], before)


# ---------------------------------------------------------------- the job


def test_the_first_run_starts_the_job() -> None:
    play = Play.created(step("a"))
    play.now_ms += 7
    play.act(Run())
    play.act(Stop())
    play.now_ms += 7
    play.act(Run())
    assert play.job.started_ms == START_MS + 7


def test_a_step_that_is_not_current_or_was_not_run_is_not_asked_for_what_it_does_not_have() -> None:
    with pytest.raises(LookupError, match="'b' is not a current step"):
        Flow((visit("a"),)).current("b")
    with pytest.raises(LookupError, match="'a' has not been run"):
        _ = visit("a").last_run


def test_each_named_step_is_decided_by_itself() -> None:
    play = Play(diagram(step("a"), step("b")), job(Flow((visit("a"), visit("b", user("ben"))))))
    decision = play.act(Run(("b", "a", "nowhere", "a")))
    assert [(outcome.step_id, outcome.status) for outcome in decision.outcomes] == [
        ("b", StepStatus.ASSIGNED_TO_DIFFERENT_USER),
        ("a", StepStatus.SUCCESS),
        ("nowhere", StepStatus.STEP_NOT_IN_DIAGRAM),
    ]
    assert decision.outcomes[1].description == "The step was started running"
    assert not decision.success


def test_a_step_id_that_is_empty_is_no_step() -> None:
    (outcome,) = Play.created(step("a")).act(Run(("",))).outcomes
    assert outcome.status is StepStatus.STEP_NOT_IN_DIAGRAM


def test_a_finished_workflow_and_a_closed_job_answer_once_for_all_steps_or_once_for_each() -> None:
    play = Play(diagram(step("a"), step("b")), job())
    for action in (Run(), Finish(), Stop(), RefreshStatus()):
        (outcome,) = play.act(action).outcomes
        assert (outcome.step_id, outcome.status) == ("", StepStatus.NO_ACTIVE_STEP)
    assert [outcome.status for outcome in play.act(Run(("a", "b"))).outcomes] == [StepStatus.NO_ACTIVE_STEP] * 2
    play.job = job(closed=True)
    (outcome,) = play.act(Run()).outcomes
    assert (outcome.step_id, outcome.status) == ("", StepStatus.JOB_CLOSED)


# ---------------------------------------------------------------- automatic steps


def test_a_manual_step_that_asks_nothing_is_over_as_soon_as_it_runs() -> None:
    play = Play.created(silent("a", to=["b"]), step("b"))
    play.forget()
    play.act(Run())
    assert play.names == ["StepStarted", "StepFinished"]


@pytest.mark.parametrize(
    "members", [{"proceed_next": False}, {"args": {"userPrompt": "Look"}}, {"comment_required": True}]
)
def test_a_manual_step_asks_when_it_has_a_prompt_needs_a_comment_or_does_not_proceed(
    members: dict[str, Any],
) -> None:
    known: dict[str, Any] = {"args": {}, "proceed_next": True} | members
    play = Play.created(step("a", **known))
    play.act(Run())
    assert play.state("a") == "waiting"


def test_an_automatic_initial_step_starts_with_its_job() -> None:
    play = Play.created(step("a", automatic=True))
    assert play.names == ["JobCreated", "StepsActivated", "StepStarted", "PromptOpened"]


def test_an_automatic_step_that_needs_a_person_and_has_none_says_so() -> None:
    play = Play.created(silent("a", to=["b", "c"]), step("b", automatic=True), step("c", "Email", automatic=True))
    play.assign("a", UNASSIGNED)
    play.act(Run(), SYSTEM)
    (outcome,) = play.automatic
    assert (outcome.step_id, outcome.status) == ("b", StepStatus.STEP_NOT_AUTO)
    assert {lift.name for lift in outcome.reasons[0].lifts} == {"jobAssignAny", "jobAssignGroup", "jobAssignIndividual"}
    assert [play.state(step_id) for step_id in ("b", "c")] == ["ready", "executing"]
    play.assign("b", user("ana"))
    assert play.act(Run(("b",))).success


def test_a_long_chain_of_automatic_steps_runs_in_one_go() -> None:
    """A call for each step would exhaust the stack."""
    chain = [silent(f"s{number}", to=[f"s{number + 1}"], automatic=True) for number in range(900)]
    play = Play.created(*chain, step("s900"))
    assert play.at == ["s900"]
    assert len(play.job.flow.finished) == 900


def test_an_endless_circle_of_automatic_steps_ends_in_an_error_and_a_person_can_go_on() -> None:
    play = Play.created(
        silent("a", to=["b"]), silent("b", to=["c"], automatic=True), silent("c", to=["b"], automatic=True)
    )
    play.forget()
    play.act(Run())
    assert play.names.count("StepStarted") == MAX_AUTOMATIC_STEPS + 1
    event = play.events[-1]
    assert isinstance(event, StepFailed)
    assert event.fault.msg_code == "ENDLESS_LOOP"
    (stuck,) = play.at
    assert play.state(stuck) == "failed"
    play.forget()
    play.act(Run())
    assert play.names.count("StepStarted") == MAX_AUTOMATIC_STEPS + 1


def test_an_answer_starts_the_count_of_automatic_steps_anew() -> None:
    play = Play.created(silent("a", to=["ask"], automatic=True), step("ask", automatic=True, to=["a"]))
    assert play.job.flow.automatic_run == 2
    play.give("ask", Answer(manual_response=True))
    assert play.job.flow.automatic_run == 0


# ---------------------------------------------------------------- schedules


@pytest.mark.parametrize(
    ("schedule", "release_ms"),
    [
        (None, None),
        (Schedule(after_ms=0), None),
        (Schedule(after_ms=60_000), START_MS + 60_000),
        (Schedule(at_ms=START_MS - 1), None),
        (Schedule(at_ms=START_MS + 5), START_MS + 5),
    ],
)
def test_a_schedule_says_when_a_step_may_start(schedule: Schedule | None, release_ms: int | None) -> None:
    assert release_of(schedule, START_MS) == release_ms


def test_a_scheduled_step_is_held_until_its_time_and_then_starts() -> None:
    play = Play.created(
        silent("a", to=["b"]), step("b", "Email", automatic=True, schedule=Schedule(after_ms=60_000), proceed_next=True)
    )
    play.forget()
    play.act(Run())
    assert play.names == ["StepStarted", "StepFinished", "HoldSet"]
    (reason,) = play.reasons(Run())
    assert reason.status is StepStatus.HELD
    assert {lift.at_ms for lift in reason.lifts} == {None, START_MS + 60_000}
    play.now_ms += 60_000
    play.forget()
    play.end_hold(play.job.flow.holds[0].hold_id)
    assert play.names == ["HoldReleased", "StepStarted"]
    play.complete("b")
    assert play.job.flow.is_complete


def test_a_scheduled_step_that_is_not_automatic_waits_for_a_person_when_its_time_has_come() -> None:
    play = Play.created(step("a", schedule=Schedule(at_ms=START_MS + 1)))
    play.end_hold(play.job.flow.holds[0].hold_id)
    assert play.state("a") == "ready"
    assert play.act(Run(), ANA).success
