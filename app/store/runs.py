"""Runs, the leases of the nodes that own them, and the answers on their way to them."""

from typing import Any, Final

import msgspec
from sqlalchemy import Select, bindparam, delete, func, select, true, update

from app.domain.job import Answer
from app.errors import Conflict
from app.services.ports import AnswerRecord, JobRecord, RunRecord
from app.store.base import Queries
from app.store.schema import answer, item, job, node, run
from app.store.sql import AnyOf, Row, Statement, insert_if_new, insert_into, put_into

_LIVE = run.c.ended.is_(False)
_ADD_RUN = insert_into(run)
_OWN_RUN = run.c.run_id == bindparam("own_id")
_NOTE = Statement(update(run).where(_OWN_RUN).values(note=bindparam("new_note")))
_END_RUN = Statement(update(run).where(_OWN_RUN).values(ended=true()))
_STOP_RUN = Statement(update(run).where(_OWN_RUN).values(stopping=true()))
LIVE_RUNS: Final = (
    select(run.c.run_id, item.c.item_id, job.c.key, job.c.job_id, run.c.step_id, run.c.node_id, run.c.fence, run.c.note)
    .select_from(run.join(job, run.c.job_key == job.c.key).join(item, job.c.item_key == item.c.key))
    .where(_LIVE)
)
_RUN = Statement(LIVE_RUNS.where(run.c.run_id == bindparam("run_id")))
_LOCK_RUN = Statement(LIVE_RUNS.where(run.c.run_id == bindparam("run_id")).with_for_update(key_share=True, of=run))
_STOPPING = Statement(LIVE_RUNS.where(run.c.node_id == bindparam("node_id"), run.c.stopping).order_by(run.c.key))
_RUNS_BY_KEY = Statement(LIVE_RUNS.where(AnyOf(run.c.key, "keys")).order_by(run.c.key))

_START_NODE = put_into(node, ["node_id"])
_RENEW_NODE = Statement(
    update(node).where(node.c.node_id == bindparam("own_id")).values(lease_until_ms=bindparam("until_ms"))
)
_END_NODE = Statement(delete(node).where(node.c.node_id == bindparam("own_id")))
_NODES = Statement(select(node.c.node_id).order_by(node.c.node_id))
_FORGET_NODES = Statement(delete(node))
_END_LAPSED = Statement(
    delete(node).where(node.c.lease_until_ms < bindparam("now_ms"), node.c.node_id != bindparam("own_id"))
)
_owner = select(func.min(run.c.node_id).label("node_id")).where(_LIVE).cte("owner", recursive=True)
_after = select(func.min(run.c.node_id)).where(_LIVE, run.c.node_id > _owner.c.node_id).correlate(_owner)
_owner = _owner.union_all(select(_after.scalar_subquery()).where(_owner.c.node_id.is_not(None)))
_GONE = Statement(
    select(_owner.c.node_id).where(
        _owner.c.node_id.is_not(None),
        _owner.c.node_id != bindparam("own_id"),
        _owner.c.node_id.not_in(select(node.c.node_id)),
    )
)
"""Owners of runs that are nodes no more. It jumps from owner to owner in the index, over their runs: there may be a
hundred thousand, and each node asks at each renewal."""

_ORPHANS = Statement(
    select(run.c.key)
    .where(_LIVE, run.c.node_id == bindparam("owner_id"))
    .order_by(run.c.key)
    .limit(bindparam("count"))
    .with_for_update(skip_locked=True, of=run)
)
_ADOPT = Statement(
    update(run)
    .where(AnyOf(run.c.key, "keys"))
    .values(node_id=bindparam("own_id"), fence=run.c.fence + bindparam("one"))
)

_ANSWER: Final = "step_id run_id prompt_id request_id username answer stage reason at_ms".split()
"""Columns of ``answer``, in the order of ``AnswerRecord``."""

_ADD_ANSWER = insert_if_new(answer, returning="key")
_STAGE = Statement(
    update(answer)
    .where(answer.c.key == bindparam("own_key"))
    .values(stage=bindparam("new_stage"), reason=bindparam("new_reason"))
)
_ANSWERS = select(
    answer.c.key, item.c.item_id, job.c.key.label("job_key"), job.c.job_id, *(answer.c[name] for name in _ANSWER)
).select_from(answer.join(job, answer.c.job_key == job.c.key).join(item, job.c.item_key == item.c.key))
_BY_KEY = Statement(_ANSWERS.where(answer.c.key == bindparam("answer_id")))
_BY_REQUEST = Statement(
    _ANSWERS.where(
        answer.c.job_key == bindparam("job_key"),
        answer.c.username == bindparam("username"),
        answer.c.request_id == bindparam("request_id"),
    )
)


def _newest(answers: "Select[Any]") -> "Select[Any]":
    return answers.order_by(answer.c.key.desc()).limit(bindparam("count"))


_LAST = Statement(
    _newest(
        _ANSWERS.where(
            answer.c.job_key == bindparam("job_key"),
            answer.c.step_id == bindparam("step_id"),
            answer.c.stage != bindparam("rejected"),
        )
    )
)
_UNAPPLIED = Statement(
    _ANSWERS.join(run, run.c.run_id == answer.c.run_id)
    .where(run.c.node_id == bindparam("node_id"), _LIVE, answer.c.stage == bindparam("stored"))
    .order_by(answer.c.key)
)

_STORED: Final = "stored"
_REJECTED: Final = "rejected"

_decode_answer = msgspec.json.Decoder(Answer).decode
_encode = msgspec.json.Encoder().encode


class RunQueries(Queries):
    """``Tx``: runs, answers, nodes."""

    def add_run(self, record: JobRecord, run_id: str, step_id: str, node_id: str) -> None:
        self.sql.change(
            _ADD_RUN,
            job_key=record.key,
            run_id=run_id,
            step_id=step_id,
            node_id=node_id,
            fence=1,
            note=None,
            stopping=False,
            ended=False,
        )

    def end_run(self, run_id: str) -> None:
        self.sql.change(_END_RUN, own_id=run_id)

    def stop_run(self, run_id: str) -> RunRecord | None:
        self.sql.change(_STOP_RUN, own_id=run_id)
        return self.run(run_id)

    def run(self, run_id: str) -> RunRecord | None:
        row = self.sql.one(_RUN, run_id=run_id)
        return RunRecord(*row) if row else None

    def set_run_note(self, run_id: str, note: str) -> None:
        self.sql.change(_NOTE, own_id=run_id, new_note=note)

    def lock_run(self, run_id: str) -> RunRecord | None:
        self.sql.check_writable()
        row = self.sql.one(_LOCK_RUN, run_id=run_id)
        return RunRecord(*row) if row else None

    def stopping_runs(self, node_id: str) -> list[RunRecord]:
        return [RunRecord(*row) for row in self.sql.all(_STOPPING, node_id=node_id)]

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
        row = self.sql.one(
            _ADD_ANSWER,
            job_key=record.key,
            step_id=step_id,
            run_id=run_id,
            prompt_id=prompt_id,
            request_id=request_id,
            username=username,
            answer=_encode(answer).decode(),
            stage=_STORED,
            reason=None,
            at_ms=at_ms,
        )
        if row is None:
            raise self._refusal(record, username, request_id, prompt_id)
        return int(row[0])

    def _refusal(self, record: JobRecord, username: str, request_id: str | None, prompt_id: str) -> Conflict:
        if request_id is not None and self.answer_by_request(record, username, request_id):
            return Conflict(f"{username!r} has used the requestId {request_id!r} on this job.", name="RequestIdInUse")
        return Conflict(f"The prompt {prompt_id!r} has been answered.", name="AlreadyAnswered")

    def set_answer_stage(self, answer_id: int, stage: str, reason: str | None = None) -> None:
        self.sql.change(_STAGE, own_key=answer_id, new_stage=stage, new_reason=reason)

    def answer(self, answer_id: int) -> AnswerRecord | None:
        return _answer(self.sql.one(_BY_KEY, answer_id=answer_id))

    def answer_by_request(self, record: JobRecord, username: str, request_id: str) -> AnswerRecord | None:
        return _answer(self.sql.one(_BY_REQUEST, job_key=record.key, username=username, request_id=request_id))

    def last_answer(self, record: JobRecord, step_id: str) -> AnswerRecord | None:
        return _answer(self.sql.one(_LAST, job_key=record.key, step_id=step_id, rejected=_REJECTED, count=1))

    def unapplied_answers(self, node_id: str) -> list[AnswerRecord]:
        return [_record(row) for row in self.sql.all(_UNAPPLIED, node_id=node_id, stored=_STORED)]

    def start_node(self, node_id: str, lease_until_ms: int) -> None:
        self.sql.change(_START_NODE, node_id=node_id, lease_until_ms=lease_until_ms)

    def renew_node(self, node_id: str, lease_until_ms: int) -> bool:
        return self.sql.change(_RENEW_NODE, own_id=node_id, until_ms=lease_until_ms) == 1

    def forget_nodes(self) -> None:
        self.sql.change(_FORGET_NODES)

    def end_node(self, node_id: str) -> None:
        self.sql.change(_END_NODE, own_id=node_id)

    def nodes(self) -> list[str]:
        return [row[0] for row in self.sql.all(_NODES)]

    def adopt_runs(self, node_id: str, now_ms: int, limit: int = 100) -> list[RunRecord]:
        """Take over runs of nodes that are gone, oldest first of each; call again while ``limit`` come back.

        A node whose lease is over loses its row first. So it cannot renew any more once a single run of it was taken,
        and a run it starts too late has an owner that does not exist: the next call finds it.
        """
        self.sql.change(_END_LAPSED, now_ms=now_ms, own_id=node_id)
        keys: list[int] = []
        for (owner_id,) in self.sql.all(_GONE, own_id=node_id):
            keys += [row[0] for row in self.sql.all(_ORPHANS, owner_id=owner_id, count=limit - len(keys))]
        if not keys:
            return []
        self.sql.change(_ADOPT, keys=keys, own_id=node_id, one=1)
        return [RunRecord(*row) for row in self.sql.all(_RUNS_BY_KEY, keys=keys)]


def _record(row: Row) -> AnswerRecord:
    members: Row = (*row[:9], _decode_answer(row[9]), *row[10:])
    return AnswerRecord(*members)


def _answer(row: Row | None) -> AnswerRecord | None:
    return _record(row) if row else None
