"""rest.md 10: saved searches and charts."""

from typing import Any

import pytest

from tests.api.conftest import error
from tests.conformance.people import BASIC, Person, fresh

DEFINITION = {
    "q": "closed=0",
    "fields": ["jobName", "jobStatus"],
    "displayNames": ["Name", "Status"],
    "sortFields": [{"field": "jobName", "sortOrder": "Asc"}],
    "start": 0,
    "num": 50,
}


def standard(**members: Any) -> dict[str, Any]:
    return {"name": fresh("Mine"), "searchType": "Standard", "definition": DEFINITION} | members


def find(person: Person, search_id: str, query: str = "") -> dict[str, Any] | None:
    found = person.get(f"searches{query}")["searches"]
    return next((each for each in found if each["searchId"] == search_id), None)


def saved(person: Person, **members: Any) -> str:
    return str(person.post("searches", standard(**members))["searchId"])


def test_get_saved_searches_lists_the_standard_ones_unless_told_otherwise(admin: Person) -> None:
    search = saved(admin)
    chart = admin.post("searches", {"name": "c", "searchType": "Chart", "colorRamp": "Default"})["searchId"]
    for query, sees in (
        ("", (True, False)),
        ("?searchType=Standard", (True, False)),
        ("?searchType=Chart", (False, True)),
        ("?searchType=All", (True, True)),
    ):
        assert (find(admin, search, query) is not None, find(admin, chart, query) is not None) == sees


def test_create_saved_search_answers_with_its_id_and_no_success(designer: Person) -> None:
    own = fresh("own-search")
    assert designer.post("searches", standard(searchId=own)) == {"searchId": own}
    designer.refused("searches", standard(searchId=own))
    assert set(designer.post("searches", standard())) == {"searchId"}


def test_update_saved_search_answers_success_and_replaces_it(admin: Person) -> None:
    search = saved(admin, folder="F", sortIndex=5)
    changed = standard(name="Changed")
    assert admin.put(f"searches/{search}", changed) == {"success": True}
    assert find(admin, search) == changed | {"searchId": search}
    error(admin.call("PUT", f"searches/{search}", json=changed | {"searchId": "another"}))


def test_delete_saved_search_answers_success_once(admin: Person) -> None:
    search = saved(admin)
    assert admin.delete(f"searches/{search}") == {"success": True}
    assert find(admin, search) is None
    error(admin.call("DELETE", f"searches/{search}"))


def test_get_saved_search_share_details_lists_the_groups(admin: Person) -> None:
    assert admin.get(f"searches/{saved(admin)}/shareWith") == {"groupIds": []}


def test_share_saved_search_replaces_the_list_and_only_members_see_it(
    admin: Person, basic: Person, advanced: Person
) -> None:
    search = saved(admin)
    assert admin.post(f"searches/{search}/shareWith", {"groupIds": [BASIC]}) == {"success": True}
    assert admin.get(f"searches/{search}/shareWith") == {"groupIds": [BASIC]}
    assert [find(person, search) is not None for person in (basic, advanced, admin)] == [True, False, True]
    admin.post(f"searches/{search}/shareWith", {"groupIds": []})
    assert find(advanced, search)


def test_a_search_is_given_back_as_it_was_saved(admin: Person) -> None:
    body = standard(folder="F", sortIndex=3000, colorRamp="Default")
    search = saved(admin, **body)
    assert find(admin, search) == body | {"searchId": search}


@pytest.mark.parametrize(
    "body",
    [
        standard(name=None),
        standard(definition=None),
        {"name": "c", "searchType": "Chart"},
        standard(searchType="Table"),
        standard(definition={"q": "colour='red'"}),
    ],
    ids=["no name", "no definition", "chart without colorRamp", "another type", "unknown field"],
)
def test_what_is_missing_or_wrong_is_refused(admin: Person, body: dict[str, Any]) -> None:
    admin.refused("searches", body)


def test_a_saved_definition_can_be_searched_with(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    found = find(admin, saved(admin, definition=DEFINITION | {"q": f"jobId='{job_id}'"}))
    assert found is not None
    assert admin.post("jobs/search", found["definition"])["num"] == 1
