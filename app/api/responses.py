"""JSON answers: encoded once by msgspec, and safe for clients that look for words in the text of an answer."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from starlette.responses import Response

T = TypeVar("T")

_encoder = msgspec.json.Encoder()

_LOADED_WORDS = re.compile(rb"(?i)(invalid|token) (token|required)")
"""The vendor's Python client sends a request again, POSTs included, when "invalid token" or "token required" stands
anywhere in an answer, also inside a name or a comment. Written with an escaped blank the value stays the same, and
the client does not find the words (python-client.md 1, trap 5)."""


def _unloaded(text: bytes) -> bytes:
    """Look for one word before the pattern is tried: hardly any answer has it."""
    words = text.lower()
    return _LOADED_WORDS.sub(rb"\1\\u0020\2", text) if b" token" in words or b" required" in words else text


def encode(content: Any) -> bytes:
    """The body of a ``JsonResponse``."""
    return _unloaded(_encoder.encode(content))


class JsonResponse(Response):
    """Anything msgspec can encode, as ``application/json``."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(encode(content), status_code, headers)


class KeptResponse(Response):
    """An answer that is kept under an idempotency key; ``again``: it was given before."""

    media_type = "application/json"

    def __init__(self, body: bytes, *, again: bool) -> None:
        super().__init__(body, headers={"Idempotent-Replayed": "true"} if again else None)


class Success(msgspec.Struct):
    """The plain acknowledgement of a thing done."""

    success: bool = True


def success() -> JsonResponse:
    """``{"success": true}``: no answer has an empty body (python-client.md 1, trap 6)."""
    return JsonResponse(Success())


def succeeded(_: object) -> Success:
    """What a use case without a telling result is answered with."""
    return Success()


def as_it_is(result: T) -> T:
    """What a query whose result is the answer is answered with."""
    return result
