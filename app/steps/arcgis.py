"""What an ArcGIS service answers over REST: a refusal is an ``error`` in an answer with status 200, or a status."""

from typing import Final, TypeVar

import msgspec

from app.errors import StepFailed
from app.protocol.codes import MsgCode
from app.protocol.geoprocessing import ServiceAnswer
from app.steps.outgoing import Reply

T = TypeVar("T")

FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"))


class ServiceRefused(StepFailed):
    """The service says no. ``reason`` is its code, or the status: 400, 404, 498 (a token that is none), ..."""

    def __init__(self, message: str, *, name: str | None = None, reason: int = 400) -> None:
        super().__init__(message, name=name)
        self.reason = reason


def read_answer(reply: Reply, schema: type[T], where: str, *, refused: MsgCode) -> T:
    """The answer as a struct.

    Args:
        where: what errors call the service, at the beginning of a sentence.
        refused: the name of a refusal.

    Raises:
        ServiceRefused. StepFailed: UNEXPECTED_STATUS when the service has failed, UNEXPECTED_RESPONSE when this is no
        answer of such a service.
    """
    if 400 <= reply.status < 500:
        raise ServiceRefused(f"{where} refuses: status {reply.status}.", name=refused, reason=reply.status)
    if not 200 <= reply.status < 300:
        raise StepFailed(f"{where} answered with status {reply.status}.", name=MsgCode.UNEXPECTED_STATUS)
    try:
        fault = msgspec.json.decode(reply.body, type=ServiceAnswer).error if reply.body[:1] != b"[" else None
        if fault is None:
            return msgspec.json.decode(reply.body, type=schema)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = f"{where} did not answer as such services do: {error}."
        raise StepFailed(text, name=MsgCode.UNEXPECTED_RESPONSE) from error
    said = " ".join([fault.message, *(fault.details or [])]).strip()[:1000] or "it does not say why"
    if fault.code >= 500:
        raise StepFailed(f"{where} has failed: {said} (code {fault.code}).", name=MsgCode.UNEXPECTED_STATUS)
    raise ServiceRefused(f"{where} refuses: {said} (code {fault.code}).", name=refused, reason=fault.code)
