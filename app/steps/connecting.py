"""Connections that a step makes: the name is resolved here, each address is judged, and that very address connected to.

A check before the request would not do: a name may resolve to another address a moment later. TLS still names the
host that was asked for, in SNI and in the check of the certificate.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import httpcore2

from app.errors import StepFailed
from app.protocol.codes import MsgCode
from app.steps.addresses import AddressGuard

CONNECT_S = 10.0
"""So long one address is tried before the next one is."""

_THREADS = 4
"""Threads that resolve names. They are not those of the event loop: a name server that is slow delays nobody else."""

Resolve = Callable[[str, int], list[str]]
"""Host and port to addresses, in the order in which they are to be tried; may block. Raises OSError."""


def system_resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver, as any program does."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Opens TCP connections for the HTTP library, to addresses that the guard admits and to no other."""

    def __init__(self, guard: AddressGuard, resolve: Resolve = system_resolve) -> None:
        self._guard = guard
        self._resolve = resolve
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolve")
        self._network = httpcore2.AnyIOBackend()

    def close(self) -> None:
        """Resolve no more; a thread that still waits for a name server is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is the library's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first admitted address that answers.

        Raises:
            StepFailed: the name has no address, or none that is admitted.
            httpcore2.ConnectError, httpcore2.ConnectTimeout: of the last address that was tried.
        """
        *others, last = await self._admitted(host, port)
        for address in others:
            try:
                return await self._network.connect_tcp(address, port, CONNECT_S, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._network.connect_tcp(last, port, timeout or CONNECT_S, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _admitted(self, host: str, port: int) -> list[str]:
        try:
            addresses = await asyncio.get_running_loop().run_in_executor(self._threads, self._resolve, host, port)
        except (OSError, UnicodeError) as error:
            text = f"The host {host!r} is not known: {_reason(error)}."
            raise StepFailed(text, name=MsgCode.HOST_NOT_FOUND) from error
        admitted = [address for address in addresses if self._guard.admits(host, address)]
        if not admitted:
            raise StepFailed(
                f"The host {host!r} has no public address, and steps may not connect to any other. The server's "
                "operator can allow it with STEPGATE_ALLOW_PRIVATE_ADDRESSES.",
                name=MsgCode.ADDRESS_REFUSED,
            )
        return admitted


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
