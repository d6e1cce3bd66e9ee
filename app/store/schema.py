"""The tables, once for SQLite and PostgreSQL.

Every ``key`` is an integer the database gives out and never gives out again (AUTOINCREMENT, IDENTITY); that of a row
which nothing outside the database can name may return once it was the newest and is gone (``_row_key``). Text compares
and sorts by code point on both databases (collation "C" on PostgreSQL, where the default is the locale's); a
``*_folded`` column is its neighbour casefolded, for comparison that ignores case. Times are integers, milliseconds
since 1970-01-01 UTC. JSON that only travels with its row is text; documents that are handed out as they came are bytes.

``tests/migrations`` holds that the migrations lead to exactly this.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.errors import StoreUnavailable

REVISION = "0001"
"""The migration that leads to these tables."""

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMES)

SEALED = "sealed"
"""Marks columns whose values are encrypted under the master key, or by the name of another column those of rows where
that one is true. Whoever copies them opens and seals them anew."""

KeyType = BigInteger().with_variant(Integer(), "sqlite")
TextType = Text().with_variant(Text(collation="C"), "postgresql")


def _key(name: str = "key") -> Column[Any]:
    return Column(name, KeyType, Identity(), primary_key=True)


def _row_key() -> Column[Any]:
    """A key that only orders the rows: AUTOINCREMENT would cost SQLite half as much again for each of them."""
    return Column("key", KeyType, Identity(), primary_key=True, info={"may_return": True})


def _ref(table: str, *, primary_key: bool = False, nullable: bool = False) -> Column[Any]:
    """A column ``<table>_key`` whose row goes when the one it points to goes."""
    target = ForeignKey(f"{table}.key", ondelete="CASCADE")
    return Column(f"{table}_key", KeyType, target, primary_key=primary_key, nullable=nullable, autoincrement=False)


def _text(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[Any]:
    return Column(name, TextType, nullable=nullable, primary_key=primary_key)


def _int(name: str, *, nullable: bool = False, default: int | None = None) -> Column[Any]:
    return Column(name, BigInteger, nullable=nullable, server_default=None if default is None else text(str(default)))


def _bytes(name: str, *, nullable: bool = False, sealed: bool | str = False) -> Column[Any]:
    return Column(name, LargeBinary, nullable=nullable, info={SEALED: sealed} if sealed else {})


def _flag(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False)


def _property() -> tuple[Column[Any], ...]:
    """A property's name and value: text, and what it compares by, as ``app.domain.properties`` says for each type.

    ``integer`` holds Integer, Boolean and all dates and times (ms), ``number`` holds Double; for a String both are
    NULL. ``value_folded`` is the text casefolded. Which column a search compares follows from the definition; a value
    that was written under a definition of another type has NULL there, and does not match.
    """
    number = Column("number", Float, nullable=True)
    folded = _text("value_folded", nullable=True)
    return _text("name"), _text("value", nullable=True), folded, _int("integer", nullable=True), number


def _table(name: str, *parts: Any) -> Table:
    """A table; one without an own integer key is kept in the order of its primary key."""
    own = next((part for part in parts if isinstance(part, Column) and part.identity is not None), None)
    counts_on = own is not None and "may_return" not in own.info
    has_rowid = own is not None or name == "job"
    return Table(name, metadata, *parts, sqlite_autoincrement=counts_on, sqlite_with_rowid=has_rowid)


# ---------------------------------------------------------------- the database and its items

meta = _table("meta", _text("name", primary_key=True), _text("value"))

command = _table("command", _text("command_id", primary_key=True), _int("created_ms"))
"""One row per transaction on PostgreSQL, kept for an hour: tells whether a COMMIT that got no reply was done."""
Index("ix_command_created_ms", command.c.created_ms)

item = _table(
    "item",
    _key(),
    _text("item_id"),
    _text("org_id"),
    _text("name"),
    _int("access_version", default=1),
    _text("owner", nullable=True),
    _flag("going"),
    UniqueConstraint("item_id"),
)
"""``going``: it is being deleted, piece by piece, and nobody finds it any more."""

item_task = _table(
    "item_task",
    _key(),
    _ref("item"),
    _text("task_id"),
    _text("kind"),
    _text("username"),
    _bytes("body", sealed=True),
    _text("node_id", nullable=True),
    _int("tries"),
    _int("created_ms"),
    _int("ended_ms", nullable=True),
    _text("problem", nullable=True),
    _bytes("mapping", nullable=True),
    _text("blob_id", nullable=True),
    _text("file_name", nullable=True),
    _text("media_type", nullable=True),
    _int("size", nullable=True),
    _text("sha256", nullable=True),
    UniqueConstraint("item_key", "task_id"),
)
"""Exports and imports that are not waited for. ``node_id`` has claimed it, which counts while the node has its lease.
The file of an export is a loose blob, which is removed in its time."""
_open_task = item_task.c.ended_ms.is_(None)
Index("ix_item_task_open", item_task.c.key, postgresql_where=_open_task, sqlite_where=_open_task)
Index("ix_item_task_ended_ms", item_task.c.ended_ms)

item_log = _table(
    "item_log",
    _key(),
    _ref("item"),
    _text("level"),
    _text("message"),
    _int("at_ms"),
    _text("username"),
    _text("job_id", nullable=True),
    _text("step_id", nullable=True),
)
"""What went wrong with an item's jobs: the newest ten thousand of each."""
Index("ix_item_log_item_key", item_log.c.item_key, item_log.c.key)

job_number = _table("job_number", _ref("item", primary_key=True), _int("next_number"))
"""Apart from ``item``, so that creating jobs and changing access do not wait for each other."""

lookup = _table(
    "lookup",
    _key(),
    _ref("item"),
    _text("lookup_type"),
    _text("name"),
    _int("value"),
    UniqueConstraint("item_key", "lookup_type", "name"),
)

setting = _table(
    "setting",
    _key(),
    _ref("item"),
    _text("name"),
    _bytes("value", sealed="encrypted"),
    _flag("encrypted"),
    UniqueConstraint("item_key", "name"),
)

stored_template = _table(
    "stored_template",
    _key(),
    _ref("item"),
    _text("template_type"),
    _text("template_id"),
    _text("name"),
    _text("details"),
    UniqueConstraint("item_key", "template_type", "template_id"),
)

search = _table(
    "search",
    _key(),
    _ref("item"),
    _text("search_id"),
    _text("name"),
    _text("search_type"),
    _text("folder", nullable=True),
    _bytes("definition", nullable=True),
    _text("color_ramp", nullable=True),
    _int("sort_index", nullable=True),
    _text("shared_with"),
    UniqueConstraint("item_key", "search_id"),
)

webhook_connection = _table(
    "webhook_connection",
    _key(),
    _ref("item"),
    _text("connection_id"),
    _text("name"),
    _text("service"),
    _flag("enabled"),
    _bytes("secret", sealed=True),
    _text("username", nullable=True),
    _text("fallback_username", nullable=True),
    _flag("managed"),
    _text("change_types"),
    _text("webhook_id", nullable=True),
    _flag("webhook_active"),
    UniqueConstraint("item_key", "connection_id"),
)
"""``change_types`` is a text with blanks. ``webhook_id`` and ``webhook_active`` are what the feature service was last
known to have."""

# ---------------------------------------------------------------- people

user = _table(
    "user",
    _key(),
    _text("username"),
    _text("username_folded"),
    _text("password_hash", nullable=True),
    _text("full_name", nullable=True),
    _text("email", nullable=True),
    _flag("disabled"),
    _text("portal_role"),
    UniqueConstraint("username"),
    UniqueConstraint("username_folded"),
)

group = _table(
    "group", _key(), _text("group_id"), _text("name"), UniqueConstraint("group_id"), UniqueConstraint("name")
)

webhook_account = _table(
    "webhook_account",
    _key(),
    _ref("item"),
    _ref("user"),
    _bytes("token", sealed=True),
    UniqueConstraint("item_key", "user_key"),
)
"""A user who lets webhook connections of the item act as him. ``token`` is for the feature service, empty without."""

membership = _table("membership", _key(), _ref("user"), _ref("group"), UniqueConstraint("user_key", "group_key"))
Index("ix_membership_group_key", membership.c.group_key)

role = _table(
    "role",
    _key(),
    _ref("item"),
    _text("name"),
    _text("description"),
    _text("privileges"),
    UniqueConstraint("item_key", "name"),
)

role_group = _table("role_group", _key(), _ref("role"), _ref("group"), UniqueConstraint("role_key", "group_key"))
Index("ix_role_group_group_key", role_group.c.group_key)

signing_key = _table(
    "signing_key",
    _key(),
    _text("key_id"),
    _bytes("secret", sealed=True),
    _int("created_ms"),
    _int("retired_ms", nullable=True),
    UniqueConstraint("key_id"),
)

project = _table("project", _key(), _ref("item"), _text("name"), UniqueConstraint("item_key", "name"))
"""What jobs of the v3 dialects can be done for; its key is its number there."""

api_client = _table(
    "api_client",
    _key(),
    _text("client_id"),
    _text("name"),
    _bytes("secret_hash"),
    _ref("user", nullable=True),
    _text("scopes"),
    _int("created_ms"),
    UniqueConstraint("client_id"),
    UniqueConstraint("name"),
)
"""Programs that get tokens for the v3 dialects: a user's, or for themselves. ``scopes`` is a JSON array."""
Index("ix_api_client_user_key", api_client.c.user_key)

# ---------------------------------------------------------------- diagrams and templates

diagram = _table(
    "diagram",
    _key(),
    _ref("item"),
    _text("diagram_id"),
    _text("name"),
    _text("description", nullable=True),
    UniqueConstraint("item_key", "diagram_id"),
    UniqueConstraint("item_key", "name"),
)

diagram_version = _table(
    "diagram_version",
    _key(),
    _ref("diagram"),
    _int("version"),
    _bytes("body"),
    _text("description", nullable=True),
    _int("created_ms"),
    _text("created_by"),
    UniqueConstraint("diagram_key", "version"),
)

job_template = _table(
    "job_template",
    _key(),
    _ref("item"),
    _text("template_id"),
    _text("name"),
    _text("state"),
    _text("diagram_id"),
    _text("category", nullable=True),
    _text("description", nullable=True),
    _bytes("body"),
    _text("updated_by"),
    _int("updated_ms"),
    _text("shared_with"),
    UniqueConstraint("item_key", "template_id"),
    UniqueConstraint("item_key", "name"),
)

automation = _table(
    "automation",
    _key(),
    _ref("item"),
    _ref("job_template"),
    _text("automation_id"),
    _text("name"),
    _text("automation_type"),
    _flag("enabled"),
    _text("details"),
    _bytes("secret", nullable=True, sealed="secret"),
    _text("created_by"),
    _int("set_ms"),
    _int("next_ms", nullable=True),
    _int("occurrences"),
    _int("last_ms", nullable=True),
    _text("last_error", nullable=True),
    _int("last_error_ms", nullable=True),
    UniqueConstraint("item_key", "automation_id"),
)
"""What makes jobs of a template by itself. ``details`` has no secrets; the one of a webhook is sealed beside it."""
Index("ix_automation_job_template_key", automation.c.job_template_key)
_scheduled = automation.c.next_ms.is_not(None)
Index("ix_automation_next_ms", automation.c.next_ms, postgresql_where=_scheduled, sqlite_where=_scheduled)

# ---------------------------------------------------------------- jobs

job_identity = _table(
    "job_identity",
    _key(),
    _ref("item"),
    _text("job_id"),
    _int("deleted_ms", nullable=True),
    UniqueConstraint("item_key", "job_id"),
)
"""Every job id ever used, and what a job's feed hangs on: it outlives the job's row."""

FOLDED = (
    "job_id",
    "name",
    "template_id",
    "template_name",
    "diagram_id",
    "diagram_name",
    "owned_by",
    "created_by",
    "status",
    "priority",
    "description",
    "notes",
    "parent_job",
    "closed_by",
)
"""Columns of ``job`` that have a ``*_folded`` neighbour."""

EXTENT = ("west", "south", "east", "north")
"""Columns of ``job``: the box around its place in Web Mercator, null without one (PostgreSQL keeps xmin for itself)."""

job = _table(
    "job",
    Column("key", KeyType, ForeignKey("job_identity.key"), primary_key=True, autoincrement=False),
    _ref("item"),
    _text("job_id"),
    _int("seq"),
    _bytes("feed_hash"),
    _text("details"),
    _text("flow"),
    _text("name"),
    _text("template_id"),
    _text("template_name"),
    _text("diagram_id"),
    _text("diagram_name"),
    _int("diagram_version"),
    _text("owned_by"),
    _text("created_by"),
    _int("created_ms"),
    _text("status"),
    _text("priority"),
    Column("percent_complete", Float, nullable=False),
    _text("description", nullable=True),
    _text("notes", nullable=True),
    _text("parent_job", nullable=True),
    _int("start_ms", nullable=True),
    _int("started_ms", nullable=True),
    _int("due_ms", nullable=True),
    _int("ended_ms", nullable=True),
    _flag("closed"),
    _text("closed_by", nullable=True),
    _text("geometry_type", nullable=True),
    _text("geometry", nullable=True),
    _text("versions", nullable=True),
    _int("may_create"),
    _text("automation_id", nullable=True),
    _text("automation_type", nullable=True),
    _text("ticket", nullable=True),
    _text("document_key", nullable=True),
    _text("phase"),
    _int("phase_ms"),
    *(Column(name, Float) for name in EXTENT),
    *(_text(f"{name}_folded", nullable=True) for name in FOLDED),
    UniqueConstraint("item_key", "job_id"),
)
"""``phase`` is worked out of the rest (``app.domain.phases``) at each write, and ``phase_ms`` is since when it is so:
what the lists of the v3 dialects are narrowed by. ``document_key`` names the document of a spooled job."""
SORTED = ("name", "priority", "due_ms", "created_ms")
"""What jobs are mostly sorted by. An index that ends with the key gives a page in its order."""

IN_ORDER_OF = ("closed", "status")
"""What most jobs of an old item have alike, and what changes with their age: the jobs of one value are to be had in
each of the orders, or "the oldest open ones" would read all that were closed since."""

BESIDE = ("template_id", "owned_by", "created_by", "start_ms", "ended_ms", "percent_complete")
"""What jobs are searched by besides. Their indexes hold what jobs are sorted by and what is asked together with most
else, so that many matches are sorted without a look at their rows, which is much faster."""


def _index_of_jobs(name: str, *columns: str, covers: bool = False) -> None:
    held = [each for each in (*SORTED, *IN_ORDER_OF) if each not in columns] if covers else []
    Index(name, *(job.c[each] for each in ("item_key", *columns, *held)))


for _sorted in SORTED:
    _index_of_jobs(f"ix_job_{_sorted}", _sorted, "key", covers=True)
    for _alike in IN_ORDER_OF:
        _index_of_jobs(f"ix_job_{_alike}_{_sorted}", _alike, _sorted, "key", covers=_sorted in {"due_ms", "created_ms"})
for _searched in BESIDE:
    _index_of_jobs(f"ix_job_{_searched}", _searched, "key", covers=True)
Index("ix_job_parent_job", job.c.item_key, job.c.parent_job)
_spooled = job.c.document_key.is_not(None)
Index(
    "ix_job_document_key", job.c.item_key, job.c.document_key, unique=True,
    postgresql_where=_spooled, sqlite_where=_spooled,
)  # fmt: skip
Index("ix_job_diagram", job.c.item_key, job.c.diagram_id, job.c.diagram_version)

STEP_FOLDED = ("step_id", "step_name", "assigned_type", "assigned_to")
"""Columns of ``current_step`` that have a ``*_folded`` neighbour."""

current_step = _table(
    "current_step",
    _ref("job", primary_key=True),
    _text("step_id", primary_key=True),
    _text("step_name"),
    _text("assigned_type"),
    _text("assigned_to", nullable=True),
    *(_text(f"{name}_folded", nullable=True) for name in STEP_FOLDED),
)
"""What jobs are searched by; the truth is in ``job.flow`` and the diagram."""
Index("ix_current_step_assigned_to", current_step.c.assigned_to, current_step.c.assigned_type, current_step.c.job_key)

feed = _table(
    "feed",
    _key("id"),
    Column("job_key", KeyType, ForeignKey("job_identity.key"), nullable=False),
    _int("seq"),
    _text("msg_type"),
    _int("created_ms"),
    _bytes("body"),
    _bytes("short", nullable=True),
    _text("audience_type", nullable=True),
    _text("audience_to", nullable=True),
    _text("command_id"),
    _bytes("prev_hash"),
    UniqueConstraint("job_key", "seq"),
)
"""The wire messages. On PostgreSQL ``PostgresTx`` makes the id from the transaction's number."""

history = _table(
    "history",
    _row_key(),
    _ref("job"),
    _text("action"),
    _text("username"),
    _int("date_ms"),
    _text("step_id", nullable=True),
    _text("result", nullable=True),
    _int("start_ms", nullable=True),
    _int("end_ms", nullable=True),
)
Index("ix_history_job_key", history.c.job_key)

comment = _table(
    "comment",
    _key(),
    _ref("job"),
    _text("comment_id"),
    _text("comment"),
    _text("username"),
    _int("at_ms"),
    UniqueConstraint("job_key", "comment_id"),
)

hold = _table(
    "hold",
    _row_key(),
    _ref("job"),
    _ref("item"),
    _text("hold_id"),
    _text("step_id"),
    _text("set_by"),
    _int("set_ms"),
    _int("scheduled_release_ms", nullable=True),
    _text("dependent_job_id", nullable=True),
    _text("dependent_step_id", nullable=True),
    _text("webhook_connection_id", nullable=True),
    _text("webhook_condition", nullable=True),
    _int("webhook_layer_id", nullable=True),
    _int("webhook_object_id", nullable=True),
    _text("released_by", nullable=True),
    _int("released_ms", nullable=True),
    UniqueConstraint("job_key", "hold_id"),
)
_waits = hold.c.released_ms.is_(None) & hold.c.dependent_job_id.is_not(None)
Index("ix_hold_waits", hold.c.item_key, hold.c.dependent_job_id, postgresql_where=_waits, sqlite_where=_waits)

_watches = hold.c.released_ms.is_(None) & hold.c.webhook_connection_id.is_not(None)
Index(
    "ix_hold_watches", hold.c.item_key, hold.c.webhook_connection_id, postgresql_where=_watches, sqlite_where=_watches
)

timer = _table(
    "timer", _key(), _ref("hold"), _int("due_ms"), _text("node_id", nullable=True), UniqueConstraint("hold_key")
)
"""``node_id`` has claimed it; that counts as long as the node has its lease."""
Index("ix_timer_due_ms", timer.c.due_ms)

ext_property = _table(
    "ext_property",
    _key(),
    _ref("job"),
    _text("table_name"),
    *_property(),
    UniqueConstraint("job_key", "table_name", "name"),
)
"""The values of one-to-one tables, a row for each property that was ever given one (or a default)."""

related_row = _table(
    "related_row",
    _key(),
    _ref("job"),
    _text("row_id"),
    _text("table_name"),
    _int("created_ms"),
    UniqueConstraint("job_key", "row_id"),
)
"""The rows of one-to-many tables."""

related_value = _table(
    "related_value",
    _key(),
    _ref("related_row"),
    *_property(),
    UniqueConstraint("related_row_key", "name"),
)

step_output = _table("step_output", _ref("job", primary_key=True), _text("step_id", primary_key=True), _text("output"))
"""A JSON array of what the last run of a service step has put out."""

# ---------------------------------------------------------------- runs and answers

node = _table("node", _text("node_id", primary_key=True), _int("lease_until_ms"))

run = _table(
    "run",
    _row_key(),
    _ref("job"),
    _text("run_id"),
    _text("step_id"),
    _text("node_id"),
    _int("fence"),
    _text("note", nullable=True),
    _flag("stopping"),
    _flag("ended"),
    UniqueConstraint("run_id"),
)
Index("ix_run_job_key", run.c.job_key)
_live = run.c.ended.is_(False)
_to_stop = _live & run.c.stopping
Index("ix_run_live", run.c.node_id, run.c.key, postgresql_where=_live, sqlite_where=_live)
Index("ix_run_stopping", run.c.node_id, postgresql_where=_to_stop, sqlite_where=_to_stop)

dispatch = _table(
    "dispatch",
    _key(),
    _ref("item"),
    _text("job_id"),
    _text("step_id", nullable=True),
    _text("kind"),
    _text("title"),
    _bytes("content"),
    _int("tries"),
    _int("due_ms"),
    _flag("begun"),
    _text("node_id", nullable=True),
)
"""What is to be sent to the outside. It outlives its job: that a job was deleted may be what is told."""
Index("ix_dispatch_kind", dispatch.c.kind, dispatch.c.due_ms)

kept_answer = _table(
    "kept_answer",
    _text("slot", primary_key=True),
    _ref("item"),
    _text("request"),
    _bytes("body"),
    _int("at_ms"),
)
"""What requests with an ``Idempotency-Key`` were answered. ``slot`` is a digest of user, path and key, ``request`` one
of the request's body."""
Index("ix_kept_answer_at_ms", kept_answer.c.at_ms)

answer = _table(
    "answer",
    _key(),
    _ref("job"),
    _text("step_id"),
    _text("run_id"),
    _text("prompt_id"),
    _text("request_id", nullable=True),
    _text("username"),
    _text("answer"),
    _text("stage"),
    _text("reason", nullable=True),
    _int("at_ms"),
    CheckConstraint("stage IN ('stored', 'applied', 'rejected')", name="stage"),
)
_asked = answer.c.request_id.is_not(None)
_stands = text("stage <> 'rejected'")
_stored = text("stage = 'stored'")
Index(
    "uq_answer_request", answer.c.job_key, answer.c.username, answer.c.request_id, unique=True,
    postgresql_where=_asked, sqlite_where=_asked,
)  # fmt: skip
Index(
    "uq_answer_prompt", answer.c.job_key, answer.c.prompt_id, unique=True,
    postgresql_where=_stands, sqlite_where=_stands,
)  # fmt: skip
Index("ix_answer_job_key_step_id", answer.c.job_key, answer.c.step_id)
Index("ix_answer_stored", answer.c.run_id, postgresql_where=_stored, sqlite_where=_stored)

# ---------------------------------------------------------------- attachments

attachment = _table(
    "attachment",
    _key(),
    _ref("job"),
    _text("attachment_id"),
    _text("alias"),
    _text("folder"),
    _text("username"),
    _int("at_ms"),
    _text("step_id", nullable=True),
    _text("link", nullable=True),
    _text("blob_id", nullable=True),
    _text("file_name", nullable=True),
    _text("media_type", nullable=True),
    _int("size", nullable=True),
    _text("sha256", nullable=True),
    UniqueConstraint("job_key", "attachment_id"),
    CheckConstraint("(link IS NULL) <> (blob_id IS NULL)", name="link_or_blob"),
)

loose_blob = _table("loose_blob", _text("blob_id", primary_key=True), _int("due_ms"))
"""Blobs that belong to no attachment: not yet, or not any more. From ``due_ms`` on they are removed."""
Index("ix_loose_blob_due_ms", loose_blob.c.due_ms)

blob = _table(
    "blob",
    _key(),
    _text("blob_id", nullable=True),
    _int("size"),
    _text("sha256"),
    _int("created_ms"),
    UniqueConstraint("blob_id"),
)
"""``blob_id`` is given with the last chunk: a row without one is unfinished, or left over from a crash."""

blob_chunk = _table(
    "blob_chunk",
    _ref("blob", primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _bytes("data"),
)


def check_revision(found: str | None) -> None:
    """Refuse to work on tables of another version of this program.

    Raises:
        StoreUnavailable: the migrations have not been run, or newer ones have.
    """
    if found != REVISION:
        raise StoreUnavailable(
            f"The database's tables are at revision {found or 'none'}, this program needs {REVISION}. "
            "Start the newest version of it once: it brings the tables up to date."
        )
