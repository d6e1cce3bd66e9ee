"""Webhook connections over REST (rest.md 12).

What concerns the feature service is done after the commit, so a change may be half done: the answer then says
``success`` false, and what the service has not done.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import carry_out
from app.api.requests import caller_of, path_text, public_root, read_body, refused
from app.api.responses import JsonResponse
from app.api.state import gateway
from app.errors import InvalidValue, Unauthenticated
from app.protocol.webhooks import WebhookConnectionAnswer, WebhookConnectionBody, WebhookConnectionList
from app.services import webhook_connections
from app.services.managed_webhooks import Failure
from app.services.webhook_connections import OptIn

_body = msgspec.json.Decoder(WebhookConnectionBody)
_kept = msgspec.json.Decoder(WebhookConnectionAnswer)


async def list_all(request: Request) -> Response:
    """``GET webhookConnections``."""
    found = await gateway(request).engine.query(caller_of(request), webhook_connections.listed)
    return JsonResponse(WebhookConnectionList(found))


async def read(request: Request) -> Response:
    """``GET webhookConnections/{connectionId}``."""
    connection_id = path_text(request, "connection_id")
    caller = caller_of(request)
    return JsonResponse(
        await gateway(request).engine.query(caller, lambda unit: webhook_connections.details(unit, connection_id))
    )


async def create(request: Request) -> Response:
    """``POST webhookConnections``. One that comes again under its key tries again what the service has not done."""
    caller = caller_of(request)
    body = await read_body(request, _body, "WebhookConnection")
    opt_ins = _opt_ins(request, body)
    done = await carry_out(request, caller, lambda unit: webhook_connections.create(unit, body, opt_ins), _answer)
    connection_id = _kept.decode(done.response.body).connection_id
    failure = await gateway(request).webhooks.settle(caller, connection_id, public_root(request))
    return JsonResponse(_answer(connection_id, failure)) if failure else done.response


async def change(request: Request) -> Response:
    """``PUT webhookConnections/{connectionId}``."""
    caller, connection_id = caller_of(request), path_text(request, "connection_id")
    body = await read_body(request, _body, "WebhookConnection")
    opt_ins = _opt_ins(request, body)
    await gateway(request).engine.execute(
        caller, refused(lambda unit: webhook_connections.change(unit, connection_id, body, opt_ins))
    )
    failure = await gateway(request).webhooks.settle(caller, connection_id, public_root(request))
    return JsonResponse(_answer(connection_id, failure))


async def delete(request: Request) -> Response:
    """``DELETE webhookConnections/{connectionId}``."""
    caller, connection_id = caller_of(request), path_text(request, "connection_id")
    connection, access = await gateway(request).engine.execute(
        caller, refused(lambda unit: webhook_connections.delete(unit, connection_id))
    )
    failure = await gateway(request).webhooks.removed(caller, connection, access)
    return JsonResponse(_answer(connection_id, failure))


def _answer(connection_id: str, failure: Failure | None = None) -> WebhookConnectionAnswer:
    if failure is None:
        return WebhookConnectionAnswer(success=True, connection_id=connection_id)
    return WebhookConnectionAnswer(
        success=False, connection_id=connection_id, message=failure.message, name=failure.name
    )


def _opt_ins(request: Request, body: WebhookConnectionBody) -> list[OptIn]:
    """Whose tokens came along. Raises InvalidValue for one of this server that is another user's, or valid no more."""
    given = [
        (body.username, body.user_token, "userToken"),
        (body.fallback_username, body.fallback_user_token, "fallbackUserToken"),
    ]
    return [_opt_in(request, name, token, member) for name, token, member in given if name and token]


def _opt_in(request: Request, name: str, token: str, member: str) -> OptIn:
    """A token of this server shows that its user agrees, and is not kept. Any other is for the feature service."""
    tokens = gateway(request).tokens
    if not tokens.made(token):
        return OptIn(name, token=token)
    try:
        username = tokens.verify(token).username
    except Unauthenticated as error:
        raise InvalidValue(f"WebhookConnection was invalid: {member}: {error.message}", details=[member]) from error
    if username != name:
        raise InvalidValue(f"WebhookConnection was invalid: {member} is not one of {name!r}.", details=[member])
    return OptIn(name, proven=True)
