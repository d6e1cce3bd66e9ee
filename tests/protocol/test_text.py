"""What comes from outside is decoded, checked and explained in one place."""

import msgspec
import pytest

from app.errors import InvalidValue
from app.protocol.text import decode, iso, parse_time


class Sample(msgspec.Struct, rename="camel"):
    job_id: str
    count: int = 0
    names: list[str] = []


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "it is empty, and must be JSON"),
        (b"{", "it is not JSON"),
        (b"[1]", "expected `object`, got `array`"),
        (b"{}", "object missing required field `jobId`"),
        (b'{"jobId":1}', "expected `str`, got `int` at $.jobId"),
        (b'{"jobId":"a","names":["b",2]}', "expected `str`, got `int` at $.names[1]"),
        (b'{"jobId":"a","count":1.5}', "expected `int`, got `float` at $.count"),
        (rb'{"jobId":"a\u0000"}', "the text holds a NUL character at $.jobId"),
        (rb'{"jobId":"\ud800"}', "the text holds half of a surrogate pair at $.jobId"),
        (rb'{"jobId":"a","other":["\udc00"]}', "the text holds half of a surrogate pair at $.other[0]"),
        (rb'{"jobId":"a","\ud8ff":1}', "half of a surrogate pair at $ (a member's name)"),
        (b'{"jobId":"a","count":9223372036854775808}', "the integer does not fit into 64 bits at $.count"),
        (b'{"jobId":"a","other":-9223372036854775809}', "the integer does not fit into 64 bits at $.other"),
        (b'{"jobId":"a","other":' + b"9" * 5000 + b"}", "the integer does not fit into 64 bits at $.other"),
        (b'{"jobId":"a","other":"\xff"}', "byte 22 is not valid UTF-8"),
        (b'{"other":' * 100_000, "it is nested too deeply"),
    ],
)
def test_bad_json_is_refused_with_its_fault_and_path(raw: bytes, fault: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        decode(Sample, raw)
    assert str(caught.value).startswith("Sample was invalid: ")
    assert fault in caught.value.details[0]


def test_text_that_only_looks_suspicious_is_accepted() -> None:
    raw = (
        rb'{"jobId":"\\u0000 \ud83d\ude00 12345678901234567890","count":-9223372036854775808,"x":0.1234567890123456789}'
    )
    assert decode(Sample, raw) == Sample("\\u0000 \U0001f600 12345678901234567890", -(2**63))


def test_a_name_of_the_schema_goes_before_that_of_the_type() -> None:
    with pytest.raises(InvalidValue, match=r"^WorkflowDiagram was invalid: "):
        decode(msgspec.json.Decoder(Sample), b"{}", "WorkflowDiagram")


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_763_366_400_000, "2025-11-17T08:00:00Z"),
        (1_763_366_400_007, "2025-11-17T08:00:00.007Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_moments_are_written_and_read_back(ms: int, text: str) -> None:
    assert iso(ms) == text
    assert parse_time(text) == ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2025-11-17T09:00:00+01:00", 1_763_366_400_000),
        ("2025-11-17T08:00:00", 1_763_366_400_000),
        ("2025-11-17", 1_763_337_600_000),
        ("2025-11-17T08:00:00.0009Z", 1_763_366_400_000),
    ],
)
def test_other_forms_of_a_moment_are_understood(text: str, ms: int) -> None:
    assert parse_time(text) == ms


@pytest.mark.parametrize("text", ["", "tomorrow", "2025-13-01", "1763366400000"])
def test_what_is_not_a_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="Write it like"):
        parse_time(text)
