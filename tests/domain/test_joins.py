"""Joins: a reached step waits while another current or pending step can still reach it."""

from app.domain.commands import Finish, Run, SetCurrentStep
from app.domain.diagram import Path, Step
from app.domain.job import UNASSIGNED, Answer, PendingStep
from app.domain.joins import arrive, awaited_by, open_joins
from app.domain.outcomes import LiftKind, StepStatus
from tests.domain.builders import START_MS, Play, diagram, silent, step, user

PLACE = Answer(location='{"x": 8.5, "y": 47.4}')


def introduction() -> list[Step]:
    """The shape of the introduction diagram: three branches meet in a step into which a question loops back."""
    return [
        step("welcome", to=["branch"]),
        silent("branch", to=["one", "two", "three"], automatic=True),
        step("one", to=["place"], automatic=True, proceed_next=True),
        step("two", to=["place"], can_skip=True, proceed_next=True),
        step("three", to=["place"], can_skip=True, proceed_next=True),
        step("place", "DefineLocation", to=["again"], automatic=True, proceed_next=True),
        step("again", "Question", to=[Path("place", "$retVal == 1"), Path("files", "$retVal == 0")], automatic=True),
        step("files", "Attachment", to=["end"], automatic=True),
        step("end"),
    ]


def at_branches() -> Play:
    play = Play.created(*introduction())
    for action in (Run(), Finish()):
        assert play.act(action).success
    return play


def test_branches_start_side_by_side() -> None:
    play = at_branches()
    assert play.at == ["one", "two", "three"]
    assert [play.state(step_id) for step_id in play.at] == ["waiting", "ready", "ready"]


def test_a_join_opens_once_when_the_last_branch_arrives_though_a_loop_leads_back_into_it() -> None:
    play = at_branches()
    play.act(Finish(("two",)))
    assert (play.at, play.pending) == (["one", "three"], ["place"])
    play.answer("one", Answer(manual_response=True))
    assert (play.at, play.pending) == (["three"], ["place"])
    play.forget()
    play.act(Finish(("three",)))
    assert (play.at, play.pending) == (["place"], [])
    assert play.state("place") == "waiting"
    assert play.names == ["StepFinished", "StepStarted", "PromptOpened"]


def test_a_loop_back_into_the_join_opens_it_at_once() -> None:
    play = at_branches()
    for step_id in ("one", "two", "three"):
        play.act(Finish((step_id,)))
    first_visit = play.job.flow.current("place").visit_id
    play.answer("place", PLACE)
    play.answer("again", Answer(question_response=1))
    assert (play.at, play.pending) == (["place"], [])
    assert play.job.flow.current("place").visit_id != first_visit
    play.answer("place", PLACE)
    play.answer("again", Answer(question_response=0))
    play.answer("files", Answer(attachment_response=True))
    assert play.act(Run()).success
    assert play.act(Finish()).success
    assert play.job.flow.is_complete
    assert play.job.percent_complete == 100
    assert not play.job.closed
    assert play.names[-2:] == ["StepFinished", "WorkflowCompleted"]


def test_a_branch_that_turns_away_from_a_join_opens_it() -> None:
    """Once the answer has led elsewhere nothing can reach the join any more, though the branch itself goes on."""
    play = Play.created(
        silent("fork", to=["left", "right"]),
        step("left", to=["join"], can_skip=True),
        step("right", "Question", to=[Path("stub", "$retVal == 0"), Path("join", "$retVal == 1")]),
        step("stub", can_skip=True),
        step("join"),
    )
    play.act(Run())
    play.act(Finish(("left",)))
    assert (play.at, play.pending) == (["right"], ["join"])
    play.act(Run(("right",)))
    play.answer("right", Answer(question_response=0))
    assert play.at == ["join", "stub"]
    play.act(Finish(("stub",)))
    assert play.at == ["join"]


def circle() -> Play:
    """Two joins, each of which can reach the other, and a branch beside them."""
    return Play.created(
        silent("fork", to=["a", "b", "aside"]),
        step("a", to=["one"], can_skip=True),
        step("b", to=["two"], can_skip=True),
        step("one", to=["two"], can_skip=True),
        step("two", to=["one"], can_skip=True),
        step("aside", can_skip=True),
    )


def test_joins_in_a_circle_open_together_when_only_pending_steps_remain() -> None:
    play = circle()
    play.act(Run())
    play.act(Finish(("a", "b")))
    assert (play.at, play.pending) == (["aside"], ["one", "two"])
    play.act(Finish(("aside",)))
    assert (play.at, play.pending) == (["one", "two"], [])


def test_a_join_in_a_circle_says_that_it_waits_for_what_is_current() -> None:
    play = circle()
    play.act(Run())
    play.act(Finish(("a", "b")))
    (reason,) = play.reasons(Run(("one",)))
    assert reason.status is StepStatus.STEP_NOT_CURRENT
    assert "'aside'" in reason.description


def test_a_pending_step_has_a_reason_for_each_branch_that_it_waits_for() -> None:
    play = at_branches()
    play.act(Finish(("two",)))
    reasons = play.reasons(Run(("place",)))
    assert [reason.lifts[0].step_id for reason in reasons] == ["one", "three"]
    assert {reason.lifts[0].kind for reason in reasons} == {LiftKind.ACTION}


def test_setting_the_current_step_clears_what_is_pending() -> None:
    play = at_branches()
    play.act(Finish(("one", "two")))
    play.forget()
    play.act(SetCurrentStep(("two",)))
    assert (play.at, play.pending) == (["two"], [])
    play.act(Finish(("two",)))
    assert play.at == ["place"]


def test_two_paths_into_one_step_make_it_current_once() -> None:
    play = Play.created(silent("a", to=["b", "b"]), step("b"))
    play.act(Run())
    assert play.at == ["b"]


def test_a_step_that_is_current_already_swallows_another_arrival() -> None:
    play = Play.created(
        silent("fork", to=["loop", "stay"]),
        step("stay", to=["loop"], can_skip=True),
        step("loop", to=["stay"], can_skip=True),
    )
    play.act(Run())
    assert (play.at, play.pending) == (["loop", "stay"], [])
    visit_id = play.job.flow.current("loop").visit_id
    play.act(Finish(("stay",)))
    assert play.at == ["loop"]
    assert play.job.flow.current("loop").visit_id == visit_id


def test_a_step_may_lead_back_to_itself() -> None:
    play = Play.created(step("a", to=["a"], can_skip=True))
    first = play.job.flow.current("a").visit_id
    play.act(Finish())
    assert play.at == ["a"]
    assert play.job.flow.current("a").visit_id != first
    assert play.job.flow.finished == ("a",)


def test_the_latest_arrival_that_names_somebody_decides_whose_a_pending_step_is() -> None:
    first = PendingStep("join", user("ana"), START_MS)
    second = PendingStep("join", user("ben"), START_MS + 5)
    nobody = PendingStep("join", UNASSIGNED, START_MS + 9)
    assert arrive([first], [], [second]) == (PendingStep("join", user("ben"), START_MS),)
    assert arrive([first], [], [second, nobody])[0].assignment == user("ben")
    assert arrive([], [], [nobody]) == (nobody,)
    assert arrive([], ["join"], [first]) == ()


def test_what_only_a_join_itself_can_reach_does_not_hold_it_up() -> None:
    shape = diagram(step("a", to=["join"]), step("join", to=["later"]), step("later", to=["join"]))
    waiting = PendingStep("join", user("ana"), START_MS)
    assert open_joins(shape, [], [waiting]) == ((waiting,), ())
    assert open_joins(shape, ["a"], [waiting]) == ((), (waiting,))
    assert open_joins(shape, ["later"], [waiting]) == ((), (waiting,))
    assert awaited_by(shape, ["a", "later"], "join") == ("a", "later")
