"""The location of a job over REST (rest.md 5.11)."""

import json
from typing import Any

import pytest

from app.domain.commands import ManageType
from app.services.ports import Tx
from tests.api.conftest import Api, error, ok

RING = [[0, 0], [0, 9], [9, 9], [0, 0]]
MERCATOR = {"wkid": 102100}


@pytest.fixture
def job(api: Api, manual: str) -> str:
    return api.job(manual)


def place(shape: dict[str, Any], kind: str | None = None) -> dict[str, Any]:
    return {"location": {"geometryType": kind, "geometry": json.dumps(shape)}}


def put(api: Api, job_id: str, body: Any) -> Any:
    return api.call("PUT", f"jobs/{job_id}/location", json=body)


def read(api: Api, job_id: str) -> tuple[str, dict[str, Any]]:
    found = api.get(f"jobs/{job_id}/location")
    assert set(found) == {"geometryType", "geometry"}
    return found["geometryType"], json.loads(found["geometry"])


def told(api: Api, job_id: str) -> list[str]:
    """The ``updateType`` of each JobLocationUpdated so far."""

    def feed(tx: Tx) -> list[bytes]:
        messages = tx.feed(tx.items()[0], job_id, 0)
        return [message.body for message in messages if message.msg_type == "JobLocationUpdated"]

    assert api.client.portal is not None
    bodies = api.client.portal.call(api.gateway.engine.store.read, feed)
    return [json.loads(body)["message"]["updateType"] for body in bodies]


def lines(api: Api, job_id: str) -> list[tuple[str, str]]:
    found = api.get(f"jobs/{job_id}/history")["jobHistory"]
    return [(line["action"], line["username"]) for line in found if line.get("result") == "Location"]


def test_a_job_without_a_location_says_so(api: Api, job: str) -> None:
    assert api.get(f"jobs/{job}/location") == {"geometryType": "None", "geometry": "{}"}


def test_a_location_is_set_changed_and_cleared(api: Api, job: str) -> None:
    assert ok(put(api, job, place({"rings": [RING], "spatialReference": MERCATOR}, "Polygon"))) == {"success": True}
    reference = {"wkid": 102100, "latestWkid": 3857}
    assert read(api, job) == ("Polygon", {"rings": [RING], "spatialReference": reference})
    assert api.get(f"jobs/{job}")["hasLocation"] == 1
    assert "location" not in api.get(f"jobs/{job}"), "the vendor's client would take it for the answer of this call"
    ok(put(api, job, place({"paths": [RING], "spatialReference": MERCATOR}, "Polyline")))
    assert read(api, job)[0] == "Polyline"
    ok(put(api, job, {"location": {}}))
    assert read(api, job) == ("None", {})
    assert api.get(f"jobs/{job}")["hasLocation"] == 0
    assert told(api, job) == ["LocationAdded", "LocationUpdated", "LocationUpdated"]
    assert lines(api, job) == [("Added", "admin"), ("Updated", "admin"), ("Deleted", "admin")]


def test_degrees_become_web_mercator(api: Api, job: str) -> None:
    ok(put(api, job, place({"points": [[180, 0], [0, 45]], "spatialReference": {"wkid": 4326}}, "Multipoint")))
    kind, geometry = read(api, job)
    assert kind == "Multipoint"
    assert geometry["spatialReference"]["latestWkid"] == 3857
    (x, _), (_, y) = geometry["points"]
    assert (round(x, 2), round(y, 2)) == (20037508.34, 5621521.49)


@pytest.mark.parametrize("kind", ["Point", "Multipoint", None])
def test_a_point_is_kept_as_a_multipoint_of_one(api: Api, job: str, kind: str | None) -> None:
    ok(put(api, job, place({"x": 3, "y": 4, "spatialReference": MERCATOR}, kind)))
    assert read(api, job)[0] == "Multipoint"
    assert read(api, job)[1]["points"] == [[3, 4]]


def test_a_geometry_need_not_be_text(api: Api, job: str) -> None:
    shape = {"points": [[3, 4]], "spatialReference": MERCATOR}
    ok(put(api, job, {"location": {"geometryType": "Multipoint", "geometry": shape}}))
    assert read(api, job)[1]["points"] == [[3, 4]]


@pytest.mark.parametrize(
    "empty",
    [
        {},
        {"geometryType": "None", "geometry": "{}"},
        {"geometryType": "Polygon", "geometry": None},
        {"geometry": ""},
        {"geometry": {}},
    ],
)
def test_an_empty_location_clears_and_where_there_is_none_changes_nothing(api: Api, job: str, empty: Any) -> None:
    ok(put(api, job, {"location": empty}))
    assert (told(api, job), lines(api, job)) == ([], [])
    ok(put(api, job, place({"points": [[3, 4]], "spatialReference": MERCATOR})))
    ok(put(api, job, place({"points": [[3, 4]], "spatialReference": MERCATOR})))
    assert told(api, job) == ["LocationAdded"], "the same place again is no news"
    ok(put(api, job, {"location": empty}))
    assert read(api, job) == ("None", {})
    assert told(api, job) == ["LocationAdded", "LocationUpdated"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "location"),
        ({"location": None}, "$.location"),
        ({"location": {"geometryType": "Polygon", "geometry": "nowhere"}}, "JSON"),
        (place({"rings": [RING]}, "Polyline"), "Polyline"),
        (place({"points": [[3, 4], [5, 6]]}, "Point"), "Point"),
        (place({"points": [[3, 4]]}, "None"), "None"),
        (place({"curveRings": [[[0, 0]]]}, "Polygon"), "curves"),
        (place({"rings": [RING], "spatialReference": {"wkid": 25832}}, "Polygon"), "4326"),
        (place({"points": [[3, 91]]}, "Multipoint"), "degrees"),
        (place({"points": [[3, "4"]]}, "Multipoint"), "numbers"),
    ],
)
def test_what_is_no_location_is_refused_and_the_present_one_stays(api: Api, job: str, body: Any, fault: str) -> None:
    ok(put(api, job, place({"points": [[3, 4]], "spatialReference": MERCATOR})))
    assert fault in error(put(api, job, body))["message"]
    assert read(api, job)[1]["points"] == [[3, 4]]
    assert told(api, job) == ["LocationAdded"]


def test_only_who_may_sets_a_location_of_an_open_job_that_is_there(
    api: Api, worker: Api, outsider: Api, job: str
) -> None:
    body = place({"points": [[3, 4]], "spatialReference": MERCATOR})
    found = error(put(worker, job, body))
    assert found["type"] == "PermissionDenied"
    assert "jobUpdateLocation" in found["message"]
    error(put(worker, job, {"location": {}}))
    error(put(outsider, job, body), 403)
    assert error(put(api, "nowhere", body))["type"] == "JobNotFound"
    assert error(api.call("GET", "jobs/nowhere/location"), 404)["type"] == "JobNotFound"
    api.post("jobs/manage", {"type": ManageType.CLOSE, "jobIds": [job]})
    assert error(put(api, job, body))["type"] == "JobClosed"
    assert (read(worker, job), told(api, job)) == (("None", {}), [])
    error(outsider.call("GET", f"jobs/{job}/location"), 403)
