"""The two token endpoints (v3-jobs.md 2.1, 3.1): refusals as RFC 6749 5.2 writes them."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Final
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.portal.portals import NO_STORE, read_form
from app.api.requests import client_address, read_body
from app.api.responses import JsonResponse
from app.api.state import gateway
from app.api.v3.visits import RETRY_AFTER_S
from app.auth.dialect_tokens import ANALYTICS_TTL_S, PRINT_TTL_S, DialectTokens
from app.errors import BackendError, GatewayError, InvalidValue, QuotaExceeded, RuleViolation, Unauthenticated
from app.protocol.v3.dialects import OFFLINE, USUAL_SCOPES, Bearer, Dialect, TokenClaims
from app.protocol.v3.tokens import AnalyticsToken, PrintToken, PrintTokenBody, TokenRefusal
from app.services import api_clients
from app.services.ports import ApiClient

_body: Final = msgspec.json.Decoder(PrintTokenBody)

_PASSWORD: Final = 3
"""The kind of login that is known here: name and password."""


_STATUSES: Final[Mapping[str, tuple[int, dict[str, str]]]] = {
    "invalid_client": (401, {"WWW-Authenticate": "Basic"}),
    "temporarily_unavailable": (503, {"Retry-After": str(RETRY_AFTER_S)}),
}
"""Words that have another status than 400, and the headers it comes with."""


class TokenRefused(RuleViolation):
    """No token; ``name`` is the word of RFC 6749."""


def token_errors(
    handler: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Answer refusals in the form of the RFC."""

    @wraps(handler)
    async def run(request: Request) -> Response:
        try:
            return await handler(request)
        except GatewayError as error:
            word = _word(error)
            status, headers = _STATUSES.get(word, (400, {}))
            return JsonResponse(TokenRefusal(word, error.message), status, NO_STORE | headers)

    return run


def _word(error: GatewayError) -> str:
    match error:
        case TokenRefused():
            return error.name
        case Unauthenticated():
            return "invalid_client"
        case BackendError():
            return "temporarily_unavailable"
        case QuotaExceeded() | InvalidValue():
            return "invalid_request"
        case RuleViolation():
            return "invalid_grant"
    return "invalid_request"


@token_errors
async def print_token(request: Request) -> Response:
    """``POST api/auth/token``: JSON."""
    body = await read_body(request, _body, "The request")
    grant = {"login_info": _log_in, "client_credentials": _for_itself, "refresh_token": _refresh}.get(body.grant_type)
    if grant is None:
        raise TokenRefused(
            f"{body.grant_type!r} is not one of login_info, client_credentials, refresh_token.",
            name="unsupported_grant_type",
        )
    client = await _client(request, body.client_id, body.client_secret)
    return await grant(request, body, client)


@token_errors
async def analytics_token(request: Request) -> Response:
    """``POST webapi/oauth2/token``: a form; key and secret as HTTP Basic or in it."""
    form = await read_form(request)
    if form.get("grant_type") != "client_credentials":
        raise TokenRefused("grant_type must be client_credentials.", name="unsupported_grant_type")
    client_id, secret = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
    client = await _client(request, client_id, secret)
    if client.username is None:
        raise TokenRefused("This key is a program's own; a user's is needed.", name="unauthorized_client")
    bearer = Bearer(Dialect.ANALYTICS, client.username, frozenset(USUAL_SCOPES))
    token = DialectTokens(gateway(request).tokens).issue(bearer, ANALYTICS_TTL_S)
    return JsonResponse(AnalyticsToken(token, ANALYTICS_TTL_S), headers=NO_STORE)


async def _client(request: Request, client_id: str, secret: str) -> ApiClient:
    return await gateway(request).engine.store.read(lambda tx: api_clients.check(tx, client_id, secret))


def _basic(request: Request) -> tuple[str, str] | None:
    """The user and password of HTTP Basic. Raises Unauthenticated for what is none."""
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = b64decode(coded.strip(), validate=True).decode().partition(":")
    except (Base64Error, UnicodeDecodeError):
        raise Unauthenticated("Authorization: Basic needs the base64 of 'key:secret'.") from None
    return unquote(name), unquote(secret)


async def _log_in(request: Request, body: PrintTokenBody, client: ApiClient) -> Response:
    info = body.login_info
    if info is None or info.type != _PASSWORD or not info.user or info.pwd is None:
        raise InvalidValue("login_info must be of type 3, with user and pwd; there are no cards and no PINs here.")
    await gateway(request).logins.check(info.user, info.pwd, client_address(request))
    stamp = await gateway(request).engine.store.read(lambda tx: api_clients.stamp_of(tx, info.user or ""))
    scopes = _granted(client, body)
    return _answer(request, TokenClaims(Dialect.PRINT, info.user, scopes, client.client_id, stamp))


async def _for_itself(request: Request, body: PrintTokenBody, client: ApiClient) -> Response:
    scopes = tuple(scope for scope in _granted(client, body) if scope != OFFLINE)
    return _answer(request, TokenClaims(Dialect.PRINT, None, scopes, client.client_id))


async def _refresh(request: Request, body: PrintTokenBody, client: ApiClient) -> Response:
    try:
        before = DialectTokens(gateway(request).tokens).read_refresh(body.refresh_token or "")
    except Unauthenticated as error:
        raise TokenRefused("The refresh token is not valid, or not any more.", name="invalid_grant") from error
    username = before.username or ""
    is_same, stamp = await gateway(request).engine.store.read(
        lambda tx: (api_clients.is_enabled(tx, username), api_clients.stamp_of(tx, username))
    )
    if not is_same or before.stamp != stamp or before.client != client.client_id:
        raise TokenRefused(
            "The refresh token is another program's, or its user must log in anew.", name="invalid_grant"
        )
    scopes = _granted(client, body, before.scopes)
    return _answer(request, TokenClaims(Dialect.PRINT, username, scopes, client.client_id, stamp))


def _granted(client: ApiClient, body: PrintTokenBody, known: tuple[str, ...] | None = None) -> tuple[str, ...]:
    scopes = api_clients.granted(client, body.scope, known)
    if not scopes:
        raise TokenRefused(f"The program may have none of these scopes: {body.scope}.", name="invalid_scope")
    return scopes


def _answer(request: Request, claims: TokenClaims) -> Response:
    tokens = DialectTokens(gateway(request).tokens)
    bearer = Bearer(claims.dialect, claims.username, frozenset(claims.scopes))
    token = PrintToken(tokens.issue(bearer, PRINT_TTL_S), PRINT_TTL_S, " ".join(claims.scopes))
    if claims.username is not None and OFFLINE in claims.scopes:
        token.refresh_token = tokens.issue_refresh(claims)
    return JsonResponse(token, headers=NO_STORE)
