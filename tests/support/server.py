"""A real ``stepgate serve`` process that a test starts, kills, restarts and reads the log of."""

import http.client
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.cli.token import make_token
from app.settings import read_settings
from tests.support.deadlines import POLL_S, deadline
from tests.support.ports import LOOPBACK, free_port

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "STEPGATE_"
START_ATTEMPTS = 3
START_S = 3.0
GREETING = "Stepgate serves"
COMMAND_S = 3.0


class ServerProcess:
    """One node: ``python -m app serve`` on a free port of 127.0.0.1, with everything set through ``STEPGATE_*``.

    Nodes that share ``database_url`` and ``redis_url`` form a cluster. The process runs with warnings as errors.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, object],
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = ("app",),
    ) -> None:
        """Prepare a server.

        Args:
            folder: existing scratch folder; holds the log and, unless ``settings`` say otherwise, the data.
            settings: by lower-case name without the prefix, as ``database_url="postgresql://..."``.
            environment: variables of the process beside these.
            program: the module that is run, with arguments before those of ``serve``.
        """
        self.port = free_port()
        self._log_file = folder / f"server-{self.port}.log"
        self._environment = _environment({"data_dir": folder / "data", **settings})
        self._scheme = "https" if settings.get("tls_self_signed") else "http"
        self._beside = dict(environment or {})
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, or https with ``tls_self_signed``; the same after a restart."""
        return f"{self._scheme}://{LOOPBACK}:{self.port}"

    @property
    def websocket_url(self) -> str:
        """``ws://127.0.0.1:PORT``, the same after a restart."""
        return f"ws://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> str:
        """Everything the process has written to its outputs so far, over all its starts."""
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else ""

    @property
    def is_running(self) -> bool:
        """The process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        return self._running().pid

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The running process itself, for a test that sends it signals."""
        return self._running()

    def start(self) -> None:
        """Start the process and wait until ``/readyz`` answers 200.

        Raises:
            ChildProcessError: it ended by itself; the message is its log.
            TimeoutError: it was not ready in time; it has been killed.
        """
        command = [sys.executable, "-m", *self._program, "serve", "--host", LOOPBACK, "--port", str(self.port)]
        logged_before = len(self.log)
        with self._log_file.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment | self._beside,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        self._wait_until_ready(logged_before)

    def start_on_a_free_port(self) -> None:
        """Start as `start` does, on another port when somebody was quicker to take the chosen one."""
        for attempt in range(START_ATTEMPTS):
            try:
                self.start()
            except ChildProcessError as error:
                if attempt == START_ATTEMPTS - 1 or "address already in use" not in str(error).lower():
                    raise
                self.port = free_port()
            else:
                return

    def freeze(self) -> None:
        """Stop the process where it is; its connections stay."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._running().send_signal(signal.SIGCONT)

    def kill9(self) -> None:
        """End the process as a power cut would; does nothing when it is not running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(deadline(1))
            self._process = None

    def stop(self) -> int:
        """Ask the process to end (SIGTERM), wait, and return its exit status: 0, or -15 when it ends by that signal.

        Raises:
            TimeoutError: it did not end by itself; the message is its log.
        """
        process = self._running()
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(deadline(3))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(deadline(1))
            raise TimeoutError(f"the server did not end on SIGTERM:\n{self.log}") from None
        finally:
            self._process = None

    def restart(self) -> None:
        """Start again on the same port and data; stops the running process first when there is one."""
        if self._process is not None:
            self.stop()
        self.start()

    def close(self) -> None:
        """End the process however it stands: the clean-up after a test."""
        if self._process is not None and self._process.poll() is None:
            self.stop()
        self._process = None

    def token(self, user: str = "admin", *, ttl_s: int | None = None) -> str:
        """Return a bearer token of the user, as ``stepgate token`` prints it but without a process of its own.

        It is made on a thread, for callers in whose thread an event loop runs.
        """
        settings = read_settings(self._environment, {"token_ttl_s": ttl_s})
        with ThreadPoolExecutor(1, thread_name_prefix="token") as thread:
            return thread.submit(make_token, settings, user).result(deadline(COMMAND_S))

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run ``stepgate ARGUMENTS`` with this server's settings and return its standard output.

        Raises:
            AssertionError: its exit status was not 0; the message is what it wrote.
        """
        done = subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            cwd=ROOT, env=self._environment, input=stdin, capture_output=True, text=True,
            check=False, timeout=deadline(COMMAND_S),
        )  # fmt: skip
        assert done.returncode == 0, f"stepgate {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("this server is not running")
        return self._process

    def _wait_until_ready(self, logged_before: int) -> None:
        """Wait for its greeting, then for ``/readyz``: another server may have been quicker to take the port."""
        process, end = self._running(), time.monotonic() + deadline(START_S)
        while GREETING not in self.log[logged_before:] or not _is_ready(self.url):
            if process.poll() is not None:
                self._process = None
                raise ChildProcessError(f"the server ended with status {process.returncode}:\n{self.log}")
            if time.monotonic() > end:
                self.kill9()
                raise TimeoutError(f"the server was not ready in time:\n{self.log}")
            time.sleep(POLL_S)


def _environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Return this process's environment with these settings and no others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    own = {PREFIX + name.upper(): str(value) for name, value in settings.items() if value is not None}
    return {**inherited, "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1", **own}


def _any_certificate() -> ssl.SSLContext:
    """Trust whoever answers: a server that starts for the first time makes its certificate only now."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=deadline(0.5), context=_any_certificate()) as answer:
            return bool(answer.status == http.HTTPStatus.OK)
    except (urllib.error.URLError, OSError, http.client.HTTPException):
        return False
