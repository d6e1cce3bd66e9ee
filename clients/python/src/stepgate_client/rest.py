"""Calls over HTTP: JSON out, typed results in, refusals as exceptions."""

from typing import TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from stepgate_client.endpoint import Endpoint, error_of
from stepgate_client.errors import ConnectionFailed, ProtocolError

T = TypeVar("T")

_encoder = msgspec.json.Encoder()


class Rest:
    """The REST API of one item. Keeps its connections open until ``close``.

    Args:
        timeout_s: seconds to connect, and between two pieces of an answer.
    """

    def __init__(self, endpoint: Endpoint, timeout_s: float) -> None:
        self._endpoint = endpoint
        # Without TLS nothing is verified, and reading the system's certificates would take 0.1 s of the event loop.
        self._http = httpx2.AsyncClient(verify=endpoint.tls or False, timeout=timeout_s, follow_redirects=False)

    async def get(self, path: str, result: type[T], **params: bool) -> T:
        """Read; ``path`` is relative to the item, its variable parts already quoted."""
        query = {name: "true" if value else "false" for name, value in params.items()}
        return await self._call("GET", path, result, params=query)

    async def post(self, path: str, body: object, result: type[T]) -> T:
        """Do; ``body`` is anything msgspec can encode. Never tried again by itself: it may have taken effect."""
        return await self._call("POST", path, result, content=_encoder.encode(body))

    async def put(self, path: str, body: object, result: type[T]) -> T:
        """Replace; as ``post``."""
        return await self._call("PUT", path, result, content=_encoder.encode(body))

    async def delete(self, path: str, result: type[T]) -> T:
        """Delete; never tried again by itself."""
        return await self._call("DELETE", path, result)

    async def close(self) -> None:
        await self._http.aclose()

    async def _call(
        self, method: str, path: str, result: type[T], *, params: dict[str, str] | None = None, content: bytes = b""
    ) -> T:
        headers = {"Authorization": f"Bearer {await self._endpoint.token()}", "Accept": "application/json"}
        if content:
            headers["Content-Type"] = "application/json"
        url = f"{self._endpoint.item_url}/{path}"
        try:
            response = await self._http.request(method, url, params=params, content=content, headers=headers)
        except httpx2.TransportError as error:
            raise ConnectionFailed(
                f"No answer from {self._endpoint.url}: {str(error) or type(error).__name__}."
            ) from error
        return _read(response, result)


def part(text: str) -> str:
    """Quote an id for use as one part of a path."""
    return quote(text, safe="")


def _read(response: httpx2.Response, result: type[T]) -> T:
    if response.status_code != httpx2.codes.OK:
        raise error_of(response.status_code, response.content, response.headers.get("Retry-After"))
    try:
        return msgspec.json.decode(response.content, type=result)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ProtocolError(f"The server's answer cannot be read: {error}.") from error
