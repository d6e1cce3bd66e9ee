"""Answers kept under idempotency keys."""

from sqlalchemy import bindparam, delete, select

from app.services.ports import Item, KeptAnswer
from app.store.base import Queries
from app.store.schema import kept_answer
from app.store.sql import Statement, insert_into

_READ = Statement(
    select(kept_answer.c.request, kept_answer.c.body).where(kept_answer.c.slot == bindparam("slot")),
)
_KEEP = insert_into(kept_answer)
_oldest = (
    select(kept_answer.c.slot)
    .where(kept_answer.c.at_ms < bindparam("before_ms"))
    .order_by(kept_answer.c.at_ms)
    .limit(bindparam("count"))
    .with_for_update(skip_locked=True)
)
_FORGET = Statement(delete(kept_answer).where(kept_answer.c.slot.in_(_oldest)))


class KeptAnswerQueries(Queries):
    """One row per slot."""

    def claim_slot(self, slot: str) -> bool:  # noqa: ARG002 - where one writes at a time, nobody else can have it
        self.sql.check_writable()
        return True

    def kept_answer(self, slot: str) -> KeptAnswer | None:
        row = self.sql.one(_READ, slot=slot)
        return KeptAnswer(row[0], bytes(row[1])) if row else None

    def keep_answer(self, item: Item, slot: str, answer: KeptAnswer, at_ms: int) -> None:
        self.sql.change(_KEEP, slot=slot, item_key=item.key, request=answer.request, body=answer.body, at_ms=at_ms)

    def forget_answers(self, before_ms: int, limit: int) -> int:
        return self.sql.change(_FORGET, before_ms=before_ms, count=limit)
