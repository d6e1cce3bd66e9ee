"""Where a request or websocket carries its token."""

from urllib.parse import unquote

from starlette.requests import HTTPConnection

_HEADERS = (b"x-esri-authorization", b"authorization")


def token_of(connection: HTTPConnection) -> str | None:
    """The bearer token, or None: ``X-Esri-Authorization`` first, then ``Authorization``, then ``?token=``.

    Proxies in front of older clients drop the headers, so the query parameter counts as well; clients append it as it
    is, so it is taken raw: a ``+`` in it stays a plus (websocket.md 1.2).
    """
    return header_token(connection) or query_token(connection.scope.get("query_string", b""))


def header_token(connection: HTTPConnection) -> str | None:
    """The bearer token of the headers alone."""
    headers: list[tuple[bytes, bytes]] = connection.scope["headers"]
    carried = {name: value for name, value in headers if name in _HEADERS}
    for name in _HEADERS:
        scheme, _, token = carried.get(name, b"").partition(b" ")
        if scheme.lower() == b"bearer" and token.strip():
            return token.strip().decode("latin-1")
    return None


def query_token(query: bytes) -> str | None:
    """The first ``token`` of a raw query string, with ``%XX`` undone and nothing else."""
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == b"token" and value:
            return unquote(value.decode("latin-1"), errors="replace")
    return None
