"""Authority on open sockets: when who may do what has changed in an item, its sessions are judged again.

Every such change raises the item's ``access_version`` in its own transaction (``services/access.py``). A node sees the
new number at once when it made the change itself or the bus tells of it, and within the sweep's interval otherwise.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.errors import AccessError, GatewayError
from app.hub.session import Session
from app.services.access import read_actor
from app.services.ports import Item, Store, Tx

RETRY_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Who still has access to an item, with their groups; whoever is not named has lost it."""

    access_version: int
    groups: Mapping[str, frozenset[str]]


class Authority:
    """Judges sessions until ``run`` is cancelled. Lives on the event loop.

    Args:
        store: where users, groups and roles are.
        sessions: all sessions by item id.
        on_lost: told of each session whose user has no access any more.
    """

    def __init__(self, store: Store, sessions: Mapping[str, set[Session]], on_lost: Callable[[Session], None]) -> None:
        self._store = store
        self._sessions = sessions
        self._on_lost = on_lost
        self._wake = asyncio.Event()

    def note(self, item_id: str, access_version: int) -> None:
        """An item's version was seen: judge its sessions if any was judged by an older one."""
        if any(session.access_version < access_version for session in self._sessions.get(item_id, ())):
            self._wake.set()

    def changed(self) -> None:
        """Something has changed, in which item is not known."""
        self._wake.set()

    async def run(self) -> None:
        """Judge whenever asked, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._judge()
            except GatewayError as error:
                _log.warning("access could not be judged again", extra={"fields": {"error": str(error)}})
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def _judge(self) -> None:
        judged = {item_id: _oldest_versions(sessions) for item_id, sessions in self._sessions.items()}
        if judged:
            judgements = await self._store.read(lambda tx: judge(tx, judged))
            for item_id, judgement in judgements.items():
                self._apply(item_id, judgement, set(judged[item_id]))

    def _apply(self, item_id: str, judgement: Judgement, judged: set[str]) -> None:
        for session in tuple(self._sessions.get(item_id, ())):
            if session.access_version >= judgement.access_version or session.username not in judged:
                continue
            groups = judgement.groups.get(session.username)
            if groups is None:
                self._on_lost(session)
            else:
                session.groups, session.access_version = groups, judgement.access_version


def _oldest_versions(sessions: Iterable[Session]) -> dict[str, int]:
    """For each user, the oldest version any of their sessions was judged by."""
    oldest: dict[str, int] = {}
    for session in sessions:
        known = oldest.get(session.username, session.access_version)
        oldest[session.username] = min(known, session.access_version)
    return oldest


def judge(tx: Tx, judged: Mapping[str, Mapping[str, int]]) -> dict[str, Judgement]:
    """Read again who has access, for those items whose version is newer than what their users were judged by.

    Args:
        tx: a read transaction.
        judged: for each item id, its users and the version they were last judged by.
    """
    items = {item.item_id: item for item in tx.items()}
    found = {}
    for item_id, users in judged.items():
        item = items.get(item_id)
        if item is None:
            found[item_id] = Judgement(max(users.values(), default=0) + 1, {})
        elif any(version < item.access_version for version in users.values()):
            found[item_id] = Judgement(item.access_version, _groups(tx, item, users))
    return found


def _groups(tx: Tx, item: Item, users: Mapping[str, int]) -> dict[str, frozenset[str]]:
    groups = {}
    for username in users:
        try:
            groups[username] = read_actor(tx, item, username).groups
        except AccessError:
            continue
    return groups
