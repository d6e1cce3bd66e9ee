"""Jobs as they stand, on a terminal that is drawn anew with each message: what ``stepgate watch`` shows to people."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.cli.terminal_lines import Names, assignee, line, matter
from stepgate_client import ConnectionState, Phase
from stepgate_client.messages import (
    JobMessage,
    JobState,
    JobUpdated,
    Message,
    StepCancelled,
    StepError,
    StepFinished,
    StepHeld,
    StepHoldReleased,
    StepInfoRequired,
    StepPaused,
    StepProgress,
    StepReassigned,
    StepsMessage,
    StepStarted,
    StepState,
    StepStopped,
    StepStopping,
    StepWarningStopped,
)
from stepgate_client.models import CurrentStep

LINES: Final = 12
"""How many of the last messages are shown below the jobs."""

_STYLES: Final = {"asks": "magenta", "running": "blue", "failed": "red", "stopped": "yellow", "paused": "yellow"}
_WORDS: Final[dict[type[Message], str]] = {
    StepStarted: "running",
    StepProgress: "running",
    StepStopping: "stopping",
    StepPaused: "paused",
    StepCancelled: "stopped",
    StepStopped: "stopped",
    StepWarningStopped: "stopped",
    StepError: "failed",
    StepInfoRequired: "asks",
}


@dataclass(frozen=True, slots=True)
class StepLine:
    """A current step: ``state`` is one word, ``detail`` what it says, ``hold`` how it is held (empty: it is not)."""

    name: str
    waits_for: str
    state: str = "waits"
    detail: str = ""
    hold: str = ""


@dataclass
class JobLines:
    """A job and its current steps by id."""

    status: str = ""
    percent: str = "0"
    closed: bool = False
    steps: dict[str, StepLine] = field(default_factory=dict)

    def take(self, message: Message, names: Names) -> None:
        """Change what a message changes."""
        match message:
            case JobState():
                self.status, self.closed, self.percent = (
                    message.job_status,
                    message.closed,
                    f"{message.percent_complete:g}",
                )
                self.steps = {step.step_id: _line_of(step, names) for step in message.step_states}
            case StepFinished():
                self.status = message.job_status or self.status
                self.steps = {step.step_id: self._moved(step, message.step_ids) for step in message.current_steps}
            case JobUpdated():
                values = {entry.property_name: entry.value for entry in message.properties.job_properties}
                self.status = values.get("jobStatus") or self.status
                self.percent = values.get("percentComplete") or self.percent
                self.closed = (values.get("closed") or str(self.closed)).lower() in {"true", "1"}
            case _:
                for step_id in _steps_of(message):
                    if step_id in self.steps:
                        self.steps[step_id] = _changed(self.steps[step_id], message)

    def _moved(self, step: CurrentStep, finished: Sequence[str]) -> StepLine:
        known = self.steps.get(step.step_id)
        if known is not None and step.step_id not in finished:
            return known
        held = "on hold" if step.is_held else ""
        return StepLine(step.step_name or step.step_id, assignee(step.assigned_type, step.assigned_to), hold=held)


class LiveView:
    """What is drawn: the jobs, the last messages, and the connection while it is not there."""

    def __init__(self, job_ids: Sequence[str], names: Names) -> None:
        self.jobs = {job_id: JobLines() for job_id in job_ids}
        self._names = names
        self._last: deque[str] = deque(maxlen=LINES)
        self._connection = ""

    def take(self, message: Message) -> None:
        """Show a message and what it changes."""
        job_id = message.job_id if isinstance(message, JobMessage) else None
        if job_id in self.jobs:
            self.jobs[job_id].take(message, self._names)
        self._last.append(line(message, self._names, job=job_id if len(self.jobs) > 1 else None))

    def connection(self, state: ConnectionState) -> None:
        """Show that the connection is away, and when it is tried again."""
        away = state.phase is Phase.WAITING
        self._connection = f"{state.cause} Trying again in {state.retry_in_s:.1f} s." if away else ""

    def __rich__(self) -> RenderableType:
        """What rich draws."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for head in ("Job", "Status", "%", "Step", "For", "State"):
            table.add_column(head, overflow="fold")
        for job_id, job in self.jobs.items():
            for row in _rows(job_id, job):
                table.add_row(*row)
        below = [Text(said, style="dim") for said in self._last]
        warning = [Text(self._connection, style="bold yellow")] if self._connection else []
        return Group(table, Text(), *below, *warning)


def _rows(job_id: str, job: JobLines) -> list[tuple[RenderableType, ...]]:
    status = f"{job.status}, closed" if job.closed else job.status
    rows: list[tuple[RenderableType, ...]] = [
        (Text(step.name), Text(step.waits_for), _state_text(step)) for step in job.steps.values()
    ]
    rows = rows or [(Text("no current step", style="dim"), Text(), Text())]
    head: tuple[RenderableType, ...] = (Text(job_id), Text(status), Text(job.percent))
    rest: tuple[RenderableType, ...] = (Text(), Text(), Text())
    return [(*(head if number == 0 else rest), *row) for number, row in enumerate(rows)]


def _state_text(step: StepLine) -> Text:
    text = Text(f"{step.state}: {step.detail}" if step.detail else step.state, style=_STYLES.get(step.state, ""))
    return text.append(f"  held {step.hold}", style="yellow") if step.hold else text


def _line_of(step: StepState, names: Names) -> StepLine:
    name = step.step_name or names.get(step.step_id, step.step_id)
    found = StepLine(name, assignee(step.assigned_type, step.assigned_to))
    return found if step.details is None else _changed(found, step.details)


def _changed(step: StepLine, message: Message) -> StepLine:
    """A step after a message about it."""
    match message:
        case StepReassigned():
            return replace(step, waits_for=assignee(message.assigned_type, message.assigned_to))
        case StepHeld():
            return replace(step, hold=_said(message) or "by hand")
        case StepHoldReleased():
            return replace(step, hold="")
        case _ if type(message) in _WORDS:
            return replace(step, state=_WORDS[type(message)], detail=_said(message))
        case _:
            return step


def _said(message: Message) -> str:
    """What a message says beside the names of its steps."""
    if isinstance(message, StepsMessage):
        return matter(message, dict.fromkeys(message.step_ids, "")).lstrip(" ,:")
    step_id: str | None = getattr(message, "step_id", None)
    return matter(message, {step_id: ""} if step_id else {}).lstrip(" ,:")


def _steps_of(message: Message) -> list[str]:
    if isinstance(message, StepsMessage):
        return list(message.step_ids)
    step_id: str | None = getattr(message, "step_id", None)
    return [step_id] if step_id else []
