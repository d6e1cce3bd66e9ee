"""The part of a transaction that reads and writes jobs and what belongs to them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from app.domain.job import Attachment, Hold, Job
from app.domain.properties import PropertyValue, RelatedRow
from app.expressions.where import Literal
from app.services.ports.definitions import Item
from app.services.ports.jobs import (
    ChainFault,
    Comment,
    Dependent,
    FeedMessage,
    HistoryEntry,
    JobQuery,
    JobRecord,
    JobRow,
    ReleasedHold,
    Scalar,
    SortBy,
)


class JobTx(Protocol):
    """Jobs, their feeds, history, attachments, holds and properties, in one transaction (see ``Tx``)."""

    # jobs
    def job(self, item: Item, job_id: str) -> JobRecord | None:
        """Read a job without locking it."""

    def lock_jobs(self, item: Item, job_ids: Collection[str]) -> dict[str, JobRecord]:
        """Read and lock the jobs that exist, in ascending key order. Call once per transaction, or once more with more
        jobs: those already held are kept, so a caller that finds out whom it needs locks all of them in one call."""

    def add_job(self, item: Item, job: Job, step_names: Mapping[str, str] | None = None) -> JobRecord:
        """``step_names`` are those of the current steps by id, for searches. Raises Conflict when the id was ever used
        in this item, also by a job since deleted."""

    def save_job(self, record: JobRecord) -> None:
        """Write the whole record back (the current-step index rows included)."""

    def delete_job(self, record: JobRecord) -> None:
        """Remove the job and all that belongs to it but its feed; its id stays used. The blobs of its attachments are
        loose and due at once."""

    def search_jobs(self, item: Item, query: JobQuery, sort: Sequence[SortBy], start: int, count: int) -> list[JobRow]:
        """A page of the jobs that match, ``start`` of them left out. Those that are alike come in the order they were
        created, in the other one where the first field is sorted descending."""

    def count_jobs(self, item: Item, query: JobQuery) -> int: ...
    def count_jobs_by(self, item: Item, query: JobQuery, group: SortBy) -> list[tuple[Literal | None, int]]:
        """How many jobs have each value of a field, in no order; one of several current steps counts for each value."""

    def child_job_ids(self, item: Item, job_id: str) -> list[str]: ...

    # feed
    def append_feed(self, record: JobRecord, messages: Sequence[FeedMessage]) -> None:
        """Write feed rows; each row's ``prev_hash`` continues ``record.feed_hash``, which is moved on.

        The caller has numbered the messages from ``record.seq + 1`` on and set ``record.seq`` to the last number."""

    def feed(
        self, item: Item, job_id: str, after: int, upto: int | None = None, limit: int = 1000
    ) -> list[FeedMessage]:
        """The messages with ``after < seq <= upto``, ascending. Also for a deleted job."""

    def feed_messages(self, record: JobRecord, seqs: Collection[int]) -> dict[int, FeedMessage]: ...

    def feed_span(self, item: Item, job_id: str) -> tuple[int, int] | None:
        """First and last seq still stored; None when the job has no feed."""

    def feed_since(self, row_id: int, limit: int = 1000) -> list[tuple[int, FeedMessage]]:
        """Feed rows of all jobs with a global id above ``row_id``, ascending, each with its id; on PostgreSQL only rows
        below ``pg_snapshot_xmin``, so that a row that commits late is never passed over."""

    def last_feed_row(self) -> int:
        """The global id up to which ``feed_since`` would find nothing now (0 when empty)."""

    def check_feed(self, item: Item, job_id: str) -> list[ChainFault]:
        """Walk a job's hash chain from its first stored row."""

    def epoch(self) -> str:
        """Names this database's history: new at creation, and after ``new_epoch``."""

    def new_epoch(self) -> str: ...

    # history, comments
    def append_history(self, record: JobRecord, entries: Sequence[HistoryEntry]) -> None: ...
    def history(self, record: JobRecord) -> list[HistoryEntry]: ...
    def add_comment(self, record: JobRecord, comment: Comment) -> None: ...
    def comments(self, record: JobRecord) -> list[Comment]: ...

    # attachments
    def add_attachment(self, record: JobRecord, attachment: Attachment) -> None:
        """The blob of an embedded one ceases to be loose. Raises Conflict when it is not loose, or due already."""

    def save_attachment(self, record: JobRecord, attachment: Attachment) -> None:
        """Write its alias, folder, ``by`` and ``at_ms``."""

    def delete_attachment(self, record: JobRecord, attachment: Attachment) -> None:
        """Its blob is loose and due at once."""

    def attachment(self, record: JobRecord, attachment_id: str) -> Attachment | None: ...
    def attachments(self, record: JobRecord) -> list[Attachment]: ...
    def loosen_blob(self, blob_id: str, due_ms: int) -> None:
        """Note that a blob belongs to no attachment, and may be removed from then on."""

    def hasten_blob(self, blob_id: str) -> None:
        """A loose blob is due at once; one that is not loose stays."""

    def loose_blobs(self, now_ms: int, limit: int = 100) -> list[str]:
        """Loose blobs that are due, those that are due longest first."""

    def forget_blob(self, blob_id: str) -> None:
        """The loose blob was removed."""

    # holds, extended properties
    def add_hold(self, record: JobRecord, hold: Hold) -> None:
        """Also schedules the timer of a hold with a release time."""

    def release_hold(self, record: JobRecord, hold_id: str, by: str, at_ms: int) -> None:
        """Also drops the hold's timer."""

    def holds(self, record: JobRecord) -> list[ReleasedHold]:
        """All holds a job ever had."""

    def dependents(self, item: Item, job_id: str) -> list[Dependent]:
        """Unreleased holds of other jobs that wait for this one or one of its steps."""

    def dependency_edges(self, item: Item, job_ids: Collection[str]) -> list[tuple[str, str]]:
        """``(job, job it waits for)`` for all unreleased dependencies reachable from ``job_ids``, transitively."""

    def set_properties(self, record: JobRecord, values: Iterable[PropertyValue]) -> None:
        """Extended properties of one-to-one tables; others stay as they are."""

    def properties(self, record: JobRecord) -> list[PropertyValue]: ...
    def add_related_row(self, record: JobRecord, row: RelatedRow) -> None:
        """A row of a one-to-many table."""

    def change_related_row(self, record: JobRecord, row: RelatedRow) -> None:
        """Set those values that ``row`` has; does nothing when the job has no row of this id."""

    def delete_related_row(self, record: JobRecord, row_id: str) -> None: ...
    def related_rows(self, record: JobRecord) -> list[RelatedRow]: ...
    def related_rows_of(
        self, item: Item, job_ids: Collection[str], tables: Collection[str]
    ) -> Mapping[str, list[RelatedRow]]:
        """The rows of these tables, oldest first, by the id of the job; one without any may be missing."""

    def set_step_output(self, record: JobRecord, step_id: str, values: Sequence[Scalar]) -> None:
        """What a run of a service step has put out, in place of what its last run did (``JobOutputArray``)."""

    def step_output(self, record: JobRecord, step_id: str) -> list[Scalar]:
        """Empty when no run of the step has put out anything."""
