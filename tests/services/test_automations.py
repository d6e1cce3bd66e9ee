"""Automations as use cases: secrets are sealed under the master key, and stay readable for the server alone."""

import json
from pathlib import Path

import pytest

from app.auth.sealing import Sealer
from app.domain.job import AutomationType
from app.errors import StoreUnavailable
from app.protocol.automations import AutomationAdd, AutomationsBody, AutomationsEdited, AutomationUpdate
from app.services import automations, webhooks
from app.services.engine import Unit
from app.services.ports import Automation
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

KEY, OTHER_KEY = "one master key of text", "another master key"


def webhook(value: str | None) -> str:
    header = {"key": "X-Secret"} | ({"value": value} if value else {})
    return json.dumps({"headerSecret": header})


async def edit(world: World, template_id: str, body: AutomationsBody) -> AutomationsEdited:
    return await world.execute(lambda unit: automations.edit(unit, template_id, body))


async def stored(world: World, automation_id: str) -> Automation:
    found = await world.query(lambda unit: unit.tx.automation(unit.item, automation_id))
    assert found is not None
    return found


async def test_a_secret_is_sealed_and_opened_only_under_the_same_master_key(tmp_path: Path) -> None:
    settings: dict[str, object] = {"data_dir": tmp_path}
    async with open_world(settings, vault=Sealer(KEY)) as world:
        template_id = await world.template([step("one")])
        add = AutomationAdd("Hook", AutomationType.WEBHOOK, True, webhook("open sesame"))
        (automation_id,) = (await edit(world, template_id, AutomationsBody(adds=[add]))).automation_ids
        sealed = await stored(world, automation_id)
        assert "open sesame" not in repr(sealed)
        assert (sealed.secret or b"").startswith(b"sealed1:")

        def lock(unit: Unit) -> webhooks.Lock | None:
            return webhooks.lock_of(unit, template_id, automation_id)

        assert await world.query(lock, None) == webhooks.Lock("X-Secret", "open sesame", attaches=False)
        update = AutomationUpdate(automation_id, details=webhook(None))
        await edit(world, template_id, AutomationsBody(updates=[update]))
        assert (await stored(world, automation_id)).secret == sealed.secret
    async with open_world(settings, vault=Sealer(OTHER_KEY)) as world:
        with pytest.raises(StoreUnavailable, match="STEPGATE_SECRET_KEY"):
            await world.query(lock, None)


async def test_an_automation_from_elsewhere_keeps_its_id(tmp_path: Path) -> None:
    """What imports configurations puts such ones."""
    async with open_world({"data_dir": tmp_path}) as world:
        template_id = await world.template([step("one")])
        add = AutomationAdd("Daily", AutomationType.SCHEDULED, True, '{"timeType": "HourOfDay"}')

        def put(unit: Unit) -> None:
            automation = automations.new_automation(unit, template_id, add, "from-elsewhere")
            unit.tx.put_automation(unit.item, automation)

        await world.execute(put)
        found = await stored(world, "from-elsewhere")
        assert (found.template_id, found.name, found.enabled) == (template_id, "Daily", True)
        assert found.next_ms is not None
