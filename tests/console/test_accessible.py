"""Every page, dark and light, wide and narrow: no serious finding of the accessibility checker, nothing cut off."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.console.conftest import Item, SignIn, job_address
from tests.support import ServerProcess

SERIOUS = {"serious", "critical"}
ADDRESSES = {
    "work": "#/work",
    "jobs": "#/jobs",
    "job": "",
    "diagrams": "#/diagrams",
    "diagram": "#/diagrams/uJ3Vn0yVQw6Yb1r4dS7mKg",
    "templates": "#/templates",
    "template": "#/templates/bT8xWm2pRk-5Zc9vLhQ0Ng",
    "people": "#/people",
    "roles": "#/people?tab=roles",
    "system": "#/system",
}
LOOKS: dict[str, tuple[dict[str, Any], str]] = {
    "light": ({"color_scheme": "light"}, "runOnly: ['color-contrast']"),
    "dark, narrow": (
        {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}},
        "resultTypes: ['violations']",
    ),
}
"""The browser's options, and what the checker looks for: only colours differ from one look to the other."""

EVERYTHING = LOOKS["dark, narrow"][1]


def findings(page: Page, axe: str, what: str = EVERYTHING) -> list[str]:
    """What the checker says of the page, a line for each; its script goes around the page's policy."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found = page.evaluate(f"axe.run(document, {{{what}}})")
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("look", LOOKS)
def test_no_page_has_a_serious_finding_or_is_wider_than_the_window(
    sign_in: SignIn, item: Item, axe: str, look: str
) -> None:
    job_id = item.job("Looked at", dueDate="2026-01-01T00:00:00Z")
    item.post(f"jobs/{job_id}/action", {"type": "Run"})
    options, what = LOOKS[look]
    page = sign_in(address="#/jobs", **options)
    for name, address in ADDRESSES.items():
        page.goto(page.url.split("#")[0] + (address or job_address(job_id)))
        page.locator(".page h1").first.wait_for()
        page.locator("main .skeleton").first.wait_for(state="detached")
        assert findings(page, axe, what) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"


def test_a_dialog_has_no_serious_finding_takes_the_focus_and_gives_it_back(
    sign_in: SignIn, item: Item, axe: str
) -> None:
    job_id = item.job("Asked")
    item.post(f"jobs/{job_id}/action", {"type": "Run"})
    page = sign_in(address=job_address(job_id))
    answer = page.get_by_role("button", name="Answer")
    answer.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    assert findings(page, axe) == []
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert answer.evaluate("button => button === document.activeElement")


def test_the_sign_in_page_has_no_serious_finding(page: Page, item: Item, axe: str, server: ServerProcess) -> None:
    page.goto(f"{server.url}/console/")
    page.get_by_label("User name").wait_for()
    assert findings(page, axe) == []
