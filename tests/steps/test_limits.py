"""So many at once for each key: in order, without starving others, and without a place lost by a cancellation."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from app.domain.commands import Run, Stop
from app.domain.job import ReturnValue
from app.observability import METRICS
from app.services.ports import StepContext
from app.steps.limits import FairLimit
from tests.steps.counterparts import counterpart, silent
from tests.steps.executors import Scripted
from tests.steps.service_steps import ended, http_client, told_codes, web_world
from tests.support import deadline, eventually
from tests.support.world import open_world, step

pytestmark = pytest.mark.anyio


class Crowd:
    """Tasks that each hold a place until they are let go; ``inside`` in the order they got it."""

    def __init__(self, limit: FairLimit) -> None:
        self.limit = limit
        self.inside: list[str] = []
        self.waited: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def come(self, name: str, key: str = "k") -> None:
        self.gates[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._stay(name, key), name=name)

    async def _stay(self, name: str, key: str) -> None:
        async with self.limit.turn(key, lambda: self.waited.append(name)):
            self.inside.append(name)
            await self.gates[name].wait()

    async def leave(self, name: str) -> None:
        self.gates[name].set()
        await asyncio.wait_for(self.tasks[name], deadline(1))
        await settle()

    async def give_up(self, name: str) -> None:
        self.tasks[name].cancel()
        await asyncio.gather(self.tasks[name], return_exceptions=True)
        await settle()


async def settle() -> None:
    """Let every task go as far as it gets."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def crowd() -> AsyncIterator[Crowd]:
    crowd = Crowd(FairLimit("test", 2))
    yield crowd
    for task in crowd.tasks.values():
        task.cancel()
    await asyncio.gather(*crowd.tasks.values(), return_exceptions=True)


async def test_those_beyond_the_limit_wait_and_come_in_the_order_they_came(crowd: Crowd) -> None:
    for name in "abcde":
        crowd.come(name)
    await settle()
    assert (crowd.inside, crowd.waited) == (["a", "b"], ["c", "d", "e"])
    await crowd.leave("b")
    await crowd.leave("a")
    assert crowd.inside == ["a", "b", "c", "d"]


async def test_one_who_comes_when_a_place_is_handed_over_does_not_overtake(crowd: Crowd) -> None:
    for name in "abc":
        crowd.come(name)
    await settle()
    crowd.gates["a"].set()
    crowd.come("late")
    await settle()
    assert crowd.inside == ["a", "b", "c"]


async def test_another_key_has_its_own_places(crowd: Crowd) -> None:
    for name in "abc":
        crowd.come(name)
    crowd.come("other", key="o")
    await settle()
    assert crowd.inside == ["a", "b", "other"]


async def test_one_who_gives_up_waiting_is_passed_over(crowd: Crowd) -> None:
    for name in "abcd":
        crowd.come(name)
    await settle()
    await crowd.give_up("c")
    await crowd.leave("a")
    assert crowd.inside == ["a", "b", "d"]


async def test_a_place_handed_to_one_who_is_cancelled_in_the_same_breath_is_not_lost(crowd: Crowd) -> None:
    for name in "abcd":
        crowd.come(name)
    await settle()
    crowd.gates["a"].set()
    await asyncio.sleep(0)  # a leaves and hands its place to c, which has not run yet
    await crowd.give_up("c")
    await settle()
    assert crowd.inside == ["a", "b", "d"]


async def test_nothing_is_kept_of_a_key_that_nobody_uses_any_more(crowd: Crowd) -> None:
    for name in "abc":
        crowd.come(name)
    await settle()
    for name in "abc":
        await crowd.leave(name)
    assert crowd.limit._lines == {}


# ---------------------------------------------------------------- steps


async def test_a_template_beyond_its_limit_waits_says_so_and_keeps_no_other_waiting(tmp_path: Path) -> None:
    gates: dict[str, asyncio.Event] = {}

    async def work(context: StepContext) -> ReturnValue:
        await gates.setdefault(context.job.job_id, asyncio.Event()).wait()
        return 1

    executor = Scripted(work)
    async with open_world({"data_dir": tmp_path / "data"}, [executor], per_template=1) as world:
        crowded = await world.template([step("serve", "WebRequest")])
        first, second, third = [await world.create(crowded) for _ in range(3)]
        other = await world.create(await world.template([step("serve", "WebRequest")]))
        await world.act(first, Run())
        await eventually(lambda: first in gates)
        for job_id in (second, third):
            await world.act(job_id, Run())
            await world.ear.until(partial(world.ear.bodies, job_id, "StepProgress"))
            assert world.ear.bodies(job_id, "StepProgress")[0]["msgCode"] == "QUEUED"
        await world.act(other, Run())
        await eventually(lambda: gates.keys() == {first, other})
        assert METRICS.get_sample_value("stepgate_service_steps_waiting", {"limit": "template"}) == 2
        await world.act(second, Stop())
        assert (await ended(world, second))["msgType"] == "StepStopped"
        gates[first].set()
        assert (await ended(world, first))["msgType"] == "StepFinished"
        gates.setdefault(third, asyncio.Event()).set()
        assert (await ended(world, third))["msgType"] == "StepFinished"
        assert second not in gates
        gates[other].set()
        await ended(world, other)


async def test_steps_beyond_the_limit_of_a_host_wait_until_one_of_them_is_done(tmp_path: Path) -> None:
    async with (
        counterpart() as site,
        http_client() as http,
        web_world(http, {"data_dir": tmp_path / "data"}, per_host=1) as world,
    ):
        url = site.on("/", silent)
        steps = [step("serve", "WebRequest", args={"url": url, "timeout": 600})]
        first, second = [await world.create(await world.template(steps)) for _ in range(2)]
        await world.act(first, Run())
        await site.until(lambda: len(site.requests) == 1)
        await world.act(second, Run())
        await world.ear.until(lambda: bool(world.ear.bodies(second, "StepProgress")))
        assert len(site.requests) == 1
        await world.act(first, Stop())
        await site.until(lambda: len(site.requests) == 2)
        await world.ear.until(lambda: "EXECUTING" in told_codes(world, second), 2)
        await world.act(second, Stop())
        await ended(world, second)
