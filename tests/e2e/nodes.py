"""Two real nodes on one PostgreSQL and one Redis."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.services.beside import engine_beside
from app.services.engine import Caller, Unit
from app.services.first_start import ITEM_ID, ORG_ID
from tests.support import PostgresServer, RedisServer, ServerProcess, scratch
from tests.support.world import open_store

LEASE_S, RENEW_S = 2.0, 0.5
TAKEOVER_S = LEASE_S + RENEW_S
"""So long after a node's death its runs are another's, at the latest."""


@dataclass
class Nodes:
    """``a`` and ``b`` are one installation; each test finds both running."""

    a: ServerProcess
    b: ServerProcess
    redis: RedisServer
    database_url: str

    def start_missing(self) -> None:
        """Start what an earlier test has ended."""
        for node in (self.a, self.b):
            if not node.is_running:
                node.kill9()
                node.start()

    async def change(self, use_case: Callable[[Unit], object]) -> None:
        """Do what an administrator's command does: write beside the nodes, which find it by themselves."""
        store = await open_store({"database_url": self.database_url})
        try:
            await engine_beside(store).execute(Caller(ORG_ID, ITEM_ID, None), use_case)
        finally:
            await store.close()


@contextmanager
def open_nodes(
    folder: Path, environments: Sequence[dict[str, str]] = ({}, {}), *, lease_s: float = LEASE_S
) -> Iterator[Nodes]:
    """Start two nodes, each with variables of its own."""
    postgres = PostgresServer(scratch())
    postgres.ensure_started()
    with postgres.database() as url, RedisServer(folder) as redis:
        settings = {
            "database_url": url,
            "redis_url": redis.url,
            "secret_key": "test-" * 8,
            "node_lease_s": lease_s,
            "node_renew_s": RENEW_S,
        }
        a, b = (ServerProcess(folder, settings, environment) for environment in environments)
        try:
            a.start_on_a_free_port()
            b.start_on_a_free_port()
            yield Nodes(a, b, redis, url)
        finally:
            a.close()
            b.close()
