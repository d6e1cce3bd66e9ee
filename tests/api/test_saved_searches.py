"""Saved searches over REST."""

from typing import Any

import pytest

from tests.api.conftest import Api, error, ok

DEFINITION = {
    "q": "closed=0",
    "fields": ["jobName", "jobStatus"],
    "displayNames": ["Name", "Status"],
    "sortFields": [{"field": "jobName", "sortOrder": "Asc"}],
    "start": 0,
    "num": 50,
    "ours": {"kept": [None, 1.5]},
}


def make(api: Api, **members: Any) -> str:
    created = api.post("searches", {"name": "Open jobs", "definition": DEFINITION} | members)
    assert set(created) == {"searchId"}
    return str(created["searchId"])


def seen(user: Api, search_type: str = "All") -> dict[str, Any]:
    listed = user.get("searches", params={"searchType": search_type})["searches"]
    return {each["searchId"]: each for each in listed}


def put(api: Api, search_id: str, **members: Any) -> Any:
    body = {"name": "Open jobs", "definition": DEFINITION} | members
    return api.call("PUT", f"searches/{search_id}", json=body)


def test_the_searches_of_a_new_item_are_listed_by_type(worker: Api) -> None:
    named = {kind: {each["name"] for each in seen(worker, kind).values()} for kind in ("Standard", "Chart", "All")}
    assert {"My Jobs", "My Group Jobs", "All Jobs"} <= named["Standard"]
    assert {"Job Type Chart", "Job Status Chart", "Job Priority Chart"} <= named["Chart"]
    assert not named["Standard"] & named["Chart"]
    assert named["Standard"] | named["Chart"] == named["All"]
    assert worker.get("searches") == worker.get("searches?searchType=Standard")
    assert "Standard, Chart, All" in error(worker.call("GET", "searches?searchType=standard"))["message"]


def test_a_search_is_saved_replaced_and_deleted(api: Api, worker: Api) -> None:
    search_id = make(api, folder="Mine", sortIndex=-5)
    stored = {"searchId": search_id, "searchType": "Standard", "name": "Open jobs", "definition": DEFINITION}
    assert seen(worker, "Standard")[search_id] == stored | {"folder": "Mine", "sortIndex": -5}
    assert ok(put(api, search_id, searchId=search_id, folder=None, token="x")) == {"success": True}
    assert seen(worker)[search_id] == stored
    chart = {"searchType": "Chart", "colorRamp": "Default", "definition": None, "searchId": ""}
    ok(put(api, search_id, **chart))
    assert seen(worker, "Chart")[search_id] == {
        "searchId": search_id,
        "searchType": "Chart",
        "name": "Open jobs",
        "colorRamp": "Default",
    }
    assert search_id not in seen(worker, "Standard")
    assert ok(api.call("DELETE", f"searches/{search_id}")) == {"success": True}
    assert search_id not in seen(api)
    for response in (put(api, search_id), api.call("DELETE", f"searches/{search_id}")):
        assert error(response)["type"] == "SearchNotFound"


def test_the_searches_of_a_new_item_can_be_sent_back_as_they_were_read(api: Api) -> None:
    shipped = [each for each in seen(api).values() if len(each["searchId"]) == 22 and each["name"].endswith("Jobs")]
    assert len(shipped) == 3
    for search in shipped:
        assert ok(api.call("PUT", f"searches/{search['searchId']}", json=search)) == {"success": True}
        assert seen(api)[search["searchId"]] == search


def test_an_id_of_ones_own_is_taken_once_and_for_good(api: Api) -> None:
    assert make(api, searchId="own-search") == "own-search"
    again = {"name": "Other", "definition": DEFINITION, "searchId": "own-search"}
    assert api.refused("searches", again)["type"] == "Conflict"
    assert "for good" in error(put(api, "own-search", searchId="another"))["message"]
    assert seen(api)["own-search"]["name"] == "Open jobs"


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"definition": None}, "needs a definition"),
        ({"definition": "closed=0"}, "definition"),
        ({"definition": {}}, "definition: q or search must say"),
        ({"definition": {"q": " "}}, "definition: q or search must say"),
        ({"definition": {"q": "closed="}}, "definition: "),
        ({"definition": {"q": "colour=1"}}, "colour"),
        ({"definition": {"q": "'closed=' + nothing("}}, "Arcade"),
        ({"definition": {"q": "closed=0", "fields": ["colour"]}}, "fields: there is no field 'colour'"),
        ({"definition": {"q": "closed=0", "sortFields": [{"field": "colour"}]}}, "sortFields"),
        ({"searchType": "Chart", "colorRamp": "x", "definition": {"search": "a", "groupBy": "colour"}}, "groupBy"),
        ({"definition": {"q": 5}}, "definition.q"),
        ({"definition": {"q": "", "sortFields": [{"field": "jobName", "sortOrder": "Up"}]}}, "sortOrder"),
        ({"definition": {"q": "", "num": 0}}, "definition.num"),
        ({"definition": {"q": "", "ours": "\u0000"}}, "NUL"),
        ({"searchType": "Chart"}, "colorRamp"),
        ({"searchType": "Chart", "colorRamp": "Default", "definition": {"groupBy": 1}}, "definition.groupBy"),
        ({"searchType": "All"}, "searchType"),
        ({"searchId": "a/b"}, "searchId"),
        ({"sortIndex": 1.5}, "sortIndex"),
    ],
)
def test_a_wrong_search_is_refused_and_nothing_is_stored(api: Api, members: dict[str, Any], fault: str) -> None:
    before = seen(api)
    body = {"name": "Open jobs", "definition": DEFINITION} | members
    assert fault in api.refused("searches", body)["message"]
    some_id = next(iter(before))
    assert fault in error(api.call("PUT", f"searches/{some_id}", json=body))["message"] or fault == "searchId"
    assert seen(api) == before


def test_a_shared_search_is_for_the_members_of_its_groups(api: Api, worker: Api) -> None:
    search_id = make(api)
    share = f"searches/{search_id}/shareWith"
    [admins] = [each["id"] for each in api.get("community/groups")["groups"] if each["name"].startswith("Workflow M")]
    assert api.get(share) == {"groupIds": []}
    assert api.post(share, {"groupIds": [admins, admins]}) == {"success": True}
    assert api.get(share) == {"groupIds": [admins]}
    assert (search_id in seen(api), search_id in seen(worker)) == (True, False)
    ok(put(api, search_id, name="Renamed"))
    assert api.get(share) == {"groupIds": [admins]}
    api.post(share, {"groupIds": ["workers"]})
    assert seen(worker)[search_id]["name"] == "Renamed"
    assert search_id in seen(api)
    assert "no group nobody" in api.refused(share, {"groupIds": ["workers", "nobody"]})["message"]
    assert "groupIds" in api.refused(share, {})["message"]
    assert api.get(share) == {"groupIds": ["workers"]}
    assert api.refused("searches/nowhere/shareWith", {"groupIds": []})["type"] == "SearchNotFound"
    assert error(api.call("GET", "searches/nowhere/shareWith"), 404)["type"] == "SearchNotFound"


def test_searches_need_a_designer_to_be_changed(api: Api, worker: Api, outsider: Api) -> None:
    path = f"searches/{make(api)}"
    body = {"json": {"name": "x", "definition": DEFINITION}}
    before, shared = seen(api), api.get(f"{path}/shareWith")
    writes: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "searches", body),
        ("PUT", path, body),
        ("DELETE", path, {}),
        ("POST", f"{path}/shareWith", {"json": {"groupIds": ["workers"]}}),
    ]
    for method, each, options in writes:
        assert "adminBasic" in error(worker.call(method, each, **options))["message"]
    assert "adminBasic" in error(worker.call("GET", f"{path}/shareWith"), 403)["message"]
    for method, each, options in [*writes, ("GET", "searches", {}), ("GET", f"{path}/shareWith", {})]:
        error(outsider.call(method, each, **options), 403)
    assert (seen(api), api.get(f"{path}/shareWith")) == (before, shared)
