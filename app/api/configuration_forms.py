"""The form of an import: read part by part, and what is in it."""

from base64 import b64decode
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from app.api.keyed import digest_of
from app.api.multipart import Part, read_parts
from app.api.requests import body_pieces, flag_of
from app.errors import InvalidValue, QuotaExceeded
from app.protocol.configuration_file import MAX_PACKED_BYTES, unpack
from app.protocol.configuration_mapping import mapped, read_mapping
from app.protocol.passphrase import PassphraseCipher
from app.protocol.text import check_text
from app.services.configuration_reading import Prepared, prepare

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


def prepare_form(form: ImportForm) -> Prepared:
    """Read an uploaded file. Raises InvalidValue, QuotaExceeded. It takes a while: not for the event loop."""
    if form.file is None:
        raise InvalidValue("The form was invalid: it has no file.", details=["file"])
    mapping = None if form.mapping is None else read_mapping(form.mapping)
    rows, unknown = unpack(form.file)
    rows = rows if mapping is None else mapped(rows, mapping)
    prepared = prepare(rows, _cipher(form.passphrase, rows.info.encryption.salt if rows.info.encryption else None))
    prepared.notes += [
        f"The file {name!r} in the configuration is not known here, and was left out." for name in unknown
    ]
    return prepared


def _cipher(passphrase: str | None, salt: str | None) -> PassphraseCipher | None:
    """What opens the secrets; None where there are none, or no passphrase came. Raises InvalidValue."""
    if passphrase is None or salt is None:
        return None
    try:
        return PassphraseCipher(passphrase, b64decode(salt, validate=True))
    except ValueError as error:
        raise InvalidValue("info.json: encryption.salt is not base64.", name="InvalidConfiguration") from error


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
