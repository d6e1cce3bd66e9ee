"""Text that comes from outside: JSON decoded and checked, and moments written as ISO 8601.

Whatever enters through REST or a websocket goes through ``decode``, so what the databases cannot store (NUL, lone
surrogates, integers beyond 64 bits) is refused in one place.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from app.errors import InvalidValue

T = TypeVar("T")

_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64 = range(-(2**63), 2**63)
_PATH = re.compile(r" - at `(.*)`$")
_BAD_CHARACTER = re.compile("[\x00\ud800-\udfff]")

_SUSPICIOUS = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]|\d{19}")
"""JSON without a match holds neither NUL nor a surrogate nor a large integer. With one, the slow check looks closer."""


def decode(schema: type[T] | msgspec.json.Decoder[T], raw: bytes | msgspec.Raw, name: str | None = None) -> T:
    """Decode JSON into ``schema``; members it does not know are checked as text and then ignored.

    Args:
        schema: a type, or a decoder made for one.
        raw: the JSON text, UTF-8.
        name: what the error message calls it; without one, the name of the type.

    Raises:
        InvalidValue: ``<name> was invalid: <what is wrong> at <path>``; ``details`` holds the part after the colon.
    """
    decoder = schema if isinstance(schema, msgspec.json.Decoder) else _decoder_of(schema)
    data = bytes(raw)
    try:
        data.decode()
        value = decoder.decode(data)
        if _SUSPICIOUS.search(data):
            check_text(_loads(data))
    except InvalidValue as error:
        raise _invalid(name or _name_of(decoder.type), error.message) from None
    except RecursionError:
        raise _invalid(name or _name_of(decoder.type), "it is nested too deeply") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise _invalid(name or _name_of(decoder.type), _explain(error, data)) from error
    return value


def check_text(value: Any, path: str = "$") -> None:
    """Refuse what cannot be stored, anywhere in a decoded JSON value. Raises InvalidValue, naming the path."""
    if isinstance(value, str):
        if found := _BAD_CHARACTER.search(value):
            kind = "a NUL character" if found[0] == "\0" else "half of a surrogate pair"
            raise InvalidValue(f"the text holds {kind} at {path}")
    elif isinstance(value, dict):
        for key, member in value.items():
            check_text(key, f"{path} (a member's name)")
            check_text(member, f"{path}.{key}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            check_text(member, f"{path}[{index}]")
    elif isinstance(value, int) and value not in _INT64:
        raise InvalidValue(f"the integer does not fit into 64 bits at {path}")


def iso(ms: int) -> str:
    """Write a moment (ms since 1970, UTC) as ``2025-11-17T08:00:00Z``; with ``.123`` only when not a whole second."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds").removesuffix("+00:00") + "Z"


def parse_time(text: str) -> int:
    """Read an ISO 8601 moment into ms since 1970, rounded down; without an offset it is UTC, without a time midnight.

    Raises InvalidValue.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError) as error:
        raise InvalidValue(f"{text!r} is not a moment. Write it like 2025-11-17T08:00:00Z.") from error


def _decoder_of(schema: type[T]) -> msgspec.json.Decoder[T]:
    if (decoder := _decoders.get(schema)) is None:
        decoder = _decoders[schema] = msgspec.json.Decoder(schema)
    return decoder


def _loads(data: bytes) -> Any:
    """Decode with Python's own parser, which keeps lone surrogates; a very long integer is cut and stays too large."""
    return json.loads(data, parse_int=lambda digits: int(digits[:25]))


def _name_of(schema: Any) -> str:
    return getattr(schema, "__name__", None) or "The body"


def _invalid(name: str, fault: str) -> InvalidValue:
    return InvalidValue(f"{name} was invalid: {fault}.", details=[fault])


def _explain(error: Exception, data: bytes) -> str:
    """Say in words what is wrong; msgspec's own text for a lone surrogate ("truncated") would mislead."""
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not valid UTF-8"
    if not data.strip():
        return "it is empty, and must be JSON"
    if isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError):
        return _fault_of_syntax(data) or str(error)
    text = _PATH.sub(r" at \1", str(error))
    return text[:1].lower() + text[1:]


def _fault_of_syntax(data: bytes) -> str | None:
    try:
        check_text(_loads(data))
    except InvalidValue as error:
        return error.message
    except (ValueError, RecursionError) as error:
        return f"it is not JSON: {error}"
    return None
