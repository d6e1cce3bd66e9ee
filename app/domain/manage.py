"""Decides what is done to a job as a whole: creation, assignment, comments, and Close, Reopen, Delete, Upgrade."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain import events as e
from app.domain.access import Actor
from app.domain.actions import Moment
from app.domain.commands import MAX_COMMENT_CHARS, AddComment, Assign, ManageType
from app.domain.diagram import Diagram
from app.domain.job import AssignedType, Assignment, CurrentStep, Job
from app.domain.outcomes import Decision
from app.domain.work import Work
from app.errors import InvalidValue, PermissionDenied, RuleViolation

PRIVILEGE_OF = {
    ManageType.CLOSE: "jobClose",
    ManageType.REOPEN: "jobReopenClosed",
    ManageType.DELETE: "jobDelete",
    ManageType.UPGRADE: "jobUpgrade",
}
"""The privilege each kind of managing needs (rest.md 5.7)."""


def create(job: Job, diagram: Diagram, assignment: Assignment, actor: Actor, moment: Moment) -> Decision:
    """Bring a job into being: its initial step becomes current and, if it is automatic, starts."""
    work = Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
    work.record(e.JobCreated(job, actor.username))
    work.begin(assignment)
    work.start_automatic_steps()
    return work.decision()


def manage(
    job: Job,
    diagram: Diagram,
    kind: ManageType,
    actor: Actor,
    moment: Moment,
    *,
    final_status: str | None = None,
    newest: Diagram | None = None,
) -> Decision:
    """Close, reopen, delete or upgrade a job.

    Args:
        final_status: the status a closed job of its template has; None leaves it as it is.
        newest: the latest activated version of the job's diagram (for Upgrade).

    Closing a closed job, and upgrading one that is on the newest version, succeed and change nothing. Raises:
        RuleViolation: the job is running, closed or open, or its current step is not in the new version.
    """
    work = Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
    if kind is ManageType.REOPEN:
        _reopen(work)
    elif kind is ManageType.UPGRADE:
        _upgrade(work, newest)
    elif not (kind is ManageType.CLOSE and job.closed):
        _refuse_running(job, kind)
        if kind is ManageType.CLOSE:
            work.record(e.JobClosed(actor.username, moment.now_ms, final_status))
        else:
            work.record(e.JobDeleted(actor.username))
    return work.decision()


def require(actor: Actor, kind: ManageType) -> None:
    """Raises PermissionDenied when the actor may not manage jobs in this way."""
    privilege = PRIVILEGE_OF[kind]
    if not actor.may(privilege):
        raise PermissionDenied(f"{kind} needs the privilege {privilege}, which {actor.username!r} does not have.")


def _reopen(work: Work) -> None:
    if not work.job.closed:
        raise RuleViolation("The job is open already.", name="JobNotClosed")
    if work.job.ticket.cancelled:
        raise RuleViolation("The job was cancelled, which is final.", name="JobCancelled")
    steps = tuple(step.step_id for step in work.job.flow.steps)
    work.record(e.JobReopened(work.actor.username, steps))


def _upgrade(work: Work, newest: Diagram | None) -> None:
    job = work.job
    if job.closed:
        raise RuleViolation("The job is closed; reopen it before upgrading it.", name="JobClosed")
    _refuse_running(job, ManageType.UPGRADE)
    if newest is None:
        raise RuleViolation("The job's diagram has no active version any more.", name="DiagramNotActive")
    gone = [step.step_id for step in job.flow.steps if newest.step(step.step_id) is None]
    if gone:
        raise RuleViolation(
            f"The newest version of the diagram has no step {gone[0]!r}, at which the job is. Move the job on first.",
            name="StepNotInDiagram",
        )
    if newest.version != job.diagram_version:
        work.upgrade(newest)
        work.start_automatic_steps()


def _refuse_running(job: Job, kind: ManageType) -> None:
    running = [step.step_id for step in job.flow.steps if step.is_running]
    if running:
        raise RuleViolation(
            f"The job is running (step {running[0]!r}); stop or finish the step, then {kind.value.lower()} the job.",
            name="JobRunning",
        )


def add_comment(job: Job, diagram: Diagram, command: AddComment, actor: Actor, moment: Moment) -> Decision:
    """Write a comment. Anybody with access to the item may, also on a closed job (rest.md 3.1).

    Raises:
        InvalidValue: empty, or longer than 10,000 characters.
    """
    if not command.comment.strip():
        raise InvalidValue("comment must not be empty.")
    if len(command.comment) > MAX_COMMENT_CHARS:
        raise InvalidValue(f"comment has {len(command.comment)} characters; {MAX_COMMENT_CHARS} are allowed.")
    work = Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
    work.record(e.CommentAdded(command.comment_id, command.comment, actor.username, moment.now_ms))
    return work.decision()


# ---------------------------------------------------------------- assignment


@dataclass(frozen=True, slots=True)
class Assignee:
    """What is known of the user or group that a step is to be given to.

    ``groups``: those of the user's that have a role in the item.
    """

    exists: bool
    has_role: bool
    groups: frozenset[str] = frozenset()


def assign(  # noqa: PLR0917  (the order of its siblings, with the one fact more that it needs)
    job: Job, diagram: Diagram, command: Assign, assignee: Assignee, actor: Actor, moment: Moment
) -> Decision:
    """Give a current step to a user, a group or nobody (rest.md 5.8). The same assignee again is told again.

    Raises:
        RuleViolation: the job is closed, the step is not current or is running, no such user or group.
        PermissionDenied: the actor's privileges do not reach so far.
    """
    current = check_assignable(job, command.step_id, actor)
    _check_target(command.assignment, assignee)
    _check_reach(current.assignment, command.assignment, assignee, actor)
    work = Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
    work.record(e.StepReassigned(current.step_id, command.assignment, actor.username))
    return work.decision()


def check_assignable(job: Job, step_id: str | None, actor: Actor | None = None) -> CurrentStep:
    """The step that would be given to somebody else; ``step_id`` None: the actor's own, or the first of all.

    Raises RuleViolation: whoever asks, and whomever it is for, it cannot be given away now.
    """
    if job.closed:
        raise RuleViolation("The job is closed; reopen it first.", name="JobClosed")
    steps: Sequence[CurrentStep] = job.flow.steps
    if step_id is None:
        own = [step for step in steps if actor is not None and actor.is_assigned(step.assignment)]
        found = next(iter(own or steps), None)
    else:
        found = job.flow.step(step_id)
    if found is None:
        named = "The job has no current step" if step_id is None else f"{step_id!r} is not a current step of the job"
        raise RuleViolation(f"{named}; only current steps can be assigned.", name="StepNotCurrent")
    if found.is_running:
        raise RuleViolation("The step is running; stop it before giving it to somebody else.", name="StepRunning")
    return found


def _check_target(wanted: Assignment, assignee: Assignee) -> None:
    if wanted.type is AssignedType.UNASSIGNED:
        return
    word = wanted.type.value.lower()
    if not wanted.to:
        raise InvalidValue(f"assignedTo must name a {word} when assignedType is {wanted.type.value}.")
    if not assignee.exists:
        raise InvalidValue(f"assignedTo: there is no {word} {wanted.to!r}.")
    if not assignee.has_role:
        raise RuleViolation(f"The {word} {wanted.to!r} has no role in this workflow item.", name="NoRole")


def _check_reach(present: Assignment, wanted: Assignment, assignee: Assignee, actor: Actor) -> None:
    """The highest of jobAssignAny, jobAssignGroup, jobAssignIndividual decides (rest.md 3.1).

    With any of them a step may be taken from its assignee and left to nobody (rest.md 5.8).
    """
    if actor.may("jobAssignAny"):
        return
    mine = present.type is AssignedType.UNASSIGNED or actor.is_assigned(present)
    if actor.may("jobAssignGroup"):
        allowed = mine and _within_groups(present, wanted, assignee, actor)
        rule = "jobAssignGroup lets you give work of your groups to your groups and their members"
    elif actor.may("jobAssignIndividual"):
        allowed = mine and _may_choose(wanted, assignee, actor)
        rule = "jobAssignIndividual lets you take work of your groups, and give your own back to a group of yours"
    else:
        raise PermissionDenied(f"{actor.username!r} may not assign steps; a privilege jobAssign... is needed.")
    if not allowed and wanted.type is not AssignedType.UNASSIGNED:
        raise PermissionDenied(f"{rule}; for anything else jobAssignAny is needed.")


def _within_groups(present: Assignment, wanted: Assignment, assignee: Assignee, actor: Actor) -> bool:
    if wanted.type is AssignedType.USER and present.type is AssignedType.GROUP:
        return present.to in assignee.groups
    return _may_choose(wanted, assignee, actor)


def _may_choose(wanted: Assignment, assignee: Assignee, actor: Actor) -> bool:
    """The rule that ``isAssignable`` shows."""
    if wanted.type is AssignedType.USER:
        return wanted.to == actor.username or actor.may_choose_user(wanted.to or "", assignee.groups)
    return actor.may_choose_group(wanted.to or "")
