"""What a subscriber is told first: the state of jobs, and the messages missed since a point of their feeds.

Reading needs access to the item and nothing more; the hub has judged that (``services/access.py``).
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from app.domain.diagram import Diagram
from app.domain.job import CurrentStep
from app.protocol.notifications import JobState, JobStepState
from app.services.ports import FeedMessage, Item, JobRecord, Tx

_PIECE = 1_000


@dataclass(frozen=True, slots=True)
class JobWanted:
    """What to read of a job.

    ``replay_after``: the newest messages with a higher seq, as many as ``ReplayLimits`` allow. ``heal_after``: the next
    1,000 messages with a higher seq, from there on. None: no such messages. ``state``: somebody waits for the state.
    """

    job_id: str
    state: bool
    replay_after: int | None = None
    heal_after: int | None = None


@dataclass(frozen=True, slots=True)
class ReplayLimits:
    """How much may be sent again, per job: messages, and bytes of their bodies."""

    messages: int
    max_bytes: int


@dataclass(slots=True)
class JobSnapshot:
    """A job at one moment.

    ``state`` is None when there is no such job (any more), or when it was not asked for. ``details`` has, for each of
    its steps, the message that describes the step. ``first_seq`` is the oldest message still stored (``seq + 1`` when
    there is none). ``replay`` is everything after ``replay_from`` up to ``seq``; ``replay_from`` is None when nothing
    was asked for, and above ``replay_after`` where that would have been too much. ``healing`` begins right after
    ``heal_after``.
    """

    job_id: str
    seq: int
    first_seq: int
    state: JobState | None = None
    details: tuple[FeedMessage | None, ...] = ()
    replay_from: int | None = None
    replay: list[FeedMessage] = field(default_factory=list)
    healing: list[FeedMessage] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """Several jobs of one item, all at the same moment."""

    now_ms: int
    epoch: str
    access_version: int
    jobs: dict[str, JobSnapshot]


def read_jobs(tx: Tx, org_id: str, item_id: str, wanted: Iterable[JobWanted], limits: ReplayLimits) -> Reading | None:
    """Read states and messages in one snapshot; None when there is no such item."""
    item = tx.item(org_id, item_id)
    if item is None:
        return None
    epoch = tx.epoch()
    jobs = {want.job_id: _read_job(tx, item, want, limits, epoch) for want in wanted}
    return Reading(tx.now_ms(), epoch, item.access_version, jobs)


def state_for(snapshot: JobSnapshot, sees_all: tuple[bool, ...]) -> list[JobStepState]:
    """The step states with their details, as a viewer sees them.

    Args:
        snapshot: with its state.
        sees_all: for each step, whether the viewer is in the audience of its detail.
    """
    steps = snapshot.state.step_states if snapshot.state else []
    return [
        step if detail is None else msgspec.structs.replace(step, message_details=msgspec.Raw(_form(detail, full)))
        for step, detail, full in zip(steps, snapshot.details, sees_all, strict=True)
    ]


def _form(message: FeedMessage, full: bool) -> bytes:
    return message.body if full or message.short is None else message.short


def _read_job(tx: Tx, item: Item, want: JobWanted, limits: ReplayLimits, epoch: str) -> JobSnapshot:
    record = tx.job(item, want.job_id)
    end = record.seq if record else 0
    first_seq, seq = tx.feed_span(item, want.job_id) or (end + 1, end)
    snapshot = JobSnapshot(want.job_id, seq, first_seq)
    if want.replay_after is not None:
        after = max(want.replay_after, seq - limits.messages)
        snapshot.replay = _newest(tx, item, want.job_id, after, limits.max_bytes)
        snapshot.replay_from = snapshot.replay[0].seq - 1 if snapshot.replay else seq
    if want.heal_after is not None and want.heal_after < seq:
        snapshot.healing = tx.feed(item, want.job_id, want.heal_after, limit=_PIECE)
    if record is not None and want.state:
        found = tx.feed_messages(record, record.details.values())
        snapshot.details = tuple(found.get(record.details.get(step.step_id, 0)) for step in record.job.flow.steps)
        snapshot.state = _state(tx, item, record, epoch)
    return snapshot


def _newest(tx: Tx, item: Item, job_id: str, after: int, max_bytes: int) -> list[FeedMessage]:
    """The messages after ``after``; the oldest of them are left out where all together are more than ``max_bytes``."""
    window: deque[FeedMessage] = deque()
    held = 0
    while piece := tx.feed(item, job_id, after, limit=_PIECE):
        after = piece[-1].seq
        for message in piece:
            window.append(message)
            held += len(message.body)
            while held > max_bytes:
                held -= len(window.popleft().body)
        if len(piece) < _PIECE:
            break
    return list(window)


def _state(tx: Tx, item: Item, record: JobRecord, epoch: str) -> JobState:
    job = record.job
    found = tx.diagram(item, job.diagram_id, job.diagram_version)
    diagram = found.diagram if found else None
    return JobState(
        job_id=job.job_id,
        job_status=job.status,
        job_template_name=job.template_name,
        diagram_id=job.diagram_id,
        diagram_version=job.diagram_version,
        percent_complete=job.percent_complete,
        closed=job.closed,
        step_states=[_step_state(current, diagram) for current in job.flow.steps],
        seq=record.seq,
        epoch=epoch,
        recovered=True,
    )


def _step_state(current: CurrentStep, diagram: Diagram | None) -> JobStepState:
    step = diagram.step(current.step_id) if diagram else None
    return JobStepState(
        step_id=current.step_id,
        step_name=step.name if step else current.step_id,
        assigned_type=current.assignment.type.value,
        assigned_to=current.assignment.to,
        can_skip=step.can_skip if step else False,
    )
