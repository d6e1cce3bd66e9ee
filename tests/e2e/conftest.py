"""One server for all tests of a module that leave it running; those that kill it start their own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from stepgate_client import Client
from tests.conftest import BackendName
from tests.e2e.walker import client_of
from tests.support import PostgresServer, ServerProcess, scratch


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_backend(request: pytest.FixtureRequest) -> BackendName:
    """Run each test once on each database; the name of the present one."""
    name: BackendName = request.param
    return name


@pytest.fixture(scope="module")
def server(shared_backend: BackendName, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A ready server that the module's tests share: each makes its own jobs, templates and people."""
    folder = tmp_path_factory.mktemp("server")
    if shared_backend == "sqlite":
        yield from _served(ServerProcess(folder, {}))
        return
    postgres = PostgresServer(scratch())
    postgres.ensure_started()
    with postgres.database() as url:
        yield from _served(ServerProcess(folder, {"database_url": url, "secret_key": "test-" * 8}))


def _served(server: ServerProcess) -> Iterator[ServerProcess]:
    try:
        server.start_on_a_free_port()
        yield server
    finally:
        server.close()


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    """A client of the shared server, logged in as admin."""
    async with client_of(server) as connected:
        yield connected
