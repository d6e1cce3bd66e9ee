"""Answers of users to steps: ``StepInformation`` or ``StepInfoResponse`` (websocket.md 2.3), by socket and by REST."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from app.domain.job import Answer, PropertyResponse
from app.errors import InvalidValue
from app.protocol.text import decode

MESSAGE_TYPES = frozenset({"stepinformation", "stepinforesponse"})
"""Names of the message, in lower case: any letter case is accepted."""

Id = Annotated[str, Meta(min_length=1, max_length=255)]

_NAME = "StepInformation"


@dataclass(frozen=True, slots=True)
class StepAnswerRequest:
    """An answer, and the step (and prompt) it is for; ``prompt_id``, ``request_id`` and ``token`` may be missing."""

    job_id: str
    step_id: str
    answer: Answer
    prompt_id: str | None = None
    request_id: str | None = None
    token: str | None = None


class GivenProperty(msgspec.Struct, rename="camel"):
    """A property given in an answer; ``identifier`` is ``table.property``. A number or boolean is taken as its text."""

    identifier: str
    value: str | int | float | bool | None = None
    unique_id: str | None = None


class StepInformation(msgspec.Struct, rename="camel"):
    """The answer to a step's question: the step, and exactly one answer member, the one for its kind of step.

    ``promptId`` (ours) makes sure that the answer is for that very question; ``requestId`` (ours) that it counts once.
    ``location`` is geometry as JSON text, or the object itself. No answer member at all: the attachments are there.
    """

    job_id: Id | None = None
    step_id: Id | None = None
    prompt_id: Id | None = None
    request_id: Id | None = None
    token: str | None = None
    comment: str | None = None
    question_response: int | None = None
    manual_response: bool | None = None
    open_app_response: bool | None = None
    attachment_response: bool | None = None
    failed: bool | None = None
    location: str | dict[str, Any] | None = None
    property_responses: list[GivenProperty] | None = None
    assignment_response: str | None = None
    pro_mapping_response: bool | None = None
    pro_gp_handled: bool | None = msgspec.field(default=None, name="proGPHandled")
    survey_responses: list[Any] | None = None


class _Envelope(msgspec.Struct, rename="camel"):
    msg_type: str | None = None
    message: msgspec.Raw = msgspec.Raw()
    request_id: Id | None = None
    token: str | None = None


_envelopes = msgspec.json.Decoder(_Envelope)
_messages = msgspec.json.Decoder(StepInformation)

_FIELDS = {
    "question_response": "questionResponse",
    "manual_response": "manualResponse",
    "open_app_response": "openAppResponse",
    "attachment_response": "attachmentResponse",
    "location": "location",
    "property_responses": "propertyResponses",
    "assignment_response": "assignmentResponse",
    "pro_mapping_response": "proMappingResponse",
    "pro_gp_handled": "proGPHandled",
    "survey_responses": "surveyResponses",
}


def decode_answer(
    raw: bytes | msgspec.Raw, *, job_id: str | None = None, step_id: str | None = None
) -> StepAnswerRequest:
    """Read an answer, nested in ``message`` or bare.

    Args:
        raw: the frame or request body, JSON.
        job_id: the job, where the caller knows it already: then the body may leave it out, and must not differ.
        step_id: likewise.

    A message without any answer field says that the attachments were added (websocket.md 2.3). Answers to step types
    that behave like manual steps (``proMappingResponse``, ``proGPHandled``, ``surveyResponses``) become manual ones.

    Raises:
        InvalidValue: names the member, and what would be right.
    """
    envelope = decode(_envelopes, raw, _NAME)
    if envelope.msg_type is not None and envelope.msg_type.casefold() not in MESSAGE_TYPES:
        raise _invalid("`msgType` must be StepInformation or StepInfoResponse")
    message = decode(_messages, envelope.message if bytes(envelope.message) else raw, _NAME)
    return StepAnswerRequest(
        job_id=_agreed("jobId", message.job_id, job_id),
        step_id=_agreed("stepId", message.step_id, step_id),
        answer=_answer(message),
        prompt_id=message.prompt_id,
        request_id=envelope.request_id or message.request_id,
        token=envelope.token or message.token,
    )


def _agreed(name: str, given: str | None, known: str | None) -> str:
    if given is not None and known is not None and given != known:
        raise _invalid(f"`{name}` is {given!r}, and the address says {known!r}; leave it out, or make them agree")
    if (value := given or known) is None:
        raise _invalid(f"`{name}` is missing")
    return value


def _answer(message: StepInformation) -> Answer:
    given = [name for name in _FIELDS if getattr(message, name) is not None]
    if len(given) > 1 or (message.failed is not None and given not in ([], ["location"])):
        names = [_FIELDS[name] for name in given] + ["failed"] * (message.failed is not None)
        raise _invalid(f"one answer at a time; it has {' and '.join(f'`{name}`' for name in names)}")
    if message.failed:
        return Answer(failed=True, comment=message.comment)
    if message.failed is False and not given:
        raise _invalid("`failed` is false, so `location` must be given: the geometry as JSON text")
    if not given:
        return Answer(attachment_response=True, comment=message.comment)
    return _answer_with(given[0], message)


def _answer_with(name: str, message: StepInformation) -> Answer:
    comment = message.comment
    match name:
        case "location":
            return Answer(location=_geometry(message.location), comment=comment)
        case "property_responses":
            return Answer(property_responses=_properties(message.property_responses or []), comment=comment)
        case "pro_mapping_response":
            return Answer(manual_response=message.pro_mapping_response, comment=comment)
        case "pro_gp_handled":
            return Answer(manual_response=message.pro_gp_handled, comment=comment)
        case "survey_responses":
            return Answer(manual_response=True, comment=comment)
    return Answer(**{name: getattr(message, name)}, comment=comment)


def _geometry(location: str | dict[str, Any] | None) -> str:
    """The geometry as JSON text; also taken as the object itself."""
    text = location if isinstance(location, str) else msgspec.json.encode(location).decode()
    fault = _invalid("`location` must be a geometry: a JSON object, written as text")
    try:
        if not isinstance(msgspec.json.decode(text), dict):
            raise fault
    except msgspec.DecodeError:
        raise fault from None
    return text


def _properties(given: list[GivenProperty]) -> tuple[PropertyResponse, ...]:
    return tuple(PropertyResponse(entry.identifier, _text(entry.value), entry.unique_id) for entry in given)


def _text(value: str | int | float | bool | None) -> str | None:  # noqa: PYI041  (the decoder tells 12 from 12.0)
    """Values travel as text; a number or a boolean is taken as its JSON spelling."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()


def _invalid(fault: str) -> InvalidValue:
    return InvalidValue(f"{_NAME} was invalid: {fault}.", details=[fault])
