"""Requests that may be sent again: what is done under an idempotency key is done once, and answered the same.

The answer is made and kept in the transaction of the change: there is no moment at which only one of them is there.
A use case that raises leaves nothing behind, so a refusal is not kept: the same request is judged anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from app.errors import KeyInFlight, KeyReused
from app.services.ports import Item, KeptAnswer, Store, Tx

T = TypeVar("T")

KEPT_MS: Final = 86_400_000
"""A day. An answer counts until it is swept, which may be some minutes later."""

_BATCH: Final = 500


class Attempt(Protocol):
    """A unit of work whose answer can be kept: with the item it is about, known at the latest when it is done."""

    @property
    def tx(self) -> Tx: ...
    @property
    def item(self) -> Item | None: ...
    @property
    def now_ms(self) -> int: ...


U = TypeVar("U", bound=Attempt)


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """``slot`` is a digest of who asks for what under which key, ``digest`` one of what came along."""

    slot: str
    digest: str


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """An answer as it was kept. ``again``: it was done before, so there is no ``result``."""

    body: bytes
    again: bool
    result: T | None = None


def once(unit: U, request: KeyedRequest, use_case: Callable[[U], T], render: Callable[[T], bytes]) -> Answered[T]:
    """Carry a use case out unless it was carried out under this key before.

    Raises:
        KeyInFlight: another transaction is at it now. KeyReused: it was done with another body.
    """
    if not unit.tx.claim_slot(request.slot):
        raise in_flight()
    known = unit.tx.kept_answer(request.slot)
    if known is None:
        result = use_case(unit)
        body = render(result)
        if unit.item is None:
            raise RuntimeError("an answer is kept with its item")
        unit.tx.keep_answer(unit.item, request.slot, KeptAnswer(request.digest, body), unit.now_ms)
        return Answered(body, again=False, result=result)
    if known.request != request.digest:
        raise KeyReused("This Idempotency-Key was used with another body. Choose a new key for each new request.")
    return Answered(known.body, again=True)


def in_flight() -> KeyInFlight:
    """The refusal of a request whose like is being carried out."""
    return KeyInFlight("A request with this Idempotency-Key is being carried out. Send it again in a moment.")


async def sweep(store: Store) -> int:
    """Drop answers older than a day, in small pieces; returns how many. On several nodes at once does no harm."""
    count = 0
    while dropped := await store.run(_forget_some):
        count += dropped
    return count


def _forget_some(tx: Tx) -> int:
    return tx.forget_answers(tx.now_ms() - KEPT_MS, _BATCH)
