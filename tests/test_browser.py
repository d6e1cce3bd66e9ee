"""The browser that tests are given."""

from playwright.sync_api import Page

from tests.support.browser import errors_of


def test_a_page_runs_modules_and_its_errors_are_seen(page: Page) -> None:
    errors = errors_of(page)
    page.set_content('<script type="module">document.body.textContent = "runs"; console.error("noted");</script>')
    page.get_by_text("runs").wait_for()
    assert len(errors) == 1
    assert errors[0].startswith("noted")
