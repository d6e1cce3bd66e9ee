"""Every code of the websocket: what a step reports, how a frame is refused, why a socket is closed.

``docs/protocol.md`` lists them all, and a test compares it with this module.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.errors import (
    AccessError,
    BackendError,
    Conflict,
    GatewayError,
    InvalidValue,
    NotFound,
    PermissionDenied,
    ProtocolError,
    QuotaExceeded,
    RuleViolation,
    StepError,
    Unauthenticated,
)


class MsgCode(StrEnum):
    """``msgCode`` of step messages. The first eight say what a ``StepInfoRequired`` asks for."""

    QUESTION = "QUESTION"
    MANUAL = "MANUAL"
    OPENAPP = "OPENAPP"
    LOCATION = "LOCATION"
    PROPERTIES = "PROPERTIES"
    ATTACHMENT = "ATTACHMENT"
    ASSIGNMENT = "ASSIGNMENT"
    OTHER = "OTHER"

    EXECUTING = "EXECUTING"
    ANSWERED = "ANSWERED"
    HANDLED = "HANDLED"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"

    USER_FAILED = "USER_FAILED"
    EXPRESSION_FAILED = "EXPRESSION_FAILED"
    NO_MATCHING_PATHS = "NO_MATCHING_PATHS"
    ENDLESS_LOOP = "ENDLESS_LOOP"
    NO_EXECUTOR = "NO_EXECUTOR"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    INVALID_ARGS = "INVALID_ARGS"
    INVALID_VALUE = "INVALID_VALUE"
    JOBS_NOT_CREATED = "JOBS_NOT_CREATED"
    TOO_MANY_JOBS = "TOO_MANY_JOBS"
    MAIL_REFUSED = "MAIL_REFUSED"
    RECIPIENTS_MISSED = "RECIPIENTS_MISSED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    STEP_FAILED = "STEP_FAILED"

    QUEUED = "QUEUED"
    RETRYING = "RETRYING"
    UNEXPECTED_STATUS = "UNEXPECTED_STATUS"
    UNEXPECTED_RESPONSE = "UNEXPECTED_RESPONSE"
    GP_MESSAGE = "GP_MESSAGE"
    GP_UNREACHABLE = "GP_UNREACHABLE"
    GP_REFUSED = "GP_REFUSED"
    GP_FAILED = "GP_FAILED"
    GP_TIMED_OUT = "GP_TIMED_OUT"
    GP_CANCELLED = "GP_CANCELLED"
    INVALID_REQUEST = "INVALID_REQUEST"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    HOST_NOT_FOUND = "HOST_NOT_FOUND"
    CONNECTION_FAILED = "CONNECTION_FAILED"
    CERTIFICATE_REFUSED = "CERTIFICATE_REFUSED"
    REQUEST_TIMED_OUT = "REQUEST_TIMED_OUT"
    BROKEN_RESPONSE = "BROKEN_RESPONSE"
    RESPONSE_TOO_LARGE = "RESPONSE_TOO_LARGE"
    REDIRECT_REFUSED = "REDIRECT_REFUSED"


class ReplyCode(StrEnum):
    """``msgCode`` of an ``Error`` frame: why a frame, or one job of it, was refused."""

    MALFORMED = "malformed"
    INVALID = "invalid"
    NOT_FOUND = "not_found"
    NOT_ALLOWED = "not_allowed"
    NOT_WAITING = "not_waiting"
    ALREADY_ANSWERED = "already_answered"
    CONFLICT = "conflict"
    RULE_VIOLATION = "rule_violation"
    LIMIT = "limit"
    UNAUTHENTICATED = "unauthenticated"
    STEP_FAILED = "step_failed"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


REPLY_CODES: dict[type[GatewayError], ReplyCode] = {
    InvalidValue: ReplyCode.INVALID,
    QuotaExceeded: ReplyCode.LIMIT,
    RuleViolation: ReplyCode.RULE_VIOLATION,
    NotFound: ReplyCode.NOT_FOUND,
    Conflict: ReplyCode.CONFLICT,
    Unauthenticated: ReplyCode.UNAUTHENTICATED,
    PermissionDenied: ReplyCode.NOT_ALLOWED,
    AccessError: ReplyCode.NOT_ALLOWED,
    ProtocolError: ReplyCode.MALFORMED,
    StepError: ReplyCode.STEP_FAILED,
    BackendError: ReplyCode.UNAVAILABLE,
}
"""Error class to reply code. A class that is not listed has the code of its nearest base."""


def reply_code(error: BaseException) -> ReplyCode:
    """The reply code of an error; ``internal`` for one that nobody raised on purpose."""
    for kind in type(error).__mro__:
        if kind in REPLY_CODES:
            return REPLY_CODES[kind]
    return ReplyCode.INTERNAL


@dataclass(frozen=True, slots=True)
class CloseCode:
    """Why the server closes a socket. ``reason`` is sent with it, at most 123 bytes of UTF-8 (RFC 6455 5.5.1)."""

    code: int
    reason: str

    @property
    def is_reconnect(self) -> bool:
        """The client should connect again (after a random pause) and resume by ``seq``."""
        return self.code in RECONNECT or self.code in RECONNECT_STANDARD

    @property
    def is_stop(self) -> bool:
        """Connecting again would end the same way: somebody has to change something first."""
        return not self.is_reconnect


RECONNECT = range(4000, 4500)
STOP = range(4500, 5000)
RECONNECT_STANDARD = frozenset({1001, 1005, 1006, 1011, 1012})
"""Codes of RFC 6455 and its registry after which a client reconnects. 1012 is uvicorn's at shutdown; 1006 is what a
client sees when a slow consumer was cut, and 1011 when it has left a ping unanswered."""

GOING_AWAY = CloseCode(1012, "The server restarts. Connect again and resume.")
TOKEN_EXPIRED = CloseCode(4001, "The token has expired. Connect again with a fresh one.")
ACCESS_LOST = CloseCode(4500, "This user has no access to the workflow item any more.")
TOO_LARGE = CloseCode(1009, "The message is too large.")

CLOSE_CODES = (GOING_AWAY, TOKEN_EXPIRED, ACCESS_LOST, TOO_LARGE)
"""Every code this server closes a socket with by itself."""
