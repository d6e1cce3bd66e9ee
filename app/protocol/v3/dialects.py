"""The two dialects of the v3 API, and what a token of one of them says (v3-jobs.md 4.2, 4.6)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec


class Dialect(StrEnum):
    """Print jobs (integer ids, scopes) or analytics jobs (24 hexadecimal digits, roles)."""

    PRINT = "print"
    ANALYTICS = "analytics"


KNOWN_SCOPES: Final = (
    "cert.manage", "cert.read", "credit", "impersonate", "jobs", "jobs.process", "offline.access", "print",
    "print.services", "printers", "queues", "scan", "terminal", "terminal.read", "user.session", "users", "reports",
)  # fmt: skip
"""Every scope of the print dialect (v3-jobs.md 2.1)."""

EXTRA_SCOPES: Final = frozenset({"impersonate", "print.services"})
"""Scopes that let a program act for users it was not logged in by: it has them only where it was given them by name."""

USUAL_SCOPES: Final = tuple(scope for scope in KNOWN_SCOPES if scope not in EXTRA_SCOPES)

OFFLINE: Final = "offline.access"
"""Asks for a refresh token."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token speaks for: a user, or (``username`` None) a program for itself; and what it may be used for."""

    dialect: Dialect
    username: str | None
    scopes: frozenset[str]


class TokenClaims(msgspec.Struct, frozen=True):
    """What is written into a token; ``stamp`` and ``client`` only into one that gets others."""

    dialect: Dialect
    username: str | None
    scopes: tuple[str, ...]
    client: str = ""
    stamp: str = ""
