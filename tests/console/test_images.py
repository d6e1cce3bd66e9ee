"""The pictures of the documentation show what the console is: made anew by ``scripts/console-images.sh``."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.console.conftest import Item, SignIn, job_address

ROOT = Path(__file__).resolve().parents[2]
FOLDER = os.environ.get("STEPGATE_IMAGES")
SIZE = {"width": 1360, "height": 820}
WORK = "f3194a3b-381e-43e7-952c-466e473a1797"
NAMES = [
    ("Survey of parcel 12/4", "High"),
    ("Bridge inspection, river Lahn", "Medium"),
    ("Water main break, Mill Street", "High"),
    ("New hydrant at the school", "Low"),
    ("Road marking, ring road", "Medium"),
]


def test_every_picture_in_the_readme_is_there() -> None:
    named = re.findall(r"!\[[^]]+\]\(([^)]+\.png)\)", (ROOT / "README.md").read_text())
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.skipif(FOLDER is None, reason="pictures are made on request: scripts/console-images.sh")
def test_the_pictures_are_made(sign_in: SignIn, item: Item) -> None:
    made = [
        item.job(name, priority=priority, dueDate=f"2027-0{1 + number}-1{number}T10:00:00Z")
        for number, (name, priority) in enumerate(NAMES)
    ]
    for job_id in made[:3]:
        item.post(f"jobs/{job_id}/action", {"type": "Run"})
    for job_id in (made[0], made[2]):
        item.post(f"jobs/{job_id}/steps/{WORK}/response", {"manualResponse": True})
    item.post(f"jobs/{made[3]}/action", {"type": "Hold"})
    for name, address, scheme, prepare in (
        ("work", "#/work", "light", _work),
        ("job", job_address(made[1]), "light", _job),
        ("diagram", "#/diagrams/uJ3Vn0yVQw6Yb1r4dS7mKg", "dark", _diagram),
        ("system", "#/system", "dark", _system),
    ):
        page = sign_in(address=address, viewport=SIZE, color_scheme=scheme)
        step: Callable[[Page], None] = prepare
        step(page)
        page.screenshot(path=ROOT / str(FOLDER) / f"{name}.png")


def _work(page: Page) -> None:
    page.locator(".work-entry.held").wait_for()


def _job(page: Page) -> None:
    page.get_by_role("button", name="Answer").click()
    page.get_by_role("button", name="Done").click()
    page.locator(".node.current.asks[aria-label^=Review]").wait_for()
    page.locator(".step-card", has_text="Review").get_by_role("button", name="Answer").wait_for()


def _diagram(page: Page) -> None:
    page.locator('.node[aria-label^="Review,"]').click()
    page.locator(".path summary").nth(1).wait_for()
    page.get_by_role("button", name="Delete path").last.click()
    page.get_by_role("button", name="Check").click()
    page.locator(".finding").first.wait_for()


def _system(page: Page) -> None:
    page.locator('.charts[data-samples="8"]').wait_for()
