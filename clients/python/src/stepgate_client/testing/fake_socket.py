"""One websocket of the fake server."""

import json
import socket as sockets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final, Self

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

_SWITCHING: Final = 101
"""HTTP's status for a changed protocol."""


class FakeSocket:
    """Made by ``accept``. ``job_ids`` are the jobs that are watched over it."""

    def __init__(self, connection: sockets.socket, protocol: ServerProtocol) -> None:
        self.job_ids: set[str] = set()
        self._connection = connection
        self._protocol = protocol

    @classmethod
    def accept(cls, connection: sockets.socket, path: str, headers: Iterable[tuple[str, str]]) -> Self | None:
        """Answer an upgrade that another has read; None when it is none."""
        protocol = ServerProtocol()
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
        protocol.receive_data("\r\n".join(lines).encode())
        [request] = protocol.events_received()
        assert isinstance(request, Request)  # noqa: S101 - the first event of a server is one
        response = protocol.accept(request)
        protocol.send_response(response)
        made = cls(connection, protocol)
        made._flush()
        return made if response.status_code == _SWITCHING else None

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame, unless the peer is gone."""
        self._protocol.send_text(json.dumps(frame).encode())
        self._flush()

    def reply(self, msg_type: str, frame: dict[str, Any], **body: Any) -> None:
        """Answer a frame of the peer."""
        message = {"requestId": frame.get("requestId"), **body}
        self.send({"msgType": msg_type, "timestamp": time.time_ns() // 1_000_000, "message": message})

    def frames(self) -> Iterator[dict[str, Any]]:
        """The peer's frames, until it is gone."""
        while data := self._read():
            self._protocol.receive_data(data)
            self._flush()
            for event in self._protocol.events_received():
                if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                    yield json.loads(bytes(event.data))
            if self._protocol.close_expected():
                return

    def cut(self) -> None:
        """Break the connection."""
        with suppress(OSError):
            self._connection.shutdown(sockets.SHUT_RDWR)

    def _read(self) -> bytes:
        try:
            return self._connection.recv(65_536)
        except OSError:
            return b""

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            with suppress(OSError):
                self._connection.sendall(data)
