"""Background work on items, and their logs."""

from typing import Final

from sqlalchemy import bindparam, case, delete, func, null, or_, select, update

from app.domain.job import Content
from app.services.ports import Item, ItemTask, LogEntry, LogLevel, TaskEnded, TaskKind, TaskState
from app.store.base import Queries
from app.store.schema import item, item_log, item_task, node
from app.store.sql import Statement, insert_into

KEPT_LOGS: Final = 10_000
"""Entries of an item's log; older ones go with every hundredth that is added."""

_TRIM_EVERY: Final = 100

_ADD_TASK = insert_into(item_task, "item_key", "task_id", "kind", "username", "body", "tries", "created_ms")
_OPEN = item_task.c.ended_ms.is_(None)
_WAITING = Statement(
    select(func.count()).select_from(item_task).where(item_task.c.item_key == bindparam("item_key"), _OPEN)
)
_FREE = or_(
    item_task.c.node_id.is_(None),
    item_task.c.node_id == bindparam("own_id"),
    item_task.c.node_id.not_in(select(node.c.node_id)),
)
_NEXT = Statement(
    select(item_task.c.key)
    .select_from(item_task.join(item, item_task.c.item_key == item.c.key))
    .where(_OPEN, item.c.going.is_(False), _FREE)
    .order_by(item_task.c.key)
    .limit(bindparam("count"))
    .with_for_update(skip_locked=True, of=item_task)
)
_CLAIM = Statement(
    update(item_task)
    .where(item_task.c.key == bindparam("own_key"))
    .values(
        node_id=bindparam("own_id"),
        tries=case((item_task.c.node_id == bindparam("own_id"), item_task.c.tries), else_=item_task.c.tries + 1),
    )
)
"""A node that takes its own once more has not died over it: the database was away."""
_TASK = Statement(
    select(
        item_task.c.key,
        item.c.org_id,
        item.c.item_id,
        *(item_task.c[name] for name in "task_id kind username body tries".split()),
    )
    .select_from(item_task.join(item, item_task.c.item_key == item.c.key))
    .where(item_task.c.key == bindparam("key"))
)
_CONTENT: Final = "blob_id file_name media_type size sha256".split()
"""Columns in the order of the constructor of ``Content``."""

_END = Statement(
    update(item_task)
    .where(item_task.c.key == bindparam("own_key"), item_task.c.node_id == bindparam("own_id"), _OPEN)
    .values(
        ended_ms=bindparam("now_ms"),
        body=bindparam("nothing"),
        node_id=null(),
        problem=bindparam("new_problem"),
        mapping=bindparam("new_mapping"),
        **{name: bindparam(f"new_{name}") for name in _CONTENT},
    )
)
_STATE = Statement(
    select(*(item_task.c[name] for name in ("kind", "ended_ms", "problem", "mapping", *_CONTENT))).where(
        item_task.c.item_key == bindparam("item_key"), item_task.c.task_id == bindparam("task_id")
    )
)
_ENDED = Statement(
    select(item_task.c.key, item.c.item_id, *(item_task.c[name] for name in ("task_id", "kind", "username", "problem")))
    .select_from(item_task.join(item, item_task.c.item_key == item.c.key))
    .where(item_task.c.ended_ms > bindparam("since_ms"))
    .order_by(item_task.c.key)
)
_old = (
    select(item_task.c.key)
    .where(item_task.c.ended_ms < bindparam("before_ms"))
    .order_by(item_task.c.ended_ms)
    .limit(bindparam("count"))
    .with_for_update(skip_locked=True)
)
_FORGET = Statement(delete(item_task).where(item_task.c.key.in_(_old)))

_ENTRY: Final = "level message at_ms username job_id step_id".split()
"""Members of ``LogEntry``, in the order of its constructor."""

_ADD_LOG = insert_into(item_log, returning="key")
_oldest_kept = (
    select(item_log.c.key)
    .where(item_log.c.item_key == bindparam("own_item"))
    .order_by(item_log.c.key.desc())
    .limit(1)
    .offset(bindparam("kept"))
)
_TRIM = Statement(
    delete(item_log).where(
        item_log.c.item_key == bindparam("own_item"), item_log.c.key <= _oldest_kept.scalar_subquery()
    )
)
_LOGS = Statement(
    select(*(item_log.c[name] for name in _ENTRY))
    .where(
        item_log.c.item_key == bindparam("item_key"),
        item_log.c.at_ms >= bindparam("from_ms"),
        item_log.c.at_ms <= bindparam("until_ms"),
    )
    .order_by(item_log.c.key.desc())
    .limit(bindparam("count"))
    .offset(bindparam("skip"))
)


class AdministrationQueries(Queries):
    """``Tx``: background work on items, and their logs."""

    def add_item_task(self, item: Item, task_id: str, kind: TaskKind, username: str, body: bytes) -> None:
        self.sql.change(
            _ADD_TASK,
            item_key=item.key,
            task_id=task_id,
            kind=kind.value,
            username=username,
            body=body,
            tries=0,
            created_ms=self.now_ms(),
        )

    def waiting_item_tasks(self, item: Item) -> int:
        row = self.sql.one(_WAITING, item_key=item.key)
        return int(row[0]) if row else 0

    def claim_item_task(self, node_id: str) -> ItemTask | None:
        found = self.sql.one(_NEXT, own_id=node_id, count=1)
        if found is None:
            return None
        self.sql.change(_CLAIM, own_key=found[0], own_id=node_id)
        row = self.sql.one(_TASK, key=found[0])
        if row is None:
            return None
        key, org_id, item_id, task_id, kind, username, body, tries = row
        return ItemTask(key, org_id, item_id, task_id, TaskKind(kind), username, bytes(body), tries)

    def end_item_task(
        self, task: ItemTask, node_id: str, problem: str | None, content: Content | None, mapping: bytes | None
    ) -> bool:
        kept = {f"new_{name}": getattr(content, name) if content else None for name in _CONTENT}
        ended = self.sql.change(
            _END,
            own_key=task.key,
            own_id=node_id,
            now_ms=self.now_ms(),
            nothing=b"",
            new_problem=problem,
            new_mapping=mapping,
            **kept,
        )
        return ended == 1

    def item_task(self, item: Item, task_id: str) -> TaskState | None:
        row = self.sql.one(_STATE, item_key=item.key, task_id=task_id)
        if row is None:
            return None
        kind, ended_ms, problem, mapping, *kept = row
        content = None if kept[0] is None else Content(*kept)
        return TaskState(TaskKind(kind), ended_ms, problem, content, None if mapping is None else bytes(mapping))

    def ended_item_tasks(self, since_ms: int) -> list[TaskEnded]:
        rows = self.sql.all(_ENDED, since_ms=since_ms)
        return [
            TaskEnded(key, item_id, task_id, TaskKind(kind), username, problem)
            for key, item_id, task_id, kind, username, problem in rows
        ]

    def forget_item_tasks(self, before_ms: int, limit: int) -> int:
        return self.sql.change(_FORGET, before_ms=before_ms, count=limit)

    def add_log(self, item: Item, entry: LogEntry) -> None:
        values = {name: getattr(entry, name) for name in _ENTRY} | {"level": entry.level.value}
        key = self._key_of(_ADD_LOG, item_key=item.key, **values)
        if key % _TRIM_EVERY == 0:
            self.sql.change(_TRIM, own_item=item.key, kept=KEPT_LOGS)

    def logs(self, item: Item, from_ms: int, until_ms: int, skip: int, count: int) -> list[LogEntry]:
        rows = self.sql.all(_LOGS, item_key=item.key, from_ms=from_ms, until_ms=until_ms, skip=skip, count=count)
        return [LogEntry(LogLevel(level), *rest) for level, *rest in rows]
