"""Programs that get tokens of the v3 dialects: added and removed by the operator, and checked by their secrets."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from app.errors import InvalidValue, NotFound, Unauthenticated
from app.protocol.v3.dialects import KNOWN_SCOPES, USUAL_SCOPES
from app.services.engine import Unit
from app.services.people import check_group_name, require_administrator
from app.services.ports import ApiClient, Tx


@dataclass(frozen=True, slots=True)
class NewClient:
    """A program to be added. ``client_id`` and ``secret`` are random and made beforehand; the secret is told once."""

    name: str
    client_id: str
    secret: str
    username: str | None = None
    scopes: tuple[str, ...] = ()


def add(unit: Unit, new: NewClient) -> ApiClient:
    """Add a program: a user's, or one of its own. Without scopes it may have the usual ones.

    Raises PermissionDenied, InvalidValue (a name or a scope that cannot be one), Conflict (the name is taken), NotFound
    (no such user).
    """
    require_administrator(unit)
    unknown = [scope for scope in new.scopes if scope not in KNOWN_SCOPES]
    if unknown:
        raise InvalidValue(f"There is no scope {unknown[0]!r}. The scopes are: {', '.join(KNOWN_SCOPES)}.")
    scopes = tuple(dict.fromkeys(new.scopes)) or USUAL_SCOPES
    name = check_group_name(new.name)
    client = ApiClient(new.client_id, name, hash_of(new.secret), new.username, scopes, unit.now_ms)
    unit.tx.add_api_client(client)
    return client


def remove(unit: Unit, client_id: str) -> None:
    """Remove a program; tokens it has got are valid until they run out. Raises PermissionDenied, NotFound."""
    require_administrator(unit)
    if not unit.tx.delete_api_client(client_id):
        raise NotFound(f"There is no program with the id {client_id!r}.", name="ClientNotFound")


def check(tx: Tx, client_id: str, secret: str) -> ApiClient:
    """The program with this id and secret. Raises Unauthenticated, with the same words whatever is wrong."""
    client = tx.api_client(client_id)
    given = hash_of(secret)
    if client is None or not compare_digest(client.secret_hash, given):
        raise Unauthenticated("The client id or its secret is not right.")
    if client.username is not None and not is_enabled(tx, client.username):
        raise Unauthenticated("The client's user is disabled.")
    return client


def is_enabled(tx: Tx, username: str) -> bool:
    """There is such a user, who may log in."""
    user = tx.user(username)
    return user is not None and not user.disabled


def stamp_of(tx: Tx, username: str) -> str:
    """Changes with the user's password, so that what was issued before can be told from what is issued now."""
    return sha256((tx.password_hash(username) or "").encode()).hexdigest()[:16]


def granted(client: ApiClient, asked: str | None, known: Iterable[str] | None = None) -> tuple[str, ...]:
    """The scopes of those asked for that the program may have, in the order asked; all it may have when none are named.

    Args:
        known: what it had before, where it gets a new token: no more than that.
    """
    may = [scope for scope in client.scopes if known is None or scope in known]
    words = list(dict.fromkeys((asked or "").split()))
    return tuple(word for word in words if word in may) if words else tuple(may)


def hash_of(secret: str) -> bytes:
    """What is kept of a secret. It has 256 random bits, so nobody finds it by trying, and a plain hash will do."""
    return sha256(secret.encode()).digest()
