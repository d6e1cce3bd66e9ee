"""Frames from clients that ask something of their own socket: ``subscribe`` and ``unsubscribe`` (websocket.md 2)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.errors import InvalidValue, ProtocolError
from app.protocol.answers import MESSAGE_TYPES, Id, StepAnswerRequest, decode_answer
from app.protocol.text import decode

Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class SincePoint(msgspec.Struct, rename="camel"):
    """Ours: what the client has of a job's feed, from its last ``JobState`` or message."""

    seq: Seq
    epoch: Annotated[str, Meta(max_length=255)]


class Subscribe(msgspec.Struct, rename="camel", kw_only=True):
    """Add jobs to the subscriptions of this socket; each is answered by one ``JobState`` or ``Error``.

    Ours: ``since``, by job id, asks for the messages missed since then; ``request_id`` asks for one ``Ack``.
    """

    job_ids: list[Id]
    sender_id: Annotated[str, Meta(max_length=255)] | None = None
    since: dict[str, SincePoint] = {}
    request_id: Id | None = None
    token: str | None = None


class Unsubscribe(msgspec.Struct, rename="camel", kw_only=True):
    """Drop jobs, or all of them: ``all`` wins over ``job_ids``. Ours: ``request_id``."""

    job_ids: list[Id] | None = None
    all: bool = False
    request_id: Id | None = None
    token: str | None = None


class _Kind(msgspec.Struct, rename="camel"):
    msg_type: str | None = None
    step_id: msgspec.Raw = msgspec.Raw()


class _RequestId(msgspec.Struct, rename="camel"):
    request_id: Id | None = None


_kinds = msgspec.json.Decoder(_Kind)
_subscribes = msgspec.json.Decoder(Subscribe)
_unsubscribes = msgspec.json.Decoder(Unsubscribe)
_request_ids = msgspec.json.Decoder(_RequestId)


def decode_frame(raw: bytes) -> Subscribe | Unsubscribe | StepAnswerRequest:
    """Read a text frame; ``msgType`` in any letter case. Without one, a frame that names a step is a bare answer.

    Raises:
        ProtocolError: not JSON, not an object, or a ``msgType`` that is not known.
        InvalidValue: a member is not what it must be.
    """
    kind = _kind(raw)
    name = (kind.msg_type or "").casefold()
    if name == "subscribe":
        return decode(_subscribes, raw)
    if name == "unsubscribe":
        return _checked(decode(_unsubscribes, raw))
    if name in MESSAGE_TYPES or (kind.msg_type is None and bytes(kind.step_id)):
        return decode_answer(raw)
    raise ProtocolError(
        "`msgType` must be subscribe, unsubscribe, StepInformation or StepInfoResponse"
        + (f", not {kind.msg_type[:100]!r}." if kind.msg_type is not None else "; it is missing.")
    )


def request_id_of(raw: bytes) -> str | None:
    """The ``requestId`` of a frame that was refused, if that much of it can be read."""
    try:
        return _request_ids.decode(raw).request_id
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _kind(raw: bytes) -> _Kind:
    try:
        return decode(_kinds, raw, "The frame")
    except InvalidValue as error:
        raise ProtocolError(error.message, details=error.details) from error


def _checked(frame: Unsubscribe) -> Unsubscribe:
    if frame.job_ids is None and not frame.all:
        fault = "give `jobIds`, or `all`: true"
        raise InvalidValue(f"Unsubscribe was invalid: {fault}.", details=[fault])
    return frame
