"""Service runs that are executed on this node: each from its beginning, or its takeover, to its written outcome."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.commands import CompleteRun, EndStoppedRun, FailRun, ReportProgress
from app.domain.job import ReturnValue, StepState
from app.errors import BackendError, StepError
from app.protocol.codes import MsgCode
from app.services import runs
from app.services.engine import ItemGone, Unit
from app.services.ports import Adoption, AtomicWork, RunRecord, StepContext, StepExecutor
from app.steps.calls import ServerCalls
from app.steps.limits import FairLimit, in_turn
from app.steps.progress import Progress
from app.steps.services import RunServices
from app.steps.tasks import Tasks

log = logging.getLogger(__name__)

Outcome = CompleteRun | FailRun | EndStoppedRun | AtomicWork

_FAILED = "The step failed for a reason inside the server; its log says more."
_UNKNOWN = "The server stopped while it did this step; whether it was done is unknown. Check, then run it again."


@dataclass(eq=False, slots=True)
class Execution:
    """One run under one fencing number; its executor's ``StepSignals``. ``work`` is the executor's part: what a stop
    cancels.

    A stop must not cancel ``task``: it also writes the outcome, and it may not even have begun when the stop comes.
    """

    run: RunRecord
    adopted: bool
    progress: Progress
    services: RunServices
    task: asyncio.Task[None] | None = None
    work: asyncio.Task[ReturnValue | AtomicWork] | None = None
    stop_asked: bool = False
    is_once: bool = False
    _refresh_asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_stopped(self) -> bool:
        return self.stop_asked

    async def refresh(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self._refresh_asked.wait()
        except TimeoutError:
            pass
        self._refresh_asked.clear()

    def ask_refresh(self) -> None:
        """Let the executor look at its service again, at once."""
        self._refresh_asked.set()

    @property
    def must_end(self) -> bool:
        """What may be done only once is under way: given up now, nobody could say whether it was done."""
        return self.is_once and self.services.has_noted

    def cancel(self) -> None:
        """End without an outcome: somebody else will take the run over."""
        if self.task is not None:
            self.task.cancel()


class Executions:
    """What this node executes, by run id."""

    def __init__(
        self, calls: ServerCalls, executors: Sequence[StepExecutor], tasks: Tasks, template_limit: FairLimit
    ) -> None:
        self._calls = calls
        self._executors = {executor.action_type: executor for executor in executors}
        self._tasks = tasks
        self._template_limit = template_limit
        self._by_run: dict[str, Execution] = {}

    def begin(self, run: RunRecord, *, adopted: bool) -> None:
        """Execute a run; one that is executed here under an older fencing number is given up first."""
        known = self._by_run.get(run.run_id)
        if known is not None and known.run.fence >= run.fence:
            return
        if known is not None:
            known.cancel()
        progress = Progress(lambda msg, msg_code: self._tell_progress(run, msg, msg_code))
        execution = self._by_run[run.run_id] = Execution(run, adopted, progress, RunServices(self._calls, run))
        execution.task = self._tasks.start(self._carry_out(execution), f"run {run.run_id}")
        execution.task.add_done_callback(lambda _: self._over(execution))

    def _over(self, execution: Execution) -> None:
        execution.progress.close()
        if self._by_run.get(execution.run.run_id) is execution:
            del self._by_run[execution.run.run_id]

    def stop(self, run_id: str) -> bool:
        """Cancel the executor of a run; the run then ends as stopped. False when it is not executed here.

        Once: a renewal finds the stop again, and must not cancel what a stopped executor still does (it tells its
        service).
        """
        execution = self._by_run.get(run_id)
        if execution is None:
            return False
        if execution.work is not None and not execution.stop_asked:
            execution.work.cancel()
        execution.stop_asked = True
        return True

    def refresh(self, run_id: str) -> None:
        """Wake the executor of a run, if it is executed here."""
        if (execution := self._by_run.get(run_id)) is not None:
            execution.ask_refresh()

    def abandon(self) -> None:
        """Give everything up: it is others' now, or nobody's. What must end goes on; its outcome may still count."""
        for execution in self._by_run.values():
            if not execution.must_end:
                execution.cancel()
        self._by_run.clear()

    # ------------------------------------------------------------ one execution

    async def _carry_out(self, execution: Execution) -> None:
        """A run that waits for a person, or is over, is not executed."""
        run = execution.run
        try:
            context = await self._context(execution)
            if context is not None:
                outcome = await self._outcome(execution, context)
                execution.progress.close()
                await self._end(run, outcome)
        except BackendError as error:
            log.warning("run %s of job %s is left to the next start: %s", run.run_id, run.job_id, error)
        except ItemGone:
            log.info("run %s of job %s ends with its workflow item", run.run_id, run.job_id)
        except Exception:
            log.exception("run %s of job %s could not be ended; it can be stopped", run.run_id, run.job_id)

    async def _context(self, execution: Execution) -> StepContext | None:
        """The job and step of a service run that is to be executed; None when there is nothing to execute."""
        run = execution.run

        def load(unit: Unit) -> StepContext | None:
            record = unit.tx.job(unit.item, run.job_id)
            current = record.job.flow.step(run.step_id) if record else None
            if record is None or current is None or not current.is_running or current.last_run.run_id != run.run_id:
                return None
            stored = unit.tx.diagram(unit.item, record.job.diagram_id, record.job.diagram_version)
            step = stored.diagram.step(run.step_id) if stored else None
            if step is None or not step.is_service:
                return None
            services = execution.services
            return StepContext(run, record.job, step, execution.adopted, execution.progress, services, execution)

        return await self._calls.query(run.item_id, load)

    async def _outcome(self, execution: Execution, context: StepContext) -> Outcome:
        run, executor = context.run, self._executors.get(context.step.action_type)
        if execution.stop_asked or _is_stopping(context):
            return EndStoppedRun(run.step_id, run.run_id)
        if executor is None:
            text = f"This server has no executor for steps of type {context.step.action_type}."
            return FailRun(run.step_id, run.run_id, text, MsgCode.NO_EXECUTOR)
        execution.is_once = executor.adoption is Adoption.ONCE
        if execution.is_once and run.note is not None:
            return FailRun(run.step_id, run.run_id, _UNKNOWN, MsgCode.OUTCOME_UNKNOWN)
        return await self._execute(execution, executor, context)

    async def _execute(self, execution: Execution, executor: StepExecutor, context: StepContext) -> Outcome:
        """Let the executor work. What it brings to an end counts, also after a stop; what fails then was stopped."""
        run = context.run
        failed = FailRun(run.step_id, run.run_id, _FAILED, MsgCode.STEP_FAILED)
        execution.work = self._tasks.start(self._in_turn(executor, context), f"executor of run {run.run_id}")
        try:
            result = await execution.work
            return result if isinstance(result, AtomicWork) else CompleteRun(run.step_id, run.run_id, result)
        except asyncio.CancelledError:
            if _is_being_cancelled():
                raise
            log.log(logging.INFO if execution.stop_asked else logging.ERROR, "run %s was cancelled", run.run_id)
        except StepError as error:
            failed = FailRun(run.step_id, run.run_id, str(error), error.name)
        except (BackendError, ItemGone):
            raise
        except Exception:
            log.exception("the executor of run %s of job %s failed", run.run_id, run.job_id)
        return EndStoppedRun(run.step_id, run.run_id) if execution.stop_asked else failed

    async def _in_turn(self, executor: StepExecutor, context: StepContext) -> ReturnValue | AtomicWork:
        """Work when the template has a place; waiting for it can be stopped like the work itself."""
        template = (context.run.item_id, context.job.template_id)
        async with in_turn(self._template_limit, template, context, "other steps of its template"):
            return await executor.execute(context)

    # ------------------------------------------------------------ reports

    async def _end(self, run: RunRecord, outcome: Outcome) -> None:
        """Write the outcome; one that cannot be written (a return value that is none) is a failure of the step."""
        try:
            await self._write(run, outcome)
        except (BackendError, ItemGone):
            raise
        except StepError as error:
            await self._write(run, FailRun(run.step_id, run.run_id, str(error), error.name))
        except Exception:
            log.exception("the outcome of run %s of job %s could not be written", run.run_id, run.job_id)
            await self._write(run, FailRun(run.step_id, run.run_id, _FAILED, MsgCode.STEP_FAILED))

    async def _write(self, run: RunRecord, outcome: Outcome) -> None:
        """A server that closes meanwhile still lets it be written."""
        writing = self._calls.persist(run.item_id, lambda unit: runs.report(unit, run, outcome))
        await asyncio.shield(self._tasks.start(writing, f"outcome of run {run.run_id}"))

    def _tell_progress(self, run: RunRecord, msg: str, msg_code: str) -> None:
        self._tasks.start(self._write_progress(run, msg, msg_code), f"progress of run {run.run_id}")

    async def _write_progress(self, run: RunRecord, msg: str, msg_code: str) -> None:
        """Progress is not waited for, and may be lost."""
        told = ReportProgress(run.step_id, run.run_id, msg, msg_code)
        try:
            await self._calls.execute(run.item_id, lambda unit: runs.report(unit, run, told))
        except Exception:
            log.warning("progress of run %s was not told", run.run_id, exc_info=True)


def _is_stopping(context: StepContext) -> bool:
    return context.job.flow.current(context.run.step_id).state is StepState.STOPPING


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
