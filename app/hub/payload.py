"""What travels over the bus: a version, a kind, a small header, and JSON that is ready to be framed.

Layout: one byte version, one byte kind, two bytes (big-endian) length of the header, the header (a JSON array), then
the full body and the short one. A receiving node decodes only the header. A payload of another version is dropped: the
sweep finds the message in the store.
"""

from collections.abc import Mapping

import msgspec

from app.domain.job import AssignedType, Assignment
from app.services.ports import AnswerRecord, Errand, FeedMessage, TaskEnded

VERSION = 1
_MESSAGE, _VERDICT, _ACCESS, _ERRAND, _TASK = 1, 2, 3, 4, 5
_PREFIX = 4


class AccessChanged(msgspec.Struct):
    """Users, groups, roles or keys have changed on another node."""


class _Header(msgspec.Struct, array_like=True):
    item_id: str
    job_id: str
    seq: int
    msg_type: str
    created_ms: int
    body_bytes: int
    audience_type: str | None = None
    audience_to: str | None = None


_encoder = msgspec.json.Encoder()
_headers = msgspec.json.Decoder(_Header)
_DECODERS: Mapping[int, msgspec.json.Decoder[AnswerRecord | Errand | TaskEnded]] = {
    _VERDICT: msgspec.json.Decoder(AnswerRecord),
    _ERRAND: msgspec.json.Decoder(Errand),
    _TASK: msgspec.json.Decoder(TaskEnded),
}

Payload = FeedMessage | AnswerRecord | AccessChanged | Errand | TaskEnded


def encode_payload(content: Payload) -> bytes:
    """Make the bytes for the bus."""
    if isinstance(content, AnswerRecord):
        return bytes((VERSION, _VERDICT, 0, 0)) + _encoder.encode(content)
    if isinstance(content, AccessChanged):
        return bytes((VERSION, _ACCESS, 0, 0))
    if isinstance(content, Errand):
        return bytes((VERSION, _ERRAND, 0, 0)) + _encoder.encode(content)
    if isinstance(content, TaskEnded):
        return bytes((VERSION, _TASK, 0, 0)) + _encoder.encode(content)
    header = _encoder.encode(_header(content))
    return b"".join(
        (bytes((VERSION, _MESSAGE)), len(header).to_bytes(2, "big"), header, content.body, content.short or b"")
    )


def decode_payload(payload: bytes) -> Payload | None:
    """Read what ``encode_payload`` made; None for what this version does not understand."""
    if len(payload) < _PREFIX or payload[0] != VERSION:
        return None
    try:
        if (decoder := _DECODERS.get(payload[1])) is not None:
            return decoder.decode(payload[_PREFIX:])
        if payload[1] == _ACCESS:
            return AccessChanged()
        return _message(payload) if payload[1] == _MESSAGE else None
    except (msgspec.MsgspecError, ValueError):
        return None


def _header(message: FeedMessage) -> _Header:
    audience = message.audience
    return _Header(
        message.item_id,
        message.job_id,
        message.seq,
        message.msg_type,
        message.created_ms,
        len(message.body),
        audience.type.value if audience else None,
        audience.to if audience else None,
    )


def _message(payload: bytes) -> FeedMessage:
    start = _PREFIX + int.from_bytes(payload[2:_PREFIX], "big")
    header = _headers.decode(payload[_PREFIX:start])
    end = start + header.body_bytes
    audience = None
    if header.audience_type is not None:
        audience = Assignment(AssignedType(header.audience_type), header.audience_to)
    return FeedMessage(
        header.item_id,
        header.job_id,
        header.seq,
        header.msg_type,
        header.created_ms,
        payload[start:end],
        payload[end:] or None,
        audience,
    )
