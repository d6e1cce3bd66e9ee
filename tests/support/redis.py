"""A real Redis server that a test may stop, freeze, kill and start again."""

import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.support.deadlines import POLL_S, deadline
from tests.support.ports import LOOPBACK, free_port, is_listening

START_ATTEMPTS = 3


class RedisServer:
    """One ``redis-server`` process on 127.0.0.1 that keeps nothing on disk. Also a context manager."""

    def __init__(self, folder: Path, *options: str) -> None:
        """Prepare a server that runs in ``folder``.

        Args:
            folder: existing folder for the log.
            options: more command line options, such as ``"--maxmemory", "10mb"``.
        """
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """``redis://`` URL; the same after `start` following `kill9` or `stop`."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    @property
    def log(self) -> str:
        """What the server has written so far."""
        path = self._folder / "redis.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self) -> Self:
        """Start the server, on another port when somebody took the chosen one."""
        for attempt in range(START_ATTEMPTS):
            try:
                self.start()
                break
            except ChildProcessError:
                if attempt == START_ATTEMPTS - 1:
                    raise
                self.port = free_port()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server, also a frozen one."""
        self.kill9()

    def start(self) -> None:
        """Start the process on `port` and wait until it accepts connections.

        Raises:
            ChildProcessError: the process ended by itself; the message is its log.
            TimeoutError: it did not listen in time.
        """
        if shutil.which("redis-server") is None:
            raise FileNotFoundError("redis-server is not installed: run `make test`, or install it")
        with (self._folder / "redis.log").open("ab") as output:
            self._process = subprocess.Popen(self._command(), stdout=output, stderr=output, cwd=self._folder)
        end = time.monotonic() + deadline(1)
        while self._process.poll() is None:
            if is_listening(self.port):
                return
            if time.monotonic() > end:
                self.kill9()
                raise TimeoutError(f"redis-server does not listen on {self.port}:\n{self.log}")
            time.sleep(POLL_S)
        self._process = None
        raise ChildProcessError(f"redis-server ended at its start:\n{self.log}")

    def freeze(self) -> None:
        """Stop the process without closing its connections: the peer that is alive and never answers."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._running().send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the process in an orderly way and wait for it."""
        self._running().terminate()
        self._wait()

    def kill9(self) -> None:
        """End the process at once; does nothing when it is not running."""
        if self._process is not None:
            self._process.kill()
            self._wait()

    def _command(self) -> list[str]:
        fixed = ["--bind", LOOPBACK, "--save", "", "--appendonly", "no"]
        return ["redis-server", "--port", str(self.port), *fixed, *self._options]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("this Redis server is not running")
        return self._process

    def _wait(self) -> None:
        self._running().wait(deadline(2))
        self._process = None
