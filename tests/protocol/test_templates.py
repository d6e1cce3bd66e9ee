from typing import Any

import msgspec
import pytest

from app.errors import InvalidValue
from app.protocol.templates import TemplateDocument, read_template, render_template

TEMPLATE: dict[str, Any] = {
    "jobTemplateName": "T",
    "diagramId": "d",
    "diagramName": "D",
    "defaultPriorityName": "Low",
    "state": "Active",
}


def read(**members: Any) -> TemplateDocument:
    return read_template(msgspec.json.encode(TEMPLATE | members))


def test_unknown_members_are_kept_and_those_of_the_request_are_not() -> None:
    document = read(ours={"a": [1.5]}, f="json", token="secret")
    assert document.members == TEMPLATE | {"ours": {"a": [1.5]}}


def test_null_means_absent_at_any_depth() -> None:
    tables = [{"tableName": "t", "tableAlias": None, "extendedPropertyDefinitions": None}]
    document = read(description=None, extendedPropertyTableDefinitions=tables)
    assert "description" not in document.members
    assert document.members["extendedPropertyTableDefinitions"] == [{"tableName": "t"}]


@pytest.mark.parametrize("missing", TEMPLATE)
def test_required_members_are_named_when_missing(missing: str) -> None:
    body = {name: value for name, value in TEMPLATE.items() if name != missing}
    with pytest.raises(InvalidValue, match=f"JobTemplate was invalid: .*`{missing}`"):
        read_template(msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("jobTemplateName", ""),
        ("jobTemplateName", 5),
        ("jobTemplateName", "x" * 256),
        ("diagramId", None),
        ("state", "Asleep"),
        ("defaultAssignedType", "Everybody"),
        ("jobStartDateType", "Someday"),
        ("defaultJobDuration", -1),
        ("defaultJobDuration", "1"),
        ("defaultDueDate", "soon"),
        ("activities", [{"typeName": "Explode", "actionName": "Email", "templateId": "x"}]),
        ("extendedPropertyTableDefinitions", {}),
        ("extendedPropertyTableDefinitions", [{"tableName": ""}]),
        ("description", "\x00"),
    ],
)
def test_a_wrong_member_is_named(member: str, value: Any) -> None:
    with pytest.raises(InvalidValue, match=member):
        read(**{member: value})


@pytest.mark.parametrize("kind", ["User", "Group"])
def test_a_default_assignment_needs_a_name(kind: str) -> None:
    with pytest.raises(InvalidValue, match="defaultAssignedTo is missing"):
        read(defaultAssignedType=kind)
    assert read(defaultAssignedType=kind, defaultAssignedTo="x").head.default_assigned_to == "x"


def test_property_names_are_unique_in_their_table_and_every_fault_is_told() -> None:
    double = {"propertyName": "p", "dataType": "String"}
    tables = [
        {"tableName": "t", "extendedPropertyDefinitions": [double, double]},
        {"tableName": "t", "extendedPropertyDefinitions": [double]},
    ]
    with pytest.raises(InvalidValue) as caught:
        read(extendedPropertyTableDefinitions=tables)
    assert caught.value.details == (
        "extendedPropertyTableDefinitions has two tables named 't'",
        "the table 't' has two properties named 'p'",
    )


def test_a_clients_present_time_is_not_taken_for_a_due_date() -> None:
    """The vendor's client sends its local time, falsely marked as UTC, in all three dates of a new template."""
    now = "2026-11-22T16:00:00.000000Z"
    members = read(
        defaultDueDate="2026-11-22T16:00:00.200000Z", defaultStartDate=now, lastUpdatedDate=now, state="Active"
    ).members
    assert "defaultDueDate" not in members
    assert "defaultStartDate" not in members


def test_a_due_date_that_is_meant_is_kept() -> None:
    due = "2026-12-24T18:00:00Z"
    assert read(defaultDueDate=due, lastUpdatedDate="2026-11-22T16:00:00Z").members["defaultDueDate"] == due
    assert read(defaultDueDate=due).members["defaultDueDate"] == due


def test_a_stored_template_is_given_back_as_it_is() -> None:
    stored = msgspec.json.encode(TEMPLATE | {"ours": [1]})
    assert msgspec.json.encode(render_template(stored)) == stored
