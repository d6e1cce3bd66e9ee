"""Answers kept under idempotency keys: one for each slot, made in the transaction of the change, swept when old."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from app.errors import Conflict, KeyInFlight, KeyReused, RuleViolation
from app.services import jobs
from app.services.engine import Unit
from app.services.keyed import KEPT_MS, Answered, KeyedRequest, once, sweep
from app.services.ports import KeptAnswer
from tests.conftest import Settings
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

REQUEST = KeyedRequest("slot", "digest")


@pytest.fixture
async def world(backend_settings: Settings) -> AsyncIterator[World]:
    async with open_world(backend_settings) as opened:
        yield opened


def keep(unit: Unit, slot: str, at_ms: int) -> None:
    unit.tx.keep_answer(unit.item, slot, KeptAnswer("digest", b"\x00\xff"), at_ms)


async def create_once(world: World, template_id: str, request: KeyedRequest = REQUEST) -> Answered[list[str]]:
    def use_case(unit: Unit) -> list[str]:
        return jobs.create(unit, template_id, jobs.JobOverrides()).job_ids

    return await world.execute(lambda unit: once(unit, request, use_case, lambda ids: ids[0].encode()))


async def newest_name(world: World, template_id: str) -> str:
    """Jobs are called by how many there were."""
    return (await world.job(await world.create(template_id))).name


async def test_a_slot_has_one_answer(world: World) -> None:
    assert await world.query(lambda unit: unit.tx.kept_answer("slot")) is None
    await world.execute(lambda unit: keep(unit, "slot", 5))
    assert await world.query(lambda unit: unit.tx.kept_answer("slot")) == KeptAnswer("digest", b"\x00\xff")
    with pytest.raises(Conflict):
        await world.execute(lambda unit: keep(unit, "slot", 6))


async def test_old_answers_go_in_pieces_the_oldest_first(world: World) -> None:
    for at_ms in (30, 10, 20, 40):
        await world.execute(partial(keep, slot=f"at {at_ms}", at_ms=at_ms))
    assert await world.execute(lambda unit: unit.tx.forget_answers(40, 2)) == 2
    assert await world.query(lambda unit: unit.tx.kept_answer("at 20")) is None
    assert await world.query(lambda unit: unit.tx.kept_answer("at 30")) is not None
    assert await world.execute(lambda unit: unit.tx.forget_answers(40, 2)) == 1
    assert await world.query(lambda unit: unit.tx.kept_answer("at 40")) is not None


async def test_an_answer_stays_for_a_day_and_is_swept_then(world: World) -> None:
    now_ms = world.store.now_ms()
    for number in range(3):
        await world.execute(partial(keep, slot=f"old {number}", at_ms=now_ms - KEPT_MS - 60_000))
    await world.execute(lambda unit: keep(unit, "young", now_ms - KEPT_MS + 3_600_000))
    assert await sweep(world.store) == 3
    assert await world.query(lambda unit: unit.tx.kept_answer("young")) is not None
    assert await sweep(world.store) == 0


async def test_what_was_done_is_answered_again_and_not_done_again(world: World) -> None:
    template_id = await world.template([step("only")])
    first, again = await create_once(world, template_id), await create_once(world, template_id)
    assert (first.again, again.again, again.result) == (False, True, None)
    assert first.body == again.body == (first.result or [""])[0].encode()
    with pytest.raises(KeyReused):
        await create_once(world, template_id, KeyedRequest("slot", "another digest"))
    assert (await create_once(world, template_id, KeyedRequest("another slot", "digest"))).body != first.body
    assert await newest_name(world, template_id) == "JOB_3"


async def test_a_refusal_is_not_kept(world: World) -> None:
    """Whatever stood in the way may be gone when the request comes again."""

    def refuse(_: Unit) -> str:
        raise RuleViolation("not today")

    with pytest.raises(RuleViolation, match="not today"):
        await world.execute(lambda unit: once(unit, REQUEST, refuse, str.encode))
    done = await world.execute(lambda unit: once(unit, REQUEST, lambda _: "done", str.encode))
    assert (done.body, done.again) == (b"done", False)


async def test_of_equal_requests_at_once_one_is_carried_out(world: World) -> None:
    """Where several transactions write at once, the others are told that it is in flight, or get its answer."""
    template_id = await world.template([step("only")])
    for number in range(10):
        request = KeyedRequest(f"slot {number}", "digest")
        found = await asyncio.gather(
            *(create_once(world, template_id, request) for _ in range(4)), return_exceptions=True
        )
        answered = [each for each in found if isinstance(each, Answered)]
        assert all(isinstance(each, KeyInFlight) for each in found if each not in answered)
        assert [each.again for each in answered].count(False) == 1
        assert len({each.body for each in answered}) == 1
    assert await newest_name(world, template_id) == "JOB_11"


async def test_a_slot_that_is_claimed_is_refused_at_once_or_waited_for(
    world: World, backend_settings: Settings
) -> None:
    """Two nodes on PostgreSQL: the second is not held up by a transaction of the first that takes long."""
    if "database_url" not in backend_settings:
        assert await world.execute(lambda unit: unit.tx.claim_slot("slot"))
        return
    loop = asyncio.get_running_loop()
    claimed = asyncio.Event()
    may_end = loop.create_future()

    def hold(unit: Unit) -> bool:
        mine = unit.tx.claim_slot("slot")
        loop.call_soon_threadsafe(claimed.set)
        asyncio.run_coroutine_threadsafe(_result(may_end), loop).result()
        return mine

    first = asyncio.create_task(world.execute(hold))
    await claimed.wait()
    try:
        assert not await world.execute(lambda unit: unit.tx.claim_slot("slot"))
        assert await world.execute(lambda unit: unit.tx.claim_slot("another"))
    finally:
        may_end.set_result(None)
    assert await first
    assert await world.execute(lambda unit: unit.tx.claim_slot("slot"))


async def _result(future: "asyncio.Future[None]") -> None:
    await future
