"""Forms of several parts, read as they come: the bytes of a file go on piece by piece, and none waits for the last.

Starlette's ``request.form()`` would first write the whole file to a temporary one.
"""

import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.errors import InvalidValue, QuotaExceeded

MEDIA_TYPE: Final = "multipart/form-data"
MAX_PARTS: Final = 100
MAX_FIELD_BYTES: Final = 64 * 1024

_EXTENDED_NAME: Final = re.compile(r"(?i);\s*filename\*\s*=\s*(?:utf-8|iso-8859-1)'[^']*'([^;\s]+)")
"""RFC 5987, which forms should not use and older HTTP libraries do, for names that are not ASCII."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form. ``file_name`` None: a field. ``chunks`` can be read once, before the next part is asked for.

    Reading raises InvalidValue when the form ends within it.
    """

    name: str
    file_name: str | None
    media_type: str | None
    chunks: AsyncIterator[bytes]

    async def text(self) -> str:
        """The whole of a field. Raises InvalidValue: not UTF-8; QuotaExceeded: above 64 KiB."""
        data = bytearray()
        async for chunk in self.chunks:
            data += chunk
            if len(data) > MAX_FIELD_BYTES:
                raise QuotaExceeded(f"The form's field {self.name!r} has more than {MAX_FIELD_BYTES:,} bytes.")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise InvalidValue(f"The form's field {self.name!r} is not UTF-8 text.", details=[self.name]) from error


def is_form(content_type: str) -> bool:
    """Tell whether a body of this ``Content-Type`` is a form of several parts."""
    return content_type.partition(";")[0].strip().lower() == MEDIA_TYPE


async def read_parts(content_type: str, body: AsyncIterator[bytes]) -> AsyncGenerator[Part]:
    """The parts of a form, in their order; what was not read of one is passed over.

    Raises:
        InvalidValue: not a form, or not all of one. QuotaExceeded: more than 100 parts.
    """
    form = _Form(content_type, body)
    count = 0
    while await form.next_part():
        count += 1
        if count > MAX_PARTS:
            raise QuotaExceeded(f"The form has more than {MAX_PARTS} parts.")
        part = form.part()
        yield part
        async for _ in part.chunks:
            pass


class _Form:
    """Feeds the parser, and keeps what it has found until it is asked for.

    ``None`` in ``_found`` is the end of a part, a mapping its headers, ``bytes`` are its data.
    """

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not is_form(content_type) or not boundary:
            raise InvalidValue(f"The media type must be {MEDIA_TYPE}, with a boundary.")
        self._body = body
        self._found: deque[dict[str, str] | bytes | None] = deque()
        self._headers: dict[str, str] = {}
        self._name = self._value = b""
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": self._on_name,
                    "on_header_value": self._on_value,
                    "on_header_end": self._on_header,
                    "on_headers_finished": lambda: self._found.append(dict(self._headers)),
                    "on_part_data": lambda data, start, end: self._found.append(data[start:end]),
                    "on_part_end": lambda: self._found.append(None),
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise _broken(error) from error

    async def next_part(self) -> bool:
        """Go on to the next part; False when the form has ended, as a whole one does."""
        while not self._found:
            if not await self._feed():
                return False
        return True

    def part(self) -> Part:
        headers = self._found.popleft()
        if not isinstance(headers, dict):
            raise InvalidValue("The form was invalid: a part has no headers.")
        disposition = headers.get("content-disposition", "")
        options = {key.decode("latin-1"): _text(value) for key, value in parse_options_header(disposition)[1].items()}
        if "name" not in options:
            raise InvalidValue("The form was invalid: a part has no name in its Content-Disposition.")
        extended = _EXTENDED_NAME.search(disposition)
        file_name = unquote(extended[1]) if extended else options.get("filename")
        return Part(options["name"], file_name, headers.get("content-type"), self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            while self._found:
                data = self._found.popleft()
                if not isinstance(data, bytes):
                    return
                yield data
            if not await self._feed():
                raise InvalidValue("The form was invalid: it ends within a part.")

    async def _feed(self) -> bool:
        """Parse one more piece of the body. False at its end; raises InvalidValue when that comes too early."""
        piece = await anext(self._body, None)
        if piece is None:
            if not self._ended:
                raise InvalidValue("The form was invalid: it ends before its last boundary.")
            return False
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _broken(error) from error
        return True

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name = self._value = b""

    def _on_end(self) -> None:
        self._ended = True


def form_fields(body: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a body ``application/x-www-form-urlencoded``. Raises InvalidValue when a value is not UTF-8."""
    for pair in filter(None, body.split(b"&")):
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        try:
            yield _unquoted(name), _unquoted(value)
        except UnicodeDecodeError as error:
            raise InvalidValue("The form was invalid: a field is not UTF-8 text.") from error


def _unquoted(text: bytes) -> str:
    return unquote(text.decode(), errors="strict")


def _text(value: bytes) -> str:
    """A parameter of a header: UTF-8 as browsers send it, else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _broken(error: FormParserError) -> InvalidValue:
    return InvalidValue(f"The form was invalid: {error}.")
