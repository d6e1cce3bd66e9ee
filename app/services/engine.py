"""Runs use cases: one function, one transaction, and what follows from it after the commit.

A use case is a plain function ``fn(unit, ...)`` in one of the modules beside this one. ``Engine.execute`` gives it a
``Unit``: the transaction, who asks, the time and a source of ids. What it records in ``unit.effects`` is handed on
once the commit is durable: messages to the hub and the bus, runs and answers to the runner.
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Generic, TypeVar

from app.domain.access import SYSTEM, Actor
from app.errors import NotFound
from app.services.access import Actors, enabled_user
from app.services.ports import Effects, Item, Publisher, RunStarter, Store, Tx, User, Vault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and in which item. ``username`` None is the server itself."""

    org_id: str
    item_id: str
    username: str | None


class ItemGone(NotFound):
    """There is no such workflow item, or none any more."""


class Ids:
    """A source of ids that gives the same ones again when a transaction is tried again; their form is ``new_id``'s."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._count = 0

    def __call__(self) -> str:
        return _first_id(self._next_bytes)

    def _next_bytes(self) -> bytes:
        self._count += 1
        return blake2b(self._count.to_bytes(8, "big"), key=self._seed[:64], digest_size=16).digest()


def new_id() -> str:
    """A fresh random id: 22 characters, URL-safe base64 of 16 bytes (rest.md 1.3)."""
    return _first_id(lambda: secrets.token_bytes(16))


def _first_id(next_bytes: Callable[[], bytes]) -> str:
    """The first id that does not begin with a hyphen: tools would take such a one for an option."""
    while (found := urlsafe_b64encode(next_bytes()).rstrip(b"=").decode()).startswith("-"):
        pass
    return found


class NoVault:
    """The vault of an engine that has no business with secrets: it refuses them."""

    def seal(self, secret: bytes) -> bytes:  # noqa: ARG002 - as the port wants it
        raise RuntimeError("this engine was given no vault")

    open = seal


NO_VAULT = NoVault()


@dataclass(slots=True)
class Unit:
    """One attempt at a use case. A new one is made for every try, so a lost try leaves nothing behind."""

    tx: Tx
    item: Item
    actor: Actor
    now_ms: int
    new_id: Callable[[], str]
    node_id: str
    vault: Vault
    effects: Effects = field(default_factory=Effects)


@dataclass(slots=True)
class ServerUnit:
    """One attempt at a use case that is not carried out within an item. ``user`` None is the operator, at the server's
    own command line; ``item`` is set by the use case that makes one."""

    tx: Tx
    user: User | None
    now_ms: int
    new_id: Callable[[], str]
    effects: Effects = field(default_factory=Effects)
    item: Item | None = None


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    """What one attempt came to; it counts once it is committed."""

    result: T
    effects: Effects
    known: tuple[Item, Actor] | None = None


class Engine:
    """The one way into the store for use cases."""

    def __init__(self, store: Store, publisher: Publisher, runner: RunStarter, vault: Vault = NO_VAULT) -> None:
        self.store = store
        self._publisher = publisher
        self._runner = runner
        self._vault = vault
        self._actors = Actors()
        self._command_ids = Ids(secrets.token_urlsafe(48))  # asking the system for random bytes costs 20 us each time

    @property
    def node_id(self) -> str:
        """This process, as the others know it."""
        return self._runner.node_id

    async def execute(self, caller: Caller, use_case: Callable[[Unit], T]) -> T:
        """Run ``use_case`` in one write transaction and return its result after the commit.

        Raises what the use case raises (its writes are rolled back), and:
            NotFound: no such item. Unauthenticated, PermissionDenied: the caller is nobody here any more.
            StoreUnavailable: nothing was committed.
        """
        command_id = self._command_ids()

        def attempt(tx: Tx) -> _Done[T]:
            unit = self._unit(tx, caller, Ids(command_id))
            known = (unit.item, unit.actor)
            return _Done(use_case(unit), unit.effects, known)

        done: _Done[T] = await self.store.run(attempt, command_id=command_id, after_commit=self._follow_up)
        return done.result

    async def administer(self, username: str | None, use_case: Callable[[ServerUnit], T]) -> T:
        """As ``execute``, for a use case that is not carried out within an item. ``username`` None is the operator."""
        command_id = self._command_ids()

        def attempt(tx: Tx) -> _Done[T]:
            unit = ServerUnit(tx, _person(tx, username), tx.now_ms(), Ids(command_id))
            return _Done(use_case(unit), unit.effects)

        done: _Done[T] = await self.store.run(attempt, command_id=command_id, after_commit=self._follow_up)
        return done.result

    async def query(self, caller: Caller, query: Callable[[Unit], T]) -> T:
        """Run a read-only ``query`` in one snapshot. Raises as ``execute``."""

        def attempt(tx: Tx) -> T:
            unit = self._unit(tx, caller, new_id)
            self._keep(unit.item, unit.actor)
            return query(unit)

        return await self.store.read(attempt)

    def _unit(self, tx: Tx, caller: Caller, ids: Callable[[], str]) -> Unit:
        item = tx.item(caller.org_id, caller.item_id)
        if item is None:
            raise ItemGone(f"There is no workflow item {caller.item_id!r} in {caller.org_id!r}.", name="ItemNotFound")
        actor = SYSTEM if caller.username is None else self._actors.load(tx, item, caller.username)
        return Unit(tx, item, actor, tx.now_ms(), ids, self._runner.node_id, self._vault)

    def _keep(self, item: Item, actor: Actor) -> None:
        if not actor.is_system:
            self._actors.keep(item, actor)

    def _follow_up(self, done: _Done[T]) -> None:
        if done.known is not None:
            self._keep(*done.known)
        self._deliver(done.effects)

    def _deliver(self, effects: Effects) -> None:
        if effects.messages:
            self._publisher.publish(effects.messages)
        for verdict in effects.verdicts:
            self._publisher.verdict(verdict)
        for ended in effects.tasks_ended:
            self._publisher.task_ended(ended)
        if effects.access_changed:
            self._publisher.access_changed()
        self._hand_to_runner(effects)

    def _hand_to_runner(self, effects: Effects) -> None:
        if effects.started:
            self._runner.started(effects.started)
        if effects.stopping:
            self._runner.stopping(effects.stopping)
        if effects.refreshing:
            self._runner.refreshing(effects.refreshing)
        if effects.answers:
            self._runner.answered(effects.answers)
        if effects.timers_changed:
            self._runner.timers_changed()
        if effects.dispatches_added:
            self._runner.dispatches_added()


def _person(tx: Tx, username: str | None) -> User | None:
    """The user who asks, if it is one. Raises Unauthenticated."""
    return None if username is None else enabled_user(tx, username)
