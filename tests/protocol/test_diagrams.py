from typing import Any

import msgspec
import pytest

from app.domain.diagram import DRAFT_VERSION, Diagram, StepKind
from app.domain.job import AssignedType
from app.errors import InvalidValue
from app.protocol.diagrams import MAX_STEPS, check_expressions, parse_diagram, read_document, render_diagram
from app.protocol.step_args import check_args

TWO_STEPS: list[dict[str, Any]] = [
    {"id": "a", "name": "First", "paths": [{"nextStep": "b", "expression": "$retVal == $stepSuccess"}]},
    {"id": "b", "name": "Last", "paths": []},
]


def body(steps: list[dict[str, Any]], **members: Any) -> bytes:
    return msgspec.json.encode({"diagramName": "D", "displayGrid": True, "steps": steps} | members)


def parse(raw: bytes, version: int = 1) -> Diagram:
    return parse_diagram(raw, diagram_id="d", version=version)


def parse_step(**members: Any) -> Any:
    return parse(body([{"id": "a", "name": "A"} | members])).steps[0]


def test_steps_keep_their_order_and_the_initial_step_is_derived() -> None:
    diagram = parse(body(list(reversed(TWO_STEPS)), initialStepId="", initialStepName=""))
    assert [step.step_id for step in diagram.steps] == ["b", "a"]
    assert diagram.initial_step_id == "a"
    assert diagram.version == 1


def test_a_named_initial_step_wins_and_must_exist() -> None:
    loop = [{"id": "a", "paths": [{"nextStep": "b"}]}, {"id": "b", "paths": [{"nextStep": "a"}]}]
    assert parse(body(loop, initialStepId="b")).initial_step_id == "b"
    with pytest.raises(InvalidValue, match="'x' is not one of the diagram's steps"):
        parse(body(loop, initialStepId="x"))


def test_a_draft_may_leave_open_where_it_starts() -> None:
    two_starts = [{"id": "a"}, {"id": "b"}]
    assert parse(body(two_starts), DRAFT_VERSION).initial_step_id == ""
    assert parse(body([]), DRAFT_VERSION).steps == ()
    with pytest.raises(InvalidValue, match="exactly one initial step"):
        parse(body(two_starts))


def test_null_means_absent_for_every_optional_member() -> None:
    nulls = dict.fromkeys(
        "name action automatic proceedNext canSkip canComment commentRequired helpText helpLink schedule paths".split()
    )
    step = parse_step(**nulls)
    assert step == parse(body([{"id": "a"}])).steps[0]
    assert (step.name, step.kind, step.can_comment, step.paths) == ("a", StepKind.MANUAL, True, ())


def test_step_and_path_members_are_read() -> None:
    path = {
        "nextStep": "b",
        "expression": "",
        "label": "yes",
        "assignedType": "Group",
        "assignedTo": "g",
        "isAssignedToCustomExpression": False,
        "status": "Ready",
        "notifications": [],
        "points": [{"x": 1, "y": 2}],
    }
    step = parse_step(
        automatic=True,
        proceedNext=True,
        canSkip=True,
        canComment=False,
        commentRequired=True,
        helpText="h",
        paths=[path],
    )
    assert (step.automatic, step.proceed_next, step.can_skip) == (True, True, True)
    assert (step.can_comment, step.comment_required, step.help_text) == (False, True, "h")
    assert step.paths[0].expression is None
    assert (step.paths[0].assigned_type, step.paths[0].assigned_to) == (AssignedType.GROUP, "g")
    assert (step.paths[0].status, step.paths[0].label) == ("Ready", "yes")


def test_an_unknown_action_type_and_its_arguments_are_kept() -> None:
    step = parse_step(action={"actionType": "LaunchRocket", "args": {"stages": [1, {"fuel": "x"}]}})
    assert step.kind is StepKind.OTHER
    assert step.action_type == "LaunchRocket"
    assert step.args == {"stages": [1, {"fuel": "x"}]}


@pytest.mark.parametrize(
    ("schedule", "after_ms", "at_ms"),
    [
        ({"scheduleType": "Duration", "timeDuration": 5}, 300_000, None),
        ({"scheduleType": "Duration", "timeDuration": 1.5, "timeType": "Seconds"}, 1_500, None),
        ({"scheduleType": "Duration", "timeDuration": 2, "timeType": "Hours"}, 7_200_000, None),
        ({"scheduleType": "Duration", "timeDuration": 1, "timeType": "Days"}, 86_400_000, None),
        ({"scheduleType": "Duration", "timeDuration": 1, "timeType": "Weeks"}, 604_800_000, None),
        ({"scheduleType": "Date", "date": "1970-01-01T00:00:01Z"}, None, 1_000),
    ],
)
def test_a_schedule_is_read_into_milliseconds(schedule: Any, after_ms: int | None, at_ms: int | None) -> None:
    found = parse_step(schedule=schedule).schedule
    assert (found.after_ms, found.at_ms) == (after_ms, at_ms)


@pytest.mark.parametrize("schedule", [None, {}, {"scheduleType": None}, {"scheduleType": ""}, {"scheduleType": "None"}])
def test_no_schedule_type_is_no_schedule(schedule: Any) -> None:
    assert parse_step(schedule=schedule).schedule is None


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [
        ({"scheduleType": "Moon"}, "neither 'Duration' nor 'Date'"),
        ({"scheduleType": "Duration"}, "schedule.timeDuration"),
        ({"scheduleType": "Duration", "timeDuration": -1}, "schedule.timeDuration"),
        ({"scheduleType": "Duration", "timeDuration": 1e300}, "schedule.timeDuration"),
        ({"scheduleType": "Duration", "timeDuration": "5"}, r"expected `float \| null`"),
        ({"scheduleType": "Duration", "timeDuration": 5, "timeType": "Eons"}, "none of Seconds, Minutes"),
        ({"scheduleType": "Date"}, "schedule.date is missing"),
        ({"scheduleType": "Date", "date": "soon"}, "'soon' is not a moment"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused_and_names_its_step(schedule: Any, fault: str) -> None:
    with pytest.raises(InvalidValue, match=fault) as caught:
        parse_step(schedule=schedule)
    assert caught.value.message.startswith("WorkflowDiagram was invalid: ")


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "empty"),
        (b"{", "not JSON"),
        (b"[]", "expected `object`"),
        (b"{}", "`diagramName`"),
        (b'{"diagramName": "D"}', "`steps`"),
        (b'{"diagramName": 1, "steps": []}', r"\$.diagramName"),
        (b'{"diagramName": "D", "steps": {}}', r"\$.steps"),
        (b'{"diagramName": "D", "steps": [{"name": "A"}]}', "`id`"),
        (b'{"diagramName": "D", "steps": [{"id": ""}]}', "is empty"),
        (b'{"diagramName": "D", "steps": [{"id": "a"}, {"id": "a"}]}', "used twice"),
        (b'{"diagramName": "D", "steps": [{"id": "Comments"}]}', "resource of a job"),
        (b'{"diagramName": "D", "steps": [{"id": "a", "automatic": "yes"}]}', r"\$.steps\[0\].automatic"),
        (b'{"diagramName": "D", "steps": [{"id": "a", "paths": [{}]}]}', "`nextStep`"),
        (b'{"diagramName": "D", "steps": [], "x": "\\u0000"}', "NUL"),
        (b'{"diagramName": "D", "steps": [], "x": "\\ud800 "}', "surrogate"),
        (b'{"diagramName": "D", "steps": [], "x": 99999999999999999999}', "64 bits"),
        (b'{"diagramName": "D\xff", "steps": []}', "UTF-8"),
        (b'{"diagramName": "D", "steps": [], "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
    ],
)
def test_a_malformed_body_is_refused_by_name_and_place(raw: bytes, fault: str) -> None:
    with pytest.raises(InvalidValue, match=fault) as caught:
        parse(raw)
    assert caught.value.message.startswith("WorkflowDiagram was invalid: ")
    assert caught.value.details


def test_more_steps_than_the_limit_are_refused() -> None:
    steps = [{"id": str(number)} for number in range(MAX_STEPS + 1)]
    with pytest.raises(InvalidValue, match=f"at most {MAX_STEPS}"):
        parse(body(steps), DRAFT_VERSION)


def test_every_faulty_expression_is_told_with_its_step_and_path() -> None:
    steps = [
        {"id": "a", "name": "A", "paths": [{"nextStep": "b"}, {"nextStep": "b", "expression": "$retVal =="}]},
        {
            "id": "b",
            "name": "B",
            "paths": [{"nextStep": "c", "assignedTo": "JobOwner($job", "isAssignedToCustomExpression": True}],
        },
        {"id": "c", "paths": [{"nextStep": "c", "assignedTo": "not ( an expression"}]},
    ]
    with pytest.raises(InvalidValue) as caught:
        check_expressions(parse(body(steps)))
    assert len(caught.value.details) == 2
    assert "step 'a' (A), paths[1].expression" in caught.value.details[0]
    assert "step 'b' (B), paths[0].assignedTo" in caught.value.details[1]


# ---------------------------------------------------------------- the document


def test_the_document_is_kept_byte_for_byte() -> None:
    raw = b'{ "diagramName" : "D",  "steps":[], "ours": {"b": 1, "a": [1.50, "\\u00e9"]} }'
    assert read_document(raw).body == raw


def test_members_of_the_request_are_not_part_of_the_document() -> None:
    raw = body([], f="json", token="secret", ours={"token": "kept"})
    kept = msgspec.json.decode(read_document(raw).body)
    assert "token" not in kept
    assert "f" not in kept
    assert kept["ours"] == {"token": "kept"}


def test_an_escaped_spelling_does_not_smuggle_a_token_into_the_document() -> None:
    raw = b'{"diagramName": "D", "steps": [], "\\u0074oken": "secret"}'
    assert b"secret" not in read_document(raw).body


def test_a_diagram_is_given_back_with_what_the_server_knows() -> None:
    raw = body(TWO_STEPS, initialStepId="", annotations="", description=None, ours=[1, 2.50])
    found = msgspec.json.decode(msgspec.json.encode(render_diagram(raw, parse(raw, 3))))
    assert (found["diagramId"], found["diagramVersion"], found["active"]) == ("d", 3, True)
    assert (found["initialStepId"], found["initialStepName"]) == ("a", "First")
    assert found["annotations"] == []
    assert found["ours"] == [1, 2.5]
    assert found["steps"] == TWO_STEPS
    assert "description" not in found


def test_a_draft_says_that_it_is_not_active() -> None:
    raw = body([])
    found = render_diagram(raw, parse(raw, DRAFT_VERSION))
    assert found["active"] is False
    assert found["initialStepName"] == ""


# ---------------------------------------------------------------- arguments of steps


def question(responses: Any, **members: Any) -> Diagram:
    args = {"question": "Sure?", "questionResponses": responses} | members
    return parse(body([{"id": "q", "name": "Ask", "action": {"actionType": "Question", "args": args}}]))


@pytest.mark.parametrize(
    "responses",
    [
        {"Yes": {"displayName": "Yes", "value": 1, "order": 0}, "No": {"displayName": "No", "value": 0, "order": 1}},
        [{"displayName": "Yes", "value": 1}, {"name": "No", "value": 0}],
    ],
)
def test_both_forms_of_a_questions_answers_are_accepted(responses: Any) -> None:
    check_args(question(responses))


@pytest.mark.parametrize(
    ("responses", "fault"),
    [
        ({}, "offers no answer"),
        (None, "questionResponses"),
        ("Yes", "questionResponses"),
        ({"Yes": 1}, "questionResponses"),
        ({"Yes": {"displayName": "Yes"}}, "`value`"),
        ({"Yes": {"value": "1"}}, "value"),
        ({"Yes": {"value": True}}, "value"),
        ({"Yes": {"value": 1, "order": None}}, "order"),
        ([{"value": 1}, {"value": 1}], "the same value"),
    ],
)
def test_a_question_that_cannot_be_answered_must_not_become_active(responses: Any, fault: str) -> None:
    with pytest.raises(InvalidValue, match=fault) as caught:
        check_args(question(responses))
    assert "step 'q' (Ask)" in caught.value.details[0]


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("Manual", {"userPrompt": 5}),
        ("Question", {"question": {}, "questionResponses": [{"value": 1}]}),
        ("DefineLocation", {"geometryType": 5}),
        ("UpdateJobProperties", {"properties": [{"required": True}]}),
        ("UpdateJobProperties", {"properties": [{"identifier": "a.b"}], "propertyValues": []}),
        ("UpdateJobProperties", {"propertyValues": [{"identifier": "a.b", "value": "JobName($job"}]}),
        ("UpdateJobProperties", {"propertyValues": [{"value": "1"}]}),
        ("CreateJob", {}),
        ("CreateJob", {"jobTemplateId": ""}),
        ("CreateJob", {"jobTemplateId": "t", "numberOfJobs": -1}),
        ("CreateJob", {"jobTemplateId": "t", "items": "[1]", "numberOfJobs": 1}),
        ("CreateJob", {"jobTemplateId": "t", "items": "one two"}),
        ("CreateJob", {"jobTemplateId": "JobName($job"}),
        ("CreateJob", {"jobTemplateId": "t", "assignedType": "User"}),
        ("CreateJob", {"jobTemplateId": "t", "extendedProperties": [{"identifier": "a.b", "value": "Nothing()"}]}),
    ],
)
def test_arguments_of_a_known_kind_must_be_of_the_right_type(kind: str, args: Any) -> None:
    diagram = parse(body([{"id": "a", "action": {"actionType": kind, "args": args}}]))
    with pytest.raises(InvalidValue, match="action"):
        check_args(diagram)


def test_arguments_of_an_unknown_kind_may_be_anything() -> None:
    check_args(parse(body([{"id": "a", "action": {"actionType": "LaunchRocket", "args": {"userPrompt": 5}}}])))
