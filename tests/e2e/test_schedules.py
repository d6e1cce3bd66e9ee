"""Schedules on two nodes: one job for each moment, also when a node is killed while both make what is due."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.job import AutomationType
from app.services.engine import Unit
from app.services.first_start import ADMIN
from app.services.ports import Automation
from stepgate_client import Client
from tests.e2e.nodes import Nodes, open_nodes
from tests.e2e.walker import client_of, make_template
from tests.support import eventually
from tests.support.world import step

pytestmark = pytest.mark.anyio

COUNT = 40
"""So many are due at once that both nodes are in the middle of them when one is killed."""

ALL_S = 5.0
"""Seconds in which one node makes them all."""


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Nodes]:
    """Nodes of its own, for one of them is killed."""
    opened = open_nodes(tmp_path)
    started = await asyncio.to_thread(opened.__enter__)
    try:
        yield started
    finally:
        await asyncio.to_thread(opened.__exit__, None, None, None)


def make_due(unit: Unit, template_id: str) -> None:
    """Let the next moment of each of the template's schedules be now; the first time they are added."""
    known = unit.tx.lock_automations(unit.item, template_id)
    automations = known or [
        Automation(
            f"schedule-{number}", template_id, "A", AutomationType.SCHEDULED, True, '{"timeType":"HourOfDay"}', None,
            ADMIN, unit.now_ms,
        )
        for number in range(COUNT)
    ]  # fmt: skip
    for automation in automations:
        unit.tx.put_automation(unit.item, replace(automation, next_ms=unit.now_ms))


async def made(client: Client, template_id: str) -> Counter[str]:
    """How many jobs each schedule has made."""
    found = await client.query_jobs(f"jobTemplateId='{template_id}'", fields=["jobId"], num=10 * COUNT)
    jobs = [await client.get_job(str(row[0])) for row in found.results]
    return Counter(job.automation_id or "" for job in jobs)


async def test_each_moment_makes_one_job_though_a_node_is_killed_while_both_are_at_it(nodes: Nodes) -> None:
    template_id = await make_template(nodes.a, [step("only")], state="Automated")
    async with client_of(nodes.a) as client:

        async def has(count: int) -> bool:
            return (await client.job_statistics(f"jobTemplateId='{template_id}'")).total >= count

        await nodes.change(lambda unit: make_due(unit, template_id))
        await eventually(lambda: has(2), expected_s=ALL_S + 5)
        nodes.b.kill9()
        await eventually(lambda: has(COUNT), expected_s=ALL_S + 5)
        assert await made(client, template_id) == Counter({f"schedule-{number}": 1 for number in range(COUNT)})
        await asyncio.to_thread(nodes.start_missing)
        await nodes.change(lambda unit: make_due(unit, template_id))
        await eventually(lambda: has(2 * COUNT), expected_s=ALL_S + 5)
        assert await made(client, template_id) == Counter({f"schedule-{number}": 2 for number in range(COUNT)})
        shown = [await client.automations.one(template_id, f"schedule-{number}") for number in range(COUNT)]
    assert [(each.occurrences, each.last_error) for each in shown] == [(2, None)] * COUNT
