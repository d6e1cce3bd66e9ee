"""Fixtures for all tests: the event loop, property test profiles, and real servers.

PostgreSQL is started once for a session, by the first test that needs it, and shared by all xdist workers; each test
gets its own database. Redis is cheap, so each test that asks gets its own process.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.support import PostgresServer, RedisServer, ServerProcess, scratch
from tests.support.session import SCRATCH_VARIABLE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BackendName = Literal["sqlite", "postgres"]
Settings = dict[str, object]
StartServer = Callable[..., ServerProcess]

# Read when an event loop is made: by the tests' own loops and by each server process the tests start.
os.environ["PYTHONASYNCIODEBUG"] = "1"

# Timing belongs to deadlines, not to Hypothesis: a busy machine would fail an example that is right.
hypothesis_settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.register_profile("ci", hypothesis_settings.get_profile("dev"), derandomize=True, print_blob=True)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config: pytest.Config) -> None:
    """Make the session's scratch folder in the controlling process; workers inherit its name.

    It lies outside pytest's own folder, which the account that runs PostgreSQL may not enter.
    """
    if not hasattr(config, "workerinput"):
        folder = tempfile.mkdtemp(prefix="stepgate-tests-")
        Path(folder).chmod(0o755)
        os.environ[SCRATCH_VARIABLE] = folder


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the workers shared, once all of them have ended."""
    folder = os.environ.get(SCRATCH_VARIABLE)
    if folder and not hasattr(config, "workerinput"):
        PostgresServer(Path(folder)).stop()
        shutil.rmtree(folder, ignore_errors=True)
        del os.environ[SCRATCH_VARIABLE]


@pytest.fixture
def anyio_backend() -> str:
    """Run `pytest.mark.anyio` tests on asyncio, the only loop the server runs on."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> PostgresServer:
    """The session's PostgreSQL server, running."""
    server = PostgresServer(scratch())
    server.ensure_started()
    return server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """URL of an empty PostgreSQL database of this test's own."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running Redis of this test's own, which it may freeze, kill and start again."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """URL of a running Redis of this test's own."""
    return redis_server.url


@pytest.fixture(params=["sqlite", "postgres"])
def backend(request: pytest.FixtureRequest) -> BackendName:
    """Run the test once on each database; the name of the present one."""
    name: BackendName = request.param
    return name


@pytest.fixture
def backend_settings(backend: BackendName, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings that give a server an empty database of the present backend and a data folder."""
    folder: Settings = {"data_dir": tmp_path / "data"}
    if backend == "postgres":
        # The key is a setting because a database server may serve several machines, so no file holds it.
        return folder | {"database_url": request.getfixturevalue("postgres_url"), "secret_key": "test-" * 8}
    return folder


@pytest.fixture
def start_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StartServer]:
    """Start servers: ``start_server(**settings)`` gives a ready `ServerProcess`; all end with the test."""
    # A database that is set up first is dropped last: a server that has lost its own takes seconds to give up.
    for database in {"postgres_url", "backend_settings"}.intersection(request.fixturenames):
        request.getfixturevalue(database)
    started: list[ServerProcess] = []

    def start(**settings: object) -> ServerProcess:
        server = ServerProcess(tmp_path, settings)
        started.append(server)
        server.start_on_a_free_port()
        return server

    try:
        yield start
    finally:
        for server in started:
            server.close()


@pytest.fixture
def server(start_server: StartServer, backend_settings: Settings) -> ServerProcess:
    """A ready server on an empty database; the test runs once on each backend."""
    return start_server(**backend_settings)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A headless Chromium for the tests of a module (`tests.support.browser`)."""
    from tests.support.browser import open_browser

    with open_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: "Browser") -> "Iterator[Page]":
    """A page of a profile of this test's own."""
    from tests.support.browser import open_context

    with open_context(browser) as context:
        yield context.new_page()
