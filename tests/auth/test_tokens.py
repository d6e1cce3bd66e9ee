"""Tokens: whom they speak for, until when, and what is not believed."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import jwt
import pytest

from app.auth.sealing import Sealer
from app.auth.tokens import ALGORITHM, AUDIENCE, ISSUER, MAX_TTL_S, Principal, Tokens
from app.errors import StoreUnavailable, Unauthenticated
from app.services.ports import SigningKey

START_MS = 1_800_000_000_000
OLD = SigningKey("old", b"o" * 32, START_MS - 5_000, None)
NEW = SigningKey("new", b"n" * 32, START_MS, None)


class Clock:
    """A time that moves when told to."""

    def __init__(self) -> None:
        self.ms = START_MS

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    made = Tokens(clock)
    made.use([OLD])
    return made


def forged(key: SigningKey = OLD, **changes: Any) -> str:
    """A token signed with the right key and claims of the test's own; None leaves a claim out."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "iat": START_MS // 1000,
        "exp": START_MS // 1000 + 60,
    } | changes
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(given, key.secret, ALGORITHM, headers={"kid": key.key_id})


def test_a_token_speaks_for_its_user_until_it_expires(tokens: Tokens) -> None:
    assert tokens.verify(tokens.issue("ann", 60)) == Principal("ann", START_MS + 60_000)


@pytest.mark.parametrize("seen_before", [False, True])
def test_an_expired_token_is_refused_also_when_it_was_seen_before(
    tokens: Tokens, clock: Clock, seen_before: bool
) -> None:
    token = tokens.issue("ann", 60)
    if seen_before:
        tokens.verify(token)
    clock.ms += 59_999
    assert tokens.verify(token).username == "ann"
    clock.ms += 1
    with pytest.raises(Unauthenticated, match="expired"):
        tokens.verify(token)


def test_a_token_lives_no_longer_than_the_longest_lifetime(tokens: Tokens) -> None:
    assert tokens.verify(tokens.issue("ann", 10**9)).expires_ms == START_MS + MAX_TTL_S * 1000


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_refused(tokens: Tokens, token: str | None) -> None:
    with pytest.raises(Unauthenticated, match="No token"):
        tokens.verify(token)


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "..", "é.é.é", "x" * 5_000, f"{urlsafe_b64encode(b'[' * 3_000).decode()}.e30.e30"]
)
def test_what_is_no_token_is_refused(tokens: Tokens, token: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(token)


def test_a_token_of_the_right_key_and_claims_is_accepted(tokens: Tokens) -> None:
    assert tokens.verify(forged()).username == "ann"


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"exp": None},
        {"exp": "never"},
        {"exp": True},
        {"exp": 4e9},
        {"iat": None},
        {"iss": "somebody-else"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": None},
    ],
)
def test_a_token_with_wrong_claims_is_refused(tokens: Tokens, changes: dict[str, Any]) -> None:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": START_MS // 1000, "exp": START_MS // 1000 + 60}
    given = {name: value for name, value in (claims | changes).items() if value is not None}
    header = {"alg": "HS256", "typ": "JWT", "kid": OLD.key_id}
    signing_input = b".".join(_part(part) for part in (header, given))
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signing_input, OLD.secret)
    token = b".".join([signing_input, urlsafe_b64encode(signature).rstrip(b"=")]).decode()
    with pytest.raises(Unauthenticated):
        tokens.verify(token)


def test_a_token_with_a_changed_user_is_refused(tokens: Tokens) -> None:
    header, payload, signature = tokens.issue("ann", 60).split(".")
    claims = json.loads(urlsafe_b64decode(payload + "=="))
    changed = _part(claims | {"sub": "admin"}).decode()
    with pytest.raises(Unauthenticated, match="was changed"):
        tokens.verify(f"{header}.{changed}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS512", "RS256"])
def test_the_algorithm_that_a_token_names_is_not_believed(tokens: Tokens, algorithm: str) -> None:
    _, payload, signature = tokens.issue("ann", 60).split(".")
    header = _part({"alg": algorithm, "kid": OLD.key_id}).decode()
    for end in (signature, ""):
        with pytest.raises(Unauthenticated):
            tokens.verify(f"{header}.{payload}.{end}")


def test_a_token_of_an_unknown_key_is_refused(tokens: Tokens) -> None:
    with pytest.raises(Unauthenticated, match="key this server does not know"):
        tokens.verify(forged(NEW))


@pytest.mark.parametrize("kid", [None, "", 7, ["old"], {"a": 1}])
def test_a_token_that_names_no_key_is_refused(tokens: Tokens, kid: Any) -> None:
    _, payload, signature = forged().split(".")
    header = _part({"alg": "HS256", "kid": kid}).decode()
    with pytest.raises(Unauthenticated):
        tokens.verify(f"{header}.{payload}.{signature}")


def test_after_a_rotation_the_new_key_signs_and_old_tokens_stay_valid(tokens: Tokens, clock: Clock) -> None:
    before = tokens.issue("ann", 60)
    retired = SigningKey(OLD.key_id, OLD.secret, OLD.created_ms, clock.ms)
    tokens.use([retired, NEW])
    after = tokens.issue("ann", 60)
    assert jwt.get_unverified_header(after)["kid"] == NEW.key_id
    assert tokens.verify(before) == tokens.verify(after)


def test_a_retired_key_verifies_nothing_once_all_it_signed_has_run_out(tokens: Tokens, clock: Clock) -> None:
    tokens.use([SigningKey(OLD.key_id, OLD.secret, OLD.created_ms, clock.ms), NEW])
    late = START_MS // 1000 + MAX_TTL_S + 60
    token = forged(OLD, exp=late)
    assert tokens.verify(token).expires_ms == late * 1000
    clock.ms += MAX_TTL_S * 1000
    tokens.use([SigningKey(OLD.key_id, OLD.secret, OLD.created_ms, START_MS)])
    with pytest.raises(Unauthenticated, match="does not know"):
        tokens.verify(token)


def test_a_key_that_is_gone_takes_back_tokens_seen_before(tokens: Tokens) -> None:
    token = tokens.issue("ann", 60)
    tokens.verify(token)
    tokens.use([NEW])
    with pytest.raises(Unauthenticated):
        tokens.verify(token)


def test_without_a_key_nothing_can_be_signed(clock: Clock) -> None:
    with pytest.raises(LookupError):
        Tokens(clock).issue("ann", 60)


def test_no_refusal_shows_the_token_or_the_words_that_make_clients_repeat(tokens: Tokens, clock: Clock) -> None:
    expired = tokens.issue("ann", 1)
    clock.ms += 2_000
    for token in (expired, forged(NEW), forged(iss="other"), "MARKED", ""):
        with pytest.raises(Unauthenticated) as caught:
            tokens.verify(token)
        text = str(caught.value).lower()
        assert "invalid token" not in text
        assert "token required" not in text
        assert not token or token.lower() not in text


def test_sealed_keys_sign_and_verify_under_the_same_master_key_only(clock: Clock) -> None:
    sealed = SigningKey("k", Sealer("a long master key").seal(b"s" * 32), START_MS, None)
    tokens = Tokens(clock, Sealer("a long master key"))
    tokens.use([sealed])
    assert tokens.verify(tokens.issue("ann", 60)).username == "ann"
    assert b"s" * 32 not in sealed.secret
    with pytest.raises(StoreUnavailable, match="not the one"):
        Tokens(clock, Sealer("another master key")).use([sealed])
    with pytest.raises(StoreUnavailable, match="set STEPGATE_SECRET_KEY"):
        Tokens(clock, Sealer(None)).use([sealed])


def _part(value: Any) -> bytes:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")
