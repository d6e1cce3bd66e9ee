"""Runs what this node owns: executes service steps, applies stored answers, ends holds, takes over lost runs."""

import logging
from collections.abc import Sequence

from app.domain.commands import EndStoppedRun
from app.services import answers, jobs, runs
from app.services.engine import Engine
from app.services.ports import PendingAnswer, RunRecord, StepExecutor, Store, Timer
from app.steps.calls import ServerCalls
from app.steps.executions import Executions
from app.steps.leases import NodeLease
from app.steps.tasks import Tasks
from app.steps.timers import Timers

log = logging.getLogger(__name__)

CLOSE_S = 5.0
"""So long a closing runner waits for executors to stop and for what they have brought to an end to be written."""


class Runner:
    """The runner of one node; implements ``RunStarter``.

    ``attach`` gives it the engine (which itself needs the runner) before ``open``.

    Args:
        close_s: how long ``close`` waits for executors that do not end at once.
    """

    def __init__(
        self,
        store: Store,
        executors: Sequence[StepExecutor] = (),
        *,
        lease_s: float = 15,
        renew_s: float = 5,
        close_s: float = CLOSE_S,
    ) -> None:
        self._store = store
        self._close_s = close_s
        self._tasks = Tasks()
        self._calls = ServerCalls(store)
        self._executions = Executions(self._calls, executors, self._tasks)
        self._lease = NodeLease(
            store,
            lease_s=lease_s,
            renew_s=renew_s,
            on_adopted=self._adopted,
            on_renewed=self._renewed,
            on_lost=self._executions.abandon,
        )
        self._timers = Timers(store, self._end_hold)
        self._applying: set[int] = set()
        self._is_open = False

    @property
    def node_id(self) -> str:
        """This process start's name."""
        return self._lease.node_id

    def attach(self, engine: Engine) -> None:
        """Give the runner the engine it reports to."""
        self._calls.attach(engine)

    async def open(self) -> None:
        """Take the lease, take over runs of dead nodes, apply answers that were stored before a crash."""
        self._is_open = True
        await self._lease.open()
        self._timers.open()

    async def close(self) -> None:
        """Stop working. Runs stay as they are: this node's next start, or another node, takes them over."""
        self._is_open = False
        await self._timers.close()
        self._calls.close()
        self._executions.abandon()
        await self._tasks.ended(within_s=self._close_s)
        await self._lease.close()

    # ------------------------------------------------------------ what use cases ask for

    def started(self, runs: Sequence[RunRecord]) -> None:
        if self._is_open:
            for run in runs:
                self._executions.begin(run, adopted=False)

    def stopping(self, run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            if self._is_open and not self._executions.stop(run_id):
                self._tasks.start(self._end_idle(run_id), f"stop of run {run_id}")

    def answered(self, answers: Sequence[PendingAnswer]) -> None:
        for answer in answers:
            if self._is_open and answer.answer_id not in self._applying:
                self._applying.add(answer.answer_id)
                self._tasks.start(self._apply(answer), f"answer {answer.answer_id}")

    def timers_changed(self) -> None:
        self._timers.changed()

    # ------------------------------------------------------------ the lease

    def _adopted(self, adopted: Sequence[RunRecord]) -> None:
        for run in adopted:
            log.info("took over run %s of job %s", run.run_id, run.job_id)
            if self._is_open:
                self._executions.begin(run, adopted=True)

    async def _renewed(self) -> None:
        """Look for what other processes have left for this node."""
        waiting = await self._store.read(lambda tx: tx.unapplied_answers(self.node_id))
        self.answered([PendingAnswer(answer.item_id, answer.answer_id) for answer in waiting])
        await self._executions.look_for_stops()

    # ------------------------------------------------------------ answers, stops, timers

    async def _apply(self, answer: PendingAnswer) -> None:
        """Apply one stored answer, however long the database takes: it has been acknowledged."""
        answer_id = answer.answer_id
        try:
            await self._calls.persist(answer.item_id, lambda unit: answers.apply(unit, answer_id))
        except Exception:
            log.exception("answer %d could not be applied; it is tried again at the next renewal", answer_id)
        finally:
            self._applying.discard(answer_id)

    async def _end_idle(self, run_id: str) -> None:
        """End a stopped run of this node that is not being executed: its outcome could not be written."""
        try:
            run = await self._store.read(lambda tx: tx.run(run_id))
            if run is not None and run.node_id == self.node_id:
                report = EndStoppedRun(run.step_id, run_id)
                await self._calls.persist(run.item_id, lambda unit: runs.report(unit, run, report))
        except Exception:
            log.exception("run %s could not be stopped", run_id)

    async def _end_hold(self, timer: Timer) -> None:
        await self._calls.execute(timer.item_id, lambda unit: jobs.end_hold_when_due(unit, timer.job_id, timer.hold_id))
