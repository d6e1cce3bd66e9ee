"""Requests of other programs, which bring no token: a shared secret, or a signature made with it, shows who sent them.

ArcGIS signs what a webhook sends with HMAC-SHA256 over the body's bytes, in the header ``x-esriHook-Signature``, as
``sha256=`` and base64. Some of its pages say hexadecimal, and some senders percent-encode the value: all of it counts.
Values of headers are given as Starlette has them, one character for each byte.
"""

import hmac
import re
from base64 import b64encode
from typing import Final
from urllib.parse import unquote

SIGNATURE_HEADER: Final = "x-esriHook-Signature"

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9+/=_.-]{1,300}")


def signature_of(secret: str, message: bytes) -> str:
    """The value of the header for a body."""
    return "sha256=" + b64encode(_digest(secret, message)).decode()


def answer_challenge(secret: str, challenge: str) -> str | None:
    """Answer a sender that asks whether its receiver has the secret (``crc_token``); None to what is no challenge.

    It is a signature, given to whoever asks. So only what cannot be a body is signed: no JSON, no form.
    """
    if not secret or not _CHALLENGE.fullmatch(challenge):
        return None
    return signature_of(secret, challenge.encode())


def is_signed(secret: str, message: bytes, given: str) -> bool:
    """Tell whether the header's value ``given`` signs the message, in a time that does not depend on how wrong it is.

    Without a secret nothing is signed. A signature shows who sent a message, not that it was not sent before.
    """
    digest = _digest(secret, message)
    scheme, _, value = (unquote(given) if "%" in given else given).strip().partition("=")
    in_base64 = hmac.compare_digest(_bytes(value), b64encode(digest))
    in_hexadecimal = hmac.compare_digest(_bytes(value.lower()), digest.hex().encode())
    return bool(secret) and scheme.lower() == "sha256" and (in_base64 or in_hexadecimal)


def is_secret(secret: str, given: str) -> bool:
    """Tell whether a header's value is the secret itself, as above. Without a secret nothing is right."""
    return bool(secret) and hmac.compare_digest(secret.encode(), _bytes(given))


def _digest(secret: str, message: bytes) -> bytes:
    return hmac.digest(secret.encode(), message, "sha256")


def _bytes(given: str) -> bytes:
    """The bytes of a header's value; what cannot have stood in one is nothing that could be right."""
    return given.encode("latin-1", errors="replace")
