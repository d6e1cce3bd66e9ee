"""Where feature services send their events: no token, but a signature made with the connection's secret."""

from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import carry_out, digest_of
from app.api.requests import body_pieces, path_text
from app.api.responses import JsonResponse, succeeded, success
from app.api.state import gateway
from app.auth.signatures import SIGNATURE_HEADER, answer_challenge, is_signed
from app.errors import InvalidValue, NotFound
from app.protocol.webhooks import Challenge
from app.services.engine import Caller, Unit
from app.services.webhook_looks import look_at_all

MAX_EVENT_BYTES: Final = 1_000_000
"""Real ones have some hundred."""


async def receive(request: Request) -> Response:
    """``POST webhookConnections/{connectionId}/executeWebhook``.

    What the event tells is not believed further than that something has happened: then it is worth while to look.
    """
    caller, connection_id = _server(request), path_text(request, "connection_id")
    body = b"".join([piece async for piece in body_pieces(request, MAX_EVENT_BYTES, "of a webhook's event")])
    secret, enabled = await gateway(request).engine.query(caller, lambda unit: _secret(unit, connection_id))
    _check(request, secret, body)
    if not enabled:
        return success()
    digest = digest_of(body.decode("latin-1"))
    done = await carry_out(request, caller, lambda unit: look_at_all(unit, connection_id), succeeded, digest=digest)
    return done.response


async def challenge(request: Request) -> Response:
    """``GET webhookConnections/{connectionId}/executeWebhook?crc_token=...``: the service asks whether we listen."""
    caller, connection_id = _server(request), path_text(request, "connection_id")
    secret, _ = await gateway(request).engine.query(caller, lambda unit: _secret(unit, connection_id))
    found = answer_challenge(secret, request.query_params.get("crc_token", ""))
    if found is None:
        raise InvalidValue("The query needs crc_token: 1 to 300 letters, digits and + / = _ . -", details=["crc_token"])
    return JsonResponse(Challenge(found))


def _server(request: Request) -> Caller:
    return Caller(path_text(request, "org_id"), path_text(request, "item_id"), None)


def _secret(unit: Unit, connection_id: str) -> tuple[str, bool]:
    """The secret, and whether the connection is enabled. Raises NotFound."""
    known = unit.tx.webhook_connection(unit.item, connection_id)
    if known is None:
        raise _refusal()
    return unit.vault.open(known.secret).decode(), known.enabled


def _check(request: Request, secret: str, body: bytes) -> None:
    """Raise NotFound for a body that is not signed, InvalidValue for one that is no event.

    A form has the event in its field ``payload``, and may have the signature in another one. Which of its bytes are
    signed, those of the field as they were sent or what they mean, the senders do not agree on.
    """
    given, events = request.headers.get(SIGNATURE_HEADER, ""), [body]
    if body.startswith(b"payload=") or b"&payload=" in body:
        fields = dict(pair.partition(b"=")[::2] for pair in body.split(b"&"))
        payload = fields[b"payload"]
        events += [payload, _decoded(payload)]
        given = given or _decoded(fields.get(SIGNATURE_HEADER.encode(), b"")).decode("latin-1")
    if not any([is_signed(secret, event, given) for event in events]):  # noqa: C419 - all, so that it takes as long
        raise _refusal()
    try:
        event = msgspec.json.decode(events[-1])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidValue(f"The event was invalid: {error}.") from error
    if not isinstance(event, dict | list):
        raise InvalidValue("The event was invalid: it must be an object or an array.")


def _refusal() -> NotFound:
    """The same, whether there is no such connection or the event does not prove its secret."""
    return NotFound(
        f"There is no such webhook connection, or {SIGNATURE_HEADER} is not the signature of the event.",
        name="WebhookConnectionNotFound",
    )


def _decoded(field: bytes) -> bytes:
    return unquote_to_bytes(field.replace(b"+", b" "))
