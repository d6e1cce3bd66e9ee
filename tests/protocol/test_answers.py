"""Answers of users: each form, nested and bare, and what is wrong with bad ones."""

import json
from typing import Any

import pytest

from app.domain.job import Answer, PropertyResponse
from app.errors import InvalidValue
from app.protocol.answers import decode_answer

RINGS = '{"rings":[[[0,0],[0,9],[9,9],[0,0]]]}'


def raw(**message: Any) -> bytes:
    return json.dumps({"jobId": "J1", "stepId": "s4"} | message).encode()


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ({"questionResponse": 2, "comment": "why"}, Answer(question_response=2, comment="why")),
        ({"questionResponse": 0}, Answer(question_response=0)),
        ({"manualResponse": False}, Answer(manual_response=False)),
        ({"openAppResponse": True}, Answer(open_app_response=True)),
        ({"attachmentResponse": True}, Answer(attachment_response=True)),
        ({}, Answer(attachment_response=True)),
        ({"comment": "added"}, Answer(attachment_response=True, comment="added")),
        ({"failed": True}, Answer(failed=True)),
        ({"failed": True, "location": RINGS}, Answer(failed=True)),
        ({"failed": False, "location": RINGS}, Answer(location=RINGS)),
        ({"location": json.loads(RINGS)}, Answer(location=RINGS)),
        ({"location": RINGS, "questionResponse": None}, Answer(location=RINGS)),
        ({"assignmentResponse": "ana"}, Answer(assignment_response="ana")),
        ({"propertyResponses": []}, Answer(property_responses=())),
        ({"proMappingResponse": True, "comment": "c"}, Answer(manual_response=True, comment="c")),
        ({"proGPHandled": False}, Answer(manual_response=False)),
        ({"surveyResponses": [{"surveyId": "f3"}]}, Answer(manual_response=True)),
    ],
)
def test_each_form_of_an_answer_is_understood(message: dict[str, Any], answer: Answer) -> None:
    assert decode_answer(raw(**message)).answer == answer


def test_property_values_travel_as_text_however_they_were_written() -> None:
    values: list[Any] = ["12.50", 12, 12.5, True, None]
    given = [{"identifier": f"site.p{number}", "value": value} for number, value in enumerate(values)]
    responses = decode_answer(raw(propertyResponses=given)).answer.property_responses
    assert responses is not None
    assert [response.value for response in responses] == ["12.50", "12", "12.5", "true", None]
    assert responses[0] == PropertyResponse("site.p0", "12.50")


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"questionResponse": "2"}, "expected `int | null`, got `str` at $.questionResponse"),
        ({"questionResponse": True}, "at $.questionResponse"),
        ({"questionResponse": 1.5}, "at $.questionResponse"),
        ({"questionResponse": 2**70}, "64 bits at $.questionResponse"),
        ({"manualResponse": 1}, "at $.manualResponse"),
        ({"questionResponse": 1, "manualResponse": True}, "it has `questionResponse` and `manualResponse`"),
        ({"failed": True, "questionResponse": 1}, "it has `questionResponse` and `failed`"),
        ({"failed": False}, "`location` must be given"),
        ({"location": "not json"}, "`location` must be a geometry"),
        ({"location": "[1]"}, "`location` must be a geometry"),
        ({"location": 7}, "at $.location"),
        ({"propertyResponses": [{"value": "1"}]}, "`identifier` at $.propertyResponses[0]"),
        ({"comment": "\0"}, "NUL character at $.comment"),
        ({"comment": "\ud800"}, "surrogate pair at $.comment"),
        ({"jobId": None}, "`jobId` is missing"),
        ({"stepId": ""}, "at $.stepId"),
        ({"promptId": 7}, "at $.promptId"),
    ],
)
def test_what_is_wrong_is_named(message: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        decode_answer(raw(**message))
    assert caught.value.message.startswith("StepInformation was invalid: ")
    assert fault in caught.value.details[0]


def test_the_address_supplies_the_ids_and_must_not_contradict_them() -> None:
    body = b'{"message": {"manualResponse": true}}'
    found = decode_answer(body, job_id="J1", step_id="s4")
    assert (found.job_id, found.step_id) == ("J1", "s4")
    assert decode_answer(raw(), job_id="J1", step_id="s4").job_id == "J1"
    with pytest.raises(InvalidValue, match="the address says 'J2'"):
        decode_answer(raw(), job_id="J2", step_id="s4")


def test_ids_and_token_are_taken_from_the_envelope_or_the_message() -> None:
    message = {"jobId": "J1", "stepId": "s4", "manualResponse": True, "promptId": "P1"}
    outside = decode_answer(json.dumps({"message": message, "requestId": "r", "token": "t"}).encode())
    inside = decode_answer(json.dumps({"message": message | {"requestId": "r", "token": "t"}}).encode())
    assert outside == inside
    assert (outside.request_id, outside.token, outside.prompt_id) == ("r", "t", "P1")


def test_another_kind_of_message_is_no_answer() -> None:
    with pytest.raises(InvalidValue, match="must be StepInformation or StepInfoResponse"):
        decode_answer(b'{"msgType": "subscribe", "jobId": "J1", "stepId": "s4"}')
    with pytest.raises(InvalidValue, match="expected `object`"):
        decode_answer(b'{"msgType": "StepInformation", "message": [1]}')
