"""Reading a condition of a job search: the grammar, values of the right kind, and errors that say what and where."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from typing import Final, NoReturn, cast

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken

from app.errors import InvalidValue
from app.expressions.job_fields import Field, Kind, find_field, known_fields
from app.expressions.where import OPERATORS, Compare, Condition, Constant, In, IsNull, Like, Literal, Not, Several

MAX_LENGTH: Final = 65_536
"""Characters of a condition: some thousand ids in a list."""

MAX_DEPTH: Final = 32
MAX_TERMS: Final = 200
MAX_VALUES: Final = 5_000
"""Of all lists together."""

GRAMMAR: Final = r"""
    ?start: disjunction
    ?disjunction: conjunction (OR conjunction)*
    ?conjunction: negation (AND negation)*
    ?negation: NOT negation -> negated
        | "(" disjunction ")" -> group
        | field OPERATOR value -> compare
        | field NOT? IN "(" [value ("," value)*] ")" -> among
        | field NOT? LIKE TEXT -> like
        | field NOT? BETWEEN value AND value -> between
        | field IS NOT? NULL -> is_null
        | value OPERATOR value -> constant
    field: NAME ("." NAME)?
    value: NUMBER | TEXT | (DATE | TIMESTAMP) TEXT | CURRENT | TRUE | FALSE

    AND.2: /AND\b/i
    OR.2: /OR\b/i
    NOT.2: /NOT\b/i
    IN.2: /IN\b/i
    LIKE.2: /LIKE\b/i
    BETWEEN.2: /BETWEEN\b/i
    IS.2: /IS\b/i
    NULL.2: /NULL\b/i
    TRUE.2: /TRUE\b/i
    FALSE.2: /FALSE\b/i
    DATE.2: /DATE(?=\s*')/i
    TIMESTAMP.2: /TIMESTAMP(?=\s*')/i
    CURRENT.2: /CURRENT_(TIMESTAMP|DATE)\b/i
    OPERATOR: /<>|!=|<=|>=|=|<|>/
    NUMBER: /[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?/
    TEXT: /'([^']|'')*'/
    NAME: /(?!(AND|OR|NOT|IN|LIKE|BETWEEN|IS|NULL)\b)[^\W\d]\w*/i
    %ignore /\s+/
"""

_EXPECTED: Final = (
    ("a field", "NAME"),
    ("a value", "NUMBER"),
    ("a comparison (= <> < <= > >= IN LIKE BETWEEN IS)", "LIKE"),
    ("a comparison (= <> < <= > >=)", "OPERATOR"),
    ("'('", "LPAR"),
    ("NULL", "NULL"),
    ("text in quotes", "TEXT"),
    ("AND", "AND"),
    ("OR", "OR"),
    ("','", "COMMA"),
    ("')'", "RPAR"),
    ("the end", "$END"),
)
"""Words for what the parser accepts at a place; a word counts if none before it that says the same does."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_READING = Lock()  # lark builds parts of its lexer on first use, and conditions are read in several threads


class WhereError(InvalidValue):
    """A condition that cannot be read.

    Args:
        problem: what was wrong and what would be right.
        index: where, in characters from 0, if it is known; the message gives it from 1.
    """

    def __init__(self, problem: str, index: int | None = None) -> None:
        super().__init__(f"q: {problem}" if index is None else f"q, character {index + 1}: {problem}")
        self.index = index


def read(text: str, now_ms: int) -> Condition:
    """Read a condition.

    Args:
        now_ms: what ``CURRENT_TIMESTAMP`` is, in ms since 1970.

    Raises:
        WhereError: empty, too long, too deep, not a condition, an unknown field, or a value of the wrong kind.
    """
    _check_characters(text)
    try:
        with _READING:
            tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _explained(error, text) from None
    return _Reader(now_ms).read(tree)  # type: ignore[arg-type]  # the transformer makes thunks


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="contextual", maybe_placeholders=False, transformer=_Builder())


def _check_characters(text: str) -> None:
    if not text.strip():
        raise WhereError("the condition is empty")
    if len(text) > MAX_LENGTH:
        raise WhereError(f"the condition has {len(text)} characters; the most is {MAX_LENGTH}")
    if "\0" in text:
        raise WhereError("the condition contains a NUL character", text.index("\0"))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise WhereError("the condition contains half a surrogate pair", error.start) from None


def _explained(error: UnexpectedInput, text: str) -> WhereError:
    token = error.token if isinstance(error, UnexpectedToken) else None
    expected = _expected(error)
    if token is not None and token.type == "$END":
        return WhereError(f"the condition ends too early; expected {expected}", len(text))
    index = cast("int", error.pos_in_stream)  # set on every error of a parse
    if token is None and text[index] == "'":
        return WhereError("the text that begins here has no closing '", index)
    found = str(token or text[index])[:40]
    return WhereError(f"unexpected {found!r}; expected {expected}", index)


def _expected(error: UnexpectedInput) -> str:
    accepted = error.interactive_parser.accepts()  # type: ignore[no-untyped-call]
    words = [word for word, terminal in _EXPECTED if terminal in accepted]
    if "a value" in words:
        words = [word for word in words if word != "text in quotes"]
    if len([word for word in words if word.startswith("a comparison")]) > 1:
        words.remove("a comparison (= <> < <= > >=)")
    return " or ".join(words)


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the parse, before names and values are looked at: its rule, its place and what is in it.

    ``depth`` counts brackets and NOTs.
    """

    rule: str
    index: int
    depth: int
    children: list["_Part | Token"]


class _Builder(Transformer[Token, _Part]):
    """Notes the parts while the parser reduces; no tree of lark's own is built or walked."""

    def __default__(self, data: Token, children: list["_Part | Token"], _: object) -> _Part:
        first = children[0] if children else None
        index = (first.index if isinstance(first, _Part) else first.start_pos or 0) if first is not None else 0
        depth = max((child.depth for child in children if isinstance(child, _Part)), default=0)
        depth += data in {"group", "negated"}
        if depth > MAX_DEPTH:
            raise WhereError(f"the condition is nested deeper than {MAX_DEPTH} levels", index)
        return _Part(str(data), index, depth, children)


class _Reader:
    """Makes conditions of parts, and counts what is limited."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._terms = 0
        self._values = 0

    def read(self, part: _Part) -> Condition:
        parts = [child for child in part.children if isinstance(child, _Part)]
        if part.rule in {"disjunction", "conjunction"}:
            return Several(part.rule == "disjunction", tuple(self.read(child) for child in parts))
        if part.rule == "group":
            return self.read(parts[0])
        if part.rule == "negated":
            return Not(self.read(parts[0]))
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise WhereError(f"the condition has more than {MAX_TERMS} comparisons", part.index)
        if part.rule == "constant":
            return self._constant(part, parts)
        tokens = [child for child in part.children if isinstance(child, Token)]
        condition = self._term(part, _field(parts[0]), parts[1:], tokens)
        return Not(condition) if any(token.type == "NOT" for token in tokens) else condition

    def _term(self, part: _Part, field: Field, values: Sequence[_Part], tokens: Sequence[Token]) -> Condition:
        if part.rule == "is_null":
            return IsNull(field)
        if part.rule == "like":
            if field.kind is not Kind.TEXT:
                raise WhereError(f"{field.name} is no text, so LIKE cannot be asked of it", part.index)
            return Like(field, _text_of(tokens[-1]))
        if part.rule == "compare":
            return Compare(field, _sign(tokens[0]), self._value(field, values[0]))
        if part.rule == "between":
            low, high = (self._value(field, value) for value in values)
            return Several(False, (Compare(field, ">=", low), Compare(field, "<=", high)))
        return self._among(part, field, values)

    def _among(self, part: _Part, field: Field, values: Sequence[_Part]) -> Condition:
        self._values += len(values)
        if self._values > MAX_VALUES:
            raise WhereError(f"the condition has more than {MAX_VALUES} values in lists", part.index)
        found = tuple(self._value(field, value) for value in values)
        if len({isinstance(value, str) for value in found}) > 1:
            raise WhereError("a list has either texts or numbers", part.index)
        if not (found and isinstance(found[0], str)):
            self._terms += len(found)
        if self._terms > MAX_TERMS:
            raise WhereError(f"the condition has more than {MAX_TERMS} comparisons", part.index)
        return In(field, found)

    def _constant(self, part: _Part, values: Sequence[_Part]) -> Condition:
        sign = next(child for child in part.children if isinstance(child, Token))
        left, right = (self._raw(value) for value in values)
        if isinstance(left, str) != isinstance(right, str):
            raise WhereError("text is compared with text, and a number with a number", part.index)
        return Constant(OPERATORS[_sign(sign)](left, right))

    # ------------------------------------------------------------ values

    def _raw(self, part: _Part) -> Literal:
        """A literal as it is written; a date as ms since 1970."""
        token = cast("Token", part.children[0])
        if token.type in {"TRUE", "FALSE"}:
            return token.type == "TRUE"
        if token.type == "CURRENT":
            return self._now_ms if token.upper() == "CURRENT_TIMESTAMP" else self._now_ms // 86_400_000 * 86_400_000
        if token.type == "TEXT":
            return _text_of(token)
        if token.type == "NUMBER":
            return _number(token)
        return _moment(_text_of(cast("Token", part.children[1])), part.index)

    def _value(self, field: Field, part: _Part) -> Literal:
        """A literal as a value of the field's kind."""
        token, value = cast("Token", part.children[0]), self._raw(part)
        if field.kind is Kind.FLAG:
            return _flag(field, value, part.index)
        if isinstance(value, bool):
            return int(value) if field.property is not None else _wrong(field, part.index)
        if field.kind is Kind.MOMENT:
            return _moment(value, part.index) if isinstance(value, str) else value
        if field.kind is not Kind.TEXT:
            number = _numeric(value) if isinstance(value, str) else value
            return number if number is not None else _wrong(field, part.index)
        if isinstance(value, str) or field.property is not None:
            return value
        return str(token) if token.type == "NUMBER" else _wrong(field, part.index)


def _field(part: _Part) -> Field:
    name = ".".join(str(token) for token in part.children)
    field = find_field(name)
    if field is None:
        raise WhereError(f"there is no field {name[:60]}; known: {known_fields()}, table.property", part.index)
    return field


def _sign(operator: Token) -> str:
    return "<>" if operator == "!=" else str(operator)


def _text_of(token: Token) -> str:
    return token[1:-1].replace("''", "'")


def _number(token: Token) -> int | float:
    number = _numeric(token)
    if number is None:
        raise WhereError(f"{token[:20]} is a number out of range", token.start_pos)
    return number


def _numeric(text: str) -> int | float | None:
    """What is written as a number within range; else None."""
    if re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", text):
        return int(text)
    try:
        number = float(text) if len(text) <= 64 else None
    except ValueError:
        return None
    return number if number is not None and abs(number) <= 1e300 else None


def _flag(field: Field, value: Literal, index: int) -> bool:
    words = {"1": True, "true": True, "0": False, "false": False}
    found = words.get(str(value).lower())
    return found if found is not None else _wrong(field, index)


def _moment(text: Literal, index: int) -> int:
    try:
        moment = datetime.fromisoformat(str(text).strip())
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        problem = f"{str(text)[:40]!r} is no date; write it like '2025-11-17' or '2025-11-17 08:00:00'"
        raise WhereError(problem, index) from None


def _wrong(field: Field, index: int) -> NoReturn:
    words = {
        Kind.TEXT: "text in single quotes",
        Kind.INTEGER: "a number",
        Kind.NUMBER: "a number",
        Kind.MOMENT: "a date",
        Kind.FLAG: "0 or 1",
    }
    raise WhereError(f"{field.name} is compared with {words[field.kind]}", index)
