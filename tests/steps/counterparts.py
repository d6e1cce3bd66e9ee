"""Real HTTP and HTTPS servers that steps speak to: each answers as its test says, also wrongly, late or not at all."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support import deadline
from tests.support.peers import peer
from tests.support.ports import LOOPBACK


@dataclass(frozen=True)
class Received:
    """A request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def form(self) -> dict[str, str]:
        """The parameters of the query and of a form body; the last one of a name counts."""
        pairs = {**parse_qs(urlsplit(self.target).query, keep_blank_values=True)}
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            pairs |= parse_qs(self.body.decode(), keep_blank_values=True)
        return {name: values[-1] for name, values in pairs.items()}


@dataclass(frozen=True)
class Wire:
    """The connection on which a request came."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, said: bytes) -> None:
        self.writer.write(said)
        await self.writer.drain()

    async def until_left(self) -> None:
        """Wait until the other side ends the connection."""
        while await self.reader.read(1024):
            pass


Handler = Callable[[Received, Wire], Awaitable[None]]


@dataclass
class Counterpart:
    """A server on 127.0.0.1. ``requests`` has what it was asked, ``on`` says what it answers; anything else is 404."""

    port: int = 0
    scheme: str = "http"
    requests: list[Received] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{LOOPBACK}:{self.port}"

    def on(self, path: str, handler: Handler | bytes) -> str:
        """Answer requests of this path; returns the whole address."""
        self.handlers[path] = handler if not isinstance(handler, bytes) else saying(handler)
        return self.url + path

    async def until(self, condition: Callable[[], bool], seconds: float = 1) -> None:
        """Wait until it holds; looked at again with each request."""
        async with asyncio.timeout(deadline(seconds)):
            while not condition():
                self._heard.clear()
                await self._heard.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request, one answer."""
        try:
            if self.tls is not None:  # not by the listening socket: the loop would report a client that refuses
                await writer.start_tls(self.tls)
            received = await _receive(reader)
            self.requests.append(received)
            self._heard.set()
            await self.handlers.get(received.path, saying(answer(404)))(received, Wire(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()


def answer(status: int = 200, body: bytes | str = b"", **headers: str) -> bytes:
    """An answer on the wire; ``content_type="text/plain"`` becomes ``Content-Type: text/plain``."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(data)}"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + data


def json_answer(body: str, status: int = 200) -> bytes:
    return answer(status, body, content_type="application/json")


def saying(said: bytes) -> Handler:
    """Always the same answer."""

    async def handle(_: Received, wire: Wire) -> None:
        await wire.say(said)

    return handle


def saying_in_turn(*said: bytes) -> Handler:
    """One answer after the other; the last one is repeated."""
    left = list(said)

    async def handle(_: Received, wire: Wire) -> None:
        await wire.say(left.pop(0) if len(left) > 1 else left[0])

    return handle


async def hang_up(_: Received, wire: Wire) -> None:
    """End the connection in the middle of everything."""
    wire.writer.transport.abort()


async def silent(_: Received, wire: Wire) -> None:
    """Never answer; end when the other side does."""
    await wire.until_left()


async def _receive(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, target, headers, body)


@asynccontextmanager
async def counterpart(tls: ssl.SSLContext | None = None, host: str = LOOPBACK) -> AsyncIterator[Counterpart]:
    """A server that runs within the block."""
    found = Counterpart(scheme="https" if tls else "http", tls=tls)
    async with peer(found.serve, host) as found.port:
        yield found


@dataclass(frozen=True)
class Authority:
    """Makes certificates; ``file`` is its own, which a client trusts or does not."""

    folder: Path
    file: Path
    _key: ec.EllipticCurvePrivateKey
    _certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
        builder = _builder(name, name, key, days=2)
        made = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, SHA256())
        file = folder / "authority.pem"
        file.write_bytes(made.public_bytes(Encoding.PEM))
        return cls(folder, file, key, made)

    def server_tls(self, *names: str, days: int = 2) -> ssl.SSLContext:
        """A server's side of TLS under these names. ``days`` below zero: it has run out."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A counterpart")])
        builder = _builder(subject, self._certificate.subject, key, days)
        alternative = x509.SubjectAlternativeName([_general_name(name) for name in names])
        made = builder.add_extension(alternative, critical=False).sign(self._key, SHA256())
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = self.folder / f"server-{made.serial_number}.pem"
        file.write_bytes(secret + made.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
