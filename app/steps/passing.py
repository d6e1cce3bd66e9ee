"""Failures that may pass: the same request may succeed later."""

from typing import Final

from app.protocol.codes import MsgCode

PASSING: Final = frozenset(
    {
        MsgCode.CONNECTION_FAILED,
        MsgCode.HOST_NOT_FOUND,
        MsgCode.REQUEST_TIMED_OUT,
        MsgCode.BROKEN_RESPONSE,
    }
)
"""Names of errors of ``HttpClient``."""

_STATUSES: Final = frozenset({408, 425, 429})
"""Too slow, too early, too many (RFC 9110, 8470, 6585)."""


def is_passing_status(status: int) -> bool:
    """Tell whether an answer with this status says "later"."""
    return status >= 500 or status in _STATUSES
