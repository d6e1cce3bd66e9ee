"""JSON answers: encoded once by msgspec, and safe for clients that look for words in the text of an answer."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode

_LOADED_WORDS = re.compile(rb"(?i)(invalid|token) (token|required)")
"""The vendor's Python client sends a request again, POSTs included, when "invalid token" or "token required" stands
anywhere in an answer, also inside a name or a comment. Written with an escaped blank the value stays the same, and
the client does not find the words (python-client.md 1, trap 5)."""


def _unloaded(text: bytes) -> bytes:
    """Look for one word before the pattern is tried: hardly any answer has it."""
    words = text.lower()
    return _LOADED_WORDS.sub(rb"\1\\u0020\2", text) if b" token" in words or b" required" in words else text


class JsonResponse(Response):
    """Anything msgspec can encode, as ``application/json``."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(_unloaded(_encode(content)), status_code, headers)


class Success(msgspec.Struct):
    """The plain acknowledgement of a thing done."""

    success: bool = True


def success() -> JsonResponse:
    """``{"success": true}``: no answer has an empty body (python-client.md 1, trap 6)."""
    return JsonResponse(Success())
