"""Runs what this node owns: executes service steps, applies stored answers, ends holds, takes over lost runs."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TypeVar

from app.domain.commands import CompleteRun, EndStoppedRun, FailRun, ReportProgress
from app.domain.job import StepState
from app.errors import BackendError, StepError
from app.services import answers, jobs, runs
from app.services.engine import Caller, Engine, Unit
from app.services.ports import Adoption, RunRecord, StepContext, StepExecutor, Store, Timer
from app.steps.leases import NodeLease
from app.steps.timers import Timers

T = TypeVar("T")

log = logging.getLogger(__name__)

_PROGRESS_EVERY_S = 1.0
_RETRY_S = (0.1, 0.5, 1.0, 2.0, 5.0)


class Runner:
    """The runner of one node; implements ``RunStarter``.

    ``attach`` gives it the engine (which itself needs the runner) before ``open``.
    """

    def __init__(
        self, store: Store, executors: Sequence[StepExecutor] = (), *, lease_s: float = 15, renew_s: float = 5
    ) -> None:
        self._store = store
        self._engine: Engine | None = None
        self._executors: Mapping[str, StepExecutor] = {executor.action_type: executor for executor in executors}
        self._lease = NodeLease(store, lease_s=lease_s, renew_s=renew_s, on_renewed=self._renewed, on_lost=self._lost)
        self._timers = Timers(store, self._end_hold)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stop_asked: set[str] = set()
        self._applying: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._orgs: dict[str, str] = {}
        self._is_open = False

    @property
    def node_id(self) -> str:
        """This process start's name."""
        return self._lease.node_id

    def attach(self, engine: Engine) -> None:
        """Give the runner the engine it reports to."""
        self._engine = engine

    async def open(self) -> None:
        """Take the lease, take over runs of dead nodes, apply answers that were stored before a crash."""
        self._is_open = True
        await self._lease.open()
        self._timers.open()

    async def close(self) -> None:
        """Stop working. Runs stay as they are: this node's next start, or another node, takes them over."""
        self._is_open = False
        await self._timers.close()
        for task in (*self._running.values(), *self._tasks):
            task.cancel()
        await asyncio.gather(*self._running.values(), *self._tasks, return_exceptions=True)
        await self._lease.close()

    # ------------------------------------------------------------ what use cases ask for

    def started(self, runs: Sequence[RunRecord]) -> None:
        for run in runs:
            self._begin(run, adopted=False)

    def stopping(self, run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            self._stop_asked.add(run_id)
            task = self._running.get(run_id)
            if task is not None:
                task.cancel()

    def answered(self, answer_ids: Sequence[int]) -> None:
        for answer_id in answer_ids:
            if answer_id not in self._applying:
                self._applying.add(answer_id)
                self._spawn(self._apply(answer_id), f"answer {answer_id}")

    def timers_changed(self) -> None:
        self._timers.changed()

    # ------------------------------------------------------------ the lease

    async def _renewed(self, adopted: Sequence[RunRecord]) -> None:
        for run in adopted:
            log.info("took over run %s of job %s", run.run_id, run.job_id)
            self._begin(run, adopted=True)
        waiting = await self._store.read(lambda tx: tx.unapplied_answers(self.node_id))
        self.answered([answer.answer_id for answer in waiting])

    def _lost(self) -> None:
        """Whatever still executes here works for nobody: its results would be refused."""
        for task in self._running.values():
            task.cancel()

    # ------------------------------------------------------------ answers and timers

    async def _apply(self, answer_id: int) -> None:
        """Apply one stored answer, however long the database takes: it has been acknowledged."""
        try:
            given = await self._store.read(lambda tx: tx.answer(answer_id))
            if given is not None:
                await self._persist(given.item_id, lambda unit: answers.apply(unit, answer_id))
        except Exception:
            log.exception("answer %d could not be applied; it is tried again at the next renewal", answer_id)
        finally:
            self._applying.discard(answer_id)

    async def _end_hold(self, timer: Timer) -> None:
        caller = await self._caller(timer.item_id)
        await self._need_engine().execute(
            caller, lambda unit: jobs.end_hold_when_due(unit, timer.job_id, timer.hold_id)
        )

    # ------------------------------------------------------------ executors

    def _begin(self, run: RunRecord, *, adopted: bool) -> None:
        if not self._is_open or run.run_id in self._running:
            return
        task = asyncio.create_task(self._execute(run, adopted=adopted), name=f"run {run.run_id}")
        self._running[run.run_id] = task
        task.add_done_callback(lambda _: self._forget(run.run_id))

    def _forget(self, run_id: str) -> None:
        self._running.pop(run_id, None)
        self._stop_asked.discard(run_id)

    async def _execute(self, run: RunRecord, *, adopted: bool) -> None:
        """Execute one run and report how it ended. A run that waits for a person needs no executor."""
        try:
            context = await self._context(run, adopted=adopted)
            if context is not None:
                await self._report(run, await self._outcome(context))
        except asyncio.CancelledError:
            if run.run_id in self._stop_asked:
                self._spawn(self._report(run, EndStoppedRun(run.step_id, run.run_id)), f"stop {run.run_id}")
            else:
                raise
        except Exception:
            log.exception("run %s of job %s could not be ended", run.run_id, run.job_id)

    async def _context(self, run: RunRecord, *, adopted: bool) -> StepContext | None:
        """The job and step of a service run that is to be executed; None when there is nothing to execute."""

        def load(unit: Unit) -> StepContext | None:
            record = unit.tx.job(unit.item, run.job_id)
            current = record.job.flow.step(run.step_id) if record else None
            if record is None or current is None or current.run is None or current.run.run_id != run.run_id:
                return None
            stored = unit.tx.diagram(unit.item, record.job.diagram_id, record.job.diagram_version)
            step = stored.diagram.step(run.step_id) if stored else None
            if step is None or not step.is_service:
                return None
            if current.state is StepState.STOPPING:
                self._stop_asked.add(run.run_id)
            return StepContext(run, record.job, step, adopted, self._progress_of(run))

        return await self._need_engine().query(await self._caller(run.item_id), load)

    async def _outcome(self, context: StepContext) -> CompleteRun | FailRun | EndStoppedRun:
        run, executor = context.run, self._executors.get(context.step.action_type)
        if run.run_id in self._stop_asked:
            return EndStoppedRun(run.step_id, run.run_id)
        if executor is None:
            text = f"This server has no executor for steps of type {context.step.action_type}."
            return FailRun(run.step_id, run.run_id, text, "NO_EXECUTOR")
        if context.adopted and executor.adoption is Adoption.ONCE:
            text = (
                "The server stopped while it did this step; whether it was done is unknown. Check, then run it again."
            )
            return FailRun(run.step_id, run.run_id, text, "OUTCOME_UNKNOWN")
        try:
            return CompleteRun(run.step_id, run.run_id, await executor.execute(context))
        except StepError as error:
            return FailRun(run.step_id, run.run_id, str(error), error.name)
        except Exception:
            log.exception("the executor of run %s of job %s failed", run.run_id, run.job_id)
            text = "The step failed for a reason inside the server; its log says more."
            return FailRun(run.step_id, run.run_id, text, "STEP_FAILED")

    async def _report(self, run: RunRecord, report: runs.Report) -> None:
        """Write the outcome, however long the database takes; a stop that comes now must not lose it."""
        writing = self._persist(run.item_id, lambda unit: runs.report(unit, run, report))
        await asyncio.shield(asyncio.ensure_future(writing))

    def _progress_of(self, run: RunRecord) -> Callable[[str, str], None]:
        last_s = float("-inf")

        def progress(msg: str, msg_code: str) -> None:
            nonlocal last_s
            now_s = asyncio.get_running_loop().time()
            if now_s - last_s >= _PROGRESS_EVERY_S:
                last_s = now_s
                told = ReportProgress(run.step_id, run.run_id, msg, msg_code)
                self._spawn(self._report(run, told), f"progress {run.run_id}")

        return progress

    # ------------------------------------------------------------ helpers

    async def _persist(self, item_id: str, use_case: Callable[[Unit], T]) -> T:
        """Run a use case whose outcome should not be lost: a database that is away is waited for, about ten seconds.

        What still fails stays in the database as it was, and is done at a later renewal, or by another node.
        """
        caller = await self._caller(item_id)
        for pause_s in _RETRY_S:
            try:
                return await self._need_engine().execute(caller, use_case)
            except BackendError as error:
                log.warning("waiting for the database: %s", error)
                await asyncio.sleep(pause_s)
        return await self._need_engine().execute(caller, use_case)

    async def _caller(self, item_id: str) -> Caller:
        """The server itself, in an item; items do not change their organisation."""
        if item_id not in self._orgs:
            self._orgs = {item.item_id: item.org_id for item in await self._store.read(lambda tx: tx.items())}
        return Caller(self._orgs[item_id], item_id, None)

    def _need_engine(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("attach an engine before opening the runner")
        return self._engine

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
