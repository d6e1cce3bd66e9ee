"""Answers for every kind of question, from options and from a person at the keyboard."""

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from app.cli.terminal_answers import answer_of
from stepgate_client import Answer, PropertyResponse
from stepgate_client.messages import Choice, PropertyDetail, StepInfoRequired

SQUARE = '{"rings": [[[0, 0], [0, 9], [9, 9], [0, 0]]]}'


def question(step_type: str, **members: Any) -> StepInfoRequired:
    return StepInfoRequired(job_id="J1", step_id="s1", step_type=step_type, allowed_actions=1, **members)


CHOICES = question(
    "Question", question="Again?", question_responses=[Choice(name="Yes", value=1), Choice(name="No", value=0)]
)
PROPERTIES = question(
    "UpdateJobProperties",
    properties=[
        PropertyDetail(identifier="site.name", alias="Name", order=2, value="old"),
        PropertyDetail(identifier="site.acres", unique_id="row-1", order=1),
    ],
)


@pytest.mark.parametrize(
    ("asked", "values", "expected"),
    [
        (CHOICES, ["0"], Answer(question_response=0)),
        (CHOICES, ["yes"], Answer(question_response=1)),
        (question("Manual"), ["yes"], Answer(manual_response=True)),
        (question("Manual"), ["No"], Answer(manual_response=False)),
        (question("SomethingElse"), ["done"], Answer(manual_response=True)),
        (question("OpenApp"), ["y"], Answer(open_app_response=True)),
        (question("Attachment"), ["yes"], Answer(attachment_response=True)),
        (question("DefineLocation"), [SQUARE], Answer(location=SQUARE)),
        (question("DefineLocation"), ["failed"], Answer(failed=True)),
        (question("AdvancedAssignment"), [" ana "], Answer(assignment_response="ana")),
        (
            PROPERTIES,
            ["site.acres=1=2", "site.name="],
            Answer(
                property_responses=[
                    PropertyResponse(identifier="site.acres", value="1=2", unique_id="row-1"),
                    PropertyResponse(identifier="site.name", value=""),
                ]
            ),
        ),
    ],
)
def test_each_kind_of_question_takes_its_kind_of_value(
    asked: StepInfoRequired, values: list[str], expected: Answer
) -> None:
    assert answer_of(asked, values, None) == expected


@pytest.mark.parametrize(
    ("asked", "values", "fault"),
    [
        (CHOICES, ["Maybe"], r"The answers are 1 \(Yes\), 0 \(No\)"),
        (CHOICES, ["1", "0"], "one --value"),
        (question("Manual"), ["perhaps"], "neither yes nor no"),
        (question("DefineLocation"), ["here"], "a JSON object"),
        (question("DefineLocation"), ["[1]"], "a JSON object"),
        (question("DefineLocation"), ["@/no/such/file"], "cannot be read"),
        (PROPERTIES, ["acres"], "PROPERTY=VALUE"),
        (PROPERTIES, ["site.age=3"], "site.age is not asked for. Asked for are site.name, site.acres"),
        (question("Manual", comment_required=True), ["yes"], "wants a comment"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_what_would(
    asked: StepInfoRequired, values: list[str], fault: str
) -> None:
    with pytest.raises(typer.BadParameter, match=fault):
        answer_of(asked, values, None)


def test_a_location_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "place.json"
    file.write_text(SQUARE)
    assert answer_of(question("DefineLocation"), [f"@{file}"], "drawn") == Answer(location=SQUARE, comment="drawn")


@pytest.mark.parametrize(
    ("asked", "typed", "expected"),
    [
        (CHOICES, "No\n", Answer(question_response=0)),
        (question("Manual", can_comment=True), "\nall well\n", Answer(manual_response=True, comment="all well")),
        (question("Manual", can_comment=True), "no\n\n", Answer(manual_response=False)),
        (
            PROPERTIES,
            "12.5\n\n",
            Answer(
                property_responses=[
                    PropertyResponse(identifier="site.acres", value="12.5", unique_id="row-1"),
                    PropertyResponse(identifier="site.name", value="old"),
                ]
            ),
        ),
    ],
)
def test_what_options_leave_open_is_asked(asked: StepInfoRequired, typed: str, expected: Answer) -> None:
    given: list[Answer] = []
    app = typer.Typer()
    app.command()(lambda: given.append(answer_of(asked, [], None)))
    result = CliRunner().invoke(app, input=typed)
    assert (result.exit_code, given) == (0, [expected])
