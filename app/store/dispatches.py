"""What is to be sent to the outside, until it is sent."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, false, func, null, or_, select, true, update

from app.services.ports import Dispatch, Item
from app.store.base import Queries
from app.store.schema import dispatch, item, node
from app.store.sql import AnyOf, Row, Statement, insert_into

_ADD = insert_into(dispatch)
_FREE = or_(dispatch.c.node_id.is_(None), dispatch.c.node_id.not_in(select(node.c.node_id)))
_DUE = Statement(
    select(dispatch.c.key)
    .where(dispatch.c.kind == bindparam("own_kind"), dispatch.c.due_ms <= bindparam("now_ms"), _FREE)
    .order_by(dispatch.c.due_ms, dispatch.c.key)
    .limit(bindparam("count"))
    .with_for_update(skip_locked=True, of=dispatch)
)
_CLAIM = Statement(
    update(dispatch)
    .where(AnyOf(dispatch.c.key, "keys"))
    .values(node_id=bindparam("own_id"), tries=dispatch.c.tries + bindparam("one"))
)
_CLAIMED = Statement(
    select(
        dispatch.c.key,
        item.c.item_id,
        *(dispatch.c[name] for name in "job_id step_id kind title content tries begun".split()),
    )
    .select_from(dispatch.join(item, dispatch.c.item_key == item.c.key))
    .where(AnyOf(dispatch.c.key, "keys"))
    .order_by(dispatch.c.key)
)
_OWN = (dispatch.c.key == bindparam("own_key"), dispatch.c.node_id == bindparam("own_id"))
_BEGIN = Statement(update(dispatch).where(*_OWN).values(begun=true()))
_PUT_BACK = Statement(update(dispatch).where(*_OWN).values(node_id=null(), begun=false(), due_ms=bindparam("new_ms")))
_DELETE = Statement(delete(dispatch).where(*_OWN))
_LIKE = Statement(
    select(dispatch.c.key)
    .where(
        dispatch.c.kind == bindparam("own_kind"),
        dispatch.c.due_ms <= bindparam("now_ms"),
        dispatch.c.node_id.is_(None),
        dispatch.c.item_key == bindparam("item_key"),
        dispatch.c.job_id == bindparam("job_id"),
        dispatch.c.content == bindparam("content"),
    )
    .limit(bindparam("count"))
)
_NEXT = Statement(select(func.min(dispatch.c.due_ms)).where(AnyOf(dispatch.c.kind, "kinds"), _FREE))


class DispatchQueries(Queries):
    """``Tx``: dispatches."""

    def add_dispatch(
        self, item: Item, *, job_id: str, step_id: str | None, kind: str, title: str, content: bytes, due_ms: int
    ) -> None:
        self.sql.change(
            _ADD,
            item_key=item.key,
            job_id=job_id,
            step_id=step_id,
            kind=kind,
            title=title,
            content=content,
            tries=0,
            due_ms=due_ms,
            begun=False,
            node_id=None,
        )

    def is_dispatch_due(self, item: Item, *, job_id: str, kind: str, content: bytes, now_ms: int) -> bool:
        found = self.sql.one(
            _LIKE, own_kind=kind, now_ms=now_ms, item_key=item.key, job_id=job_id, content=content, count=1
        )
        return found is not None

    def claim_dispatches(self, node_id: str, kind: str, now_ms: int, limit: int) -> list[Dispatch]:
        keys = [row[0] for row in self.sql.all(_DUE, own_kind=kind, now_ms=now_ms, count=limit)]
        if not keys:
            return []
        self.sql.change(_CLAIM, keys=keys, own_id=node_id, one=1)
        return [_dispatch(row) for row in self.sql.all(_CLAIMED, keys=keys)]

    def begin_dispatch(self, dispatch_id: int, node_id: str) -> bool:
        return self.sql.change(_BEGIN, own_key=dispatch_id, own_id=node_id) == 1

    def put_dispatch_back(self, dispatch_id: int, node_id: str, due_ms: int) -> bool:
        return self.sql.change(_PUT_BACK, own_key=dispatch_id, own_id=node_id, new_ms=due_ms) == 1

    def delete_dispatch(self, dispatch_id: int, node_id: str) -> bool:
        return self.sql.change(_DELETE, own_key=dispatch_id, own_id=node_id) == 1

    def next_dispatch_ms(self, kinds: Sequence[str]) -> int | None:
        row = self.sql.one(_NEXT, kinds=list(kinds))
        return row[0] if row else None


def _dispatch(row: Row) -> Dispatch:
    *names, content, tries, begun = row
    members: Row = (*names, bytes(content), tries, bool(begun))
    return Dispatch(*members)
