"""Debian's Chromium, driven by Playwright: for the pages that the server serves and the JavaScript client in them.

``tests/conftest.py`` makes fixtures of it: ``browser`` for a module, ``page`` for a test. They are Playwright's
synchronous ones, which keep an event loop in their thread: a module that uses them has no ``anyio`` tests.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.support.deadlines import deadline

FLAGS = (
    "--no-sandbox",  # the tests may run as root, in a container without user namespaces
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
WAIT_S = 2.0
"""What a step of a page should take at most."""


def chromium() -> str:
    """The path of the installed Chromium. Raises FileNotFoundError naming what to install."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (found := shutil.which(name)) is not None:
            return found
    raise FileNotFoundError("There is no Chromium. scripts/test-needs.sh installs it (Debian's package chromium).")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless Chromium; it ends with the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_context(browser: Browser, **options: object) -> Iterator[BrowserContext]:
    """A user's own profile (cookies, storage), for a test with several people; its waits have a deadline.

    Args:
        options: those of ``Browser.new_context``, such as ``viewport`` and ``color_scheme``.
    """
    context = browser.new_context(**options)  # type: ignore[arg-type]  # whatever Playwright takes is passed on
    context.set_default_timeout(deadline(WAIT_S) * 1000)
    try:
        yield context
    finally:
        context.close()


def errors_of(page: Page) -> list[str]:
    """A list that grows with each error the page writes to its console and each exception nobody catches."""
    errors: list[str] = []

    def take(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(f"{message.text} ({message.location.get('url', '')})")

    page.on("console", take)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors
