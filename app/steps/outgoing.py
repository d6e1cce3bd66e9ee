"""A request that a step makes, and the answer to it: how one is put on the wire, and where a redirect leads. Pure."""

from dataclasses import dataclass, replace
from typing import Final

import httpx2

from app.errors import StepFailed
from app.protocol.codes import MsgCode

_CARRIED_ANYWHERE: Final = frozenset({"accept", "accept-language", "content-type", "idempotency-key", "user-agent"})
"""Headers that follow a redirect to another origin. Any other may be a credential, whatever its name."""

OWN_HEADERS: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of the connection, which are this module's business; a step cannot set them."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request of a step. ``headers`` may hold credentials: nothing of them, of the query or the body is ever logged
    or part of an error."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whole and unpacked. ``url`` is where it came from, after redirects; header names in lower case."""

    status: int
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def media_type(self) -> str:
        """The type without its parameters, in lower case; ``""`` when the server names none."""
        return self.header("content-type").partition(";")[0].strip().lower()

    def header(self, name: str) -> str:
        """The first header of this lower-case name; ``""`` without one."""
        return next((value for known, value in self.headers if known == name), "")


def origin_of(url: str) -> str:
    """Scheme, host and port: all that messages show of an address, since the rest may hold secrets.

    Raises StepFailed for what no request can be sent to.
    """
    parsed = _parsed(url)
    port = f":{parsed.port}" if parsed.port is not None else ""
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    return f"{parsed.scheme}://{host}{port}"


def host_of(url: str) -> str:
    """The host that a request goes to, in one form for one host. Raises as ``origin_of``."""
    return _parsed(url).host.lower().rstrip(".")


def redirected(request: Outgoing, reply: Reply) -> Outgoing:
    """The request to send after a redirect (RFC 9110 15.4).

    Across origins nothing that may be a credential is carried along. Raises StepFailed when it is not to be followed.
    """
    here, location = origin_of(request.url), reply.header("location")
    if not location:
        raise StepFailed(f"{here} redirects, and does not say where to.", name=MsgCode.REDIRECT_REFUSED)
    try:
        url = str(httpx2.URL(request.url).join(location).copy_with(fragment=None))
    except httpx2.InvalidURL as error:
        raise StepFailed(f"{here} redirects to what is no address.", name=MsgCode.REDIRECT_REFUSED) from error
    there = origin_of(url)
    if here.startswith("https:") and not there.startswith("https:"):
        text = f"{here} redirects to {there}, which is not protected by TLS."
        raise StepFailed(text, name=MsgCode.REDIRECT_REFUSED)
    follow_up = replace(request, url=url)
    if _becomes_get(request.method, reply.status):
        kept = tuple(pair for pair in request.headers if not pair[0].lower().startswith("content-"))
        follow_up = replace(follow_up, method="GET", headers=kept, body=b"")
    if here != there:
        kept = tuple(pair for pair in follow_up.headers if pair[0].lower() in _CARRIED_ANYWHERE)
        follow_up = replace(follow_up, headers=kept)
    return follow_up


def _becomes_get(method: str, status: int) -> bool:
    if status == 303:
        return method != "HEAD"
    return status in {301, 302} and method == "POST"


def _parsed(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise invalid_request("the url is no address") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host or "%" in parsed.host:
        raise invalid_request("the url must begin with http:// or https:// and name a host")
    if parsed.userinfo:
        raise invalid_request("the url holds a user name; credentials belong to the step's authentication")
    return parsed


def prepared(request: Outgoing) -> httpx2.Request:
    """The request with the headers that the connection needs."""
    own = {"accept": "*/*", "user-agent": "stepgate"}
    given = [(name, value) for name, value in own.items() if not _has(request, name)]
    fixed = [("Accept-Encoding", "gzip, deflate"), ("Connection", "close")]
    try:
        headers = [(n.encode("ascii"), v.encode()) for n, v in (*given, *request.headers, *fixed)]
    except UnicodeEncodeError as error:
        raise invalid_request("a header's name has a letter that is not ASCII") from error
    for name, _ in request.headers:
        if name.lower() in OWN_HEADERS:
            raise invalid_request(f"the header {name} is the connection's own and cannot be set")
    content = request.body if request.body or request.method in {"POST", "PUT", "PATCH"} else None
    return httpx2.Request(request.method, _parsed(request.url), headers=headers, content=content)


def _has(request: Outgoing, name: str) -> bool:
    return any(known.lower() == name for known, _ in request.headers)


def invalid_request(fault: str) -> StepFailed:
    """The error of a request that cannot be made of what it was given; ``fault`` shows nothing that may be secret."""
    return StepFailed(f"The request cannot be sent: {fault}.", name=MsgCode.INVALID_REQUEST)
