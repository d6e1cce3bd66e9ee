"""A TCP proxy without sticky connections, as it stands before several nodes."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

from tests.support.ports import LOOPBACK

_PIECE = 64 * 1024


class TcpProxy:
    """Passes each connection on to the next node in turn; to one after it when that does not accept.

    It knows nothing of HTTP. An asynchronous context manager, of the event loop that its clients run on or another.

    While ``is_mute`` is set, connections stay open, new ones are accepted and nodes hear what is said to them; what
    they say is lost: the peer that lives and never answers.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        """Name the nodes by their ports on 127.0.0.1."""
        self.is_mute = False
        self._ports = list(ports)
        self._links: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where it listens, once it is open."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, once it is open."""
        return f"http://{LOOPBACK}:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, LOOPBACK)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.create_task(self._link(reader, writer), name="proxy link")
        self._links.add(link)
        link.add_done_callback(self._links.discard)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until both ends have said all, or one breaks (or nobody accepts): then both are closed."""
        ends = [writer]
        try:
            near, far = await self._connect()
            ends.append(far)
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass_on(reader, far), name="proxy there")
                both.create_task(_pass_on(near, writer, lambda: self.is_mute), name="proxy back")
        except* OSError:
            pass
        finally:
            for end in ends:
                end.close()
            for end in ends:
                with suppress(OSError):
                    await end.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises OSError when no node accepts."""
        self._ports.append(self._ports.pop(0))
        for port in self._ports[:-1]:
            with suppress(OSError):
                return await asyncio.open_connection(LOOPBACK, port)
        return await asyncio.open_connection(LOOPBACK, self._ports[-1])


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_mute: Callable[[], bool] = lambda: False
) -> None:
    while piece := await reader.read(_PIECE):
        if not is_mute():
            writer.write(piece)
            await writer.drain()
    writer.write_eof()
