"""Writes a decision down: the job, its feed, its history, and the rows beside it, in the caller's transaction.

What a decision resolves for other jobs (dependencies on a step that is finished now, on a job that is closed) is
carried out here too, in the same transaction: a crash cannot leave a job waiting for something that has happened.
"""

from collections import deque
from collections.abc import Collection, Iterable

from app.domain import events as e
from app.domain.actions import Moment
from app.domain.changes import Changes, PropertyFacts
from app.domain.commands import EndHold
from app.domain.diagram import Diagram
from app.domain.holds import is_met
from app.domain.job import Hold, Job
from app.domain.outcomes import Decision, Recorded
from app.domain.properties import NO_TABLES, Tables
from app.domain.runs import end_hold
from app.errors import NotFound
from app.protocol.notifications import encode
from app.protocol.tables import tables_of
from app.services import dispatches, history, item_log, messages
from app.services.engine import Unit
from app.services.facts import know
from app.services.ports import Comment, FeedMessage, HistoryEntry, JobRecord, LogLevel
from app.services.webhook_looks import look_at_hold

_RESOLVING = (
    e.StepFinished,
    e.WorkflowCompleted,
    e.CurrentStepSet,  # a step that was finished before and visited again is left behind finished
    e.JobClosed,
    e.JobDeleted,
    e.JobUpgraded,
)
"""Events after which a dependency of another job on this one may be resolved."""


class Jobs:
    """The jobs of one transaction: locked, decided about, written back."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._records: dict[str, JobRecord] = {}
        self._unsettled: deque[str] = deque()
        self._finished: set[tuple[str, str]] = set()

    def lock(self, job_id: str, *, with_target: str | None = None) -> JobRecord:
        """Lock a job and, in ascending order, the one that will be decided about with it.

        Jobs that wait for this one are locked when something has happened that they wait for (``save``): whoever adds
        such a dependency locks this job first, so none can appear meanwhile.

        Args:
            with_target: the job that a new dependency is to wait for.

        Raises:
            NotFound: no such job in the item.
        """
        self._lock({job_id, with_target} if with_target else {job_id})
        if job_id not in self._records:
            raise no_such_job(job_id)
        return self._records[job_id]

    def find(self, job_id: str) -> JobRecord | None:
        """A job that was locked before."""
        return self._records.get(job_id)

    def _lock(self, job_ids: Collection[str]) -> None:
        for job_id, record in self._unit.tx.lock_jobs(self._unit.item, job_ids).items():
            if job_id not in self._records:
                self._records[job_id] = know(self._unit, record)

    def diagram(self, job: Job) -> Diagram:
        """The diagram version a job follows."""
        found = self._unit.tx.diagram(self._unit.item, job.diagram_id, job.diagram_version)
        if found is None:
            raise NotFound(f"The diagram {job.diagram_id!r} version {job.diagram_version} is gone.")
        return found.diagram

    def moment(self) -> Moment:
        return Moment(self._unit.now_ms, self._unit.new_id)

    def add(self, decision: Decision, diagram: Diagram) -> JobRecord:
        """Write a new job; ``decision`` starts with ``JobCreated``."""
        record = self._unit.tx.add_job(self._unit.item, decision.job, names_of_steps(decision.job, diagram))
        told = [event for event in decision.recorded if not isinstance(event.event, e.StepsActivated)]
        Recording(self._unit, record, diagram).write(decision, told, before=None)
        return record

    def save(self, record: JobRecord, decision: Decision, diagram: Diagram) -> None:
        """Write what was decided about a job, and then what that resolves for the jobs that wait for it."""
        self._write(record, decision, diagram)
        while self._unsettled:
            self._free_dependents(self._unsettled.popleft())

    def _write(self, record: JobRecord, decision: Decision, diagram: Diagram) -> None:
        if not decision.recorded:
            return
        Recording(self._unit, record, diagram).write(decision, decision.recorded, before=record.job)
        events = [recorded.event for recorded in decision.recorded]
        job_id = record.job.job_id
        self._finished |= {(job_id, event.step.step_id) for event in events if isinstance(event, e.StepFinished)}
        if any(isinstance(event, _RESOLVING) for event in events):
            self._unsettled.append(job_id)

    def _free_dependents(self, job_id: str) -> None:
        """Release the holds of other jobs that waited for what has happened to this one."""
        dependents = self._unit.tx.dependents(self._unit.item, job_id)
        if not dependents:
            return
        awaited = self._records[job_id].job
        diagram = self.diagram(awaited)
        self._lock({dependent.job_id for dependent in dependents})
        for dependent in dependents:
            record = self._records.get(dependent.job_id)
            hold = record.job.flow.hold(dependent.hold_id) if record else None
            if record is None or hold is None or not self._is_resolved(awaited, diagram, hold):
                continue
            own = self.diagram(record.job)
            decision = end_hold(record.job, own, EndHold(hold.hold_id), self.moment())
            if decision is not None:
                self._write(record, decision, own)

    def _is_resolved(self, awaited: Job, diagram: Diagram, hold: Hold) -> bool:
        """Tell whether what a hold waited for has happened.

        A step that was finished in this transaction counts even if a loop has led back to it since; so does one that
        the job's (new) diagram does not have: it could never be finished.
        """
        step_id = hold.dependent_step_id
        if step_id is not None and ((awaited.job_id, step_id) in self._finished or diagram.step(step_id) is None):
            return True
        return is_met(awaited, step_id)


def names_of_steps(job: Job, diagram: Diagram) -> dict[str, str]:
    """The names of a job's current steps by their ids."""
    steps = [(current.step_id, diagram.step(current.step_id)) for current in job.flow.steps]
    return {step_id: step.name for step_id, step in steps if step is not None}


def no_such_job(job_id: str) -> NotFound:
    """The error for a job id that the item does not have."""
    return NotFound(f"There is no job {job_id!r} in this workflow item.", name="JobNotFound")


def tables_of_job(unit: Unit, job: Job) -> Tables:
    """The extended properties that a job may have: as its template defines them now, none when it is gone."""
    template = unit.tx.template(unit.item, job.template_id)
    return tables_of(template.body) if template else NO_TABLES


def property_facts(unit: Unit, job: Job) -> PropertyFacts:
    """What values that a step sets on this job are judged by."""
    priorities = tuple(name for name, _ in unit.tx.lookups(unit.item, "priority"))
    return PropertyFacts(tables_of_job(unit, job), priorities)


class Recording:
    """One decision about one job, on its way into the database."""

    def __init__(self, unit: Unit, record: JobRecord, diagram: Diagram) -> None:
        self._unit = unit
        self._record = record
        self._diagram = diagram

    def write(self, decision: Decision, told: Iterable[Recorded], before: Job | None) -> None:
        """Write everything the decision says.

        Args:
            told: the recorded events that subscribers hear of.
            before: the job before the decision; None for a new job.
        """
        unit, record = self._unit, self._record
        record.job = decision.job
        record.step_names = names_of_steps(decision.job, self._diagram_of(decision.job))
        lines: list[HistoryEntry] = []
        for recorded in decision.recorded:
            lines += history.entries(recorded.event, unit.now_ms, unit.actor.username)
            self._write_beside(recorded.event)
        lines += dispatches.add(unit, decision.recorded, record.job.template_id)
        feed = self._number(told)  # after what is written beside: a step that asks shows the values that were just set
        self._keep_details()
        if feed:
            unit.tx.append_feed(record, feed)
            unit.effects.messages += feed
        if lines:
            unit.tx.append_history(record, lines)
        if any(isinstance(recorded.event, e.JobDeleted) for recorded in decision.recorded):
            unit.tx.save_job(record)
            unit.tx.delete_job(record)
            return
        unit.tx.save_job(record)
        self._follow_runs(before)

    def _number(self, told: Iterable[Recorded]) -> list[FeedMessage]:
        """Give each message its number, and note which message describes which step from now on."""
        feed = []
        record, now_ms = self._record, self._unit.now_ms
        for recorded in told:
            diagram = self._diagram_of(recorded.job)
            for message in messages.render(recorded.event, recorded.job, diagram, self._facts_of):
                record.seq += 1
                feed.append(self._message(message, record.seq, now_ms))
                record.details.update(dict.fromkeys(message.describes, record.seq))
            if isinstance(recorded.event, e.HoldReleased) and recorded.event.frees:
                record.details.pop(recorded.event.hold.step_id, None)
        return feed

    def _facts_of(self, job: Job) -> PropertyFacts:
        """What a step that asks for properties shows of them."""
        values = tuple(self._unit.tx.properties(self._record))
        return PropertyFacts(tables_of_job(self._unit, job), values=values)

    def _diagram_of(self, job: Job) -> Diagram:
        """An upgrade changes the diagram in the middle of a decision; what is told needs the one of its moment."""
        if job.diagram_version == self._diagram.version:
            return self._diagram
        found = self._unit.tx.diagram(self._unit.item, job.diagram_id, job.diagram_version)
        return found.diagram if found else self._diagram

    def _message(self, told: messages.Told, seq: int, now_ms: int) -> FeedMessage:
        return FeedMessage(
            item_id=self._unit.item.item_id,
            job_id=self._record.job.job_id,
            seq=seq,
            msg_type=told.body.msg_type(),
            created_ms=now_ms,
            body=encode(told.body, timestamp_ms=now_ms, seq=seq),
            short=encode(told.short, timestamp_ms=now_ms, seq=seq) if told.short else None,
            audience=told.audience,
        )

    def _keep_details(self) -> None:
        """Forget the descriptions of visits that are over."""
        current = {step.step_id for step in self._record.job.flow.steps}
        for step_id in [step_id for step_id in self._record.details if step_id not in current]:
            del self._record.details[step_id]

    def _write_beside(self, event: e.Event) -> None:
        tx, record, effects = self._unit.tx, self._record, self._unit.effects
        match event:
            case e.HoldSet(hold):
                tx.add_hold(record, hold)
                effects.timers_changed |= hold.scheduled_release_ms is not None
                look_at_hold(self._unit, record.job.job_id, hold)
            case e.HoldReleased(hold, by, at_ms):
                tx.release_hold(record, hold.hold_id, by, at_ms)
            case e.HoldEndedAtOnce(hold, by):
                tx.add_hold(record, hold)
                tx.release_hold(record, hold.hold_id, by, self._unit.now_ms)
            case e.CommentAdded(comment_id, comment, by, at_ms):
                tx.add_comment(record, Comment(comment_id, comment, by, at_ms))
            case e.AttachmentsAdded() | e.AttachmentChanged() | e.AttachmentDeleted():
                self._write_attachment(event)
            case e.PropertiesSet(changes):
                self._write_properties(changes)
            case e.StepStopping(step_id):
                stopped = tx.stop_run(record.job.flow.current(step_id).last_run.run_id)
                effects.stopping += [stopped] if stopped else []
            case e.StepFailed(step_id, by, fault):
                job_id = record.job.job_id
                item_log.write(self._unit, LogLevel.ERROR, fault.msg, job_id=job_id, step_id=step_id, username=by)
            case e.StatusRefreshed(step_id):
                asked = tx.run(record.job.flow.current(step_id).last_run.run_id)
                effects.refreshing += [asked] if asked else []
            case _:
                pass

    def _write_attachment(self, event: e.AttachmentsAdded | e.AttachmentChanged | e.AttachmentDeleted) -> None:
        tx, record = self._unit.tx, self._record
        match event:
            case e.AttachmentsAdded(attachments):
                for attachment in attachments:
                    tx.add_attachment(record, attachment)
            case e.AttachmentChanged(attachment):
                tx.save_attachment(record, attachment)
            case e.AttachmentDeleted(attachment):
                tx.delete_attachment(record, attachment)

    def _write_properties(self, changes: Changes) -> None:
        tx, record = self._unit.tx, self._record
        tx.set_properties(record, changes.properties)
        for row in changes.related.adds:
            tx.add_related_row(record, row)
        for row in changes.related.updates:
            tx.change_related_row(record, row)
        for row in changes.related.deletes:
            tx.delete_related_row(record, row.row_id)

    def _follow_runs(self, before: Job | None) -> None:
        """Keep the run rows in step with the job: what began to run, and what ceased to.

        A run that began and ended within one decision never gets a row.
        """
        was = _running(before) if before else {}
        now = _running(self._record.job)
        for run_id in was.keys() - now.keys():
            self._unit.tx.end_run(run_id)
        for run_id, step_id in now.items():
            if run_id not in was:
                self._begin_run(run_id, step_id)

    def _begin_run(self, run_id: str, step_id: str) -> None:
        tx = self._unit.tx
        tx.add_run(self._record, run_id, step_id, self._unit.node_id)
        if self._diagram_of(self._record.job).by_id[step_id].is_service:
            started = tx.run(run_id)
            self._unit.effects.started += [started] if started else []


def _running(job: Job) -> dict[str, str]:
    return {step.last_run.run_id: step.step_id for step in job.flow.steps if step.is_running and step.run}
