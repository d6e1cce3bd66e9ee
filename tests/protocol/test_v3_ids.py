"""The two forms of a number, and the keys of questions, by the vectors of v3-jobs.md 4.1 and 4.5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.text import parse_time
from app.protocol.v3.ids import MAX_NUMBER, NumberId, hex_id, parse_id, prompt_key


@pytest.mark.parametrize(
    ("number", "created", "text"),
    [
        (1042, "2026-03-02T09:15:00Z", "69a555140000000000000412"),
        (1043, "2026-03-02T09:20:30Z", "69a5565e0000000000000413"),
    ],
)
def test_the_long_form_is_the_second_and_the_number(number: int, created: str, text: str) -> None:
    created_ms = parse_time(created)
    assert hex_id(number, created_ms) == text
    found = parse_id(text.upper())
    assert found is not None
    assert (found.number, found.is_hex, found.fits(created_ms)) == (number, True, True)
    assert not found.fits(created_ms + 1_000)


def test_24_decimal_digits_are_hexadecimal_all_the_same() -> None:
    assert parse_id("000000000000000000000010") == NumberId(16, 0)


@pytest.mark.parametrize("text", ["1", "42", str(MAX_NUMBER)])
def test_the_short_form_is_a_plain_integer_that_fits_any_moment(text: str) -> None:
    assert parse_id(text) == NumberId(int(text))
    assert NumberId(int(text)).fits(123)


@pytest.mark.parametrize(
    "text",
    ["", "0", "01", "-1", "+1", "1.0", "1e3", "x", str(MAX_NUMBER + 1), "9" * 17, "69a55514000000000000041",
     "69a5551400000000000004123", "g9a555140000000000000412", "0" * 24, "69a55514ffffffffffffffff", "٣", " 1"],
)  # fmt: skip
def test_anything_else_names_nothing(text: str) -> None:
    assert parse_id(text) is None


@given(st.integers(1, MAX_NUMBER), st.integers(0, 2**32 * 1000 - 1))
def test_what_was_written_is_read(number: int, created_ms: int) -> None:
    found = parse_id(hex_id(number, created_ms))
    assert found is not None
    assert found.number == number
    assert found.fits(created_ms)


@pytest.mark.parametrize(("round_", "key"), [(1, "-645149421"), (2, "1082301609")])
def test_the_key_of_a_question_is_that_of_the_reference(round_: int, key: str) -> None:
    assert prompt_key(1042, "review", round_) == key
