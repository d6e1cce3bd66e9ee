"""Ids that a caller may choose for what it creates: jobs, diagrams, job templates."""

import re
from typing import Final

from app.errors import InvalidValue

_OWN_ID: Final = re.compile(r"[A-Za-z0-9_{}-]{1,64}")


def check_own_id(value: str, member: str) -> str:
    """Return an id chosen by a caller, if it may stand in a path: 1 to 64 of A-Z, a-z, 0-9, ``-``, ``_``, ``{``, ``}``.

    That takes the reference's 22-character ids and GUIDs in each of their spellings. Raises InvalidValue.
    """
    if _OWN_ID.fullmatch(value):
        return value
    shown = value if len(value) <= 80 else value[:80] + "..."
    raise InvalidValue(f"{member} {shown!r} must be 1 to 64 of A-Z, a-z, 0-9, '-', '_', '{{', '}}'.", details=[member])
