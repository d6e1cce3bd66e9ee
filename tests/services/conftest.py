"""A real store with an empty schema, on each database, for the use cases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.bootstrap import migrate_database, store_of
from app.services.first_start import FirstPeople, first_start
from app.services.ports import Store
from app.settings import Settings
from tests.services.house import House


@pytest.fixture
def settings(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a database of the test's own."""
    url = request.getfixturevalue("postgres_url") if backend == "postgres" else None
    return Settings(data_dir=tmp_path / "data", database_url=url)


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """The open store of those settings, migrated and empty."""
    await migrate_database(settings)
    async with store_of(settings) as opened:
        yield opened


@pytest.fixture
async def house(store: Store) -> House:
    """A new item; its administrator is in the group ``admins``."""
    await store.run(lambda tx: first_start(tx, FirstPeople("hash", "admins", "key-1", b"1" * 32)))
    return House(store)
