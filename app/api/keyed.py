"""How every POST of the workflow API is carried out and answered: once, where it brings an ``Idempotency-Key``."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any, Final, Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from app.api.requests import body_digest, refused
from app.api.responses import JsonResponse, KeptResponse, encode
from app.api.state import gateway
from app.errors import InvalidValue
from app.services.engine import Caller, ServerUnit, Unit
from app.services.keyed import Answered, Attempt, KeyedRequest, in_flight, once

T = TypeVar("T")
U = TypeVar("U", bound=Attempt)

_HEADER: Final = b"idempotency-key"
MAX_KEY_CHARS: Final = 255


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """``again``: it was carried out before, under the same key, so there is no ``result``."""

    response: Response
    again: bool
    result: T | None = None


async def answer(
    request: Request, caller: Caller, use_case: Callable[[Unit], T], render: Callable[[T], Any]
) -> Response:
    """``carry_out`` for a JSON body, where nothing but the response is wanted."""
    return (await carry_out(request, caller, use_case, render)).response


async def carry_out(
    request: Request,
    caller: Caller,
    use_case: Callable[[Unit], T],
    render: Callable[[T], Any],
    *,
    digest: str | None = None,
) -> Done[T]:
    """Carry out a use case, its refusals as ``refused`` says, and answer with what ``render`` makes of its result.

    With a key ``render`` is called within the transaction, in a database thread and perhaps twice.

    Args:
        digest: of what came, where ``read_json`` has not read it.

    Raises:
        InvalidValue: a key that is none. KeyInFlight, KeyReused: as ``once``.
    """
    engine = gateway(request).engine
    return await _carry_out(
        request, caller.username, partial(engine.execute, caller), refused(use_case), render, digest
    )


async def administer(
    request: Request,
    username: str,
    use_case: Callable[[ServerUnit], T],
    render: Callable[[T], Any],
    *,
    digest: str | None = None,
) -> Response:
    """As ``carry_out``, for a use case that is not carried out within an item."""
    execute = partial(gateway(request).engine.administer, username)
    return (await _carry_out(request, username, execute, refused(use_case), render, digest)).response


async def _carry_out(  # noqa: PLR0917 - what a request, and how it is answered, is made of
    request: Request,
    username: str | None,
    execute: Callable[[Callable[[U], Any]], Awaitable[Any]],
    work: Callable[[U], T],
    render: Callable[[T], Any],
    digest: str | None,
) -> Done[T]:
    key = key_of(request)
    if key is None:
        result: T = await execute(work)
        return Done(JsonResponse(render(result)), again=False, result=result)
    keyed = KeyedRequest(_slot(request, username, key), digest or body_digest(request))
    done: Answered[T] = await _alone(
        request, keyed, lambda: execute(lambda unit: once(unit, keyed, work, _bytes_of(render)))
    )
    return Done(KeptResponse(done.body, again=done.again), done.again, done.result)


async def answer_query(
    request: Request, caller: Caller, query: Callable[[Unit], T], render: Callable[[T], Any]
) -> Response:
    """A POST that only reads: in a snapshot, and never twice in the writer's way; with a key its answer is kept too."""
    result = await gateway(request).engine.query(caller, query)
    if key_of(request) is None:
        return JsonResponse(render(result))
    return await answer(request, caller, lambda _: result, render)


def key_of(request: Request) -> str | None:
    """The request's key. Raises InvalidValue: several, or not 1 to 255 printable ASCII characters."""
    keys = [value for name, value in request.scope["headers"] if name == _HEADER]
    if not keys:
        return None
    if len(keys) > 1:
        raise InvalidValue(f"The request has {len(keys)} headers Idempotency-Key; send one.")
    key: str = keys[0].decode("latin-1")
    if not (0 < len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable()):
        raise InvalidValue(f"An Idempotency-Key is 1 to {MAX_KEY_CHARS} printable ASCII characters, such as a UUID.")
    return key


def digest_of(*parts: str | None) -> str:
    """A digest of texts; no two lists of them have the same one."""
    return blake2b(encode(parts), digest_size=32).hexdigest()


async def _alone(request: Request, keyed: KeyedRequest, execute: Callable[[], Awaitable[T]]) -> T:
    """Refuse a like of this request while it waits for the store; other processes' are told apart there."""
    slots = gateway(request).slots_in_flight
    if keyed.slot in slots:
        raise in_flight()
    slots.add(keyed.slot)
    try:
        return await execute()
    finally:
        slots.discard(keyed.slot)


def _slot(request: Request, username: str | None, key: str) -> str:
    return digest_of(username, request.scope["path"], key)


def _bytes_of(render: Callable[[T], Any]) -> Callable[[T], bytes]:
    return lambda result: encode(render(result))
