"""Codes: every error has one, ranges mean what they say, and the documentation lists them all."""

import re
from pathlib import Path

import pytest

from app import errors
from app.protocol.codes import CLOSE_CODES, RECONNECT, STOP, CloseCode, MsgCode, ReplyCode, reply_code

ROOT = Path(__file__).parents[2]
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidValue("x"), "invalid"),
        (errors.NotFound("x"), "not_found"),
        (errors.PermissionDenied("x"), "not_allowed"),
        (errors.Unauthenticated("x"), "unauthenticated"),
        (errors.QuotaExceeded("x"), "limit"),
        (errors.StoreUnavailable("x"), "unavailable"),
        (errors.StepTimedOut("x"), "step_failed"),
        (errors.ProtocolError("x"), "malformed"),
        (ValueError("x"), "internal"),
    ],
)
def test_an_error_has_the_code_of_its_class_or_nearest_base(error: Exception, code: str) -> None:
    assert reply_code(error) == code


def test_a_close_code_says_reconnect_or_stop_by_its_range() -> None:
    assert all(code.is_reconnect and not code.is_stop for code in (CloseCode(4000, ""), CloseCode(4499, "")))
    assert all(code.is_stop and not code.is_reconnect for code in (CloseCode(4500, ""), CloseCode(4999, "")))
    assert [CloseCode(number, "").is_reconnect for number in (1000, 1001, 1006, 1009, 1012)] == [
        False, True, True, False, True,
    ]  # fmt: skip
    assert all(code.code in RECONNECT or code.code in STOP or code.code < 4000 for code in CLOSE_CODES)
    assert all(len(code.reason.encode()) <= 123 for code in CLOSE_CODES)


@pytest.mark.parametrize("code", [*MsgCode, *ReplyCode])
def test_every_code_is_documented(code: str) -> None:
    assert f"`{code}`" in PROTOCOL


@pytest.mark.parametrize("close", CLOSE_CODES, ids=lambda close: str(close.code))
def test_every_close_code_is_documented_with_its_meaning(close: CloseCode) -> None:
    row = re.search(rf"^\| {close.code} \|.*$", PROTOCOL, re.MULTILINE)
    assert row is not None
    assert ("come back" in row[0]) is close.is_reconnect
    assert ("stop" in row[0]) is close.is_stop


def test_every_message_code_the_domain_uses_is_in_the_table() -> None:
    used = set()
    for path in (ROOT / "app" / "domain").glob("*.py"):
        used |= set(re.findall(r'StepFault\([^"\n]*(?:f?"[^"\n]*", )?"([A-Z_]+)"\)', path.read_text()))
    assert used
    assert used <= {code.value for code in MsgCode}
