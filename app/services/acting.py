"""Use cases of the server itself that act in somebody's name."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.access import Actor
from app.services.engine import Unit


@contextmanager
def acting(unit: Unit, actor: Actor) -> Iterator[None]:
    """Let the use case within act as somebody else than the caller."""
    before, unit.actor = unit.actor, actor
    try:
        yield
    finally:
        unit.actor = before


@contextmanager
def acting_unasked(unit: Unit, username: str) -> Iterator[None]:
    """As ``acting``; no privilege is asked, for an author has decided that it is done."""
    with acting(unit, Actor(username, is_system=True)):
        yield
