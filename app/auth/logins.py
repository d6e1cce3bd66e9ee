"""Logins by password. Who guesses is slowed, by name and by address; who is right is not."""

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from app.auth.passwords import verify_password
from app.errors import QuotaExceeded, RuleViolation
from app.services.ports import Store, Tx

LONGEST_WAIT_S: Final = 60
FORGET_S: Final = 900
"""What was guessed wrong is forgotten after so long without another wrong guess."""

MOST_KEYS: Final = 10_000
"""Of which wrong guesses are remembered, in one process; beyond it the oldest are forgotten."""

MAX_PASSWORD_CHARS: Final = 1_024

_FREE_OF_PAIR: Final = 5
_FREE_OF_ADDRESS: Final = 50
_FREE_OF_USER: Final = 100
"""Wrong guesses before the first wait. One person who mistypes is told at once and hinders nobody else; a name that is
guessed from many addresses is slowed as well, though later, so that it takes many addresses to shut its owner out."""

_AT_ONCE: Final = 2
"""Passwords looked at at once: each costs 19 MiB and 20 ms of a core. Others wait their turn."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Wrong:
    """Guesses under one key: how many, when the last one was, and from when on the next one is looked at (seconds)."""

    count: int = 0
    last_s: float = -math.inf
    open_s: float = -math.inf


class Guesses:
    """Counts wrong guesses by user and address, by address, and by user; memory is bounded.

    Args:
        now_s: a clock that never goes back.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._wrong: OrderedDict[tuple[str, str], _Wrong] = OrderedDict()

    def __len__(self) -> int:
        return len(self._wrong)

    def check(self, username: str, address: str) -> None:
        """Raise QuotaExceeded while the next guess has to wait; a guess that was not looked at does not count."""
        now_s = self._now_s()
        known = (self._wrong.get(key) for key, _ in _keys(username, address))
        wait_s = max((wrong.open_s - now_s for wrong in known if wrong), default=0.0)
        if wait_s > 0:
            raise QuotaExceeded(
                f"There were too many wrong logins. Try again in {math.ceil(wait_s)} seconds.", name="TooManyLogins"
            )

    def wrong(self, username: str, address: str) -> None:
        """Count a wrong guess. Beyond the free ones each doubles the wait: 1 s, 2 s, ... up to a minute."""
        now_s = self._now_s()
        for key, free in _keys(username, address):
            found = self._wrong.get(key)
            if found is None or now_s - found.last_s > FORGET_S:
                found = self._wrong[key] = _Wrong()
            found.count += 1
            found.last_s = now_s
            if found.count >= free:
                found.open_s = now_s + min(2 ** min(found.count - free, 30), LONGEST_WAIT_S)
            self._wrong.move_to_end(key)
        while len(self._wrong) > MOST_KEYS:
            self._wrong.popitem(last=False)

    def right(self, username: str, address: str) -> None:
        """Forget what was guessed wrong under the name; the address stays under suspicion, it may be many people's."""
        for key, free in _keys(username, address):
            if free != _FREE_OF_ADDRESS:
                self._wrong.pop(key, None)


class Logins:
    """Checks passwords of users, in a thread and a few at a time.

    Args:
        store: where their hashes are.
    """

    def __init__(self, store: Store, guesses: Guesses | None = None) -> None:
        self._store = store
        self._guesses = guesses or Guesses()
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def check(self, username: str, password: str, address: str) -> None:
        """Return when the password is the user's.

        Args:
            address: whom the guess came from.

        Raises:
            RuleViolation: (``LoginFailed``) it is not, there is no such user, or they are disabled: always the same
                words, after the same time.
            QuotaExceeded: too many guesses were wrong; the message says how long to wait. It was not looked at.
        """
        async with self._turn:
            self._guesses.check(username, address)
            password_hash = await self._store.read(lambda tx: _hash_of(tx, username))
            fits = len(password) <= MAX_PASSWORD_CHARS
            if await verify_password(password_hash, password if fits else "") and fits:
                self._guesses.right(username, address)
                return
            self._guesses.wrong(username, address)
        _log.info("a login was refused", extra={"fields": {"client": address}})
        raise RuleViolation("The user name or the password is not right.", name="LoginFailed")


def _hash_of(tx: Tx, username: str) -> str | None:
    user = tx.user(username)
    return None if user is None or user.disabled else tx.password_hash(username)


def _keys(username: str, address: str) -> Iterator[tuple[tuple[str, str], int]]:
    """What a guess counts under, and the free guesses of each."""
    yield (username, address), _FREE_OF_PAIR
    yield ("", address), _FREE_OF_ADDRESS
    yield (username, ""), _FREE_OF_USER
