"""Passwords: Argon2id hashes (RFC 9106). Hashing is slow on purpose, so it runs in a thread."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""The least that OWASP's password storage sheet asks for: 19 MiB, two passes, one lane; about 20 ms on one core."""


def hash_password(password: str) -> str:
    """Return the hash to store, salted: another one for every call. Takes about 20 ms; see ``verify_password``."""
    return _HASHER.hash(password)


async def verify_password(password_hash: str | None, password: str) -> bool:
    """Tell whether the password is right.

    ``None`` is for a user who does not exist or has no password: the answer is no, after the same time, so that the
    time does not tell which names exist.
    """
    return await asyncio.to_thread(_verify, password_hash, password)


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        _HASHER.verify(password_hash or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")
