"""One of several serving processes. ``supervisor.py`` starts it as ``python -m app.cli.worker`` and says on standard
input what it is to be; that standard input ends means that the supervisor is gone."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client.metrics_core import Metric
from starlette.applications import Starlette

from app.api.health import figures_of
from app.api.worker_figures import WorkerFigures
from app.asgi import create_app
from app.cli import tell
from app.cli.serving import bind_shared, run_server
from app.observability import set_up_logging
from app.settings import Settings, read_settings

READY: Final = b"ready\n"
"""What a worker writes to standard output once it accepts connections."""


class Assignment(msgspec.Struct):
    """What the supervisor writes, as one line of JSON.

    ``variables`` are the settings, ``folder`` is where the workers keep their figures.
    """

    number: int
    folder: str
    variables: dict[str, str]


def main() -> int:
    """Serve until SIGTERM, SIGINT or the supervisor's end; return the exit status."""
    assignment = msgspec.json.decode(sys.stdin.buffer.readline(), type=Assignment)
    settings = read_settings(assignment.variables)
    threading.Thread(target=_end_with_supervisor, args=(settings,), name="supervisor watch", daemon=True).start()
    try:
        _serve(settings, assignment.number, WorkerFigures(Path(assignment.folder), assignment.number))
    except Exception as error:  # noqa: BLE001 - told as the command itself tells it
        return tell(error)
    return 0


def longest_end_s(settings: Settings) -> float:
    """After so many seconds a process that was asked to end does not do it any more."""
    return settings.shutdown_drain_s + settings.shutdown_grace_s + 10


def _serve(settings: Settings, number: int, figures: WorkerFigures) -> None:
    app = create_app(settings)
    app.state.figures = figures
    set_up_logging(settings.log_level, settings.log_format, fields={"worker": number})

    async def keep_figures() -> None:
        figures.write(_present(app))

    with closing(bind_shared(settings)) as listener:
        run_server(app, settings, listener, _say_ready, keep_figures)
    figures.write(_present(app))


def _present(app: Starlette) -> Iterable[Metric]:
    return figures_of(app.state.gateway)


def _say_ready() -> None:
    os.write(sys.stdout.fileno(), READY)


def _end_with_supervisor(settings: Settings) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(longest_end_s(settings))
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
