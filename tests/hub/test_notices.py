"""What concerns a whole item is told to its sockets once, on every node, whatever the bus does."""

from collections.abc import AsyncIterator

import pytest

from app.bus.memory import Exchange
from app.services.engine import Unit
from app.services.first_start import ADMIN, ITEM_ID
from app.services.ports import TaskEnded, TaskKind
from tests.hub.nodes import open_node, peer_of
from tests.support.world import World, open_world

pytestmark = pytest.mark.anyio

ENDED = TaskEnded(1, ITEM_ID, "e1", TaskKind.EXPORT, ADMIN)


@pytest.fixture
async def world(backend_settings: dict[str, object]) -> AsyncIterator[World]:
    async with open_world(backend_settings) as made:
        yield made


async def test_sockets_of_the_item_are_told_once(world: World) -> None:
    async with open_node(world) as node:
        peer = peer_of(node.session())
        for _ in range(2):
            node.hub.task_ended(ENDED)
        node.hub.task_ended(TaskEnded(2, "f" * 32, "e2", TaskKind.IMPORT, ADMIN))
        assert [message["message"] for message in await peer.has(1)] == [{"itemId": ITEM_ID, "exportId": "e1"}]
        assert "seq" not in peer.messages[0]


async def test_why_it_failed_is_told_to_who_has_asked(world: World) -> None:
    async with open_node(world) as node:
        own, other = peer_of(node.session()), peer_of(node.session("zoe"))
        node.hub.task_ended(TaskEnded(3, ITEM_ID, "i1", TaskKind.IMPORT, ADMIN, "It is so."))
        assert (await own.has(1))[0]["message"] == {"itemId": ITEM_ID, "msg": "It is so."}
        assert (await other.has(1))[0]["message"] == {"itemId": ITEM_ID, "msg": "The import failed."}


async def test_the_sweep_tells_what_nobody_has_brought_and_nothing_twice(world: World) -> None:
    """Another process has ended it, and its message is lost: the row remains."""

    def end(unit: Unit, task_id: str) -> None:
        unit.tx.add_item_task(unit.item, task_id, TaskKind.EXPORT, ADMIN, b"")
        task = unit.tx.claim_item_task("elsewhere")
        assert task is not None
        unit.tx.end_item_task(task, "elsewhere", None, None, None)

    await world.execute(lambda unit: end(unit, "before"))
    async with open_node(world, Exchange(), sweep_s=0.02) as node:
        peer = peer_of(node.session())
        await world.execute(lambda unit: end(unit, "e3"))
        (told,) = await peer.has(1)
        assert told["message"]["exportId"] == "e3"
