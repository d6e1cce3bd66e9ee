"""A server that is killed and started again under an open page: the page says so, and then shows what it has missed."""

from playwright.sync_api import expect

from tests.console.conftest import Item, SignIn, job_address
from tests.support import ServerProcess


def test_a_page_says_that_the_server_is_away_and_shows_what_it_missed_when_it_is_back(
    sign_in: SignIn, item: Item, server: ServerProcess
) -> None:
    job_id = item.job("Survives")
    page = sign_in(address=job_address(job_id))
    page.locator(".badge", has_text="live").wait_for()
    page.evaluate("window.notReloaded = true")
    server.kill9()
    page.get_by_text("The server cannot be reached").wait_for()
    server.start()
    item.post(f"jobs/{job_id}/comments", {"comment": "Said while you were away."})
    item.post(f"jobs/{job_id}/action", {"type": "Run"})
    page.get_by_text("The server cannot be reached").wait_for(state="detached")
    page.locator(".node.current.asks").wait_for()
    expect(page.locator("stepgate-activity")).to_contain_text("Said while you were away.")
    assert page.evaluate("window.notReloaded") is True
