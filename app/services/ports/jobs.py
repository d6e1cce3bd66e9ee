"""Records of a job and what belongs to it, as they cross the border to the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.job import Assignment, Hold, Job
from app.expressions.job_fields import Field
from app.expressions.where import Condition, Literal

Scalar = str | int | float | bool | None


@dataclass(slots=True)
class JobRecord:
    """A job as stored: the aggregate, and the end of its feed.

    ``seq`` is the number of the last feed message (0: none yet), ``feed_hash`` the hash of that row. ``details`` maps a
    current step's id to the seq of the message that describes its state (``JobState.stepStates[].messageDetails``).
    ``step_names`` are names of current steps by id, for searches; whoever saves the job gives them. ``phase_ms`` is
    since when the job is in its phase (``app.domain.phases``); the store sees to it.
    """

    key: int
    job: Job
    seq: int
    feed_hash: bytes
    details: dict[str, int]
    step_names: Mapping[str, str] = field(default_factory=dict)
    phase_ms: int = 0

    @property
    def number(self) -> int:
        """What the v3 dialects call it: the store's own key, which no job of any item had before."""
        return self.key


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """One numbered wire message of a job: one feed row, one bus payload, one websocket frame.

    ``body`` is the whole envelope as JSON text, its ``seq`` included. ``short`` is what those outside ``audience`` get;
    both are None where everybody gets the same. ``created_ms`` is the envelope's ``timestamp``.
    """

    item_id: str
    job_id: str
    seq: int
    msg_type: str
    created_ms: int
    body: bytes
    short: bytes | None = None
    audience: Assignment | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of a job's history (rest.md 14.6)."""

    action: str
    username: str
    date_ms: int
    step_id: str | None = None
    result: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ReleasedHold:
    """A hold, and how it ended; both None while it lasts."""

    hold: Hold
    released_by: str | None
    released_ms: int | None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a job (rest.md 5.10)."""

    comment_id: str
    comment: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Dependent:
    """A step of a job that waits for another job (or one of its steps)."""

    item_id: str
    job_id: str
    hold_id: str


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs are meant: those that match the condition and, with an ``extent`` (west, south, east, north in Web
    Mercator), those whose place's box touches it."""

    condition: Condition
    extent: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class SortBy:
    """A field to sort by. Text goes by code point; of several current steps the smallest counts; nulls come last."""

    field: Field
    descending: bool = False


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as searches show it.

    ``members`` are the values of its own fields by name, ``steps`` those of each current step, in the order of their
    ids; moments are in ms. ``properties`` are the extended properties by table and name: the text, and the number it
    compares by.
    """

    members: Mapping[str, Literal | None]
    steps: tuple[Mapping[str, str | None], ...]
    properties: Mapping[tuple[str, str], tuple[str | None, float | None]]


@dataclass(frozen=True, slots=True)
class ChainFault:
    """A place where a job's feed is not what it was: a gap, or a row whose ``prev_hash`` does not fit."""

    job_id: str
    seq: int
    problem: str
