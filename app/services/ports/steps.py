"""What executors of service steps are given, and what they promise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.domain.diagram import Step
from app.domain.job import Job, ReturnValue
from app.services.ports.runs import Dispatch, RunRecord

if TYPE_CHECKING:  # they import these ports
    from app.services.engine import Unit
    from app.services.recording import Jobs

T = TypeVar("T")


class Adoption(StrEnum):
    """What it means for an executor to take over a run whose node has died (design.md section 2, "Runner").

    ``RESUME``: it goes on where the other node was, by the run's note. ``ATOMIC``: it returns ``AtomicWork``, so
    nothing was done yet. ``AGAIN``: it does everything once more. ``ONCE``: it notes its intent before the effect; a
    run with a note is not executed again but fails with ``OUTCOME_UNKNOWN``, one without is.
    """

    RESUME = "resume"
    ATOMIC = "atomic"
    AGAIN = "again"
    ONCE = "once"


class StepSignals(Protocol):
    """What people ask of a run while it is executed."""

    @property
    def is_stopped(self) -> bool:
        """An executor that is cancelled asks here why: somebody stopped the step, or (false) the server closes and the
        run is taken over."""

    async def refresh(self, within_s: float) -> None:
        """Return when somebody asks for the step's status (``RefreshStatus``), or after so long."""


class StepServices(Protocol):
    """What an executor may do in the item of its run, as the server itself (nobody's privileges are asked).

    All of it waits for a database that is away, and raises BackendError only when the server closes: let that pass,
    and the run is taken over at the next start.
    """

    async def read(self, query: "Callable[[Unit], T]") -> T:
        """Run a query in one snapshot."""

    async def write(self, use_case: "Callable[[Unit], T]") -> T:
        """Run a use case in a transaction of its own: for effects that are not the step's end (``AtomicWork``)."""

    async def note(self, note: str) -> None:
        """Write down, durably, what a takeover must know; it is ``run.note`` then. Raises StepFailed, having written
        nothing, when the run is not this executor's any more: what was about to be done must not be done."""

    async def settings(self) -> Mapping[str, str]:
        """The item's settings by name, secrets included. Raises StepFailed when the master key is not what it was."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """What an executor is given: the run, the job and step as they are at its start.

    ``adopted``: another node began this run. ``progress(msg, msg_code)`` may be called often; subscribers are told at
    most once a second.
    """

    run: RunRecord
    job: Job
    step: Step
    adopted: bool
    progress: Callable[[str, str], None]
    services: StepServices
    asked: "StepSignals"

    @property
    def started_by(self) -> str:
        """The user who started the run, ``$currentUser`` of its expressions; ``system`` when it started by itself, and
        ``$currentUser`` is null."""
        return self.job.flow.current(self.step.step_id).last_run.started_by


@dataclass(frozen=True, slots=True)
class AtomicWork:
    """The whole effect of a step, to be done in the transaction that finishes it: both are there, or neither.

    ``do`` gets the transaction with the run's job locked in ``jobs`` (``jobs.lock`` gives it again), and returns what
    ``$retVal`` is to be. It may be called twice, and not at all when the run was taken over. A StepError it raises
    undoes what it wrote and fails the step.
    """

    do: "Callable[[Unit, Jobs], ReturnValue]"


class StepExecutor(Protocol):
    """Does one kind of service step. It is cancelled when the step is stopped, and when the server shuts down."""

    @property
    def action_type(self) -> str:
        """The ``actionType`` it does."""

    @property
    def adoption(self) -> Adoption:
        """What a takeover of its runs means."""

    async def execute(self, context: StepContext) -> ReturnValue | AtomicWork:
        """Do the step and return what ``$retVal`` is to be, or the work that gives it. Raises StepFailed or
        StepTimedOut with a sentence for the user and, as ``name``, the ``msgCode``."""


class DispatchSender(Protocol):
    """Sends one kind of dispatches."""

    @property
    def kind(self) -> str:
        """Of what it sends."""

    async def send(self, dispatch: Dispatch, services: StepServices) -> str | None:
        """Send it; returns a sentence for people where it has not reached everybody.

        ``services.note`` is awaited before the point from which on it may have had its effect, by senders that must not
        send twice: such a dispatch is not given to them again. Raises StepError; ``is_passing`` of it, where it has
        one, tells whether another try may succeed.
        """
