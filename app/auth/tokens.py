"""Bearer tokens: JSON Web Tokens signed with HS256 by a key of the database (RFC 7519, RFC 7515).

A token names its user (``sub``), its key (``kid``) and its end (``exp``), and nothing about rights: those are read at
every act. Keys are made and rotated by ``app/services/keys.py``; a retired key signs no more and verifies what it has
signed until that has run out.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import jwt

from app.auth.sealing import Sealer
from app.errors import Unauthenticated
from app.services.ports import SigningKey, Store

ALGORITHM = "HS256"
ISSUER = "stepgate"
AUDIENCE = "stepgate"

MAX_TTL_S = 366 * 24 * 3600
"""No token lives longer, so a key that was retired longer ago verifies nothing any more."""

MAX_TOKEN_CHARS = 4_096
"""Far above any token of ours; what is longer is not even looked at."""

_CACHED_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a token speaks for, and the moment (ms since 1970) from which it does not."""

    username: str
    expires_ms: int


class Tokens:
    """Issues and verifies tokens with the keys last given by ``use`` or ``refresh``.

    Args:
        now_ms: the time all nodes agree on (``Store.now_ms``).
        sealer: opens the keys' secrets as they are stored.

    Meant for one event loop. A token seen before costs a dictionary look-up: its signature is not checked again,
    its expiry always is. Changed keys empty that memory.
    """

    def __init__(self, now_ms: Callable[[], int], sealer: Sealer | None = None) -> None:
        self._now_ms = now_ms
        self._sealer = sealer or Sealer(None)
        self._keys: dict[str, SigningKey] = {}
        self._secrets: dict[str, bytes] = {}
        self._seen: OrderedDict[str, Principal] = OrderedDict()

    def use(self, keys: Iterable[SigningKey]) -> None:
        """Take over the keys as they are now. Raises StoreUnavailable for a secret that cannot be opened."""
        given = {key.key_id: key for key in keys}
        if given != self._keys:
            self._secrets = {key_id: self._sealer.open(key.secret) for key_id, key in given.items()}
            self._keys = given
            self._seen.clear()

    async def refresh(self, store: Store) -> None:
        """Read the keys anew: another process may have rotated them."""
        self.use(await store.read(lambda tx: tx.signing_keys()))

    def issue(self, username: str, ttl_s: float) -> str:
        """Sign a token for ``username`` that is valid for ``ttl_s`` seconds, at most ``MAX_TTL_S``.

        It is not checked that there is such a user. Raises LookupError when there is no key to sign with.
        """
        return self._sign(AUDIENCE, username, ttl_s)

    def seal(self, purpose: str, text: str, ttl_s: float) -> str:
        """Sign a text that only ``unseal`` with the same purpose reads: it is no token, and nobody can log in with it.

        The text can be read by anybody. Raises as ``issue``.
        """
        return self._sign(f"{AUDIENCE}:{purpose}", text, ttl_s)

    def unseal(self, purpose: str, sealed: str) -> str:
        """Return the text of ``seal``. Raises Unauthenticated: changed, of another purpose, or too old."""
        found = self._check(sealed, f"{AUDIENCE}:{purpose}")
        if found.expires_ms <= self._now_ms():
            raise Unauthenticated("What was sealed is too old. Begin again.")
        return found.username

    def verify(self, token: str | None) -> Principal:
        """Return whom the token speaks for. Raises Unauthenticated, saying what is wrong and never the token."""
        if not token:
            raise Unauthenticated("No token came along: send one as 'Authorization: Bearer TOKEN'.")
        principal = self._seen.get(token)
        if principal is None:
            principal = self._check(token)
            self._seen[token] = principal
            if len(self._seen) > _CACHED_TOKENS:
                self._seen.popitem(last=False)
        else:
            self._seen.move_to_end(token)
        if principal.expires_ms <= self._now_ms():
            del self._seen[token]
            raise Unauthenticated("The token has expired. Log in again, or make a new one with 'stepgate token'.")
        return principal

    def made(self, token: str) -> bool:
        """Tell whether this server has made the token, also when it is valid no more."""
        try:
            self._check(token)
        except Unauthenticated:
            return False
        return True

    def _sign(self, audience: str, subject: str, ttl_s: float) -> str:
        now_ms = self._now_ms()
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "sub": subject,
            "iat": now_ms // 1000,
            "exp": (now_ms + round(min(ttl_s, MAX_TTL_S) * 1000)) // 1000,
        }
        key = self._signing_key()
        return jwt.encode(claims, self._secrets[key.key_id], ALGORITHM, headers={"kid": key.key_id})

    def _check(self, token: str, audience: str = AUDIENCE) -> Principal:
        try:
            claims = self._claims(token, audience)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Unauthenticated(_WHY.get(type(error), _NOT_OURS)) from error
        username, expires_s = claims["sub"], claims["exp"]
        if not isinstance(username, str) or not username or type(expires_s) is not int:
            raise Unauthenticated(_NOT_OURS)
        return Principal(username, expires_s * 1000)

    def _claims(self, token: str, audience: str) -> dict[str, object]:
        if len(token) > MAX_TOKEN_CHARS or not token.isascii():
            raise jwt.DecodeError("no token of ours")
        key = self._keys.get(jwt.get_unverified_header(token).get("kid", ""))
        if key is None or self._is_spent(key):
            raise jwt.InvalidKeyError("unknown key")
        # The algorithm is pinned: what the token's header says of it ("none", another one) is never believed. Times are
        # checked by `verify` against the clock that all nodes share, not by PyJWT against the machine's.
        return jwt.decode(
            token,
            self._secrets[key.key_id],
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=ISSUER,
            options={
                "require": ["exp", "iat", "sub", "aud", "iss"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )

    def _is_spent(self, key: SigningKey) -> bool:
        return key.retired_ms is not None and key.retired_ms + MAX_TTL_S * 1000 <= self._now_ms()

    def _signing_key(self) -> SigningKey:
        usable = [key for key in self._keys.values() if key.retired_ms is None]
        if not usable:
            raise LookupError("the database has no key to sign tokens with; start the server once")
        return max(usable, key=lambda key: (key.created_ms, key.key_id))


_NOT_OURS = "The token is not one of this server's, or it was changed. Log in again."

_WHY: dict[type[Exception], str] = {
    jwt.InvalidKeyError: "The token was signed with a key this server does not know (any more). Log in again.",
    jwt.InvalidIssuerError: "The token was made by another server. Log in here.",
    jwt.InvalidAudienceError: "The token was made for another server. Log in here.",
}
