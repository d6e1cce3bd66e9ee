"""The way into the store: what follows a commit always follows, what fails leaves nothing, who asks is judged anew."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.domain.access import Actor
from app.domain.commands import Run
from app.errors import Conflict, NotFound, PermissionDenied, StoreUnavailable, Unauthenticated
from app.services import jobs, people
from app.services.access import Actors
from app.services.engine import Caller, Engine, Ids, Unit, new_id
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID
from app.services.ports import Item, Tx
from tests.conftest import Settings
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

T = TypeVar("T")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings) as opened:
        yield opened


async def test_effects_follow_the_commit_also_when_the_caller_has_gone_away(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        job_id = await world.create(await world.template([step("only")]))
        act = asyncio.create_task(world.act(job_id, Run()))
        await asyncio.sleep(0)  # the call is on its way to the database thread now
        act.cancel()
        with pytest.raises(asyncio.CancelledError):
            await act
        await world.ear.until(lambda: "StepInfoRequired" in world.ear.types(job_id))
        assert world.ear.messages == await world.feed(job_id)


async def test_a_use_case_that_raises_leaves_nothing_and_tells_nobody(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        job_id = await world.create(await world.template([step("only")]))
        before = await world.record(job_id)

        def act_and_fail(unit: Unit) -> None:
            jobs.act(unit, job_id, Run())
            raise Conflict("changed my mind")

        with pytest.raises(Conflict):
            await world.execute(act_and_fail)
        assert await world.record(job_id) == before
        assert await world.feed(job_id) == world.ear.messages == []


async def test_ids_are_the_same_when_a_transaction_is_tried_again(world: World) -> None:
    """A commit whose outcome is unknown may have happened: the second try must find what the first one wrote."""
    seen: list[list[str]] = []

    class TwiceStore:
        async def run(self, use_case: Callable[[Tx], T], **options: Any) -> T:
            def lose(tx: Tx) -> None:
                use_case(tx)
                raise StoreUnavailable("the first try was lost")

            with pytest.raises(StoreUnavailable):
                await world.store.run(lose)
            return await world.store.run(use_case, **options)

    engine = Engine(TwiceStore(), world.ear, world.runner)  # type: ignore[arg-type]
    template = await world.template([step("only")])

    def create(unit: Unit) -> str:
        ids = jobs.create(unit, template, jobs.JobOverrides(number_of_jobs=2)).job_ids
        seen.append(ids)
        return ids[0]

    job_id = await engine.execute(Caller(ORG_ID, ITEM_ID, ADMIN), create)
    assert seen[0] == seen[1]
    assert seen[0][0] == job_id
    assert await world.record(job_id) is not None


def test_ids_differ_within_a_command_and_between_commands() -> None:
    one, two = Ids("a"), Ids("b")
    made = [*(one() for _ in range(100)), *(two() for _ in range(100)), *(new_id() for _ in range(100))]
    assert len(set(made)) == 300
    assert {len(made_id) for made_id in made} == {22}
    assert all(character.isalnum() or character in "-_" for made_id in made for character in made_id)


@pytest.mark.parametrize(("org_id", "item_id"), [("elsewhere", ITEM_ID), (ORG_ID, "0" * 32), ("", "")])
async def test_an_item_that_is_not_there_is_not_found(world: World, org_id: str, item_id: str) -> None:
    caller = Caller(org_id, item_id, ADMIN)
    for call in (world.engine.execute, world.engine.query):
        with pytest.raises(NotFound) as refused:
            await call(caller, lambda unit: unit.item)
        assert refused.value.name == "ItemNotFound"


async def test_a_user_who_is_removed_or_disabled_is_refused_at_the_next_call(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        await world.add_user("ana")
        assert await world.query(lambda unit: unit.actor.username, "ana") == "ana"
        await world.execute(lambda unit: people.set_disabled(unit, "ana", disabled=True))
        for call in (world.query, world.execute):
            with pytest.raises(Unauthenticated):
                await call(lambda unit: unit.actor.username, "ana")
        await world.execute(lambda unit: people.set_disabled(unit, "ana", disabled=False))
        assert await world.query(lambda unit: unit.actor.username, "ana") == "ana"
        with pytest.raises(Unauthenticated):
            await world.query(lambda unit: unit.actor, "nobody")


async def test_a_role_that_is_taken_away_is_missed_at_once(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        group_id = await world.add_user("ana", role="Workflow Designer")
        template = await world.template([step("only", canSkip=True)])
        await world.create(template, "ana")

        def link(unit: Unit, role: str, linked: bool) -> None:
            unit.tx.link_role(unit.item, group_id, role, linked)
            unit.tx.bump_access(unit.item)

        await world.execute(lambda unit: link(unit, "View Jobs", True))
        await world.execute(lambda unit: link(unit, "Workflow Designer", False))
        with pytest.raises(PermissionDenied, match="jobCreate"):
            await world.create(template, "ana")
        await world.execute(lambda unit: link(unit, "View Jobs", False))
        with pytest.raises(PermissionDenied, match="no group that has a role"):
            await world.create(template, "ana")


async def test_rights_that_were_read_in_a_batch_that_failed_are_not_remembered(world: World) -> None:
    """The race: a use case grants rights, the next one of the same batch is judged by them, and the commit fails.

    The access version they had is given out again to whatever changes next.
    """
    group_id = await world.add_user("ana", role="View Jobs")
    template = await world.template([step("only")])

    class GrantingStore:
        """Lets each use case find ana an administrator, and then fails to commit all of it."""

        async def run(self, use_case: Callable[[Tx], T], **_: Any) -> T:
            def granted(tx: Tx) -> T:
                item = tx.items()[0]
                tx.link_role(item, group_id, "Workflow Administrator", True)
                tx.bump_access(item)
                use_case(tx)
                raise StoreUnavailable("the disk is full")

            return await world.store.run(granted)

    engine = Engine(GrantingStore(), world.ear, world.runner)  # type: ignore[arg-type]
    caller = Caller(ORG_ID, ITEM_ID, "ana")
    with pytest.raises(StoreUnavailable):
        await engine.execute(caller, lambda unit: jobs.create(unit, template, jobs.JobOverrides()))
    await world.execute(lambda unit: unit.tx.bump_access(unit.item))
    engine.store = world.store
    with pytest.raises(PermissionDenied):
        await engine.execute(caller, lambda unit: jobs.create(unit, template, jobs.JobOverrides()))


async def test_the_server_itself_is_never_refused_and_never_remembered(world: World) -> None:
    actor = await world.execute(lambda unit: unit.actor, None)
    assert (actor.is_system, actor.username) == (True, "system")
    await world.execute(lambda unit: unit.tx.add_user("system", None))
    with pytest.raises(PermissionDenied):
        await world.query(lambda unit: unit.actor, "system")


async def test_what_is_asked_of_the_runner_is_asked_after_the_messages_are_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner that was quicker could finish a step before subscribers hear that it began."""
    order: list[str] = []
    monkeypatch.setattr(world.ear, "publish", lambda _: order.append("told"))
    monkeypatch.setattr(world.runner, "started", lambda _: order.append("begun"))
    job_id = await world.create(await world.template([step("serve", "WebRequest")]))
    await world.act(job_id, Run())
    assert order == ["told", "begun"]


def test_the_memory_of_actors_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.access._CACHE_SIZE", 3)
    actors, item = Actors(), Item(1, ITEM_ID, ORG_ID, "Workflow", 1)
    for number in range(10):
        actors.keep(item, Actor(f"user {number}"))
    assert actors.load(NO_TX, item, "user 9") == Actor("user 9")
    with pytest.raises(AttributeError):
        actors.load(NO_TX, item, "user 0")


NO_TX: Any = object()
"""Whoever reads from it has not remembered."""
