"""Use cases that the server itself asks for, in any item. Patient ones wait for a database that is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.errors import BackendError
from app.services.engine import Caller, Engine, ItemGone, Unit
from app.services.ports import Store

T = TypeVar("T")

log = logging.getLogger(__name__)

_RETRY_S = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Pauses between tries; the last one is repeated."""


class ServerCalls:
    """The engine, called as the server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._engine: Engine | None = None
        self._orgs: dict[str, str] = {}
        self._closing = asyncio.Event()

    def attach(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """From now on a database that is away is not waited for."""
        self._closing.set()

    async def execute(self, item_id: str, use_case: Callable[[Unit], T]) -> T:
        """Run a use case once. Raises what it raises, and BackendError."""
        return await self._need_engine().execute(await self._caller(item_id), use_case)

    async def persist(self, item_id: str, use_case: Callable[[Unit], T]) -> T:
        """Run an idempotent use case whose outcome must not be lost, however long the database takes.

        Raises what it raises, and BackendError only when the server closes: what is in the database then is as it was,
        and another start, or another node, does it.
        """
        return await self._patiently(lambda: self.execute(item_id, use_case))

    async def query(self, item_id: str, query: Callable[[Unit], T]) -> T:
        """Read, as patiently as ``persist`` writes."""

        async def read() -> T:
            return await self._need_engine().query(await self._caller(item_id), query)

        return await self._patiently(read)

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        tries = 0
        while True:
            try:
                return await call()
            except BackendError as error:
                if self._closing.is_set():
                    raise
                log.warning("waiting for the database: %s", error)
            await self._pause(_RETRY_S[min(tries, len(_RETRY_S) - 1)])
            tries += 1

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    async def _caller(self, item_id: str) -> Caller:
        """The server itself, in an item; items do not change their organisation."""
        if item_id not in self._orgs:
            self._orgs = {item.item_id: item.org_id for item in await self._store.read(lambda tx: tx.items())}
        if item_id not in self._orgs:
            raise ItemGone(f"There is no workflow item {item_id!r} any more.", name="ItemNotFound")
        return Caller(self._orgs[item_id], item_id, None)

    def _need_engine(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("attach an engine before opening the runner")
        return self._engine
