"""Roles of an item and of its groups: what a change does to whom, and that the item keeps an administrator."""

from collections.abc import Callable

import pytest

from app.domain.access import ADMIN_ROLE, Role
from app.errors import InvalidValue, NotFound, PermissionDenied, RuleViolation
from app.protocol.community import GroupUpdate, RoleBody, RolesGiven
from app.services import people, roles
from app.services.engine import Unit
from app.services.first_start import ADMIN
from tests.services.house import House

pytestmark = pytest.mark.anyio

CREW = "Crew"


def give(*names: str) -> GroupUpdate:
    return GroupUpdate(adds=RolesGiven(list(names)))


def take(*names: str) -> GroupUpdate:
    return GroupUpdate(deletes=RolesGiven(list(names)))


async def crew(house: House) -> str:
    """Make a group without roles, with ann in it; returns its id."""
    group = await house.act(lambda unit: people.add_group(unit, CREW))
    await house.act(lambda unit: people.add_user(unit, "ann", None, groups=[CREW]))
    return group.group_id


async def admins_roles(house: House) -> tuple[object, object, int]:
    def found(unit: Unit) -> tuple[object, object]:
        return unit.tx.roles(unit.item), unit.tx.roles_of_groups(unit.item)

    return (*await house.act(found), await house.version())


async def test_what_a_role_gives_follows_each_change_of_it(house: House) -> None:
    crew_id = await crew(house)
    await house.act(lambda unit: roles.put(unit, "Boss", RoleBody(privileges=["jobClose", "jobClose"])), ADMIN)
    await house.act(lambda unit: roles.update_group(unit, crew_id, give("Boss", "View Jobs")), ADMIN)
    assert (await house.actor("ann")).may("jobClose")
    await house.act(lambda unit: roles.put(unit, "Boss", RoleBody(privileges=["jobDelete"])), ADMIN)
    actor = await house.actor("ann")
    assert (actor.may("jobClose"), actor.may("jobDelete")) == (False, True)
    assert await house.act(lambda unit: roles.delete(unit, "Boss"), ADMIN)
    assert not (await house.actor("ann")).may("jobDelete")
    await house.act(lambda unit: roles.update_group(unit, crew_id, take("View Jobs")), ADMIN)
    with pytest.raises(PermissionDenied):
        await house.actor("ann")


@pytest.mark.parametrize(
    "change",
    [
        lambda unit, _: roles.put(unit, "Boss", RoleBody(privileges=[])),
        lambda unit, _: roles.delete(unit, "View Jobs"),
        lambda unit, crew_id: roles.update_group(unit, crew_id, give("View Jobs")),
    ],
)
async def test_each_change_raises_the_access_version_and_is_told(
    house: House, change: Callable[[Unit, str], object]
) -> None:
    crew_id = await crew(house)
    before, told = await house.version(), house.listener.told
    await house.act(lambda unit: change(unit, crew_id))
    assert (await house.version(), house.listener.told) == (before + 1, told + 1)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda unit, _: roles.put(unit, "Boss", RoleBody(privileges=["jobClose", "jobFly"])), InvalidValue),
        (lambda unit, _: roles.put(unit, "Boss", RoleBody(role_name="Chief", privileges=[])), InvalidValue),
        (lambda unit, _: roles.put(unit, " Boss", RoleBody(privileges=[])), InvalidValue),
        (lambda unit, _: roles.put(unit, "x" * 129, RoleBody(privileges=[])), InvalidValue),
        (lambda unit, crew_id: roles.update_group(unit, crew_id, give("View Jobs", "Boss")), NotFound),
        (lambda unit, crew_id: roles.update_group(unit, crew_id, take("Boss")), NotFound),
        (lambda unit, _: roles.update_group(unit, "nobody", give("View Jobs")), NotFound),
        (
            lambda unit, crew_id: roles.update_group(
                unit, crew_id, GroupUpdate(RolesGiven(["View Jobs"]), RolesGiven(["View Jobs"]))
            ),
            InvalidValue,
        ),
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_is_written(
    house: House, change: Callable[[Unit, str], object], error: type[Exception]
) -> None:
    crew_id = await crew(house)
    before = await admins_roles(house)
    with pytest.raises(error):
        await house.act(lambda unit: change(unit, crew_id))
    assert await admins_roles(house) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda unit: roles.update_group(unit, "admins", take(ADMIN_ROLE)),
        lambda unit: roles.delete(unit, ADMIN_ROLE),
        lambda unit: roles.put(unit, ADMIN_ROLE, RoleBody(privileges=["adminBasic"])),
    ],
)
async def test_the_item_keeps_an_enabled_administrator(house: House, change: Callable[[Unit], object]) -> None:
    crew_id = await crew(house)
    await house.act(lambda unit: people.set_disabled(unit, "ann", disabled=True))
    await house.act(lambda unit: roles.put(unit, "Boss", RoleBody(privileges=["adminAdvanced"])))
    await house.act(lambda unit: roles.update_group(unit, crew_id, give("Boss")))
    before, told = await admins_roles(house), house.listener.told
    with pytest.raises(RuleViolation, match="nobody could administer") as refusal:
        await house.act(change, ADMIN)
    assert refusal.value.name == "LastAdministrator"
    assert (await admins_roles(house), house.listener.told) == (before, told)
    await house.act(lambda unit: people.set_disabled(unit, "ann", disabled=False))
    await house.act(change, ADMIN)
    with pytest.raises(PermissionDenied):
        await house.act(change, ADMIN)
    assert (await house.actor("ann")).may("adminAdvanced")


async def test_a_change_of_nothing_tells_nobody(house: House) -> None:
    crew_id = await crew(house)
    before, told = await house.version(), house.listener.told
    await house.act(lambda unit: roles.update_group(unit, crew_id, GroupUpdate()))
    assert not await house.act(lambda unit: roles.delete(unit, "Boss"))
    assert (await house.version(), house.listener.told) == (before, told)


async def test_a_role_is_replaced_whole(house: House) -> None:
    await house.act(lambda unit: roles.put(unit, "Boss", RoleBody(description="Old.", privileges=["jobClose"])))
    await house.act(lambda unit: roles.put(unit, "Boss", RoleBody(privileges=[])))
    assert await house.act(lambda unit: roles.role(unit, "Boss")) == Role("Boss", "", ())
