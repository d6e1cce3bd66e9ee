"""Jobs of the fake server: steps one after the other, and the messages that their changes cause."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Envelope = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FakeStep:
    """A step.

    With a ``question`` (choices: name to value) it asks that, and goes on with the answer; without one it waits for a
    manual answer, and goes on with it too. ``service`` ones finish by themselves as soon as they are run. One with an
    ``error`` fails with that sentence.
    """

    name: str
    question: Mapping[str, int] | None = None
    service: bool = False
    error: str | None = None
    step_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class FakeJob:
    """A job: where it stands, and everything that was told about it (``messages``, whole envelopes with ``seq``)."""

    job_id: str
    name: str
    steps: list[FakeStep]
    tell: Callable[["FakeJob", Envelope], None]
    position: int = 0
    closed: bool = False
    prompt_id: str | None = None
    is_held: bool = False
    answers: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    messages: list[Envelope] = field(default_factory=list)

    @property
    def current(self) -> FakeStep | None:
        """The step it is at; None: it has been through all of them."""
        return self.steps[self.position] if self.position < len(self.steps) else None

    @property
    def is_finished(self) -> bool:
        """All steps are done."""
        return self.current is None

    @property
    def is_running(self) -> bool:
        """The current step waits for its answer."""
        return self.prompt_id is not None

    def emit(self, msg_type: str, **body: Any) -> None:
        """Tell all who watch the job; ``body`` has the wire's camelCase names, ``jobId`` is added."""
        seq = len(self.messages) + 1
        envelope = {"msgType": msg_type, "timestamp": _now_ms(), "seq": seq, "message": {"jobId": self.job_id, **body}}
        self.messages.append(envelope)
        self.tell(self, envelope)

    def progress(self, msg: str) -> None:
        """Let the current step say how far it is."""
        if self.current is not None:
            self.emit("StepProgress", stepIds=[self.current.step_id], msg=msg, msgCode="", allowedActions=0)

    # ------------------------------------------------------------ what clients do

    def act(self, kind: str, step_ids: list[str] | None) -> dict[str, Any]:
        """Carry out an action; the answer is the wire's (rest.md 5.6)."""
        step = self.current
        if step is None:
            return _refused("", "NoActiveStep", "The job has no active step.")
        if step_ids and step_ids != [step.step_id]:
            return _refused(step_ids[0], "StepNotCurrent", "The step is not a current step.")
        refusal = self._refusal(kind)
        if refusal is not None:
            return _refused(step.step_id, *refusal)
        {
            "Run": self._run,
            "Finish": self._finish,
            "Stop": self._stop,
            "Hold": self._hold,
            "ReleaseHold": self._release_hold,
        }[kind](step)
        return {"success": True, "stepResponses": [{"stepId": step.step_id, "status": "Success"}]}

    def answer(self, body: dict[str, Any]) -> str | None:
        """Take an answer; returns why not (``not_waiting``, ``invalid``), None when it counts."""
        step = self.current
        if step is None or body.get("stepId") != step.step_id or not self.is_running:
            return "not_waiting"
        if body.get("promptId") not in {None, self.prompt_id}:
            return "not_waiting"
        if step.question is not None and body.get("questionResponse") not in step.question.values():
            return "invalid"
        self.answers.append(body)
        self._finish(step)
        return None

    def _refusal(self, kind: str) -> tuple[str, str] | None:
        """What speaks against an action first: its status and a sentence."""
        asks = self.current is not None and self.current.question is not None
        against = (
            (self.closed, "JobClosed", "The job is closed."),
            (kind in {"Run", "Finish"} and self.is_held, "Held", "The step is on hold."),
            (kind in {"Run", "Hold"} and self.is_running, "AlreadyExecuting", "The step is running."),
            (kind == "Stop" and not self.is_running, "NotRunning", "The step is not running."),
            (kind == "Finish" and not self.is_running, "NoStartedStep", "The step has not been started."),
            (kind == "Finish" and asks, "NoMatchingPaths", "The question has no answer."),
            (kind == "ReleaseHold" and not self.is_held, "NotHeld", "The step has no hold."),
        )
        return next(((status, text) for holds, status, text in against if holds), None)

    def _run(self, step: FakeStep) -> None:
        self.emit("StepStarted", stepIds=[step.step_id])
        if step.error is not None:
            self.emit("StepError", stepId=step.step_id, msg=step.error, msgCode="FAILED")
        elif step.service:
            self._finish(step)
        else:
            self.prompt_id = uuid.uuid4().hex
            self.emit("StepInfoRequired", **self._prompt(step))

    def _stop(self, step: FakeStep) -> None:
        self.prompt_id = None
        kind = "StepPaused" if step.question is None else "StepCancelled"
        self.emit(kind, stepIds=[step.step_id])

    def _hold(self, step: FakeStep) -> None:
        self.is_held = True
        self.emit("StepHeld", stepIds=[step.step_id], manual=True, dependency=False, setBy="user")

    def _release_hold(self, step: FakeStep) -> None:
        self.is_held = False
        self.emit("StepHoldReleased", stepIds=[step.step_id], releasedBy="user")

    def _finish(self, step: FakeStep) -> None:
        self.prompt_id = None
        self.position += 1
        self.emit("StepFinished", stepIds=[step.step_id], jobStatus="In Progress", currentSteps=self.current_steps())

    def _prompt(self, step: FakeStep) -> dict[str, Any]:
        asks: dict[str, Any] = {"stepId": step.step_id, "promptId": self.prompt_id, "canComment": True}
        if step.question is None:
            return asks | {"stepType": "Manual", "userPrompt": step.name, "allowedActions": 6}
        choices = [{"name": name, "value": value} for name, value in step.question.items()]
        return asks | {"stepType": "Question", "question": step.name, "questionResponses": choices, "allowedActions": 1}

    # ------------------------------------------------------------ what clients read

    def current_steps(self) -> list[dict[str, Any]]:
        """As ``currentSteps`` of a job."""
        if self.current is None:
            return []
        step = {"stepId": self.current.step_id, "stepName": self.current.name, "assignedType": "User"}
        return [step | {"assignedTo": "user", "canSkip": False, "manualHold": self.is_held, "dependencies": False}]

    def body(self) -> dict[str, Any]:
        """As ``GET jobs/{jobId}`` answers."""
        return {
            "jobId": self.job_id,
            "jobName": self.name,
            "jobStatus": "In Progress",
            "percentComplete": 100 if self.is_finished else 0,
            "closed": self.closed,
            "currentSteps": self.current_steps(),
            "activeVersions": [],
        }

    def state(self, *, recovered: bool, reason: str | None = None) -> Envelope:
        """The ``JobState`` of now."""
        steps = self.current_steps()
        if self.current is not None and self.is_running:
            body = {"jobId": self.job_id, **self._prompt(self.current)}
            steps[0]["messageDetails"] = {"msgType": "StepInfoRequired", "timestamp": _now_ms(), "message": body}
        seq = {"seq": len(self.messages), "epoch": EPOCH, "recovered": recovered}
        told = {"jobId": self.job_id, "jobStatus": "In Progress", "closed": self.closed, "stepStates": steps, **seq}
        return {
            "msgType": "JobState",
            "timestamp": _now_ms(),
            "message": told if reason is None else told | {"reason": reason},
        }


EPOCH = "fake"
"""The one history that its messages count in."""


def _refused(step_id: str, status: str, text: str) -> dict[str, Any]:
    return {"success": False, "stepResponses": [{"stepId": step_id, "status": status, "statusDescription": text}]}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
