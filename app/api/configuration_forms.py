"""The form of an import: read part by part, and what is in it."""

from base64 import b64decode
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.requests import Request

from app.api.keyed import digest_of
from app.api.multipart import Part, read_parts
from app.api.requests import body_pieces, flag_of
from app.domain.job import Content
from app.errors import InvalidValue, QuotaExceeded
from app.protocol.configuration_file import MAX_PACKED_BYTES, unpack
from app.protocol.configuration_mapping import read_mapping
from app.protocol.passphrase import PassphraseCipher
from app.protocol.text import check_text
from app.services.item_tasks import WantedImport

NOWHERE: Final = Content("", "", "", 0, "")
"""In place of a file that is not stored."""

MAX_MAPPING_BYTES: Final = 1024 * 1024
MAX_FORM_BYTES: Final = MAX_PACKED_BYTES + 2 * MAX_MAPPING_BYTES


@dataclass(slots=True)
class ImportForm:
    """The fields of an import."""

    file: bytes | None = None
    passphrase: str | None = None
    overwrite: bool = True
    mapping: bytes | None = None
    token: str | None = None

    @property
    def packed(self) -> bytes:
        """The uploaded file. Raises InvalidValue where there is none."""
        if self.file is None:
            raise InvalidValue("The form was invalid: it has no file.", details=["file"])
        return self.file

    def opened(self) -> WantedImport:
        """What is to be imported; ``content`` is left to the caller. It takes a while: not for the event loop.

        Raises InvalidValue, QuotaExceeded for a file that is no configuration, or a mapping that is none.
        """
        wanted = WantedImport(NOWHERE, self.overwrite, self.mapping)
        if self.mapping is not None:
            read_mapping(self.mapping)
        encryption = unpack(self.packed)[0].info.encryption
        if self.passphrase is None or encryption is None:
            return wanted
        try:
            cipher = PassphraseCipher.of(self.passphrase, b64decode(encryption.salt, validate=True))
        except ValueError as error:
            raise InvalidValue("info.json: encryption.salt is not base64.", name="InvalidConfiguration") from error
        return msgspec.structs.replace(wanted, salt=cipher.salt, key=cipher.key)

    @property
    def digest(self) -> str:
        """Of all that was sent but the token."""
        files = (self.file or b"", self.mapping or b"")
        return digest_of(*(part.hex() for part in files), self.passphrase, str(self.overwrite))


async def read_form(request: Request) -> ImportForm:
    """Read the form; parts that are not known are passed over. Raises InvalidValue, QuotaExceeded."""
    form = ImportForm()
    pieces = body_pieces(request, MAX_FORM_BYTES, "of a configuration")
    async with aclosing(read_parts(request.headers.get("content-type", ""), pieces)) as parts:
        async for part in parts:
            await _read_part(form, part)
    return form


async def _read_part(form: ImportForm, part: Part) -> None:
    match part.name:
        case "file":
            form.file = await _bytes(part, MAX_PACKED_BYTES)
        case "mappingFile":
            form.mapping = await _bytes(part, MAX_MAPPING_BYTES) or None
        case "passphrase":
            form.passphrase = await _text(part)
        case "overwriteConfiguration":
            text = await _text(part)
            form.overwrite = True if text is None else flag_of(text, "field overwriteConfiguration")
        case "token":
            form.token = await _text(part)


async def _text(part: Part) -> str | None:
    """A field; an empty one counts as absent."""
    text = await part.text()
    try:
        check_text(text, part.name)
    except InvalidValue as error:
        raise InvalidValue(f"The form was invalid: {error.message}.", details=[part.name]) from None
    return text or None


async def _bytes(part: Part, most: int) -> bytes:
    data = bytearray()
    async for chunk in part.chunks:
        data += chunk
        if len(data) > most:
            raise QuotaExceeded(f"The form's {part.name} has more than {most:,} bytes.")
    return bytes(data)
