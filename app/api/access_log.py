"""Access lines: one when a request ends, one when a websocket opens and one when it ends; no query, no headers."""

import logging
import re
import secrets
import time
from http import HTTPStatus
from itertools import count
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observability import request_id

_log = logging.getLogger("app.access")
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: their lines are written at DEBUG only."""

_ASKED_ID = re.compile(rb"[\w.-]{1,64}")


class AccessLog:
    """ASGI middleware: gives each request an id, and writes its lines.

    The id is the client's ``X-Request-ID`` or one of ours; it is in every log line of the request and in the answer's
    ``X-Request-ID``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._prefix = secrets.token_hex(3)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        own = self._id(scope)
        mark = request_id.set(own)
        call = _Call(scope, receive, send, own.encode())
        try:
            await self.app(scope, call.receive, call.send)
        except Exception:
            call.failed()
            raise
        finally:
            call.write_line()
            request_id.reset(mark)

    def _id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _ASKED_ID.fullmatch(value):
                return str(value, "ascii")
        return f"{self._prefix}-{next(self._numbers):x}"


class _Call:
    """What one connection's line will say."""

    __slots__ = ("_id", "_receive", "_scope", "_send", "_start", "_status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, own_id: bytes) -> None:
        self._scope, self._receive, self._send, self._id = scope, receive, send, own_id
        self._start = time.perf_counter()
        self._status: int | None = None

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.disconnect" and self._status is None:
            self._status = message.get("code")
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start"}:
            self._status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._id)]
        elif kind == "websocket.close":
            self._status = message.get("code", 1000)
        elif kind == "websocket.accept":
            self._write("open")
        await self._send(message)

    def failed(self) -> None:
        """What went wrong was nobody's business but ours: unless an answer had begun, it will be 500."""
        self._status = self._status or HTTPStatus.INTERNAL_SERVER_ERROR.value

    def write_line(self) -> None:
        """Write the last line: the HTTP status or close code, or ``aborted`` where the peer got none."""
        self._write(self._status or "aborted", ms=round((time.perf_counter() - self._start) * 1000, 2))

    def _write(self, status: int | str, **more: float) -> None:
        scope = self._scope
        level = logging.DEBUG if scope["path"] in _PROBES else logging.INFO
        if not _log.isEnabledFor(level):
            return
        fields: dict[str, Any] = {"method": scope.get("method", "WEBSOCKET"), "path": scope["path"], "status": status}
        client = scope.get("client")
        if client:
            fields["client"] = f"{client[0]}:{client[1]}"
        _log.log(level, "request", extra={"fields": fields | more})
