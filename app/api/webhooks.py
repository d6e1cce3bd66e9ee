"""Webhooks over REST: requests of other programs, without a token, that make jobs (rest.md 7.1)."""

from collections.abc import AsyncIterator
from hashlib import blake2b
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.jobs import render_created
from app.api.keyed import carry_out
from app.api.requests import body_pieces, path_text
from app.api.state import gateway
from app.auth.signatures import SIGNATURE_HEADER, is_secret, is_signed
from app.domain.job import Content
from app.errors import NotFound, QuotaExceeded, RuleViolation
from app.protocol.text import decode
from app.services import webhooks
from app.services.engine import Caller
from app.services.webhooks import PAYLOAD_NAME, Lock, Payload

_anything: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()


async def execute(request: Request) -> Response:
    """``POST jobTemplates/{jobTemplateId}/automatedCreation/{automationId}/executeWebhook``.

    Whoever does not prove the secret is told the same, whether or not there is such a webhook.
    """
    engine = gateway(request).engine
    server = Caller(path_text(request, "org_id"), path_text(request, "item_id"), None)
    template_id, automation_id = path_text(request, "template_id"), path_text(request, "automation_id")
    lock = await engine.query(server, lambda unit: webhooks.lock_of(unit, template_id, automation_id))
    body = await _proven_body(request, lock)
    payload = await _payload(request, lock, body)
    try:
        done = await carry_out(
            request,
            server,
            lambda unit: webhooks.execute(unit, template_id, automation_id, payload),
            render_created,
            digest=blake2b(body, digest_size=32).hexdigest(),
        )
    except RuleViolation as error:
        reason = error.message
        await _drop(request, payload.content)
        await engine.execute(server, lambda unit: webhooks.note_refusal(unit, automation_id, reason))
        raise
    except BaseException:
        await _drop(request, payload.content)
        raise
    if done.again:
        await _drop(request, payload.content)
    return done.response


async def _proven_body(request: Request, lock: Lock | None) -> bytes:
    """The body of a request that proves the secret; what is refused for its header alone is not read.

    Raises NotFound, the same whatever is wrong.
    """
    if lock is None:
        raise _refusal()
    if lock.header is None:
        if not gateway(request).settings.allow_unsecure_webhooks:
            raise _refusal()
        return await _body(request)
    given = request.headers.get(lock.header)
    if given is None:
        raise _refusal()
    if lock.header.lower() == SIGNATURE_HEADER.lower():
        try:
            body = await _body(request)
        except QuotaExceeded:
            raise _refusal() from None
        proven = is_signed(lock.secret, body, given)
    else:
        proven = is_secret(lock.secret, given)
        body = await _body(request) if proven else b""
    if not proven:
        raise _refusal()
    return body


async def _payload(request: Request, lock: Lock | None, body: bytes) -> Payload:
    """The body as JSON; where it is to be attached, it is kept when this returns, and must be attached or dropped."""
    document = decode(_anything, body, "The webhook's payload") if body.strip() else None
    if document is None or lock is None or not lock.attaches:
        return Payload(document)
    files = gateway(request).files
    return Payload(document, await files.keep(_pieces(body), name=PAYLOAD_NAME, media_type="application/json"))


def _refusal() -> NotFound:
    return NotFound(
        "There is no such webhook here, or the request does not prove its secret: send the header and the secret that "
        "were set when it was added.",
        name="WebhookNotFound",
    )


async def _body(request: Request) -> bytes:
    """All of the body, whatever media type its sender says it has. Raises QuotaExceeded."""
    return b"".join([piece async for piece in body_pieces(request)])


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _drop(request: Request, content: Content | None) -> None:
    """Let go of a body that was kept and is not attached after all."""
    if content is not None:
        await gateway(request).files.drop(content)
