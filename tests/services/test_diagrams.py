import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.errors import Conflict, GatewayError, InvalidValue, NotFound, PermissionDenied
from app.protocol.diagrams import DiagramDocument, read_document, render_diagram
from app.services import diagrams
from app.services.beside import engine_beside
from app.services.engine import Caller, Engine
from app.services.ports import DiagramSummary, Store
from tests.services.engines import ADMIN_CALLER, WORKER_CALLER, fill, open_engine

pytestmark = pytest.mark.anyio

ISLAND = [
    {"id": "a"},
    {"id": "b", "paths": [{"nextStep": "c"}]},
    {"id": "c", "paths": [{"nextStep": "b"}]},
]
"""Two steps that lead to each other only, beside the initial one."""


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(tmp_path) as engine:
        yield engine


def document(name: str = "Mine", **members: Any) -> DiagramDocument:
    steps = members.pop("steps", [{"id": "a", "name": "A", "paths": []}])
    return read_document(msgspec.json.encode({"diagramName": name, "displayGrid": True, "steps": steps} | members))


async def create(engine: Engine, given: DiagramDocument, caller: Caller = ADMIN_CALLER) -> str:
    return await engine.execute(caller, lambda unit: diagrams.create(unit, given))


async def update(engine: Engine, diagram_id: str, given: DiagramDocument, *, delete_draft: bool = True) -> None:
    await engine.execute(ADMIN_CALLER, lambda unit: diagrams.update(unit, diagram_id, given, delete_draft=delete_draft))


async def read(engine: Engine, diagram_id: str, version: int | None = None) -> dict[str, Any]:
    record = await engine.query(ADMIN_CALLER, lambda unit: diagrams.read(unit, diagram_id, version))
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(render_diagram(record.body, record.diagram)))
    return found


async def summary(engine: Engine, diagram_id: str) -> DiagramSummary:
    found = await engine.query(ADMIN_CALLER, lambda unit: unit.tx.diagrams(unit.item))
    return next(each for each in found if each.diagram_id == diagram_id)


async def test_an_active_diagram_is_version_1_and_a_passive_one_is_a_draft(engine: Engine) -> None:
    active = await create(engine, document("Active", active=True))
    draft = await create(engine, document("Draft"))
    assert (await read(engine, active))["diagramVersion"] == 1
    assert (await read(engine, draft))["diagramVersion"] == -1
    assert (await summary(engine, active)).active
    assert not (await summary(engine, active)).draft
    assert not (await summary(engine, draft)).active
    assert (await summary(engine, draft)).draft


async def test_each_active_update_is_a_version_and_the_old_ones_stay(engine: Engine) -> None:
    diagram_id = await create(engine, document("First", active=True))
    await update(engine, diagram_id, document("Second", active=True, ours=2))
    assert (await read(engine, diagram_id))["diagramName"] == "Second"
    assert (await read(engine, diagram_id, 2))["ours"] == 2
    assert (await read(engine, diagram_id, 1))["diagramName"] == "First"
    assert (await summary(engine, diagram_id)).name == "Second"


async def test_an_active_update_takes_the_draft_with_it_unless_told_not_to(engine: Engine) -> None:
    diagram_id = await create(engine, document(active=True))
    await update(engine, diagram_id, document())
    assert (await summary(engine, diagram_id)).draft
    await update(engine, diagram_id, document(active=True), delete_draft=False)
    assert (await summary(engine, diagram_id)).draft
    await update(engine, diagram_id, document(active=True))
    assert not (await summary(engine, diagram_id)).draft
    assert (await summary(engine, diagram_id)).latest_version == 3


async def test_a_draft_is_replaced_and_never_shown_for_the_active_version(engine: Engine) -> None:
    diagram_id = await create(engine, document(active=True, description="active"))
    await update(engine, diagram_id, document(description="draft 1"))
    await update(engine, diagram_id, document(description="draft 2"))
    assert (await read(engine, diagram_id))["description"] == "active"
    assert (await read(engine, diagram_id, -1))["description"] == "draft 2"


async def test_the_draft_of_a_diagram_without_one_is_its_active_version(engine: Engine) -> None:
    diagram_id = await create(engine, document(active=True))
    assert (await read(engine, diagram_id, -1))["diagramVersion"] == 1


@pytest.mark.parametrize("version", [0, 2, -2, 2**40, -(2**70)])
async def test_a_version_that_is_not_there_is_not_found(engine: Engine, version: int) -> None:
    diagram_id = await create(engine, document(active=True))
    with pytest.raises(NotFound, match="There is no version"):
        await read(engine, diagram_id, version)


async def test_a_diagram_that_is_not_there_is_neither_read_nor_updated(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no diagram 'nowhere'"):
        await read(engine, "nowhere")
    with pytest.raises(NotFound):
        await update(engine, "nowhere", document())


async def test_names_and_ids_are_unique(engine: Engine) -> None:
    mine = await create(engine, document("Mine", diagramId="mine"))
    assert mine == "mine"
    other = await create(engine, document("Other"))
    expected = {
        "InvalidDiagramNameDuplicate": create(engine, document("Mine")),
        "InvalidDiagramIdDuplicate": create(engine, document("Third", diagramId="mine")),
        "InvalidDiagramNameDuplicateUpdate": update(engine, other, document("Mine")),
    }
    for name, attempt in expected.items():
        with pytest.raises(Conflict) as caught:
            await attempt
        assert caught.value.name == name
    await update(engine, mine, document("Mine"))
    await update(engine, mine, document("Free"))
    await create(engine, document("Mine"))


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (document(" "), "diagramName must have"),
        (document("x" * 256), "diagramName must have"),
        (document(diagramId="a/b"), "diagramId"),
        (document(active=True, steps=[]), "initial step"),
        (document(active=True, steps=[{"id": "a"}, {"id": "b"}]), "initial step"),
        (
            document(
                active=True,
                steps=[
                    {"id": "a"},
                    {"id": "b", "paths": [{"nextStep": "c"}]},
                    {"id": "c", "paths": [{"nextStep": "b"}]},
                ],
            ),
            "cannot be reached",
        ),
        (document(steps=[{"id": "a", "paths": [{"nextStep": "a", "expression": "1 +"}]}]), "paths\\[0\\].expression"),
        (document(active=True, steps=[{"id": "a", "action": {"actionType": "Question"}}]), "offers no answer"),
    ],
)
async def test_what_cannot_be_saved_is_refused_and_leaves_nothing(
    engine: Engine, given: DiagramDocument, fault: str
) -> None:
    before = await engine.query(ADMIN_CALLER, lambda unit: unit.tx.diagrams(unit.item))
    with pytest.raises(InvalidValue, match=fault):
        await create(engine, given)
    assert await engine.query(ADMIN_CALLER, lambda unit: unit.tx.diagrams(unit.item)) == before


async def test_a_draft_may_be_unfinished(engine: Engine) -> None:
    for number, steps in enumerate(
        [[], [{"id": "a"}, {"id": "b"}], [{"id": "q", "action": {"actionType": "Question"}}]]
    ):
        await create(engine, document(f"Draft {number}", steps=steps))


async def test_a_path_to_a_step_that_is_not_there_is_tolerated(engine: Engine) -> None:
    await create(engine, document(active=True, steps=[{"id": "a", "paths": [{"nextStep": "gone"}]}]))


async def test_only_a_designer_may_write(engine: Engine) -> None:
    diagram_id = await create(engine, document())
    with pytest.raises(PermissionDenied, match="adminBasic"):
        await create(engine, document("Theirs"), WORKER_CALLER)
    with pytest.raises(PermissionDenied, match="adminBasic"):
        await engine.execute(WORKER_CALLER, lambda unit: diagrams.update(unit, diagram_id, document()))
    read_by_worker = await engine.query(WORKER_CALLER, lambda unit: diagrams.read(unit, diagram_id))
    assert read_by_worker.diagram.name == "Mine"


async def test_a_refused_update_keeps_what_was_there(engine: Engine) -> None:
    diagram_id = await create(engine, document(active=True))
    with pytest.raises(GatewayError):
        await update(engine, diagram_id, document(active=True, steps=[]))
    assert (await summary(engine, diagram_id)).latest_version == 1


async def test_two_updates_at_once_make_two_versions(store: Store) -> None:
    """Both would read the same newest version and write the next one, if they did not take the item's lock first."""
    await store.run(fill)
    engine = engine_beside(store)
    diagram_id = await create(engine, document(active=True))
    await asyncio.gather(*(update(engine, diagram_id, document(active=True, ours=number)) for number in range(8)))
    assert (await summary(engine, diagram_id)).latest_version == 9
    assert {(await read(engine, diagram_id, version))["ours"] for version in range(2, 10)} == set(range(8))


async def test_of_two_diagrams_with_one_name_one_is_made(store: Store) -> None:
    await store.run(fill)
    engine = engine_beside(store)
    outcomes = await asyncio.gather(*(create(engine, document("Same")) for _ in range(4)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Conflict", "Conflict", "str"]
