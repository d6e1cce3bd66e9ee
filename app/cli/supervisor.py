"""Several serving processes on one port: started together, started again when one dies, and ended together.

Each worker is a whole node, with a lease of its own; they hear of each other through Redis, as nodes on other machines
do. The supervisor itself serves nothing. It has made the database ready before the first worker starts.
"""

import asyncio
import logging
import os
import signal
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

import app
from app.bootstrap import prepare_database
from app.cli.certificate import certificate_of
from app.cli.greeting import Greeting
from app.cli.serving import bind_shared, listen
from app.cli.worker import READY, Assignment, longest_end_s
from app.observability import set_up_logging
from app.settings import Settings, variables_of

FIRST_PAUSE_S: Final = 0.5
"""Before a worker that has died is started again; doubled each time it does not live for ``_STEADY_S``."""

_LONGEST_PAUSE_S: Final = 30.0
_STEADY_S: Final = 60.0

_log = logging.getLogger(__name__)


def supervise_until_stopped(settings: Settings) -> int:
    """Serve with ``settings.workers`` processes until SIGTERM or SIGINT; return the exit status.

    Raises what ``serve_until_stopped`` does.
    """
    with listen(settings) as alone:  # refused where another server's workers have the port, who would share it
        port = alone.getsockname()[1]
    settings = _for_all(settings, port)
    with bind_shared(settings):  # keeps the port ours while workers come and go
        greeting = Greeting(settings, settings.port)
        set_up_logging(settings.log_level, settings.log_format)
        asyncio.run(prepare_database(settings, greeting.take_password))
        with tempfile.TemporaryDirectory(prefix="stepgate-") as folder:
            return asyncio.run(Supervisor(settings, Path(folder), greeting.show).run())


def _for_all(settings: Settings, port: int) -> Settings:
    """The settings of every worker: the port that was taken, and one certificate, made once."""
    certificate, key = certificate_of(settings)
    return msgspec.structs.replace(settings, port=port, tls_self_signed=False, tls_cert=certificate, tls_key=key)


class Supervisor:
    """Keeps so many workers running.

    Args:
        folder: where the workers keep their figures.
        on_started: called once, when all accept connections.
    """

    def __init__(self, settings: Settings, folder: Path, on_started: Callable[[], None]) -> None:
        self._settings = settings
        self._folder = folder
        self._on_started = on_started
        self._not_ready = set(range(1, settings.workers + 1))
        self._running: dict[int, Process] = {}
        self._ending = asyncio.Event()
        self._status = 0

    async def run(self) -> int:
        """Start the workers; return the exit status once all have ended."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, number)
        workers = [asyncio.create_task(self._keep(n), name=f"worker {n}") for n in range(1, self._settings.workers + 1)]
        await self._ending.wait()
        _, late = await asyncio.wait(workers, timeout=longest_end_s(self._settings))
        if late:
            _log.error("workers that did not end are killed", extra={"fields": {"workers": sorted(self._running)}})
            for process in self._running.values():
                process.kill()
            self._status = 1
        await asyncio.gather(*workers)
        return self._status

    def _end(self, number: int) -> None:
        """Pass the signal on, also a second one: after that of Ctrl-C nobody waits for anything."""
        self._ending.set()
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.send_signal(number)

    async def _keep(self, number: int) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._ending.is_set():
            began = time.monotonic()
            status = await self._run_worker(number)
            if self._ending.is_set():
                return
            if self._not_ready:
                self._give_up(number)
                return
            pause_s = FIRST_PAUSE_S if time.monotonic() - began > _STEADY_S else pause_s
            fields = {"worker": number, "status": status, "pause_s": pause_s}
            _log.error("a worker has died and is started again", extra={"fields": fields})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _run_worker(self, number: int) -> int:
        """Start one and wait for its end; returns its exit status, below 0 for the signal that ended it."""
        process = await _start(Assignment(number, str(self._folder), variables_of(self._settings)))
        self._running[number] = process
        try:
            if self._ending.is_set():  # the signal came while it was being started
                process.terminate()
            if await _is_ready(process):
                self._ready(number)
            status = await process.wait()
        finally:
            del self._running[number]
        if self._ending.is_set() and status not in {0, -signal.SIGTERM, -signal.SIGINT}:
            self._status = 1
        return status

    def _ready(self, number: int) -> None:
        if self._not_ready:
            self._not_ready.discard(number)
            if not self._not_ready:
                pids = [process.pid for process in self._running.values()]
                _log.info("the workers serve", extra={"fields": {"port": self._settings.port, "pids": pids}})
                self._on_started()

    def _give_up(self, number: int) -> None:
        """A worker could not be started and has said why: then this is not a server that runs, and ends."""
        _log.error("a worker could not be started", extra={"fields": {"worker": number}})
        self._status = 1
        self._end(signal.SIGTERM)


async def _start(assignment: Assignment) -> Process:
    """Start a worker, in a process group of its own: the terminal's Ctrl-C is for the supervisor to pass on."""
    root = str(Path(app.__file__).parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    process = await asyncio.create_subprocess_exec(
        # -P, or a folder named "app" where the person happens to be would be imported
        sys.executable, "-P", "-m", "app.cli.worker",
        env=os.environ | {"PYTHONPATH": path}, stdin=PIPE, stdout=PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None  # noqa: S101 - asked for
    process.stdin.write(msgspec.json.encode(assignment) + b"\n")
    return process


async def _is_ready(process: Process) -> bool:
    """Wait until the worker accepts connections; False when it ended before."""
    assert process.stdout is not None  # noqa: S101 - asked for
    return await process.stdout.readline() == READY
