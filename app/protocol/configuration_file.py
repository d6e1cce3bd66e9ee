"""The zip of an exported configuration: written, and read with care, for anybody may have made it.

Nothing is unpacked to a disk, what is unpacked is counted as it comes, and whatever such a file need not have (folders,
links, encryption, names twice) is refused.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from app.errors import InvalidValue, QuotaExceeded
from app.protocol.configuration import FILES, Configuration
from app.protocol.text import decode

MAX_PACKED_BYTES: Final = 16 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 64 * 1024 * 1024
MAX_FILES: Final = 64
MAX_ROWS: Final = 10_000
"""Of one file in it."""

_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 1
_PIECE_BYTES: Final = 64 * 1024
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""The same configuration gives the same bytes."""

_TYPES: Final = {field.name: field.type for field in msgspec.structs.fields(Configuration)}
_MEMBERS: Final = {file: member for member, file in FILES.items()}


def pack(configuration: Configuration) -> bytes:
    """The zip, with a file for each part that is not None."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, name in FILES.items():
            if (part := getattr(configuration, member)) is not None:
                archive.writestr(zipfile.ZipInfo(name, _MOMENT), msgspec.json.encode(part), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def unpack(packed: bytes) -> tuple[Configuration, list[str]]:
    """Read a zip; also the names of files in it that are not known here. Raises:
    InvalidValue: not such a zip, or a row that is not what it must be, named by file and member.
    QuotaExceeded: too much of anything.
    """
    if len(packed) > MAX_PACKED_BYTES:
        raise QuotaExceeded(f"A configuration has at most {MAX_PACKED_BYTES:,} bytes.")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            files = dict(_files(archive))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OverflowError) as error:
        raise _invalid(f"it is not a zip that can be read ({error})") from error
    unknown = sorted(files.keys() - _MEMBERS.keys())
    if FILES["info"] not in files:
        raise _invalid("it has no info.json, so it is not an exported configuration")
    parts = {_MEMBERS[name]: _rows(name, data) for name, data in files.items() if name in _MEMBERS}
    return Configuration(**parts), unknown


def _files(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise QuotaExceeded(f"The configuration has {len(entries):,} files; there may be {MAX_FILES}.")
    names: set[str] = set()
    left = MAX_UNPACKED_BYTES
    for entry in entries:
        _check(entry, names)
        names.add(entry.filename)
        data = _unpacked(archive, entry, left)
        left -= len(data)
        yield entry.filename, data


def _check(entry: zipfile.ZipInfo, names: set[str]) -> None:
    name = entry.filename
    if entry.is_dir() or "/" in name or "\\" in name or name.startswith(".") or not name.isprintable():
        raise _invalid(f"the file {name[:100]!r} lies in a folder; all files lie side by side")
    if name in names:
        raise _invalid(f"the file {name[:100]!r} is in it twice")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise _invalid(f"the file {name[:100]!r} is encrypted, or compressed in a way that is not known here")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """The file's bytes, counted: what the zip says of their number is its author's word."""
    data = bytearray()
    with archive.open(entry) as file:
        while piece := file.read(_PIECE_BYTES):
            data += piece
            if len(data) > most:
                raise QuotaExceeded(f"Unpacked, a configuration has at most {MAX_UNPACKED_BYTES:,} bytes.")
    return bytes(data)


def _rows(name: str, data: bytes) -> Any:
    rows = decode(_TYPES[_MEMBERS[name]], data, name)
    if rows is None:
        raise _invalid(f"{name} is null")
    if isinstance(rows, list) and len(rows) > MAX_ROWS:
        raise QuotaExceeded(f"{name} has {len(rows):,} entries; there may be {MAX_ROWS:,}.")
    return rows


def _invalid(fault: str) -> InvalidValue:
    return InvalidValue(f"The configuration was invalid: {fault}.", name="InvalidConfiguration", details=[fault])
