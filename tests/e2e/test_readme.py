"""Every command of the README, run in its order as a newcomer would, through bash, from a folder of its own.

What is not run word for word:

- ``make run`` becomes what it runs once everything is installed, ``.venv/bin/stepgate serve``, on a free port; that
  make itself gets that far on a fresh machine is shown by ``tests/test_packaging.py`` and continuous integration.
- ``JOB`` is the id that the last command which made a job printed, ``STEP`` the step that ``show`` printed last.
- The port 8080 becomes the free one: in the lines themselves, and for the commands through ``STEPGATE_URL``.
- Commands that ask are typed at (``TYPED``), ``watch`` goes on in the background, and ``SKIPPED`` says what cannot run.
"""

import asyncio
import os
import re
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import deadline, eventually, free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

SKIPPED = {
    "docker": "no container engine runs here; tests/test_packaging.py runs the image's scripts",
    "sudo -u postgres": "the accounts of the machine's PostgreSQL are not ours; tests/e2e serves from a PostgreSQL",
    "export STEPGATE_DATABASE_URL": "belongs to that PostgreSQL",
    "export STEPGATE_SECRET_KEY": "belongs to that PostgreSQL",
    "make run # on PostgreSQL": "belongs to that PostgreSQL",
}
"""How lines begin that are not run, and why."""

TYPED = {
    "stepgate answer JOB": "Approve\n\n",
    'websockets "ws': '{"msgType": "subscribe", "jobIds": ["JOB"]}\n',
}
"""What a person types, by how the line begins."""

TOLD = {
    "stepgate run JOB # refused": "(Held)",
    "stepgate finish JOB": "finished",
    "stepgate answer JOB": "the answer is applied",
    "stepgate show JOB # the job is done": "the workflow is done",
    'curl -H "Authorization: Bearer $TOKEN" --json \'{"type": "Run"}\'': '"stepResponses"',
    'curl -H "Authorization: Bearer $TOKEN" $ITEM': '"jobStatus"',
    'websockets "ws': "JobState",
    "stepgate create --token $(stepgate token maria) # refused": "jobCreate",
    'curl -H "$AUTH" --json "{\\"$KEY': '"state":"ready"',
    "curl -X PATCH": '"favorite":true',
    'curl -H "$AUTH" $V3/v3/jobs/$PRINT/state': '"printed"',
    "curl -d grant_type": '"access_token"',
    'curl -H "$AUTH" --json \'{"questions"': '"appId"',
    'curl -H "$AUTH" $V3/webapi/v3/jobs': '"submittedBy"',
    "stepgate user list": "maria  enabled",
    "stepgate group list": "Manage Jobs - Advanced",
    "stepgate item list": "Second",
    "stepgate import $SECOND": "was imported",
    "stepgate item delete $SECOND": "is deleted",
    "stepgate token maria # refused": "is disabled",
}
"""What the README promises that a line tells, by how the line begins."""


def lines() -> list[str]:
    """The commands of the ``console`` blocks in their order, their comments one blank behind them."""
    blocks = re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    found = [re.sub(r" +# ", " # ", line) for block in blocks for line in block.replace("\\\n", "").splitlines()]
    after_postgres = found.index("export STEPGATE_SECRET_KEY=$(openssl rand -hex 32)") + 1
    found[after_postgres] += " # on PostgreSQL"
    return found


def of(table: dict[str, str], line: str) -> str | None:
    """The entry of the table whose key the line begins with."""
    return next((value for begin, value in table.items() if line.startswith(begin)), None)


@dataclass
class Newcomer:
    """Somebody with one shell, and a server that ``make run`` starts again whenever the README says so."""

    folder: Path
    port: int
    job: str = "no job yet"
    step: str = "no step yet"
    watched: Path | None = None
    greetings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("STEPGATE_", "PY"))
        }
        shell = self._environment | {"STEPGATE_URL": f"http://127.0.0.1:{self.port}"}
        (self.folder / ".venv").symlink_to(sys.prefix)
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=self.folder, env=shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def do(self, line: str) -> None:
        """Do what a line says, and check that it went as the README says."""
        if line.startswith("make run"):
            self._make_run(line)
        elif line.startswith("stepgate watch"):
            self._watch(line)
        else:
            status, output = self._run(line)
            assert status == (1 if "# refused" in line else 0), f"$ {line}\n{output}"
            assert '{"error"' not in output, f"$ {line}\n{output}"
            assert (of(TOLD, line) or "") in output, f"$ {line}\n{output}"
            self._remember(line, output)

    def close(self) -> None:
        """End the server and the shell with all that it has started."""
        self._stop_server()
        os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.communicate(timeout=deadline(1))

    def _run(self, line: str) -> tuple[int, str]:
        output, typed = self.folder / "output.txt", self.folder / "typed.txt"
        typed.write_text(self._filled(of(TYPED, line) or ""))
        output.touch()
        told = of(TOLD, line) or "" if line.startswith("websockets") else ""
        # A websocket ends with what is typed: the person waits for the answer before ending it.
        wait = f"until grep -q '{told}' output.txt; do read -t 0.05 < /dev/zero; done" if told else "true"
        self._tell(f"{{ {self._filled(line)}\n}} < <(cat typed.txt; {wait}) > output.txt 2>&1; echo $?\n")
        return int(self._heard(line)), output.read_text()

    def _watch(self, line: str) -> None:
        self.watched = watched = self.folder / "watched.txt"
        self._tell(f"{{ {self._filled(line)}\n}} < /dev/null > {watched.name} 2>&1 &\n")
        asyncio.run(eventually(lambda: watched.exists() and "JobState" in watched.read_text(), expected_s=3))

    def _tell(self, script: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(script.encode())
        self._shell.stdin.flush()

    def _heard(self, line: str) -> bytes:
        assert self._shell.stdout is not None
        ready, _, _ = select.select([self._shell.stdout], [], [], deadline(3))
        assert ready, f"$ {line}\nhas not ended in time: {(self.folder / 'output.txt').read_text()}"
        return self._shell.stdout.readline()

    def _filled(self, text: str) -> str:
        text = re.sub(r"\bJOB\b", self.job, re.sub(r"\bSTEP\b", self.step, text))
        return text.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")

    def _remember(self, line: str, output: str) -> None:
        if "stepgate create" in line or line.endswith("/job"):
            made = re.search(r'(?:^|"jobIds":\[")([\w-]{22})', output, re.MULTILINE)
            self.job = made[1] if made else self.job
        elif line.startswith("stepgate show") and (found := re.search(r"\(([0-9a-f-]{36})\)", output)):
            self.step = found[1]

    def _make_run(self, line: str) -> None:
        options = shlex.split(" ".join(word.removeprefix("ARGS=") for word in shlex.split(line)[2:]))
        self._stop_server()
        with (self.folder / "log.txt").open("a") as log:
            self._server = subprocess.Popen(
                [".venv/bin/stepgate", "serve", "--port", str(self.port), *options],
                cwd=self.folder, env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self._server.stdout is not None
        self.greetings = []
        for said in self._server.stdout:
            self.greetings.append(said.rstrip("\n"))
            if said.startswith("Stop with"):
                return
        raise AssertionError(f"the server ended: {(self.folder / 'log.txt').read_text()}")

    def _stop_server(self) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.communicate(timeout=deadline(3))


@contextmanager
def newcomer(folder: Path) -> Iterator[Newcomer]:
    arrived = Newcomer(folder, free_port())
    try:
        yield arrived
    finally:
        arrived.close()


def test_every_command_of_the_readme_does_what_it_says(tmp_path: Path) -> None:
    with newcomer(tmp_path) as person:
        first, *others = lines()
        person.do(first)
        assert [_plain(said, person.port) for said in person.greetings] == _promised_greeting()
        for line in others:
            if of(SKIPPED, line) is None:
                person.do(line)
        assert person.watched is not None
        seen = person.watched.read_text()
    for kind in ("StepHeld", "StepHoldReleased", "StepStarted", "StepPaused", "StepInfoRequired", "StepFinished"):
        assert kind in seen


def _plain(said: str, port: int) -> str:
    """The greeting as the README has it: with the usual port, and another password."""
    said = re.sub(r" --url \S+?(?=[ )]|$)", "", said).replace(f":{port}", ":8080")
    return re.sub(r"(admin / )\S+", r"\1...", said)


def _promised_greeting() -> list[str]:
    block = re.search(r"^```text\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert block is not None
    return [_plain(line, 8080) for line in block[1].splitlines()]


@pytest.mark.parametrize("begin", [*SKIPPED, *TYPED, *TOLD])
def test_each_exception_is_of_a_line_that_the_readme_has(begin: str) -> None:
    assert any(line.startswith(begin) for line in lines())


def test_make_run_starts_the_server_as_this_test_does() -> None:
    recipe = re.search(r"^run:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    assert recipe[1].strip() == "@exec $(BIN)/stepgate serve $(ARGS)"
