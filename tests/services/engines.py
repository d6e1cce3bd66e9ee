"""An engine on a real SQLite store with the contents of a first start, for tests of use cases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.domain.access import Role
from app.protocol.diagrams import parse_diagram
from app.services.beside import engine_beside
from app.services.engine import Caller, Engine
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID, FirstPeople, first_start
from app.services.ports import Group, Tx
from app.store.migrate import migrate
from app.store.sqlite import SqliteStore

ADMIN_CALLER = Caller(ORG_ID, ITEM_ID, ADMIN)
WORKER_CALLER = Caller(ORG_ID, ITEM_ID, "worker")
"""May create and assign jobs, and may not design."""


@asynccontextmanager
async def open_engine(folder: Path) -> AsyncIterator[Engine]:
    """An engine on a new database in ``folder``."""
    file = folder / "stepgate.db"
    await migrate(f"sqlite:///{file}")
    store = SqliteStore(file, parse_diagram)
    await store.open()
    try:
        await store.run(fill)
        yield engine_beside(store)
    finally:
        await store.close()


def fill(tx: Tx) -> None:
    """A first start, and a user ``worker`` who may not design."""
    first_start(tx, FirstPeople("no hash", "g" * 22, "k" * 22, b"s" * 32))
    item = tx.items()[0]
    tx.add_user("worker", None)
    tx.add_group(Group("workers", "Workers"))
    tx.put_role(item, Role("Worker", "Works.", ("jobCreate", "jobAssignAny")))
    tx.link_role(item, "workers", "Worker", True)
    tx.set_member("worker", "workers", True)
    tx.bump_access(item)
