"""Serving: one process from taking the address to the last good-bye."""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from app.api.raw_frames import RawFrameProtocol
from app.asgi import create_app
from app.cli.certificate import certificate_of
from app.cli.greeting import Greeting
from app.errors import BackendError, GatewayError
from app.observability import set_up_logging
from app.settings import Settings

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
    with closing(listen(settings)) as listener:
        greeting = Greeting(settings, listener.getsockname()[1])
        app = create_app(settings, greeting.take_password)
        set_up_logging(settings.log_level, settings.log_format)
        run_server(app, settings, listener, greeting.show)


def run_server(
    app: Starlette,
    settings: Settings,
    listener: socket.socket,
    on_started: Callable[[], None],
    on_beat: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve an application on a socket until SIGTERM or SIGINT. Raises what ``serve_until_stopped`` does.

    Args:
        on_started: called once it accepts connections.
        on_beat: awaited every second.
    """
    config = _configure(app, settings)
    config.callback_notify, config.timeout_notify = on_beat, 1
    server = _Server(config, app, settings.shutdown_drain_s, on_started)
    logging.getLogger("uvicorn.error").addFilter(lambda _: app.state.start_error is None)
    try:
        server.run([listener])
    except SystemExit:
        # uvicorn leaves like this when the lifespan failed; its log line was held back, for ours says more in one line.
        error = app.state.start_error
        if isinstance(error, GatewayError) or error is None:
            raise error or BackendError("The server could not be started.") from None
        raise error from None


def listen(settings: Settings) -> socket.socket:
    """Take the address before anything else is touched. Raises BackendError when it cannot be had."""
    try:
        return socket.create_server((settings.host, settings.port), family=_family(settings), backlog=_BACKLOG)
    except OSError as error:
        raise _taken(settings, error) from error


def bind_shared(settings: Settings) -> socket.socket:
    """Take the address together with other processes of ours (SO_REUSEPORT).

    The kernel gives each of those that listen an even share of the connections. This socket does not listen before its
    server is ready, so nobody has to wait for a worker that is being started. Raises BackendError.
    """
    bound = socket.socket(_family(settings))
    try:
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            bound.setsockopt(socket.SOL_SOCKET, option, 1)
        if bound.family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as create_server does
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise _taken(settings, error) from error
    return bound


def _family(settings: Settings) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in settings.host else socket.AF_INET


def _taken(settings: Settings, error: OSError) -> BackendError:
    return BackendError(
        f"Cannot listen on {settings.host} port {settings.port}: {error.strerror or error}. "
        "Choose another --port or --host."
    )


def _spare_the_collector() -> None:
    """Let garbage be collected less often, and never look again through what was imported and opened at the start.

    Nearly all that a request leaves behind is freed by counting references. Measured with 64 connections: a tenth less
    time per action, and half the time until the slowest in a hundred is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


class _Server(uvicorn.Server):
    """uvicorn, telling when it accepts connections, letting go of the websockets little by little when it was asked to
    end, and then ending with status 0."""

    def __init__(self, config: uvicorn.Config, app: Starlette, drain_s: float, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._drain_s = drain_s
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _spare_the_collector()
        self._on_started()

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
    cert, key = certificate_of(settings)
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
    config.load()
    return config
