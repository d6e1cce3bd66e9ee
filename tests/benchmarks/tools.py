"""What the measurements share: compiling the C programs, running the load generator, starting the yardsticks."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.deadlines import POLL_S, deadline
from tests.support.ports import free_port, is_listening

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]
Figures = dict[str, float]


def compile_c(name: str, folder: Path) -> Path:
    """Compile ``NAME.c`` of this folder into ``folder``; warnings are errors. Returns the program.

    Raises:
        FileNotFoundError: there is no C compiler.
        subprocess.CalledProcessError: the compiler refused the program; it has said why on standard error.
    """
    compiler = next(filter(None, map(shutil.which, [os.environ.get("CC", "cc"), "gcc"])), None)
    if compiler is None:
        raise FileNotFoundError("no C compiler: `make bench` installs one")
    program = folder / name
    subprocess.run([compiler, *FLAGS, "-o", str(program), str(HERE / f"{name}.c")], check=True, timeout=deadline(10))
    return program


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request of the load. ``body`` is sent as JSON; ``token`` goes into the Authorization header."""

    path: str
    body: bytes = b"{}"
    token: str | None = None

    def raw(self) -> bytes:
        """The request as it goes over the wire."""
        credentials = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"{credentials}Content-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway as the load generator sees it."""

    port: int
    websocket_path: str
    subscribe: str
    ready_messages: int
    requests: Sequence[Request]
    expect: str = ""


class Load:
    """The compiled load generator; each call is one measurement."""

    def __init__(self, folder: Path) -> None:
        """Compile it into ``folder``, which also takes its input files."""
        self._folder = folder
        self._program = compile_c("load", folder)

    def __call__(self, target: Target, *, subscribers: int, publishers: int, count: int) -> Figures:
        """Send ``count`` requests, as many at once as there are publishers, and return the figures load.c prints.

        Raises:
            RuntimeError: something was refused, lost or late; the message is what the generator said.
        """
        requests, subscribe = self._folder / "requests", self._folder / "subscribe"
        requests.write_bytes(b"".join(request.raw() for request in target.requests))
        subscribe.write_text(target.subscribe)
        command = [
            str(self._program), "--port", str(target.port), "--path", target.websocket_path,
            "--subscribers", str(subscribers), "--subscribe", str(subscribe), "--ready", str(target.ready_messages),
            "--publishers", str(publishers), "--window", str(publishers), "--requests", str(requests),
            "--count", str(count), "--expect", target.expect, "--timeout", str(deadline(10)),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=deadline(30))
        if done.returncode:
            raise RuntimeError(f"the load on port {target.port} failed: {done.stderr.strip()}")
        figures: Figures = json.loads(done.stdout)
        return figures


@contextmanager
def c_floor(folder: Path) -> Iterator[Target]:
    """Run the bare C loop."""
    program = compile_c("floor", folder)
    port = free_port()
    with _running([str(program), str(port)], port):
        yield Target(port, "/ws", "hello", 1, [Request("/pub")])


@contextmanager
def durable_floor(folder: Path, flush_ms: float) -> Iterator[Target]:
    """Run the cheapest durable gateway, its database in ``folder``."""
    port = free_port()
    database = folder / f"floor-{port}.sqlite"
    arguments = [str(port), str(database), str(flush_ms)]
    with _running([sys.executable, "-m", "tests.benchmarks.durable_floor", *arguments], port):
        yield Target(port, "/ws", "hello", 1, [Request("/pub")])


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        end = time.monotonic() + deadline(2)
        while not is_listening(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} does not listen on port {port}")
            time.sleep(POLL_S)
        yield
    finally:
        process.kill()
        process.wait()
