"""What may be done with a job now, and everything against what may not: for people, before they try it.

Pure, and asked of the very checks that judge the acts themselves, so what is shown and what is enforced cannot differ.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from app.domain.access import Actor
from app.domain.actions import Moment, missing_privilege
from app.domain.commands import (
    Action,
    Finish,
    ManageType,
    RefreshStatus,
    ReleaseHold,
    Run,
    SetCurrentStep,
    SetHold,
    Stop,
)
from app.domain.diagram import Diagram, Step, StepKind
from app.domain.job import Job
from app.domain.manage import PRIVILEGE_OF, check_assignable, manage, require
from app.domain.outcomes import Lift, LiftKind
from app.domain.refusals import ASSIGN_PRIVILEGES, job_reasons, step_reasons
from app.errors import PermissionDenied, RuleViolation

PERMISSION_DENIED: Final = "PermissionDenied"

_ACTIONS: Final[dict[str, type[Action]]] = {
    "Run": Run,
    "Finish": Finish,
    "Stop": Stop,
    "RefreshStatus": RefreshStatus,
    "Hold": SetHold,
    "ReleaseHold": ReleaseHold,
    "SetCurrentStep": SetCurrentStep,
}
ASSIGN: Final = "Assign"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing against an act: a ``StepStatus`` or the name of an error, a sentence, and who or what could lift it."""

    status: str
    description: str
    lifts: tuple[Lift, ...] = ()
    hold_id: str | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """An act by its name on the wire; without refusals it may be done."""

    name: str
    refusals: tuple[Refusal, ...]


def step_permissions(job: Job, diagram: Diagram, step_id: str, actor: Actor) -> tuple[Permission, ...]:
    """The actions on one step, and whether it may be given to somebody else. Jobs say nothing of steps to come."""
    step = diagram.step(step_id)
    actions = [
        Permission(name, tuple(_against_action(job, diagram, kind((step_id,)), step_id, actor)))
        for name, kind in _ACTIONS.items()
        if _makes_sense(kind, step)
    ]
    return (*actions, Permission(ASSIGN, tuple(_against_assigning(job, step_id, actor))))


def job_permissions(
    job: Job, diagram: Diagram, newest: Diagram | None, actor: Actor, moment: Moment
) -> tuple[Permission, ...]:
    """What may be done to the job as a whole. Args: newest: the latest active version of its diagram."""

    def against(kind: ManageType) -> Iterator[Refusal]:
        try:
            require(actor, kind)
        except PermissionDenied:
            yield _denied(actor, (PRIVILEGE_OF[kind],))
        yield from _refusals(lambda: manage(job, diagram, kind, actor, moment, newest=newest))

    return tuple(Permission(kind.value, tuple(against(kind))) for kind in ManageType)


def _makes_sense(kind: type[Action], step: Step | None) -> bool:
    """Only geoprocessing has a status to be asked for."""
    return kind is not RefreshStatus or (step is not None and step.kind is StepKind.EXECUTE_GP)


def _against_action(job: Job, diagram: Diagram, action: Action, step_id: str, actor: Actor) -> Iterator[Refusal]:
    if privilege := missing_privilege(action, actor):
        yield _denied(actor, (privilege,))
    for reason in job_reasons(job, action) + step_reasons(job, diagram, action, step_id, actor):
        yield Refusal(reason.status.value, reason.description, reason.lifts, reason.hold_id)


def _against_assigning(job: Job, step_id: str, actor: Actor) -> Iterator[Refusal]:
    """To whom it may be given depends on whom one has in mind: ``isAssignable`` of users and groups tells that."""
    if not any(actor.may(name) for name in ASSIGN_PRIVILEGES):
        yield _denied(actor, ASSIGN_PRIVILEGES)
    yield from _refusals(lambda: check_assignable(job, step_id))


def _refusals(check: Callable[[], object]) -> Iterator[Refusal]:
    try:
        check()
    except RuleViolation as error:
        yield Refusal(error.name, error.message)


def _denied(actor: Actor, privileges: tuple[str, ...]) -> Refusal:
    lifts = tuple(Lift(LiftKind.PRIVILEGE, name) for name in privileges)
    return Refusal(
        PERMISSION_DENIED, f"{actor.username!r} does not have the privilege {' or '.join(privileges)}.", lifts
    )
