"""What is served below ``/console/``: the right files with the right headers, and nothing else."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.console.files import find_file, routes

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "app" / "console" / "static"
VENDORED = [STATIC / "vendor", ROOT / "tests" / "console" / "vendor"]
SOURCES = [path for path in STATIC.rglob("*") if path.is_file() and "vendor" not in path.parts]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes)) as client:
        yield client


def test_the_page_is_served_and_its_address_without_a_slash_leads_there(client: TestClient) -> None:
    assert "<stepgate-console>" in client.get("/console/").text
    led = client.get("/console", follow_redirects=False)
    assert led.is_redirect
    assert led.headers["location"].endswith("/console/")


@pytest.mark.parametrize("path", ["main.js", "vendor/lit.js", "client/index.js"])
def test_modules_are_served_as_modules(client: TestClient, path: str) -> None:
    answer = client.get(f"/console/{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_file_of_the_console_has_a_media_type() -> None:
    for path in [*SOURCES, *(path for folder in VENDORED[:1] for path in folder.iterdir())]:
        assert find_file(path.relative_to(STATIC).as_posix()) == path


def test_no_script_in_a_page_no_style_in_a_page_and_nothing_from_elsewhere(client: TestClient) -> None:
    policy = client.get("/console/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert not re.search("unsafe|https?:|[*]", policy)


def test_a_file_is_asked_for_anew_and_sent_again_only_when_it_has_changed(client: TestClient) -> None:
    first = client.get("/console/main.js")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/console/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/console/main.js", headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize(
    "path",
    [
        "../files.py",
        "..%2ffiles.py",
        "%2e%2e/README.md",
        "vendor/../../files.py",
        "client/../../../pyproject.toml",
        "/etc/passwd",
        ".hidden.js",
        "lib",
        "none.js",
        "a\\b.js",
        "%00.js",
    ],
)
def test_nothing_else_is_reached(client: TestClient, path: str) -> None:
    answer = client.get(f"/console/{path}")
    assert answer.status_code == 404
    assert "content-security-policy" in answer.headers or answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: str(folder.relative_to(ROOT).parent))
def test_each_vendored_file_is_what_the_manifest_says_and_has_its_licence_beside_it(folder: Path) -> None:
    listed = json.loads((folder / "manifest.json").read_text())
    for each in listed:
        assert hashlib.sha256((folder / each["file"]).read_bytes()).hexdigest() == each["sha256"], each["file"]
        assert len((folder / each["licenceFile"]).read_text()) > 500
    named = {each[member] for each in listed for member in ("file", "licenceFile")}
    assert {path.name for path in folder.iterdir()} == named | {"manifest.json"}


def test_the_update_script_names_the_versions_that_are_there() -> None:
    script = (ROOT / "scripts" / "vendor-console.sh").read_text()
    for folder in VENDORED:
        for each in json.loads((folder / "manifest.json").read_text()):
            assert re.search(rf"^[A-Z]+={re.escape(each['version'])}$", script, re.MULTILINE), each["package"]


def test_modules_import_only_files_that_are_served() -> None:
    for path in SOURCES:
        if path.suffix != ".js":
            continue
        for name in re.findall(r"""(?:from|import) ["'](\.{1,2}/[^"']+)["']""", path.read_text()):
            target = (path.parent / name).resolve().relative_to(STATIC).as_posix()
            found = find_file(target)
            assert found is not None, f"{path.relative_to(STATIC)} imports {name}"
            assert found.is_file(), f"{path.relative_to(STATIC)} imports {name}"


def test_no_source_has_a_style_attribute_which_the_policy_would_refuse() -> None:
    for path in SOURCES:
        assert not re.search(r"\bstyle=", path.read_text()), path


def test_the_map_of_the_modules_names_each_of_them() -> None:
    text = (ROOT / "app" / "console" / "README.md").read_text()
    for path in SOURCES:
        if path.suffix == ".js":
            assert f"`{path.name}`" in text, f"{path.name} is missing in app/console/README.md"
