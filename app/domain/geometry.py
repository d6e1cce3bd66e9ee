"""A job's place: reading geometry, and bringing it to Web Mercator, in which all places are kept (rest.md 5.11)."""

import json
import math
from typing import Any

from app.domain.job import Location
from app.errors import InvalidValue

WEB_MERCATOR = {"wkid": 102100, "latestWkid": 3857}
_MERCATOR_IDS = {102100, 3857, 102113, 900913}
_RADIUS_M = 6378137.0
_MAX_LATITUDE = 89.99999
_MAX_VERTICES = 100_000

_SHAPES = {"rings": "Polygon", "paths": "Polyline", "points": "Multipoint"}


def read_location(text: str) -> Location:
    """Read geometry JSON (rings, paths, points, or one x and y) and return it in Web Mercator.

    A point becomes a multipoint of one. Without a spatial reference coordinates are degrees (4326). Raises:
        InvalidValue: not such geometry, curves, another spatial reference, or more than 100,000 vertices.
    """
    try:
        geometry = json.loads(text)
    except ValueError as error:
        raise InvalidValue(f"location is not JSON text: {error}.") from error
    if not isinstance(geometry, dict):
        raise InvalidValue("location must be a geometry object with rings, paths or points.")
    if "x" in geometry and "y" in geometry:
        geometry = {"points": [[geometry["x"], geometry["y"]]], "spatialReference": geometry.get("spatialReference")}
    shape = next((name for name in _SHAPES if name in geometry), None)
    if shape is None:
        raise InvalidValue("location must have rings, paths or points; curves are not supported.")
    in_degrees = _is_degrees(geometry.get("spatialReference"))
    budget = [_MAX_VERTICES]
    parts = geometry[shape] if shape != "points" else [geometry[shape]]
    if not isinstance(parts, list) or not parts:
        raise InvalidValue(f"location.{shape} must be a list that is not empty.")
    moved = [_vertices(part, shape, in_degrees, budget) for part in parts]
    document = {shape: moved if shape != "points" else moved[0], "spatialReference": WEB_MERCATOR}
    return Location(_SHAPES[shape], json.dumps(document, separators=(",", ":")))


def _is_degrees(reference: Any) -> bool:
    if not reference:
        return True
    ids = {reference.get("wkid"), reference.get("latestWkid")} if isinstance(reference, dict) else set()
    if ids & _MERCATOR_IDS:
        return False
    if 4326 in ids:
        return True
    raise InvalidValue("location.spatialReference must have wkid 4326 (degrees) or 102100 / 3857 (Web Mercator).")


def _vertices(part: Any, shape: str, in_degrees: bool, budget: list[int]) -> list[list[float]]:
    if not isinstance(part, list) or not part:
        raise InvalidValue(f"location.{shape} must hold lists of [x, y].")
    budget[0] -= len(part)
    if budget[0] < 0:
        raise InvalidValue(f"location has more than {_MAX_VERTICES} vertices.")
    return [_vertex(vertex, shape, in_degrees) for vertex in part]


def _vertex(vertex: Any, shape: str, in_degrees: bool) -> list[float]:
    if not isinstance(vertex, list) or len(vertex) < 2:
        raise InvalidValue(f"location.{shape}: {vertex!r} is not [x, y].")
    x, y = vertex[0], vertex[1]
    for value in (x, y):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InvalidValue(f"location.{shape}: {vertex!r} is not a pair of finite numbers.")
    if not in_degrees:
        return [x, y, *vertex[2:]]
    if abs(x) > 360 or abs(y) > 90:
        raise InvalidValue(f"location.{shape}: {vertex!r} is outside of -360..360 by -90..90 degrees.")
    latitude = math.radians(max(-_MAX_LATITUDE, min(_MAX_LATITUDE, y)))
    return [_RADIUS_M * math.radians(x), _RADIUS_M * math.log(math.tan(math.pi / 4 + latitude / 2)), *vertex[2:]]
