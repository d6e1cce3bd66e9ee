"""Users, groups, links to roles and keys: what changes, who may change it, and that nodes are told."""

from collections.abc import Callable

import pytest

from app.domain.access import ADMIN_ROLE
from app.errors import Conflict, InvalidValue, NotFound, PermissionDenied, Unauthenticated
from app.services import people
from app.services.engine import Unit
from app.services.first_start import ADMIN, ADMIN_GROUP
from app.services.keys import ensure_signing_key, rotate_signing_key
from tests.services.house import House

pytestmark = pytest.mark.anyio

ROLE = "View Jobs"


async def test_a_user_in_a_linked_group_has_the_roles_privileges(house: House) -> None:
    group = await house.act(lambda unit: people.add_group(unit, "Viewers", [ROLE]))
    await house.act(lambda unit: people.add_user(unit, "ann", None, full_name="Ann", groups=["Viewers"]))
    actor = await house.actor("ann")
    assert actor.groups == {group.group_id}
    assert actor.may("viewWorkPage")
    assert not actor.may("jobCreate")


async def test_a_group_may_be_named_by_its_id(house: House) -> None:
    group = await house.act(lambda unit: people.add_group(unit, "Viewers"))
    await house.act(lambda unit: people.add_user(unit, "ann", None))
    await house.act(lambda unit: people.set_member(unit, "ann", group.group_id, member=True))
    user = await house.store.read(lambda tx: tx.user("ann"))
    assert user is not None
    assert user.groups == (group.group_id,)


@pytest.mark.parametrize(
    "change",
    [
        lambda unit: people.add_user(unit, "ben", None),
        lambda unit: people.remove_user(unit, "ann"),
        lambda unit: people.set_disabled(unit, "ann", disabled=True),
        lambda unit: people.set_member(unit, "ann", ADMIN_GROUP, member=True),
        lambda unit: people.add_group(unit, "Others"),
        lambda unit: people.link_role(unit, ADMIN_GROUP, ROLE, linked=True),
        lambda unit: rotate_signing_key(unit, "key-2", b"2" * 32),
    ],
)
async def test_each_change_that_can_matter_raises_the_access_version_and_is_told(
    house: House, change: Callable[[Unit], object]
) -> None:
    await house.act(lambda unit: people.add_user(unit, "ann", None))
    before, told = await house.version(), house.listener.told
    await house.act(change)
    assert await house.version() > before
    assert house.listener.told == told + 1


async def test_a_disabled_user_is_nobody_until_enabled_again(house: House) -> None:
    await house.act(lambda unit: people.add_user(unit, "ann", None, groups=[ADMIN_GROUP]))
    await house.act(lambda unit: people.set_disabled(unit, "ann", disabled=True))
    with pytest.raises(Unauthenticated):
        await house.actor("ann")
    await house.act(lambda unit: people.set_disabled(unit, "ann", disabled=False))
    assert (await house.actor("ann")).may("adminAdvanced")


async def test_who_leaves_a_group_loses_its_roles(house: House) -> None:
    await house.act(lambda unit: people.add_user(unit, "ann", None, groups=[ADMIN_GROUP]))
    await house.act(lambda unit: people.set_member(unit, "ann", ADMIN_GROUP, member=False))
    with pytest.raises(PermissionDenied):
        await house.actor("ann")


async def test_a_group_that_is_unlinked_loses_the_role(house: House) -> None:
    await house.act(lambda unit: people.add_group(unit, "Viewers", [ROLE]))
    await house.act(lambda unit: people.add_user(unit, "ann", None, groups=["Viewers"]))
    await house.act(lambda unit: people.link_role(unit, "Viewers", ROLE, linked=False))
    with pytest.raises(PermissionDenied):
        await house.actor("ann")


async def test_a_removed_user_is_gone_and_can_be_added_again(house: House) -> None:
    await house.act(lambda unit: people.add_user(unit, "ann", None))
    await house.act(lambda unit: people.remove_user(unit, "ann"))
    assert await house.store.read(lambda tx: tx.user("ann")) is None
    await house.act(lambda unit: people.add_user(unit, "ann", None))
    assert await house.store.read(lambda tx: tx.user("ann")) is not None


async def test_a_password_replaces_the_one_before(house: House) -> None:
    await house.act(lambda unit: people.set_password(unit, ADMIN, "another hash"))
    assert await house.store.read(lambda tx: tx.password_hash(ADMIN)) == "another hash"


@pytest.mark.parametrize("name", ["", " ann", "an n", "a'b", 'a"b', "a/b", "ann\n", "x" * 129, "system", "System"])
async def test_a_name_that_cannot_be_a_users_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        people.check_username(name)


@pytest.mark.parametrize("name", ["ann", "ann@example.org", "Zoë", "a.b-c_d+e", "x" * 128])
async def test_a_name_that_can_be_a_users_is_taken(name: str) -> None:
    assert people.check_username(name) == name


@pytest.mark.parametrize("name", ["", " x", "x ", "a\nb", "a\x00b", "x" * 129])
async def test_a_name_that_cannot_be_a_groups_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        people.check_group_name(name)


async def test_names_are_checked_before_anything_is_written(house: House) -> None:
    before = await house.store.read(lambda tx: (tx.users(), tx.groups()))
    with pytest.raises(InvalidValue):
        await house.act(lambda unit: people.add_user(unit, "a b", None))
    with pytest.raises(InvalidValue):
        await house.act(lambda unit: people.add_group(unit, " x"))
    assert await house.store.read(lambda tx: (tx.users(), tx.groups())) == before


async def test_names_that_are_taken_are_refused_whatever_their_letter_case(house: House) -> None:
    with pytest.raises(Conflict):
        await house.act(lambda unit: people.add_user(unit, "Admin", None))
    with pytest.raises(Conflict):
        await house.act(lambda unit: people.add_group(unit, ADMIN_GROUP))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda unit: people.add_user(unit, "ann", None, groups=["Nobody"]), "The groups are: 'Workflow Manager Admin"),
        (lambda unit: people.set_member(unit, "ann", ADMIN_GROUP, member=True), "no user 'ann'"),
        (lambda unit: people.remove_user(unit, "ann"), "no user 'ann'"),
        (lambda unit: people.set_password(unit, "ann", "hash"), "no user 'ann'"),
        (lambda unit: people.set_disabled(unit, "ann", disabled=True), "no user 'ann'"),
        (lambda unit: people.add_group(unit, "Crew", ["Boss"]), f"The roles are: '{ADMIN_ROLE}'"),
        (lambda unit: people.link_role(unit, ADMIN_GROUP, "Boss", linked=True), "no role 'Boss'"),
    ],
)
async def test_what_does_not_exist_is_named_and_nothing_is_written(
    house: House, change: Callable[[Unit], object], words: str
) -> None:
    before = await house.store.read(lambda tx: (tx.items(), tx.users(), tx.groups()))
    with pytest.raises(NotFound, match=words):
        await house.act(change)
    assert await house.store.read(lambda tx: (tx.items(), tx.users(), tx.groups())) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda unit: people.add_user(unit, "ben", None),
        lambda unit: people.remove_user(unit, ADMIN),
        lambda unit: people.set_password(unit, ADMIN, "hash"),
        lambda unit: people.set_disabled(unit, ADMIN, disabled=True),
        lambda unit: people.set_member(unit, "ann", ADMIN_GROUP, member=True),
        lambda unit: people.add_group(unit, "Others"),
        lambda unit: people.link_role(unit, "Viewers", ADMIN_ROLE, linked=True),
    ],
)
async def test_only_an_administrator_may_change_people(house: House, change: Callable[[Unit], object]) -> None:
    await house.act(lambda unit: people.add_group(unit, "Viewers", [ROLE]))
    await house.act(lambda unit: people.add_user(unit, "ann", None, groups=["Viewers"]))
    with pytest.raises(PermissionDenied):
        await house.act(change, "ann")
    await house.act(change, ADMIN)


async def test_a_rotated_key_signs_no_more_and_is_kept(house: House) -> None:
    await house.act(lambda unit: rotate_signing_key(unit, "key-2", b"2" * 32))
    old, new = await house.store.read(lambda tx: tx.signing_keys())
    assert (old.key_id, old.secret) == ("key-1", b"1" * 32)
    assert old.retired_ms is not None
    assert (new.key_id, new.retired_ms) == ("key-2", None)


async def test_a_database_keeps_the_key_that_signs(house: House) -> None:
    await house.store.run(lambda tx: ensure_signing_key(tx, "key-9", b"9" * 32))
    assert [key.key_id for key in await house.store.read(lambda tx: tx.signing_keys())] == ["key-1"]
