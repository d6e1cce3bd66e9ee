"""Where in an imported configuration something is wrong: the file, the entry, the member."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from app.errors import GatewayError, InvalidValue
from app.protocol.configuration import FILES


@contextmanager
def at(member: str, number: int, label: str) -> Iterator[None]:
    """Let a refusal within say which entry of which file it is about.

    Args:
        member: of ``Configuration``.
        number: of the entry, from 0.
        label: what people call the entry.
    """
    try:
        yield
    except GatewayError as error:
        if error.temporary:
            raise
        place = f"{FILES[member]}, entry {number + 1} ({label[:100]})"
        details = [f"{place}: {fault}" for fault in error.details] or [place]
        raise InvalidValue(f"{place}: {error.message}", name=error.name, details=details) from error


def nested(text: str, member: str, kind: Any = dict[str, msgspec.Raw]) -> Any:
    """A nested object, which is JSON text. Raises InvalidValue, naming the member."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidValue(f"{member} is not the JSON text it must be: {error}", details=[member]) from error
