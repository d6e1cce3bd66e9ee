"""Moves a job: starts steps, finishes them, follows paths. Records events and always has the job as it is after them.

Nothing here asks whether it may be done: that is ``refusals.py``, asked by ``actions.py`` before.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.domain import events as e
from app.domain.access import SYSTEM, Actor
from app.domain.apply import apply
from app.domain.diagram import Diagram, Schedule
from app.domain.job import (
    Assignment,
    CurrentStep,
    Flow,
    Hold,
    Job,
    PendingStep,
    ReturnValue,
    Run,
    StepFault,
    StepState,
)
from app.domain.joins import arrive, open_joins
from app.domain.outcomes import Decision, Lift, LiftKind, Reason, Recorded, StepOutcome, StepStatus
from app.domain.paths import Way, error_ways, scope_of, ways_out
from app.domain.refusals import ASSIGN_PRIVILEGES, hold_reason
from app.expressions.arcade import STEP_ERROR, STEP_SUCCESS, ArcadeError

MAX_AUTOMATIC_STEPS = 1000
"""So many steps in a row may start by themselves without a person having done anything (design.md 6, "Join")."""


class Work:
    """One command being carried out on one job."""

    def __init__(self, job: Job, diagram: Diagram, actor: Actor, *, now_ms: int, new_id: Callable[[], str]) -> None:
        self.job = job
        self.diagram = diagram
        self.actor = actor
        self.now_ms = now_ms
        self.new_id = new_id
        self.recorded: list[Recorded] = []
        self.automatic: list[StepOutcome] = []
        self._to_start: deque[str] = deque()

    def record(self, event: e.Event) -> None:
        """Note that something happened, and be the job after it."""
        self.job = apply(self.job, event)
        self.recorded.append(Recorded(event, self.job))

    def decision(self) -> Decision:
        """What the command has led to so far."""
        return Decision(self.job, tuple(self.recorded), automatic=tuple(self.automatic))

    # ------------------------------------------------------------ starting

    def begin(self, assignment: Assignment) -> None:
        """Make the initial step of a new job current."""
        first = self._visit(self.diagram.initial_step_id, assignment)
        self.record(e.StepsActivated((first,)))
        self._arrived((first,))

    def start(self, current: CurrentStep, *, automatic: bool = False) -> None:
        """Begin a run of a current step: ask its user, hand it to its executor, or let it finish by itself."""
        step = self.diagram.by_id[current.step_id]
        run = Run(self.new_id(), self.now_ms, self.actor.username)
        self.record(e.StepStarted(step.step_id, run, automatic))
        if step.asks:
            self.record(e.PromptOpened(step.step_id, self.new_id()))
        elif not step.is_service:
            self.complete(step.step_id, STEP_SUCCESS)

    def start_automatic_steps(self) -> None:
        """Start, one after the other, the automatic steps that have become free to run, and those they lead to."""
        while self._to_start:
            step_id = self._to_start.popleft()
            current = self.job.flow.step(step_id)
            if current is None or current.state is not StepState.READY or self.job.closed:
                continue
            reasons = self._not_startable(current)
            if reasons:
                self.automatic.append(StepOutcome(step_id, reasons[0].status, reasons[0].description, reasons))
            elif self.job.flow.automatic_run >= MAX_AUTOMATIC_STEPS:
                self._stop_endless_run(current)
            else:
                self.start(current, automatic=True)

    def _not_startable(self, current: CurrentStep) -> tuple[Reason, ...]:
        reasons = [hold_reason(hold) for hold in self.job.flow.holds_of(current.step_id)]
        if self.diagram.by_id[current.step_id].asks and current.assignment.to is None:
            text = "The step starts by itself but needs a person, and it is assigned to nobody."
            lifts = tuple(Lift(LiftKind.PRIVILEGE, name) for name in ASSIGN_PRIVILEGES)
            reasons.append(Reason(StepStatus.STEP_NOT_AUTO, text, lifts))
        return tuple(reasons)

    def _stop_endless_run(self, current: CurrentStep) -> None:
        text = (
            f"{MAX_AUTOMATIC_STEPS} steps in a row have started by themselves, so the diagram seems to go round in "
            "circles. Run the step by hand to go on."
        )
        self.record(e.StepFailed(current.step_id, self.actor.username, StepFault(text, "ENDLESS_LOOP")))

    def queue_if_automatic(self, step_id: str) -> None:
        """Let a step start by itself in this command, if its diagram says so."""
        if self.diagram.by_id[step_id].automatic:
            self._to_start.append(step_id)

    # ------------------------------------------------------------ ending runs

    def complete(self, step_id: str, value: ReturnValue, *, even_if_waiting: bool = False) -> None:
        """A run came to its end: go on if the step proceeds by itself (or must), else let it stay until Finish.

        If no path leads on, the step has failed and says so.
        """
        step = self.diagram.by_id[step_id]
        if not (step.proceed_next or even_if_waiting):
            self.record(e.StepCompleted(step_id, value))
            return
        try:
            ways = self._ways_out(step_id, value)
        except ArcadeError as error:
            text = f"The way out of the step cannot be evaluated: {error}."
            self.fail(step_id, StepFault(text, "EXPRESSION_FAILED"))
            return
        if step.paths and not ways:
            text = "The step is done, but no path out of it matches."
            self.fail(step_id, StepFault(text, "NO_MATCHING_PATHS"))
            return
        self.leave(step_id, value, ways, automatic=True)

    def fail(self, step_id: str, fault: StepFault) -> None:
        """A run failed: the step stays, and can be run again."""
        self.record(e.StepFailed(step_id, self.actor.username, fault))

    def fail_and_follow(self, step_id: str, fault: StepFault) -> None:
        """A run failed for a cause outside the diagram: go along the paths that ask for it, else let the step stay."""
        step, present = self.diagram.by_id[step_id], self.job.flow.current(step_id).assignment
        ways = error_ways(self.diagram, step, present, scope_of(self.job, self.actor.username, STEP_ERROR))
        self.fail(step_id, fault)
        if ways:
            self.leave(step_id, STEP_ERROR, ways, automatic=True)

    def finish(self, step_id: str, value: ReturnValue, *, skipped: bool) -> None:
        """Finish a visit on a person's word; the caller has checked that a path matches."""
        self.leave(step_id, value, self._ways_out(step_id, value), automatic=False, skipped=skipped)

    def _ways_out(self, step_id: str, value: ReturnValue) -> list[Way]:
        present = self.job.flow.current(step_id).assignment
        scope = scope_of(self.job, self.actor.username, value)
        return ways_out(self.diagram, self.diagram.by_id[step_id], present, scope)

    # ------------------------------------------------------------ moving on

    def leave(
        self, step_id: str, value: ReturnValue, ways: Sequence[Way], *, automatic: bool, skipped: bool = False
    ) -> None:
        """End a visit and follow ``ways``; without any the branch ends here."""
        left = self.job.flow.current(step_id)
        arrivals = [PendingStep(way.path.next_step, way.assignment, self.now_ms) for way in ways]
        stay = [step.step_id for step in self.job.flow.steps if step.step_id != step_id]
        reached = arrive(self.job.flow.pending, stay, arrivals)
        ready, waiting = open_joins(self.diagram, stay, reached)
        activated = tuple(self._visit(step.step_id, step.assignment) for step in ready)
        status = next((way.path.status for way in reversed(ways) if way.path.status), None)
        self.record(
            e.StepFinished(
                step=left,
                by=self.actor.username,
                at_ms=self.now_ms,
                return_value=value,
                activated=activated,
                pending=waiting,
                status=status,
                skipped=skipped,
                automatic=automatic,
                notifications=tuple(dict.fromkeys(name for way in ways for name in way.path.notifications)),
            )
        )
        self._arrived(activated)
        if self.job.flow.is_complete:
            self.record(e.WorkflowCompleted(self.actor.username))

    def _visit(self, step_id: str, assignment: Assignment) -> CurrentStep:
        return CurrentStep(step_id, self.new_id(), assignment, self.now_ms)

    def _arrived(self, activated: Sequence[CurrentStep]) -> None:
        """New visits: tell of holds they meet, set the hold of a schedule, and queue those that start by themselves."""
        for current in activated:
            waiting = self.job.flow.holds_of(current.step_id)
            if waiting:
                self.record(e.StepReachedHeld(current.step_id, waiting))
            release_ms = release_of(self.diagram.by_id[current.step_id].schedule, self.now_ms)
            if release_ms is not None:
                hold = Hold(self.new_id(), current.step_id, "system", self.now_ms, scheduled_release_ms=release_ms)
                self.record(e.HoldSet(hold, blocks=True))
            self.hold_for_project(current.step_id)
            self.queue_if_automatic(current.step_id)

    # ------------------------------------------------------------ beginning anew

    def restart(self, step_id: str, assignment: Assignment) -> None:
        """Let a finished job begin anew, at this step."""
        self.record(e.JobRestarted(self.actor.username))
        first = self._visit(step_id, assignment)
        self.record(e.StepsActivated((first,)))
        self._arrived((first,))

    # ------------------------------------------------------------ holds, versions

    def hold_for_project(self, step_id: str) -> None:
        """Hold a current step that needs a project while the job has none."""
        if self.diagram.by_id[step_id].needs_project and self.job.ticket.project is None:
            hold = Hold(self.new_id(), step_id, SYSTEM.username, self.now_ms)
            self.record(e.HoldSet(hold, blocks=True))

    def release(self, hold: Hold) -> None:
        """End a hold; a step that is free again, and automatic, starts."""
        last = len(self.job.flow.holds_of(hold.step_id)) == 1
        frees = last and self.job.flow.step(hold.step_id) is not None
        self.record(e.HoldReleased(hold, self.actor.username, self.now_ms, frees))
        if frees:
            self.queue_if_automatic(hold.step_id)

    def upgrade(self, newer: Diagram) -> None:
        """Follow another version of the diagram; current steps, which the caller has checked for, are kept by id.

        Holds on steps that are gone are released. Pending steps that wait for nothing any more become current.
        """
        flow = self.job.flow
        for hold in flow.holds:
            if newer.step(hold.step_id) is None:
                self.release(hold)
        self.diagram = newer
        kept = replace(
            self.job.flow,
            pending=tuple(step for step in flow.pending if newer.step(step.step_id)),
            finished=tuple(step_id for step_id in flow.finished if newer.step(step_id)),
        )
        self.record(e.JobUpgraded(self.actor.username, newer.name, newer.version, kept))
        self._open_joins(kept)

    def _open_joins(self, flow: Flow) -> None:
        ready, waiting = open_joins(self.diagram, [step.step_id for step in flow.steps], flow.pending)
        if ready:
            activated = tuple(self._visit(step.step_id, step.assignment) for step in ready)
            self.record(e.StepsActivated(activated, waiting))
            self._arrived(activated)


def release_of(schedule: Schedule | None, now_ms: int) -> int | None:
    """When a step that becomes current now may start by its schedule; None: at once."""
    if schedule is None:
        return None
    due_ms = schedule.at_ms if schedule.at_ms is not None else now_ms + (schedule.after_ms or 0)
    return due_ms if due_ms > now_ms else None
