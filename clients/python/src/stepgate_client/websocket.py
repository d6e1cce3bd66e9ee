"""One websocket from its opening to its end, and what its end means.

Source: websocket.md section 1. The token travels in the ``Authorization`` header, never in the URL, so that no proxy
logs it.
"""

import asyncio
import logging
import ssl
from typing import Self

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus

from stepgate_client.endpoint import Endpoint, error_of
from stepgate_client.errors import ConnectionFailed, ProtocolError, StepgateError, SubscriptionEnded
from stepgate_client.messages import Message, decode

OPEN_TIMEOUT_S = 10.0
MAX_FRAME_BYTES = 16 * 1024 * 1024

FINAL_CODES = frozenset({1002, 1003, 1007, 1008, 1009, 1010, *range(4500, 5000)})
"""Close codes after which the same client would be refused again. All others (4000-4499, 1001, 1006, 1011, 1012, ...)
mean: come back and resume."""

# At DEBUG the library logs headers and frames, tokens included; its usual logger would follow the application's level.
_logger = logging.getLogger("stepgate_client.websocket")
_logger.setLevel(logging.INFO)

_encoder = msgspec.json.Encoder()


class Websocket:
    """An open websocket that speaks messages. Made by ``open``."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, endpoint: Endpoint, token: str) -> Self:
        """Connect and wait for the server's first frame.

        Raises:
            ConnectionFailed, Unavailable: another attempt may succeed.
            Unauthenticated, PermissionDenied, NotFound, RequestRefused, ProtocolError: it would not.
        """
        connection = await _connect(endpoint, token)
        websocket = cls(connection)
        try:
            await websocket._greet()
        except BaseException:
            await connection.close()
            raise
        return websocket

    async def send(self, frame: object) -> None:
        """Send one JSON text frame. Raises ConnectionFailed or SubscriptionEnded when the socket has closed."""
        try:
            await self._connection.send(_encoder.encode(frame), text=True)
        except ConnectionClosed as error:
            raise _ended(error) from error

    async def receive(self) -> Message:
        """Wait for the next message. Cancelling loses none.

        Raises:
            ConnectionFailed: the socket closed with a code that means "come back".
            SubscriptionEnded: it closed with a code that means "stop".
            ProtocolError: the frame is no message.
        """
        try:
            return decode(await self._connection.recv(decode=False))
        except ConnectionClosed as error:
            raise _ended(error) from error

    async def close(self) -> None:
        """Close with code 1000. Idempotent."""
        await self._connection.close()

    async def _greet(self) -> None:
        """Wait for ``{"connected": true}``: whatever is sent before it may be lost (websocket.md 1.3)."""
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                frame = await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise _ended(error) from error
        except TimeoutError as error:
            raise ConnectionFailed("The server accepted the connection and did not greet.") from error
        if b'"connected"' not in frame:
            raise ProtocolError("The server's first frame is not the expected greeting.")


async def _connect(endpoint: Endpoint, token: str) -> ClientConnection:
    try:
        return await connect(
            endpoint.websocket_url,
            ssl=endpoint.tls,
            additional_headers={"Authorization": f"Bearer {token}"},
            open_timeout=OPEN_TIMEOUT_S,
            compression=None,
            max_size=MAX_FRAME_BYTES,
            logger=_logger,
        )
    except InvalidStatus as error:
        response = error.response
        raise error_of(
            response.status_code, bytes(response.body or b""), response.headers.get("Retry-After")
        ) from error
    except ssl.SSLCertVerificationError as error:
        reason = f"The certificate of {endpoint.url} cannot be trusted: {error.verify_message}."
        raise ConnectionFailed(reason, temporary=False) from error
    except (OSError, InvalidMessage) as error:
        raise ConnectionFailed(f"No connection to {endpoint.url}: {str(error) or type(error).__name__}.") from error
    except InvalidHandshake as error:
        raise ProtocolError(f"{endpoint.url} does not speak the expected websocket: {error}.") from error


def _ended(error: ConnectionClosed) -> StepgateError:
    """Tell what the end of a socket means for whoever used it."""
    close = error.rcvd
    if close is None:
        return ConnectionFailed("The connection broke.")
    if close.code in FINAL_CODES:
        return SubscriptionEnded(close.code, close.reason)
    reason = f": {close.reason}" if close.reason else ""
    return ConnectionFailed(f"The server closed the connection with code {close.code}{reason}.")
