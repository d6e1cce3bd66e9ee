"""Lookups over REST."""

from typing import Any

import pytest

from tests.api.conftest import Api, error, ok


def put(api: Api, path: str, body: Any) -> Any:
    return api.call("PUT", path, json=body)


def test_the_lookups_of_a_new_item_are_there_for_everybody(worker: Api) -> None:
    assert worker.get("lookups/priority")["lookups"] == [
        {"lookupName": "Low", "value": 0},
        {"lookupName": "Medium", "value": 5},
        {"lookupName": "High", "value": 10},
    ]


def test_a_type_is_made_replaced_and_deleted(api: Api) -> None:
    first = {"lookups": [{"lookupName": "b", "value": 2}, {"lookupName": "a", "value": -1}]}
    assert ok(put(api, "lookups/of our own", first)) == {"success": True}
    assert api.get("lookups/of our own") == first
    second = {"lookups": [{"lookupName": "c", "value": 3}]}
    ok(put(api, "lookups/of our own", second))
    assert api.get("lookups/of our own") == second
    assert ok(api.call("DELETE", "lookups/of our own")) == {"success": True}
    assert error(api.call("GET", "lookups/of our own"), 404)["type"] == "LookupNotFound"
    assert error(api.call("DELETE", "lookups/of our own"), 400)["type"] == "LookupNotFound"


@pytest.mark.parametrize("lookup_type", ["status", "priority", "percentComplete"])
def test_a_type_of_the_system_cannot_be_deleted(api: Api, lookup_type: str) -> None:
    before = api.get(f"lookups/{lookup_type}")
    assert "belongs to the system" in error(api.call("DELETE", f"lookups/{lookup_type}"), 400)["message"]
    assert api.get(f"lookups/{lookup_type}") == before


@pytest.mark.parametrize(
    ("lookups", "fault"),
    [
        ([], "length"),
        ([{"lookupName": "a"}], "value"),
        ([{"value": 1}], "lookupName"),
        ([{"lookupName": "", "value": 1}], "lookupName"),
        ([{"lookupName": "a", "value": "1"}], "value"),
        ([{"lookupName": "a", "value": 1.5}], "value"),
        ([{"lookupName": "a", "value": 1}, {"lookupName": "a", "value": 2}], "comes twice"),
        ("a", "lookups"),
    ],
)
def test_wrong_values_are_refused_and_the_old_ones_stay(api: Api, lookups: Any, fault: str) -> None:
    before = api.get("lookups/status")
    found = error(put(api, "lookups/status", {"lookups": lookups}), 400)
    assert "LookupTable was invalid" in found["message"]
    assert fault in found["message"]
    assert api.get("lookups/status") == before


def test_lookups_need_a_designer_to_be_changed(api: Api, worker: Api, outsider: Api) -> None:
    before, body = api.get("lookups/status"), {"lookups": [{"lookupName": "a", "value": 1}]}
    assert "adminBasic" in error(put(worker, "lookups/status", body), 400)["message"]
    assert "adminBasic" in error(worker.call("DELETE", "lookups/status"), 400)["message"]
    for method, options in (("GET", {}), ("PUT", {"json": body}), ("DELETE", {})):
        error(outsider.call(method, "lookups/status", **options), 403)
    assert api.get("lookups/status") == before
