"""A job in the browser: run to its end while somebody else watches, held, given away, with files and comments."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.console.conftest import ANA, Item, SignIn, job_address


def act(page: Page, name: str) -> None:
    """Press a button of the only current step, once it may be done."""
    page.locator(f"stepgate-step [data-act={name}]:not(.locked)").click()


def state_of(page: Page, step: str, state: str) -> None:
    """Wait until the drawing and the card show that the step is current and in this state."""
    page.locator(f'.node.current[aria-label^="{step},"][aria-label*="{state}"]').wait_for()
    page.locator("article.step-card", has_text=step).get_by_text(state, exact=True).wait_for()


def test_a_job_is_run_to_its_end_while_a_second_browser_follows_each_change(sign_in: SignIn, item: Item) -> None:
    address = job_address(item.job("Bridge"))
    page, watcher = sign_in(address=address), sign_in(ANA, address)
    state_of(watcher, "Do the work", "Ready")
    watcher.evaluate("window.notReloaded = true")
    act(page, "Run")
    state_of(watcher, "Do the work", "Asks")
    assert watcher.get_by_role("button", name="Answer").count() == 0
    page.get_by_role("button", name="Answer").click()
    page.get_by_role("dialog").get_by_text("Next: Review").wait_for()
    page.get_by_label("Comment (optional)").fill("It holds.")
    page.get_by_role("button", name="Done").click()
    state_of(watcher, "Review", "Asks")
    expect(watcher.locator("stepgate-activity")).to_contain_text("admin: It holds.")
    page.get_by_role("button", name="Answer").click()
    page.get_by_role("radio", name=re.compile("Approve")).check()
    expect(page.get_by_role("dialog")).to_contain_text("Next: Do the work")
    page.get_by_role("button", name="Answer", exact=True).last.click()
    for each in (page, watcher):
        each.get_by_text("The workflow is at its end", exact=True).wait_for()
        expect(each.locator(".node.done")).to_have_count(3)
    assert watcher.evaluate("window.notReloaded") is True


def test_why_something_is_not_possible_is_said_with_who_could_lift_it(sign_in: SignIn, item: Item) -> None:
    page = sign_in(ANA, job_address(item.job("Locked")))
    page.get_by_role("button", name="Run: why not?").click()
    why = page.locator(".why")
    expect(why).to_contain_text("The step is assigned to the user 'admin', not to 'ana'.")
    expect(why).to_contain_text("admin can do it")
    page.get_by_role("button", name="Reopen: why not?").wait_for(state="detached")


def test_a_hold_is_set_and_released_and_others_see_it(sign_in: SignIn, item: Item) -> None:
    address = job_address(item.job("Held"))
    page, watcher = sign_in(address=address), sign_in(ANA, address)
    act(page, "Hold")
    page.get_by_role("dialog").get_by_role("button", name="Hold").click()
    state_of(watcher, "Do the work", "On hold")
    page.get_by_role("button", name="Run: why not?").click()
    expect(page.locator(".why")).to_contain_text("The step is on hold, set by 'admin'")
    act(page, "ReleaseHold")
    for each in (page, watcher):
        state_of(each, "Do the work", "Ready")
    expect(watcher.locator("stepgate-activity")).to_contain_text("Do the work is not on hold any more")


def test_a_step_is_given_to_somebody_else_who_may_run_it_then(sign_in: SignIn, item: Item) -> None:
    address = job_address(item.job("Given"))
    page, other = sign_in(address=address), sign_in(ANA, address)
    other.get_by_role("button", name="Run: why not?").wait_for()
    act(page, "Assign")
    page.get_by_role("radio", name=f"{ANA} {ANA}").check()
    page.get_by_role("dialog").get_by_role("button", name="Assign").click()
    page.get_by_text("assigned to ana").first.wait_for()
    other.get_by_text("assigned to you").wait_for()
    act(other, "Run")
    state_of(page, "Do the work", "Asks")


def test_a_file_is_attached_looked_at_and_seen_by_others(sign_in: SignIn, item: Item, tmp_path: Path) -> None:
    address = f"{job_address(item.job('Files'))}?tab=attachments"
    page, watcher = sign_in(address=address), sign_in(ANA, address)
    note = tmp_path / "note.txt"
    note.write_text("Mind the dog.")
    page.locator("input[type=file]").set_input_files(note)
    page.get_by_role("button", name="note.txt", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("Mind the dog.")
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    watcher.get_by_role("button", name="note.txt", exact=True).wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save note.txt").click()
    assert saved.value.suggested_filename == "note.txt"
    page.get_by_role("button", name="Delete note.txt").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    watcher.get_by_text("Nothing is attached.").wait_for()


def test_comments_properties_history_and_a_location(sign_in: SignIn, item: Item) -> None:
    page = sign_in(address=job_address(item.job("Known")))
    page.get_by_role("tab", name="Comments").click()
    page.get_by_role("textbox", name="Comment").fill("Call before you come.")
    page.get_by_role("button", name="Add comment").click()
    page.locator(".comment", has_text="Call before you come.").wait_for()
    page.get_by_role("tab", name="Properties").click()
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_label("Name").fill("Better known")
    page.get_by_label("Priority").select_option("High")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Better known").wait_for()
    page.get_by_role("tab", name="Location").click()
    page.get_by_role("button", name="Set the location").click()
    page.get_by_label("Points: latitude, longitude").fill("50.1109, 8.6821")
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_role("img", name=re.compile(r"latitude 50\.1109, longitude 8\.6821")).wait_for()
    page.get_by_role("tab", name="History").click()
    expect(page.locator(".timeline")).to_contain_text("jobName")
