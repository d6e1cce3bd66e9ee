"""The application: ``create_app(settings)``. Nothing happens at import; parts are opened when the server starts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app.api.access_log import AccessLog
from app.api.plain_paths import PlainPaths
from app.api.problems import EXCEPTION_HANDLERS
from app.api.routes import routes
from app.bootstrap import OnFirstStart, run_gateway
from app.console import files as console
from app.settings import Settings

CREDENTIAL_HEADERS = ("Authorization", "X-Esri-Authorization", "Authentication")
"""Where a token may travel: the last one only of the v3 dialects."""


def create_app(settings: Settings, on_first_start: OnFirstStart | None = None) -> Starlette:
    """Make the application for any ASGI server with lifespan support.

    Args:
        settings: of this process.
        on_first_start: called with the admin's password when the database was empty; None: it is not told, and
            ``stepgate user password admin`` sets one.

    While it runs, ``app.state.gateway`` is the ``Gateway``. An error of the start is kept in ``app.state.start_error``.
    One of several workers sets ``app.state.figures``, to show those of all at ``/metrics``.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            async with run_gateway(settings, on_first_start or _keep_quiet) as gateway:
                app.state.gateway = gateway
                yield
        except Exception as error:
            app.state.start_error = error
            raise

    app = Starlette(
        routes=[*console.routes, *routes],
        middleware=[Middleware(AccessLog), *_pages_from_elsewhere(settings), Middleware(PlainPaths)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
    app.state.start_error = None
    app.state.figures = None
    return app


def _pages_from_elsewhere(settings: Settings) -> list[Middleware]:
    """What lets pages of the origins in the settings use the API. No cookies: a token travels in a header."""
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=(*CREDENTIAL_HEADERS, "Content-Type", "Idempotency-Key", "Range"),
            expose_headers=("Content-Disposition", "Content-Range", "ETag", "Retry-After"),
        )
    ]


def _keep_quiet(_: str) -> None:
    """Tell nobody the password."""
