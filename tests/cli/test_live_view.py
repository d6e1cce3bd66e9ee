"""What ``stepgate watch`` draws on a terminal."""

from pathlib import Path

import pytest
from rich.console import Console

from app.cli.live_view import LiveView
from stepgate_client import ConnectionFailed, ConnectionState, Phase
from stepgate_client.messages import Message, decode

WIRE = Path(__file__).parents[1] / "wire"
JOB = "J1bR7fYvTzq0m9K2s5WxAg"


def told(name: str) -> Message:
    return decode((WIRE / f"{name}.json").read_bytes())


def drawn(view: LiveView) -> str:
    console = Console(width=160, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(view)
    return captured.get()


def view_after(*names: str) -> LiveView:
    view = LiveView([JOB], {"s4": "Approve?", "s5": "Visit"})
    for name in names:
        view.take(told(name))
    return view


def test_a_job_is_shown_with_its_step_and_what_that_asks() -> None:
    [row] = [line for line in drawn(view_after("JobState")).splitlines() if line.startswith(JOB)]
    assert row.split() == [
        JOB,
        "In",
        "Progress",
        "25",
        "Approve?",
        "user",
        "ana",
        "asks:",
        "Approve?",
        "[Yes",
        "/",
        "No]",
    ]


def test_a_finished_step_gives_way_to_the_next_with_its_hold() -> None:
    view = view_after("JobState", "StepFinished")
    [step] = view.jobs[JOB].steps.values()
    assert (step.name, step.waits_for, step.state, step.hold) == ("Visit", "group g77", "waits", "on hold")


@pytest.mark.parametrize(
    ("message", "state", "detail"),
    [
        ("StepStarted", "running", ""),
        ("StepProgress", "running", None),
        ("StepPaused", "paused", ""),
        ("StepCancelled", "stopped", ""),
        ("StepStopping", "stopping", ""),
        ("StepError", "failed", None),
    ],
)
def test_each_message_of_a_step_changes_its_state(message: str, state: str, detail: str | None) -> None:
    sent = told(message)
    step_id = getattr(sent, "step_id", None) or sent.step_ids[0]  # type: ignore[attr-defined] # one of the two
    view = view_after("JobState", "StepFinished")
    view.jobs[JOB].steps = {step_id: next(iter(view.jobs[JOB].steps.values()))}
    view.take(sent)
    step = view.jobs[JOB].steps[step_id]
    assert step.state == state
    assert bool(step.detail) if detail is None else step.detail == detail


def test_holds_come_and_go() -> None:
    view = view_after("JobState", "StepFinished", "StepHeld")
    assert "until job J0" in view.jobs[JOB].steps["s5"].hold
    assert "held" in drawn(view)
    view.take(told("StepHoldReleased"))
    assert view.jobs[JOB].steps["s5"].hold == ""


def test_the_last_messages_stand_below_and_a_lost_connection_at_the_end() -> None:
    view = view_after(*["JobState"] * 20)
    lines = [line for line in drawn(view).splitlines() if "JobState" in line]
    assert len(lines) == 12
    view.connection(ConnectionState(Phase.WAITING, 1, ConnectionFailed("The connection broke."), 1.5))
    assert drawn(view).rstrip().endswith("The connection broke. Trying again in 1.5 s.")
    view.connection(ConnectionState(Phase.OPEN))
    assert "Trying again" not in drawn(view)


def test_messages_of_other_jobs_change_nothing() -> None:
    view = LiveView(["another"], {})
    view.take(told("JobState"))
    assert view.jobs["another"].steps == {}
