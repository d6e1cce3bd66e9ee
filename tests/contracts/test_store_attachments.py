"""Attachments of a job in the store, and the ledger of blobs that belong to none."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest

from app.domain.job import Attachment, Content
from app.errors import Conflict
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store.databases import AnyStore, item_of, locked, new_database, new_job

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
LINK = Attachment("link", "Länk 家", "General", "ana", 5, link="https://files.test/1")


def embedded(attachment_id: str) -> Attachment:
    content = Content(f"blob-{attachment_id}", "plan.pdf", "application/pdf", 2**40, "f" * 64)
    return Attachment(attachment_id, "Plan", "Plans", "ben", 6, step_id="a", content=content)


FILE, OTHER = embedded("file"), embedded("other")


@pytest.fixture
async def store(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[AnyStore]:
    """A store with one job."""
    async with new_database(backend, request) as database:
        opened = await database.open_store()
        await opened.run(lambda tx: tx.add_job(item_of(tx), new_job()))
        yield opened


def add(tx: SqlTx, *attachments: Attachment) -> None:
    """Attach, as an upload does: the blob is in the ledger before."""
    record = locked(tx)
    for attachment in attachments:
        if attachment.content is not None:
            tx.loosen_blob(attachment.content.blob_id, tx.now_ms() + HOUR_MS)
        tx.add_attachment(record, attachment)


async def attachments(store: AnyStore) -> list[Attachment]:
    return await store.run(lambda tx: tx.attachments(locked(tx)))


async def due(store: AnyStore, after_ms: int = 0) -> list[str]:
    """The loose blobs that are due then, counted from now."""
    return await store.read(lambda tx: tx.loose_blobs(tx.now_ms() + after_ms))


async def test_attachments_come_back_whole_and_in_the_order_they_were_added(store: AnyStore) -> None:
    await store.run(lambda tx: add(tx, LINK, OTHER, FILE))
    assert await attachments(store) == [LINK, OTHER, FILE]
    assert await store.run(lambda tx: tx.attachment(locked(tx), "file")) == FILE
    assert await store.run(lambda tx: tx.attachment(locked(tx), "gone")) is None


async def test_attachments_of_other_jobs_are_others(store: AnyStore) -> None:
    await store.run(lambda tx: tx.add_job(item_of(tx), new_job("second")))
    await store.run(lambda tx: add(tx, LINK))
    await store.run(lambda tx: tx.add_attachment(locked(tx, "second"), replace(LINK, alias="theirs")))
    await store.run(lambda tx: tx.delete_attachment(locked(tx, "second"), LINK))
    assert await attachments(store) == [LINK]
    assert await store.run(lambda tx: tx.attachment(locked(tx, "second"), "link")) is None


async def test_a_name_is_changed_and_the_place_in_the_list_is_kept(store: AnyStore) -> None:
    await store.run(lambda tx: add(tx, FILE, OTHER))
    changed = replace(FILE, alias="Plan B", folder="Old", by="ann", at_ms=9)
    await store.run(lambda tx: tx.save_attachment(locked(tx), changed))
    assert await attachments(store) == [changed, OTHER]


async def test_an_id_is_taken_once_in_a_job(store: AnyStore) -> None:
    await store.run(lambda tx: add(tx, LINK))
    with pytest.raises(Conflict):
        await store.run(lambda tx: add(tx, replace(LINK, alias="again")))
    assert await attachments(store) == [LINK]


# ---------------------------------------------------------------- the ledger


async def test_a_blob_is_loose_until_it_is_attached_and_again_when_the_attachment_is_deleted(store: AnyStore) -> None:
    await store.run(lambda tx: tx.loosen_blob("blob-file", tx.now_ms() + HOUR_MS))
    assert await due(store) == []
    assert await due(store, 2 * HOUR_MS) == ["blob-file"]
    await store.run(lambda tx: tx.add_attachment(locked(tx), FILE))
    assert await due(store, 2 * HOUR_MS) == []
    await store.run(lambda tx: tx.delete_attachment(locked(tx), FILE))
    assert await due(store) == ["blob-file"]
    await store.run(lambda tx: tx.forget_blob("blob-file"))
    assert await due(store, 2 * HOUR_MS) == []


async def test_the_blobs_of_a_deleted_job_are_loose(store: AnyStore) -> None:
    await store.run(lambda tx: tx.add_job(item_of(tx), new_job("second")))
    await store.run(lambda tx: add(tx, FILE, LINK, OTHER))
    await store.run(lambda tx: tx.delete_job(locked(tx, "second")))
    assert await due(store) == []
    await store.run(lambda tx: tx.delete_job(locked(tx)))
    assert await due(store) == ["blob-file", "blob-other"]


async def test_a_blob_that_is_due_or_unknown_cannot_be_attached(store: AnyStore) -> None:
    """Whoever sweeps may be removing it in this moment."""
    with pytest.raises(Conflict):
        await store.run(lambda tx: tx.add_attachment(locked(tx), FILE))
    await store.run(lambda tx: tx.loosen_blob("blob-file", tx.now_ms()))
    with pytest.raises(Conflict):
        await store.run(lambda tx: tx.add_attachment(locked(tx), FILE))
    assert await attachments(store) == []


async def test_a_loose_blob_can_be_made_due_and_one_that_is_attached_cannot(store: AnyStore) -> None:
    await store.run(lambda tx: add(tx, FILE))
    await store.run(lambda tx: tx.loosen_blob("blob-late", tx.now_ms() + HOUR_MS))
    for blob_id in ("blob-file", "blob-late", "blob-none"):
        await store.run(partial(SqlTx.hasten_blob, blob_id=blob_id))
    assert await due(store) == ["blob-late"]


async def test_those_that_are_due_longest_come_first_and_not_more_than_asked_for(store: AnyStore) -> None:
    for number in range(5):
        await store.run(partial(SqlTx.loosen_blob, blob_id=f"b{number}", due_ms=1_000 - number))
    assert await store.read(lambda tx: tx.loose_blobs(tx.now_ms(), 3)) == ["b4", "b3", "b2"]
    assert await store.read(lambda tx: tx.loose_blobs(997)) == ["b4", "b3"]
