"""The application object: made without side effects, opened and closed by the server's lifespan."""

import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.state import Gateway
from app.asgi import create_app
from app.bootstrap import DATABASE_FILE, run_gateway
from app.errors import Conflict, StoreUnavailable
from app.settings import Settings
from tests.support import deadline, no_leaks

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Starlette]:
    made = create_app(settings)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gate") as made:
        yield made


async def test_making_the_application_touches_nothing(settings: Settings) -> None:
    create_app(settings)
    assert not settings.data_dir.exists()


def test_importing_it_starts_nothing() -> None:
    """A worker that only imports the application has one thread, no data folder and no logging of ours."""
    words = "import threading, logging, app.asgi; print(threading.active_count(), logging.getLogger().handlers)"
    done = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, timeout=deadline(3), check=True
    )
    assert done.stdout == "1 []\n"


async def test_while_it_runs_its_parts_are_in_its_state(app: Starlette, settings: Settings) -> None:
    gateway = app.state.gateway
    assert isinstance(gateway, Gateway)
    assert gateway.settings is settings
    assert (settings.data_dir / DATABASE_FILE).exists()


async def test_the_password_is_told_once_in_a_databases_life(settings: Settings) -> None:
    told: list[str] = []
    for _ in range(2):
        app = create_app(settings, told.append)
        async with app.router.lifespan_context(app):
            pass
    assert len(told) == 1
    assert len(told[0]) == 16


async def test_starting_and_stopping_leaves_no_task_and_no_descriptor_behind(settings: Settings) -> None:
    async def start_and_stop() -> None:
        async with run_gateway(settings, lambda _: None):
            pass

    await start_and_stop()  # what is loaded once, is loaded now
    async with no_leaks():
        for _ in range(5):
            await start_and_stop()


async def test_a_folder_that_is_served_already_is_refused_and_free_again_after(settings: Settings) -> None:
    async with run_gateway(settings, lambda _: None):
        second = create_app(settings)
        with pytest.raises(Conflict, match="data folder"):
            async with second.router.lifespan_context(second):
                pytest.fail("two servers on one SQLite database")
        assert isinstance(second.state.start_error, Conflict)
    async with second.router.lifespan_context(second):
        assert isinstance(second.state.gateway, Gateway)


async def test_each_answer_carries_the_requests_id(client: httpx2.AsyncClient) -> None:
    first, second = await client.get("/healthz"), await client.get("/healthz")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    given = await client.get("/healthz", headers={"X-Request-ID": "abc.1-2_3"})
    assert given.headers["x-request-id"] == "abc.1-2_3"


@pytest.mark.parametrize("asked", [b"", b"x" * 65, b"a b", "é".encode()])
async def test_an_id_that_could_upset_a_log_is_replaced(client: httpx2.AsyncClient, asked: bytes) -> None:
    answer = await client.get("/healthz", headers={b"X-Request-ID": asked})
    assert answer.headers["x-request-id"].encode() not in {b"", asked}


async def test_readiness_fails_with_a_reason_when_the_store_does(app: Starlette, client: httpx2.AsyncClient) -> None:
    assert (await client.get("/readyz")).status_code == 200
    await app.state.gateway.engine.store.close()
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["error"]["type"] == StoreUnavailable.__name__
    assert (await client.get("/healthz")).json() == {"success": True}


async def test_a_server_that_ends_is_not_ready_but_lives(app: Starlette, client: httpx2.AsyncClient) -> None:
    await app.state.gateway.hub.drain(0)
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["error"]["type"] == "ShuttingDown"
    assert (await client.get("/healthz")).status_code == 200


async def test_a_mistake_of_ours_is_logged_as_500_and_explained_to_nobody(
    app: Starlette, client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: Request) -> Response:
        raise ZeroDivisionError("a detail of the inside")

    app.router.routes.append(Route("/broken/one/two/three", broken))
    with caplog.at_level(logging.INFO, "app.access"):
        answer = await client.get("/broken/one/two/three")
    assert answer.status_code == 500
    assert "inside" not in answer.text
    (line,) = [record for record in caplog.records if record.name == "app.access"]
    assert line.__dict__["fields"]["status"] == 500


async def test_pages_of_allowed_origins_and_no_others_may_use_the_api(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path / "data", allowed_pages="https://maps.example.org"))
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-esri-authorization,range"}
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gate") as client:
            ours = {"Origin": "https://maps.example.org"}
            preflight = await client.options("/workflow/x/jobs/1/location", headers=ours | asked)
            refused = await client.get("/workflow/x/jobs/1", headers=ours)
            theirs = await client.get("/healthz", headers={"Origin": "https://elsewhere.example.org"})
    assert preflight.status_code == httpx2.codes.OK
    assert preflight.headers["access-control-allow-origin"] == "https://maps.example.org"
    assert "X-Esri-Authorization" in preflight.headers["access-control-allow-headers"]
    assert refused.status_code == httpx2.codes.UNAUTHORIZED
    assert refused.headers["access-control-allow-origin"] == "https://maps.example.org"
    assert "access-control-allow-origin" not in theirs.headers


async def test_without_the_setting_no_page_from_elsewhere_is_told_anything(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"Origin": "https://maps.example.org"})
    assert "access-control-allow-origin" not in answer.headers


async def test_the_process_lists_itself_among_those_that_serve(app: Starlette, client: httpx2.AsyncClient) -> None:
    own = app.state.gateway.engine.node_id
    assert (await client.get("/nodes")).json() == {"nodes": [{"nodeId": own, "answers": True}]}
