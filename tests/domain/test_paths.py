"""Ways out of a step: which paths are taken, whose the next step is, and the status along the way."""

import pytest

from app.domain.commands import Finish, Run
from app.domain.diagram import Path
from app.domain.job import UNASSIGNED, Answer, AssignedType, Assignment
from app.domain.outcomes import StepStatus
from app.domain.paths import error_ways, resolve_assignment, scope_of, ways_out
from app.expressions.arcade import STEP_ERROR, STEP_SUCCESS, ArcadeError
from tests.domain.builders import Play, diagram, group, job, silent, step, user

SCOPE = scope_of(job(), "ana", STEP_SUCCESS)


@pytest.mark.parametrize(
    ("kind", "to", "custom", "whose"),
    [
        (AssignedType.UNASSIGNED, None, False, user("present")),
        (AssignedType.UNASSIGNED, "ben", False, user("present")),
        (AssignedType.USER, None, False, user("present")),
        (AssignedType.USER, "ben", False, user("ben")),
        (AssignedType.GROUP, "crew", False, group("crew")),
        (AssignedType.USER, "JobCreator($job)", False, user("carl")),
        (AssignedType.USER, "JobOwner($job)", False, user("olga")),
        (AssignedType.USER, "$currentUser", False, user("ana")),
        (AssignedType.USER, "'b' + 'en'", True, user("ben")),
        (AssignedType.USER, "o'brien (night)", False, user("o'brien (night)")),
    ],
)
def test_a_path_says_whose_the_next_step_is(
    kind: AssignedType, to: str | None, custom: bool, whose: Assignment
) -> None:
    assert resolve_assignment(kind, to, user("present"), SCOPE, custom=custom) == whose


@pytest.mark.parametrize(("to", "custom"), [("''", True), ("JobCreator(5)", False), ("ben", True)])
def test_an_assignment_that_gives_no_name_is_an_error(to: str, custom: bool) -> None:
    with pytest.raises(ArcadeError):
        resolve_assignment(AssignedType.USER, to, UNASSIGNED, SCOPE, custom=custom)


def test_all_paths_that_match_are_taken_in_order_and_missing_steps_are_passed_over() -> None:
    known = step("a", to=["b", Path("c", "$retVal == $stepSuccess"), Path("b", "$retVal == 1"), "gone"])
    ways = ways_out(diagram(known, step("b"), step("c")), known, user("ana"), SCOPE)
    assert [way.path.next_step for way in ways] == ["b", "c"]


def test_the_assignment_of_a_path_not_taken_is_not_looked_at() -> None:
    broken = Path("b", "1 == 2", AssignedType.USER, "JobCreator(5)")
    known = step("a", to=[broken, "b"])
    assert len(ways_out(diagram(known, step("b")), known, user("ana"), SCOPE)) == 1


@pytest.mark.parametrize(
    ("expression", "is_for_errors"),
    [
        ("$retVal == 'stepError'", True),
        ("$retVal != $stepSuccess", True),
        ("$retVal == $stepSuccess", False),
        ("1 == 1", False),
        (None, False),
        ("JobCreator(5) == 1", False),
    ],
)
def test_a_path_for_failures_is_one_that_a_success_does_not_take(expression: str | None, is_for_errors: bool) -> None:
    known = step("a", to=[Path("b", expression)])
    ways = error_ways(diagram(known, step("b")), known, user("ana"), scope_of(job(), "ana", STEP_ERROR))
    assert bool(ways) == is_for_errors


def test_the_present_assignee_is_kept_along_a_path_that_names_nobody() -> None:
    play = Play.created(silent("a", to=["b"]), step("b"), assignment=group("crew"))
    play.act(Run())
    assert play.job.flow.current("b").assignment == group("crew")


def test_paths_set_the_job_status_the_last_one_taken_that_has_one_counts() -> None:
    ways = [Path("b", status="In Progress"), Path("c", status="Review"), Path("d"), Path("d", "1 == 2", status="No")]
    play = Play.created(step("a", to=ways, can_skip=True), step("b"), step("c"), step("d"))
    play.act(Finish())
    assert play.job.status == "Review"


def test_a_path_without_a_status_leaves_the_status_alone() -> None:
    play = Play.created(step("a", to=["b"], can_skip=True), step("b"))
    play.act(Finish())
    assert play.job.status == "Ready"


def test_each_branch_gets_the_assignee_of_its_own_path() -> None:
    ways = [Path("b", assigned_type=AssignedType.USER, assigned_to="JobCreator($job)"), Path("c")]
    play = Play.created(step("a", to=ways, can_skip=True), step("b"), step("c"))
    play.act(Finish())
    assert [current.assignment for current in play.job.flow.steps] == [user("carl"), user("ana")]


def test_current_user_is_whoever_finishes_the_step() -> None:
    way = Path("b", "$currentUser == 'ana'", AssignedType.USER, "$currentUser")
    play = Play.created(step("a", to=[way], can_skip=True), step("b"), assignment=group("crew"))
    play.act(Finish())
    assert play.job.flow.current("b").assignment == user("ana")


def test_finishing_into_an_assignment_that_cannot_be_evaluated_is_refused_and_changes_nothing() -> None:
    way = Path("b", assigned_type=AssignedType.USER, assigned_to="JobCreator(5)")
    play = Play.created(step("a", to=[way], can_skip=True), step("b"))
    before = play.job
    (outcome,) = play.act(Finish()).outcomes
    assert outcome.status is StepStatus.NO_MATCHING_PATHS
    assert "cannot be evaluated" in outcome.description
    assert play.job is before


def test_a_question_goes_where_its_answer_leads() -> None:
    ways = [Path("yes", "$retVal == 1"), Path("no", "$retVal == 0")]
    play = Play.created(step("ask", "Question", to=ways), step("yes"), step("no"))
    play.act(Run())
    play.answer("ask", Answer(question_response=0))
    assert play.at == ["no"]
