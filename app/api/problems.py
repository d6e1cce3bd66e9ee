"""Errors on their way out: which HTTP status each class has, and the error object that goes with it.

A refusal that a user is meant to read is never 413, 429 or 5xx: the vendor's Python client repeats those five times
and then throws the text away (python-client.md 1, trap 3). Only a failure that the same call may outlive is 503.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from app.api.responses import JsonResponse
from app.api.v3.visits import dialect_of, is_v3, plain_refusal
from app.errors import (
    OWN_FAULT,
    AccessError,
    BackendError,
    BusUnavailable,
    Conflict,
    GatewayError,
    InvalidValue,
    KeyInFlight,
    KeyReused,
    NotFound,
    PermissionDenied,
    ProtocolError,
    QuotaExceeded,
    RuleViolation,
    StepError,
    StepFailed,
    StepTimedOut,
    StoreUnavailable,
    Unauthenticated,
)
from app.protocol.errors import error_body

STATUS_OF: Final[dict[type[GatewayError], int]] = {
    GatewayError: 500,
    RuleViolation: 400,
    InvalidValue: 400,
    QuotaExceeded: 400,
    NotFound: 404,
    Conflict: 400,
    KeyInFlight: 409,
    KeyReused: 422,
    AccessError: 403,
    Unauthenticated: 401,
    PermissionDenied: 403,
    ProtocolError: 400,
    StepError: 400,
    StepFailed: 400,
    StepTimedOut: 400,
    BackendError: 503,
    StoreUnavailable: 503,
    BusUnavailable: 503,
}
"""Every class of ``app/errors.py``; a test sees to it. A class of another module has the status of its nearest base.

A use case that changes something tells NotFound and PermissionDenied as 400 (``requests.refused``)."""

RETRY_AFTER_S: Final = 1

_EXTRA_HEADERS: Final[dict[int, dict[str, str]]] = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": str(RETRY_AFTER_S)},
}

_SENTENCES: Final = {
    404: "There is no such resource. /docs lists what there is.",
    405: "This resource does not take that method.",
}


def status_of(error: type[GatewayError]) -> int:
    """The HTTP status of an error class."""
    return next(STATUS_OF[base] for base in error.__mro__ if base in STATUS_OF)


def problem(status: int, name: str, message: str, details: list[str] | None = None) -> JsonResponse:
    """Answer with an error object."""
    return JsonResponse(error_body(status, name, message, details), status, _EXTRA_HEADERS.get(status))


async def _gateway_error(_: Request, error: GatewayError) -> Response:
    return problem(status_of(type(error)), error.name, error.message, list(error.details))


async def _http_exception(request: Request, error: HTTPException) -> Response:
    """Starlette's own refusals, such as 404 and 405."""
    phrase = HTTPStatus(error.status_code).phrase
    name, text = phrase.title().replace(" ", ""), _SENTENCES.get(error.status_code, f"{error.detail or phrase}")
    response = _refused(request, error.status_code, name, text)
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(_methods(request))
    return response


def _methods(request: Request) -> list[str]:
    """What the path takes, over all its routes: Starlette names those of the first one only."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in matching for method in route.methods or ()})


async def _client_gone(_: Request, __: ClientDisconnect) -> Response:
    """The peer hung up within its request: nobody reads this, and nothing is wrong with the server."""
    return problem(400, "ClientDisconnected", "The connection was closed before the request was complete.")


async def _unexpected(request: Request, __: Exception) -> Response:
    """Starlette raises the exception again once this is sent, so its traceback reaches the log and nobody else."""
    return _refused(request, 500, "InternalError", OWN_FAULT)


def _refused(request: Request, status: int, name: str, message: str) -> Response:
    """In the form of the API that was asked."""
    if is_v3(request):
        return plain_refusal(dialect_of(request, None), status, message)
    return problem(status, name, message)


EXCEPTION_HANDLERS: Final[dict[Any, Callable[[Request, Any], Awaitable[Response]]]] = {
    GatewayError: _gateway_error,
    HTTPException: _http_exception,
    ClientDisconnect: _client_gone,
    Exception: _unexpected,
}
"""For ``Starlette(exception_handlers=...)``."""
