"""Small diagrams, jobs and people, and a job that is played with: each command folds into the next one's job."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain import events as e
from app.domain.access import PRIVILEGES, SYSTEM, Actor
from app.domain.actions import Moment, decide
from app.domain.changes import PropertyFacts
from app.domain.commands import (
    Action,
    ApplyAnswer,
    Assign,
    CompleteRun,
    EndHold,
    EndStoppedRun,
    FailRun,
    GiveAnswer,
    ManageType,
    ReportProgress,
)
from app.domain.diagram import Diagram, Path, Step
from app.domain.holds import ConnectionFacts, DependencyTarget
from app.domain.job import UNASSIGNED, Answer, AssignedType, Assignment, CurrentStep, Flow, Job, ReturnValue
from app.domain.manage import Assignee, assign, create, manage
from app.domain.outcomes import Decision, Reason, Recorded, StepOutcome
from app.domain.prompts import AnswerFacts, Refused
from app.domain.properties import Property, Table, Tables
from app.domain.runs import apply_answer, end_hold, end_run, give_answer
from app.domain.values import DataType

START_MS = 1_800_000_000_000
EMPTY = Flow()
CHOICES = {"Yes": {"displayName": "Yes", "value": 1, "order": 1}, "No": {"displayName": "No", "value": 0, "order": 2}}


def user(name: str) -> Assignment:
    return Assignment(AssignedType.USER, name)


def group(group_id: str) -> Assignment:
    return Assignment(AssignedType.GROUP, group_id)


def person(name: str, *privileges: str, groups: Iterable[str] = ()) -> Actor:
    """A person with just these privileges."""
    return Actor(name, frozenset(groups), frozenset(privileges))


ANA = person("ana", *(PRIVILEGES - {"jobForceStop", "adminBasic", "adminAdvanced"}), groups=["crew"])
"""The person who works in most tests: any privilege but to overrule whose work it is."""
BEN = person("ben")
TO_ANA = user("ana")


def step(step_id: str, kind: str = "Manual", /, *, to: Iterable[str | Path] = (), **members: Any) -> Step:
    """A step that leads to the steps (or along the paths) ``to``; a manual one has a prompt, a question two answers."""
    args = members.pop("args", None)
    if args is None:
        args = {"Question": {"questionResponses": CHOICES}, "Manual": {"userPrompt": "Do it"}}.get(kind, {})
    paths = tuple(Path(way) if isinstance(way, str) else way for way in to)
    return Step(step_id, step_id.upper(), kind, args, paths=paths, **members)


def silent(step_id: str, /, *, to: Iterable[str | Path] = (), **members: Any) -> Step:
    """A manual step that asks nothing and goes on by itself once it is run."""
    return step(step_id, to=to, args={}, proceed_next=True, **members)


def diagram(*steps: Step, version: int = 1) -> Diagram:
    """A diagram that starts at its first step."""
    return Diagram("D1", "Inspection", version, steps, steps[0].step_id)


def job(flow: Flow = EMPTY, **members: Any) -> Job:
    known: dict[str, Any] = {
        "job_id": "J1",
        "name": "Site 7",
        "template_id": "T1",
        "template_name": "Inspection",
        "diagram_id": "D1",
        "diagram_name": "Inspection",
        "diagram_version": 1,
        "owned_by": "olga",
        "created_by": "carl",
        "created_ms": START_MS,
        "status": "Ready",
        "priority": "Low",
    }
    return Job(**(known | members), flow=flow)


def visit(step_id: str, assignment: Assignment = TO_ANA, **members: Any) -> CurrentStep:
    """A current step, assigned to ana unless told otherwise."""
    return CurrentStep(step_id, f"visit-{step_id}", assignment, START_MS, **members)


SITE = Tables(
    {
        "site": Table("site", {"acres": Property("acres", DataType.DOUBLE), "note": Property("note", length=5)}),
        "visits": Table("visits", {"day": Property("day", DataType.DATE_ONLY, required=True)}, is_many=True),
    }
)
"""What the template of a play's job defines."""


class Ids:
    """A source of ids that counts what it has given."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self) -> str:
        self.given += 1
        return f"id-{self.given}"


@dataclass
class Play:
    """A job that is played with. What was recorded since it began is in ``events``."""

    diagram: Diagram
    job: Job
    now_ms: int = START_MS
    ids: Callable[[], str] = field(default_factory=Ids)
    recorded: list[Recorded] = field(default_factory=list)
    automatic: tuple[StepOutcome, ...] = ()

    @classmethod
    def created(cls, *steps: Step, assignment: Assignment = TO_ANA, by: Actor = ANA) -> "Play":
        """A new job at the first of ``steps``."""
        play = cls(diagram(*steps), job())
        play.take(create(play.job, play.diagram, assignment, by, play.moment))
        return play

    @property
    def moment(self) -> Moment:
        return Moment(self.now_ms, self.ids)

    @property
    def events(self) -> list[e.Event]:
        return [recorded.event for recorded in self.recorded]

    @property
    def names(self) -> list[str]:
        """What has happened, by the names of the events."""
        return [type(event).__name__ for event in self.events]

    @property
    def at(self) -> list[str]:
        """The ids of the current steps."""
        return [current.step_id for current in self.job.flow.steps]

    @property
    def pending(self) -> list[str]:
        return [waiting.step_id for waiting in self.job.flow.pending]

    def state(self, step_id: str) -> str:
        return self.job.flow.current(step_id).state.value

    def forget(self) -> None:
        """Start a fresh list of events."""
        self.recorded = []

    def take(self, decision: Decision) -> Decision:
        self.job = decision.job
        self.recorded += decision.recorded
        self.automatic = decision.automatic
        return decision

    # ------------------------------------------------------------ commands

    def act(
        self,
        action: Action,
        by: Actor = ANA,
        *,
        dependency: DependencyTarget | None = None,
        connection: ConnectionFacts | None = None,
    ) -> Decision:
        facts: Any = {"dependency": dependency, "connection": connection}
        return self.take(decide(self.job, self.diagram, action, by, self.moment, **facts))

    def reasons(self, action: Action, by: Actor = ANA) -> tuple[Reason, ...]:
        """Why the action on its only step would be refused now."""
        (outcome,) = decide(self.job, self.diagram, action, by, self.moment).outcomes
        return outcome.reasons

    def answer(self, step_id: str, answer: Answer, by: Actor = ANA, assignee: Assignment | None = None) -> None:
        """Give an answer and have it applied; it must be taken."""
        assert self.give(step_id, answer, by, assignee) is None
        self.apply(step_id, by, assignee)

    def give(self, step_id: str, answer: Answer, by: Actor = ANA, assignee: Assignment | None = None) -> Refused | None:
        command = GiveAnswer(step_id, answer)
        decision = give_answer(self.job, self.diagram, command, by, self.moment, facts=self._facts(assignee))
        if isinstance(decision, Refused):
            return decision
        self.take(decision)
        return None

    def apply(self, step_id: str, by: Actor = ANA, assignee: Assignment | None = None) -> Decision | None:
        prompt_id = self.job.flow.current(step_id).last_run.prompt_id
        assert prompt_id
        command = ApplyAnswer(step_id, prompt_id)
        decision = apply_answer(self.job, self.diagram, command, by, self.moment, facts=self._facts(assignee))
        return self.take(decision) if decision else None

    @staticmethod
    def _facts(assignee: Assignment | None) -> AnswerFacts:
        return AnswerFacts(assignee, PropertyFacts(SITE, ("Low", "High")))

    def complete(self, step_id: str, value: ReturnValue = "stepSuccess") -> None:
        self.end(CompleteRun(step_id, self._run_id(step_id), value))

    def fail(self, step_id: str, msg: str = "It broke", code: str = "BROKEN") -> None:
        self.end(FailRun(step_id, self._run_id(step_id), msg, code))

    def end_stopped(self, step_id: str) -> None:
        self.end(EndStoppedRun(step_id, self._run_id(step_id)))

    def end(self, command: CompleteRun | FailRun | EndStoppedRun | ReportProgress) -> Decision | None:
        decision = end_run(self.job, self.diagram, command, self.moment)
        return self.take(decision) if decision else None

    def _run_id(self, step_id: str) -> str:
        return self.job.flow.current(step_id).last_run.run_id

    def end_hold(self, hold_id: str, by: Actor = SYSTEM) -> Decision | None:
        decision = end_hold(self.job, self.diagram, EndHold(hold_id), self.moment, by)
        return self.take(decision) if decision else None

    def manage(self, kind: ManageType, by: Actor = ANA, **known: Any) -> Decision:
        decision = self.take(manage(self.job, self.diagram, kind, by, self.moment, **known))
        if kind is ManageType.UPGRADE and known.get("newest"):
            self.diagram = known["newest"]
        return decision

    def upgrade(self, *steps: Step) -> None:
        """Move to a newer version with these steps."""
        newest = replace(diagram(*steps), version=self.diagram.version + 1)
        self.manage(ManageType.UPGRADE, newest=newest)

    def assign(
        self, step_id: str | None, to: Assignment = UNASSIGNED, by: Actor = ANA, groups: Iterable[str] = ()
    ) -> None:
        """Assign to somebody who exists and has a role; ``groups`` are those of the user ``to``."""
        known = Assignee(exists=True, has_role=True, groups=frozenset(groups))
        self.take(assign(self.job, self.diagram, Assign(step_id, to), known, by, self.moment))
