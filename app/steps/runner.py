"""Runs what this node owns: executes service steps, applies stored answers, ends holds, makes the jobs of schedules,
takes over lost runs."""

import logging
from collections.abc import Sequence

from app.domain.commands import EndStoppedRun
from app.services import answers, jobs, runs
from app.services.engine import Engine, ItemGone
from app.services.ports import DispatchSender, Errand, PendingAnswer, Post, RunRecord, StepExecutor, Store, Timer, Tx
from app.steps.calls import ServerCalls
from app.steps.dispatcher import Dispatcher
from app.steps.executions import Executions
from app.steps.leases import NodeLease
from app.steps.limits import FairLimit
from app.steps.schedules import Schedules
from app.steps.tasks import Tasks
from app.steps.timers import Timers

log = logging.getLogger(__name__)

CLOSE_S = 5.0
"""So long a closing runner waits for executors to stop and for what they have brought to an end to be written."""

PER_TEMPLATE = 50


class Runner:
    """The runner of one node; implements ``RunStarter``.

    What is asked about a run of another node goes to that node by post, and to nobody else. The post may lose it; so
    each node looks at every renewal for what is asked of it. ``attach`` gives it the engine (which itself needs the
    runner) before ``open``.

    Args:
        post: carries errands to other nodes, and brings theirs; it is ready before ``open``.
        close_s: how long ``close`` waits for executors that do not end at once.
        per_template: so many service steps of one template are executed at once; the others wait.
    """

    def __init__(
        self,
        store: Store,
        post: Post,
        executors: Sequence[StepExecutor] = (),
        senders: Sequence[DispatchSender] = (),
        *,
        lease_s: float = 15,
        renew_s: float = 5,
        close_s: float = CLOSE_S,
        per_template: int = PER_TEMPLATE,
    ) -> None:
        self._store = store
        self._post = post
        self._close_s = close_s
        self._tasks = Tasks()
        self._calls = ServerCalls(store)
        self._executions = Executions(self._calls, executors, self._tasks, FairLimit("template", per_template))
        self._lease = NodeLease(
            store,
            lease_s=lease_s,
            renew_s=renew_s,
            on_named=lambda node_id: post.listen(node_id, self._take),
            on_adopted=self._adopted,
            on_renewed=self._renewed,
            on_lost=self._executions.abandon,
        )
        self._dispatcher = Dispatcher(store, self._calls, senders, self._tasks, node_id=lambda: self.node_id)
        self._timers = Timers(store, lambda: self.node_id, self._end_hold)
        self._schedules = Schedules(store, self._calls)
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
        self._schedules.open()
        self._dispatcher.open()

    async def close(self) -> None:
        """Stop working. Runs stay as they are; the other nodes are told, and one of them takes them over at once. On a
        node that is alone, the next start does."""
        self._is_open = False
        await self._timers.close()
        await self._schedules.close()
        await self._dispatcher.close()
        self._calls.close()
        self._executions.abandon()
        await self._tasks.ended(within_s=self._close_s)
        for node_id in await self._lease.close():
            self._post.send(node_id, Errand(orphans=True))

    # ------------------------------------------------------------ what use cases ask for

    def started(self, runs: Sequence[RunRecord]) -> None:
        if self._is_open:
            for run in runs:
                self._executions.begin(run, adopted=False)

    def stopping(self, runs: Sequence[RunRecord]) -> None:
        for run in runs:
            if run.node_id == self.node_id:
                self._stop(run)
            else:
                self._post.send(run.node_id, Errand(stop=run))

    def refreshing(self, runs: Sequence[RunRecord]) -> None:
        """An errand that is lost costs nothing but time: executors look again by themselves."""
        for run in runs:
            if run.node_id == self.node_id:
                self._executions.refresh(run.run_id)
            else:
                self._post.send(run.node_id, Errand(refresh=run))

    def answered(self, answers: Sequence[PendingAnswer]) -> None:
        for answer in answers:
            if answer.node_id == self.node_id:
                self._take_up(answer)
            else:
                self._post.send(answer.node_id, Errand(answer=answer))

    def timers_changed(self) -> None:
        self._timers.changed()
        self._schedules.changed()

    def dispatches_added(self) -> None:
        self._dispatcher.changed()

    # ------------------------------------------------------------ the lease

    def _adopted(self, adopted: Sequence[RunRecord]) -> None:
        for run in adopted:
            log.info("took over run %s of job %s", run.run_id, run.job_id)
            if self._is_open:
                self._executions.begin(run, adopted=True)

    async def _renewed(self) -> None:
        """Look for what is asked of this node: by other processes, before a takeover, or lost on the way."""
        node_id = self.node_id

        def look(tx: Tx) -> tuple[list[PendingAnswer], list[RunRecord]]:
            stored = tx.unapplied_answers(node_id)
            waiting = [PendingAnswer(answer.item_id, answer.answer_id, node_id) for answer in stored]
            return waiting, tx.stopping_runs(node_id)

        waiting, stopping = await self._store.read(look)
        self.answered(waiting)
        self.stopping(stopping)
        self._timers.changed()  # those of a node that is gone are free now
        self._dispatcher.changed()

    # ------------------------------------------------------------ answers, stops, timers

    def _take(self, errand: Errand) -> None:
        """Do what another node asks. It is not passed on: were this node not the owner any more, the use case would
        refuse, and the owner looks by itself."""
        if errand.answer is not None:
            self._take_up(errand.answer)
        if errand.stop is not None:
            self._stop(errand.stop)
        if errand.refresh is not None:
            self._executions.refresh(errand.refresh.run_id)
        if errand.orphans:
            self._lease.look_for_orphans()

    def _take_up(self, answer: PendingAnswer) -> None:
        if self._is_open and answer.answer_id not in self._applying:
            self._applying.add(answer.answer_id)
            self._tasks.start(self._apply(answer), f"answer {answer.answer_id}")

    def _stop(self, run: RunRecord) -> None:
        if self._is_open and not self._executions.stop(run.run_id):
            self._tasks.start(self._end_idle(run), f"stop of run {run.run_id}")

    async def _apply(self, answer: PendingAnswer) -> None:
        """Apply one stored answer, however long the database takes: it has been acknowledged."""
        answer_id = answer.answer_id
        try:
            await self._calls.persist(answer.item_id, lambda unit: answers.apply(unit, answer_id))
        except ItemGone:
            log.info("answer %d ends with its workflow item", answer_id)
        except Exception:
            log.exception("answer %d could not be applied; it is tried again at the next renewal", answer_id)
        finally:
            self._applying.discard(answer_id)

    async def _end_idle(self, run: RunRecord) -> None:
        """End a stopped run of this node that is not being executed: its outcome could not be written."""
        report = EndStoppedRun(run.step_id, run.run_id)
        try:
            await self._calls.persist(run.item_id, lambda unit: runs.report(unit, run, report))
        except ItemGone:
            log.info("run %s ends with its workflow item", run.run_id)
        except Exception:
            log.exception("run %s could not be stopped", run.run_id)

    async def _end_hold(self, timer: Timer) -> None:
        await self._calls.execute(timer.item_id, lambda unit: jobs.end_hold_when_due(unit, timer.job_id, timer.hold_id))
