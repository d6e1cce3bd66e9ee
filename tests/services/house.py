"""A new item with its people, to act in as any of them."""

from collections.abc import Callable
from typing import TypeVar

from app.domain.access import Actor
from app.services.access import read_actor
from app.services.beside import NobodyListens
from app.services.engine import Caller, Engine, Unit
from app.services.first_start import ITEM_ID, ORG_ID
from app.services.ports import Store

T = TypeVar("T")


class Listener(NobodyListens):
    """A publisher that remembers being told of changed access."""

    def __init__(self) -> None:
        self.told = 0

    def access_changed(self) -> None:
        self.told += 1


class House:
    """An item with its people, and a way to act in it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.listener = Listener()
        self._engine = Engine(store, self.listener, self.listener)

    async def act(self, use_case: Callable[[Unit], T], username: str | None = None) -> T:
        return await self._engine.execute(Caller(ORG_ID, ITEM_ID, username), use_case)

    async def version(self) -> int:
        items = await self.store.read(lambda tx: tx.items())
        return items[0].access_version

    async def actor(self, username: str) -> Actor:
        return await self.store.read(lambda tx: read_actor(tx, tx.items()[0], username))
