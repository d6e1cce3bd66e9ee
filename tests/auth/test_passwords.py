"""Passwords: the right one is accepted, nothing else is, and nobody is told who exists."""

import pytest

from app.auth.passwords import hash_password, verify_password
from app.auth.sealing import Sealer
from app.errors import StoreUnavailable

pytestmark = pytest.mark.anyio


async def test_the_right_password_is_accepted_and_another_is_not() -> None:
    hashed = hash_password("correct horse")
    assert await verify_password(hashed, "correct horse")
    assert not await verify_password(hashed, "correct horse ")
    assert not await verify_password(hashed, "")


async def test_two_hashes_of_one_password_differ_and_show_nothing_of_it() -> None:
    first, second = hash_password("pässword"), hash_password("pässword")
    assert first != second
    assert first.startswith("$argon2id$")
    assert "pässword" not in first


async def test_nobody_has_no_password_not_even_the_one_that_is_compared_with() -> None:
    assert not await verify_password(None, "nobody has this password")


@pytest.mark.parametrize("stored", ["", "plain text", "$argon2id$v=19$broken"])
async def test_a_damaged_hash_is_no_password_at_all(stored: str) -> None:
    assert not await verify_password(stored, stored)


async def test_a_sealed_secret_opens_again_and_a_changed_one_does_not() -> None:
    sealer = Sealer("a long master key")
    sealed = sealer.seal(b"secret")
    assert sealer.open(sealed) == b"secret"
    assert sealed != sealer.seal(b"secret")
    with pytest.raises(StoreUnavailable):
        sealer.open(sealed[:-1] + bytes([sealed[-1] ^ 1]))


async def test_without_a_master_key_secrets_are_stored_as_they_are() -> None:
    assert Sealer(None).open(Sealer(None).seal(b"secret")) == b"secret"
    assert Sealer("a long master key").open(b"secret") == b"secret"
