"""Logins in a browser: the sign-in page and the way back to the client (RFC 6749, section 4.2: the implicit grant).

What the client has asked for travels with the page as a signed text, so no server has to remember it, and any node can
take the answer. There is no session: each login takes the password, so nobody gets a token without their doing.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.api.portal.logins import lifetime_s, log_in
from app.api.portal.portals import NO_STORE, read_form
from app.api.portal.sign_in_page import HEADERS, refusal_page, sign_in_page
from app.api.requests import public_root
from app.api.state import gateway
from app.errors import InvalidValue, QuotaExceeded, RuleViolation, Unauthenticated
from app.protocol.text import check_text

SIGN_IN_WITHIN_S: Final = 600
USUAL_MINUTES: Final = 120
MAX_CHARS: Final = 500
"""Of what a client may ask to have back: it travels in the page and in an address."""

_PURPOSE: Final = "sign-in"
_STALE: Final = "This page is too old, or was changed. Begin again in the program that sent you here."
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for: where the token is to go, the client's own ``state``, and the token's lifetime (s)."""

    redirect_uri: str
    state: str
    lifetime_s: int


_decode = msgspec.json.Decoder(Asked).decode


async def authorize(request: Request) -> Response:
    """``GET sharing/rest/oauth2/authorize``: the sign-in page, or one that says why there is none."""
    try:
        asked = _asked(request)
    except InvalidValue as error:
        return HTMLResponse(refusal_page(error.message), headers=HEADERS | NO_STORE)
    return _page(request, asked)


async def sign_in(request: Request) -> Response:
    """``POST sharing/oauth2/signin``: on to the client with a token, or the page again.

    No redirect is made to an address that ``authorize`` has not let pass: it is in the signed text.
    """
    tokens = gateway(request).tokens
    try:
        form = await read_form(request)
        asked = _decode(tokens.unseal(_PURPOSE, form.get("oauth_state", "")))
    except Unauthenticated:
        return HTMLResponse(refusal_page(_STALE), headers=HEADERS | NO_STORE)
    except (InvalidValue, QuotaExceeded) as error:
        return HTMLResponse(refusal_page(error.message), headers=HEADERS | NO_STORE)
    try:
        username = await log_in(request, form)
    except RuleViolation as error:
        return _page(request, asked, error.message)
    granted = {
        "access_token": tokens.issue(username, asked.lifetime_s),
        "expires_in": str(asked.lifetime_s),
        "token_type": "bearer",
        "username": username,
        "state": asked.state,
    }
    return RedirectResponse(f"{asked.redirect_uri}#{urlencode(granted)}", 302, HEADERS | NO_STORE)


def _asked(request: Request) -> Asked:
    query = request.query_params
    if query.get("response_type") != "token":
        raise InvalidValue("Invalid response_type: this server knows 'token'.")
    redirect_uri, state = query.get("redirect_uri", ""), query.get("state", "")
    check_text([redirect_uri, state], "the query")
    if not _may_receive(redirect_uri, public_root(request)):
        raise InvalidValue(
            "Invalid redirect_uri: a token goes to this server's own address (https) or to a program on the user's own "
            "machine (http://localhost), and nowhere else."
        )
    if len(state) > MAX_CHARS or not state.isascii():
        raise InvalidValue(f"Invalid state: at most {MAX_CHARS} characters of ASCII.")
    return Asked(redirect_uri, state, lifetime_s(request, query.get("expiration"), USUAL_MINUTES))


def _may_receive(redirect_uri: str, own_root: str) -> bool:
    """Tell whether a token may be sent there.

    Anything but plain ASCII is refused: browsers and ``urlsplit`` do not read backslashes, blanks or tabs alike.
    """
    if not redirect_uri.isascii() or len(redirect_uri) > MAX_CHARS or set(redirect_uri) & set("\\\"'<>#@ ;,"):
        return False
    if not redirect_uri.isprintable():
        return False
    try:
        asked, own = urlsplit(redirect_uri), urlsplit(own_root)
        is_loopback = asked.hostname in _LOOPBACK and asked.port != 0
    except ValueError:  # brackets or a port that make no sense
        return False
    if asked.scheme == "https" and asked.netloc.lower() == own.netloc.lower():
        return True
    return asked.scheme in {"http", "https"} and is_loopback


def _page(request: Request, asked: Asked, fault: str | None = None) -> Response:
    """The page; should the form be sent, the browser may go on to the client's address and to no other."""
    sealed = gateway(request).tokens.seal(_PURPOSE, msgspec.json.encode(asked).decode(), SIGN_IN_WITHIN_S)
    target = urlsplit(asked.redirect_uri)
    policy = f"{HEADERS['Content-Security-Policy']}; form-action 'self' {target.scheme}://{target.netloc}"
    headers = HEADERS | NO_STORE | {"Content-Security-Policy": policy}
    return HTMLResponse(sign_in_page(sealed, fault), headers=headers)
