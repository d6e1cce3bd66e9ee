"""Bodies of the two token endpoints (v3-jobs.md 2.1, 3.1; RFC 6749)."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


class LoginInfo(msgspec.Struct):
    """Who logs in, and how: of the types only 3, name and password, is known here. There are no cards and no PINs."""

    type: int
    user: str | None = None
    pwd: str | None = None


class PrintTokenBody(msgspec.Struct):
    """What a program of the print dialect asks for: a user's token (``login_info``), its own (``client_credentials``),
    or a new one in place of one that has run out (``refresh_token``). ``scope``: words with blanks between; without
    it, all that the program may have."""

    grant_type: Annotated[str, Meta(description="`login_info`, `client_credentials` or `refresh_token`.")]
    client_id: str
    client_secret: str
    scope: str | None = None
    login_info: LoginInfo | None = None
    refresh_token: str | None = None


class PrintToken(msgspec.Struct):
    """A token, valid for ``expires_in`` seconds, and the scopes that were granted."""

    access_token: str
    expires_in: int
    scope: str
    token_type: str = "Bearer"  # noqa: S105 - a kind of token
    refresh_token: str | UnsetType = UNSET


class AnalyticsTokenForm(msgspec.Struct):
    """Key and secret of a user's program, where they do not come as HTTP Basic. ``scope`` is ignored."""

    grant_type: Annotated[str, Meta(description="`client_credentials`.")]
    client_id: str | None = None
    client_secret: str | None = None
    scope: str | None = None


class AnalyticsToken(msgspec.Struct):
    """A token, valid for ``expires_in`` seconds."""

    access_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - a kind of token


class TokenRefusal(msgspec.Struct):
    """Why there is no token: one of the words of RFC 6749 5.2, and a sentence."""

    error: str
    error_description: str
