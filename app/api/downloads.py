"""Answers that hand out a file: its name, its type, one range of it, and whether the client has it already."""

import re
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.api.problems import problem
from app.domain.attachments import file_name
from app.domain.job import Content
from app.services.attachment_files import AttachmentFiles

_RANGE: Final = re.compile(r"(?i)bytes=\s*(\d{0,40})\s*-\s*(\d{0,40})\s*", re.ASCII)

SAFETY: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-cache",
}
"""A file is whatever its author wanted it to be: not guessed at, no page of this site, and asked for anew."""


class Unsatisfiable(Exception):
    """A range that begins behind the end."""


def file_response(request: Request, files: AttachmentFiles, content: Content) -> Response:
    """The file, or the one range of it that is asked for (RFC 9110 13, 14).

    206 for a range, 416 for one behind the end, 304 where the client has the file. Several ranges, other units and what
    is no range are passed over, as the RFC allows: the whole file is sent.
    """
    etag = f'"{content.sha256}"'
    headers = SAFETY | {"ETag": etag, "Accept-Ranges": "bytes"}
    if _names(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = disposition(content.file_name)
    try:
        span = _span(request, content.size, etag)
    except Unsatisfiable:
        refused = problem(
            416, "RangeNotSatisfiable", f"The file has {content.size} bytes; the range is behind its end."
        )
        refused.headers["Content-Range"] = f"bytes */{content.size}"
        return refused
    start, stop = span or (0, content.size)
    headers |= {"Content-Length": str(stop - start), "Content-Type": content.media_type}
    if span:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
    status = 206 if span else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_sent(files, content, start, stop), status, headers)


def text_as_file(text: str, name: str) -> Response:
    """A short text, to be saved as a file."""
    headers = SAFETY | {"Content-Disposition": disposition(f"{file_name(name)}.txt")}
    return Response(text, headers=headers, media_type="text/plain")


def disposition(name: str) -> str:
    """``Content-Disposition`` for a file to save (RFC 6266): the name in ASCII for all, as it is for those that can."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    if plain == name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _sent(files: AttachmentFiles, content: Content, start: int, stop: int) -> AsyncIterator[bytes]:
    async for piece in files.stream(content, start, stop):
        yield piece


def _span(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """The bytes ``[start, stop)`` asked for; None for all. Raises Unsatisfiable."""
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if found is None or request.headers.get("if-range", etag) != etag:
        return None
    first, last = found[1], found[2]
    if not first and not last:
        return None
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return None
    if start >= stop:
        raise Unsatisfiable
    return start, stop


def _names(header: str | None, etag: str) -> bool:
    """Tell whether ``If-None-Match`` names this entity tag; weak ones count."""
    if header is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return "*" in tags or etag in tags
