"""Websocket frames, made once and written to many sockets.

Frames of a server are not masked (RFC 6455 5.1), so the same bytes serve every socket.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.job import Assignment
from app.services.ports import FeedMessage

_TEXT = 0x81  # FIN and opcode 1
_LENGTH_16 = 126
_LENGTH_64 = 127


@dataclass(frozen=True, slots=True)
class Frame:
    """A feed message ready to be written. ``short`` is for viewers outside ``audience``; None: all get ``full``."""

    seq: int
    full: bytes
    short: bytes | None = None
    audience: Assignment | None = None


def framed(message: FeedMessage) -> Frame:
    """Frame a feed message, in both its forms where they differ."""
    short = None if message.short is None else text_frame(message.short)
    return Frame(message.seq, text_frame(message.body), short, message.audience)


def text_frame(payload: bytes) -> bytes:
    """One whole, unmasked text frame."""
    size = len(payload)
    if size < _LENGTH_16:
        return bytes((_TEXT, size)) + payload
    if size < 1 << 16:
        return bytes((_TEXT, _LENGTH_16)) + size.to_bytes(2, "big") + payload
    return bytes((_TEXT, _LENGTH_64)) + size.to_bytes(8, "big") + payload


def payloads(frames: bytes) -> Iterator[bytes]:
    """The payloads of frames that ``text_frame`` made: for transports that frame by themselves."""
    at = 0
    while at < len(frames):
        size, at = frames[at + 1], at + 2
        if size >= _LENGTH_16:
            width = 2 if size == _LENGTH_16 else 8
            size, at = int.from_bytes(frames[at : at + width], "big"), at + width
        yield frames[at : at + size]
        at += size
