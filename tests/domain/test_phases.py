"""Phases: worked out of steps, holds and the ticket; and what the v3 dialects may do in each."""

from typing import Any

import pytest

from app.domain import events as e
from app.domain.access import SYSTEM
from app.domain.commands import ManageType, ReleaseHold, Run, SetHold, Stop
from app.domain.diagram import Path
from app.domain.dialect_actions import (
    TicketChange,
    cancel,
    change_ticket,
    is_project_gate,
    needs_project,
    process,
    queue,
    release_step,
)
from app.domain.job import Answer, StepState
from app.domain.phases import Phase, phase_of
from app.errors import Conflict, RuleViolation
from tests.domain.builders import ANA, TO_ANA, Play, diagram, person, silent, step, user

MIA = person("mia")
ASKS = {
    "questionResponses": {
        "duplex": {"displayName": "duplex", "value": 1},
        "stop": {"displayName": "stop", "value": 9, "cancel": True},
    }
}
GATED = {"needsProject": True}


def spooled(*, gate: bool = False) -> Play:
    """A job of a pull queue: parsed, ready to be released, then printed by a service."""
    return Play.created(
        silent("parse", to=["release"], automatic=True),
        step("release", to=["print"], proceed_next=True, args=GATED if gate else {}),
        step("print", "WebRequest", automatic=True, proceed_next=True),
    )


def asking() -> Play:
    return Play.created(
        step("review", "Question", args=ASKS, to=[Path("release", "$retVal == 1")], automatic=True),
        silent("release"),
    )


def phase(play: Play) -> Phase:
    return phase_of(play.job)


def processed(play: Play) -> None:
    play.take(process(play.job, play.diagram, TO_ANA, ANA, play.moment))


def changed(play: Play, **members: Any) -> None:
    play.take(change_ticket(play.job, play.diagram, TicketChange(**members), MIA, play.moment))


def cancelled(play: Play) -> None:
    play.take(cancel(play.job, play.diagram, MIA, play.moment))


# ---------------------------------------------------------------- phases


def test_a_job_is_ready_once_it_is_parsed_and_printed_once_it_was_released() -> None:
    play = spooled()
    assert phase(play) is Phase.READY
    processed(play)
    assert phase(play) is Phase.RUNNING
    play.complete("print")
    assert phase(play) is Phase.SUCCEEDED


def test_a_service_before_the_release_is_parsing() -> None:
    play = Play.created(
        step("parse", "WebRequest", to=["release"], automatic=True, proceed_next=True), silent("release")
    )
    assert phase(play) is Phase.REGISTERED
    play.complete("parse")
    assert phase(play) is Phase.READY


def test_an_open_question_waits_before_the_release_and_asks_after_it() -> None:
    play = asking()
    assert phase(play) is Phase.WAITING
    late = Play.created(silent("release", to=["ask"]), step("ask", "Question", automatic=True))
    processed(late)
    assert phase(late) is Phase.ASKING


def test_a_step_that_a_person_is_to_start_after_the_release_is_queued_for() -> None:
    play = Play.created(silent("release", to=["fold"]), silent("fold"))
    processed(play)
    assert phase(play) is Phase.QUEUED
    play.act(Run())
    assert phase(play) is Phase.SUCCEEDED


def test_a_persons_first_start_counts_as_the_release() -> None:
    play = Play.created(step("a", "WebRequest"))
    assert phase(play) is Phase.READY
    play.act(Run())
    assert (phase(play), play.job.ticket.queued_ms) == (Phase.RUNNING, play.now_ms)


def test_a_hold_makes_a_job_wait() -> None:
    play = spooled()
    play.act(SetHold())
    assert phase(play) is Phase.WAITING
    play.act(ReleaseHold())
    assert phase(play) is Phase.READY


def test_a_paused_step_waits_for_somebody() -> None:
    play = Play.created(step("a"))
    play.act(Run())
    play.act(Stop())
    assert phase(play) is Phase.ASKING


def test_a_failed_step_ends_the_job_until_it_is_processed_again() -> None:
    play = spooled()
    processed(play)
    play.fail("print")
    assert phase(play) is Phase.FAILED
    processed(play)
    assert (phase(play), play.state("print")) == (Phase.RUNNING, "executing")


def test_a_job_that_was_closed_by_hand_has_ended_as_it_was() -> None:
    play = spooled()
    play.manage(ManageType.CLOSE)
    assert phase(play) is Phase.SUCCEEDED


# ---------------------------------------------------------------- processing


def test_a_job_that_was_printed_begins_anew_at_its_release() -> None:
    play = spooled()
    processed(play)
    play.complete("print")
    play.forget()
    processed(play)
    assert play.names[:3] == ["JobQueued", "JobRestarted", "StepsActivated"]
    assert (play.at, phase(play)) == (["print"], Phase.RUNNING)
    assert play.job.percent_complete == 0


def test_a_job_without_a_release_begins_anew_at_its_first_step() -> None:
    play = Play.created(silent("a", automatic=True, to=["b"]), silent("b", automatic=True))
    assert phase(play) is Phase.SUCCEEDED
    play.forget()
    processed(play)
    assert [name for name in play.names if name == "StepFinished"] == ["StepFinished"] * 2


def test_a_job_that_runs_by_itself_is_queued_when_it_is_made() -> None:
    play = Play.created(step("a", "WebRequest"))
    play.take(queue(play.job, play.diagram, ANA, play.moment))
    assert (phase(play), play.names[-2:]) == (Phase.RUNNING, ["JobQueued", "StepStarted"])


@pytest.mark.parametrize("make", [asking, spooled])
def test_what_is_not_ready_is_not_processed(make: Any) -> None:
    play = make()
    if make is spooled:
        processed(play)
    before = play.job
    with pytest.raises(Conflict, match="cannot be performed in the current state"):
        processed(play)
    assert play.job == before


def test_a_closed_job_is_not_processed() -> None:
    play = spooled()
    play.manage(ManageType.CLOSE)
    with pytest.raises(Conflict, match="closed"):
        processed(play)


def test_the_release_is_the_nearest_step_that_somebody_must_start() -> None:
    found = release_step(
        diagram(silent("a", automatic=True, to=["b", "c"]), step("b", to=["d"]), silent("c"), silent("d"))
    )
    assert found is not None
    assert found.step_id == "c"
    assert release_step(diagram(silent("a", automatic=True))) is None


# ---------------------------------------------------------------- cancelling


def test_cancelling_stops_what_runs_and_is_final() -> None:
    play = asking()
    cancelled(play)
    assert (phase(play), play.job.closed, play.job.closed_by) == (Phase.CANCELLED, True, "mia")
    assert play.state("review") == "cancelled"
    assert isinstance(play.events[-1], e.JobClosed)
    with pytest.raises(RuleViolation, match="final"):
        play.manage(ManageType.REOPEN)


def test_cancelling_again_changes_nothing() -> None:
    play = asking()
    cancelled(play)
    play.forget()
    cancelled(play)
    assert play.events == []


def test_an_executor_that_comes_to_its_end_after_the_cancelling_moves_nothing_on() -> None:
    play = Play.created(step("a", "WebRequest", to=["b"], proceed_next=True), step("b"))
    play.act(Run())
    cancelled(play)
    assert play.state("a") == StepState.STOPPING
    play.complete("a")
    assert (play.at, play.state("a"), phase(play)) == (["a"], "cancelled", Phase.CANCELLED)


def test_a_job_that_has_ended_is_not_cancelled() -> None:
    play = Play.created(silent("a", automatic=True))
    with pytest.raises(Conflict, match="ended"):
        cancelled(play)


def test_an_answer_that_is_being_applied_is_not_lost_to_a_cancelling() -> None:
    """The answer was acknowledged; the cancelling comes a moment too early and is told so."""
    play = asking()
    assert play.give("review", Answer(question_response=1)) is None
    with pytest.raises(Conflict, match="being applied"):
        cancelled(play)
    play.apply("review")
    cancelled(play)
    assert phase(play) is Phase.CANCELLED


def test_an_option_that_cancels_gives_the_job_up_though_no_path_is_for_it() -> None:
    play = asking()
    play.answer("review", Answer(question_response=9))
    assert (phase(play), play.names[-2:]) == (Phase.CANCELLED, ["StepStopped", "JobClosed"])


# ---------------------------------------------------------------- tickets


def test_a_step_that_needs_a_project_is_held_until_there_is_one_and_again_without() -> None:
    play = spooled(gate=True)
    assert needs_project(play.diagram)
    assert phase(play) is Phase.WAITING
    changed(play, project=12)
    assert (phase(play), play.job.flow.holds) == (Phase.READY, ())
    changed(play, project=0)
    assert phase(play) is Phase.WAITING
    with pytest.raises(Conflict):
        processed(play)
    (hold,) = play.job.flow.holds
    assert is_project_gate(hold)


def test_a_job_without_a_project_does_not_begin_anew_where_one_is_needed() -> None:
    play = spooled(gate=True)
    changed(play, project=12)
    processed(play)
    play.complete("print")
    changed(play, project=0)
    with pytest.raises(Conflict, match="no project"):
        processed(play)


def test_a_project_ends_no_other_hold() -> None:
    play = spooled(gate=True)
    play.act(SetHold())
    changed(play, project=12)
    assert phase(play) is Phase.WAITING
    (hold,) = play.job.flow.holds
    assert not is_project_gate(hold)


def test_a_project_lets_an_automatic_step_start() -> None:
    play = Play.created(step("a", automatic=True, proceed_next=True, args=GATED))
    changed(play, project=1)
    assert phase(play) is Phase.SUCCEEDED


def test_a_ticket_tells_what_it_was_and_is_and_what_is_the_same_changes_nothing() -> None:
    play = spooled()
    play.forget()
    changed(play, favorite=True, account="credit", project=3)
    (event,) = play.events
    assert isinstance(event, e.TicketSet)
    assert event.told == (("project_id", "", "3"), ("favorite", "false", "true"), ("account", "", "credit"))
    changed(play, favorite=True, account="credit", project=3)
    assert len(play.events) == 1


def test_a_new_owner_gets_the_old_ones_steps_and_the_open_question() -> None:
    play = Play.created(step("ask", "Question"), assignment=user("olga"))
    play.act(Run(), SYSTEM)
    play.forget()
    changed(play, owned_by="otto")
    assert play.names == ["TicketSet", "StepReassigned", "PromptOpened"]
    assert (play.job.owned_by, play.job.flow.steps[0].assignment) == ("otto", user("otto"))
    assert play.job.flow.rounds == {"ask": 1}
    play.answer("ask", Answer(question_response=1), person("otto"))


def test_a_job_that_is_being_worked_on_keeps_its_owner() -> None:
    play = spooled()
    processed(play)
    with pytest.raises(Conflict, match="keeps its owner"):
        changed(play, owned_by="otto")
    changed(play, owned_by="olga", favorite=True)
    assert play.job.ticket.favorite


def test_each_question_of_a_step_has_its_round() -> None:
    play = Play.created(step("ask", "Question", to=["ask"]))
    for round_ in (1, 2, 3):
        if not play.job.is_running:
            play.act(Run())
        assert play.job.flow.rounds == {"ask": round_}
        play.answer("ask", Answer(question_response=1))


def test_a_scheduled_hold_is_no_gate() -> None:
    play = spooled()
    play.act(SetHold(scheduled_release_ms=play.now_ms + 5), SYSTEM)
    (hold,) = play.job.flow.holds
    assert not is_project_gate(hold)


def test_a_stopped_service_of_a_cancelled_job_ends_as_it_would() -> None:
    play = Play.created(step("a", "WebRequest"))
    play.act(Run())
    cancelled(play)
    play.end_stopped("a")
    assert (play.state("a"), phase(play)) == ("cancelled", Phase.CANCELLED)
