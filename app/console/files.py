"""``/console/``: serves the console's files, and those of the JavaScript client below ``/console/client/``.

Nothing here knows of users: the files are the same for everybody, and what the page asks for afterwards goes through
the interfaces with a token.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Final

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

_HERE: Final = Path(__file__).parent
_STATIC: Final = _HERE / "static"
_CLIENT_FOLDERS: Final = (_HERE / "client", _HERE.parents[1] / "clients" / "js" / "src")
"""Where the JavaScript client lies in an installed wheel, and in the repository (pyproject.toml moves it)."""

_MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""What is served; anything else is not there. Python's own table depends on the machine."""

_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",  # lit's styles are constructed, uPlot's are set by script: neither is inline
    "img-src": "'self' blob:",  # attachments are shown from memory: their address would need a token
    "connect-src": "'self'",  # includes the websocket of this very host
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "lit-html",
}

_HEADERS: Final = {
    "Cache-Control": "no-cache",  # asked for anew each time, and answered 304: a new server has a new console at once
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def serve(request: Request) -> Response:
    """``GET /console/{path}``: a file, 304 where the browser has it, 404 where there is none."""
    found = find_file(request.path_params["path"] or "index.html")
    content = None if found is None else await run_sync(_read, found)
    if found is None or content is None:
        return Response("There is no such file in the console.\n", 404, _HEADERS, media_type="text/plain")
    headers = _HEADERS | {"ETag": f'"{sha256(content).hexdigest()[:32]}"'}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers | {"Content-Type": _MEDIA_TYPES[found.suffix]})


def find_file(path: str) -> Path | None:
    """The file behind a path below ``/console/``; None for what is not served.

    Each part must be a plain name, so nothing outside the folders is ever reached.
    """
    parts = PurePosixPath(path).parts
    if PurePosixPath(path).suffix not in _MEDIA_TYPES or not all(_is_plain(part) for part in parts):
        return None
    return _client_folder().joinpath(*parts[1:]) if parts[0] == "client" else _STATIC.joinpath(*parts)


@cache
def _client_folder() -> Path:
    return next((folder for folder in _CLIENT_FOLDERS if folder.is_dir()), _CLIENT_FOLDERS[0])


def _is_plain(part: str) -> bool:
    return part.replace("-", "").replace("_", "").replace(".", "").isalnum() and not part.startswith(".")


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


routes: Final = [Mount("/console", routes=[Route("/{path:path}", serve, methods=["GET"])])]
"""To stand before the interfaces' routes, which take any word as an organisation. ``/console`` itself leads here."""
