"""The endpoint index, the routes, the tests and the documentation name the same operations."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from starlette.routing import WebSocketRoute

from app.api.operation import Operation
from app.api.operations import OPERATIONS
from app.api.routes import routes
from tests.conformance.rows import WEBSOCKET, Row, rows
from tests.conformance.writes import ELSEWHERE

HERE = Path(__file__).parent
COMPATIBILITY = (HERE.parents[1] / "docs" / "compatibility.md").read_text(encoding="utf-8").splitlines()
ROWS = list(rows())
SECTIONS = "1 2 3 6 7 7.1 8 9 10 11 12 13 14 16 17".split()


def operation_of(row: Row) -> Operation:
    return OPERATIONS[f"{row.method} {row.path}"]


@cache
def functions_in(file: str) -> frozenset[str]:
    """The names of a module's tests."""
    return frozenset(_functions(ast.parse((HERE / file).read_text(encoding="utf-8"))))


def _functions(tree: ast.Module) -> Iterator[str]:
    return (node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation)
def test_a_row_is_a_route_with_a_test_and_a_line_in_the_documentation(row: Row) -> None:
    if row.method == WEBSOCKET:
        assert row.operation in {route.name for route in routes if isinstance(route, WebSocketRoute)}
    else:
        assert operation_of(row).operation_id == row.operation
    file, _, name = row.test.partition("::")
    assert name in functions_in(file), f"{row.test} is named and not there"
    assert row.line in COMPATIBILITY, f"docs/compatibility.md lacks this line:\n{row.line}"


@pytest.mark.parametrize("row", [row for row in ROWS if row.method != WEBSOCKET], ids=lambda row: row.operation)
def test_a_row_names_the_privileges_that_its_description_names(row: Row) -> None:
    told = operation_of(row).privilege or ""
    for name in row.privileges:
        assert f"`{name}`" in told
    assert bool(row.privileges) == bool(told)


def test_every_line_of_the_documentation_is_a_row() -> None:
    begin = COMPATIBILITY.index("| operation | name | privilege | test |") + 2
    end = COMPATIBILITY.index("", begin)
    assert set(COMPATIBILITY[begin:end]) == {row.line for row in ROWS}


@pytest.mark.parametrize("operation", ELSEWHERE)
def test_an_operation_that_is_tried_elsewhere_has_that_test(operation: str) -> None:
    file, _, name = ELSEWHERE[operation].partition("::")
    assert name in functions_in(file)


def test_every_numbered_section_of_the_reference_has_its_module() -> None:
    """A module's first line names the sections that it shows."""
    numbers = [re.findall(r"\d+(?:\.\d+)?", _first_line(file)) for file in HERE.glob("test_section_*.py")]
    found = {number for line in numbers for number in line}
    wanted = [*SECTIONS, *(f"5.{number}" for number in range(1, 13)), *(f"15.{number}" for number in range(1, 9))]
    assert not [number for number in wanted if number not in found]


def _first_line(file: Path) -> str:
    """What stands behind ``rest.md`` in it."""
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].partition("rest.md")[2]
