"""A diagram version: steps, the paths between them, and what makes one valid. Pure and immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.domain.job import AssignedType
from app.errors import InvalidValue

NO_ARGS: Mapping[str, Any] = MappingProxyType({})

DRAFT_VERSION = -1
"""The number of a diagram's draft; activated versions count from 1."""


class StepKind(StrEnum):
    """What a step does, from its ``actionType``. Every type not listed is ``OTHER`` and behaves like a manual step."""

    MANUAL = "Manual"
    QUESTION = "Question"
    OPEN_APP = "OpenApp"
    DEFINE_LOCATION = "DefineLocation"
    UPDATE_PROPERTIES = "UpdateJobProperties"
    ATTACHMENT = "Attachment"
    ADVANCED_ASSIGNMENT = "AdvancedAssignment"
    EMAIL = "Email"
    WEB_REQUEST = "WebRequest"
    CREATE_JOB = "CreateJob"
    EXECUTE_GP = "ExecuteGP"
    OTHER = "Other"


SERVICE_KINDS = frozenset({StepKind.EMAIL, StepKind.WEB_REQUEST, StepKind.CREATE_JOB, StepKind.EXECUTE_GP})
"""Kinds of steps the server itself does, whatever they say. All others are done by people, except a manual step that
asks nothing, and an UpdateJobProperties step that has values."""

_KINDS = {kind.value: kind for kind in StepKind}


@dataclass(frozen=True, slots=True)
class Path:
    """A way out of a step. Without ``expression`` it is always taken; all paths whose expression is true are taken.

    ``assigned_type`` Unassigned without ``assigned_to`` keeps the present assignee (design.md section 6, "Paths").
    ``notifications`` are the ids of stored e-mail templates that are sent when the path is taken.
    """

    next_step: str
    expression: str | None = None
    assigned_type: AssignedType = AssignedType.UNASSIGNED
    assigned_to: str | None = None
    is_custom_assignment: bool = False
    status: str | None = None
    label: str | None = None
    notifications: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a step may start: so long after it became current, or not before a moment."""

    after_ms: int | None = None
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a diagram. ``args`` is kept as it came, also for kinds this server does not know."""

    step_id: str
    name: str
    action_type: str = "Manual"
    args: Mapping[str, Any] = field(default_factory=lambda: NO_ARGS)  # 3.11 takes no mappingproxy as a default
    automatic: bool = False
    proceed_next: bool = False
    can_skip: bool = False
    can_comment: bool = True
    comment_required: bool = False
    help_text: str | None = None
    help_link: str | None = None
    schedule: Schedule | None = None
    paths: tuple[Path, ...] = ()

    @property
    def kind(self) -> StepKind:
        return _KINDS.get(self.action_type, StepKind.OTHER)

    @property
    def is_service(self) -> bool:
        """The server does this step; nobody is asked.

        An UpdateJobProperties step is one of both: with ``propertyValues`` the server sets them, else it asks.
        """
        sets_values = self.kind is StepKind.UPDATE_PROPERTIES and self.args.get("propertyValues") is not None
        return sets_values or self.kind in SERVICE_KINDS

    @property
    def asks(self) -> bool:
        """A run of this step needs an answer from its user.

        A manual step that proceeds by itself, without a prompt and without a required comment, asks nothing
        (design.md section 6). One that does not proceed asks even without a prompt: clients wait for the question.
        """
        if self.kind is StepKind.MANUAL:
            return bool(self.args.get("userPrompt")) or self.needs_comment or not self.proceed_next
        return not self.is_service

    @property
    def needs_project(self) -> bool:
        """The step is held as long as its job has no project (v3-jobs.md 2.5)."""
        return self.args.get("needsProject") is True

    @property
    def needs_comment(self) -> bool:
        """An answer must bring a comment. Where comments are dropped, none can be demanded (design.md section 6)."""
        return self.comment_required and self.can_comment


@dataclass(frozen=True, slots=True)
class Diagram:
    """One version of a diagram. Steps keep the author's order; ``initial_step_id`` is where a job starts.

    What a step reaches is worked out when it is first asked for, and kept: jobs without parallel branches never ask.
    """

    diagram_id: str
    name: str
    version: int
    steps: tuple[Step, ...]
    initial_step_id: str
    by_id: Mapping[str, Step] = field(init=False, repr=False, compare=False)
    _reachable: dict[str, frozenset[str]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {step.step_id: step for step in self.steps})

    def step(self, step_id: str) -> Step | None:
        return self.by_id.get(step_id)

    def reaches(self, start: str, goal: str) -> bool:
        """Tell whether ``goal`` can be reached from ``start`` along one path or more."""
        if start not in self._reachable:
            self._reachable[start] = frozenset(self._walk(start))
        return goal in self._reachable[start]

    def _walk(self, start: str) -> set[str]:
        seen: set[str] = set()
        open_ends = [start]
        while open_ends:
            step = self.by_id.get(open_ends.pop())
            for path in step.paths if step else ():
                if path.next_step in self.by_id and path.next_step not in seen:
                    seen.add(path.next_step)
                    open_ends.append(path.next_step)
        return seen


def initial_step(steps: tuple[Step, ...], named: str | None = None) -> str:
    """Work out where a job starts: the step ``named``, else the only step that no path leads to.

    A diagram whose steps all have a way in (a loop back to its start) must name one. Loops of a step to itself do
    not count as a way in. Raises:
        InvalidValue: named step unknown, no candidate, or several (source: rest.md 6, "exactly one initial step").
    """
    ids = [step.step_id for step in steps]
    if named:
        if named not in ids:
            raise InvalidValue(
                f"The initial step {named!r} is not one of the diagram's steps.", name="InvalidFirstStep"
            )
        return named
    targets = {path.next_step for step in steps for path in step.paths if path.next_step != step.step_id}
    starts = [step_id for step_id in ids if step_id not in targets]
    if len(starts) != 1:
        found = ", ".join(starts) or "none"
        raise InvalidValue(
            f"A diagram needs exactly one initial step, a step that no path leads to; found {found}. "
            "Name it in initialStepId, or connect the others.",
            name="InvalidFirstStep",
        )
    return starts[0]


def check_steps(steps: tuple[Step, ...]) -> None:
    """Refuse what no version of a diagram may contain, draft or not: no steps' ids twice, none empty.

    Raises:
        InvalidValue: ``details`` names every fault.
    """
    faults = []
    seen: set[str] = set()
    for number, step in enumerate(steps):
        if not step.step_id:
            faults.append(f"steps[{number}].id is empty")
        elif step.step_id in seen:
            faults.append(f"steps[{number}].id {step.step_id!r} is used twice")
        if step.step_id.lower() in RESERVED_STEP_IDS:
            faults.append(f"steps[{number}].id {step.step_id!r} is the name of a resource of a job; choose another")
        seen.add(step.step_id)
    if faults:
        raise InvalidValue("WorkflowDiagram was invalid: " + "; ".join(faults) + ".", details=faults)


RESERVED_STEP_IDS = frozenset(
    {
        "update",
        "action",
        "allowedactions",
        "attachments",
        "attachmentslinked",
        "comments",
        "currentstep",
        "diagram",
        "history",
        "location",
        "steps",
    }
)
"""``POST jobs/{jobId}/{stepId}`` assigns a step, so a step may not be called like a resource of a job."""


def check_activation(diagram: Diagram) -> None:
    """Refuse a diagram version that must not become active: there is a step, and every step can be reached.

    A path to a step that is not there is tolerated, as the reference does (rest.md 6). Raises:
        InvalidValue: ``details`` names every orphan.
    """
    if not diagram.steps:
        raise InvalidValue("WorkflowDiagram was invalid: an active diagram needs at least one step.")
    orphans = [
        step
        for step in diagram.steps
        if step.step_id != diagram.initial_step_id and not diagram.reaches(diagram.initial_step_id, step.step_id)
    ]
    if orphans:
        faults = [f"step {step.step_id!r} ({step.name}) cannot be reached from the initial step" for step in orphans]
        raise InvalidValue("WorkflowDiagram was invalid: " + "; ".join(faults) + ".", details=faults)
