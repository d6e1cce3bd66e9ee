"""Each function as a table: what it is worth, and what it refuses."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.expressions.arcade import (
    MAX_ITEMS,
    MAX_TEXT_BYTES,
    ArcadeError,
    ChangedProperties,
    Encoding,
    Scope,
    Value,
    evaluate,
    evaluate_text,
    evaluate_values,
)
from app.expressions.arcade_date_text import DATE_TOKENS
from app.expressions.arcade_table import FUNCTIONS, GROUPS
from app.expressions.arcade_tree import VARIABLES
from app.expressions.arcade_values import moment_of
from tests.expressions.facts import FACTS, SCOPE, KnownFacts
from tests.expressions.test_arcade_properties import is_sound

ARCADE_DOC = Path(__file__).resolve().parents[2] / "docs" / "arcade.md"

VALUES: list[tuple[str, str]] = [
    # jobs and users; the result is written as text
    ("'Job name = ' + jobName($job)", "Job name = Arcade @ Tests"),
    ("JobId($job)", "j1"),
    ("JobDescription($job)", ""),
    ("JobNotes($job) + JobStatus($job) + JobPriority($job)", "it'sReadyHigh"),
    ("JobPercentComplete($job)", "12.5"),
    ("JobTemplateName($job) + JobType($job)", "ReviewReview"),
    ("JobParentId($job) == $parentJob", "true"),
    ("JobName($parentJob)", "Parent"),
    ("JobName('j0')", "Parent"),
    ("JobDueDate($job)", "1589414631"),
    ("Text(Date(JobDueDate($job)), 'dddd, MMMM D, Y')", "Thursday, May 14, 2020"),
    ("Text(Date(JobEndDate($job)), 'D')", ""),
    ("JobStartedDate($job)", ""),
    ("JobLocation($job)", "1.0,2.0,3.0,4.5,102100"),
    ("JobHasLocation($job)", "true"),
    ("JobHasLocation($parentJob)", "false"),
    ("JobExtendedProperty($job, 'parcel', 'apn')", "12-34"),
    ("JobExtendedProperty($job, 'parcel', 'area') > 6", "true"),
    ("JobOutputArray($job, 's2')", '["a b",2,null]'),
    ("Count(JobOutputArray($job, 'other'))", "0"),
    ("LastRunner($job, 's1')", "dora"),
    ("JobComment($job)", "Looks good"),
    ("'assignedTo IN (' + userGroups($currentUser) + ')'", "assignedTo IN ('g1','o''g')"),
    ("UserEmail($currentUser)", "c@example.org"),
    ("UserFullName('ana') + UserFullName('carla')", "anaCarla C."),
    ("GetUser($currentPortal)['email']", "c@example.org"),
    ("GetUser($currentPortal, 'ana').username", "ana"),
    ("GetUser().groups[1]", "o'g"),
    # logic
    ("IIf(true, 1, 1 / 0)", "1"),
    ("IIf(1 > 2, 1 / 0, 'no')", "no"),
    ("When(false, 1, 2 > 1, 'second', 'none')", "second"),
    ("When(false, 1 / 0, 'none')", "none"),
    ("Decode(JobPriority($job), 'Low', 1, 'High', 10, 5)", "10"),
    ("Decode(3, 1, 'a', 'other')", "other"),
    ("DefaultValue(null, 'x') + DefaultValue('', 'y') + DefaultValue(0, 'z')", "xy0"),
    ("IsEmpty('')", "true"),
    ("IsEmpty(' ')", "false"),
    ("Boolean('TRUE') && !Boolean(0)", "true"),
    ("TypeOf([1]) + TypeOf(1) + TypeOf(null) + TypeOf(Now())", "ArrayNumberNullDate"),
    ("Dictionary('a', 1, 'b', [2])", '{"a":1,"b":[2]}'),
    ("Dictionary()", "{}"),
    ("HasKey({A: 1}, 'a')", "true"),
    ("HasValue({a: null}, 'a')", "false"),
    ("HasValue([1], 0)", "true"),
    ("HasValue('a', 0)", "false"),
    # text
    ("Text(1234567.891, '#,##0.00')", "1,234,567.89"),
    ("Text(-0.5, '0%') + Text(7, '000') + Text(0.004, '#.##')", "-50%007"),
    ("Text(5, '0,000') + Text(2.5, '$0.0# EUR')", "0,005$2.5 EUR"),
    ("Text(null, '0') + Text(true) + Text(1.0)", "true1"),
    ("Concatenate('a', 1, null, true)", "a1true"),
    ("Concatenate(['a', 'b'], ', ')", "a, b"),
    ("Concatenate([], ', ')", ""),
    ("Find('b', 'abcb') + ',' + Find('b', 'abcb', 2) + ',' + Find('x', 'abc')", "1,3,-1"),
    ("Left('abc', 2) + Right('abc', 2) + Right('abc', 0) + Left('abc', 9)", "abbcabc"),
    ("Mid('abcdef', 2, 3) + Mid('abc', 1) + Mid('abc', -1, 1)", "cdebca"),
    ("Lower('ÄB') + Upper('äb') + Proper('heLLo wORLD')", "äbÄBHello World"),
    ("'[' + Trim('  a ') + ']'", "[a]"),
    ("Replace('aXbX', 'X', '-') + Replace('aXbX', 'X', '-', false) + Replace('a', '', 'b')", "a-b-a-bXa"),
    ("Split('a,b,c', ',')", '["a","b","c"]'),
    ("Split('a,b,c', ',', 2)", '["a","b"]'),
    ("Split('abc', '')", '["a","b","c"]'),
    ("Count('abc') + Count([1]) + Count({a: 1})", "5"),
    ("ToHex(255)", "ff"),
    ("ToCharCode('a') + FromCharCode(66, 228)", "97Bä"),
    ("UrlEncode('a b&ü') + UrlEncode({a: 1, b: 'c d'})", "a%20b%26%C3%BCa=1&b=c%20d"),
    ("Guid()", "{00000000-0000-0000-0000-000000000001}"),
    ("Guid('digits')", "00000000000000000000000000000001"),
    # numbers
    ("Abs(-3) + Ceil(1.2) + Floor(-1.2)", "3"),
    ("Ceil(1.21, 1) + ' ' + Floor(1.29, 1)", "1.3 1.2"),
    ("Round(2.5) + ' ' + Round(-2.5) + ' ' + Round(1.005, 2) + ' ' + Round(1e300)", "3 -3 1.01 1e+300"),
    ("Number('12') + Number(' 1.5e1 ') + Number(true)", "28"),
    ("Number(null)", ""),
    ("Number(Date(1000000000000))", "1000000000000"),
    ("IsNaN('x') && !IsNaN(1)", "true"),
    ("Pow(2, 10) + Sqrt(9)", "1027"),
    ("Min(3, 1, 2) + Max([4, 9]) + Sum(1, 2) + Sum([])", "13"),
    ("Average([1, 2]) + Mean(3)", "4.5"),
    ("Min([])", ""),
    # dates
    ("Now()", "2025-11-17T08:30:00.500Z"),
    ("Timestamp() == Now()", "true"),
    ("Today()", "2025-11-17T00:00:00Z"),
    ("Date(2024, 1, 29)", "2024-02-29T00:00:00Z"),
    ("Date('2025-01-01T01:00:00+01:00')", "2025-01-01T00:00:00Z"),
    ("Date(1589414631)", "2020-05-14T00:03:51Z"),
    ("Date('1589414631')", "2020-05-14T00:03:51Z"),
    ("Date(1589414631000)", "2020-05-14T00:03:51Z"),
    ("Date(null)", ""),
    ("DateAdd(Date(2024, 0, 31), 1, 'month')", "2024-02-29T00:00:00Z"),
    ("DateAdd(Date(2024, 1, 29), 1, 'YEARS')", "2025-02-28T00:00:00Z"),
    ("DateAdd(Date(2024, 0, 1), 1.5)", "2024-01-02T12:00:00Z"),
    ("DateDiff(Date(2024, 0, 2), Date(2024, 0, 1), 'hours')", "24"),
    ("DateDiff(Date(2024, 0, 2), Date(2024, 0, 1))", "86400000"),
    ("DateDiff(Date(2025, 3, 1), Date(2024, 0, 1), 'months')", "15"),
    ("Year(Now()) + '-' + Month(Now()) + '-' + Day(Now())", "2025-10-17"),
    ("ISOMonth(Now()) + ' ' + Weekday(Now()) + ' ' + ISOWeekday(Now())", "11 1 1"),
    ("Hour(Now()) + Minute(Now()) + Second(Now()) + Millisecond(Now())", "538"),
    ("ISOWeek(Date(2025, 11, 29)) + ' ' + ISOYear(Date(2025, 11, 29)) + ' ' + Week(Date(2025, 0, 5))", "1 2026 1"),
    ("ToUTC(Today()) == Today()", "true"),
    ("Today() < Now()", "true"),
    ("Text(Now(), 'YY-MM-DDTHH:mm:ss.SSS Z [at] h A')", "25-11-17T08:30:00.500 +00:00 at 8 AM"),
    # arrays
    ("First([3, 1]) + Front([4]) + Back([1, 9])", "16"),
    ("First([])", ""),
    ("Includes([1, 'a'], 'a') && !Includes([1], true)", "true"),
    ("IndexOf(['a', 'b'], 'b') + IndexOf([], 1)", "0"),
    ("Slice([1, 2, 3, 4], 1, 3)", "[2,3]"),
    ("Slice([1, 2, 3], -2)", "[2,3]"),
    ("Reverse([1, 2])", "[2,1]"),
    ("Sort(['b', 'B', 'a'])", '["B","a","b"]'),
    ("Distinct([1, 1.0, true, 'a', 'a', true])", '[1,true,"a"]'),
    ("Splice([1, 2], 3, ['a'])", '[1,2,3,"a"]'),
]


@pytest.mark.parametrize(("text", "result"), VALUES, ids=[text for text, _ in VALUES])
def test_a_function_is_worth(text: str, result: str) -> None:
    assert evaluate_text(text, SCOPE) == result


def test_every_function_is_in_the_table_above() -> None:
    called = {name.lower() for text, _ in VALUES for name in re.findall(r"([A-Za-z]+)\(", text)}
    indirect = {"jobcreator", "jobowner", "jobcreateddate", "jobstartdate"}  # in test_arcade, or as JobDueDate
    assert set(FUNCTIONS) - called <= indirect


REFUSED: list[tuple[str, str]] = [
    ("JobName('j9')", "there is no job 'j9'"),
    ("JobName(null)", "JobName needs a job, and there is none here"),
    ("JobExtendedProperty($job, 'parcel', 'x')", "no extended property parcel.x"),
    ("UserEmail('nobody')", "there is no user 'nobody'"),
    ("IIf(1, 2, 3)", "IIf needs true or false as its first argument; got a number"),
    ("Boolean('yes')", "Boolean takes true, false"),
    ("HasKey([1], 'a')", "HasKey needs a dictionary"),
    ("Dictionary('a')", "needs a value for each key"),
    ("Text([1], '0')", "Text needs a number as its first argument; got an array"),
    ("Text(1, 'x')", "'x' is no format of a number"),
    ("Text(Now(), 'Q')", "a date's format has no 'Q'"),
    ("Upper([1])", "Upper needs text"),
    ("Left('a', 1.5)", "Left needs a whole number as its second argument"),
    ("Left('a', 'b')", "Left needs a number as its second argument; got text"),
    ("Concatenate(['a'], 'b', 'c')", "an array and a separator"),
    ("ToHex(-1)", "not negative"),
    ("ToCharCode('a', 1)", "no character 1"),
    ("FromCharCode(55296)", "code points"),
    ("Guid('x')", "Guid takes digits"),
    ("Round(1, 99)", "0 to 15"),
    ("Number('1_0')", "'1_0' is not a number"),
    ("Number('nan')", "'nan' is not a number"),
    ("Number('1e999')", "out of range"),
    ("Number([1])", "Number needs a date"),
    ("Pow(10, 400)", "no number in range"),
    ("Sqrt(-1)", "not negative"),
    ("Sum(1, 'a')", "Sum needs a number as its second argument"),
    ("Sum(['a'])", "Sum needs numbers as its first argument"),
    ("Date('soon')", "'soon' is not a date"),
    ("Date(2024, 12, 1)", "months 0 (January) to 11"),
    ("Date(2025, 1, 29)", "there is no such date"),
    ("Date(2025, 1)", "a year, a month and a day"),
    ("DateAdd(Now(), 1, 'moons')", "there is no unit 'moons'; known: milliseconds"),
    ("DateAdd(Now(), 1e15)", "outside the years"),
    ("DateAdd(Now(), 100000, 'years')", "outside the years"),
    ("Date(1e300)", "outside the years"),
    ("Year('2025')", "Year needs a date, for instance Date(...), as its first argument; got text"),
    ("Front([])", "not empty"),
    ("Back([])", "not empty"),
    ("Sort([1, 'a'])", "needs two numbers"),
    ("GetUser(1, 2, 3)", "does not take 3 arguments"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[text for text, _ in REFUSED])
def test_a_function_refuses(text: str, words: str) -> None:
    with pytest.raises(ArcadeError, match=re.escape(words)) as caught:
        evaluate(text, SCOPE)
    assert caught.value.position is not None


# ---------------------------------------------------------------- limits


BIG = replace(SCOPE, ret_val="a" * MAX_TEXT_BYTES)


@pytest.mark.parametrize(
    "text",
    [
        "Replace($retVal, 'a', $retVal)",
        "Replace($retVal, 'a', 'bb')",
        "Concatenate([$retVal, $retVal])",
        "Concatenate(Split(Left($retVal, 5000), ''), Left($retVal, 5000))",
        "UrlEncode(Replace($retVal, 'a', '%'))",
        "Upper(Replace(Left($retVal, 30000), 'a', 'ŉ'))",
        "'' + [$retVal, $retVal]",
        "`${$retVal}!`",
    ],
)
def test_no_function_makes_text_beyond_the_limit(text: str) -> None:
    with pytest.raises(ArcadeError, match="longer than 65536 bytes"):
        evaluate_text(text, BIG)


@pytest.mark.parametrize("text", ["Split($retVal, '')", "Split($retVal, 'a')"])
def test_no_function_makes_an_array_beyond_the_limit(text: str) -> None:
    with pytest.raises(ArcadeError, match=f"more than {MAX_ITEMS} items"):
        evaluate(text, BIG)


def test_reading_long_values_again_and_again_uses_up_the_steps() -> None:
    for text, times in (("Count($retVal)", 160), ("Count(Split(Left($retVal, 9000), ''))", 6)):
        with pytest.raises(ArcadeError, match="more than 10000 steps"):
            evaluate("+".join([text] * times), BIG)


def literal() -> st.SearchStrategy[str]:
    return st.sampled_from(
        "1 -2 0.5 1e300 9223372036854775807 0 16 -1 true false null 'a' '' 'a,b' '2025-01-01' '12' '#,##0.0' 'YYYY' "
        "$job $currentUser $retVal [] [3,1,2] ['a','b'] [[1],2] {a:1} Now() Today() Date(0)".split(" ")
    )


def calls(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = st.sampled_from(sorted(function.name for function in FUNCTIONS.values()))
    return st.builds(lambda name, given: f"{name}({', '.join(given)})", names, st.lists(parts, max_size=5))


@given(st.recursive(literal(), calls, max_leaves=12))
def test_any_calls_end_in_a_sound_value_or_an_arcade_error(text: str) -> None:
    scope = replace(SCOPE, ret_val="aXbX" * 1000)
    try:
        value = evaluate(text, scope)
        written = evaluate_text(text, scope)
    except ArcadeError:
        return
    assert is_sound(value)
    assert is_sound(written)


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999), st.text(alphabet="YMDdEWHhmsSAZxX[]- :T\n", max_size=12))
def test_any_format_of_any_date_is_text_or_refused(ms: int, pattern: str) -> None:
    try:
        value = evaluate("Text($retVal, $currentUser)", Scope(pattern, ret_val=moment_of(ms)))
    except ArcadeError:
        return
    assert isinstance(value, str)


# ---------------------------------------------------------------- scopes


@pytest.mark.parametrize(
    ("encoding", "result"),
    [
        (Encoding.STANDARD, "Job name = Arcade @ Tests"),
        (Encoding.URL, "Job name = Arcade+%40+Tests"),
        (Encoding.QUERY, "Job name = Arcade @ Tests"),
    ],
)
def test_only_values_of_job_functions_are_encoded(encoding: Encoding, result: str) -> None:
    assert evaluate("'Job name = ' + jobName($job)", replace(SCOPE, encoding=encoding)) == result


def test_a_value_in_a_condition_keeps_its_quotes_and_an_address_its_parts() -> None:
    query, url = replace(SCOPE, encoding=Encoding.QUERY), replace(SCOPE, encoding=Encoding.URL)
    assert evaluate('"notes=\'" + JobNotes($job) + "\'"', query) == "notes='it''s'"
    assert evaluate("'?a=' + JobOutputArray($job, 's2')[0] + '&b=c d'", url) == "?a=a+b&b=c d"
    assert evaluate("UserFullName($currentUser)", url) == "Carla C."


def test_properties_that_are_about_to_be_set_count() -> None:
    facts = ChangedProperties(FACTS, "j1", {("parcel", "apn"): "99", ("parcel", "area"): None})
    scope = replace(SCOPE, facts=facts)
    assert evaluate("JobExtendedProperty($job, 'parcel', 'apn')", scope) == "99"
    assert evaluate("JobExtendedProperty($job, 'parcel', 'area')", scope) is None
    assert evaluate("JobComment($job) + UserEmail($currentUser) + Guid('digits')", scope)


def test_facts_are_asked_only_where_an_expression_needs_them() -> None:
    facts = KnownFacts()
    assert evaluate("IIf(true, 1, Guid())", replace(SCOPE, facts=facts)) == 1
    assert facts.ids == 0


@pytest.mark.parametrize(
    ("text", "values"), [("['a', 1]", ("a", 1)), ("null", ()), ("'x'", ("x",)), ("Split('a b', ' ')", ("a", "b"))]
)
def test_a_list_of_values_is_an_arrays_items_or_the_one_value(text: str, values: tuple[Value, ...]) -> None:
    assert evaluate_values(text, SCOPE) == values


# ---------------------------------------------------------------- documentation


def test_the_documentation_lists_the_functions_as_the_table_has_them() -> None:
    text = ARCADE_DOC.read_text()
    listed = [function for functions in GROUPS.values() for function in functions.values()]
    rows = [f"| `{function.signature}` | {function.meaning} |" for function in listed]
    assert re.findall(r"^\| `[A-Za-z]+\(.*\|$", text, re.MULTILINE) == rows
    assert [f"### {name}" for name in GROUPS] == [line for line in text.splitlines() if line.startswith("### ")]


def test_the_documentation_lists_the_variables_and_the_tokens_of_dates() -> None:
    text = ARCADE_DOC.read_text()
    assert re.findall(r"^\| `(\$\w+)`", text, re.MULTILINE) == [name for name, _ in VARIABLES.values()]
    tokens = [f"`{token}` {meaning}" for token, (meaning, _) in DATE_TOKENS.items()]
    assert "; ".join(tokens) in " ".join(text.split())
