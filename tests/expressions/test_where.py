"""Conditions of job searches: what is read, what is refused and with which words, and what a condition is worth.

That SQL finds the same is shown in ``tests/contracts/test_store_search.py``.
"""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidValue
from app.expressions.job_fields import FIELDS, find_field
from app.expressions.where import Condition, Constant, Look, matches
from app.expressions.where_grammar import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, MAX_VALUES, WhereError, read

NOW_MS = 1_763_368_200_500  # 2025-11-17T08:30:00.500Z


def look(step: dict[str, str | None] | None = None, **members: str | float | bool | None) -> Look:
    texts = [str(value).casefold() for value in members.values()]
    return Look(members, step or {}, texts, {("parcel", "area"): ("12", 12), ("parcel", "apn"): ("12-34", None)})


READ: list[tuple[str, str]] = [
    ("closed=0", "closed=0"),
    ("assignedType='User' AND closed=0 ", "assigned_type='User' AND closed=0"),
    ("DIAGRAMID = 'x'", "diagram='x'"),
    ("diagram_id='x' or DIAGRAM='y'", "diagram='x' OR diagram='y'"),
    ("Job_Template_Name != 'it''s'", "job_template_name<>'it''s'"),
    ("a.b = 1 AND (NOT x.y LIKE '%')", "a.b=1 AND NOT (x.y LIKE '%')"),
    ("jobName = 'a' OR jobName = 'b' AND closed = 1", "job_name='a' OR (job_name='b' AND closed=1)"),
    ("(jobName = 'a' OR jobName = 'b') AND closed = true", "(job_name='a' OR job_name='b') AND closed=1"),
    ("priority IN ('a' , 'b')", "priority IN ('a','b')"),
    ("priority NOT IN ()", "NOT (priority IN ())"),
    ("percentComplete BETWEEN -1 AND +2.5e1", "percent_complete>=-1 AND percent_complete<=25.0"),
    ("dueDate < '2025-01-01'", "due_date<timestamp '2025-01-01 00:00:00'"),
    ("dueDate < date '2025-01-01'", "due_date<timestamp '2025-01-01 00:00:00'"),
    ("dueDate = TIMESTAMP '2025-01-01T01:00:00+01:00'", "due_date=timestamp '2025-01-01 00:00:00'"),
    ("dueDate > current_timestamp", "due_date>timestamp '2025-11-17 08:30:00.500000'"),
    ("dueDate > CURRENT_DATE", "due_date>timestamp '2025-11-17 00:00:00'"),
    ("dueDate > 0", "due_date>timestamp '1970-01-01 00:00:00'"),
    ("notes IS NOT NULL", "NOT (notes IS NULL)"),
    ("diagramVersion = '3'", "diagram_version=3"),
    ("jobName = 5", "job_name='5'"),
    ("1=1 AND 'a' < 'b'", "1=1 AND 1=1"),
    ("1 > 2", "1=0"),
    ("closed\n=\t0", "closed=0"),
]


@pytest.mark.parametrize(("text", "translated"), READ, ids=[text for text, _ in READ])
def test_a_condition_is_read_and_written_with_storage_names(text: str, translated: str) -> None:
    condition = read(text, NOW_MS)
    assert condition.text() == translated
    assert read(translated, NOW_MS) == condition


REFUSED: list[tuple[str, int | None, str]] = [
    ("", None, "the condition is empty"),
    ("jobName", 7, "expected a comparison (= <> < <= > >= IN LIKE BETWEEN IS)"),
    ("jobName =", 9, "the condition ends too early; expected a value"),
    ("jobName = 'a", 10, "no closing '"),
    ('jobName = "a"', 10, "unexpected '\"'; expected a value"),
    ("(closed=0", 9, "expected ')'"),
    ("closed=0 closed=1", 9, "unexpected 'closed'; expected AND or OR or the end"),
    ("AND closed=0", 0, "unexpected 'AND'; expected a field or a value or '('"),
    ("closed=0 AND", 12, "expected a field or a value or '('"),
    ("closed=0; DROP TABLE job", 8, "unexpected ';'"),
    ("closed=0 -- x", 9, "unexpected '-'"),
    ("jobName LIKE 5", 13, "expected text in quotes"),
    ("jobName IN 'a'", 11, "expected '('"),
    ("jobName IS 5", 11, "expected NULL"),
    ("jobName = upper('a')", 10, "expected a value"),
    ("colour = 1", 0, "there is no field colour; known: jobId, jobName"),
    ("closed = 7", 9, "closed is compared with 0 or 1"),
    ("closed LIKE 'x'", 0, "closed is no text"),
    ("dueDate = 'soon'", 10, "'soon' is no date; write it like '2025-11-17'"),
    ("diagramVersion = 'x'", 17, "diagramVersion is compared with a number"),
    ("jobName = date '2025-01-01'", 10, "jobName is compared with text in single quotes"),
    ("jobName = true", 10, "jobName is compared with text in single quotes"),
    ("a.b IN ('a', 1)", 0, "a list has either texts or numbers"),
    ("1 = 'a'", 0, "text is compared with text"),
    ("percentComplete > 1e999", 18, "out of range"),
    ("jobName = 'a\0'", 12, "NUL"),
    ("jobName = '\ud800'", 11, "half a surrogate pair"),
    ("(" * (MAX_DEPTH + 1) + "closed=0" + ")" * (MAX_DEPTH + 1), None, f"deeper than {MAX_DEPTH} levels"),
    ("NOT " * (MAX_DEPTH + 1) + "closed=0", None, f"deeper than {MAX_DEPTH} levels"),
    ("closed=0" + " AND closed=0" * MAX_TERMS, None, f"more than {MAX_TERMS} comparisons"),
    (f"diagramVersion IN ({','.join(['1'] * (MAX_TERMS + 1))})", None, f"more than {MAX_TERMS} comparisons"),
    (f"jobId IN ({','.join(['1'] * (MAX_VALUES + 1))})", None, f"more than {MAX_VALUES} values"),
    ("closed=0" + " " * MAX_LENGTH, None, f"the most is {MAX_LENGTH}"),
    ("(" * 20_000, None, "ends too early"),
]


@pytest.mark.parametrize(("text", "index", "words"), REFUSED, ids=[ascii(text[:30]) for text, _, _ in REFUSED])
def test_what_is_refused_says_where_and_what_was_expected(text: str, index: int | None, words: str) -> None:
    with pytest.raises(WhereError) as caught:
        read(text, NOW_MS)
    assert words in str(caught.value)
    if index is not None:
        assert caught.value.index == index
        assert f"character {index + 1}: " in str(caught.value)
    assert isinstance(caught.value, InvalidValue)


WORTH: list[tuple[str, bool | None]] = [
    ("jobName = 'Job'", True),
    ("jobName = 'JOB'", False),
    ("jobName LIKE 'JO_'", True),
    ("jobName LIKE '_o%' AND jobName NOT LIKE '%x%'", True),
    ("jobName BETWEEN 'A' AND 'K'", True),
    ("notes = 'x'", None),
    ("NOT notes = 'x'", None),
    ("notes = 'x' OR closed = 1", True),
    ("notes = 'x' AND closed = 0", False),
    ("notes IN ('x')", None),
    ("notes IN ()", False),
    ("notes IS NULL AND jobName IS NOT NULL", True),
    ("closed <> 0", True),
    ("percentComplete >= 12.5", True),
    ("percentComplete > 12 AND percentComplete < 13", True),
    ("assignedTo = 'ana'", True),
    ("parcel.area > 9", True),
    ("parcel.area > '9'", False),
    ("parcel.apn > 1", None),
    ("parcel.area = true", False),
    ("parcel.other IS NULL", True),
]


@pytest.mark.parametrize(("text", "value"), WORTH, ids=[text for text, _ in WORTH])
def test_a_condition_has_three_values_as_in_sql(text: str, value: bool | None) -> None:
    seen = look({"assignedTo": "ana"}, jobName="Job", closed=True, percentComplete=12.5)
    assert read(text, NOW_MS).holds(seen) is value


def test_a_condition_speaks_of_one_step_at_a_time() -> None:
    steps: list[dict[str, str | None]] = [
        {"assignedType": "User", "assignedTo": "bob"},
        {"assignedType": "Group", "assignedTo": "ana"},
    ]
    looks = [look(step) for step in steps]
    assert matches(read("assignedType='Group' AND assignedTo='ana'", NOW_MS), looks)
    assert not matches(read("assignedType='User' AND assignedTo='ana'", NOW_MS), looks)


@pytest.mark.parametrize("name", [field.storage for field in FIELDS.values()] + [name.upper() for name in FIELDS])
def test_a_field_has_two_names_in_any_letter_case(name: str) -> None:
    assert find_field(name) in FIELDS.values()


PIECES = st.sampled_from(
    "closed jobName dueDate a.b a. .b colour AND OR NOT IN LIKE BETWEEN IS NULL = <> != < ( ) , 'x' '' ' 1 -1 1.5 "
    '1e999 date timestamp CURRENT_TIMESTAMP true % " ; \\ \0 \ud800 é'.split(" ")
)


@given(st.text() | st.lists(PIECES, max_size=30).map(" ".join) | st.lists(PIECES, max_size=30).map("".join))
def test_any_text_is_a_condition_or_refused_with_a_reason(text: str) -> None:
    try:
        condition = read(text, NOW_MS)
    except WhereError:
        return
    assert condition.holds(look(jobName="x")) in {True, False, None}
    assert read(condition.text(), NOW_MS).holds(look(jobName="x")) is condition.holds(look(jobName="x"))


def test_many_threads_may_read_at_once() -> None:
    """The first reading builds the parser; two at once must not see a half built one."""
    results: list[Condition] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        results.extend(read(f"diagramVersion = {number} OR 1=0", NOW_MS) for number in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 80
    assert Constant(False) in results[0].parts
