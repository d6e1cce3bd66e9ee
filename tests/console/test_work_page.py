"""My work: what needs the user first, with its count, live; and the introduction, walked through to its end."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from app.services.first_start import TEMPLATE_ID
from tests.console.conftest import Item, SignIn, job_address


def test_what_needs_the_user_comes_first_is_counted_and_goes_when_it_is_answered(sign_in: SignIn, item: Item) -> None:
    page = sign_in(address="#/work")
    entry = page.locator(".work-entry", has_text="Waits for you")
    assert entry.count() == 0
    item.job("Waits for you")
    entry.get_by_role("button", name="Run").click()
    asks = page.locator(".work-entry.asks", has_text="Waits for you")
    asks.get_by_text("Do the work and say when it is ready for review.").wait_for()
    expect(page.locator("nav .count")).to_have_text(str(page.locator(".work-entry.asks").count()))
    expect(page).to_have_title(re.compile(r"^\(\d+\) My work"))
    expect(page.locator("main section").first).to_contain_text("Needs you")
    asks.get_by_role("button", name="Answer").click()
    page.get_by_role("dialog").get_by_role("button", name="Done").click()
    asks.get_by_text("Is the work approved?").wait_for()
    asks.get_by_role("button", name="Answer").click()
    page.get_by_role("radio", name=re.compile("Approve")).check()
    page.get_by_role("dialog").get_by_role("button", name="Answer").click()
    entry.wait_for(state="detached")


def act(page: Page, step: str, name: str) -> None:
    """Press a button of a current step, once it may be done."""
    page.get_by_role("article", name=step, exact=True).locator(f"[data-act={name}]:not(.locked)").click()


def answer(page: Page, step: str, fill: Callable[[Locator], None] = lambda _: None) -> None:
    """Answer what a step asks, and wait until the job has moved on."""
    card = page.get_by_role("article", name=step, exact=True)
    card.get_by_role("button", name="Answer").click()
    dialog = page.get_by_role("dialog")
    fill(dialog)
    dialog.get_by_role("button", name=re.compile("^(Done|Answer)$")).click()
    card.wait_for(state="detached")


def test_the_introduction_is_walked_through_to_its_end_with_a_place_a_file_and_a_page(
    sign_in: SignIn, item: Item, tmp_path: Path
) -> None:
    job_id = item.job("Tour", TEMPLATE_ID)
    plan = tmp_path / "plan.txt"
    plan.write_text("A plan.")
    page = sign_in(address=job_address(job_id))
    act(page, "Welcome", "Run")
    answer(page, "Welcome")
    answer(page, "A step that starts by itself")
    page.get_by_role("article", name="A step you may skip").get_by_role("button", name="Skip").click()
    for step in ("Check the address", "Ask the neighbours"):
        act(page, step, "Run")
        answer(page, step)
    page.get_by_role("article", name="Look into the archive").get_by_role("button", name="Skip").click()
    corners = "50, 8\n50, 9\n51, 9"
    answer(page, "Mark the place", lambda dialog: dialog.locator("[name=points]").fill(corners))
    answer(page, "Is the area right?", lambda dialog: dialog.locator("label", has_text="Next: Attach a file").click())

    def attach(dialog: Locator) -> None:
        dialog.locator("input[type=file]").set_input_files(plan)
        page.locator("stepgate-activity", has_text="plan.txt attached").wait_for()

    answer(page, "Attach a file", attach)
    answer(page, "Before you leave for another page")
    act(page, "Open a page", "Run")
    answer(page, "Open a page", lambda dialog: dialog.get_by_role("link", name="Open the app").wait_for())
    answer(page, "Look back")
    answer(page, "The end")
    page.get_by_text("The workflow is at its end", exact=True).wait_for()
    job = item.get(f"jobs/{job_id}")
    assert (job["currentSteps"], job["percentComplete"], job["hasLocation"]) == ([], 100, 1)
    assert len(item.get(f"jobs/{job_id}/attachments")["attachments"]) == 1


def test_the_system_page_shows_figures_and_the_process_that_serves(sign_in: SignIn) -> None:
    page = sign_in(address="#/system")
    row = page.get_by_role("row").filter(has_text="yes").first
    row.wait_for()
    assert len(row.locator("code").inner_text()) > 8
    assert page.get_by_text("ready", exact=True).count() == 1
