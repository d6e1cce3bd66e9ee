"""Tokens of the v3 dialects: JSON Web Tokens for them alone, which say what they may be used for (v3-jobs.md 4.6).

A token of the workflow API (``stepgate token``, the portal's) counts as well, with all its user's rights; the other way
round a token of a dialect is none for the workflow API or a websocket.
"""

from typing import Final

import msgspec

from app.auth.tokens import Tokens
from app.errors import Unauthenticated
from app.protocol.v3.dialects import USUAL_SCOPES, Bearer, Dialect, TokenClaims

PRINT_TTL_S: Final = 1_800
ANALYTICS_TTL_S: Final = 3_600
REFRESH_TTL_S: Final = 14 * 24 * 3_600
"""How long tokens are valid; the last is that of what gets new ones."""

_ACCESS: Final = "v3"
_REFRESH: Final = "v3 refresh"

_claims = msgspec.json.Decoder(TokenClaims)


class DialectTokens:
    """Issues and reads them, signed with the keys of ``Tokens``."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def issue(self, bearer: Bearer, ttl_s: float) -> str:
        """A token that speaks for the bearer."""
        claims = TokenClaims(bearer.dialect, bearer.username, tuple(sorted(bearer.scopes)))
        return self._tokens.seal(_ACCESS, msgspec.json.encode(claims).decode(), ttl_s)

    def read(self, token: str | None) -> Bearer:
        """Whom a token speaks for. Raises Unauthenticated."""
        if not token:
            raise Unauthenticated("No token came along: send one as 'Authorization: Bearer TOKEN'.")
        try:
            claims = _claims.decode(self._tokens.unseal(_ACCESS, token))
        except Unauthenticated:
            return self._of_workflow_api(token)
        return Bearer(claims.dialect, claims.username, frozenset(claims.scopes))

    def issue_refresh(self, claims: TokenClaims) -> str:
        """What gets a new token for the same user and program."""
        return self._tokens.seal(_REFRESH, msgspec.json.encode(claims).decode(), REFRESH_TTL_S)

    def read_refresh(self, token: str) -> TokenClaims:
        """Raises Unauthenticated."""
        return _claims.decode(self._tokens.unseal(_REFRESH, token))

    def _of_workflow_api(self, token: str) -> Bearer:
        try:
            username = self._tokens.verify(token).username
        except Unauthenticated as error:
            raise Unauthenticated("The token is not valid, or not any more. Get a new one.") from error
        return Bearer(Dialect.PRINT, username, frozenset(USUAL_SCOPES))
