"""Mail servers that steps hand e-mails to: a real one (aiosmtpd), and one that says what its test wants, or nothing."""

import asyncio
import email
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support import deadline
from tests.support.peers import peer
from tests.support.ports import LOOPBACK

USER, PASSWORD = "stepgate", "hunter2"


@dataclass
class PostOffice:
    """A real mail server's contents and manners.

    ``refused`` are recipients it does not take. While ``is_open`` is not set it keeps recipients waiting; while
    ``answers`` is not set it has whole messages and does not say so.
    """

    port: int = 0
    envelopes: list[Envelope] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0

    def __post_init__(self) -> None:
        self.is_open.set()
        self.answers.set()

    @property
    def messages(self) -> list[EmailMessage]:
        return [email.message_from_bytes(_content(each), policy=default) for each in self.envelopes]

    async def until(self, count: int = 1, *, waiting: int = 0, seconds: float = 1) -> None:
        """Wait until so many messages have come, and so many senders wait to be let in."""
        async with asyncio.timeout(deadline(seconds)):
            while len(self.envelopes) < count or self.waiting < waiting:
                self._heard.clear()
                await self._heard.wait()

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.waiting += 1
        self._heard.set()
        await self.is_open.wait()
        if address in self.refused:
            return "550 5.1.1 Nobody of this name\twas ever here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        self._heard.set()
        await self.answers.wait()
        return "250 Taken"


def _content(envelope: Envelope) -> bytes:
    assert isinstance(envelope.content, bytes)
    return envelope.content


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)


@asynccontextmanager
async def post_office(
    protocol: str = "None", tls: ssl.SSLContext | None = None, *, login: bool = False
) -> AsyncIterator[PostOffice]:
    """A mail server that runs within the block; with ``login`` it takes nothing from strangers."""
    starttls, at_once = (tls, None) if protocol == "STARTTLS" else (None, tls)
    office = PostOffice()
    loop = asyncio.get_running_loop()
    connections: set[SMTP] = set()

    def connected() -> SMTP:
        made = SMTP(
            office,
            hostname="post.example",
            tls_context=starttls,
            authenticator=_authenticate,
            auth_required=login,
            auth_require_tls=login,
            loop=loop,
        )
        connections.add(made)
        return made

    previous = loop.get_exception_handler()

    def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A client that does not like a certificate is no fault of the server's."""
        if not isinstance(context.get("exception"), ssl.SSLError):
            (previous or asyncio.AbstractEventLoop.default_exception_handler)(loop, context)

    loop.set_exception_handler(report)
    server = await loop.create_server(connected, LOOPBACK, 0, ssl=at_once)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        for each in connections:
            if each.transport is not None:
                each.transport.close()
        loop.set_exception_handler(previous)


SILENT = None
"""Says nothing, and waits until the other side leaves."""

_USUAL: Mapping[str, bytes] = {
    "greeting": b"220 mail.example\r\n",
    "EHLO": b"250-mail.example\r\n250 SIZE 10000000\r\n",
    "MAIL": b"250 OK\r\n",
    "RCPT": b"250 OK\r\n",
    "DATA": b"354 Go on\r\n",
    ".": b"250 Taken\r\n",
    "QUIT": b"221 Bye\r\n",
}


@dataclass
class OddServer:
    """A mail server that answers as usual but for what ``says`` has for a command: other bytes, or ``SILENT``.

    After bytes that do not end a line it hangs up. ``heard`` are the commands, ``messages`` the whole messages.
    """

    says: dict[str, bytes | None] = field(default_factory=dict)
    port: int = 0
    heard: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._say("greeting", reader, writer)
            while line := await reader.readline():
                verb = line.decode(errors="replace")[:4].strip().upper()
                self.heard.append(line.decode(errors="replace").strip())
                await self._say(verb, reader, writer)
                if verb == "DATA" and "DATA" not in self.says:
                    self.messages.append(await reader.readuntil(b"\r\n.\r\n"))
                    await self._say(".", reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _say(self, verb: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = self.says.get(verb, _USUAL.get(verb, b"502 No\r\n"))
        if said is SILENT:
            while await reader.read(1024):
                pass
            raise ConnectionResetError
        writer.write(said)
        await writer.drain()
        if not said.endswith(b"\r\n"):
            raise ConnectionResetError


@asynccontextmanager
async def odd_server(**says: bytes | None) -> AsyncIterator[OddServer]:
    """An odd mail server that runs within the block; ``dot`` stands for the end of a message."""
    found = OddServer({"." if verb == "dot" else verb: said for verb, said in says.items()})
    async with peer(found.serve) as found.port:
        yield found
