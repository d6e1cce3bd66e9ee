"""A slash at the end of a path is as none: answered there and then, not sent elsewhere.

A redirect, Starlette's answer to it, would lose the token of clients that drop it on the way, and the body of those
that make a GET of a POST; behind a proxy it could name an address that only this server knows.
"""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send


class PlainPaths:
    """ASGI middleware: takes the slash away, unless a route wants it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope.get("path", "").endswith("/") and not _is_served(scope["app"].routes, scope):
            plain = {"path": scope["path"].rstrip("/") or "/"}
            if "raw_path" in scope:
                plain["raw_path"] = scope["raw_path"].rstrip(b"/") or b"/"
            scope = {**scope, **plain}
        await self.app(scope, receive, send)


def _is_served(routes: Iterable[BaseRoute], scope: Scope) -> bool:
    """Tell whether a route takes the path as it is. One that others hang below takes only what they take."""
    for route in routes:
        match, child = route.matches(scope)
        if match is not Match.NONE:
            below = getattr(route, "routes", None)
            if not below or _is_served(below, {**scope, **child}):
                return True
    return False
