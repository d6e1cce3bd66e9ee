"""An answer to a step that waits for its user, as it travels (websocket.md 2.3)."""

import msgspec


class PropertyResponse(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    """One property of an answer; ``identifier`` is ``table.property``, the value travels as text."""

    identifier: str
    value: str | None
    unique_id: str | None = None
    data_type: str | None = None


class Answer(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    """What a user answers. Set the one member that fits the step, and a comment where the step allows one.

    ``question_response`` is the ``value`` of the choice; ``location`` is a geometry as JSON text, ``failed`` says that
    none could be given; ``assignment_response`` is a user name (or group id); ``attachment_response`` says that the
    attachments are there.
    """

    question_response: int | None = None
    manual_response: bool | None = None
    open_app_response: bool | None = None
    attachment_response: bool | None = None
    failed: bool | None = None
    location: str | None = None
    property_responses: list[PropertyResponse] | None = None
    assignment_response: str | None = None
    comment: str | None = None


class AnswerBody(Answer, frozen=True):
    """An answer with its address: the body of a ``StepInformation`` frame and of the REST call.

    ``prompt_id`` makes sure that it cannot reach a later question of the same step. ``request_id`` makes sending it
    again safe.
    """

    job_id: str
    step_id: str
    prompt_id: str | None = None
    request_id: str | None = None


def addressed(
    answer: Answer, *, job_id: str, step_id: str, prompt_id: str | None, request_id: str | None
) -> AnswerBody:
    """Put an address on an answer."""
    return AnswerBody(
        job_id=job_id, step_id=step_id, prompt_id=prompt_id, request_id=request_id, **msgspec.structs.asdict(answer)
    )
