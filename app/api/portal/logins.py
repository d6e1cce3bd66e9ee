"""``generateToken``: a user name and a password for a token of ours."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.api.portal.portals import NO_STORE, portal_errors, read_form
from app.api.requests import client_address
from app.api.responses import JsonResponse
from app.api.state import gateway
from app.errors import InvalidValue
from app.protocol.portal import IssuedToken

USUAL_MINUTES: Final = 60


@portal_errors
async def generate_token(request: Request) -> Response:
    """``POST sharing/rest/generateToken``. A password in the address would end in logs, so only the body counts."""
    form = await read_form(request)
    username = await log_in(request, form)
    tokens = gateway(request).tokens
    token = tokens.issue(username, lifetime_s(request, form.get("expiration"), USUAL_MINUTES))
    expires_ms = tokens.verify(token).expires_ms
    return JsonResponse(IssuedToken(token, expires_ms, ssl=request.url.scheme == "https"), headers=NO_STORE)


async def log_in(request: Request, form: dict[str, str]) -> str:
    """Check the form's ``username`` and ``password`` and return the name. Raises InvalidValue, and as ``Logins``."""
    missing = [name for name in ("username", "password") if not form.get(name)]
    if missing:
        raise InvalidValue(f"A login needs {' and '.join(missing)} in a form in the body.", details=missing)
    await gateway(request).logins.check(form["username"], form["password"], client_address(request))
    return form["username"]


def lifetime_s(request: Request, minutes: str | None, usual_minutes: int) -> int:
    """How long a token will be valid: as asked, but no longer than ``token_ttl_s``.

    Args:
        minutes: as the client wrote it; what is no positive number counts as absent.
    """
    asked = int(minutes) if minutes and minutes.isascii() and minutes.isdecimal() and len(minutes) < 9 else 0
    return min((asked or usual_minutes) * 60, gateway(request).settings.token_ttl_s)
