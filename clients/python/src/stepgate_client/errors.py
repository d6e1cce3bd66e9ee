"""Every error the client raises on purpose, as one tree.

StepgateError               temporary: the same call may succeed later
  ConnectionFailed          no server there, or the connection broke (temporary)
  Unavailable               the server cannot do it now (temporary); retry_after_s
  ServerFailed              the server has a fault of its own (HTTP 5xx)
  Unauthenticated           no token, a bad one, or one that has expired
  PermissionDenied          the user is known and may not do this
  NotFound                  the thing named does not exist, or may not be seen
  RequestRefused            the server understood and refuses; type and details say why
  ActionRefused             an action was refused for at least one step; step_responses
  ManageRefused             a job was not closed, reopened, deleted or upgraded; result
  AnswerRejected            an answer to a step was not taken; reason
  VerdictMissing            an answer was sent and its verdict did not come in time (temporary)
  SubscriptionRefused       no job is left that this subscription may watch
  SubscriptionEnded         the server ended the websocket for good; code
  ProtocolError             the server broke the wire format
"""

from collections.abc import Sequence

from stepgate_client.models import ManageResult, StepResponse


class StepgateError(Exception):
    """Base of all errors raised on purpose. ``message`` is one or two sentences for a person."""

    temporary = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConnectionFailed(StepgateError):
    """No server answers there, or the connection broke. Whether a request took effect is not known.

    ``temporary`` is False where another attempt must fail as well, as with a certificate that is not trusted.
    """

    def __init__(self, message: str, *, temporary: bool = True) -> None:
        super().__init__(message)
        self.temporary = temporary


class Unavailable(StepgateError):
    """The server cannot do it now and did nothing. ``retry_after_s`` is its advice in seconds, if it gave one."""

    temporary = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ServerFailed(StepgateError):
    """The server has a fault of its own; its log says more. ``status`` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unauthenticated(StepgateError):
    """No token, a bad one, or one that has expired."""


class PermissionDenied(StepgateError):
    """The user is known and may not do this."""


class NotFound(StepgateError):
    """The thing named does not exist, or the user may not know that it does."""


class RequestRefused(StepgateError):
    """The server understood and refuses.

    ``type`` is the wire's name of the fault, ``details`` has one text per single fault, ``status`` is the HTTP status
    (0 for a frame of the websocket).
    """

    def __init__(self, message: str, *, type: str, details: Sequence[str] = (), status: int = 0) -> None:  # noqa: A002 - the wire's word
        super().__init__(message)
        self.type = type
        self.details = tuple(details)
        self.status = status


class ActionRefused(StepgateError):
    """An action was refused for at least one step; ``step_responses`` has an entry for each step, refused or done."""

    def __init__(self, step_responses: Sequence[StepResponse]) -> None:
        self.step_responses = tuple(step_responses)
        refused = [response for response in step_responses if not response.is_success]
        super().__init__(" ".join(response.status_description or response.status for response in refused))


class ManageRefused(StepgateError):
    """At least one job was not closed, reopened, deleted or upgraded; ``result`` has an entry for each job.

    Jobs that were not refused are done.
    """

    def __init__(self, result: ManageResult) -> None:
        super().__init__(result.message or "The server did not do this for every job.")
        self.result = result


class AnswerRejected(StepgateError):
    """An answer to a step was not taken.

    ``reason`` is ``already_answered``, ``not_waiting``, ``not_allowed`` or ``invalid``.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class VerdictMissing(StepgateError):
    """An answer was sent and its verdict did not come in time.

    Sending it again with the same ``request_id`` is safe: the server gives the same verdict, or takes the answer once.
    ``stage`` is the last one reported, None when nothing was.
    """

    temporary = True

    def __init__(self, request_id: str, stage: str | None) -> None:
        told = "it was stored, and not applied yet" if stage else "the server did not reply"
        super().__init__(f"No verdict on the answer in time: {told}.")
        self.request_id = request_id
        self.stage = stage


class SubscriptionRefused(StepgateError):
    """No job is left that this subscription may watch. ``code`` is the reply code of the last refusal."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class SubscriptionEnded(StepgateError):
    """The server ended the websocket for good: connecting again would end the same way. ``code`` is the close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"The server ended the connection: {reason or 'no reason given'} (close code {code}).")
        self.code = code
        self.reason = reason


class ProtocolError(StepgateError):
    """The server sent something that is not what the wire format says."""
