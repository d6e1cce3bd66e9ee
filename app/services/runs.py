"""What executors report about service steps, under the fencing number of the run they own."""

from app.domain.commands import CompleteRun, EndStoppedRun, FailRun, ReportProgress
from app.domain.runs import end_run
from app.errors import NotFound
from app.services.engine import Unit
from app.services.ports import RunRecord
from app.services.recording import Jobs

Report = CompleteRun | FailRun | EndStoppedRun | ReportProgress


def report(unit: Unit, run: RunRecord, command: Report) -> bool:
    """Take an executor's report. False when the run is over, or was taken over by another node since: a late result
    changes nothing."""
    jobs = Jobs(unit)
    try:
        record = jobs.lock(run.job_id)
    except NotFound:
        return False
    stored = unit.tx.run(run.run_id)
    if stored is None or stored.fence != run.fence or stored.node_id != run.node_id:
        return False
    diagram = jobs.diagram(record.job)
    decision = end_run(record.job, diagram, command, jobs.moment())
    if decision is None:
        return False
    jobs.save(record, decision, diagram)
    return True
