"""HTTP requests that steps make: guarded addresses, limited answers, a deadline, and errors that say what happened.

A request uses its own connection, which ends with it: each is judged anew, none carries cookies or a connection's state
from one job to another, and none is found dead when it is used again. No proxy is taken from the environment: behind
one, the address connected to would be the proxy's, and the guard would guard nothing.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Final

import httpcore2
import httpx2

from app.errors import StepError, StepFailed, StepTimedOut
from app.protocol.codes import MsgCode
from app.steps.addresses import AddressGuard
from app.steps.connecting import GuardedBackend, Resolve, system_resolve
from app.steps.outgoing import Outgoing, Reply, invalid_request, origin_of, prepared, redirected

MAX_RESPONSE_BYTES: Final = 10_000_000
"""Of an answer's body, as it is sent and as it is unpacked."""

MAX_REDIRECTS: Final = 5

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


_NO_ANSWER: Final = "without sending a response"
"""The library's words for a connection that ended before an answer began."""


def trust(authorities: Path | None = None) -> ssl.SSLContext:
    """TLS for requests: the system's certificate authorities are trusted, and those of a PEM file beside them.

    Reading them takes a quarter of a second. Raises OSError (also ``ssl.SSLError``) when the file holds none.
    """
    context = httpcore2.default_ssl_context(_trust_env=False)
    if authorities is not None:
        context.load_verify_locations(authorities)
    return context


class HttpClient:
    """Sends requests of steps. One for each process; ``close`` it at the end.

    Args:
        tls: whose certificates are trusted; see ``trust``.
        resolve: names to addresses; blocking, called in a thread.
    """

    def __init__(self, guard: AddressGuard, *, tls: ssl.SSLContext, resolve: Resolve = system_resolve) -> None:
        self._backend = GuardedBackend(guard, resolve)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=None,
            max_keepalive_connections=0,
            network_backend=self._backend,
        )

    async def close(self) -> None:
        await self._pool.aclose()
        self._backend.close()

    async def send(self, request: Outgoing, *, timeout_s: float) -> Reply:
        """Send a request, follow redirects, and return the answer, whatever its status.

        Args:
            timeout_s: for all of it: names, connections, redirects, the whole body.

        Raises:
            StepFailed, StepTimedOut: with a ``msgCode`` of docs/protocol.md. Whether the other side has done what it
                was asked is not known then, unless no connection was made.
        """
        place = origin_of(request.url)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._follow(request)
        except TimeoutError as error:
            text = f"{place} has not answered completely within {timeout_s:g} s."
            raise StepTimedOut(text, name=MsgCode.REQUEST_TIMED_OUT) from error

    async def _follow(self, request: Outgoing) -> Reply:
        for _ in range(MAX_REDIRECTS + 1):
            reply = await self._exchange(request)
            if reply.status not in _REDIRECTS:
                return reply
            request = redirected(request, reply)
        text = f"{origin_of(request.url)} redirects more than {MAX_REDIRECTS} times."
        raise StepFailed(text, name=MsgCode.REDIRECT_REFUSED)

    async def _exchange(self, request: Outgoing) -> Reply:
        """One request, one answer."""
        place, made = origin_of(request.url), prepared(request)
        url = made.url
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        has_begun = False
        try:
            async with self._pool.stream(
                made.method, target, headers=made.headers.raw, content=request.body or None
            ) as answer:
                has_begun = True
                return await _read(answer, str(url), place)
        except StepError:
            raise
        except httpcore2.LocalProtocolError as error:
            raise invalid_request(str(error)) from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            raise _failure(place, error, has_begun=has_begun) from error
        except httpx2.DecodingError as error:
            text = f"The answer of {place} cannot be unpacked."
            raise StepFailed(text, name=MsgCode.BROKEN_RESPONSE) from error


async def _read(answer: httpcore2.Response, url: str, place: str) -> Reply:
    """Read the body while it comes, and no more than may be."""
    limited = _Limited(answer.aiter_stream(), place)
    response = httpx2.Response(answer.status, headers=answer.headers, stream=limited)
    body = bytearray()
    async with aclosing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > MAX_RESPONSE_BYTES:
                raise _too_large(place)
    headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
    return Reply(answer.status, url, headers, bytes(body))


class _Limited(httpx2.AsyncByteStream):
    """A body as it is sent, cut off where it is too long: packed bytes need not unpack to anything."""

    def __init__(self, stream: AsyncGenerator[bytes, None], place: str) -> None:
        self._stream = stream
        self._place = place

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        received = 0
        async with aclosing(self._stream) as chunks:
            async for chunk in chunks:
                received += len(chunk)
                if received > MAX_RESPONSE_BYTES:
                    raise _too_large(self._place)
                yield chunk


def _failure(place: str, error: Exception, *, has_begun: bool) -> StepError:
    """Say what kind of failure of the network it was."""
    origin = _origin(error)
    if isinstance(origin, ssl.SSLError):
        return _tls_failure(place, origin)
    if isinstance(error, httpcore2.ConnectTimeout):
        return StepTimedOut(f"{place} cannot be reached: nothing answers there.", name=MsgCode.CONNECTION_FAILED)
    if isinstance(error, httpcore2.ConnectError):
        why = os.strerror(origin.errno) if isinstance(origin, OSError) and origin.errno else "no connection is made"
        return StepFailed(f"{place} cannot be reached: {why}.", name=MsgCode.CONNECTION_FAILED)
    if has_begun:
        return StepFailed(f"The answer of {place} ended in the middle.", name=MsgCode.BROKEN_RESPONSE)
    if isinstance(error, httpcore2.RemoteProtocolError) and _NO_ANSWER not in str(error):
        return StepFailed(f"What {place} answers is no HTTP.", name=MsgCode.BROKEN_RESPONSE)
    return StepFailed(f"{place} broke the connection off before it answered.", name=MsgCode.CONNECTION_FAILED)


def _tls_failure(place: str, error: ssl.SSLError) -> StepFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"The certificate of {place} is not accepted: {error.verify_message.rstrip('.')}."
    else:
        text = f"No safe connection to {place} can be made: {error.reason or error}."
    return StepFailed(text, name=MsgCode.CERTIFICATE_REFUSED)


def _origin(error: BaseException) -> BaseException:
    """What the operating system or TLS said first: the library wraps it, as its only argument or as the cause."""
    wrapped = error.args[0] if len(error.args) == 1 and isinstance(error.args[0], BaseException) else error.__cause__
    return error if wrapped is None else _origin(wrapped)


def _too_large(place: str) -> StepFailed:
    text = f"The answer of {place} is larger than {MAX_RESPONSE_BYTES // 1_000_000} MB."
    return StepFailed(text, name=MsgCode.RESPONSE_TOO_LARGE)
