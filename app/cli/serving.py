"""Serving: one process from taking the address to the last good-bye, and what it tells people when it starts."""

import asyncio
import gc
import logging
import shlex
import shutil
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path
from types import FrameType

import uvicorn
from rich.console import Console
from rich.markup import escape
from starlette.applications import Starlette

from app.api.raw_frames import RawFrameProtocol
from app.asgi import create_app
from app.cli.certificate import self_signed
from app.cli.options import DEFAULT_URL
from app.errors import BackendError, GatewayError
from app.observability import set_up_logging
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID
from app.settings import Settings, SettingsError

_COLLECT_AFTER = (10_000, 20, 100)
"""Objects made and not freed, and younger collections, before each of the three generations is collected."""

_BACKLOG = 2_048

_GLANCE_S = 0.1
"""How often a drain looks whether somebody will not wait for it."""


def serve_until_stopped(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SettingsError: certificate or key cannot be used.
        GatewayError: the address is taken, another server serves from the data folder, or the database fails.
    """
    with closing(_listen(settings)) as listener:
        _run(settings, listener)


def _run(settings: Settings, listener: socket.socket) -> None:
    greeting = _Greeting(settings, listener)
    app = create_app(settings, greeting.take_password)
    server = _Server(_configure(app, settings), app, settings.shutdown_drain_s, greeting)
    set_up_logging(settings.log_level, settings.log_format)
    logging.getLogger("uvicorn.error").addFilter(lambda _: app.state.start_error is None)
    try:
        server.run([listener])
    except SystemExit:
        # uvicorn leaves like this when the lifespan failed; its log line was held back, for ours says more in one line.
        error = app.state.start_error
        if isinstance(error, GatewayError) or error is None:
            raise error or BackendError("The server could not be started.") from None
        raise error from None


def _spare_the_collector() -> None:
    """Let garbage be collected less often, and never look again through what was imported and opened at the start.

    Nearly all that a request leaves behind is freed by counting references. Measured with 64 connections: a tenth less
    time per action, and half the time until the slowest in a hundred is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


class _Server(uvicorn.Server):
    """uvicorn, saying hello once it accepts connections, letting go of the websockets little by little when it was
    asked to end, and then ending with status 0."""

    def __init__(self, config: uvicorn.Config, app: Starlette, drain_s: float, greeting: "_Greeting") -> None:
        super().__init__(config)
        self._app = app
        self._drain_s = drain_s
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _spare_the_collector()
        self._greeting.show()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nobody new, drain the websockets while requests go on, then end all else as uvicorn does."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        await self._drain()
        await super().shutdown(sockets)

    async def _drain(self) -> None:
        drain = asyncio.create_task(self._app.state.gateway.hub.drain(self._drain_s), name="hub drain")
        while not (drain.done() or self.force_exit):
            await asyncio.wait([drain], timeout=_GLANCE_S)
        drain.cancel()
        await asyncio.gather(drain, return_exceptions=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - called by the signal module
        """Shut down; a second Ctrl-C waits for nobody. Unlike uvicorn's own, this does not raise the signal again."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _configure(app: Starlette, settings: Settings) -> uvicorn.Config:
    cert, key = self_signed(settings) if settings.tls_self_signed else (settings.tls_cert, settings.tls_key)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws=RawFrameProtocol,
        ws_per_message_deflate=False,
        ws_max_size=settings.max_frame_bytes,
        ws_ping_interval=settings.ping_interval_s,
        ws_ping_timeout=settings.ping_timeout_s,
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=settings.shutdown_grace_s,
        ssl_certfile=cert,
        ssl_keyfile=key,
        lifespan="on",
    )
    try:
        config.load()
    except OSError as error:  # also ssl.SSLError
        raise SettingsError([f"The TLS certificate or key cannot be used: {error}."]) from error
    return config


def _listen(settings: Settings) -> socket.socket:
    """Take the address before anything else is touched. Raises BackendError when it cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise BackendError(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror or error}. "
            "Choose another --port or --host."
        ) from error


class _Greeting:
    """What a person reads on standard output when the server has started."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._port = listener.getsockname()[1]

    def take_password(self, password: str) -> None:
        """Show a password we made ourselves, at once: should the start fail after this, it is not lost."""
        given = self._settings.admin_password is not None
        shown = "the password you set" if given else f"[bold]{password}[/]   (shown this once)"
        self._say(f"Admin login: [bold]{ADMIN}[/] / {shown}")

    def show(self) -> None:
        """Show where the server is and what to try."""
        url = escape(self._settings.public_url or self._url())
        self._say(f"Stepgate serves [bold]{url}[/]   (item {url}/{ORG_ID}/{ITEM_ID})")
        command, options = escape(_own_command()), escape(self._options())
        self._say(f"Try next: [bold]{command} watch{options} $({command} create{options})[/]")
        self._say("Stop with Ctrl-C.")

    def _say(self, line: str) -> None:
        Console(soft_wrap=True, highlight=False).print(line)
        sys.stdout.flush()

    def _url(self) -> str:
        host = self._settings.host
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - shown
        return f"{'https' if self._settings.uses_tls else 'http'}://{host}:{self._port}"

    def _options(self) -> str:
        """The options that the next command needs to reach this server."""
        defaults, url = Settings(), self._settings.public_url or self._url()
        wanted = {"--url": url if url != DEFAULT_URL else None}
        if self._settings.data_dir != defaults.data_dir:
            wanted["--data-dir"] = str(self._settings.data_dir)
        return "".join(f" {name} {shlex.quote(value)}" for name, value in wanted.items() if value)


def _own_command() -> str:
    """How this program was called: the next command is called the same way."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m app"
    found = shutil.which(called.name)
    if found and Path(found).samefile(called):
        return called.name
    here = Path.cwd()
    return shlex.quote(str(called.relative_to(here) if called.is_relative_to(here) else called))
