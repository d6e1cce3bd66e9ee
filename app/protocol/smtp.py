"""The words of the SMTP settings (rest.md 8.2), which the reference does not tell."""

from enum import StrEnum
from typing import Final


class SmtpProtocol(StrEnum):
    """How the connection to a mail server is protected."""

    NONE = "None"
    STARTTLS = "STARTTLS"
    TLS = "TLS"


_WORDS: Final = {
    "": SmtpProtocol.NONE,
    "none": SmtpProtocol.NONE,
    "smtp": SmtpProtocol.NONE,
    "plain": SmtpProtocol.NONE,
    "starttls": SmtpProtocol.STARTTLS,
    "tls": SmtpProtocol.TLS,
    "ssl": SmtpProtocol.TLS,
    "smtps": SmtpProtocol.TLS,
}

DEFAULT_PORTS: Final = {SmtpProtocol.NONE: 25, SmtpProtocol.STARTTLS: 587, SmtpProtocol.TLS: 465}


def read_protocol(text: str) -> SmtpProtocol:
    """Read a ``smtpProtocol`` in any letter case. Raises ValueError."""
    found = _WORDS.get(text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is none of None, STARTTLS, TLS")
    return found


def read_port(text: str) -> int | None:
    """Read a ``smtpPort``; empty is None. Raises ValueError."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65_535):
        raise ValueError(f"{text!r} is no port: a number from 1 to 65535")
    return int(text)
