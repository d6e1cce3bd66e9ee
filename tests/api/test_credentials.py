"""Where a token is looked for, and how it is taken."""

import pytest
from starlette.requests import HTTPConnection

from app.api.credentials import token_of


def connection(query: bytes = b"", **headers: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw, "query_string": query})


@pytest.mark.parametrize(
    ("found", "token"),
    [
        (connection(), None),
        (connection(b"f=json&token="), None),
        (connection(b"token=a+b%2Fc==&token=second"), "a+b/c=="),
        (connection(b"xtoken=no"), None),
        (connection(authorization="Bearer one"), "one"),
        (connection(authorization="bearer  one "), "one"),
        (connection(authorization="Basic one"), None),
        (connection(authorization="Bearer"), None),
        (connection(authorization="Basic one", query=b"token=q"), "q"),
        (connection(authorization="Bearer one", x_esri_authorization="Bearer two", query=b"token=q"), "two"),
    ],
)
def test_the_first_place_with_a_token_counts(found: HTTPConnection, token: str | None) -> None:
    assert token_of(found) == token
