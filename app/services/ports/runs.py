"""Records of steps being executed: runs, answers on their way to them, timers, what is sent after a commit."""

from dataclasses import dataclass

from app.domain.job import Answer


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as the runner sees it: who executes it, and which takeover it is.

    A result that comes with an older ``fence`` than the stored one is refused. ``note`` is what its executor has
    written down for whoever takes the run over.
    """

    run_id: str
    item_id: str
    job_key: int
    job_id: str
    step_id: str
    node_id: str
    fence: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer to a prompt, and what became of it: ``stored``, ``applied`` or ``rejected`` (with ``reason``)."""

    answer_id: int
    item_id: str
    job_key: int
    job_id: str
    step_id: str
    run_id: str
    prompt_id: str
    request_id: str | None
    username: str
    answer: Answer
    stage: str
    reason: str | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class PendingAnswer:
    """An answer that is stored and waits to be applied by ``node_id``, the owner of its run."""

    item_id: str
    answer_id: int
    node_id: str


@dataclass(frozen=True, slots=True)
class Errand:
    """What one node asks of another: to apply an answer, to stop a run it owns, to let one look at its service at once,
    or (``orphans``) to look at once, as after a renewal, for runs that nobody owns any more and for what is to be done
    about its own."""

    answer: PendingAnswer | None = None
    stop: RunRecord | None = None
    refresh: RunRecord | None = None
    orphans: bool = False


@dataclass(frozen=True, slots=True)
class Timer:
    """A moment at which a hold ends by itself."""

    timer_id: int
    item_id: str
    job_id: str
    hold_id: str
    due_ms: int


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Something to be sent to the outside because of what has happened to a job (``job_id`` "": to the item), after it
    was committed.

    ``kind`` says which sender sends it, ``title`` what people call it, ``content`` is the sender's. ``tries`` counts
    this one too. ``begun``: a try came as far as the point where it may have had its effect, and did not come back.
    """

    dispatch_id: int
    item_id: str
    job_id: str
    step_id: str | None
    kind: str
    title: str
    content: bytes
    tries: int
    begun: bool

    @property
    def key(self) -> str:
        """Names it outside, the same for each try."""
        return f"dispatch-{self.dispatch_id}.{self.job_id.strip('{}')}"
