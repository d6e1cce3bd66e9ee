"""Signatures and secrets of those who send without a token."""

import pytest

from app.auth.signatures import is_secret, is_signed, signature_of

BODY = b'[{"name":"parcels","layerId":0,"events":["FeaturesUpdated"]}]'
SECRET = "s\u00e9same"

BASE64 = "sha256=1Bt5iDuD/+040wsO57KGWWEcx3cT4EGCBsN2DfPunAY="
HEXADECIMAL = "sha256=d41b79883b83ffed38d30b0ee7b28659611cc77713e0418206c3760df3ee9c06"


def test_a_body_is_signed_as_openssl_signs_it() -> None:
    assert signature_of(SECRET, BODY) == BASE64


@pytest.mark.parametrize(
    "given",
    [
        BASE64,
        HEXADECIMAL,
        HEXADECIMAL.upper(),
        BASE64.replace("sha256", "SHA256"),
        BASE64.replace("=", "%3D").replace("+", "%2B").replace("/", "%2F"),
        f" {BASE64} ",
    ],
)
def test_a_signature_counts_in_each_form_that_is_sent(given: str) -> None:
    assert is_signed(SECRET, BODY, given)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "sha256=",
        BASE64.removeprefix("sha256="),
        BASE64.replace("sha256", "sha1"),
        BASE64[:-2] + "A=",
        BASE64.lower(),
        SECRET,
        "sha256=\udcff",
        "\u20ac",
        "sha256=%ZZ",
    ],
)
def test_anything_else_is_no_signature(given: str) -> None:
    assert not is_signed(SECRET, BODY, given)


def test_another_body_or_another_secret_has_another_signature() -> None:
    assert not is_signed(SECRET, BODY + b" ", BASE64)
    assert not is_signed("sesame", BODY, BASE64)


def test_a_secret_is_right_or_wrong_and_none_is_never_right() -> None:
    assert is_secret(SECRET, SECRET.encode().decode("latin-1"))
    assert not is_secret(SECRET, "sesame")
    assert not is_secret(SECRET, "\u20ac")
    assert not is_secret("", "")
    assert not is_signed("", BODY, signature_of("", BODY))
