"""Reading an Arcade expression: the grammar, and errors that say what stands where something else should.

``read`` looks at the form only; whether names and functions exist is ``Node.fault``. The parser is LALR: it keeps its
own stack, so no nesting, however deep, exhausts Python's.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from threading import Lock
from typing import Final, cast

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from app.expressions.arcade_tree import (
    MAX_DEPTH,
    ArrayLiteral,
    Call,
    Chain,
    DictionaryLiteral,
    Item,
    Literal,
    Logical,
    Name,
    Node,
    Template,
    Unary,
    Variable,
)
from app.expressions.arcade_values import ArcadeError, Position, Value, checked_number

MAX_LENGTH: Final = 4096
"""Characters of an expression."""

GRAMMAR: Final = r"""
    ?start: disjunction
    ?disjunction: conjunction (OR conjunction)*
    ?conjunction: equality (AND equality)*
    ?equality: relation ((EQUAL | UNEQUAL) relation)*
    ?relation: sum ((LESS | LESS_OR_EQUAL | MORE | MORE_OR_EQUAL) sum)*
    ?sum: product ((PLUS | MINUS) product)*
    ?product: unary ((TIMES | OVER | MODULO) unary)*
    ?unary: postfix
        | (MINUS | NOT) unary -> signed
    ?postfix: atom
        | postfix "." NAME -> member
        | postfix "[" disjunction "]" -> item
    ?atom: NUMBER -> number
        | TEXT -> text
        | TEMPLATE -> template
        | VARIABLE -> variable
        | NAME -> name
        | NAME "(" [disjunction ("," disjunction)*] ")" -> call
        | "(" disjunction ")" -> group
        | "[" [disjunction ("," disjunction)*] "]" -> array
        | "{" [pair ("," pair)*] "}" -> dictionary
    pair: (NAME | TEXT) ":" disjunction

    OR: "||"
    AND: "&&"
    EQUAL: "=="
    UNEQUAL: "!="
    LESS_OR_EQUAL: "<="
    LESS: "<"
    MORE_OR_EQUAL: ">="
    MORE: ">"
    PLUS: /\+(?!\+)/
    MINUS: /-(?!-)/
    TIMES: "*"
    OVER: "/"
    MODULO: "%"
    NOT: "!"
    NUMBER: /([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?/
    TEXT: /'(\\.|[^'\\\r\n])*'|"(\\.|[^"\\\r\n])*"/
    TEMPLATE: /`(\\.|[^`\\])*`/s
    VARIABLE: /\$[A-Za-z_][A-Za-z0-9_]*/
    NAME: /[A-Za-z_][A-Za-z0-9_]*/
    %ignore /\s+/
"""

_CONSTANTS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None, "pi": math.pi}

_FORMATTING: Final = {
    "newline": "\n",
    "tab": "\t",
    "singlequote": "'",
    "doublequote": '"',
    "backslash": "\\",
    "forwardslash": "/",
}
"""Members of ``TextFormatting``."""

_STATEMENTS: Final = frozenset(
    "break case catch continue default do else export for from function if import in new return".split()
    + "switch try var while".split()
)

_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"} | {c: c for c in "\\'\"/`$"}
_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))")

_UNSUPPORTED: Final = (
    ("++", "'++' is not supported"),
    ("--", "'--' is not supported; put a blank or brackets between two minus signs"),
    ("=>", "'=>' is not supported"),
    ("=", "assignment is not supported; a comparison is written =="),
    ("&", "'&' is not supported; 'and' is written &&"),
    ("|", "'|' is not supported; 'or' is written ||"),
    ("`", "the text that begins here has no closing `"),
    (";", "several statements are not supported; write one expression"),
    ("?", "'? :' is not supported"),
    ("'", "the text that begins here has no closing ' on its line"),
    ('"', 'the text that begins here has no closing " on its line'),
)

_EXPECTED: Final = (
    ("a value", "NUMBER"),
    ("an operator", "TIMES"),
    ("':'", "COLON"),
    ("','", "COMMA"),
    ("')'", "RPAR"),
    ("']'", "RSQB"),
    ("'}'", "RBRACE"),
    ("the end", "$END"),
)
"""Words for the terminals the parser accepts at a place, one for all of its kind."""

_READING = Lock()  # lark builds parts of its lexer on first use, and expressions are read in several threads


def read(text: str) -> Node:
    """Read the form of one expression; names in it may be unknown.

    Raises:
        ArcadeError: empty, too long, too deep, NUL or half a surrogate pair, or not the language.
    """
    _check_characters(text)
    try:
        with _READING:
            return _parser().parse(text)  # type: ignore[return-value]  # the transformer makes nodes, not lark trees
    except UnexpectedInput as error:
        raise _explained(error, text) from None


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="contextual", maybe_placeholders=False, transformer=_Builder())


def _check_characters(text: str) -> None:
    if not text.strip():
        raise ArcadeError("the expression is empty")
    if len(text) > MAX_LENGTH:
        raise ArcadeError(f"the expression has {len(text)} characters; the most is {MAX_LENGTH}")
    if "\0" in text:
        raise ArcadeError("the expression contains a NUL character", _position_at(text, text.index("\0")))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        where = _position_at(text, error.start)
        raise ArcadeError("the expression contains half a surrogate pair", where) from None


def _position_at(text: str, index: int) -> Position:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _explained(error: UnexpectedInput, text: str) -> ArcadeError:
    token = error.token if isinstance(error, UnexpectedToken) else None
    if token is not None and token.type == "$END":
        problem = f"the expression ends too early; expected {_expected(error)}"
        return ArcadeError(problem, _position_at(text, len(text)))
    index = cast("int", error.pos_in_stream)  # set on every error of a parse
    problems = (problem for beginning, problem in _UNSUPPORTED if text.startswith(beginning, index))
    unexpected = f"unexpected {str(token or text[index])!r}; expected {_expected(error)}"
    return ArcadeError(next(problems, unexpected), _position_at(text, index))


def _expected(error: UnexpectedInput) -> str:
    """What the parser would have accepted. Asked of its state: the set in the exception is that of a merged state."""
    accepted = error.interactive_parser.accepts()  # type: ignore[no-untyped-call]
    if "NAME" in accepted and "NUMBER" not in accepted:
        return "a name"
    return " or ".join(words for words, terminal in _EXPECTED if terminal in accepted)


def _position(token: Token) -> Position:
    return token.line or 1, token.column or 1


def _deeper(*nodes: Node) -> int:
    """Depth of a node above these. Raises ArcadeError beyond ``MAX_DEPTH``."""
    depth = max((node.depth for node in nodes), default=0) + 1
    if depth > MAX_DEPTH:
        raise ArcadeError(f"the expression is nested deeper than {MAX_DEPTH} levels", nodes[0].position)
    return depth


class _Builder(Transformer[Token, Node]):
    """Makes nodes while the parser reduces: no tree of lark's own is ever built or walked."""

    def NAME(self, token: Token) -> Token:  # noqa: N802  lark finds it by the name of the terminal
        if token.lower() in _STATEMENTS:
            raise ArcadeError(f"{str(token)!r} is not supported; write one expression, no statements", _position(token))
        return token

    @v_args(inline=True)
    def number(self, token: Token) -> Node:
        return Literal(_position(token), 1, _number(token))

    @v_args(inline=True)
    def text(self, token: Token) -> Node:
        return Literal(_position(token), 1, _unescaped(token))

    @v_args(inline=True)
    def variable(self, token: Token) -> Node:
        return Variable(_position(token), 1, str(token))

    @v_args(inline=True)
    def name(self, token: Token) -> Node:
        word = token.lower()
        if word in _CONSTANTS:
            return Literal(_position(token), 1, _CONSTANTS[word])
        return Name(_position(token), 1, str(token))

    @v_args(inline=True)
    def call(self, token: Token, *arguments: Node) -> Node:
        return Call(_position(token), _deeper(*arguments), str(token), arguments)

    @v_args(inline=True)
    def member(self, container: Node, key: Token) -> Node:
        if isinstance(container, Name) and container.name.lower() == "textformatting":
            if key.lower() in _FORMATTING:
                return Literal(container.position, 1, _FORMATTING[key.lower()])
            raise ArcadeError(f"TextFormatting has no {str(key)[:40]!r}", _position(key))
        return Item(_position(key), _deeper(container), container, Literal(_position(key), 1, str(key)))

    @v_args(inline=True)
    def item(self, container: Node, index: Node) -> Node:
        return Item(index.position, _deeper(container, index), container, index)

    def array(self, items: Sequence[Node]) -> Node:
        return ArrayLiteral(_first_position(items), _deeper(*items), tuple(items))

    @v_args(inline=True)
    def pair(self, key: Token, value: Node) -> tuple[str, Node]:
        return _unescaped(key) if key.type == "TEXT" else str(key), value

    def dictionary(self, pairs: Sequence[tuple[str, Node]]) -> Node:
        values = tuple(value for _, value in pairs)
        return DictionaryLiteral(_first_position(values), _deeper(*values), tuple(key for key, _ in pairs), values)

    @v_args(inline=True)
    def template(self, token: Token) -> Node:
        parts = _template_parts(token)
        return Template(_position(token), _deeper(*parts), parts)

    @v_args(inline=True)
    def group(self, inner: Node) -> Node:
        return replace(inner, depth=_deeper(inner))

    @v_args(inline=True)
    def signed(self, token: Token, operand: Node) -> Node:
        return Unary(_position(token), _deeper(operand), str(token), operand)

    def product(self, parts: Sequence[Node | Token]) -> Node:
        return _chain(Chain, parts)

    def disjunction(self, parts: Sequence[Node | Token]) -> Node:
        return _chain(Logical, parts)

    sum = relation = equality = product
    conjunction = disjunction


def _chain(make: type[Chain], parts: Sequence[Node | Token]) -> Node:
    """``parts`` are operands and the signs between them, in turn."""
    operands = [part for part in parts if isinstance(part, Node)]
    signs = [part for part in parts if isinstance(part, Token)]
    rest = tuple((str(sign), _position(sign), operand) for sign, operand in zip(signs, operands[1:], strict=True))
    return make(operands[0].position, _deeper(*operands), operands[0], rest)


def _number(token: Token) -> int | float:
    if not token.isdigit():
        return checked_number(float(token), f"{token[:40]}", _position(token))
    digits = token.lstrip("0") or "0"
    if len(digits) > 19:  # before int(): its time grows with the square of the digits
        raise ArcadeError(f"{digits[:20]}... is a number out of range", _position(token))
    return checked_number(int(digits), digits, _position(token))


def _first_position(nodes: Sequence[Node]) -> Position:
    """An empty literal has no place of its own, and no error can happen in it."""
    return nodes[0].position if nodes else (1, 1)


def _template_parts(token: Token) -> tuple[Node, ...]:
    """The literal pieces and the expressions of a template, in turn. A ``}`` that ends an expression stands outside of
    its quotes and brackets."""
    parts: list[Node] = []
    begin = 1
    while match := _HOLE.search(token, begin):
        if match[0] == "${":
            end = _end_of_hole(token, match.end())
            parts += [_piece(token, begin, match.start()), _parse_hole(token, match.end(), end)]
            begin = end + 1
        else:
            parts.append(_piece(token, begin, match.end()))
            begin = match.end()
    return (*parts, _piece(token, begin, len(token) - 1))


_HOLE: Final = re.compile(r"\$\{|\\.", re.DOTALL)
_BRACES: Final = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[{}]""", re.DOTALL)


def _end_of_hole(token: Token, begin: int) -> int:
    depth = 0
    for match in _BRACES.finditer(token, begin):
        if match[0] == "}" and depth == 0:
            return match.start()
        depth += {"{": 1, "}": -1}.get(match[0], 0)
    raise ArcadeError("the ${ that begins here has no closing }", _position_in(token, begin - 2))


def _parse_hole(token: Token, begin: int, end: int) -> Node:
    """Blanks before it put the expression at its own place, so that its positions are right."""
    line, column = _position_in(token, begin)
    text = "\n" * (line - 1) + " " * (column - 1) + token[begin:end]
    if not text.strip():
        raise ArcadeError("there is nothing between ${ and }", (line, column))
    try:
        return cast("Node", _parser().parse(text))
    except UnexpectedInput as error:
        raise _explained(error, text) from None


def _position_in(token: Token, index: int) -> Position:
    line, column = _position(token)
    breaks = token.count("\n", 0, index)
    return line + breaks, index - token.rfind("\n", 0, index) if breaks else column + index


def _piece(token: Token, begin: int, end: int) -> Node:
    return Literal(_position_in(token, begin), 1, _without_escapes(token[begin:end], _position_in(token, begin)))


def _unescaped(token: Token) -> str:
    """The text between the quotes."""
    line, column = _position(token)
    return _without_escapes(token[1:-1], (line, column + 1))


def _without_escapes(written: str, position: Position) -> str:
    """Raises ArcadeError for an unknown escape, whose place it knows on the first line."""
    line, column = position

    def character(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        found = chr(int(code, 16)) if code else _ESCAPES.get(match[3])
        if found is None or found == "\0":
            known = " ".join(f"\\{name}" for name in [*_ESCAPES, "xHH", "uHHHH"])
            raise ArcadeError(f"unknown escape {match[0]}; known: {known}", (line, column + match.start()))
        return found

    text = _ESCAPE.sub(character, written)
    try:  # a pair may be written as two escapes
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ArcadeError("the text contains half a surrogate pair", (line, column - 1)) from None
