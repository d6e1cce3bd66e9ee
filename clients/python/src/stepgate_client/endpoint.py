"""Where the server is, and who asks: what HTTP calls and websockets have in common."""

import inspect
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import msgspec

from stepgate_client.errors import (
    NotFound,
    PermissionDenied,
    RequestRefused,
    ServerFailed,
    StepgateError,
    Unauthenticated,
    Unavailable,
)

TokenSource = Callable[[], str | Awaitable[str]]
"""Gives a token that is valid now; called for each connection and each call, so it may renew."""

TEMPORARY_STATUSES = frozenset({408, 429, 502, 503, 504})
"""HTTP statuses of servers and proxies that say: not now."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One workflow item on one server.

    Args:
        url: ``http://`` or ``https://`` root of the server, without the item.
        tls: certificates to trust; read also from the variables ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` when made by
            ``ssl.create_default_context``.
    """

    url: str
    org_id: str
    item_id: str
    get_token: TokenSource
    tls: ssl.SSLContext | None

    def __post_init__(self) -> None:
        """Refuse a root that cannot be one, before anything is sent there."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{self.url!r} is not the URL of a server. Write it like https://host:port.")

    @property
    def item_url(self) -> str:
        """Root of the item's REST API."""
        return f"{self.url.rstrip('/')}/{quote(self.org_id, safe='')}/{quote(self.item_id, safe='')}"

    @property
    def administration_url(self) -> str:
        """Root of what concerns items as wholes."""
        return f"{self.url.rstrip('/')}/{quote(self.org_id, safe='')}/admin"

    @property
    def websocket_url(self) -> str:
        """``ws`` for ``http``, ``wss`` for ``https``."""
        return "ws" + self.item_url.removeprefix("http") + "/notificationWs"

    async def token(self) -> str:
        """Ask the token source."""
        token = self.get_token()
        return await token if inspect.isawaitable(token) else token


class _Fault(msgspec.Struct):
    message: str = ""
    type: str | None = None
    name: str | None = None
    details: list[object] = []


class _FaultBody(msgspec.Struct):
    error: _Fault


_fault_decoder = msgspec.json.Decoder(_FaultBody)

_BY_STATUS: dict[int, type[StepgateError]] = {401: Unauthenticated, 403: PermissionDenied, 404: NotFound}


def error_of(status: int, body: bytes, retry_after: str | None = None) -> StepgateError:
    """Turn a refusal over HTTP, of a call or of a websocket's upgrade, into the error to raise.

    The body is ``{"error": {"message", "type", "details"}}`` (rest.md 2.1); a proxy's own page is borne. Some calls
    answer 400 also for a missing thing or privilege, so the type named in the body goes before the status.
    """
    fault = _fault_of(status, body)
    if status in TEMPORARY_STATUSES:
        return Unavailable(fault.message, _seconds(retry_after))
    if status >= 500:
        return ServerFailed(fault.message, status)
    if (fault.type or "").endswith("NotFound"):
        return NotFound(fault.message)
    if fault.type == "PermissionDenied":
        return PermissionDenied(fault.message)
    if status in _BY_STATUS:
        return _BY_STATUS[status](fault.message)
    details = [str(detail) for detail in fault.details]
    return RequestRefused(fault.message, type=fault.type or "", details=details, status=status)


def _fault_of(status: int, body: bytes) -> _Fault:
    try:
        fault = _fault_decoder.decode(body).error
    except (msgspec.MsgspecError, UnicodeError):
        fault = _Fault()
    fault.type = fault.type or fault.name
    fault.message = fault.message or f"The server answered with HTTP status {status}."
    return fault


def _seconds(retry_after: str | None) -> float | None:
    """Read ``Retry-After`` in its form of whole seconds; a date is not used by this server."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else None
