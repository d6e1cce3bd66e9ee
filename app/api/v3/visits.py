"""Who asks which dialect, and how that dialect says no (v3-jobs.md 4.2, 4.6)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from app.api.responses import JsonResponse
from app.api.state import gateway
from app.auth.dialect_tokens import DialectTokens
from app.errors import (
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
from app.protocol.v3.analytics import AnalyticsRefusal
from app.protocol.v3.dialects import Bearer, Dialect
from app.protocol.v3.ids import NumberId, parse_id
from app.protocol.v3.print_jobs import PrintRefusal
from app.services.engine import Caller
from app.services.v3.sight import served_item

JOB: Final = "v3_job_id"
"""The segment of a path that names a job."""

RETRY_AFTER_S: Final = 1

DENIED: Final = "Authorization has been denied for this request."

STATUS_OF: Final[dict[type[GatewayError], int]] = {
    InvalidValue: 400,
    QuotaExceeded: 400,
    ProtocolError: 400,
    Unauthenticated: 401,
    PermissionDenied: 403,
    NotFound: 404,
    Conflict: 409,
    RuleViolation: 409,
    StepError: 409,
    BackendError: 503,
    GatewayError: 500,
}
"""The statuses of these dialects, of the nearest class that is here."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request whose token was read: to be answered in ``dialect``, about the job ``job``."""

    dialect: Dialect
    bearer: Bearer
    caller: Caller
    job: NumberId | None = None

    @property
    def wanted(self) -> NumberId:
        """The job that the path names. Raises NotFound: the segment is no id."""
        if self.job is None:
            raise NotFound("Job not found", name="JobNotFound")
        return self.job


Handler = Callable[[Request, Visit], Awaitable[Response]]


def visited(*scopes: str, by_programs: bool = False) -> Callable[[Handler], Callable[[Request], Awaitable[Response]]]:
    """Read the token, choose the dialect, and let that tell every refusal.

    Args:
        scopes: one of them is needed.
        by_programs: a program of its own may ask; else a user must, through one.
    """

    def decorate(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        @wraps(handler)
        async def run(request: Request) -> Response:
            dialect = dialect_of(request, None)
            try:
                bearer = DialectTokens(gateway(request).tokens).read(token_of(request))
                dialect = dialect_of(request, bearer)
                _check_scopes(bearer, dialect, scopes, by_programs=by_programs)
                return await handler(request, await _visit(request, dialect, bearer))
            except GatewayError as error:
                return refusal(request, dialect, error)

        return run

    return decorate


async def _visit(request: Request, dialect: Dialect, bearer: Bearer) -> Visit:
    parts = gateway(request)
    item = await parts.engine.store.read(lambda tx: served_item(tx, parts.settings.v3_item))
    return Visit(dialect, bearer, Caller(item.org_id, item.item_id, bearer.username), _job_of(request))


def _check_scopes(bearer: Bearer, dialect: Dialect, scopes: tuple[str, ...], *, by_programs: bool) -> None:
    if bearer.username is None and not by_programs:
        if dialect is Dialect.ANALYTICS:
            raise Unauthenticated(DENIED)
        raise PermissionDenied("This takes a user's token (grant login_info), not a program's own.")
    if scopes and bearer.scopes.isdisjoint(scopes):
        raise PermissionDenied(f"The token does not have the scope {' or '.join(scopes)}.")


def token_of(request: Request) -> str | None:
    """The bearer token of ``Authorization`` or, as one reference spells it, ``Authentication``."""
    for name in ("authorization", "authentication"):
        scheme, _, token = request.headers.get(name, "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
    return None


def dialect_of(request: Request, bearer: Bearer | None) -> Dialect:
    """By the prefix; without one by the form of the job's id, or by what the path is about; else by the token."""
    path: str = request.scope["path"]
    if path.startswith("/webapi/"):
        return Dialect.ANALYTICS
    if path.startswith("/api/"):
        return Dialect.PRINT
    job = _job_of(request)
    if job is not None:
        return Dialect.ANALYTICS if job.is_hex else Dialect.PRINT
    if path.startswith("/v3/workflows"):
        return Dialect.ANALYTICS
    about_jobs = JOB in request.path_params or path.rstrip("/") == "/v3/jobs"
    return bearer.dialect if bearer is not None and about_jobs else Dialect.PRINT


def _job_of(request: Request) -> NumberId | None:
    return parse_id(str(request.path_params.get(JOB, "")))


def refusal(request: Request, dialect: Dialect, error: GatewayError) -> Response:
    """The error as the dialect says it."""
    status = next(STATUS_OF[base] for base in type(error).__mro__ if base in STATUS_OF)
    if dialect is Dialect.ANALYTICS:
        return _analytics(request, status, error)
    data: list[int | str] = [int(text) if text.isdecimal() else text for text in error.details]
    return _answer(PrintRefusal(status, error.message, data), status)


def plain_refusal(dialect: Dialect, status: int, message: str) -> Response:
    """A refusal that no error class stands for."""
    if dialect is Dialect.ANALYTICS:
        return _answer(AnalyticsRefusal(message, UNSET), status)
    return _answer(PrintRefusal(status, message), status)


def is_v3(request: Request) -> bool:
    """The path is one of these dialects', whether there is such a route or not."""
    path: str = request.scope["path"]
    return path.startswith(("/v3/", "/api/", "/webapi/"))


def _analytics(request: Request, status: int, error: GatewayError) -> Response:
    if status == 403 and request.method != "POST":
        status = 401
    if status == 401:
        return _answer(AnalyticsRefusal(DENIED), status)
    if status == 400:
        field = error.details[0] if len(error.details) == 1 and error.details[0].isidentifier() else "request"
        return _answer(AnalyticsRefusal("The request is invalid.", {field: [error.message]}), status)
    return _answer(AnalyticsRefusal(error.message, UNSET), status)


def _answer(body: PrintRefusal | AnalyticsRefusal, status: int) -> Response:
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": str(RETRY_AFTER_S)}}.get(status)
    return JsonResponse(body, status, headers)
