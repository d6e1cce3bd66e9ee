"""The language as a table: what an expression is worth, what is refused and with which words."""

import time
import timeit
from typing import Any

import pytest

from app.errors import InvalidValue
from app.expressions.arcade import (
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_LENGTH,
    MAX_TEXT_BYTES,
    STEP_ERROR,
    STEP_SUCCESS,
    ArcadeError,
    Scope,
    Value,
    evaluate,
    evaluate_condition,
    evaluate_text,
    is_expression,
    parse,
)
from app.expressions.arcade_functions import Functions, Given
from app.expressions.arcade_grammar import read
from app.expressions.arcade_table import FUNCTIONS
from app.expressions.arcade_tree import Evaluation
from tests.support import deadline

JOB = {"jobId": "j1", "jobName": "Arcade @ Tests", "createdBy": "ana", "ownedBy": "b.lee"}
SCOPE = Scope(current_user="carla", job=JOB, ret_val=1, step_success=STEP_SUCCESS)


def refusal(text: str, scope: Scope = SCOPE) -> ArcadeError:
    """The error an expression ends in."""
    with pytest.raises(ArcadeError) as caught:
        evaluate(text, scope)
    return caught.value


def same(left: Value, right: Value) -> bool:
    """Equal, and of one type: Python takes 1, 1.0 and True for equal."""
    return type(left) is type(right) and left == right


VALUES: list[tuple[str, Value]] = [
    # literals
    ("0", 0),
    ("007", 7),
    ("1.50", 1.5),
    (".5", 0.5),
    ("5.", 5.0),
    ("2e3", 2000.0),
    ("1E-2", 0.01),
    ("9223372036854775807", 2**63 - 1),
    ("'text'", "text"),
    ('"text"', "text"),
    ("''", ""),
    ("'say \"hi\"'", 'say "hi"'),
    ("true", True),
    ("FALSE", False),
    ("null", None),
    ("  \n\t 1  ", 1),
    # arithmetic
    ("1 + 2 * 3", 7),
    ("(1 + 2) * 3", 9),
    ("10 - 4 - 3", 3),
    ("12 / 2 / 3", 2),
    ("2 * 7 % 4", 2),
    ("7 / 2", 3.5),
    ("6 / 2", 3),
    ("6.0 / 2", 3.0),
    ("-7 % 3", -1),
    ("7 % -3", 1),
    ("-7.5 % 2", -1.5),
    ("-2 * -3", 6),
    ("- - 2", 2),
    ("1 - -1", 2),
    ("0.1 + 0.2", 0.1 + 0.2),
    ("-9223372036854775807 - 1", -(2**63)),
    # concatenation
    ("'test ' + '123'", "test 123"),
    ("'a' + 1", "a1"),
    ("1 + 'a'", "1a"),
    ("1 + 2 + 'a'", "3a"),
    ("'a' + 1 + 2", "a12"),
    ("'a' + 2.0", "a2"),
    ("'a' + 0.1", "a0.1"),
    ("'a' + true + false", "atruefalse"),
    ("'a' + null", "a"),
    ("null + 'a'", "a"),
    # comparison
    ("1 == 1.0", True),
    ("1 == '1'", False),
    ("1 == true", False),
    ("0 == false", False),
    ("0 == null", False),
    ("'' == null", False),
    ("null == null", True),
    ("true == true", True),
    ("'a' == 'A'", False),
    ("'a' != 'A'", True),
    ("1 != 1", False),
    ("2 < 10", True),
    ("'2' < '10'", False),
    ("'B' < 'a'", True),
    ("2 <= 2.0", True),
    ("'b' >= 'a'", True),
    ("1 > 2", False),
    ("1 + 1 == 2", True),
    ("1 < 2 == true", True),
    ("1 == 1 == true", True),
    # logic
    ("!false", True),
    ("!!true", True),
    ("!true || true", True),
    ("true || false && false", True),
    ("(true || false) && false", False),
    ("1 == 1 && 2 == 2", True),
    ("1 == 2 || 2 == 2", True),
    ("false || false || true", True),
    ("true && true && false", False),
    # variables and functions
    ("$retVal", 1),
    ("$RETVAL == 1", True),
    ("$retVal == $stepSuccess", False),
    ("$currentUser", "carla"),
    ("$currentuser + '!'", "carla!"),
    ("$stepSuccess", STEP_SUCCESS),
    ("$stepError", STEP_ERROR),
    ("$job == null", False),
    ("$job == $job", True),
    ("$job != $job", False),
    ("JobCreator($job)", "ana"),
    ("jobcreator( $JOB )", "ana"),
    ("JOBOWNER($job)", "b.lee"),
    ("'Creator: ' + (JobCreator($job))", "Creator: ana"),
    ("JobCreator($job) == $currentUser || $retVal == 1", True),
    ("$job", "j1"),
    ("$parentJob", None),
    ("'x' + $job", "xj1"),
    # templates, arrays, dictionaries
    ("`a`", "a"),
    ("`${1 + 1} of ${'}'}: ${JobName($job)}`", "2 of }: Arcade @ Tests"),
    (r"`\`\${1}`", "`${1}"),
    ("`a\nb`", "a\nb"),
    ("`${{k: 'v'}.k}`", "v"),
    ("[1, 'a', true][1]", "a"),
    ("[1, 2, 3][-1]", 3),
    ("'abc'[1]", "b"),
    ("{a: 1, 'b c': 2}['b c']", 2),
    ("{Name: 'x'}.name", "x"),
    ("{a: [1, {b: 7}]}.a[1].b", 7),
    ("[] == []", False),
    ("'' + [1, 'a', null, true, {k: 1.0}]", '[1,"a",null,true,{"k":1}]'),
    ("'a' + TextFormatting.NewLine + 'b'", "a\nb"),
]


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[text.strip() for text, _ in VALUES])
def test_an_expression_has_the_value_the_language_gives_it(text: str, value: Value) -> None:
    assert same(evaluate(text, SCOPE), value)


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r"'a\nb\tc\rd'", "a\nb\tc\rd"),
        (r"'\b\f\v'", "\b\f\v"),
        (r"'it\'s'", "it's"),
        (r'"\"q\" \\ \/"', '"q" \\ /'),
        (r"'\x41\u00e9'", "Aé"),
        (r"'\ud83d\ude00'", "😀"),
        (r"'\\n'", "\\n"),
        ("'😀 \u2028'", "😀 \u2028"),
    ],
)
def test_an_escape_stands_for_its_character(literal: str, text: str) -> None:
    assert evaluate(literal, SCOPE) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (4.0, "4"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (-1.25, "-1.25"),
        (0.000001, "0.000001"),
        (0.00001234, "0.00001234"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (1e20, "100000000000000000000"),
        (1.2345678901234568e20, "123456789012345680000"),
        (1e21, "1e+21"),
        (-2.5e300, "-2.5e+300"),
        (2**63 - 1, "9223372036854775807"),
    ],
)
def test_a_number_becomes_text_as_in_arcade(number: float, text: str) -> None:
    assert evaluate("'' + $retVal", Scope(ret_val=number)) == text


REFUSED: list[tuple[str, tuple[int, int] | None, str]] = [
    # form
    ("", None, "empty"),
    (" \n ", None, "empty"),
    ("1 +", (1, 4), "ends too early; expected a value"),
    ("(1", (1, 3), "ends too early; expected ')'"),
    ("1 2", (1, 3), "unexpected '2'; expected an operator or the end"),
    ("1)", (1, 2), "unexpected ')'; expected the end"),
    ("* 2", (1, 1), "unexpected '*'; expected a value"),
    ("JobCreator($job,)", (1, 17), "unexpected ')'; expected a value"),
    ("JobCreator($job $job)", (1, 17), "expected an operator or ',' or ')'"),
    ("1 +\n  ~2", (2, 3), "unexpected '~'; expected a value"),
    ("$", (1, 1), "unexpected '$'"),
    ("0x10", (1, 2), "unexpected 'x10'"),
    # names
    ("FeatureSetByName(1)", (1, 1), "function FeatureSetByName is not supported"),
    ("JobCreater($job)", (1, 1), "did you mean JobCreator?; known: Abs, Average, Back, Boolean"),
    ("1 + foo", (1, 5), "foo is no known name; known: $currentUser, $job, $parentJob, $currentPortal, $retVal"),
    ("$feature == 1", (1, 1), "no variable $feature; known: $currentUser, $job"),
    ("JobCreator()", (1, 1), "JobCreator(job) does not take 0 arguments"),
    ("JobOwner($job, 1)", (1, 1), "JobOwner(job) does not take 2 arguments"),
    ("false && Foo()", (1, 10), "function Foo"),
    # what Arcade has and the subset has not
    ("var x = 1", (1, 1), "'var' is not supported"),
    ("Return 1", (1, 1), "'Return' is not supported"),
    ("if (true) 1", (1, 1), "'if' is not supported"),
    ("$retVal = 1", (1, 9), "written =="),
    ("true & true", (1, 6), "written &&"),
    ("true | true", (1, 6), "written ||"),
    ("`x", (1, 1), "no closing `"),
    ("`${1`", (1, 2), "the ${ that begins here has no closing }"),
    ("`a\nb ${ }`", (2, 5), "nothing between ${ and }"),
    ("`a\nb ${1 +}`", (2, 8), "ends too early; expected a value"),
    ("`${1 / 0}`", (1, 6), "'/' by zero"),
    ("[1", (1, 3), "expected ',' or ']'"),
    ("{a 1}", (1, 4), "expected ':'"),
    ("{1: 2}", (1, 2), "unexpected '1'"),
    ("{a: 1}.", (1, 8), "expected a name"),
    ("{a: 1}.b", (1, 8), "the dictionary has no key 'b'; it has: a"),
    ("[1][1]", (1, 5), "there is no item 1; there are 1"),
    ("[1]['x']", (1, 5), "an index is a whole number; got text"),
    ("5[0]", (1, 3), "need an array, a dictionary or text; got a number"),
    ("$job.createdBy", (1, 6), "an index is a whole number; got text"),
    ("TextFormatting.Bold", (1, 16), "TextFormatting has no 'Bold'"),
    ("1; 2", (1, 2), "several statements"),
    ("true ? 1 : 2", (1, 6), "'? :' is not supported"),
    ("1--2", (1, 2), "'--' is not supported"),
    ("1++", (1, 2), "'++' is not supported"),
    # text
    ("'abc", (1, 1), "no closing '"),
    ('1 + "abc', (1, 5), 'no closing "'),
    ("'a\nb'", (1, 1), "no closing '"),
    (r"'ab\q'", (1, 4), r"unknown escape \q; known: \n"),
    (r"'\x0'", (1, 2), r"unknown escape \x"),
    (r"'\x00'", (1, 2), r"unknown escape \x00"),
    (r"'\ud83d'", (1, 1), "half a surrogate pair"),
    ("'a\0'", (1, 3), "NUL"),
    ("'\ud800'", (1, 2), "half a surrogate pair"),
    # numbers
    ("9223372036854775808", (1, 1), "out of range"),
    ("9" * 4000, (1, 1), "out of range"),
    ("1e999", (1, 1), "out of range"),
    ("9223372036854775807 + 1", (1, 21), "the sum is a number out of range"),
    ("-9223372036854775807 - 2", (1, 22), "the difference is a number out of range"),
    ("-(-9223372036854775807 - 1)", (1, 1), "the result is a number out of range"),
    ("9223372036854775807 * 9223372036854775807", (1, 21), "the product is a number out of range"),
    ("(-9223372036854775807 - 1) / -1", (1, 28), "the quotient is a number out of range"),
    ("1e308 * 10", (1, 7), "the product is a number out of range"),
    ("1e308 / 1e-10", (1, 7), "the quotient is a number out of range"),
    ("1 / 0", (1, 3), "'/' by zero"),
    ("1 % 0.0", (1, 3), "'%' by zero"),
    # types
    ("1 + true", (1, 3), "'+' needs two numbers; got a number and true or false"),
    ("null + 1", (1, 6), "got null and a number"),
    ("'3' * 2", (1, 5), "'*' needs two numbers; got text and a number"),
    ("'3' - 2", (1, 5), "'-' needs two numbers"),
    ("-'3'", (1, 1), "'-' needs a number; got text"),
    ("-true", (1, 1), "'-' needs a number; got true or false"),
    ("1 < 'a'", (1, 3), "'<' needs two numbers, two dates or two texts; got a number and text"),
    ("null < 1", (1, 6), "got null and a number"),
    ("1 < 2 < 3", (1, 7), "got true or false and a number"),
    ("!1", (1, 1), "'!' needs true or false"),
    ("true && 1", (1, 6), "'&&' needs true or false"),
    ("'a' || true", (1, 5), "'||' needs true or false"),
    ("true && true && 'x'", (1, 14), "'&&' needs true or false"),
    ("JobCreator('j2')", (1, 1), "cannot be asked here"),
    ("JobCreator(1)", (1, 1), "JobCreator needs a job, for instance $job, as its first argument; got a number"),
    ("Now()", (1, 1), "cannot be asked here"),
]


@pytest.mark.parametrize(("text", "position", "words"), REFUSED, ids=[ascii(text[:30]) for text, _, _ in REFUSED])
def test_what_is_refused_says_where_and_why(text: str, position: tuple[int, int] | None, words: str) -> None:
    error = refusal(text)
    assert words in str(error)
    assert error.position == position
    if position:
        assert str(error).startswith(f"Line {position[0]}, column {position[1]}: ")


def test_an_arcade_error_is_an_invalid_value() -> None:
    assert isinstance(refusal("1 +"), InvalidValue)


def test_a_fault_that_no_scope_can_mend_is_found_without_a_scope() -> None:
    for text in ("Foo(1)", "foo", "$feature", "JobCreator()", "true || Foo()"):
        with pytest.raises(ArcadeError):
            parse(text)


def test_a_word_that_was_read_and_not_checked_has_no_value() -> None:
    with pytest.raises(ArcadeError, match="foo is no known name"):
        read("foo").evaluate(Evaluation(SCOPE, time.monotonic))


@pytest.mark.parametrize("text", ["false && 1 / 0 == 1", "true || 'a'", "false && JobCreator('x') == 'y'"])
def test_an_operand_that_cannot_change_the_outcome_is_not_evaluated(text: str) -> None:
    assert isinstance(evaluate(text, SCOPE), bool)


@pytest.mark.parametrize("answer", [0, 1, 12, -1, 1.0, True, False, None])
def test_no_answer_equals_step_success(answer: Value) -> None:
    scope = Scope(ret_val=answer)
    assert evaluate_condition("$retVal == $stepSuccess", scope) is False
    assert evaluate_condition("$retVal != $stepSuccess", scope) is True


def test_a_step_that_succeeded_takes_the_path_of_success() -> None:
    assert evaluate_condition("$retVal == $stepSuccess", Scope(ret_val=STEP_SUCCESS)) is True
    assert evaluate_condition("$retVal == $stepSuccess", Scope(ret_val=STEP_ERROR)) is False
    assert evaluate_condition("$retVal == $stepError", Scope(ret_val=STEP_ERROR)) is True


@pytest.mark.parametrize("text", ["1", "'true'", "null", "$retVal", "$currentUser + ''"])
def test_a_condition_that_is_neither_true_nor_false_is_refused(text: str) -> None:
    with pytest.raises(ArcadeError, match=r"must be true or false; the result of .* is (a number|text|null)"):
        evaluate_condition(text, SCOPE)


@pytest.mark.parametrize(
    ("text", "result"),
    [("JobCreator($job)", "ana"), ("1 + 1", "2"), ("4.0", "4"), ("1 == 1", "true"), ("null", ""), ("'x'", "x")],
)
def test_a_text_result_is_written_as_arcade_writes_it(text: str, result: str) -> None:
    assert evaluate_text(text, SCOPE) == result


def test_a_job_without_the_member_has_no_creator() -> None:
    assert evaluate("JobCreator($job)", Scope(job={"jobId": "j1"})) is None


def test_a_job_function_without_a_job_is_refused() -> None:
    assert "needs a job, and there is none here" in str(refusal("JobOwner($job)", Scope()))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "out of range"),
        (float("inf"), "out of range"),
        (2**63, "out of range"),
        ("a\0b", "NUL"),
        ("\udc00", "half a surrogate pair"),
        ("x" * (MAX_TEXT_BYTES + 1), f"longer than {MAX_TEXT_BYTES} bytes"),
        ("é" * (MAX_TEXT_BYTES // 2 + 1), f"longer than {MAX_TEXT_BYTES} bytes"),
        ([1], "neither text, a number"),
        ((1,) * (MAX_ITEMS + 1), f"more than {MAX_ITEMS} items"),
    ],
)
def test_a_value_from_outside_that_the_language_cannot_hold_is_refused(value: Any, words: str) -> None:
    assert words in str(refusal("$retVal == 1", Scope(ret_val=value)))
    assert words in str(refusal("JobCreator($job)", Scope(job={"jobId": "j1", "createdBy": value})))


@pytest.mark.parametrize(
    "text",
    [
        "JobCreator($job)",
        "$currentUser",
        "'ana'",
        '"ana"',
        "$retVal == 1",
        "a + JobCreator($job)",
        "('x')",
        "!$retVal",
        "Foo(1)",
        "$feature.name",  # refused by name when evaluated, never taken for a user
        "JobCreator($job",
        "'ana",
        "jobowner ( ",
        "`to ${$currentUser}`",
        "`to",
    ],
)
def test_a_call_a_variable_or_a_quoted_text_makes_an_expression(text: str) -> None:
    assert is_expression(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "john.smith",
        "a-b",
        "a+b",
        "5",
        "-5",
        "true",
        "(ana)",
        "Q5-nYVlCTBOZ4ShEdDsglA",
        "group with blanks",
        "ana@example.org",
        "o'brien",
        "Bob's team",
        "sales (north)!",
        "$ 100 club",
        "R&D",
        "\ud800",
        "x" * (MAX_LENGTH + 1),
        "00000000000000000000000000000001",
        "[1]",
        "{a: 1}",
        "john.smith.2",
    ],
)
def test_a_plain_word_is_no_expression(text: str) -> None:
    assert is_expression(text) is False


def test_an_expression_may_have_the_longest_length_and_no_more() -> None:
    longest = "1" + " " * (MAX_LENGTH - 1)
    assert evaluate(longest, SCOPE) == 1
    assert f"the most is {MAX_LENGTH}" in str(refusal(longest + " "))


def test_a_row_of_many_operators_is_not_deep() -> None:
    assert evaluate("1+" * 2047 + "1", SCOPE) == 2048
    assert evaluate("true&&" * 600 + "false", SCOPE) is False


@pytest.mark.parametrize(
    "shape",
    ["({})", "-({})", "!({})", "1+({})", "JobCreator({})", "- {}", "true||({})", "1==({})", "[{}]", "{}[0]", "{}.a"],
)
def test_nesting_ends_at_a_level_and_never_in_a_recursion_error(shape: str) -> None:
    text = "{a: 1}" if shape.endswith(".a") else "1"
    while len(shape.format(text)) <= MAX_LENGTH:
        text = shape.format(text)
    assert f"nested deeper than {MAX_DEPTH} levels" in str(refusal(text))


@pytest.mark.parametrize("piece", ["(", "!", "- ", "JobCreator(", "1+(", "true&&(", "[", "{a:", "`${", "[1]["])
def test_openings_that_never_close_are_refused(piece: str) -> None:
    text = (piece * MAX_LENGTH)[:MAX_LENGTH]
    assert "line 1" in str(refusal(text)).lower()


def test_nesting_up_to_the_limit_is_allowed() -> None:
    assert evaluate("(" * (MAX_DEPTH - 1) + "1" + ")" * (MAX_DEPTH - 1), SCOPE) == 1
    refusal("(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH)


def test_text_may_grow_to_its_limit_in_bytes_and_no_further() -> None:
    half = Scope(current_user="é" * (MAX_TEXT_BYTES // 4))
    assert evaluate("$currentUser + $currentUser", half) == "é" * (MAX_TEXT_BYTES // 2)
    assert f"longer than {MAX_TEXT_BYTES} bytes" in str(refusal("$currentUser + $currentUser + '1'", half))


def test_copying_long_text_uses_up_the_steps() -> None:
    scope = Scope(current_user="x" * (MAX_TEXT_BYTES - 1))
    assert "more than 10000 steps" in str(refusal("$currentUser" + "+''" * 400, scope))


def test_an_evaluation_that_takes_too_long_is_ended() -> None:
    times = iter([100.0, 100.051])
    with pytest.raises(ArcadeError, match="more than 50 ms"):
        evaluate("1+" * 1000 + "1", SCOPE, clock=lambda: next(times))


def test_a_small_expression_does_not_fail_because_its_thread_had_to_wait() -> None:
    times = iter([100.0])
    assert evaluate("$retVal == 1", SCOPE, clock=lambda: next(times)) is True


def test_a_function_says_how_it_may_be_called() -> None:
    assert "JobOwner(job) does not take 2 arguments" in str(refusal("JobOwner($job, 1)"))
    assert "When(condition, value, default, ...) does not take 4 arguments" in str(refusal("When(true, 1, false, 2)"))
    assert "Round(number, places?) does not take 0 arguments" in str(refusal("Round()"))


def test_a_function_cannot_be_defined_twice() -> None:
    def nothing(_: Given) -> Value:
        return None

    functions = Functions()
    functions.add("Shout", "text", means="Louder")(nothing)
    with pytest.raises(ValueError, match="defined twice"):
        functions.add("shout", means="The same")(nothing)
    assert FUNCTIONS["jobcreator"].signature == "JobCreator(job)"


def test_the_same_text_is_read_once() -> None:
    assert parse("1 + 1 == 2") is parse("1 + 1 == 2")


def test_a_remembered_condition_takes_microseconds() -> None:
    """About 2 us on the machine this was measured on; best of several rounds, so other load does not count."""
    scope = Scope(ret_val=STEP_SUCCESS)
    rounds = timeit.repeat(lambda: evaluate_condition("$retVal == $stepSuccess", scope), number=1000, repeat=10)
    assert min(rounds) / 1000 < deadline(5e-6)
