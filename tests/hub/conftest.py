"""A world with one job, and a hub on it."""

from collections.abc import AsyncIterator

import pytest

from tests.hub.nodes import Feed, Node, open_node
from tests.support.world import World, open_world, step


@pytest.fixture
async def world(backend_settings: dict[str, object]) -> AsyncIterator[World]:
    async with open_world(backend_settings) as opened:
        yield opened


@pytest.fixture
async def template(world: World) -> str:
    return await world.template([step("one", "Manual", "two"), step("two", canSkip=True)])


@pytest.fixture
async def feed(world: World, template: str) -> Feed:
    return Feed(world, await world.create(template))


@pytest.fixture
async def node(world: World) -> AsyncIterator[Node]:
    async with open_node(world) as opened:
        yield opened
