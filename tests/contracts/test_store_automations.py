"""Automations in the store: an item's own, locked by who changes them, and taken once for each moment."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.domain.job import AutomationType, Origin
from app.services.ports import Automation, DueAutomation, Item, JobTemplate
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store.databases import AnyStore, Database, item_of, locked, new_database, new_job

pytestmark = pytest.mark.anyio

DAILY = Automation(
    "daily", "t", "Each day", AutomationType.SCHEDULED, True, '{"timeType":"HourOfDay"}', None, "ana", 5, next_ms=10
)
HOOK = Automation("hook", "t", "From outside", AutomationType.WEBHOOK, True, "{}", b"\x00\xff", "ana", 5)


@pytest.fixture
async def database(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    async with new_database(backend, request) as made:
        yield made


@pytest.fixture
async def store(database: Database) -> AnyStore:
    opened = await database.open_store()
    await opened.run(lambda tx: add_templates(tx, item_of(tx), "t", "other"))
    return opened


def add_templates(tx: SqlTx, item: Item, *template_ids: str) -> None:
    for template_id in template_ids:
        tx.put_template(item, JobTemplate(template_id, template_id, "Active", "d", None, None, b"{}", "ana", 0))


def put(tx: SqlTx, *automations: Automation) -> None:
    for automation in automations:
        tx.put_automation(item_of(tx), automation)


async def test_automations_are_written_read_changed_and_deleted(store: AnyStore) -> None:
    elsewhere = replace(HOOK, automation_id="elsewhere", template_id="other")
    await store.run(lambda tx: put(tx, DAILY, HOOK, elsewhere))
    assert await store.read(lambda tx: tx.automations(item_of(tx), "t")) == [DAILY, HOOK]
    assert await store.read(lambda tx: tx.automations(item_of(tx))) == [DAILY, HOOK, elsewhere]
    assert await store.read(lambda tx: tx.automation(item_of(tx), "hook")) == HOOK
    assert await store.read(lambda tx: tx.automation(item_of(tx), "unknown")) is None
    changed = replace(
        DAILY, name="x", enabled=False, details="{}", secret=b"s", set_ms=6, next_ms=None, occurrences=3, last_ms=7,
        last_error="No.", last_error_ms=8,
    )  # fmt: skip
    await store.run(lambda tx: put(tx, changed))
    assert await store.run(lambda tx: tx.lock_automations(item_of(tx), "t")) == [changed, HOOK]
    await store.run(lambda tx: tx.delete_automation(item_of(tx), "daily"))
    assert await store.read(lambda tx: tx.automations(item_of(tx), "t")) == [HOOK]


async def test_a_deleted_template_takes_its_automations_along(store: AnyStore) -> None:
    await store.run(lambda tx: put(tx, DAILY))
    await store.run(lambda tx: add_templates(tx, item_of(tx), "t"))  # written again it is the same one
    assert await store.read(lambda tx: tx.automations(item_of(tx))) == [DAILY]
    await store.run(lambda tx: tx.delete_template(item_of(tx), "t"))
    assert await store.read(lambda tx: tx.automations(item_of(tx))) == []
    assert await store.read(lambda tx: tx.next_automation_ms()) is None


async def test_another_item_has_automations_of_its_own(store: AnyStore) -> None:
    def add_another(tx: SqlTx) -> Item:
        another = tx.add_item("another", "workflow", "Another")
        add_templates(tx, another, "t")
        tx.put_automation(another, replace(DAILY, name="Theirs"))
        return another

    another = await store.run(add_another)
    assert await store.read(lambda tx: tx.automations(item_of(tx))) == []
    await store.run(lambda tx: put(tx, HOOK))
    await store.run(lambda tx: tx.delete_automation(item_of(tx), "daily"))
    assert await store.read(lambda tx: tx.automation(item_of(tx), "daily")) is None
    assert await store.run(lambda tx: tx.take_automation(item_of(tx), "daily", 10)) is None
    assert [each.name for each in await store.read(lambda tx: tx.automations(another))] == ["Theirs"]


async def test_what_is_due_is_found_in_all_items_longest_due_first(store: AnyStore) -> None:
    later, first = replace(DAILY, automation_id="later", next_ms=30), replace(DAILY, automation_id="first", next_ms=9)
    await store.run(lambda tx: put(tx, DAILY, later, HOOK, first))
    assert await store.read(lambda tx: tx.next_automation_ms()) == 9
    found = await store.read(lambda tx: tx.due_automations(29))
    assert found == [DueAutomation("item", "first", 9), DueAutomation("item", "daily", 10)]
    assert await store.read(lambda tx: tx.due_automations(29, limit=1)) == found[:1]
    assert await store.read(lambda tx: tx.due_automations(8)) == []


async def test_a_schedule_is_taken_only_for_the_moment_it_is_due_at(store: AnyStore) -> None:
    await store.run(lambda tx: put(tx, DAILY))
    assert await store.run(lambda tx: tx.take_automation(item_of(tx), "daily", 10)) == DAILY
    assert await store.run(lambda tx: tx.take_automation(item_of(tx), "daily", 11)) is None


async def test_of_transactions_that_take_one_moment_at_once_one_has_it(store: AnyStore) -> None:
    """Each moves the schedule on in the transaction that has taken it; whoever is late or beside it gets nothing."""
    await store.run(lambda tx: put(tx, DAILY))

    def take(tx: SqlTx) -> int:
        automation = tx.take_automation(item_of(tx), "daily", 10)
        if automation is None:
            return 0
        put(tx, replace(automation, next_ms=20, occurrences=automation.occurrences + 1))
        return 1

    assert sum(await asyncio.gather(*(store.run(take) for _ in range(8)))) == 1
    assert await store.read(lambda tx: tx.automations(item_of(tx))) == [replace(DAILY, next_ms=20, occurrences=1)]


async def test_what_became_of_a_request_is_noted_and_nothing_else_is_written(store: AnyStore) -> None:
    await store.run(lambda tx: put(tx, HOOK, DAILY))
    await store.run(lambda tx: tx.note_automation_error(item_of(tx), "hook", "No.", 7))
    noted = replace(HOOK, last_error="No.", last_error_ms=7)
    assert await store.read(lambda tx: tx.automations(item_of(tx))) == [noted, DAILY]
    for _ in range(2):
        assert await store.run(lambda tx: tx.count_occurrence(item_of(tx), "hook", 8))
    counted = replace(HOOK, occurrences=2, last_ms=8)
    assert await store.read(lambda tx: tx.automations(item_of(tx))) == [counted, DAILY]
    assert not await store.run(lambda tx: tx.count_occurrence(item_of(tx), "gone", 8))


async def test_nothing_is_due_in_an_item_that_is_being_deleted(store: AnyStore) -> None:
    await store.run(lambda tx: put(tx, DAILY))
    await store.run(lambda tx: tx.let_item_go(item_of(tx)))
    assert await store.read(lambda tx: tx.next_automation_ms()) is None
    assert await store.read(lambda tx: tx.due_automations(100)) == []


async def test_a_job_keeps_which_automation_made_it(store: AnyStore) -> None:
    origin = Origin("daily", AutomationType.SCHEDULED)
    made, by_hand = new_job("made", origin=origin), new_job("by hand")
    await store.run(lambda tx: [tx.add_job(item_of(tx), job) for job in (made, by_hand)])
    read = await store.run(lambda tx: tx.lock_jobs(item_of(tx), ["made", "by hand"]))
    assert (read["made"].job, read["by hand"].job) == (made, by_hand)

    def rename(tx: SqlTx) -> None:
        record = locked(tx, "made")
        record.job = replace(record.job, name="Another")
        tx.save_job(record)

    await store.run(rename)
    found = await store.read(lambda tx: tx.job(item_of(tx), "made"))
    assert found is not None
    assert found.job == replace(made, name="Another")
