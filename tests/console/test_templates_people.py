"""Templates, and the people of the item with their groups and roles."""

import re

from playwright.sync_api import expect

from tests.console.conftest import ANA, Item, SignIn


def test_a_template_is_made_with_properties_of_its_own_and_a_job_from_it_has_them(sign_in: SignIn, item: Item) -> None:
    page = sign_in(address="#/templates")
    page.get_by_role("button", name="New template").click()
    page.get_by_label("Name", exact=True).fill("Parcels")
    page.locator("[name=diagramId]").select_option(label="Simple Review")
    page.locator("[name=state]").select_option("Active")
    page.locator("[name=defaultPriorityName]").select_option("High")
    page.get_by_role("button", name="Add table").click()
    page.get_by_label("Name of the table").fill("parcel")
    page.get_by_label("Name of the table").press("Tab")
    page.get_by_role("button", name="Add property").click()
    page.get_by_label("Title of property1").fill("Acres")
    page.get_by_label("Title of property1").press("Tab")
    page.get_by_label("Type of property1").select_option("Double")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("“Parcels” is saved.").wait_for()
    page.goto(page.url.split("#")[0] + "#/templates")
    page.get_by_role("button", name="New job from Parcels").click()
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_label("Acres").fill("2.5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("stepgate-job-properties")).to_contain_text("Acres")
    page.get_by_text("2.5", exact=True).wait_for()
    job = item.get(f"jobs/{page.url.rpartition('/')[2]}?extProps=true")
    assert job["priority"] == "High"
    assert job["extendedProperties"] == [
        {"tableName": "parcel", "properties": [{"propertyName": "property1", "value": "2.5"}]}
    ]


def test_a_role_is_made_and_given_to_a_group_whose_members_have_its_privileges_at_once(
    sign_in: SignIn, item: Item
) -> None:
    page = sign_in(address="#/people?tab=roles")
    page.get_by_role("button", name="New role").click()
    page.get_by_label("Name", exact=True).fill("Closers")
    page.get_by_role("checkbox", name="job close").check()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    page.get_by_text("The role “Closers” is saved.").wait_for()
    assert "jobClose" not in item.get(f"community/users/{ANA}")["privileges"]
    page.get_by_role("tab", name=re.compile("Groups")).click()
    page.get_by_label("Give Crew a role").select_option("Closers")
    page.get_by_role("button", name="Take Closers from Crew").wait_for()
    page.get_by_role("tab", name=re.compile("People")).click()
    page.get_by_role("button", name="What may ana do?").click()
    expect(page.locator("dl.facts")).to_contain_text("job close")
    page.get_by_role("tab", name=re.compile("Groups")).click()
    page.get_by_role("button", name="Take Closers from Crew").click()
    page.get_by_role("button", name="Take Closers from Crew").wait_for(state="detached")
    assert "jobClose" not in item.get(f"community/users/{ANA}")["privileges"]


def test_who_may_not_administer_looks_and_changes_nothing(sign_in: SignIn) -> None:
    page = sign_in(ANA, "#/people?tab=roles")
    expect(page.get_by_role("button", name="New role")).to_be_disabled()
    page.get_by_role("button", name="Look Workflow Designer").click()
    expect(page.get_by_role("checkbox", name="job close")).to_be_disabled()
    assert page.get_by_role("dialog").get_by_role("button", name="Save").count() == 0
    page.goto(page.url.split("#")[0] + "#/templates/bT8xWm2pRk-5Zc9vLhQ0Ng")
    expect(page.get_by_label("Name", exact=True)).to_be_disabled()
