"""Places: degrees to Web Mercator, points to multipoints, and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import geometry
from app.domain.geometry import WEB_MERCATOR, extent, extent_text, read_extent, read_location
from app.domain.job import Location
from app.errors import InvalidValue

DEGREES = {"wkid": 4326}
METRES = {"wkid": 102100}


def read(shape: Any) -> tuple[str, dict[str, Any]]:
    location = read_location(json.dumps(shape))
    return location.geometry_type, json.loads(location.geometry)


@pytest.mark.parametrize(
    ("lon", "lat", "x", "y"),
    [
        (0, 0, 0.0, 0.0),
        (180, 0, 20037508.342789244, 0.0),
        (-180, 85.0511287798066, -20037508.342789244, 20037508.34278925),
        (-(100 + 20 / 60), 24 + 22 / 60 + 54.433 / 3600, -11169055.58, 2800000.00),  # IOGP 373-7-2, method 1024
        (45, 45, 5009377.085697312, 5621521.486192066),
    ],
)
def test_degrees_become_web_mercator(lon: float, lat: float, x: float, y: float) -> None:
    _, document = read({"points": [[lon, lat]], "spatialReference": DEGREES})
    assert document["points"][0] == pytest.approx([x, y], rel=1e-9, abs=0.005)
    assert document["spatialReference"] == WEB_MERCATOR == {"wkid": 102100, "latestWkid": 3857}


def test_a_point_becomes_a_multipoint_of_one() -> None:
    assert read({"x": 5, "y": 6, "spatialReference": METRES}) == (
        "Multipoint",
        {"points": [[5, 6]], "spatialReference": WEB_MERCATOR},
    )


@pytest.mark.parametrize("reference", [{"wkid": 102100}, {"latestWkid": 3857}, {"wkid": 900913}, {"wkid": 102113}])
def test_web_mercator_is_kept_as_it_is(reference: dict[str, int]) -> None:
    ring = [[0, 0], [0, 9.5], [9, 9], [0, 0]]
    shape, document = read({"rings": [ring], "spatialReference": reference})
    assert (shape, document["rings"]) == ("Polygon", [ring])


@pytest.mark.parametrize("reference", [None, {}, {"wkid": 4326}, {"wkid": 4326, "latestWkid": 4326}])
def test_without_a_spatial_reference_coordinates_are_degrees(reference: Any) -> None:
    shape, document = read({"paths": [[[0, 0], [180, 0]]], "spatialReference": reference})
    assert shape == "Polyline"
    assert document["paths"][0][1][0] == pytest.approx(20037508.342789244)


def test_heights_and_measures_stay_with_their_vertex() -> None:
    assert read({"points": [[0, 0, 12.5, 3]]})[1]["points"][0][2:] == [12.5, 3]


@pytest.mark.parametrize("lat", [90, -90])
def test_the_poles_stay_finite(lat: int) -> None:
    _, document = read({"points": [[0, lat]]})
    assert abs(document["points"][0][1]) < 1.2e8


@given(st.floats(-180, 180), st.floats(-85, 85))
def test_a_place_read_twice_is_the_same_place(lon: float, lat: float) -> None:
    once = read_location(json.dumps({"points": [[lon, lat]]}))
    assert read_location(once.geometry) == once


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nowhere", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1, 2]", "must be a geometry object"),
        ('{"curveRings": []}', "curves are not supported"),
        ("{}", "rings, paths or points"),
        ('{"rings": []}', "not empty"),
        ('{"rings": 5}', "not empty"),
        ('{"rings": [[]]}', "lists of"),
        ('{"rings": [5]}', "lists of"),
        ('{"points": []}', "lists of"),
        ('{"points": [[1]]}', "not"),
        ('{"points": [[1, 2, 3, 4, 5]]}', "not"),
        ('{"points": ["ab"]}', "not"),
        ('{"points": [["1", 2]]}', "not"),
        ('{"points": [[true, 2]]}', "not"),
        ('{"points": [[NaN, 2]]}', "not"),
        ('{"points": [[1e999, 2]], "spatialReference": {"wkid": 3857}}', "not"),
        ('{"points": [[1, 2, "high"]]}', "not"),
        ('{"points": [[1, 2, NaN]]}', "not"),
        (f'{{"points": [[{10**400}, 2]]}}', "not"),
        ('{"points": [[361, 2]]}', "outside"),
        ('{"points": [[1, 90.5]]}', "outside"),
        ('{"x": null, "y": null}', "not"),
        ('{"points": [[1, 2]], "spatialReference": {"wkid": 2056}}', "4326"),
        ('{"points": [[1, 2]], "spatialReference": {"wkid": [4326]}}', "4326"),
        ('{"points": [[1, 2]], "spatialReference": {"wkt": "PROJCS[]"}}', "4326"),
        ('{"points": [[1, 2]], "spatialReference": "4326"}', "4326"),
    ],
)
def test_what_is_not_a_place_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        read_location(text)


def test_a_place_has_at_most_so_many_vertices_in_all_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometry, "MAX_VERTICES", 6)
    part = [[0, 0]] * 3
    assert read({"paths": [part, part]})[0] == "Polyline"
    with pytest.raises(InvalidValue, match="more than 6 vertices"):
        read({"paths": [part, part, [[0, 0]]]})


def test_a_place_has_a_box_around_it() -> None:
    place = read_location('{"paths": [[[3, 4], [1, 9]], [[2, -5, 7]]], "spatialReference": {"wkid": 3857}}')
    assert extent(place) == (1, -5, 3, 9)
    assert extent_text(place) == "1.0,-5.0,3.0,9.0,102100"
    assert extent_text(None) is None
    assert extent_text(Location("Multipoint", '{"points":[]}')) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4, "spatialReference": {"wkid": 102100}}',
        "1,2,3,4,3857",
        " 1, 2.0, 3, 4, 102100",
    ],
)
def test_an_extent_is_json_or_four_numbers(text: str) -> None:
    assert read_extent(text) == (1, 2, 3, 4)


def test_an_extent_without_a_reference_is_in_degrees() -> None:
    west, south, east, north = read_extent("-180,0,180,85")
    assert (round(west), round(south), round(east)) == (-20037508, 0, 20037508)
    assert north > 19_900_000


@pytest.mark.parametrize("text", ["", "{}", "1,2,3", "1,2,3,x", "1,2,3,4,5,6", "3,0,1,1", "nan,0,1,1", "[1,2,3,4]"])
def test_what_is_no_extent_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"(?i)extent"):
        read_extent(text)
