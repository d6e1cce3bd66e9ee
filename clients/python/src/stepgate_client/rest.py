"""Calls over HTTP: JSON out, typed results in, refusals as exceptions."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from stepgate_client.backoff import Backoff
from stepgate_client.endpoint import Endpoint, error_of
from stepgate_client.errors import ConnectionFailed, ProtocolError, RequestRefused, StepgateError, Unavailable

T = TypeVar("T")

_encoder = msgspec.json.Encoder()

_PIECE_BYTES: Final = 256 * 1024
_IN_FLIGHT: Final = "KeyInFlight"


class Rest:
    """The REST API of one item. Keeps its connections open until ``close``.

    A call that failed for a passing reason is made again where that is safe: ``GET`` and ``PUT`` say the same twice,
    and a ``POST`` carries a key under which the server acts once. ``DELETE`` and uploads are made once.

    Args:
        timeout_s: seconds to connect, and between two pieces of an answer.
        retries: how often a call is made again at most.
        backoff: the pauses before.
        root: what paths are relative to; None: the item's address.
        http: connections to share.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        timeout_s: float,
        retries: int,
        backoff: Backoff,
        *,
        root: str | None = None,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        self._retries = retries
        self._backoff = backoff
        self._root = root or endpoint.item_url
        # Without TLS nothing is verified, and reading the system's certificates would take 0.1 s of the event loop.
        self._http = http or httpx2.AsyncClient(verify=endpoint.tls or False, timeout=timeout_s, follow_redirects=False)

    def below(self, root: str) -> "Rest":
        """The same connections, for paths below another address. This one closes them."""
        return Rest(self._endpoint, self._timeout_s, self._retries, self._backoff, root=root, http=self._http)

    async def get(self, path: str, result: type[T], **params: bool | str) -> T:
        """Read; ``path`` is relative to the item, its variable parts already quoted."""
        query = {name: value if isinstance(value, str) else str(value).lower() for name, value in params.items()}
        return await self._call("GET", path, result, params=query)

    async def post(
        self,
        path: str,
        body: object,
        result: type[T],
        *,
        key: str | None = None,
        keyed: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Do; ``body`` is anything msgspec can encode. The server carries out once what comes under one ``key``, which
        is a new one where none is given; ``keyed`` False: the body itself makes a repetition safe. ``headers`` are sent
        as well."""
        if key is None and keyed and self._retries:
            key = secrets.token_urlsafe(16)
        headers = {**(headers or {}), **({"Idempotency-Key": key} if key is not None else {})}
        return await self._call("POST", path, result, content=_encoder.encode(body), headers=headers)

    async def put(self, path: str, body: object, result: type[T]) -> T:
        """Replace; as ``post``."""
        return await self._call("PUT", path, result, content=_encoder.encode(body))

    async def delete(self, path: str, result: type[T]) -> T:
        """Delete; never tried again by itself: the second time there would be nothing to delete."""
        return await self._call("DELETE", path, result)

    async def upload(
        self, path: str, file: tuple[str, str, bytes | BinaryIO, str | None], fields: dict[str, str], result: type[T]
    ) -> T:
        """Send a form with a file: ``(field, name, bytes, media type)``. An open file is read in a thread."""
        field, name, data, media_type = file
        boundary = secrets.token_hex(16)
        form = _form(boundary, field, name, data, media_type, fields)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return _read(await self._request("POST", path, content=form, headers=headers), result)

    def download(self, path: str) -> AsyncIterator[bytes]:
        """The bytes of an answer, in the pieces they come in."""
        return self._stream("GET", path)

    def post_for_file(self, path: str, body: object) -> AsyncIterator[bytes]:
        """The same for an answer to a POST."""
        return self._stream("POST", path, _encoder.encode(body))

    async def _stream(self, method: str, path: str, content: bytes | None = None) -> AsyncIterator[bytes]:
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            async with self._http.stream(
                method, f"{self._root}/{path}", headers=headers | await self._headers(), content=content
            ) as response:
                if response.status_code != httpx2.codes.OK:
                    raise error_of(response.status_code, await response.aread(), response.headers.get("Retry-After"))
                async for piece in response.aiter_bytes():
                    yield piece
        except httpx2.TransportError as error:
            raise self._no_answer(error) from error

    async def close(self) -> None:
        await self._http.aclose()

    async def _call(
        self,
        method: str,
        path: str,
        result: type[T],
        *,
        params: dict[str, str] | None = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> T:
        headers = {"Accept": "application/json", **(headers or {})}
        if content:
            headers["Content-Type"] = "application/json"
        retries = self._retries if method != "DELETE" else 0
        for failures in range(1, retries + 1):
            try:
                return _read(await self._request(method, path, params=params, content=content, headers=headers), result)
            except StepgateError as error:
                if not _is_passing(error):
                    raise
                await asyncio.sleep(self._pause_s(error, failures))
        return _read(await self._request(method, path, params=params, content=content, headers=headers), result)

    def _pause_s(self, error: StepgateError, failures: int) -> float:
        advised_s = error.retry_after_s if isinstance(error, Unavailable) else None
        return max(self._backoff.wait_s(failures), min(advised_s or 0.0, self._backoff.cap_s))

    async def _request(self, method: str, path: str, *, headers: dict[str, str], **options: Any) -> httpx2.Response:
        url = f"{self._root}/{path}"
        try:
            return await self._http.request(method, url, headers=headers | await self._headers(), **options)
        except httpx2.TransportError as error:
            raise self._no_answer(error) from error

    async def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {await self._endpoint.token()}"}

    def _no_answer(self, error: httpx2.TransportError) -> ConnectionFailed:
        return ConnectionFailed(f"No answer from {self._endpoint.url}: {str(error) or type(error).__name__}.")


async def _form(  # noqa: PLR0917  (what a form is made of)
    boundary: str, field: str, name: str, data: bytes | BinaryIO, media_type: str | None, fields: dict[str, str]
) -> AsyncIterator[bytes]:
    """A form of several parts, its file last and read piece by piece."""
    for key, text in fields.items():
        yield f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n'.encode()
    called = name.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", " ")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{called}"\r\n'
    kind = f"Content-Type: {media_type}\r\n" if media_type else ""
    yield f"{head}{kind}\r\n".encode()
    if isinstance(data, bytes):
        yield data
    else:
        while piece := await asyncio.to_thread(data.read, _PIECE_BYTES):
            yield piece
    yield f"\r\n--{boundary}--\r\n".encode()


def part(text: str) -> str:
    """Quote an id for use as one part of a path."""
    return quote(text, safe="")


def _is_passing(error: StepgateError) -> bool:
    """The same call may succeed in a moment: also one whose first try is still being carried out."""
    return error.temporary or (isinstance(error, RequestRefused) and error.type == _IN_FLIGHT)


def _read(response: httpx2.Response, result: type[T]) -> T:
    if response.status_code != httpx2.codes.OK:
        raise error_of(response.status_code, response.content, response.headers.get("Retry-After"))
    try:
        return msgspec.json.decode(response.content, type=result)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ProtocolError(f"The server's answer cannot be read: {error}.") from error
