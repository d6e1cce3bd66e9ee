"""Prompts and answers: each kind asked and answered, right and wrong; once, in time, by the right person."""

import re
from typing import Any

import pytest

from app.domain.commands import MAX_COMMENT_CHARS, ApplyAnswer, Finish, GiveAnswer, Run, Stop
from app.domain.diagram import Path, StepKind
from app.domain.events import AnswerRejected, CommentAdded, LocationSet, PropertiesSet, StepFailed, StepReassigned
from app.domain.job import Answer, AssignedType, PropertyResponse
from app.domain.prompts import ANSWER_FIELDS, FINISHED_BY_ANSWER, AnswerRefusal, Choice, Refused, app_url, choices
from app.domain.properties import PropertyValue
from app.domain.runs import USER_FAILED, apply_answer, give_answer
from app.domain.values import Value
from tests.domain.builders import ANA, BEN, Play, group, job, person, step, user
from tests.domain.lifting import ANSWERS

ASKED = {"properties": [{"identifier": "site.acres", "required": True}, {"identifier": "site.owner"}]}
YES = Answer(manual_response=True)


def asked(kind: str = "Manual", **members: Any) -> Play:
    """A job that waits for the answer to its step ``a``."""
    play = Play.created(step("a", kind, to=["b"], **members), step("b"))
    assert play.act(Run()).success
    return play


def refused(play: Play, answer: Answer) -> str:
    """What is said to a wrong answer, which must leave no trace."""
    before, count = play.job, len(play.recorded)
    refusal = play.give("a", answer)
    assert refusal is not None
    assert refusal.reason is AnswerRefusal.INVALID
    assert play.job is before
    assert len(play.recorded) == count
    return refusal.msg


# ---------------------------------------------------------------- each kind


@pytest.mark.parametrize("kind", list(ANSWERS))
@pytest.mark.parametrize("proceed_next", [True, False])
def test_a_right_answer_finishes_the_step_or_hands_it_to_its_user(kind: StepKind, proceed_next: bool) -> None:
    play = asked(kind.value, proceed_next=proceed_next)
    assert play.names[-2:] == ["StepStarted", "PromptOpened"]
    play.answer("a", ANSWERS[kind], assignee=user("ben"))
    if proceed_next or kind in FINISHED_BY_ANSWER:
        assert play.at == ["b"]
    else:
        assert (play.at, play.state("a")) == (["a"], "handled")
        assert play.act(Finish()).success
        assert play.at == ["b"]


@pytest.mark.parametrize("kind", list(ANSWERS))
def test_an_answer_in_the_member_of_another_kind_is_refused_and_names_the_right_one(kind: StepKind) -> None:
    play = asked(kind.value)
    wrong = ANSWERS[
        StepKind.MANUAL if kind is not StepKind.MANUAL and kind is not StepKind.OTHER else StepKind.OPEN_APP
    ]
    assert ANSWER_FIELDS[kind].split()[0] in refused(play, wrong)


@pytest.mark.parametrize(
    ("kind", "args", "answer", "words"),
    [
        ("Question", None, Answer(question_response=7), r"use 1 \(Yes\), 0 \(No\)"),
        ("DefineLocation", {"geometryType": "Polygon"}, Answer(location='{"x": 1, "y": 2}'), "asks for a Polygon"),
        ("DefineLocation", {}, Answer(location="here"), "not JSON"),
        ("DefineLocation", {}, Answer(failed=False), "location or failed"),
        ("UpdateJobProperties", ASKED, Answer(property_responses=()), "site.acres must be given"),
        (
            "UpdateJobProperties",
            ASKED,
            Answer(property_responses=(PropertyResponse("site.acres", None),)),
            "site.acres must be given",
        ),
        (
            "UpdateJobProperties",
            ASKED,
            Answer(property_responses=(PropertyResponse("site.acres", "1"), PropertyResponse("site.depth", "1"))),
            "does not ask for 'site.depth'",
        ),
        (
            "UpdateJobProperties",
            {},
            Answer(property_responses=(PropertyResponse("acres", "1"),)),
            "acres: use table.property, or one of jobName",
        ),
        (
            "UpdateJobProperties",
            ASKED,
            Answer(property_responses=(PropertyResponse("site.acres", "many"),)),
            "site.acres: 'many' is not a number",
        ),
        (
            "UpdateJobProperties",
            {},
            Answer(property_responses=(PropertyResponse("priority", "Unheard"),)),
            "priority: 'Unheard' is not one of Low, High",
        ),
        ("AdvancedAssignment", {}, Answer(assignment_response="nobody"), "no user or group 'nobody'"),
    ],
)
def test_a_wrong_value_is_refused(kind: str, args: dict[str, Any] | None, answer: Answer, words: str) -> None:
    assert re.search(words, refused(asked(kind, args=args), answer))


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("Manual", Answer(manual_response=False)),
        ("OpenApp", Answer(open_app_response=False)),
        ("Attachment", Answer(attachment_response=False)),
        ("DefineLocation", Answer(failed=True)),
        ("Survey123", Answer(manual_response=False)),
    ],
)
def test_a_user_may_say_that_it_could_not_be_done(kind: str, answer: Answer) -> None:
    play = asked(kind)
    play.answer("a", answer)
    assert play.state("a") == "failed"
    event = play.events[-1]
    assert isinstance(event, StepFailed)
    assert event.fault.msg_code == USER_FAILED
    assert play.act(Run()).success


def test_a_failure_that_a_path_asks_for_goes_along_it() -> None:
    play = Play.created(step("a", to=[Path("b"), Path("help", "$retVal == 'stepError'")]), step("b"), step("help"))
    play.act(Run())
    play.answer("a", Answer(manual_response=False))
    assert play.at == ["help"]


# ---------------------------------------------------------------- effects


def test_a_location_is_kept_in_web_mercator() -> None:
    play = asked("DefineLocation")
    play.answer("a", Answer(location='{"x": 0, "y": 0}'))
    assert play.job.location is not None
    assert play.job.location.geometry_type == "Multipoint"
    assert [event.added for event in play.events if isinstance(event, LocationSet)] == [True]


def test_properties_are_recorded_as_given() -> None:
    play = asked("UpdateJobProperties", args=ASKED)
    given = (PropertyResponse("site.acres", "3"),)
    play.answer("a", Answer(property_responses=given))
    (event,) = (event for event in play.events if isinstance(event, PropertiesSet))
    assert event.changes.properties == (PropertyValue("site", "acres", Value("3", number=3.0)),)


def test_an_advanced_assignment_gives_the_next_step_to_the_one_chosen() -> None:
    play = asked("AdvancedAssignment")
    play.answer("a", Answer(assignment_response="crew"), assignee=group("crew"))
    assert [event.assignment for event in play.events if isinstance(event, StepReassigned)] == [group("crew")]
    assert play.job.flow.current("b").assignment == group("crew")


# ---------------------------------------------------------------- comments


def comments(play: Play) -> list[str]:
    return [event.comment for event in play.events if isinstance(event, CommentAdded)]


@pytest.mark.parametrize("comment", [None, "", "  "])
def test_a_required_comment_must_be_there(comment: str | None) -> None:
    assert "needs a comment" in refused(asked(comment_required=True), Answer(manual_response=True, comment=comment))


@pytest.mark.parametrize(("comment", "kept"), [("Fine", ["Fine"]), (None, []), ("  ", [])])
def test_a_comment_is_kept_if_it_says_anything(comment: str | None, kept: list[str]) -> None:
    play = asked()
    play.answer("a", Answer(manual_response=True, comment=comment))
    assert comments(play) == kept


@pytest.mark.parametrize("comment", ["Fine", None, "x" * (MAX_COMMENT_CHARS + 1)])
def test_where_comments_are_not_allowed_one_is_dropped_and_the_answer_counts(comment: str | None) -> None:
    play = asked(can_comment=False, comment_required=True)
    play.answer("a", Answer(manual_response=True, comment=comment))
    assert play.state("a") == "handled"
    assert comments(play) == []


def test_a_comment_has_a_longest_length() -> None:
    too_long = Answer(manual_response=True, comment="x" * (MAX_COMMENT_CHARS + 1))
    assert str(MAX_COMMENT_CHARS) in refused(asked(), too_long)


def test_a_comment_given_before_a_stop_is_not_asked_for_again() -> None:
    play = asked(comment_required=True)
    play.answer("a", Answer(manual_response=True, comment="Half done"))
    play.act(Stop())
    assert play.state("a") == "paused"
    assert play.act(Finish()).success


# ---------------------------------------------------------------- once, in time, by the right person


def test_the_first_answer_closes_the_prompt_until_it_is_applied() -> None:
    play = asked()
    assert play.give("a", YES) is None
    assert play.state("a") == "executing"
    assert [reason.lifts for reason in play.reasons(Stop())] == [()]
    late = play.give("a", YES)
    assert late is not None
    assert (late.reason, "'ana'" in late.msg) == (AnswerRefusal.ALREADY_ANSWERED, True)
    assert play.apply("a") is not None
    assert play.apply("a") is None
    assert play.give("a", YES) == late


def test_a_step_that_has_not_been_run_waits_for_nothing() -> None:
    play = Play.created(step("a"), step("b"))
    for step_id in ("a", "b", "nowhere"):
        answer = play.give(step_id, YES)
        assert answer is not None
        assert answer.reason is AnswerRefusal.NOT_WAITING


def test_a_stopped_step_waits_for_nothing_and_asks_anew_when_run_again() -> None:
    play = asked()
    old = play.job.flow.current("a").last_run.prompt_id
    play.act(Stop())
    stopped = play.give("a", YES)
    assert stopped is not None
    assert stopped.reason is AnswerRefusal.NOT_WAITING
    play.act(Run())
    stale = give_answer(play.job, play.diagram, GiveAnswer("a", YES, old), ANA, play.moment)
    assert isinstance(stale, Refused)
    assert stale.reason is AnswerRefusal.NOT_WAITING
    fresh = GiveAnswer("a", YES, play.job.flow.current("a").last_run.prompt_id)
    assert not isinstance(give_answer(play.job, play.diagram, fresh, ANA, play.moment), Refused)


def test_an_answer_to_a_prompt_that_was_asked_anew_is_late_also_once_the_new_one_is_answered() -> None:
    play = asked()
    play.act(Stop())
    play.act(Run())
    play.give("a", YES)
    stale = give_answer(play.job, play.diagram, GiveAnswer("a", YES, "id-3"), ANA, play.moment)
    assert isinstance(stale, Refused)
    assert stale.reason is AnswerRefusal.NOT_WAITING


def test_only_whose_step_it_is_may_answer() -> None:
    play = asked()
    assert play.give("a", YES, BEN) == Refused(
        AnswerRefusal.NOT_ALLOWED, "The step is assigned to the user 'ana'; 'ben' may not answer it."
    )
    shared = Play.created(step("a"), assignment=group("crew"))
    shared.act(Run())
    assert shared.give("a", YES, person("cleo", groups=["crew"])) is None


def test_an_answer_that_leads_nowhere_is_refused_before_it_is_stored() -> None:
    play = Play.created(step("a", "Question", to=[Path("b", "$retVal == 0")]), step("b"))
    play.act(Run())
    assert "No path out" in refused(play, Answer(question_response=1))
    broken = Path("b", assigned_type=AssignedType.USER, assigned_to="JobCreator(5)")
    play = Play.created(step("a", "Question", to=[broken]), step("b"))
    play.act(Run())
    assert "cannot be evaluated" in refused(play, Answer(question_response=1))


def test_a_stored_answer_that_has_become_wrong_is_rejected_and_the_prompt_is_open_again() -> None:
    """The user that an assignment named was deleted between storing and applying."""
    play = asked("AdvancedAssignment")
    answer = Answer(assignment_response="ben")
    assert play.give("a", answer, assignee=user("ben")) is None
    play.apply("a", assignee=None)
    assert isinstance(play.events[-1], AnswerRejected)
    assert play.state("a") == "waiting"
    play.answer("a", answer, assignee=user("ben"))
    assert play.at == ["b"]


def test_there_is_nothing_to_apply_where_no_answer_was_stored() -> None:
    play = asked()
    assert play.apply("a") is None
    command = ApplyAnswer("nowhere", "p1")
    assert apply_answer(play.job, play.diagram, command, ANA, play.moment) is None


# ---------------------------------------------------------------- what is asked


def test_choices_keep_their_authors_order_and_come_as_an_object_or_a_list() -> None:
    by_name = {"Zwei": {"value": 2, "order": 2}, "Eins": {"displayName": "One", "value": 1, "order": 1}}
    listed = [{"name": "First", "value": 5}, {"displayName": "Second", "value": 4}]
    assert choices(step("a", "Question", args={"questionResponses": by_name})) == (Choice("One", 1), Choice("Zwei", 2))
    assert choices(step("a", "Question", args={"questionResponses": listed})) == (
        Choice("First", 5),
        Choice("Second", 4),
    )
    assert choices(step("a", "Question", args={})) == ()


@pytest.mark.parametrize(
    ("url", "text"),
    [("https://a.test", "https://a.test"), ({"value": "https://b.test"}, "https://b.test"), (None, ""), (5, "5")],
)
def test_the_address_of_an_app_is_text_or_an_object_with_a_value(url: Any, text: str) -> None:
    assert app_url(job(), step("a", "OpenApp", args={"appUrl": url})) == text


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("'https://app.test/?by=' + JobCreator($job)", "https://app.test/?by=ana"),
        ("https://app.test/(a)?b='c'", "https://app.test/(a)?b='c'"),
        ("'https://app.test/?by=' + JobCreator(5)", "'https://app.test/?by=' + JobCreator(5)"),
    ],
)
def test_an_address_may_be_an_expression_and_one_that_fails_is_shown_as_it_stands(url: str, text: str) -> None:
    assert app_url(job(created_by="ana"), step("a", "OpenApp", args={"appUrl": {"value": url}})) == text
