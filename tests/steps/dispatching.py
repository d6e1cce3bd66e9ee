"""Jobs that cause dispatches, and what has become of those."""

import json
from typing import Any, cast

from sqlalchemy import select

from app.domain.commands import ManageType, SetCurrentStep
from app.domain.job import UNASSIGNED
from app.services import jobs
from app.services.engine import Unit
from app.services.ports import StoredTemplate
from app.store.schema import dispatch
from app.store.sql import Statement
from app.store.tx import SqlTx
from tests.support import eventually
from tests.support.world import World, step

TRIES = Statement(select(dispatch.c.tries))

ACTS = ("CreateJob", "CloseJob", "DeleteJob", "AddComment", "AssignJob", "SetCurrentStep")


def path(target: str, *notifications: str, expression: str | None = None) -> dict[str, Any]:
    return {
        "nextStep": target,
        "assignedType": "Unassigned",
        "notifications": list(notifications),
        "expression": expression,
    }


def activity(type_name: str, action_name: str = "Email", template_id: str = "greeting") -> dict[str, str]:
    return {"typeName": type_name, "actionName": action_name, "templateId": template_id}


async def put_template(world: World, template_type: str, template_id: str, details: dict[str, Any]) -> None:
    def put(unit: Unit) -> None:
        template = StoredTemplate(template_type, template_id, "Greeting", json.dumps(details))
        unit.tx.put_stored_template(unit.item, template)

    await world.execute(put)


async def manual_job(world: World, *paths: dict[str, Any], **members: Any) -> str:
    template = await world.template(
        [step("one", canSkip=True, paths=list(paths) or [path("two")]), step("two")], **members
    )
    return await world.create(template, job_name="Kerbs")


async def do(world: World, job_id: str, type_name: str) -> None:
    """The act that an activity is about; the job was created before."""

    def change(unit: Unit) -> None:
        if type_name == "CloseJob":
            jobs.manage(unit, ManageType.CLOSE, [job_id])
        elif type_name == "DeleteJob":
            jobs.manage(unit, ManageType.DELETE, [job_id])
        elif type_name == "AddComment":
            jobs.add_comment(unit, job_id, "Hello")
        elif type_name == "AssignJob":
            jobs.assign(unit, job_id, "one", UNASSIGNED)
        elif type_name == "SetCurrentStep":
            jobs.act(unit, job_id, SetCurrentStep(("two",)))

    await world.execute(change)


async def left(world: World) -> list[int]:
    """How often each dispatch in the database was tried."""
    found = await world.store.read(lambda tx: cast(SqlTx, tx).sql.all(TRIES))
    return [row[0] for row in found]


async def until_all_sent(world: World) -> None:
    async def is_empty() -> bool:
        return not await left(world)

    await eventually(is_empty)


async def until_told(world: World, job_id: str) -> None:
    async def is_told() -> bool:
        return bool(await errors(world, job_id))

    await eventually(is_told)


async def errors(world: World, job_id: str) -> list[str]:
    return [line.result or "" for line in await world.history(job_id) if line.action == "Error"]
