from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.errors import Conflict, InvalidValue, NotFound, PermissionDenied
from app.protocol.templates import TemplateDocument, read_template
from app.services import templates
from app.services.engine import Caller, Engine
from app.services.first_start import TEMPLATE_ID
from tests.services.engines import ADMIN_CALLER, WORKER_CALLER, open_engine

pytestmark = pytest.mark.anyio

INTRODUCTION = "99o2QTePTqq-BHRHK_Aeag"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(tmp_path) as engine:
        yield engine


def document(name: str = "Mine", **members: Any) -> TemplateDocument:
    body = {
        "jobTemplateName": name,
        "diagramId": INTRODUCTION,
        "diagramName": "as it was once called",
        "defaultPriorityName": "Low",
        "state": "Draft",
    }
    return read_template(msgspec.json.encode(body | members))


async def create(engine: Engine, given: TemplateDocument, caller: Caller = ADMIN_CALLER) -> str:
    return await engine.execute(caller, lambda unit: templates.create(unit, given))


async def read(engine: Engine, template_id: str) -> dict[str, Any]:
    record = await engine.query(ADMIN_CALLER, lambda unit: templates.read(unit, template_id))
    found: dict[str, Any] = msgspec.json.decode(record.body)
    return found


async def test_a_template_is_stored_with_what_the_server_knows(engine: Engine) -> None:
    template_id = await create(engine, document(category="c", ours=[1], lastUpdatedBy="somebody"))
    found = await read(engine, template_id)
    assert len(template_id) == 22
    assert found["jobTemplateId"] == template_id
    assert found["diagramName"] == "Introduction to Workflow Manager"
    assert found["lastUpdatedBy"] == "admin"
    assert found["ours"] == [1]


async def test_an_own_id_is_kept_and_the_list_shows_all(engine: Engine) -> None:
    await create(engine, document(jobTemplateId="mine", description="text"))
    lines = await engine.query(WORKER_CALLER, templates.lines)
    assert lines[0].job_template_id == TEMPLATE_ID
    mine = lines[-1]
    assert (mine.job_template_id, mine.state, mine.description) == ("mine", "Draft", "text")
    assert mine.diagram_name == "Introduction to Workflow Manager"


async def test_names_and_ids_are_unique(engine: Engine) -> None:
    await create(engine, document(jobTemplateId="mine"))
    with pytest.raises(Conflict) as same_name:
        await create(engine, document())
    with pytest.raises(Conflict) as same_id:
        await create(engine, document("Other", jobTemplateId="mine"))
    assert same_name.value.name == "InvalidJobTemplateNameDuplicate"
    assert same_id.value.name == "InvalidJobTemplateIdDuplicate"


async def test_the_diagram_must_be_there(engine: Engine) -> None:
    with pytest.raises(InvalidValue, match="no diagram 'nowhere'"):
        await create(engine, document(diagramId="nowhere"))


async def test_an_id_must_fit_into_a_path(engine: Engine) -> None:
    with pytest.raises(InvalidValue, match="jobTemplateId"):
        await create(engine, document(jobTemplateId="a b"))


async def test_only_a_designer_may_create_and_everybody_may_read(engine: Engine) -> None:
    with pytest.raises(PermissionDenied, match="adminBasic"):
        await create(engine, document(), WORKER_CALLER)
    record = await engine.query(WORKER_CALLER, lambda unit: templates.read(unit, TEMPLATE_ID))
    assert record.state == "Active"


async def test_a_template_that_is_not_there_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no job template 'nowhere'"):
        await read(engine, "nowhere")
