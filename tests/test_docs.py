"""The documentation against the code: what it names exists, and what it must name is there."""

import ast
import importlib
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.routing import Route

from app.api.asyncapi import FEED, OF_ITEM, REPLIES
from app.api.routes import routes
from app.errors import GatewayError
from app.expressions.arcade_table import FUNCTIONS
from app.protocol.codes import CLOSE_CODES, MsgCode, ReplyCode
from app.protocol.prompts import StepInfoRequired
from app.settings import CLIENT_VARIABLES, FOREIGN_PREFIXES, describe
from app.store import schema

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("tests/**/*.md"), *ROOT.glob("clients/*/*.md")])

_LINK = re.compile(r"\]\((?!https?://|mailto:)([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def words_in_code(page: Path) -> set[str]:
    """What stands in backquotes, outside of blocks."""
    return set(_CODE.findall(_BLOCK.sub("", text_of(page))))


def json_blocks(page: Path) -> Iterator[str]:
    for language, block in _BLOCK.findall(text_of(page)):
        if language == "json":
            yield from (line for line in re.split(r"\n(?=\{)", block.strip()) if line.strip())


def project() -> dict[str, Any]:
    return tomllib.loads(text_of(ROOT / "pyproject.toml"))


@pytest.mark.parametrize("name", ["architecture", "compatibility", "decisions", "delivery", "glossary", "protocol"])
def test_each_page_is_there(name: str) -> None:
    assert text_of(DOCS / f"{name}.md").startswith("# ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(_BLOCK.sub("", text_of(page))):
        target, _, anchor = link.partition("#")
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in {_anchor(line) for line in text_of(found).splitlines() if line.startswith("#")}, link


def _anchor(heading: str) -> str:
    words = re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower())
    return words.replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_is_named_exists(page: Path) -> None:
    for word in words_in_code(page):
        if re.fullmatch(r"(app|tests|docs|scripts|clients)/[\w./-]+", word):
            assert (ROOT / word).exists(), f"{word} is named and not there"


# ---------------------------------------------------------------- settings, routes, codes


def test_every_setting_is_documented_as_it_is() -> None:
    table = text_of(DOCS / "settings.md")
    for variable, default, text in describe():
        shown = f" `{default}` " if default else " "
        assert f"| `{variable}` |{shown}| {text} |" in table, f"docs/settings.md: {variable}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_setting_is_named_that_does_not_exist(page: Path) -> None:
    known = {variable for variable, _, _ in describe()} | CLIENT_VARIABLES
    for word in set(re.findall(r"\bSTEPGATE_[A-Z_]*[A-Z]\b", text_of(page))):
        assert word in known or word.startswith(FOREIGN_PREFIXES), word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_address_of_the_server_that_is_named_is_served(page: Path) -> None:
    served = {route.path for route in routes if isinstance(route, Route)}
    for word in words_in_code(page):
        if re.fullmatch(r"/[a-z]+(\.json)?", word) and word not in {"/data", "/tmp"}:  # noqa: S108  (folders)
            assert word in served, f"{word} is named and not served"


def test_every_code_of_the_websocket_is_documented() -> None:
    page = text_of(DOCS / "protocol.md")
    for code in (*MsgCode, *ReplyCode):
        assert f"`{code}`" in page, code
    for close in CLOSE_CODES:
        assert re.search(rf"^\| `?{close.code}`? \|", page, re.MULTILINE), close.code


@pytest.mark.parametrize("name", ["protocol", "compatibility", "delivery"])
def test_no_code_is_documented_that_is_never_sent(name: str) -> None:
    others = {"COMMIT", "FULL", "SMTP", "SMTPS", "SSL", "STARTTLS", "TLS", "URL", "LIKE", "AND", "SEARCH"}
    for word in words_in_code(DOCS / f"{name}.md"):
        if re.fullmatch(r"(?!STEPGATE_)[A-Z]{3,}(_[A-Z]+)*", word):
            assert word in {*MsgCode} | others, word


def test_every_message_that_the_protocol_page_names_exists() -> None:
    known = {body.msg_type() for body in FEED + OF_ITEM + REPLIES} | {function.name for function in FUNCTIONS.values()}
    for word in words_in_code(DOCS / "protocol.md") | words_in_code(DOCS / "compatibility.md"):
        if re.fullmatch(r"(Step(?!In)|Job(?!Created))[A-Z][A-Za-z]+", word) and word not in _OTHER_NAMES:
            assert word in known, word


_OTHER_NAMES = {
    "JobTemplateInUse",
    "StepNotAuto",
    "StepNotCurrent",
    "StepNotInDiagram",
    "JobClosed",
    "JobContext",
}
"""Statuses and other words that look like message types."""


# ---------------------------------------------------------------- examples, tests, names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_in_json_can_be_read_and_is_the_message_it_says_it_is(page: Path) -> None:
    bodies = {body.msg_type(): body for body in FEED + OF_ITEM + REPLIES if body is not StepInfoRequired}
    for block in json_blocks(page):
        example = json.loads(block)
        if isinstance(example, dict) and example.get("msgType") in bodies:
            msgspec.convert(example["message"], bodies[example["msgType"]])


def test_every_test_that_shows_a_promise_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text_of(DOCS / "delivery.md"))
    assert len(named) > 20
    for file, name in named:
        tree = ast.parse(text_of(ROOT / file))
        found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in found, f"{file}::{name}"


def test_each_promise_has_a_test_that_shows_it() -> None:
    promises = re.split(r"^## ", text_of(DOCS / "delivery.md"), flags=re.MULTILINE)[1:]
    numbered = [promise for promise in promises if re.match(r"\d", promise)]
    assert len(numbered) == 6
    for promise in numbered:
        assert "::test_" in promise
        assert "Not promised" in promise


def test_the_changelog_has_this_version() -> None:
    assert f"\n## [{project()['project']['version']}]" in text_of(ROOT / "CHANGELOG.md")


def test_every_dependency_has_its_reason() -> None:
    parts = project()["project"]
    names = [
        re.match(r"[\w-]+", line) for line in [*parts["dependencies"], *parts["optional-dependencies"]["postgres"]]
    ]
    page = text_of(DOCS / "decisions.md").lower()
    for name in names:
        assert name
        assert name[0] in page, f"docs/decisions.md says nothing of {name[0]}"


def test_every_package_is_on_the_map() -> None:
    page = text_of(ROOT / "CONTRIBUTING.md")
    for file in (ROOT / "app").glob("*/__init__.py"):
        assert f"`app/{file.parent.name}`" in page, file.parent.name


def test_whatever_the_glossary_points_at_is_there() -> None:
    rows = re.findall(r"^\| ([\w ,-]+) \| .* \| (.+) \|$", text_of(DOCS / "glossary.md"), re.MULTILINE)
    assert len(rows) > 50
    for word, places in rows:
        for table in re.findall(r"table `(\w+)`", places):
            assert table in schema.metadata.tables, f"{word}: table {table}"
        for place in re.findall(r"(?<!table )`([\w.]+)`", places):
            assert is_there(place), f"{word}: {place}"


def is_there(place: str) -> bool:
    """Tell whether ``module``, ``module.Name``, ``Name`` or ``Name.member`` exists in the application."""
    first, *rest = place.split(".")
    if (ROOT / "app" / first).is_dir():
        return _in_module(place)
    names = _names()
    return first in names and all(part in names[first] for part in rest)


def _in_module(place: str) -> bool:
    parts = place.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(["app", *parts[:length]]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name, None)
        return found is not None
    return False


@cache
def _names() -> dict[str, set[str]]:
    """Each class of the application, with the names its body and its ``__init__`` define."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(text_of(file))):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, set()).update(_members(node))
    return found


def _members(node: ast.ClassDef) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            yield inner.name
        elif isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
            yield inner.target.id
        elif isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
            yield inner.attr


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawing = importlib.import_module("app.errors").__doc__ or ""
    for error in _subclasses(GatewayError):
        assert error.__name__ in drawing


def _subclasses(base: type[GatewayError]) -> Iterator[type[GatewayError]]:
    for each in base.__subclasses__():
        if each.__module__ == "app.errors":
            yield each
            yield from _subclasses(each)
