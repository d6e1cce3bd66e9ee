"""What is set up in the store: items, diagrams, templates, people, roles, keys, lookups, searches."""

from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from app.domain.access import Role
from app.domain.diagram import DRAFT_VERSION
from app.errors import Conflict, NotFound
from app.services.ports import (
    DiagramSummary,
    Group,
    JobTemplate,
    SavedSearch,
    Setting,
    SigningKey,
    StoredTemplate,
    User,
)
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store import databases
from tests.store.databases import AnyStore, Database, diagram_record, item_of, new_database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    async with new_database(backend, request) as made:
        yield made


@pytest.fixture
async def store(database: Database) -> AnyStore:
    return await database.open_store()


def template(template_id: str = "t", name: str = "Template") -> JobTemplate:
    return JobTemplate(template_id, name, "Active", "diagram", "Category", None, b'{"x": 1}', "ann", 5)


# ---------------------------------------------------------------- items


async def test_an_item_is_found_in_its_organisation_only(store: AnyStore) -> None:
    item = await store.run(item_of)
    assert await store.read(lambda tx: tx.item("workflow", "item")) == item
    assert await store.read(lambda tx: tx.item("other", "item")) is None
    with pytest.raises(Conflict):
        await store.run(lambda tx: tx.add_item("item", "other", "Same id"))


async def test_access_versions_grow_for_one_item_or_for_all(store: AnyStore) -> None:
    first = await store.run(item_of)
    await store.run(lambda tx: tx.add_item("second", "workflow", "Second"))
    await store.run(lambda tx: tx.bump_access(first))
    await store.run(lambda tx: tx.bump_access(None))
    assert [item.access_version for item in await store.read(SqlTx.items)] == [3, 2]


async def test_lookups_are_replaced_by_type_and_keep_their_order(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        item = item_of(tx)
        tx.put_lookups(item, "priority", [("Low", 1), ("High", 2)])
        tx.put_lookups(item, "status", [("New", 1)])
        tx.put_lookups(item, "priority", [("Urgent", 9), ("High", 2)])

    await store.run(write)
    item = await store.run(item_of)
    assert await store.read(lambda tx: tx.lookups(item, "priority")) == [("Urgent", 9), ("High", 2)]
    assert await store.read(lambda tx: tx.lookups(item, "status")) == [("New", 1)]
    assert await store.read(lambda tx: tx.lookups(item, "other")) == []
    with pytest.raises(Conflict):
        await store.run(lambda tx: tx.put_lookups(item, "status", [("New", 1), ("New", 2)]))
    assert await store.read(lambda tx: tx.lookups(item, "status")) == [("New", 1)]


async def test_a_setting_is_replaced_by_its_name(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        item, other = item_of(tx), tx.add_item("second", "workflow", "Second")
        tx.put_setting(item, Setting("b", b"\x00\xff", True))
        tx.put_setting(item, Setting("a", b"1", False))
        tx.put_setting(other, Setting("a", b"2", False))
        tx.put_setting(item, Setting("b", b"new", False))
        tx.put_setting(item, Setting("c", b"gone", False))
        tx.delete_setting(item, "c")

    await store.run(write)
    item = await store.run(item_of)
    assert await store.read(lambda tx: tx.settings(item)) == [Setting("b", b"new", False), Setting("a", b"1", False)]


async def test_stored_templates_are_kept_by_type_and_id(store: AnyStore) -> None:
    first, second = StoredTemplate("email", "t2", "B", "{}"), StoredTemplate("email", "t1", "A", "text")
    other = StoredTemplate("notes", "t1", "C", "{}")

    def write(tx: SqlTx) -> None:
        item, elsewhere = item_of(tx), tx.add_item("second", "workflow", "Second")
        for each in (first, second, other, StoredTemplate("email", "t2", "B", "newer")):
            tx.put_stored_template(item, each)
        tx.put_stored_template(elsewhere, first)
        tx.delete_stored_template(item, "notes", "t2")
        tx.delete_stored_template(item, "email", "t1")

    await store.run(write)
    item = await store.run(item_of)
    newer = StoredTemplate("email", "t2", "B", "newer")
    assert await store.read(lambda tx: tx.stored_templates(item, "email")) == [newer]
    assert await store.read(lambda tx: tx.stored_template(item, "email", "t2")) == newer
    assert await store.read(lambda tx: tx.stored_template(item, "email", "t1")) is None
    assert await store.read(lambda tx: tx.stored_template(item, "notes", "t1")) == other


async def test_a_search_is_replaced_by_its_id_and_deleted(store: AnyStore) -> None:
    full = SavedSearch("s2", "All", "Chart", "folder", b"{}", "Default", 7, ("g2", "g1"))
    bare = SavedSearch("s1", "Mine", "Standard", None, None, None, None)

    def write(tx: SqlTx) -> None:
        for search in (SavedSearch("s2", "Old", "Standard", None, b"[]", None, 1), bare, full):
            tx.put_search(item_of(tx), search)

    await store.run(write)
    item = await store.run(item_of)
    assert await store.read(lambda tx: tx.searches(item)) == [full, bare]
    assert await store.read(lambda tx: tx.search(item, "s2")) == full
    other = await store.run(lambda tx: tx.add_item("second", "workflow", "Second"))
    await store.run(lambda tx: tx.delete_search(item, "s1"))
    await store.run(lambda tx: tx.delete_search(other, "s2"))
    assert await store.read(lambda tx: (tx.searches(item), tx.search(item, "s1"))) == ([full], None)
    assert await store.read(lambda tx: tx.search(other, "s2")) is None


async def test_signing_keys_are_kept_until_retired(store: AnyStore) -> None:
    old, new = SigningKey("k1", b"\x00\xff", 1, 2), SigningKey("k2", b"secret", 3, None)
    for key in (old, new):
        await store.run(partial(SqlTx.add_signing_key, key=key))
    assert await store.read(SqlTx.signing_keys) == [old, new]
    with pytest.raises(Conflict):
        await store.run(lambda tx: tx.add_signing_key(new))
    await store.run(lambda tx: tx.retire_signing_keys(9))
    assert await store.read(SqlTx.signing_keys) == [old, SigningKey("k2", b"secret", 3, 9)]


# ---------------------------------------------------------------- diagrams and templates


async def test_a_diagram_gives_its_newest_activated_version_or_its_draft(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        item = item_of(tx)
        for name, version in (("Draft", DRAFT_VERSION), ("One", 1), ("Two", 2), ("Newer draft", DRAFT_VERSION)):
            tx.put_diagram(item, diagram_record(name, version=version))
        tx.put_diagram(item, diagram_record("Only a draft", diagram_id="other", version=DRAFT_VERSION))

    await store.run(write)
    item = await store.run(item_of)

    async def names(diagram_id: str, version: int | None = None) -> str | None:
        record = await store.read(lambda tx: tx.diagram(item, diagram_id, version))
        return record.diagram.name if record else None

    assert await names("diagram") == "Two"
    assert [await names("diagram", version) for version in (1, 2, DRAFT_VERSION)] == ["One", "Two", "Newer draft"]
    assert await names("diagram", 3) is None
    assert await names("other") == "Only a draft"
    assert await names("nobody") is None
    assert await store.read(lambda tx: tx.diagram(item, "diagram", 1)) == diagram_record("One")
    assert await store.read(lambda tx: tx.diagrams(item)) == [
        DiagramSummary("diagram", "Newer draft", "About Newer draft", active=True, draft=True, latest_version=2),
        DiagramSummary("other", "Only a draft", "About Only a draft", active=False, draft=True, latest_version=None),
    ]
    assert await store.read(lambda tx: tx.diagram_by_name(item, "Newer draft")) == "diagram"
    assert await store.read(lambda tx: tx.diagram_by_name(item, "newer draft")) is None


async def test_an_activated_version_cannot_be_written_again(store: AnyStore) -> None:
    await store.run(lambda tx: tx.put_diagram(item_of(tx), diagram_record("One")))
    with pytest.raises(Conflict):
        await store.run(lambda tx: tx.put_diagram(item_of(tx), diagram_record("Another one")))
    item = await store.run(item_of)
    assert await store.read(lambda tx: tx.diagram_by_name(item, "One")) == "diagram"


async def test_two_diagrams_of_an_item_cannot_have_one_name(store: AnyStore) -> None:
    await store.run(lambda tx: tx.put_diagram(item_of(tx), diagram_record("Name")))
    with pytest.raises(Conflict):
        await store.run(lambda tx: tx.put_diagram(item_of(tx), diagram_record("Name", diagram_id="other")))
    elsewhere = await store.run(lambda tx: tx.add_item("second", "workflow", "Second"))
    await store.run(lambda tx: tx.put_diagram(elsewhere, diagram_record("Name")))


async def test_a_diagram_goes_with_its_last_version(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        tx.put_diagram(item_of(tx), diagram_record("One"))
        tx.put_diagram(item_of(tx), diagram_record("Draft", version=DRAFT_VERSION))

    await store.run(write)
    item = await store.run(item_of)
    await store.run(lambda tx: tx.delete_diagram_version(item, "diagram", 1))
    assert [summary.active for summary in await store.read(lambda tx: tx.diagrams(item))] == [False]
    await store.run(lambda tx: tx.delete_diagram_version(item, "diagram", DRAFT_VERSION))
    assert await store.read(lambda tx: tx.diagrams(item)) == []
    assert await store.read(lambda tx: tx.diagram_by_name(item, "Draft")) is None


async def test_a_diagram_is_deleted_with_all_its_versions_and_nothing_else(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        item, other = item_of(tx), tx.add_item("second", "workflow", "Second")
        for version in (1, 2, DRAFT_VERSION):
            tx.put_diagram(item, diagram_record("One", version=version))
        tx.put_diagram(item, diagram_record("Other", diagram_id="other"))
        tx.put_diagram(other, diagram_record("One"))

    await store.run(write)
    item = await store.run(item_of)
    await store.run(lambda tx: tx.delete_diagram(item, "diagram"))
    assert [summary.name for summary in await store.read(lambda tx: tx.diagrams(item))] == ["Other"]
    assert await store.read(lambda tx: tx.diagram(item, "diagram", 1)) is None
    (left,) = await store.read(lambda tx: [tx.diagrams(each) for each in tx.items() if each.key != item.key])
    assert [summary.name for summary in left] == ["One"]
    await store.run(lambda tx: tx.put_diagram(item, diagram_record("One", diagram_id="new")))


async def test_an_activated_version_is_parsed_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = _count_parsing(monkeypatch)
    store = await database.open_store()
    await store.run(lambda tx: tx.put_diagram(item_of(tx), diagram_record("One")))
    item = await store.run(item_of)
    for _ in range(3):
        await store.read(lambda tx: tx.diagram(item, "diagram"))
        await store.run(lambda tx: tx.diagram(item, "diagram", 1))
    assert parsed == ["One"]


async def test_only_so_many_parsed_versions_are_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = _count_parsing(monkeypatch)
    store = await database.open_store(diagrams_cached=2)
    item = await store.run(item_of)
    for name in ("a", "b", "c"):
        await store.run(partial(SqlTx.put_diagram, item=item, record=diagram_record(name, diagram_id=name)))
    for name in ("a", "b", "a", "c", "a", "b"):
        await store.read(partial(SqlTx.diagram, item=item, diagram_id=name))
    assert parsed == ["a", "b", "c", "b"]


async def test_what_was_rolled_back_is_not_remembered(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite gives the key of a row that was rolled back to the next one: a cache filled too early mixes them up."""
    parsed = _count_parsing(monkeypatch)
    store = await database.open_store()
    await store.run(lambda tx: tx.put_diagram(item_of(tx), diagram_record("Draft", version=DRAFT_VERSION)))
    item = await store.run(item_of)

    def write(name: str, then: Callable[[], object]) -> Callable[[SqlTx], object]:
        def use_case(tx: SqlTx) -> object:
            tx.put_diagram(item, diagram_record(name))
            tx.diagram(item, "diagram", 1)
            return then()

        return use_case

    with pytest.raises(ZeroDivisionError):
        await store.run(write("Lost", lambda: 1 / 0))
    await store.run(write("Kept", lambda: None))
    record = await store.read(lambda tx: tx.diagram(item, "diagram", 1))
    assert record is not None
    assert record.diagram.name == "Kept"
    assert parsed == ["Lost", "Kept"]


async def test_a_version_number_used_again_gives_the_new_contents(database: Database) -> None:
    """Also on another node, which has the old contents in its memory and hears nothing of the deletion."""
    store, other = await database.open_store(), await database.open_store()
    item = await store.run(item_of)
    for name in ("Old", "New"):
        await store.run(partial(SqlTx.put_diagram, item=item, record=diagram_record(name)))
        record = await other.read(lambda tx: tx.diagram(item, "diagram", 1))
        assert record is not None
        assert record.diagram.name == name
        await store.run(lambda tx: tx.delete_diagram_version(item_of(tx), "diagram", 1))


def _count_parsing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    parsed: list[str] = []
    real = databases.parse_diagram

    def parse(body: bytes, *, diagram_id: str, version: int) -> object:
        if version != DRAFT_VERSION:
            parsed.append(body.decode())
        return real(body, diagram_id=diagram_id, version=version)

    monkeypatch.setattr(databases, "parse_diagram", parse)
    return parsed


async def test_a_template_is_replaced_by_its_id_and_found_by_its_name(store: AnyStore) -> None:
    await store.run(lambda tx: tx.put_template(item_of(tx), template(name="Old name")))
    await store.run(lambda tx: tx.put_template(item_of(tx), template()))
    await store.run(lambda tx: tx.put_template(item_of(tx), template("u", "Another")))
    item = await store.run(item_of)
    assert await store.read(lambda tx: tx.template(item, "t")) == template()
    assert await store.read(lambda tx: tx.template(item, "x")) is None
    assert await store.read(lambda tx: tx.templates(item)) == [template(), template("u", "Another")]
    assert await store.read(lambda tx: tx.template_by_name(item, "Another")) == "u"
    assert await store.read(lambda tx: tx.template_by_name(item, "Old name")) is None
    with pytest.raises(Conflict):
        await store.run(lambda tx: tx.put_template(item_of(tx), template("v", "Another")))


# ---------------------------------------------------------------- people


async def test_users_have_their_groups_in_the_order_they_joined(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        tx.add_group(Group("g1", "One"))
        tx.add_group(Group("g2", "Two"))
        tx.add_user("ann", "hash", "Ann", "ann@example.org")
        tx.add_user("bob", None)
        for username, group in (("ann", "g2"), ("bob", "g1"), ("ann", "g1"), ("ann", "g2")):
            tx.set_member(username, group, member=True)
        tx.set_member("bob", "g1", member=False)
        tx.set_member("bob", "g1", member=False)

    await store.run(write)
    ann = User("ann", "Ann", "ann@example.org", disabled=False, groups=("g2", "g1"))
    assert await store.read(lambda tx: tx.user("ann")) == ann
    assert await store.read(lambda tx: tx.user("ANN")) is None
    assert await store.read(SqlTx.users) == [ann, User("bob", None, None, disabled=False, groups=())]
    assert await store.read(lambda tx: tx.password_hash("ann")) == "hash"
    assert await store.read(lambda tx: tx.password_hash("bob")) is None
    assert await store.read(lambda tx: tx.password_hash("nobody")) is None


async def test_a_user_can_be_disabled_given_a_password_and_deleted(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        tx.add_group(Group("g", "Group"))
        tx.add_user("ann", None)
        tx.set_member("ann", "g", member=True)
        tx.set_password("ann", "new hash")
        tx.set_disabled("ann", disabled=True)

    await store.run(write)
    ann = await store.read(lambda tx: tx.user("ann"))
    assert ann == User("ann", None, None, disabled=True, groups=("g",))
    assert await store.read(lambda tx: tx.password_hash("ann")) == "new hash"
    assert await store.run(lambda tx: tx.delete_user("ann"))
    assert not await store.run(lambda tx: tx.delete_user("ann"))
    assert await store.read(SqlTx.users) == []
    assert await store.read(SqlTx.groups) == [Group("g", "Group")]


async def test_names_are_taken_once(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        tx.add_user("Straße", None)
        tx.add_group(Group("g", "Group"))

    await store.run(write)
    taken: list[Callable[[SqlTx], object]] = [
        lambda tx: tx.add_user("STRASSE", None),
        lambda tx: tx.add_group(Group("g", "Other")),
        lambda tx: tx.add_group(Group("h", "Group")),
    ]
    for write_again in taken:
        with pytest.raises(Conflict):
            await store.run(write_again)
    await store.run(lambda tx: tx.add_group(Group("h", "group")))
    assert await store.read(lambda tx: tx.group("h")) == Group("h", "group")
    assert await store.read(lambda tx: tx.group_by_name("Group")) == Group("g", "Group")
    assert await store.read(lambda tx: tx.group_by_name("GROUP")) is None
    assert await store.read(lambda tx: tx.group("x")) is None


async def test_what_is_done_to_somebody_unknown_is_not_found(store: AnyStore) -> None:
    item = await store.run(item_of)
    await store.run(lambda tx: tx.add_user("ann", None))
    unknown: list[Callable[[SqlTx], object]] = [
        lambda tx: tx.set_password("nobody", "hash"),
        lambda tx: tx.set_disabled("nobody", disabled=True),
        lambda tx: tx.set_member("ann", "nothing", member=True),
        lambda tx: tx.set_member("nobody", "nothing", member=False),
        lambda tx: tx.link_role(item, "nothing", "Nothing", linked=True),
    ]
    for act in unknown:
        with pytest.raises(NotFound):
            await store.run(act)


async def test_roles_are_linked_to_groups_in_their_item_only(store: AnyStore) -> None:
    def write(tx: SqlTx) -> None:
        item, other = item_of(tx), tx.add_item("second", "workflow", "Second")
        for group in ("g", "h"):
            tx.add_group(Group(group, group))
        tx.put_role(item, Role("View", "old", ("a",)))
        tx.put_role(item, Role("Work", "works", ("b", "c")))
        tx.put_role(item, Role("View", "views", ()))
        tx.put_role(other, Role("View", "elsewhere", ("z",)))
        for group, role in (("h", "Work"), ("g", "View"), ("h", "View"), ("g", "View")):
            tx.link_role(item, group, role, linked=True)
        tx.link_role(item, "g", "View", linked=False)
        tx.link_role(other, "g", "View", linked=True)

    await store.run(write)
    item = await store.run(item_of)
    assert await store.read(lambda tx: tx.roles(item)) == [Role("View", "views", ()), Role("Work", "works", ("b", "c"))]
    assert await store.read(lambda tx: tx.roles_of_groups(item)) == {"h": ("Work", "View")}


async def test_a_deleted_role_is_gone_with_its_links_and_elsewhere_stays(store: AnyStore) -> None:
    def write(tx: SqlTx) -> tuple[bool, bool]:
        item, other = item_of(tx), tx.add_item("second", "workflow", "Second")
        tx.add_group(Group("g", "g"))
        for each in (item, other):
            tx.put_role(each, Role("View", "views", ()))
            tx.link_role(each, "g", "View", linked=True)
        return tx.delete_role(item, "View"), tx.delete_role(item, "View")

    assert await store.run(write) == (True, False)
    item, other = await store.read(SqlTx.items)
    assert await store.read(lambda tx: (tx.roles(item), tx.roles_of_groups(item))) == ([], {})
    assert await store.read(lambda tx: tx.roles_of_groups(other)) == {"g": ("View",)}
    await store.run(lambda tx: tx.put_role(item, Role("View", "", ())))
    assert await store.read(lambda tx: tx.roles_of_groups(item)) == {}
