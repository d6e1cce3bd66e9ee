"""Typed values: what is one, the form it is kept in, what it compares by; and definitions of properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.properties import Domain, Property, Table, Tables
from app.domain.values import NO_VALUE, DataType, Value, compare, read_value
from app.errors import InvalidValue

KEPT = [
    ("String", " a b ", Value(" a b ")),
    ("String", "", Value("")),
    ("Integer", " 007 ", Value("7", integer=7)),
    ("Integer", "-9223372036854775808", Value("-9223372036854775808", integer=-(2**63))),
    ("Double", "+12.50", Value("12.50", number=12.5)),
    ("Double", "-0", Value("-0", number=0.0)),
    ("Double", "1e3", Value("1e3", number=1000.0)),
    ("Boolean", "True", Value("true", integer=1)),
    ("Boolean", "0", Value("false", integer=0)),
    ("DateTime", "2025-11-17T09:00:00+01:00", Value("2025-11-17T08:00:00Z", integer=1_763_366_400_000)),
    ("DateTime", "1763366400001", Value("2025-11-17T08:00:00.001Z", integer=1_763_366_400_001)),
    ("DateTime", "2025-11-17", Value("2025-11-17T00:00:00Z", integer=1_763_337_600_000)),
    ("DateOnly", "2025-11-17", Value("2025-11-17", integer=1_763_337_600_000)),
    ("TimeOnly", "08:30", Value("08:30:00", integer=30_600_000)),
    ("TimestampOffset", "2025-11-17T09:00:00+01:00", Value("2025-11-17T09:00:00+01:00", integer=1_763_366_400_000)),
]


@pytest.mark.parametrize(("data_type", "text", "value"), KEPT)
def test_a_value_has_one_form_and_reads_back_as_itself(data_type: str, text: str, value: Value) -> None:
    kind = DataType(data_type)
    assert read_value(kind, text) == value
    assert read_value(kind, value.text) == value


@pytest.mark.parametrize("data_type", [kind for kind in DataType if kind is not DataType.STRING])
def test_no_text_and_empty_text_are_no_value(data_type: DataType) -> None:
    assert read_value(data_type, None) == read_value(data_type, "  ") == NO_VALUE


@pytest.mark.parametrize(
    ("data_type", "text", "words"),
    [
        ("Integer", "4.0", "a whole number"),
        ("Integer", "9223372036854775808", "a whole number of 64 bits"),
        ("Integer", "١٢", "a whole number"),
        ("Double", "nan", "a number"),
        ("Double", "1e999", "a number"),
        ("Double", "1_0", "a number"),
        ("Boolean", "yes", "true or false"),
        ("DateTime", "soon", "a moment"),
        ("DateTime", "9999999999999999999", "a moment"),
        ("DateOnly", "2025-11-17T08:00:00Z", "a day"),
        ("TimeOnly", "08:00:00+01:00", "a time of day"),
        ("TimestampOffset", "2025-11-17T08:00:00", "a moment with its offset"),
    ],
)
def test_what_is_no_value_of_a_type_is_refused_with_an_example(data_type: str, text: str, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        read_value(DataType(data_type), text)


@given(st.text())
def test_any_text_is_a_value_or_is_refused_and_nothing_else_happens(text: str) -> None:
    for kind in DataType:
        try:
            value = read_value(kind, text)
        except InvalidValue:
            continue
        assert read_value(kind, value.text) == value


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_compare_as_numbers(left: float, right: float) -> None:
    values = (read_value(DataType.DOUBLE, repr(left)), read_value(DataType.DOUBLE, repr(right)))
    assert compare(*values) == (left > right) - (left < right)


# ---------------------------------------------------------------- definitions

CODED = Property("colour", domain=Domain(codes={"r": "Red", "g": "Green"}))
NUMBERED = Property("floor", DataType.INTEGER, domain=Domain(low="1", high="12"))


def test_a_value_must_be_in_the_domain_and_within_the_length() -> None:
    assert CODED.read("r") == Value("r")
    assert NUMBERED.read("012") == Value("12", integer=12)
    with pytest.raises(InvalidValue, match=r"'Red' is not one of r \(Red\), g \(Green\)"):
        CODED.read("Red")
    with pytest.raises(InvalidValue, match="13 is not between 1 and 12"):
        NUMBERED.read("13")
    with pytest.raises(InvalidValue, match="6 characters; at most 5"):
        Property("note", length=5).read("123456")
    with pytest.raises(InvalidValue, match="required"):
        Property("note", required=True).read("")
    assert CODED.read(None) == NO_VALUE


def test_a_definition_that_contradicts_itself_says_so() -> None:
    coded, upside_down = Domain(codes={"one": "1"}), Domain(low="10", high="9")
    faults = [
        (Property("p", DataType.INTEGER, domain=coded), "domain: 'one' is not a whole number"),
        (Property("p", DataType.INTEGER, domain=upside_down), "10 is above 9"),
        (Property("p", DataType.INTEGER, default="13", domain=NUMBERED.domain), "defaultValue: 13 is not between"),
        (Property("p", length=2, default="abc"), "defaultValue: the text has 3 characters"),
    ]
    for definition, fault in faults:
        (found,) = definition.faults()
        assert fault in found
    assert list(Property("p", DataType.DATE_ONLY, domain=Domain(low="2025-01-01", high="2025-12-31")).faults()) == []


def test_all_faults_are_told_at_once_and_unknown_names_with_the_known_ones() -> None:
    tables = Tables(
        {"site": Table("site", {"floor": NUMBERED}), "rows": Table("rows", {"floor": NUMBERED}, is_many=True)}
    )
    with pytest.raises(InvalidValue) as refused:
        tables.read({"site.floor": "0", "site.cellar": "1", "rows.floor": "1"})
    assert len(refused.value.details) == 3
    assert refused.value.details[1].endswith("it has: site.floor")
    with pytest.raises(InvalidValue, match="no table 'site' of several rows; it has: rows"):
        tables.many("site")
