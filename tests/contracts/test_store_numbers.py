"""Numbers, lists of jobs by phase, projects and programs, on both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from app.domain.job import AutomationType, Document, Flow, Origin, Ticket
from app.domain.phases import Phase
from app.errors import Conflict, NotFound
from app.services.ports import ApiClient, JobFilter, JobOrder, Sight
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store.databases import AnyStore, item_of, locked, new_database, new_job

pytestmark = pytest.mark.anyio

DOCUMENT = Document("u1", "mira", "DESK-21", 48_211, 12, 3, 1, duplex=True, color=True, cost=1.85, paper=5)


@pytest.fixture
async def store(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[AnyStore]:
    async with new_database(backend, request) as made:
        yield await made.open_store()


def ended(job_id: str, **members: Any) -> Any:
    return new_job(job_id, flow=Flow(), **members)


async def listed(store: AnyStore, wanted: JobFilter, priorities: dict[str, int] | None = None) -> list[str]:
    def query(tx: SqlTx) -> list[str]:
        return [record.job.job_id for record in tx.list_jobs(item_of(tx), wanted, priorities or {})]

    return await store.read(query)


async def test_a_job_is_found_by_its_number_in_its_own_item_only(store: AnyStore) -> None:
    def fill(tx: SqlTx) -> tuple[int, int]:
        other = tx.add_item("other", "org", "Other")
        return tx.add_job(item_of(tx), new_job()).number, tx.add_job(other, new_job()).number

    here, there = await store.run(fill)
    assert here != there
    found = await store.read(lambda tx: tx.job_by_number(item_of(tx), here))
    assert found is not None
    assert found.job == new_job()
    assert await store.read(lambda tx: tx.job_by_number(item_of(tx), there)) is None


async def test_a_document_names_one_job_for_each_user_it_was_registered_for(store: AnyStore) -> None:
    spooled = new_job(ticket=Ticket(document=DOCUMENT, project=3, favorite=True, worker_tag="gpu", queued_ms=5))
    await store.run(lambda tx: tx.add_job(item_of(tx), replace(spooled, owned_by="somebody else by now")))

    def query(tx: SqlTx) -> tuple[Any, Any, Any]:
        item = item_of(tx)
        found = [tx.job_of_document(item, who, uuid) for who, uuid in (("mira", "u1"), ("otto", "u1"), ("mira", "u2"))]
        return found[0], found[1], found[2]

    found, *others = await store.read(query)
    assert found.job.ticket == spooled.ticket
    assert others == [None, None]
    with pytest.raises(Conflict):
        await store.run(lambda tx: tx.add_job(item_of(tx), replace(spooled, job_id="again")))


async def test_the_phase_is_kept_with_since_when_it_is_so(store: AnyStore) -> None:
    record = await store.run(lambda tx: tx.add_job(item_of(tx), new_job()))
    begun_ms = record.phase_ms
    assert begun_ms > 0

    def rename(tx: SqlTx, **changes: Any) -> int:
        found = locked(tx)
        found.job = replace(found.job, **changes)
        tx.save_job(found)
        return found.phase_ms

    assert await store.run(lambda tx: rename(tx, name="other")) == begun_ms
    ended_ms = await store.run(lambda tx: rename(tx, closed=True))
    assert ended_ms >= begun_ms
    found = await store.read(lambda tx: tx.job(item_of(tx), "job"))
    assert found is not None
    assert found.phase_ms == ended_ms
    assert await listed(store, JobFilter(phases=[Phase.SUCCEEDED], ended_after_ms=ended_ms)) == ["job"]
    assert await listed(store, JobFilter(ended_before_ms=ended_ms)) == []
    assert await listed(store, JobFilter(ended_after_ms=ended_ms + 1)) == []


async def test_lists_are_narrowed_by_what_is_asked_for(store: AnyStore) -> None:
    jobs = [
        new_job("a", owned_by="ann", priority="Low"),
        ended("b", owned_by="ann", template_id="t2", template_name="Two", priority="High"),
        new_job("c", owned_by="ben", ticket=Ticket(cancelled=True), closed=True, priority="Medium"),
        new_job("d", owned_by="cat", priority="Low", origin=Origin("s", AutomationType.SCHEDULED)),
        new_job("e", owned_by="cat", priority="Low", origin=Origin("w", AutomationType.WEBHOOK)),
    ]
    await store.run(lambda tx: [tx.add_job(item_of(tx), job) for job in jobs])
    assert await listed(store, JobFilter(template_id="template")) == ["a", "c", "d", "e"]
    assert await listed(store, JobFilter(sight=Sight("ann"))) == ["a", "b"]
    assert await listed(store, JobFilter(sight=Sight("ann"), owner="ben")) == []
    assert await listed(store, JobFilter(sight=Sight("ann", ("template", "other")))) == ["a", "b", "d"]
    assert await listed(store, JobFilter(owner="ben")) == ["c"]
    assert await listed(store, JobFilter(template_id="t2")) == ["b"]
    assert await listed(store, JobFilter(template_names=["Two", "Three"])) == ["b"]
    assert await listed(store, JobFilter(phases=[Phase.READY, Phase.CANCELLED])) == ["a", "c", "d", "e"]
    assert await listed(store, JobFilter(phases=[])) == []
    assert await listed(store, JobFilter(priority_names=["High", "Low"])) == ["a", "b", "d", "e"]
    assert await listed(store, JobFilter(start=1, count=1)) == ["b"]
    assert await listed(store, JobFilter(phases=[Phase.READY], ended_after_ms=0)) == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (JobOrder.CREATED, ["c", "b", "a"]),
        (JobOrder.TEMPLATE, ["b", "a", "c"]),
        (JobOrder.PRIORITY, ["b", "a", "c"]),
        (JobOrder.PHASE, ["a", "c", "b"]),
        (JobOrder.ENDED, ["b", "a", "c"]),
    ],
)
async def test_lists_are_sorted_and_turned_round(store: AnyStore, order: JobOrder, expected: list[str]) -> None:
    jobs = [
        new_job("a", created_ms=3, template_name="M", priority="Medium"),
        ended("b", created_ms=2, template_name="A", priority="Low"),
        new_job("c", created_ms=1, template_name="Z", priority="High"),
    ]
    await store.run(lambda tx: [tx.add_job(item_of(tx), job) for job in jobs])
    values = {"High": 10, "Medium": 5, "Low": 0}
    assert await listed(store, JobFilter(order=order), values) == expected
    turned = await listed(store, JobFilter(order=order, descending=True), values)
    assert turned == (["b", "c", "a"] if order is JobOrder.ENDED else expected[::-1]), "those without an end come last"


async def test_users_and_templates_have_numbers(store: AnyStore) -> None:
    def fill(tx: SqlTx) -> None:
        item_of(tx)
        tx.add_user("ann", None)

    await store.run(fill)
    numbers = await store.read(lambda tx: tx.user_numbers())
    assert await store.read(lambda tx: tx.username_of(numbers["ann"])) == "ann"
    assert await store.read(lambda tx: tx.username_of(numbers["ann"] + 1)) is None
    assert await store.read(lambda tx: tx.template_numbers(item_of(tx))) == {}
    assert await store.read(lambda tx: tx.template_id_of(item_of(tx), 1)) is None


async def test_projects_have_a_number_and_a_name_of_their_own_in_an_item(store: AnyStore) -> None:
    first = await store.run(lambda tx: tx.add_project(item_of(tx), "House"))
    assert await store.read(lambda tx: tx.project(item_of(tx), first.number)) == first
    with pytest.raises(Conflict, match="House"):
        await store.run(lambda tx: tx.add_project(item_of(tx), "House"))
    other = await store.run(lambda tx: tx.add_project(tx.add_item("other", "org", "Other"), "House"))
    assert other.number != first.number
    assert await store.read(lambda tx: tx.projects(item_of(tx))) == [first]
    assert await store.read(lambda tx: tx.project(item_of(tx), other.number)) is None


async def test_programs_are_kept_and_go_with_their_users(store: AnyStore) -> None:
    own = ApiClient("c1", "Desk", b"\x01\x02", None, ("jobs", "print"), 7)
    of_ann = ApiClient("c2", "Ann's", b"\x03", "ann", (), 8)

    def fill(tx: SqlTx) -> None:
        tx.add_user("ann", None)
        tx.add_api_client(own)
        tx.add_api_client(of_ann)

    await store.run(fill)
    assert await store.read(lambda tx: tx.api_clients()) == [own, of_ann]
    assert await store.read(lambda tx: tx.api_client("c2")) == of_ann
    with pytest.raises(Conflict, match="Desk"):
        await store.run(lambda tx: tx.add_api_client(replace(own, client_id="c3")))
    with pytest.raises(NotFound, match="nobody"):
        await store.run(lambda tx: tx.add_api_client(replace(own, client_id="c3", name="x", username="nobody")))
    await store.run(lambda tx: tx.delete_user("ann"))
    assert await store.read(lambda tx: tx.api_client("c2")) is None
    assert await store.run(lambda tx: tx.delete_api_client("c1"))
    assert not await store.run(lambda tx: tx.delete_api_client("c1"))
