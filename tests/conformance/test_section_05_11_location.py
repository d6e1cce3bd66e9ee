"""rest.md 5.11: where a job is, in Web Mercator."""

import json
from typing import Any

import pytest

from tests.api.conftest import error
from tests.conformance.people import Person

MERCATOR = {"wkid": 102100, "latestWkid": 3857}
RING = [[0, 0], [0, 10], [10, 10], [0, 0]]


def text(**geometry: Any) -> str:
    return json.dumps({"spatialReference": MERCATOR} | geometry)


def stored(person: Person, job_id: str) -> tuple[str, dict[str, Any]]:
    answer = person.get(f"jobs/{job_id}/location")
    assert set(answer) == {"geometryType", "geometry"}
    return answer["geometryType"], json.loads(answer["geometry"])


def test_set_job_location_answers_success(admin: Person, two_steps: str) -> None:
    location = {"geometryType": "Polygon", "geometry": text(rings=[RING])}
    assert admin.put(f"jobs/{admin.job(two_steps)}/location", {"location": location}) == {"success": True}


def test_get_job_location_gives_text_within_json(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    admin.put(f"jobs/{job_id}/location", {"location": {"geometryType": "Polygon", "geometry": text(rings=[RING])}})
    kind, geometry = stored(admin, job_id)
    assert kind == "Polygon"
    assert geometry == {"rings": [RING], "spatialReference": MERCATOR}
    assert admin.get(f"jobs/{job_id}")["hasLocation"] == 1


def test_without_a_location_the_type_is_none(admin: Person, two_steps: str) -> None:
    answer = admin.get(f"jobs/{admin.job(two_steps)}/location")
    assert answer == {"geometry": "{}", "geometryType": "None"}


@pytest.mark.parametrize(
    ("kind", "geometry"),
    [("Multipoint", {"points": [[1, 2]]}), ("Polyline", {"paths": [[[0, 0], [1, 1]]]}), ("Polygon", {"rings": [RING]})],
)
def test_each_kind_of_geometry_is_taken(admin: Person, two_steps: str, kind: str, geometry: dict[str, Any]) -> None:
    job_id = admin.job(two_steps)
    admin.put(f"jobs/{job_id}/location", {"location": {"geometryType": kind, "geometry": text(**geometry)}})
    assert stored(admin, job_id) == (kind, geometry | {"spatialReference": MERCATOR})


def test_degrees_are_projected_when_they_are_stored(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    degrees = text(points=[[180, 0]], spatialReference={"wkid": 4326})
    admin.put(f"jobs/{job_id}/location", {"location": {"geometryType": "Multipoint", "geometry": degrees}})
    _, geometry = stored(admin, job_id)
    assert geometry["spatialReference"] == MERCATOR
    assert geometry["points"][0][0] == pytest.approx(20037508.34, abs=0.01)


@pytest.mark.parametrize("empty", [{}, {"geometryType": None, "geometry": None}], ids=["empty", "null"])
def test_an_empty_location_clears_it(admin: Person, two_steps: str, empty: dict[str, Any]) -> None:
    job_id = admin.job(two_steps)
    admin.put(f"jobs/{job_id}/location", {"location": {"geometryType": "Polygon", "geometry": text(rings=[RING])}})
    admin.put(f"jobs/{job_id}/location", {"location": empty})
    assert stored(admin, job_id) == ("None", {})


@pytest.mark.parametrize(
    "location",
    [
        {"geometryType": "Polygon", "geometry": text(curveRings=[[[0, 0], {"c": [[1, 1], [2, 2]]}]])},
        {"geometryType": "Polygon", "geometry": text(points=[[0, 0]])},
        {"geometryType": "Circle", "geometry": text(points=[[0, 0]])},
        {"geometryType": "Multipoint", "geometry": "{"},
        {"geometryType": "Multipoint", "geometry": text(points=[[0, 0]], spatialReference={"wkid": 31256})},
    ],
    ids=["curves", "another type's", "unknown type", "no JSON", "another reference"],
)
def test_what_is_no_location_is_refused(admin: Person, two_steps: str, location: dict[str, Any]) -> None:
    job_id = admin.job(two_steps)
    error(admin.call("PUT", f"jobs/{job_id}/location", json={"location": location}))
    assert stored(admin, job_id) == ("None", {})


def test_a_new_location_is_told_and_in_the_history(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    location = {"geometryType": "Polygon", "geometry": text(rings=[RING])}
    with admin.watch(job_id) as watcher:
        admin.put(f"jobs/{job_id}/location", {"location": location})
        told = watcher.next()
    assert (told["msgType"], told["message"]["jobId"]) == ("JobLocationUpdated", job_id)
    assert admin.history(job_id)[-1] in {"Added", "Updated"}
