"""The terminal client against a real server: every command, its output and its exit status."""

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import cli
from tests.support import ServerProcess, deadline, free_port

REVIEW = "bT8xWm2pRk-5Zc9vLhQ0Ng"
Run = Callable[..., "Done"]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Path]]:
    """One server for the whole module, and its data folder: each test makes its own jobs."""
    folder = tmp_path_factory.mktemp("server")
    started = ServerProcess(folder, {})
    started.start_on_a_free_port()
    yield started, folder / "data"
    started.close()


@pytest.fixture
def server(shared_server: tuple[ServerProcess, Path], monkeypatch: pytest.MonkeyPatch) -> ServerProcess:
    """The server, named to the commands by variables alone."""
    for name in [name for name in os.environ if name.startswith("STEPGATE_") and "_TEST_" not in name]:
        monkeypatch.delenv(name)
    started, data_dir = shared_server
    monkeypatch.setenv("STEPGATE_URL", started.url)
    monkeypatch.setenv("STEPGATE_DATA_DIR", str(data_dir))
    return started


@pytest.fixture
def stepgate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process."""

    def run(*arguments: str, typed: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = cli.run(list(arguments))
        output = capsys.readouterr()
        return Done(status, output.out, output.err)

    return run


@pytest.fixture
def job(server: ServerProcess, stepgate: Run) -> str:
    """A new job of the simple review: "Do the work" by hand, then the question "Review"."""
    return stepgate("create", REVIEW).out.strip()


def test_create_prints_the_id_and_nothing_else(server: ServerProcess, stepgate: Run) -> None:
    done = stepgate("create", "--name", "Kerb stones")
    assert (done.status, done.err, done.out.count("\n")) == (0, "", 1)
    assert "Kerb stones" in stepgate("show", done.out.strip()).out


@pytest.mark.parametrize("job_id", ["-N4rT_0yVQw6Yb1r4dS7mK", "--4rT_0yVQw6Yb1r4dS7-K"])
def test_an_id_that_begins_with_a_hyphen_is_no_option(server: ServerProcess, stepgate: Run, job_id: str) -> None:
    """Ids are URL-safe base64: one in 64 begins with a hyphen."""
    for command in ("run", "show", "hold"):
        done = stepgate(command, job_id, "--token", server.token())
        assert done.status == 1
        assert "No such option" not in done.err
    assert "No such option" in stepgate("run", "J1", "--tokn", "x").err


def test_a_job_goes_from_its_first_step_to_its_end(job: str, stepgate: Run) -> None:
    assert stepgate("run", job).out.startswith("Do the work: ")
    answered = stepgate("answer", job, "--value", "yes")
    assert answered.out.splitlines() == ["Do the work: the answer is stored.", "Do the work: the answer is applied."]
    typed = stepgate("answer", job, typed="Approve\n\n")
    assert "Review: Is the work approved?" in typed.out
    assert "  1  Approve" in typed.out
    assert "Review: the answer is applied." in typed.out
    assert "workflow is done" in stepgate("show", job).out


def test_a_step_that_may_be_skipped_is_finished_by_its_name(server: ServerProcess, stepgate: Run) -> None:
    job = stepgate("create").out.strip()
    stepgate("run", job)
    stepgate("answer", job, "--value", "yes")
    stepgate("answer", job, "--value", "yes")
    done = stepgate("finish", job, "a step you may skip")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("A step you may skip: ")


def test_an_answer_that_does_not_fit_is_refused_before_it_is_sent(job: str, stepgate: Run) -> None:
    stepgate("run", job)
    done = stepgate("answer", job, "--value", "perhaps")
    assert (done.status, done.out) == (2, "")
    assert "neither yes nor no" in done.err


def test_a_job_that_asks_nothing_says_so(job: str, stepgate: Run) -> None:
    done = stepgate("answer", job, "--value", "yes")
    assert done.status == 1
    assert "No step waits for an answer. Current steps: Do the work." in done.err


def test_a_refusal_tells_the_reason_and_who_could_lift_it(job: str, stepgate: Run) -> None:
    assert stepgate("hold", job).status == 0
    done = stepgate("run", job)
    assert (done.status, done.out) == (1, "")
    first, *reasons = done.err.splitlines()
    assert first.startswith("Do the work: ")
    assert first.endswith("(Held)")
    assert any("What could lift it: " in reason and "jobUpdateHolds" in reason for reason in reasons)
    assert stepgate("release", job, "Do the work").status == 0
    assert stepgate("run", job).status == 0


def test_a_scheduled_hold_is_shown_with_its_end(job: str, stepgate: Run) -> None:
    assert stepgate("hold", job, "Do the work", "--until", "10m").status == 0
    assert "on hold until" in stepgate("show", job).out
    assert stepgate("hold", job, "--until", "2126-05-01T08:00").status == 0
    bad = stepgate("hold", job, "--until", "soon")
    assert bad.status == 2
    assert "'soon' is no time" in bad.err


def test_a_dependency_is_set_and_released_by_the_other_job(job: str, stepgate: Run) -> None:
    other = stepgate("create", REVIEW).out.strip()
    assert stepgate("hold", job, "--job", other, "--step", "Review").status == 0
    assert "waits for another job" in stepgate("show", job).out
    assert stepgate("run", job).status == 1
    assert stepgate("release", job, "--job", other, "--step", "Review").status == 0
    assert stepgate("run", job).status == 0
    assert stepgate("hold", job, "--step", "Review").status == 2


def test_stop_pauses_a_running_step(job: str, stepgate: Run) -> None:
    stepgate("run", job)
    assert stepgate("stop", job).status == 0
    assert "paused" in stepgate("show", job).out
    again = stepgate("stop", job)
    assert (again.status, "(NotRunning)" in again.err) == (1, True)


@pytest.mark.parametrize("command", ["run", "show", "answer", "watch"])
def test_an_unknown_job_is_one_clear_line(server: ServerProcess, stepgate: Run, command: str) -> None:
    done = stepgate(command, "no-such-job")
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith("stepgate: ")


def test_an_unknown_step_names_those_there_are(job: str, stepgate: Run) -> None:
    done = stepgate("run", job, "Nothing")
    assert done.status == 1
    assert "its steps are: Do the work, Review, Approved" in done.err


def test_without_a_server_the_reason_is_said(job: str, stepgate: Run) -> None:
    done = stepgate("run", job, "--url", f"http://127.0.0.1:{free_port()}")
    assert (done.status, done.out) == (1, "")
    assert "No answer from http://127.0.0.1:" in done.err
    wrong = stepgate("run", job, "--url", "localhost")
    assert (wrong.status, "is not the URL of a server" in wrong.err) == (2, True)


def test_a_bad_token_is_refused(job: str, stepgate: Run) -> None:
    assert stepgate("show", job, "--token", "not-a-token").status == 1


def test_without_a_token_and_a_local_database_the_way_out_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stepgate: Run
) -> None:
    monkeypatch.delenv("STEPGATE_TOKEN", raising=False)
    done = stepgate("run", "J1", "--data-dir", str(tmp_path / "nothing"))
    assert (done.status, done.out) == (1, "")
    assert "--token, STEPGATE_TOKEN" in done.err
    assert not (tmp_path / "nothing").exists()


@contextmanager
def watching(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run ``stepgate watch`` as a process of its own, with its output as text."""
    command = [sys.executable, "-m", "app", "watch", *arguments]
    quiet = {name: value for name, value in os.environ.items() if name != "PYTHONASYNCIODEBUG"}
    with subprocess.Popen(command, env=quiet, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """Read lines up to the one that holds ``text``."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if text in line:
            return lines
    raise AssertionError(f"{text!r} never came: {lines}, {process.stderr and process.stderr.read()}")


def test_watch_prints_a_line_for_each_message_until_ctrl_c(job: str, stepgate: Run) -> None:
    with watching(job) as process:
        read_until(process, "JobState")
        stepgate("hold", job)
        [held] = read_until(process, "StepHeld")
        assert held.split()[1].startswith("#")
        assert "Do the work: by hand, set by admin" in held
        process.send_signal(signal.SIGINT)
        assert process.wait(deadline(1)) == cli.INTERRUPTED
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_watch_draws_how_the_job_stands_on_a_terminal(job: str, stepgate: Run) -> None:
    ours, theirs = pty.openpty()
    quiet = {name: value for name, value in os.environ.items() if name != "PYTHONASYNCIODEBUG"}
    command = [sys.executable, "-m", "app", "watch", job]
    with subprocess.Popen(command, env=quiet | {"TERM": "xterm", "COLUMNS": "140"}, stdout=theirs) as process:
        os.close(theirs)
        try:
            drawn = read_terminal(ours, "Do the work")
            assert "waits" in drawn
            stepgate("hold", job)
            assert "held by hand, set by admin" in read_terminal(ours, "set by admin")
        finally:
            process.kill()
            os.close(ours)


def read_terminal(terminal: int, text: str) -> str:
    """Read what a program draws, until it has drawn ``text``."""
    drawn = ""
    while text not in drawn:
        assert select.select([terminal], [], [], deadline(5))[0], f"{text!r} was never drawn: {drawn}"
        drawn += os.read(terminal, 65_536).decode(errors="replace")
    return drawn


def test_watch_begins_after_a_number_and_prints_frames_as_they_came(job: str, stepgate: Run) -> None:
    stepgate("hold", job)
    stepgate("release", job)
    with watching(job, "--since", "0", "--json") as process:
        frames = [json.loads(line) for line in read_until(process, '"JobState"')]
    numbers = [frame["seq"] for frame in frames[:-1]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {"StepHeld", "StepHoldReleased"} <= {frame["msgType"] for frame in frames}


def test_watch_goes_on_when_the_server_is_killed_and_comes_back(server: ServerProcess, job: str, stepgate: Run) -> None:
    with watching(job) as process:
        read_until(process, "JobState")
        server.kill9()
        server.start()
        stepgate("hold", job)
        lines = read_until(process, "StepHeld")
        assert len([line for line in lines if "StepHeld" in line]) == 1


def test_the_introduction_is_walked_to_its_end_with_every_kind_of_answer(server: ServerProcess, stepgate: Run) -> None:
    """Manual, three parallel steps, a place, a question that leads back once, an attachment, an app."""
    job = stepgate("create").out.strip()
    square = json.dumps({"rings": [[[0, 0], [0, 9], [9, 9], [0, 0]]], "spatialReference": {"wkid": 102100}})
    assert stepgate("run", job).status == 0

    def say(value: str, *step: str) -> None:
        done = stepgate("answer", job, *step, "--value", value)
        assert (done.status, "is applied" in done.out) == (0, True), done

    say("yes")
    say("yes")
    assert stepgate("finish", job, "A step you may skip").status == 0
    several = stepgate("run", job, "Check the address"), stepgate("run", job, "Ask the neighbours")
    assert [done.status for done in several] == [0, 0]
    unclear = stepgate("answer", job, "--value", "yes")
    assert (unclear.status, "name one of them: " in unclear.err) == (1, True)
    say("yes", "Check the address")
    say("yes", "Ask the neighbours")
    assert stepgate("finish", job, "Look into the archive").status == 0
    say(square)
    say("1")
    say(square)
    say("no, go on")
    say("yes")
    say("yes")
    assert stepgate("run", job, "Open a page").status == 0
    say("yes")
    say("yes")
    say("yes")
    assert "workflow is done" in stepgate("show", job).out
