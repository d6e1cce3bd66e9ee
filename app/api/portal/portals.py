"""Which portal a request means, and how the portal tells what went wrong.

A portal may be asked at the server's root or below one segment of any name. That name chooses the shape: an
organisation that has workflow items is a portal of the online kind, everything else one of the enterprise kind.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.api.credentials import token_of
from app.api.multipart import form_fields
from app.api.problems import status_of
from app.api.requests import body_pieces, path_text, public_root
from app.api.responses import JsonResponse
from app.api.state import gateway
from app.errors import BackendError, GatewayError, InvalidValue, Unauthenticated
from app.protocol.errors import error_body
from app.protocol.text import check_text
from app.services.first_start import ORG_ID
from app.services.portal import is_organisation

MAX_FORM_BYTES: Final = 64 * 1024

NO_STORE: Final = {"Cache-Control": "no-store"}

_TOKEN_REFUSED: Final = 498
_TOKEN_MISSING: Final = 499
"""The portal's own codes: clients that see them ask their user to log in again."""

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Portal:
    """One face of this server.

    Args:
        org_id: whose items are found here.
        is_enterprise: the workflow server is named among the portal's servers; else among its helper services.
        server_url: the root of the workflow server, without a slash at the end.
        url: the root of the portal, likewise.
    """

    org_id: str
    is_enterprise: bool
    server_url: str
    url: str


async def portal_of(request: Request) -> Portal:
    """The portal whose address was used."""
    root = public_root(request)
    if "context" not in request.path_params:
        return Portal(ORG_ID, is_enterprise=True, server_url=root, url=root)
    context = path_text(request, "context")
    is_online = await gateway(request).engine.store.read(lambda tx: is_organisation(tx, context))
    return Portal(
        context if is_online else ORG_ID, is_enterprise=not is_online, server_url=root, url=f"{root}/{context}"
    )


def viewer_of(request: Request, form_token: str | None = None) -> str:
    """The user whose token came along. Raises Unauthenticated."""
    return gateway(request).tokens.verify(token_of(request) or form_token).username


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form in the body, and nothing from the address. Raises InvalidValue, QuotaExceeded."""
    body = b"".join([piece async for piece in body_pieces(request, MAX_FORM_BYTES, "of a portal's form")])
    fields = dict(form_fields(body))
    try:
        check_text(fields, "the form")
    except InvalidValue as error:
        raise InvalidValue(f"The form was invalid: {error.message}.", details=[error.message]) from None
    return fields


def portal_errors(handler: Handler) -> Handler:
    """Answer a refusal with 200 and the error object, as portals do.

    The vendor's Python client, logged in by password, sends a request again without its token when the status is 4xx,
    and shows the second answer (python-client.md 1, trap 4). Failures that the same call may outlive stay 503.
    """

    @wraps(handler)
    async def run(request: Request) -> Response:
        try:
            return await handler(request)
        except BackendError:
            raise
        except GatewayError as error:
            body = error_body(_code(request, error), error.name, error.message, list(error.details))
            return JsonResponse(body, headers=NO_STORE)

    return run


def _code(request: Request, error: GatewayError) -> int:
    if isinstance(error, Unauthenticated):
        return _TOKEN_REFUSED if token_of(request) else _TOKEN_MISSING
    return status_of(type(error))
