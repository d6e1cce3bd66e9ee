"""The part of a transaction that reads and writes runs, answers, timers and what is sent after the commit."""

from collections.abc import Sequence
from typing import Protocol

from app.domain.job import Answer
from app.services.ports.definitions import Item, KeptAnswer
from app.services.ports.jobs import JobRecord
from app.services.ports.runs import AnswerRecord, Dispatch, RunRecord, Timer


class RunTx(Protocol):
    """Runs, answers, nodes, timers, dispatches and kept answers, in one transaction (see ``Tx``)."""

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
    def is_dispatch_due(self, item: Item, *, job_id: str, kind: str, content: bytes, now_ms: int) -> bool:
        """One like this is due, and no node had claimed it when this transaction looked."""

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
