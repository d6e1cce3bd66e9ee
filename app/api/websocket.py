"""The websocket of an item: ``/{orgId}/{itemId}/notificationWs`` (websocket.md 1 and 2).

Everything that is sent goes through the session's transport, so it keeps its order and counts against the limits of
slow consumers.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, cast

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.api.asgi_transport import asgi_transport
from app.api.conversation import Conversation
from app.api.credentials import token_of
from app.api.problems import problem, status_of
from app.api.raw_frames import EXTENSION
from app.api.responses import JsonResponse
from app.api.state import Gateway, gateway
from app.errors import GatewayError, InvalidValue, NotFound
from app.hub.frames import text_frame
from app.hub.hub import Identity
from app.hub.transport import Transport
from app.protocol.notifications import Connected
from app.protocol.text import check_text
from app.services.engine import Caller

_CONNECTED: Final = text_frame(msgspec.json.encode(Connected()))
_TOO_MANY_STATUS: Final = 429


async def notifications(websocket: WebSocket) -> None:
    """Serve one websocket from its handshake to its end.

    A refused handshake is answered with the error object of the workflow API: 401 without a valid token, 404 for an
    unknown item, 403 for a user without a role in it, 429 when sockets come faster than they are taken in.
    """
    with suppress(WebSocketDisconnect):  # the peer went away within the handshake
        await _serve(websocket, gateway(websocket))


async def _serve(websocket: WebSocket, parts: Gateway) -> None:
    if not parts.hub.admits(websocket.client.host if websocket.client else ""):
        message = "New websockets come faster than this server takes them in. Try again in a moment."
        await _refuse(websocket, problem(_TOO_MANY_STATUS, "TooManyConnections", message))
        return
    try:
        identity = await _identify(websocket, parts)
    except GatewayError as error:
        await _refuse(websocket, problem(status_of(type(error)), error.name, error.message, list(error.details)))
        return
    async with open_transport(websocket) as transport:
        session = parts.hub.open_session(transport, identity)
        conversation = Conversation(parts, session)
        try:
            transport.write(_CONNECTED)
            await conversation.hold(websocket)
        finally:
            conversation.end()


async def _identify(websocket: WebSocket, parts: Gateway) -> Identity:
    """Who opens the socket, by the token of the handshake. Raises Unauthenticated, NotFound, PermissionDenied."""
    principal = parts.tokens.verify(token_of(websocket))
    org_id, item_id = _path_text(websocket, "org_id"), _path_text(websocket, "item_id")
    caller = Caller(org_id, item_id, principal.username)
    groups, version = await parts.engine.query(caller, lambda unit: (unit.actor.groups, unit.item.access_version))
    return Identity(principal.username, org_id, item_id, groups, version, principal.expires_ms)


def _path_text(websocket: WebSocket, name: str) -> str:
    value = str(websocket.path_params[name])
    try:
        check_text(value)
    except InvalidValue as error:
        raise NotFound("There is no such workflow item.", name="ItemNotFound") from error
    return value


async def _refuse(websocket: WebSocket, response: JsonResponse) -> None:
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(response)
    else:
        await websocket.close()


@asynccontextmanager
async def open_transport(websocket: WebSocket) -> AsyncIterator[Transport]:
    """Accept, and take the raw path where the server has one."""
    raw = websocket.scope.get("extensions", {}).get(EXTENSION)
    if raw is None:
        async with asgi_transport(websocket) as queued:
            yield queued
        return
    await websocket.accept()
    yield cast(Transport, raw["transport"])
