"""What the use cases need from outside, as protocols, and the records that cross these borders.

Each protocol's docstring is the contract that ``tests/contracts`` checks against every implementation.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from app.domain.access import Role
from app.domain.diagram import Diagram, Step
from app.domain.job import Answer, Assignment, Attachment, Hold, Job, ReturnValue
from app.domain.properties import PropertyValue, RelatedRow

if TYPE_CHECKING:  # they import this module
    from app.services.engine import Unit
    from app.services.recording import Jobs

from app.expressions.job_fields import Field
from app.expressions.where import Condition, Literal

T = TypeVar("T")
Scalar = str | int | float | bool | None


# ---------------------------------------------------------------- records


@dataclass(frozen=True, slots=True)
class Item:
    """One workflow item: an isolated set of jobs, diagrams, templates and roles. ``key`` is the store's own number.

    ``access_version`` grows with every change of users, groups, roles or keys that may change what somebody may do.
    """

    key: int
    item_id: str
    org_id: str
    name: str
    access_version: int


@dataclass(slots=True)
class JobRecord:
    """A job as stored: the aggregate, and the end of its feed.

    ``seq`` is the number of the last feed message (0: none yet), ``feed_hash`` the hash of that row. ``details`` maps a
    current step's id to the seq of the message that describes its state (``JobState.stepStates[].messageDetails``).
    ``step_names`` are names of current steps by id, for searches; whoever saves the job gives them.
    """

    key: int
    job: Job
    seq: int
    feed_hash: bytes
    details: dict[str, int]
    step_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """One numbered wire message of a job: one feed row, one bus payload, one websocket frame.

    ``body`` is the whole envelope as JSON text, its ``seq`` included. ``short`` is what those outside ``audience`` get;
    both are None where everybody gets the same. ``created_ms`` is the envelope's ``timestamp``.
    """

    item_id: str
    job_id: str
    seq: int
    msg_type: str
    created_ms: int
    body: bytes
    short: bytes | None = None
    audience: Assignment | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of a job's history (rest.md 14.6)."""

    action: str
    username: str
    date_ms: int
    step_id: str | None = None
    result: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ReleasedHold:
    """A hold, and how it ended; both None while it lasts."""

    hold: Hold
    released_by: str | None
    released_ms: int | None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a job (rest.md 5.10)."""

    comment_id: str
    comment: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as the runner sees it: who executes it, and which takeover it is.

    A result that comes with an older ``fence`` than the stored one is refused. ``note`` is what its executor has
    written down for whoever takes the run over.
    """

    run_id: str
    item_id: str
    job_key: int
    job_id: str
    step_id: str
    node_id: str
    fence: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer to a prompt, and what became of it: ``stored``, ``applied`` or ``rejected`` (with ``reason``)."""

    answer_id: int
    item_id: str
    job_key: int
    job_id: str
    step_id: str
    run_id: str
    prompt_id: str
    request_id: str | None
    username: str
    answer: Answer
    stage: str
    reason: str | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class PendingAnswer:
    """An answer that is stored and waits to be applied by ``node_id``, the owner of its run."""

    item_id: str
    answer_id: int
    node_id: str


@dataclass(frozen=True, slots=True)
class Errand:
    """What one node asks of another: to apply an answer, to stop a run it owns, to let one look at its service at once,
    or (``orphans``) to look at once, as after a renewal, for runs that nobody owns any more and for what is to be done
    about its own."""

    answer: PendingAnswer | None = None
    stop: RunRecord | None = None
    refresh: RunRecord | None = None
    orphans: bool = False


@dataclass(frozen=True, slots=True)
class Timer:
    """A moment at which a hold ends by itself."""

    timer_id: int
    item_id: str
    job_id: str
    hold_id: str
    due_ms: int


@dataclass(frozen=True, slots=True)
class Dependent:
    """A step of a job that waits for another job (or one of its steps)."""

    item_id: str
    job_id: str
    hold_id: str


@dataclass(frozen=True, slots=True)
class DiagramRecord:
    """A stored version of a diagram: ``body`` is the document as its author sent it, ``diagram`` the domain's form."""

    diagram: Diagram
    body: bytes
    description: str | None
    created_ms: int
    created_by: str


@dataclass(frozen=True, slots=True)
class DiagramSummary:
    """One line of the diagram list. ``active``: an activated version exists; ``draft``: a draft does."""

    diagram_id: str
    name: str
    description: str | None
    active: bool
    draft: bool
    latest_version: int | None


@dataclass(frozen=True, slots=True)
class JobTemplate:
    """A job template. ``body`` is the whole document (rest.md 14.2) as JSON text; the others are read from it, but for
    ``shared_with``: the ids of the groups whose members may use it (none: everybody)."""

    template_id: str
    name: str
    state: str
    diagram_id: str
    category: str | None
    description: str | None
    body: bytes
    updated_by: str
    updated_ms: int
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """A person or program that can log in. ``groups`` are group ids."""

    username: str
    full_name: str | None
    email: str | None
    disabled: bool
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A set of users, linked to roles per item."""

    group_id: str
    name: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs tokens. ``retired_ms`` is set when it no longer signs; it verifies until tokens have run out."""

    key_id: str
    secret: bytes
    created_ms: int
    retired_ms: int | None


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A saved search or chart (rest.md 10). ``definition`` is JSON text. ``shared_with``: the ids of the groups whose
    members see it (none: everybody)."""

    search_id: str
    name: str
    search_type: str
    folder: str | None
    definition: bytes | None
    color_ramp: str | None
    sort_index: int | None
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of an item (rest.md 8.2). ``value`` is UTF-8, sealed by a ``Vault`` where ``encrypted``."""

    name: str
    value: bytes
    encrypted: bool


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A stored template of an item (rest.md 8.3); ``details`` is the text its author gave, JSON for types we know."""

    template_type: str
    template_id: str
    name: str
    details: str


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Something to be sent to the outside because of what has happened to a job, after it was committed.

    ``kind`` says which sender sends it, ``title`` what people call it, ``content`` is the sender's. ``tries`` counts
    this one too. ``begun``: a try came as far as the point where it may have had its effect, and did not come back.
    """

    dispatch_id: int
    item_id: str
    job_id: str
    step_id: str | None
    kind: str
    title: str
    content: bytes
    tries: int
    begun: bool

    @property
    def key(self) -> str:
        """Names it outside, the same for each try."""
        return f"dispatch-{self.dispatch_id}.{self.job_id.strip('{}')}"


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs are meant: those that match the condition and, with an ``extent`` (west, south, east, north in Web
    Mercator), those whose place's box touches it."""

    condition: Condition
    extent: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class SortBy:
    """A field to sort by. Text goes by code point; of several current steps the smallest counts; nulls come last."""

    field: Field
    descending: bool = False


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as searches show it.

    ``members`` are the values of its own fields by name, ``steps`` those of each current step, in the order of their
    ids; moments are in ms. ``properties`` are the extended properties by table and name: the text, and the number it
    compares by.
    """

    members: Mapping[str, Literal | None]
    steps: tuple[Mapping[str, str | None], ...]
    properties: Mapping[tuple[str, str], tuple[str | None, float | None]]


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a request with an idempotency key was answered; ``request`` is a digest of the body it came with."""

    request: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ChainFault:
    """A place where a job's feed is not what it was: a gap, or a row whose ``prev_hash`` does not fit."""

    job_id: str
    seq: int
    problem: str


# ---------------------------------------------------------------- the store


class Tx(Protocol):
    """One database transaction, seen from inside. Synchronous; lives in one database thread; never leaves it.

    Reads of a read-only transaction see one snapshot. A writing one sees its own writes; where several write at once,
    others' commits become visible between its statements, except in what it has locked. On a read-only transaction
    (``Store.read``) the writing methods raise. Text comparison is case-sensitive except where ``folded`` is in the
    name. Lists come in the order they were written unless said otherwise.
    """

    command_id: str
    """The unique id of this transaction, written with every feed row; an unknown COMMIT outcome is looked up by it."""

    def now_ms(self) -> int:
        """The time all nodes agree on: the database's on PostgreSQL, the machine's on SQLite."""

    # items
    def item(self, org_id: str, item_id: str) -> Item | None: ...
    def items(self) -> list[Item]: ...
    def add_item(self, item_id: str, org_id: str, name: str) -> Item: ...
    def lock_item(self, item: Item) -> None:
        """Until the end of the transaction, let nobody else hold this item's lock (dependencies are added under it)."""

    def bump_access(self, item: Item | None) -> None:
        """Raise the ``access_version`` of an item, or (None) of every item."""

    def next_job_number(self, item: Item, count: int) -> int:
        """Give out ``count`` numbers for job names, never again; returns the first."""

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

    def set_step_output(self, record: JobRecord, step_id: str, values: Sequence[Scalar]) -> None:
        """What a run of a service step has put out, in place of what its last run did (``JobOutputArray``)."""

    def step_output(self, record: JobRecord, step_id: str) -> list[Scalar]:
        """Empty when no run of the step has put out anything."""

    # runs, answers, nodes, timers
    def add_run(self, record: JobRecord, run_id: str, step_id: str, node_id: str) -> None: ...
    def end_run(self, run_id: str) -> None: ...
    def stop_run(self, run_id: str) -> RunRecord | None:
        """Note that a run is to be stopped by its owner; returns it unless it has ended."""

    def run(self, run_id: str) -> RunRecord | None:
        """A run that has not ended."""

    def set_run_note(self, run_id: str, note: str) -> None:
        """Replace what the run's executor has noted."""

    def lock_run(self, run_id: str) -> RunRecord | None:
        """As ``run``; until the transaction ends, no other node takes the run over. Lock its job before."""

    def stopping_runs(self, node_id: str) -> list[RunRecord]:
        """Runs of this node that are to be stopped and have not ended."""

    def add_answer(
        self,
        record: JobRecord,
        *,
        step_id: str,
        run_id: str,
        prompt_id: str,
        request_id: str | None,
        username: str,
        answer: Answer,
        at_ms: int,
    ) -> int:
        """Store an answer in stage ``stored``; returns its id. Raises Conflict when this user has used ``request_id``
        on this job before, or when the prompt has an answer that was not rejected."""

    def set_answer_stage(self, answer_id: int, stage: str, reason: str | None = None) -> None: ...
    def answer(self, answer_id: int) -> AnswerRecord | None: ...
    def answer_by_request(self, record: JobRecord, username: str, request_id: str) -> AnswerRecord | None: ...
    def last_answer(self, record: JobRecord, step_id: str) -> AnswerRecord | None:
        """The newest answer to this step that was not rejected."""

    def unapplied_answers(self, node_id: str) -> list[AnswerRecord]:
        """Answers in stage ``stored`` whose run this node owns, oldest first."""

    def start_node(self, node_id: str, lease_until_ms: int) -> None: ...
    def renew_node(self, node_id: str, lease_until_ms: int) -> bool:
        """False when the lease is gone (another node has taken the runs): the node must start anew."""

    def end_node(self, node_id: str) -> None: ...
    def nodes(self) -> list[str]:
        """Nodes that have a lease, also one that is over and was not taken yet."""

    def forget_nodes(self) -> None:
        """Drop every node's lease: this process is the only one that serves this database."""

    def adopt_runs(self, node_id: str, now_ms: int, limit: int = 100) -> list[RunRecord]:
        """Take over runs (``fence + 1``) of nodes whose lease is over or that are not there any more."""

    def claim_timers(self, node_id: str, now_ms: int, limit: int = 100) -> list[Timer]:
        """Take the timers whose time has come, longest due first: no other node gets them while this one has its lease.

        A node gets those it claimed before once more, until their holds are released.
        """

    def next_timer_ms(self, node_id: str) -> int | None:
        """When the next timer is due that this node may claim."""

    # dispatches
    def add_dispatch(
        self, item: Item, *, job_id: str, step_id: str | None, kind: str, title: str, content: bytes, due_ms: int
    ) -> None: ...
    def claim_dispatches(self, node_id: str, kind: str, now_ms: int, limit: int) -> list[Dispatch]:
        """Take those of a kind that are due and that no living node has, oldest first; each is this node's until it is
        put back or deleted, or the node's lease is over."""

    def begin_dispatch(self, dispatch_id: int, node_id: str) -> bool:
        """Note that from now on it may have had its effect. False: it is not this node's any more."""

    def put_dispatch_back(self, dispatch_id: int, node_id: str, due_ms: int) -> bool:
        """It has had no effect, and is to be tried again. False as above."""

    def delete_dispatch(self, dispatch_id: int, node_id: str) -> bool:
        """It is done, or given up. False as above."""

    def next_dispatch_ms(self, kinds: Sequence[str]) -> int | None:
        """When the next one of these kinds that no living node has is due."""

    # answers kept under idempotency keys
    def claim_slot(self, slot: str) -> bool:
        """Keep a slot to this transaction until it ends. False, at once: another one that writes has it."""

    def kept_answer(self, slot: str) -> KeptAnswer | None: ...
    def keep_answer(self, item: Item, slot: str, answer: KeptAnswer, at_ms: int) -> None:
        """Raises Conflict when the slot has an answer."""

    def forget_answers(self, before_ms: int, limit: int) -> int:
        """Drop the oldest ones kept before then; returns how many. Those another transaction is dropping are left."""

    # diagrams and templates
    def diagram(self, item: Item, diagram_id: str, version: int | None = None) -> DiagramRecord | None:
        """A version; None: the newest activated one, else the draft. Activated versions never change, so an
        implementation may cache the parsed form."""

    def diagrams(self, item: Item) -> list[DiagramSummary]: ...
    def diagram_by_name(self, item: Item, name: str) -> str | None: ...
    def put_diagram(self, item: Item, record: DiagramRecord) -> None:
        """Write a version (a draft replaces the draft); the diagram's name and description follow the version."""

    def delete_diagram_version(self, item: Item, diagram_id: str, version: int) -> None: ...
    def delete_diagram(self, item: Item, diagram_id: str) -> None:
        """All versions and the draft; its name and id are free again. Jobs and templates are the caller's concern."""

    def jobs_on_diagram(self, item: Item, diagram_id: str, version: int | None = None) -> int: ...
    def template(self, item: Item, template_id: str) -> JobTemplate | None: ...
    def templates(self, item: Item) -> list[JobTemplate]: ...
    def template_by_name(self, item: Item, name: str) -> str | None: ...
    def put_template(self, item: Item, template: JobTemplate) -> None: ...
    def delete_template(self, item: Item, template_id: str) -> None: ...
    def jobs_of_template(self, item: Item, template_id: str) -> int: ...

    # people
    def user(self, username: str) -> User | None: ...
    def users(self) -> list[User]: ...
    def add_user(
        self, username: str, password_hash: str | None, full_name: str | None = None, email: str | None = None
    ) -> None:
        """Raises Conflict when the name is taken, whatever its letter case."""

    def password_hash(self, username: str) -> str | None: ...
    def set_password(self, username: str, password_hash: str) -> None: ...
    def set_disabled(self, username: str, disabled: bool) -> None: ...
    def delete_user(self, username: str) -> bool: ...
    def group(self, group_id: str) -> Group | None: ...
    def group_by_name(self, name: str) -> Group | None: ...
    def groups(self) -> list[Group]: ...
    def add_group(self, group: Group) -> None: ...
    def set_member(self, username: str, group_id: str, member: bool) -> None: ...
    def roles(self, item: Item) -> list[Role]: ...
    def put_role(self, item: Item, role: Role) -> None: ...
    def delete_role(self, item: Item, role_name: str) -> bool:
        """Delete a role and its links to groups. False when there was none."""

    def roles_of_groups(self, item: Item) -> Mapping[str, tuple[str, ...]]:
        """Group id -> names of the roles linked to it in this item."""

    def link_role(self, item: Item, group_id: str, role_name: str, linked: bool) -> None: ...

    # keys, lookups, settings, stored templates, searches
    def signing_keys(self) -> list[SigningKey]: ...
    def add_signing_key(self, key: SigningKey) -> None: ...
    def retire_signing_keys(self, retired_ms: int) -> None:
        """Let every key that still signs sign no more."""

    def lookups(self, item: Item, lookup_type: str) -> list[tuple[str, int]]: ...
    def put_lookups(self, item: Item, lookup_type: str, values: Sequence[tuple[str, int]]) -> None: ...
    def settings(self, item: Item) -> list[Setting]: ...
    def put_setting(self, item: Item, setting: Setting) -> None: ...
    def delete_setting(self, item: Item, name: str) -> None: ...
    def stored_template(self, item: Item, template_type: str, template_id: str) -> StoredTemplate | None: ...
    def stored_templates(self, item: Item, template_type: str) -> list[StoredTemplate]: ...
    def put_stored_template(self, item: Item, template: StoredTemplate) -> None: ...
    def delete_stored_template(self, item: Item, template_type: str, template_id: str) -> None: ...
    def searches(self, item: Item) -> list[SavedSearch]: ...
    def search(self, item: Item, search_id: str) -> SavedSearch | None: ...
    def put_search(self, item: Item, search: SavedSearch) -> None: ...
    def delete_search(self, item: Item, search_id: str) -> None: ...


class Store(Protocol):
    """Transactions, each run whole in a database thread.

    A function given to ``run`` may be called more than once (a lost race is tried again), so it has no effect outside
    its ``Tx`` and makes no ids: they come from ``command_id``.
    """

    async def run(
        self,
        use_case: Callable[[Tx], T],
        *,
        command_id: str | None = None,
        after_commit: Callable[[T], None] | None = None,
    ) -> T:
        """Commit what ``use_case`` did, then return its result. An exception of ``use_case`` rolls back its own writes
        and reaches the caller.

        ``after_commit(result)`` is called on the event loop once the commit is durable, in commit order on SQLite, also
        when the caller was cancelled meanwhile. Raises:
            StoreUnavailable: nothing was committed and nothing acknowledged (queue full, disk full, database gone).
        """

    async def read(self, query: Callable[[Tx], T]) -> T:
        """Run a query in one read-only snapshot, beside the writers."""

    def now_ms(self) -> int:
        """The time all nodes agree on, without asking the database."""

    @property
    def is_shared(self) -> bool:
        """Other processes may serve from the same database."""

    @property
    def stats(self) -> "StoreStats":
        """Counters for the metrics."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class StoreStats:
    """``waiting`` transactions and queries are in the store now; the others count since the start.

    ``transactions`` were committed, in ``commits`` of the database: several at once where it commits in groups.
    """

    waiting: int
    transactions: int
    commits: int


class BlobStore(Protocol):
    """Bytes of attachments: written once, read in ranges, deleted."""

    async def write(self, blob_id: str, chunks: Any, *, max_bytes: int) -> "BlobInfo":
        """Store an async iterable of ``bytes``. Nothing is visible before the last chunk was stored, and nothing is
        left after a failure. Raises QuotaExceeded beyond ``max_bytes``; Conflict when the id is taken."""

    def read(self, blob_id: str, start: int = 0, stop: int | None = None) -> Any:
        """An async iterator over the bytes ``[start, stop)`` in pieces of at most 256 KiB. Raises NotFound."""

    async def info(self, blob_id: str) -> "BlobInfo":
        """Raises NotFound."""

    async def delete(self, blob_id: str) -> None:
        """Idempotent."""


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """Size in bytes and SHA-256 (hex) of a blob."""

    size: int
    sha256: str


# ---------------------------------------------------------------- messages and steps


class Bus(Protocol):
    """Carries messages between nodes. At most once: the hub heals what is lost.

    Channels: ``job:{item}:{job}``, ``item:{item}``, ``node:{node}``. What one node publishes on a channel arrives in
    that order. All methods but ``open`` and ``close`` return at once and never raise, whatever state the bus is in.
    """

    def publish(self, channel: str, payload: bytes) -> None:
        """Queue a message for all who hear the channel, the publisher included."""

    def subscribe(self, channel: str) -> bool:
        """Hear a channel. Idempotent; may be called before ``open``. True: that takes a moment, after which ``heard``
        is called. False: there is nothing to wait for, it is heard from now on, or the bus is down."""

    def unsubscribe(self, channel: str) -> None:
        """Stop hearing a channel, at once. Idempotent."""

    async def open(self, handler: Callable[[str, bytes], None], heard: Callable[[Collection[str]], None]) -> None:
        """Start, also when the bus is down: it comes up later by itself. Both are called on the event loop.

        Args:
            handler: ``handler(channel, payload)`` gets each message of a subscribed channel.
            heard: ``heard(channels)``: messages of these arrive from now on; earlier ones may have been lost. Called
                after ``subscribe``, and with all channels after an interruption.
        """

    @property
    def stats(self) -> "BusStats":
        """Counters for the metrics."""

    async def close(self) -> None:
        """Send what is queued, if that does not take long, and stop. Idempotent."""


@dataclass(frozen=True, slots=True)
class BusStats:
    """``is_up`` and ``round_trip_s`` (of the last probe, 0 before the first) as they are now; the others count since
    the start. ``dropped`` were published here and not sent, or not known to be.
    """

    is_up: bool = True
    reconnects: int = 0
    published: int = 0
    dropped: int = 0
    round_trip_s: float = 0.0


class Vault(Protocol):
    """Keeps secrets of the database closed to whoever has only the database."""

    def seal(self, secret: bytes) -> bytes:
        """Encrypt what is to be stored."""

    def open(self, stored: bytes) -> bytes:
        """What was sealed. Raises StoreUnavailable when it was sealed under another key."""


class Adoption(StrEnum):
    """What it means for an executor to take over a run whose node has died (design.md section 2, "Runner").

    ``RESUME``: it goes on where the other node was, by the run's note. ``ATOMIC``: it returns ``AtomicWork``, so
    nothing was done yet. ``AGAIN``: it does everything once more. ``ONCE``: it notes its intent before the effect; a
    run with a note is not executed again but fails with ``OUTCOME_UNKNOWN``, one without is.
    """

    RESUME = "resume"
    ATOMIC = "atomic"
    AGAIN = "again"
    ONCE = "once"


class StepSignals(Protocol):
    """What people ask of a run while it is executed."""

    @property
    def is_stopped(self) -> bool:
        """An executor that is cancelled asks here why: somebody stopped the step, or (false) the server closes and the
        run is taken over."""

    async def refresh(self, within_s: float) -> None:
        """Return when somebody asks for the step's status (``RefreshStatus``), or after so long."""


class StepServices(Protocol):
    """What an executor may do in the item of its run, as the server itself (nobody's privileges are asked).

    All of it waits for a database that is away, and raises BackendError only when the server closes: let that pass,
    and the run is taken over at the next start.
    """

    async def read(self, query: "Callable[[Unit], T]") -> T:
        """Run a query in one snapshot."""

    async def write(self, use_case: "Callable[[Unit], T]") -> T:
        """Run a use case in a transaction of its own: for effects that are not the step's end (``AtomicWork``)."""

    async def note(self, note: str) -> None:
        """Write down, durably, what a takeover must know; it is ``run.note`` then. Raises StepFailed, having written
        nothing, when the run is not this executor's any more: what was about to be done must not be done."""

    async def settings(self) -> Mapping[str, str]:
        """The item's settings by name, secrets included. Raises StepFailed when the master key is not what it was."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """What an executor is given: the run, the job and step as they are at its start.

    ``adopted``: another node began this run. ``progress(msg, msg_code)`` may be called often; subscribers are told at
    most once a second.
    """

    run: RunRecord
    job: Job
    step: Step
    adopted: bool
    progress: Callable[[str, str], None]
    services: StepServices
    asked: "StepSignals"

    @property
    def started_by(self) -> str:
        """The user who started the run, ``$currentUser`` of its expressions; ``system`` when it started by itself, and
        ``$currentUser`` is null."""
        return self.job.flow.current(self.step.step_id).last_run.started_by


@dataclass(frozen=True, slots=True)
class AtomicWork:
    """The whole effect of a step, to be done in the transaction that finishes it: both are there, or neither.

    ``do`` gets the transaction with the run's job locked in ``jobs`` (``jobs.lock`` gives it again), and returns what
    ``$retVal`` is to be. It may be called twice, and not at all when the run was taken over. A StepError it raises
    undoes what it wrote and fails the step.
    """

    do: "Callable[[Unit, Jobs], ReturnValue]"


class StepExecutor(Protocol):
    """Does one kind of service step. It is cancelled when the step is stopped, and when the server shuts down."""

    @property
    def action_type(self) -> str:
        """The ``actionType`` it does."""

    @property
    def adoption(self) -> Adoption:
        """What a takeover of its runs means."""

    async def execute(self, context: StepContext) -> ReturnValue | AtomicWork:
        """Do the step and return what ``$retVal`` is to be, or the work that gives it. Raises StepFailed or
        StepTimedOut with a sentence for the user and, as ``name``, the ``msgCode``."""


class DispatchSender(Protocol):
    """Sends one kind of dispatches."""

    @property
    def kind(self) -> str:
        """Of what it sends."""

    async def send(self, dispatch: Dispatch, services: StepServices) -> str | None:
        """Send it; returns a sentence for people where it has not reached everybody.

        ``services.note`` is awaited before the point from which on it may have had its effect, by senders that must not
        send twice: such a dispatch is not given to them again. Raises StepError; ``is_passing`` of it, where it has
        one, tells whether another try may succeed.
        """


class Publisher(Protocol):
    """Takes the messages of a committed transaction: to this node's subscribers at once, and to the other nodes."""

    def publish(self, messages: Sequence[FeedMessage]) -> None:
        """Never raises, never waits. Called on the event loop."""

    def verdict(self, answer: AnswerRecord) -> None:
        """An answer was applied or rejected: tell whoever sent it, if it waits."""

    def access_changed(self) -> None:
        """Who may do what has changed: sessions must be judged again."""


class Post(Protocol):
    """Carries errands between nodes. At most once: what is lost, the owner finds in the store at its next renewal."""

    def listen(self, node_id: str, take: Callable[[Errand], None]) -> None:
        """From now on ``take`` gets the errands for ``node_id``, on the event loop; a name this process had before is
        given up."""

    def send(self, node_id: str, errand: Errand) -> None:
        """Never raises, never waits."""


class RunStarter(Protocol):
    """The runner, as use cases see it. All methods are called on the event loop after the commit; none waits."""

    @property
    def node_id(self) -> str:
        """This process start's name."""

    def started(self, runs: Sequence[RunRecord]) -> None:
        """Service steps of this node that have begun: execute them."""

    def stopping(self, runs: Sequence[RunRecord]) -> None:
        """Runs whose stop was asked for, of this node or another: their owners cancel the executors."""

    def refreshing(self, runs: Sequence[RunRecord]) -> None:
        """Runs whose status was asked for, of this node or another: their owners' executors look at once."""

    def answered(self, answers: Sequence[PendingAnswer]) -> None:
        """Answers were stored, to runs of this node or another: their owners apply them."""

    def timers_changed(self) -> None:
        """The next timer may be another one now."""

    def dispatches_added(self) -> None:
        """There is something to send."""


@dataclass(slots=True)
class Effects:
    """What a committed use case asks for outside the store, in the order it happened."""

    messages: list[FeedMessage] = field(default_factory=list)
    started: list[RunRecord] = field(default_factory=list)
    stopping: list[RunRecord] = field(default_factory=list)
    refreshing: list[RunRecord] = field(default_factory=list)
    answers: list[PendingAnswer] = field(default_factory=list)
    verdicts: list[AnswerRecord] = field(default_factory=list)
    timers_changed: bool = False
    dispatches_added: bool = False
    access_changed: bool = False
