"""A slash at the end of a path."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from app.api.plain_paths import PlainPaths


async def tell(request: Request) -> PlainTextResponse:
    """The path as it is served, and what came with it."""
    return PlainTextResponse(f"{request.method} {request.url.path} {(await request.body()).decode()}".strip())


async def greet(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.url.path)
    await websocket.close()


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    routes = [
        Mount("/pages", routes=[Route("/{path:path}", tell)]),
        Mount("/{context}/sharing", routes=[Route("/rest", tell)]),
        WebSocketRoute("/{item}/socket", greet),
        Route("/{item}/jobs", tell, methods=["GET", "POST"]),
        Route("/", tell),
    ]
    with TestClient(Starlette(routes=routes, middleware=[Middleware(PlainPaths)]), follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/a/jobs", "/a/jobs/", "/a/jobs//", "/a/jobs/?x=1"])
def test_it_is_as_none_and_the_body_comes_along(client: TestClient, path: str) -> None:
    assert client.get(path).text == "GET /a/jobs"
    assert client.post(path, content=b"body").text == "POST /a/jobs body"


def test_below_a_mounted_router_too(client: TestClient) -> None:
    assert client.get("/a/sharing/rest/").text == "GET /a/sharing/rest"


def test_a_route_that_wants_it_keeps_it(client: TestClient) -> None:
    assert client.get("/pages/").text == "GET /pages/"
    assert client.get("/pages/a/").text == "GET /pages/a/"
    assert client.get("/").text == "GET /"


def test_what_is_not_there_stays_so(client: TestClient) -> None:
    assert client.get("/a/b/c/").status_code == 404
    assert client.delete("/a/jobs/").status_code == 405


def test_a_websocket_opens_with_it(client: TestClient) -> None:
    with client.websocket_connect("/a/socket/") as websocket:
        assert websocket.receive_text() == "/a/socket"
