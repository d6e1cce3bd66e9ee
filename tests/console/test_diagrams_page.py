"""The editor of diagrams: drawn, checked with the run that shows the fault, kept as a draft, published."""

import re

from playwright.sync_api import Page, expect

from tests.console.conftest import ANA, Item, SignIn


def add(page: Page, kind: str, name: str) -> None:
    page.locator(f"[data-kind={kind}]").click()
    page.locator("[name=stepName]").fill(name)
    page.locator("[name=stepName]").press("Enter")
    page.locator(f'.node[aria-label^="{name},"]').wait_for()


def test_a_diagram_is_drawn_checked_and_published_and_a_job_goes_its_way(sign_in: SignIn, item: Item) -> None:
    page = sign_in(address="#/diagrams")
    page.get_by_role("button", name="New diagram").click()
    page.get_by_label("Name of the diagram").fill("Survey")
    page.get_by_label("Name of the diagram").press("Tab")
    add(page, "Manual", "Measure")
    add(page, "Question", "Right?")
    add(page, "Manual", "Archive")
    page.get_by_role("button", name="Check").click()
    finding = page.locator(".finding.shown")
    expect(finding).to_contain_text("The step “Right?” may return 0, and no path opens for that.")
    expect(finding).to_contain_text("Example: Measure returns success. Then the job is at Right?.")
    expect(page.locator('.node.marked[aria-label^="Measure,"] .order')).to_have_text("1")
    expect(page.locator('.node.marked.bad[aria-label^="Right?,"] .order')).to_have_text("2")
    page.locator('.node[aria-label^="Right?,"]').click()
    page.locator("[name=connect]").select_option(label="Measure")
    expect(page.locator(".edge-label")).to_have_text(["Yes", "No"])
    page.get_by_role("button", name="Check").click()
    page.get_by_text("Sound: wherever a job is, there is a way to its end.").wait_for()
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("The draft is saved.").wait_for()
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    page.get_by_text("Version 1 is active.").wait_for()
    diagram_id = page.url.rpartition("/")[2]
    stored = item.get(f"diagrams/{diagram_id}")
    assert [step["name"] for step in stored["steps"]] == ["Measure", "Right?", "Archive"]
    assert (stored["active"], stored["diagramVersion"]) == (True, 1)


def test_steps_are_moved_connected_and_deleted_with_the_mouse_and_all_of_it_is_undone(sign_in: SignIn) -> None:
    page = sign_in(address="#/diagrams/new")
    add(page, "Manual", "First")
    page.evaluate("document.querySelector('stepgate-diagram-page').selected = null")
    add(page, "Manual", "Second")
    expect(page.locator(".edge")).to_have_count(0)
    first, second = (page.locator(f'.node[aria-label^="{name},"]') for name in ("First", "Second"))
    page.locator(".handle").first.drag_to(second)
    expect(page.locator(".edge")).to_have_count(1)
    before = second.get_attribute("transform")
    box = second.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 90, steps=4)
    page.mouse.up()
    expect(second).not_to_have_attribute("transform", before or "")
    first.focus()
    page.keyboard.press("Delete")
    expect(page.locator(".node")).to_have_count(1)
    for _ in range(3):
        page.get_by_role("button", name="Undo").click()
    expect(page.locator(".node")).to_have_count(2)
    expect(page.locator(".edge")).to_have_count(0)
    expect(second).to_have_attribute("transform", before or "")


def test_who_may_not_design_reads_diagrams_and_stores_nothing(sign_in: SignIn) -> None:
    page = sign_in(ANA, "#/diagrams")
    expect(page.get_by_role("button", name="New diagram")).to_be_disabled()
    page.get_by_role("link", name="Simple Review").click()
    page.locator('.node[aria-label^="Review,"]').wait_for()
    for name in ("Check", "Save draft", "Publish"):
        expect(page.get_by_role("button", name=re.compile(f"^ ?{name}$"))).to_be_disabled()
