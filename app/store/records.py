"""What is written down about a job: history, comments, what steps have put out."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import bindparam, select

from app.services.ports import Comment, HistoryEntry, JobRecord, Scalar
from app.store.base import Queries
from app.store.schema import comment, history, step_output
from app.store.sql import Statement, insert_into, put_into

_ENTRY: Final = "action username date_ms step_id result start_ms end_ms".split()
"""Members of ``HistoryEntry``, in the order of its constructor."""

_APPEND = insert_into(history, "job_key", *_ENTRY)
_HISTORY = Statement(
    select(*(history.c[name] for name in _ENTRY))
    .where(history.c.job_key == bindparam("job_key"))
    .order_by(history.c.key)
)
_ADD_COMMENT = insert_into(comment)
_COMMENTS = Statement(
    select(comment.c.comment_id, comment.c.comment, comment.c.username, comment.c.at_ms)
    .where(comment.c.job_key == bindparam("job_key"))
    .order_by(comment.c.key)
)
_PUT_OUTPUT = put_into(step_output, ["job_key", "step_id"])
_OUTPUT = Statement(
    select(step_output.c.output).where(
        step_output.c.job_key == bindparam("job_key"), step_output.c.step_id == bindparam("step_id")
    )
)


class RecordQueries(Queries):
    """``Tx``: history, comments, what steps have put out."""

    def append_history(self, record: JobRecord, entries: Sequence[HistoryEntry]) -> None:
        rows = [{"job_key": record.key} | {name: getattr(entry, name) for name in _ENTRY} for entry in entries]
        self.sql.change_many(_APPEND, rows)

    def history(self, record: JobRecord) -> list[HistoryEntry]:
        return [HistoryEntry(*row) for row in self.sql.all(_HISTORY, job_key=record.key)]

    def add_comment(self, record: JobRecord, comment: Comment) -> None:
        """Raises Conflict when the job has a comment of that id."""
        self.sql.change(
            _ADD_COMMENT,
            job_key=record.key,
            comment_id=comment.comment_id,
            comment=comment.comment,
            username=comment.by,
            at_ms=comment.at_ms,
        )

    def comments(self, record: JobRecord) -> list[Comment]:
        return [Comment(*row) for row in self.sql.all(_COMMENTS, job_key=record.key)]

    def set_step_output(self, record: JobRecord, step_id: str, values: Sequence[Scalar]) -> None:
        output = msgspec.json.encode(values).decode()
        self.sql.change(_PUT_OUTPUT, job_key=record.key, step_id=step_id, output=output)

    def step_output(self, record: JobRecord, step_id: str) -> list[Scalar]:
        row = self.sql.one(_OUTPUT, job_key=record.key, step_id=step_id)
        return msgspec.json.decode(row[0], type=list[Scalar]) if row else []
