"""Every error Stepgate raises on purpose, as one tree.

    GatewayError                code: stable string; temporary: may the caller retry the same call?
      RuleViolation             the request makes sense but the rules forbid it
        InvalidValue            a value, body or expression is not what it must be
        QuotaExceeded           a limit of the server was reached
      NotFound                  the thing named does not exist (or may not be seen)
      Conflict                  it exists already, or somebody else was first
        KeyInFlight             a request under this idempotency key is being carried out
        KeyReused               the idempotency key belongs to another body
      AccessError
        Unauthenticated         no token, a bad one, or one that has expired
        PermissionDenied        the user is known and may not do this
      ProtocolError             the peer broke the wire format
      StepError                 a step could not be carried out
        StepFailed              its executor gave up
        StepTimedOut            it took longer than it may
      BackendError              a part we depend on failed (temporary)
        StoreUnavailable        the database
        BusUnavailable          the message bus

Adapters turn driver errors into these and keep the cause. ``app/api/problems.py`` maps each class to an HTTP status
and an error body, ``app/protocol/codes.py`` to a reply code of the websocket; a test walks all subclasses.
"""

from collections.abc import Sequence

OWN_FAULT = "The server made a mistake. Its log says which."
"""What people are told of an exception that nobody raised on purpose."""


class GatewayError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: one or two English sentences: what was wrong, and what would be right.
        name: the wire's name for it (``error.type`` of the workflow API), when it is more precise than the class.
        details: one string per single fault, for instance one per invalid member.
    """

    code = "gateway_error"
    temporary = False

    def __init__(self, message: str, *, name: str | None = None, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.name = name or type(self).__name__
        self.details = tuple(details)

    def __str__(self) -> str:
        return self.message


class RuleViolation(GatewayError):
    """The request is well formed, and the rules forbid it."""

    code = "rule_violation"


class InvalidValue(RuleViolation):
    """A value, a body or an expression is not what it must be."""

    code = "invalid_value"


class QuotaExceeded(RuleViolation):
    """A limit of the server was reached; the message names the limit."""

    code = "quota_exceeded"


class NotFound(GatewayError):
    """The thing named does not exist, or the caller may not know that it does."""

    code = "not_found"


class Conflict(GatewayError):
    """It exists already, or somebody else was first."""

    code = "conflict"


class KeyInFlight(Conflict):
    """A request under this idempotency key is being carried out; what becomes of it is known soon."""

    code = "key_in_flight"


class KeyReused(Conflict):
    """The idempotency key was used with another body."""

    code = "key_reused"


class AccessError(GatewayError):
    """Who is asking, or what they may do."""

    code = "access_error"


class Unauthenticated(AccessError):
    """No token, a bad one, or one that has expired."""

    code = "unauthenticated"


class PermissionDenied(AccessError):
    """The user is known and may not do this."""

    code = "permission_denied"


class ProtocolError(GatewayError):
    """The peer broke the wire format."""

    code = "protocol_error"


class StepError(GatewayError):
    """A step could not be carried out."""

    code = "step_error"


class StepFailed(StepError):
    """The step's executor gave up."""

    code = "step_failed"


class StepTimedOut(StepError):
    """The step took longer than it may."""

    code = "step_timed_out"


class BackendError(GatewayError):
    """A part the server depends on failed; the same call may succeed later."""

    code = "backend_error"
    temporary = True


class StoreUnavailable(BackendError):
    """The database did not take the transaction; nothing of it was acknowledged."""

    code = "store_unavailable"


class BusUnavailable(BackendError):
    """The message bus cannot be reached."""

    code = "bus_unavailable"
