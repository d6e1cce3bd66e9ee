"""Ids of the v3 dialects: a number, written as an integer or as 24 hexadecimal digits (v3-jobs.md 4.1); and the keys of
questions (4.5).
"""

import re
from dataclasses import dataclass
from typing import Final
from zlib import crc32

MAX_NUMBER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

_HEX: Final = re.compile(r"[0-9a-fA-F]{24}", re.ASCII)
_DECIMAL: Final = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NumberId:
    """An id as it was written. ``second`` is the time part of the long form, None of the short one."""

    number: int
    second: int | None = None

    @property
    def is_hex(self) -> bool:
        return self.second is not None

    def fits(self, created_ms: int) -> bool:
        """The time part, where there is one, is that of the thing the number names."""
        return self.second in {None, created_ms // 1000}


def parse_id(text: str) -> NumberId | None:
    """Read either form; None for what is none, or names nothing for being too large."""
    if _HEX.fullmatch(text):
        number, second = int(text[8:], 16), int(text[:8], 16)
        return NumberId(number, second) if 0 < number <= MAX_NUMBER else None
    if _DECIMAL.fullmatch(text):
        return NumberId(int(text)) if int(text) <= MAX_NUMBER else None
    return None


def hex_id(number: int, created_ms: int = 0) -> str:
    """The long form: 8 digits of the second something was created in, 16 of its number.

    Users, projects and templates have no moment of creation: theirs begins with zeros.
    """
    return f"{created_ms // 1000 & 0xFFFFFFFF:08x}{number:016x}"


def prompt_key(number: int, step_id: str, round_: int) -> str:
    """What the open question of a step is called: the CRC-32 of where it stands, as a signed integer's text.

    ``round_`` counts the questions of the step, so a late answer to an old one does not fit.
    """
    unsigned = crc32(f"{number}:{step_id}:{round_}".encode())
    return str(unsigned - 2**32 if unsigned >= 2**31 else unsigned)
