"""What executors report about service steps, under the fencing number of the run they own."""

from app.domain.commands import CompleteRun, EndStoppedRun, FailRun, ReportProgress
from app.domain.runs import end_run
from app.errors import NotFound
from app.services.engine import Unit
from app.services.ports import AtomicWork, JobRecord, RunRecord
from app.services.recording import Jobs

Report = CompleteRun | FailRun | EndStoppedRun | ReportProgress


def report(unit: Unit, run: RunRecord, command: Report | AtomicWork) -> bool:
    """Take an executor's report, or do its work and complete the run. False when the run is over, or was taken over
    by another node since: a late result changes nothing."""
    jobs = Jobs(unit)
    record = _owned(unit, jobs, run)
    if record is None:
        return False
    if isinstance(command, AtomicWork):
        command = CompleteRun(run.step_id, run.run_id, command.do(unit, jobs))
    diagram = jobs.diagram(record.job)
    decision = end_run(record.job, diagram, command, jobs.moment())
    if decision is None:
        return False
    jobs.save(record, decision, diagram)
    return True


def note(unit: Unit, run: RunRecord, text: str) -> bool:
    """Keep what an executor notes about its run; False as ``report``."""
    if _owned(unit, Jobs(unit), run) is None:
        return False
    unit.tx.set_run_note(run.run_id, text)
    return True


def _owned(unit: Unit, jobs: Jobs, run: RunRecord) -> JobRecord | None:
    """The run's job, locked, as long as the run is its owner's; the run is locked too, and nobody takes it over before
    what is written about it is there."""
    try:
        record = jobs.lock(run.job_id)
    except NotFound:
        return None
    stored = unit.tx.lock_run(run.run_id)
    if stored is None or stored.fence != run.fence or stored.node_id != run.node_id:
        return None
    return record
