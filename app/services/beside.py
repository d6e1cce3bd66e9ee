"""Use cases beside a running server: a command writes through its own store and hands nothing on.

The server finds by itself what was written: its sweep reads feed rows and access versions every two seconds, its
runner reads unapplied answers and timers at each renewal of its lease (design.md section 2, "Healing", "Runner").
"""

from collections.abc import Sequence

from app.services.engine import Engine
from app.services.ports import AnswerRecord, FeedMessage, PendingAnswer, RunRecord, Store, TaskEnded


class NobodyListens:
    """A publisher and a runner without subscribers and runs: all that they are told is in the database already."""

    node_id = "command"

    def publish(self, messages: Sequence[FeedMessage]) -> None:
        pass

    def verdict(self, answer: AnswerRecord) -> None:
        pass

    def task_ended(self, ended: TaskEnded) -> None:
        pass

    def access_changed(self) -> None:
        pass

    def started(self, runs: Sequence[RunRecord]) -> None:
        pass

    def stopping(self, runs: Sequence[RunRecord]) -> None:
        pass

    def refreshing(self, runs: Sequence[RunRecord]) -> None:
        pass

    def answered(self, answers: Sequence[PendingAnswer]) -> None:
        pass

    def timers_changed(self) -> None:
        pass

    def dispatches_added(self) -> None:
        pass


def engine_beside(store: Store) -> Engine:
    """An engine for commands: who may do what, users, groups, keys. Not for actions on jobs, which start runs."""
    nobody = NobodyListens()
    return Engine(store, nobody, nobody)
