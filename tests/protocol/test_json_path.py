"""Paths into JSON: what they select, and what is none."""

from typing import Any

import pytest

from app.errors import InvalidValue
from app.protocol.json_path import read_path, value_at

DOCUMENT = {"a": {"b c": [1, {"d-e": None}]}, "n": 5}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DOCUMENT),
        ("$.n", 5),
        ("$.a['b c'][0]", 1),
        ("$.a['b c'][-1].d-e", None),
        ("$['a']['b c'][1]['d-e']", None),
    ],
)
def test_a_path_selects_one_value(path: str, value: Any) -> None:
    assert value_at(DOCUMENT, read_path(path)) == value


@pytest.mark.parametrize("path", ["$.x", "$.n.x", "$.n[0]", "$[0]", "$.a['b c'].d", "$.a['b c'][2]", "$.a['b c'][-3]"])
def test_where_there_is_nothing_nothing_is_found(path: str) -> None:
    with pytest.raises(LookupError):
        value_at(DOCUMENT, read_path(path))


@pytest.mark.parametrize(
    "path", ["", "n", ".n", "$n", "$.", "$..n", "$[*]", "$[?(@.x)]", "$.n ", "$['']", "$[1", "$" + ".a" * 300]
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidValue, match="path into JSON"):
        read_path(path)
