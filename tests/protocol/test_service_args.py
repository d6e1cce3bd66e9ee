"""Arguments of the server's own steps: a diagram with such that cannot be right is refused, and says why."""

from typing import Any

import pytest

from app.domain.diagram import Diagram, Step
from app.errors import InvalidValue
from app.protocol.step_args import check_args

URL = {"url": "https://gis.example/"}


def check(kind: str, args: dict[str, Any]) -> None:
    step = Step("s", "S", kind, args)
    check_args(Diagram("d", "D", 1, (step,), "s"))


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("WebRequest", URL),
        ("WebRequest", {**URL, "method": None, "headers": None, "response": {}, "authentication": {"type": None}}),
        ("WebRequest", {**URL, "headers": [{"key": "a", "setting": "b"}], "retries": 5, "timeout": 0.5}),
        ("WebRequest", {**URL, "response": {"returnValue": "StatusCode", "outputs": "$[0]", "more": 1}}),
        ("WebRequest", {**URL, "authentication": {"type": "Basic", "username": "u", "passwordSetting": "p"}}),
        ("Email", {}),
        ("Email", {"to": ["ann"], "cc": "bob", "bcc": None, "attachmentSelection": "Folder", "more": 1}),
        ("Email", {"subject": "S", "body": "B", "notificationServiceRecipients": {"toUsers": []}}),
        ("ExecuteGP", URL),
        ("ExecuteGP", {**URL, "parameters": [{"name": "a", "value": [1]}, {"name": "b"}], "timeout": 60}),
    ],
)
def test_what_can_be_carried_out_is_taken(kind: str, args: dict[str, Any]) -> None:
    check(kind, args)


@pytest.mark.parametrize(
    ("kind", "args", "said"),
    [
        ("WebRequest", {}, "url"),
        ("WebRequest", {"url": ""}, "url"),
        ("WebRequest", {**URL, "method": "BREW"}, "method"),
        ("WebRequest", {**URL, "timeout": 0}, "timeout"),
        ("WebRequest", {**URL, "timeout": 601}, "timeout"),
        ("WebRequest", {**URL, "retries": 6}, "retries"),
        ("WebRequest", {**URL, "expectedStatusCodes": [99]}, "expectedStatusCodes"),
        ("WebRequest", {**URL, "headers": [{"key": "a"}]}, "either value or setting"),
        ("WebRequest", {**URL, "query": [{"key": "a", "value": "b", "setting": "c"}]}, "either value or setting"),
        ("WebRequest", {**URL, "query": [{"key": "a", "setting": "SmtpPassword"}]}, "mail server"),
        ("WebRequest", {**URL, "authentication": {"type": "Basic", "username": "u"}}, "passwordSetting"),
        ("WebRequest", {**URL, "authentication": {"type": "Bearer"}}, "tokenSetting"),
        ("WebRequest", {**URL, "authentication": {"type": "Bearer", "tokenSetting": "smtpPassword"}}, "mail server"),
        ("WebRequest", {**URL, "response": {"returnValue": "status"}}, "path into JSON"),
        ("WebRequest", {**URL, "response": {"outputs": "$..a"}}, "path into JSON"),
        ("WebRequest", {**URL, "response": {"properties": [{"identifier": "a", "path": "$"}]}}, "table.property"),
        ("WebRequest", {**URL, "response": {"attachment": {"fileName": ""}}}, "fileName"),
        ("Email", {"to": 5}, "to"),
        ("Email", {"cc": ["ann", None]}, "cc"),
        ("Email", {"subject": ["a", "b"]}, "subject"),
        ("Email", {"attachmentSelection": "Some"}, "attachmentSelection"),
        ("Email", {"notificationServiceRecipients": {"toUsers": "ann"}}, "toUsers"),
        ("ExecuteGP", {}, "url"),
        ("ExecuteGP", {**URL, "parameters": [{"name": "F", "value": 1}]}, "protocol's own"),
        ("ExecuteGP", {**URL, "response": {"returnValue": "StatusCode"}}, "no status code"),
        ("ExecuteGP", {**URL, "timeout": 604_801}, "timeout"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_with_its_place(kind: str, args: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidValue, match="step 's'") as caught:
        check(kind, args)
    (fault,) = caught.value.details
    assert said in fault
