"""From a request to what a use case takes: who asks, the ids in the path, the switches in the query, the body."""

from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import blake2b
from typing import Any, Final, TypeVar, overload

import msgspec
from starlette.requests import Request

from app.api.credentials import token_of
from app.api.state import gateway
from app.errors import InvalidValue, NotFound, PermissionDenied, QuotaExceeded, RuleViolation
from app.protocol.text import check_text, decode
from app.services.engine import Caller, ServerUnit, Unit

T = TypeVar("T")

_TRUE = frozenset({"true", "True", "1"})
_FALSE = frozenset({"false", "False", "0"})

_BODY: Final = "stepgate.body"


def caller_of(request: Request, form_token: str | None = None) -> Caller:
    """Who asks, and in which item, from the token and the path.

    Args:
        form_token: the field ``token`` of a form, which counts where no other token came along.

    Raises:
        Unauthenticated: no token, or one that is not valid (any more). What the user may do is judged in the use case.
    """
    username = gateway(request).tokens.verify(token_of(request) or form_token).username
    return Caller(path_text(request, "org_id"), path_text(request, "item_id"), username)


def username_of(request: Request) -> str:
    """Who asks for what is done outside of items. Raises Unauthenticated."""
    return gateway(request).tokens.verify(token_of(request)).username


def path_text(request: Request, name: str) -> str:
    """A segment of the path, decoded. Raises InvalidValue when it holds what no id can hold (NUL, half a character)."""
    value = str(request.path_params[name])
    try:
        check_text(value, f"{name} in the path")
    except InvalidValue as error:
        raise InvalidValue(f"The path was invalid: {error.message}.", details=[error.message]) from None
    return value


def public_root(request: Request) -> str:
    """Where clients find this server, without a slash at the end: ``public_url``, else the address they have used."""
    return (gateway(request).settings.public_url or str(request.base_url)).rstrip("/")


def client_address(request: Request) -> str:
    """Whom the request came from, as far as proxies that are believed tell; a word when there is no address."""
    return request.client.host if request.client else "unknown"


def query_flag(request: Request, name: str, *, absent: bool = False) -> bool:
    """A switch of the query. Raises InvalidValue for anything but true/True/1/false/False/0.

    Args:
        absent: what it is when the query does not have it.
    """
    text = request.query_params.get(name)
    return absent if text is None else flag_of(text, f"query parameter {name}")


def flag_of(text: str, name: str) -> bool:
    """A switch as clients write it. Raises InvalidValue, calling it ``name``."""
    if text in _FALSE:
        return False
    if text in _TRUE:
        return True
    raise InvalidValue(f"The {name} must be true or false, not {text!r}.", details=[name.rpartition(" ")[2]])


def query_number(request: Request, name: str, *, absent: int, most: int) -> int:
    """A whole number of the query, from 0. Raises InvalidValue.

    Args:
        absent: what it is when the query does not have it.
        most: the greatest that it may be.
    """
    text = request.query_params.get(name, str(absent))
    if not (text.isascii() and text.isdecimal() and len(text) <= 15 and int(text) <= most):
        raise InvalidValue(f"The query parameter {name} must be 0 to {most:,}, not {text[:40]!r}.", details=[name])
    return int(text)


def query_word(request: Request, name: str, words: Sequence[str]) -> str:
    """One of several words in the query; the first when it is absent. Raises InvalidValue for any other."""
    word = request.query_params.get(name, words[0])
    if word not in words:
        raise InvalidValue(
            f"The query parameter {name} must be one of {', '.join(words)}, not {word!r}.", details=[name]
        )
    return word


async def read_body(request: Request, decoder: msgspec.json.Decoder[T], name: str) -> T:
    """Read the JSON body into a struct; members it does not know (``f``, ``token``, ...) are ignored.

    ``name`` is what an error message calls the body ("<name> was invalid: ..."). Raises:
        InvalidValue: not ``application/json``, not JSON, or a member that is not what it must be, named by its path.
        QuotaExceeded: larger than the setting ``max_body_bytes``.
    """
    return decode(decoder, await read_json(request, name), name)


async def read_json(request: Request, name: str) -> bytes:
    """The body's bytes, once its size and media type are right; what they hold is not looked at."""
    _check_media_type(request, name)
    body = request.scope[_BODY] = b"".join([piece async for piece in body_pieces(request)])
    return body


def body_digest(request: Request) -> str:
    """A digest of the body that ``read_json`` has read."""
    return blake2b(request.scope[_BODY], digest_size=32).hexdigest()


async def body_pieces(
    request: Request, limit: int | None = None, setting: str = "max_body_bytes"
) -> AsyncIterator[bytes]:
    """The body as it comes.

    Args:
        limit: of its size in bytes; None: ``max_body_bytes``.
        setting: what an error calls the limit.

    Raises:
        QuotaExceeded: more than that is announced, or has come.
    """
    most = gateway(request).settings.max_body_bytes if limit is None else limit
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise _too_large(most, setting)
    total = 0
    async for piece in request.stream():
        total += len(piece)
        if total > most:
            raise _too_large(most, setting)
        yield piece


@overload
def refused(use_case: Callable[[Unit], T], *, missing_is_404: bool = False) -> Callable[[Unit], T]: ...
@overload
def refused(use_case: Callable[[ServerUnit], T], *, missing_is_404: bool = False) -> Callable[[ServerUnit], T]: ...
def refused(use_case: Callable[[Any], T], *, missing_is_404: bool = False) -> Callable[[Any], T]:
    """Let a use case that changes something tell NotFound and PermissionDenied as a refusal (status 400).

    So the reference wants it for operations with a body (rest.md 2.2, 5.6, 5.7). The item itself, and whether the
    caller is anybody there, are looked at before the use case begins: these stay 404 and 403. For deletions of diagrams
    it wants 404 where there is nothing (rest.md 6).
    """

    def run(unit: Any) -> T:
        try:
            return use_case(unit)
        except (NotFound, PermissionDenied) as error:
            if missing_is_404 and isinstance(error, NotFound):
                raise
            raise RuleViolation(error.message, name=error.name, details=error.details) from error

    return run


def _check_media_type(request: Request, name: str) -> None:
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise InvalidValue(f"{name} was invalid: the media type must be application/json, not {media_type[:100]!r}.")


def _too_large(limit: int, setting: str) -> QuotaExceeded:
    return QuotaExceeded(f"The body is larger than {limit:,} bytes, the most this server takes ({setting}).")
