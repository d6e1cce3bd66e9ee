"""Requests of steps against real servers: what is not to be reached is not, and whatever goes wrong is said clearly."""

import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.errors import StepError, StepTimedOut
from app.steps.addresses import AddressGuard
from app.steps.http import MAX_REDIRECTS, MAX_RESPONSE_BYTES, HttpClient, trust
from app.steps.outgoing import Outgoing, Reply
from tests.steps.counterparts import (
    Authority,
    Counterpart,
    Handler,
    Received,
    Wire,
    answer,
    counterpart,
    hang_up,
    saying,
    silent,
)
from tests.support import deadline, free_port

pytestmark = pytest.mark.anyio

LOOPBACK_ONLY = AddressGuard(["127.0.0.0/8"])
DEFAULT_TLS = trust()


@pytest.fixture
async def site() -> AsyncIterator[Counterpart]:
    async with counterpart() as started:
        yield started


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@asynccontextmanager
async def client_with(
    guard: AddressGuard = LOOPBACK_ONLY,
    *,
    tls: ssl.SSLContext | None = None,
    names: dict[str, list[str]] | None = None,
) -> AsyncIterator[HttpClient]:
    """A client; ``names`` are the only hosts that have addresses for it, beside addresses themselves."""

    def resolve(host: str, port: int) -> list[str]:
        return (names or {}).get(host, [host])

    client = HttpClient(guard, tls=tls or DEFAULT_TLS, resolve=resolve)
    try:
        yield client
    finally:
        await client.close()


async def get(client: HttpClient, url: str, *, timeout_s: float | None = None, **members: object) -> Reply:
    return await client.send(Outgoing("GET", url, **members), timeout_s=timeout_s or deadline(3))  # type: ignore[arg-type]


async def failure(client: HttpClient, url: str, *, timeout_s: float | None = None) -> StepError:
    with pytest.raises(StepError) as caught:
        await get(client, url, timeout_s=timeout_s)
    return caught.value


# ---------------------------------------------------------------- what arrives


async def test_a_request_arrives_as_it_was_given_and_its_answer_comes_back(site: Counterpart) -> None:
    url = site.on("/things", answer(201, "made", content_type="Text/Plain; charset=utf-8", x_count="3"))
    async with client_with() as client:
        request = Outgoing("POST", f"{url}?a=1&b=%20", (("X-Key", "ü"), ("Content-Type", "text/css")), "böse".encode())
        reply = await client.send(request, timeout_s=deadline(3))
    assert (reply.status, reply.body, reply.media_type, reply.header("x-count")) == (201, b"made", "text/plain", "3")
    (received,) = site.requests
    assert (received.method, received.target, received.body) == ("POST", "/things?a=1&b=%20", "böse".encode())
    wanted = {"host": f"127.0.0.1:{site.port}", "content-type": "text/css", "user-agent": "stepgate", "accept": "*/*"}
    assert wanted.items() <= received.headers.items()


async def test_no_cookie_and_no_connection_is_kept_from_one_request_to_the_next(site: Counterpart) -> None:
    url = site.on("/login", answer(200, set_cookie="session=1"))
    async with client_with() as client:
        for _ in range(2):
            await get(client, url)
    assert [(r.headers.get("cookie"), r.headers["connection"]) for r in site.requests] == [(None, "close")] * 2


async def test_a_packed_answer_is_unpacked(site: Counterpart) -> None:
    url = site.on("/", answer(200, gzip.compress(b"x" * 1000), content_encoding="gzip"))
    async with client_with() as client:
        assert (await get(client, url)).body == b"x" * 1000


async def test_a_proxy_of_the_environment_is_not_used(site: Counterpart, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    url = site.on("/", answer(200, "direct"))
    async with client_with() as client:
        assert (await get(client, url)).body == b"direct"


# ---------------------------------------------------------------- what must not be reached


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "[::1]", "0"]
)
async def test_an_address_of_this_machine_is_refused_however_it_is_written(site: Counterpart, host: str) -> None:
    """The system's own resolver reads these; the guard sees what it makes of them."""
    client = HttpClient(AddressGuard(), tls=DEFAULT_TLS)
    error = await failure(client, f"http://{host}:{site.port}/")
    await client.close()
    assert error.name == "ADDRESS_REFUSED"
    assert "STEPGATE_ALLOW_PRIVATE_ADDRESSES" in str(error)
    assert site.requests == []


async def test_a_name_that_resolves_to_a_private_address_is_refused(site: Counterpart) -> None:
    async with client_with(AddressGuard(), names={"rebound.example": ["127.0.0.1"]}) as client:
        error = await failure(client, f"http://rebound.example:{site.port}/")
    assert (error.name, site.requests) == ("ADDRESS_REFUSED", [])
    assert "127.0.0.1" not in str(error), "the author of a diagram learns nothing about the operator's network"


async def test_of_several_addresses_only_the_admitted_ones_are_tried_and_the_next_when_one_does_not_answer(
    site: Counterpart,
) -> None:
    url = site.on("/", answer(200, "reached"))
    dead = "127.99.99.99"
    guard = AddressGuard(["127.99.99.99", "127.0.0.1"])
    async with client_with(guard, names={"several.example": ["127.0.0.2", dead, "127.0.0.1"]}) as client:
        assert (await get(client, url.replace("127.0.0.1", "several.example"))).body == b"reached"
    async with client_with(guard, names={"several.example": ["127.0.0.2", "10.0.0.1"]}) as client:
        assert (await failure(client, url.replace("127.0.0.1", "several.example"))).name == "ADDRESS_REFUSED"


async def test_a_redirect_to_a_private_address_is_refused_before_it_is_connected_to(site: Counterpart) -> None:
    """The first address is admitted, the second is not: each connection is judged, not each request."""
    async with counterpart(host="127.0.0.2") as inner:
        url = site.on("/", answer(302, location=f"http://127.0.0.2:{inner.port}/secret"))
        async with client_with(AddressGuard(["127.0.0.1"])) as client:
            error = await failure(client, url)
        assert (error.name, inner.requests) == ("ADDRESS_REFUSED", [])


async def test_a_host_that_the_operator_names_may_have_any_address(site: Counterpart) -> None:
    url = site.on("/", answer(200, "inside"))
    async with client_with(AddressGuard(["GIS.internal"]), names={"gis.internal": ["127.0.0.1"]}) as client:
        assert (await get(client, url.replace("127.0.0.1", "gis.internal"))).body == b"inside"
        assert (await failure(client, url)).name == "ADDRESS_REFUSED"


# ---------------------------------------------------------------- redirects


async def test_a_redirect_within_the_origin_keeps_the_headers_and_counts_from_where_it_leads(site: Counterpart) -> None:
    site.on("/b/target", answer(200, "there"))
    url = site.on("/a", answer(307, location="b/target?x=1"))
    async with client_with() as client:
        request = Outgoing("POST", url, (("Authorization", "Bearer t"), ("X-Key", "k")), b"body")
        reply = await client.send(request, timeout_s=deadline(3))
    assert (reply.body, reply.url) == (b"there", f"{site.url}/b/target?x=1")
    second = site.requests[1]
    assert (second.method, second.body, second.headers["authorization"], second.headers["x-key"]) == (
        "POST",
        b"body",
        "Bearer t",
        "k",
    )


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("PUT", 302, "PUT"),
        ("PUT", 303, "GET"),
        ("HEAD", 303, "HEAD"),
        ("DELETE", 308, "DELETE"),
    ],
)
async def test_a_redirect_changes_the_method_as_the_standard_says(
    site: Counterpart, method: str, status: int, then: str
) -> None:
    site.on("/b", answer(200))
    url = site.on("/a", answer(status, location="/b"))
    async with client_with() as client:
        await client.send(Outgoing(method, url, (("Content-Type", "text/css"),)), timeout_s=deadline(3))
    second = site.requests[1]
    assert second.method == then
    assert ("content-type" in second.headers) == (then == method)


async def test_across_origins_nothing_that_may_be_a_credential_is_carried_along(site: Counterpart) -> None:
    async with counterpart() as other:
        target = other.on("/", answer(200, "other"))
        url = site.on("/", answer(307, location=target))
        headers = (("Authorization", "Basic eA=="), ("X-Key", "k"), ("Cookie", "c=1"), ("Idempotency-Key", "run"))
        async with client_with() as client:
            await client.send(Outgoing("POST", url, headers, b"body"), timeout_s=deadline(3))
        kept = other.requests[0].headers
        assert not {"authorization", "x-key", "cookie"} & kept.keys()
        assert kept["idempotency-key"] == "run"


@pytest.mark.parametrize(
    "location", ["", "ftp://example.org/", "http://", "//user:secret@example.org/", "http://exa mple/", "http://[::1"]
)
async def test_a_redirect_to_what_is_no_address_fails(site: Counterpart, location: str) -> None:
    url = site.on("/", answer(302, location=location) if location else answer(302))
    async with client_with() as client:
        error = await failure(client, url)
    assert error.name in {"REDIRECT_REFUSED", "INVALID_REQUEST"}
    assert "secret" not in str(error)


async def test_a_redirect_without_end_fails(site: Counterpart) -> None:
    url = site.on("/", answer(302, location="/"))
    async with client_with() as client:
        assert (await failure(client, url)).name == "REDIRECT_REFUSED"
    assert len(site.requests) == MAX_REDIRECTS + 1


async def test_a_redirect_from_https_to_http_is_refused(site: Counterpart, authority: Authority) -> None:
    async with counterpart(authority.server_tls("127.0.0.1")) as safe:
        url = safe.on("/", answer(302, location=site.on("/", answer(200))))
        async with client_with(tls=trust(authority.file)) as client:
            assert (await failure(client, url)).name == "REDIRECT_REFUSED"
    assert site.requests == []


# ---------------------------------------------------------------- certificates


async def test_tls_names_the_host_although_an_address_is_connected_to(authority: Authority) -> None:
    tls, asked_for = authority.server_tls("gis.example"), []

    def note(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        asked_for.append(name)

    tls.sni_callback = note
    async with counterpart(tls) as safe:
        safe.on("/", answer(200, "safe"))
        async with client_with(tls=trust(authority.file), names={"gis.example": ["127.0.0.1"]}) as client:
            assert (await get(client, f"https://gis.example:{safe.port}/")).body == b"safe"
    assert asked_for == ["gis.example"]


@pytest.mark.parametrize(
    ("names", "days", "trusts", "said"),
    [
        (["127.0.0.1"], 2, False, "unable to get local issuer certificate"),
        (["127.0.0.1"], -1, True, "certificate has expired"),
        (["other.example"], 2, True, "not valid for '127.0.0.1'"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_refused(
    authority: Authority, names: list[str], days: int, trusts: bool, said: str
) -> None:
    async with counterpart(authority.server_tls(*names, days=days)) as unsafe:
        url = unsafe.on("/", answer(200))
        async with client_with(tls=trust(authority.file) if trusts else DEFAULT_TLS) as client:
            error = await failure(client, url)
        assert (error.name, unsafe.requests) == ("CERTIFICATE_REFUSED", [])
        assert said in str(error)


async def test_https_to_a_server_that_does_not_speak_tls_fails() -> None:
    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(400))
        writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as plain, client_with() as client:
        error = await failure(client, f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}/")
    assert error.name == "CERTIFICATE_REFUSED"


# ---------------------------------------------------------------- servers that fail


BOMB = gzip.compress(bytes(MAX_RESPONSE_BYTES + 1))
PACKED = zlib.compressobj(0, zlib.DEFLATED, 31)
EMPTY_BLOCKS = PACKED.compress(b"") + PACKED.flush(zlib.Z_FULL_FLUSH) + b"\0\0\0\xff\xff" * 2_100_000
"""More than 10 MB which unpack to nothing."""


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (hang_up, "CONNECTION_FAILED"),
        (saying(b""), "CONNECTION_FAILED"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Le"), "CONNECTION_FAILED"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), "BROKEN_RESPONSE"),
        (saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), "BROKEN_RESPONSE"),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "BROKEN_RESPONSE"),
        (saying(answer(200, b"not packed", content_encoding="gzip")), "BROKEN_RESPONSE"),
        (saying(answer(200, bytes(MAX_RESPONSE_BYTES + 1))), "RESPONSE_TOO_LARGE"),
        (saying(answer(200, BOMB, content_encoding="gzip")), "RESPONSE_TOO_LARGE"),
        (saying(answer(200, EMPTY_BLOCKS, content_encoding="gzip")), "RESPONSE_TOO_LARGE"),
    ],
    ids=["reset", "nothing", "half head", "half body", "half chunks", "no http", "no gzip", "huge", "bomb", "hollow"],
)
async def test_a_broken_answer_is_a_clear_failure_and_the_next_request_works(
    site: Counterpart, handler: Handler, code: str
) -> None:
    url, fine = site.on("/broken", handler), site.on("/fine", answer(200))
    async with client_with() as client:
        error = await failure(client, url)
        assert error.name == code
        assert site.url in str(error)
        assert "/broken" not in str(error)
        assert (await get(client, fine)).status == 200


async def test_the_largest_allowed_answer_is_taken(site: Counterpart) -> None:
    url = site.on("/", answer(200, bytes(MAX_RESPONSE_BYTES)))
    async with client_with() as client:
        assert len((await get(client, url)).body) == MAX_RESPONSE_BYTES


async def drip(_: Received, wire: Wire) -> None:
    """An answer whose every byte comes in time and which never ends."""
    await wire.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await wire.say(b"1\r\nx\r\n")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("handler", [silent, drip])
async def test_the_whole_answer_has_one_deadline(site: Counterpart, handler: Handler) -> None:
    url = site.on("/", handler)
    async with client_with() as client:
        error = await failure(client, url, timeout_s=0.1)
    assert (type(error), error.name) == (StepTimedOut, "REQUEST_TIMED_OUT")


async def test_a_server_that_nobody_runs_is_a_clear_failure() -> None:
    async with client_with() as client:
        error = await failure(client, f"http://127.0.0.1:{free_port()}/")
    assert error.name == "CONNECTION_FAILED"
    assert "refused" in str(error)


async def test_a_name_without_an_address_is_a_clear_failure() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    client = HttpClient(AddressGuard(), tls=DEFAULT_TLS, resolve=unknown)
    error = await failure(client, "http://nowhere.example/")
    await client.close()
    assert error.name == "HOST_NOT_FOUND"
    assert "Name or service not known" in str(error)


# ---------------------------------------------------------------- requests that cannot be sent


@pytest.mark.parametrize(
    "url",
    ["", "things", "ftp://example.org/", "http:///x", "http://u:secret@example.org/", "http://a b/", "http://[x/"],
)
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    async with client_with() as client:
        error = await failure(client, url)
    assert error.name == "INVALID_REQUEST"
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "header", [("Host", "x"), ("content-length", "1"), ("X-Bad", "a\r\nX-More: b"), ("a b", "c"), ("Ü", "c"), ("", "c")]
)
async def test_a_header_that_would_break_the_request_is_refused(site: Counterpart, header: tuple[str, str]) -> None:
    url = site.on("/", answer(200))
    async with client_with() as client:
        with pytest.raises(StepError) as caught:
            await client.send(Outgoing("GET", url, (header,)), timeout_s=deadline(1))
    assert (caught.value.name, site.requests) == ("INVALID_REQUEST", [])


async def test_a_request_that_is_cancelled_ends_its_connection(site: Counterpart) -> None:
    closed = asyncio.Event()

    async def wait(_: Received, wire: Wire) -> None:
        await wire.until_left()
        closed.set()

    url = site.on("/", wait)
    async with client_with() as client:
        task = asyncio.create_task(get(client, url))
        await site.until(lambda: bool(site.requests))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.wait_for(closed.wait(), deadline(1))
    assert task.cancelled()


def test_a_file_without_certificates_is_refused_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "authorities.pem").write_text("nothing of the kind")
    with pytest.raises(OSError, match=r"(?i)certificate"):
        trust(tmp_path / "authorities.pem")
    with pytest.raises(FileNotFoundError):
        trust(tmp_path / "missing.pem")
