"""The list of jobs: searched, saved, and many done at once; and the ways in and around."""

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import PASSWORD, Item, SignIn, enter
from tests.support import ServerProcess


def search(page: Page, text: str) -> None:
    page.get_by_label("Search jobs").fill(text)
    page.get_by_role("button", name="Search", exact=True).click()


def names(page: Page) -> list[str]:
    return page.locator("td[data-label=Name]").all_inner_texts()


@pytest.fixture(scope="module")
def three_jobs(item: Item) -> None:
    for name, priority in (("Hydrant north", "High"), ("Hydrant south", "Low"), ("Playground", "High")):
        item.job(name, priority=priority)


@pytest.mark.usefixtures("three_jobs")
def test_jobs_are_found_by_words_and_by_a_condition_whose_names_are_completed(sign_in: SignIn) -> None:
    page = sign_in(address="#/jobs")
    search(page, "hydrant south")
    expect(page.locator("td[data-label=Name]")).to_have_text(["Hydrant south"])
    box = page.get_by_label("Search jobs")
    box.fill("")
    box.press_sequentially("prio")
    box.press("ArrowDown")
    box.press("Enter")
    box.press_sequentially("= ")
    page.get_by_role("option", name="'High'").click()
    box.press_sequentially("AND jobName LIKE 'hyd%'")
    box.press("Enter")
    expect(page.locator("td[data-label=Name]")).to_have_text(["Hydrant north"])
    assert "priority" in page.url


@pytest.mark.usefixtures("three_jobs")
def test_a_fault_in_a_condition_is_shown_where_it_is(sign_in: SignIn) -> None:
    page = sign_in(address="#/jobs")
    search(page, "priority='High' AND AND closed=0")
    fault = page.locator("#query-fault")
    expect(fault).to_contain_text("At character 21: unexpected 'AND'")
    text, caret = fault.locator("pre").inner_text().split("\n")
    assert text[caret.index("^") :].startswith("AND closed")
    expect(page.get_by_label("Search jobs")).to_have_attribute("aria-invalid", "true")


@pytest.mark.usefixtures("three_jobs")
def test_a_search_is_saved_found_again_and_deleted(sign_in: SignIn) -> None:
    page = sign_in(address="#/jobs")
    search(page, "jobName LIKE 'hyd%'")
    page.get_by_role("button", name="Save this search").click()
    page.get_by_label("Name", exact=True).fill("Hydrants")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Hydrants", exact=True).wait_for()
    page.goto(page.url.split("#")[0] + "#/jobs")
    page.get_by_role("link", name="Hydrants", exact=True).click()
    expect(page.locator("td[data-label=Name]")).to_have_count(2)
    page.get_by_role("button", name="Delete “Hydrants”").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("link", name="Hydrants", exact=True).wait_for(state="detached")


def test_many_jobs_are_closed_at_once_and_each_refusal_is_told(sign_in: SignIn, item: Item) -> None:
    item.job("Bulk one")
    item.job("Bulk two")
    item.post(f"jobs/{item.job('Bulk runs')}/action", {"type": "Run"})
    page = sign_in(address="#/jobs?q=bulk")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("toolbar").get_by_role("button", name="Close").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(dialog.get_by_role("status")).to_have_text("3 of 3 done, 1 refused")
    expect(dialog.locator("li", has_text="Bulk runs")).to_contain_text("The job is running")
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator("tr", has_text="Bulk one")).to_contain_text("Closed")


def test_a_job_is_made_in_the_console(sign_in: SignIn) -> None:
    page = sign_in(address="#/jobs")
    page.get_by_role("button", name="New job").first.click()
    page.locator("select[name=template]").select_option("Simple Review")
    page.get_by_label("Name", exact=True).fill("Made by hand")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("heading", name="Made by hand").wait_for()


def test_a_wrong_password_is_refused_and_a_token_signs_in_without_being_in_any_address(
    sign_in: SignIn, server: ServerProcess
) -> None:
    page = sign_in()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Sign out").first.click()
    enter(page, "admin", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("The user name or the password is not right.")
    page.get_by_role("button", name="Use a token instead").click()
    page.get_by_label("Token").fill(server.token())
    page.get_by_role("button", name="Sign in").click()
    page.locator(".page h1").first.wait_for()
    page.get_by_role("button", name="Sign out").first.click()
    enter(page, "admin", PASSWORD)
    page.locator(".page h1").first.wait_for()
    assert asked
    assert not [url for url in asked if "token=" in url or PASSWORD in url]


def test_the_colours_follow_the_system_until_somebody_chooses(sign_in: SignIn) -> None:
    page = sign_in(color_scheme="dark")

    def is_dark() -> bool:
        return bool(page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 18, 24)")

    assert is_dark()
    page.get_by_role("button", name="Colours: auto").first.click()
    assert not is_dark()
    page.reload()
    page.locator(".page h1").first.wait_for()
    assert not is_dark()
