"""One server for the console's tests, people who sign in there, and jobs made over REST."""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.services.first_start import ADMIN, ITEM_ID, ORG_ID
from tests.support import ServerProcess, deadline
from tests.support.browser import WAIT_S, errors_of, open_context

PASSWORD = "correct horse battery"
ANA = "ana"
REVIEW = "bT8xWm2pRk-5Zc9vLhQ0Ng"
"""The template of the seeds whose diagram has a manual step, a question that may send back, and an end."""

_KEPT = "stepgate.session"
_REFUSED = re.compile(r"Failed to load resource|WebSocket connection to|ERR_CONNECTION_REFUSED")
"""What Chromium writes of each answer that is a refusal, and of a server that is away: both are meant in some tests."""

expect.set_options(timeout=deadline(WAIT_S) * 1000)

SignIn = Callable[..., Page]


class Item:
    """The REST interface of the server's item, as the administrator."""

    def __init__(self, server: ServerProcess) -> None:
        self._root = f"{server.url}/{ORG_ID}/{ITEM_ID}"
        self._headers = {"Authorization": f"Bearer {server.token()}", "Content-Type": "application/json"}

    def get(self, path: str) -> Any:
        return self._call("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        return self._call("POST", path, body)

    def job(self, name: str, template: str = REVIEW, **members: Any) -> str:
        """Make a job; gives its id."""
        made = self.post(f"jobTemplates/{template}/job", {"jobName": name, **members})
        return str(made["jobIds"][0])

    def _call(self, method: str, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._root}/{path}", data, self._headers, method=method)
        with urllib.request.urlopen(request, timeout=deadline(2)) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A ready server on SQLite with an administrator and ana, who works in a group of her own."""
    served = ServerProcess(tmp_path_factory.mktemp("console"), {"admin_password": PASSWORD})
    try:
        served.start_on_a_free_port()
        served.command("group", "add", "Crew", "--role", "Manage Jobs - Advanced")
        served.command("user", "add", ANA, "--password", PASSWORD, "--group", "Crew")
        yield served
    finally:
        served.close()


@pytest.fixture(scope="session")
def item(server: ServerProcess) -> Item:
    """The server's item over REST."""
    return Item(server)


@pytest.fixture(scope="session")
def sessions() -> dict[str, str]:
    """What the console keeps of a user who has signed in: each signs in once, and comes back after that."""
    return {}


@pytest.fixture
def sign_in(browser: Browser, server: ServerProcess, sessions: dict[str, str]) -> Iterator[SignIn]:
    """``sign_in("ana", "#/jobs", viewport=...)`` gives a page where she has signed in; each has a profile of its own.

    When the test ends, none of the pages may have written an error.
    """
    errors: list[list[str]] = []
    with ExitStack() as contexts:

        def open_page(user: str = ADMIN, address: str = "", **options: Any) -> Page:
            context = contexts.enter_context(open_context(browser, **options))
            if user in sessions:
                context.add_init_script(f"sessionStorage.setItem({json.dumps(_KEPT)}, {json.dumps(sessions[user])})")
            page = context.new_page()
            errors.append(errors_of(page))
            page.goto(f"{server.url}/console/{address}")
            if user not in sessions:
                enter(page, user, PASSWORD)
            page.locator(".page h1").first.wait_for()
            sessions[user] = page.evaluate(f"sessionStorage.getItem({json.dumps(_KEPT)})")
            return page

        yield open_page
        assert not [error for of_page in errors for error in of_page if not _REFUSED.search(error)]


def enter(page: Page, user: str, password: str) -> None:
    """Fill in the sign-in page and send it."""
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of the accessibility checker."""
    return (Path(__file__).parent / "vendor" / "axe.js").read_text()


def job_address(job_id: str) -> str:
    """The address of a job's page."""
    return f"#/jobs/{urllib.parse.quote(job_id)}"
