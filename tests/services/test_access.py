"""Who a caller is, and what is known of somebody who is to be given work."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.job import UNASSIGNED, AssignedType, Assignment
from app.domain.manage import Assignee
from app.errors import PermissionDenied, Unauthenticated
from app.services import people
from app.services.access import assignee_facts, read_actor
from app.services.ports import Group
from tests.conftest import Settings
from tests.support.world import World, open_world, user

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings) as opened:
        yield opened


async def facts(world: World, assignment: Assignment) -> Assignee:
    return await world.query(lambda unit: assignee_facts(unit.tx, unit.item, assignment))


async def test_a_users_privileges_are_those_of_all_their_groups_roles(backend_settings: Settings) -> None:
    async with open_world(backend_settings) as world:
        own = await world.add_user("ana", role="View Jobs")
        other = await world.add_user("ben", role="Manage Jobs - Basic")
        await world.join("ana", other)
        actor = await world.query(lambda unit: unit.actor, "ana")
        assert actor.groups == {own, other}
        assert actor.may("viewManagePage")
        assert actor.may("jobUpdateHolds")
        assert not actor.may("jobCreate")
        assert not actor.is_system


async def test_somebody_without_a_role_here_is_told_what_to_ask_for(world: World) -> None:
    await world.add_user("outsider", role=None)
    with pytest.raises(PermissionDenied, match="administrator of the item can link"):
        await world.query(lambda unit: unit.actor, "outsider")


async def test_names_are_compared_letter_by_letter(world: World) -> None:
    await world.add_user("ana")
    with pytest.raises(Unauthenticated):
        await world.query(lambda unit: read_actor(unit.tx, unit.item, "Ana"))
    assert not (await facts(world, user("Ana"))).exists


async def test_what_is_known_of_a_user_who_is_to_be_given_work(world: World) -> None:
    group_id = await world.add_user("ana", role="View Jobs")
    await world.add_user("outsider", role=None)
    assert await facts(world, user("ana")) == Assignee(exists=True, has_role=True, groups=frozenset({group_id}))
    no_role = Assignee(exists=True, has_role=False)  # groups count only where they have a role
    assert await facts(world, user("outsider")) == no_role
    await world.execute(lambda unit: people.set_disabled(unit, "ana", disabled=True))
    assert not (await facts(world, user("ana"))).exists
    for nobody in (user("nobody"), Assignment(AssignedType.USER, None), UNASSIGNED):
        assert await facts(world, nobody) == Assignee(exists=False, has_role=False)


async def test_what_is_known_of_a_group_that_is_to_be_given_work(world: World) -> None:
    linked = await world.add_user("ana", role="View Jobs")
    await world.execute(lambda unit: unit.tx.add_group(Group("loose", "Nobody's")))
    for group_id, exists, has_role in ((linked, True, True), ("loose", True, False), ("nothing", False, False)):
        assert await facts(world, Assignment(AssignedType.GROUP, group_id)) == Assignee(exists, has_role)
