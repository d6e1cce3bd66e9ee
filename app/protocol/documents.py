"""Documents that are kept as their author sent them: JSON objects whose unknown members survive the round trip."""

import re
from typing import Any, Final

import msgspec

from app.protocol.text import decode

_TRANSPORT: Final = frozenset({"f", "token"})
"""Members that some clients put into any body; they belong to the request, and a token must never be stored."""

_MENTIONS_TRANSPORT: Final = re.compile(rb'"(?:f|token|\\u)')

_anything: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_members: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def check_document(body: bytes, name: str) -> None:
    """Refuse a document that others could not read back: what is kept is also checked where this server looks away.

    Raises InvalidValue ("<name> was invalid: ...").
    """
    decode(_anything, body, name)


def members_of(body: bytes) -> dict[str, Any]:
    """The members of a valid JSON object, each as the text it was."""
    return dict(_members.decode(body))


def without_transport(body: bytes) -> bytes:
    """The document without ``f`` and ``token``; the same bytes where neither is there."""
    if not _MENTIONS_TRANSPORT.search(body):
        return bytes(body)
    members = members_of(body)
    if not _TRANSPORT & members.keys():
        return bytes(body)
    return msgspec.json.encode({name: value for name, value in members.items() if name not in _TRANSPORT})


def without_nulls(members: dict[str, Any]) -> dict[str, Any]:
    """Drop members that are ``null``: answers leave out what has no value."""
    return {name: value for name, value in members.items() if value is not None and not is_null(value)}


def is_null(value: object) -> bool:
    """Tell whether a member's text is ``null``."""
    return isinstance(value, msgspec.Raw) and bytes(value) == b"null"
