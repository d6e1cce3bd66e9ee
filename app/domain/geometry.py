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
MAX_VERTICES = 100_000
_MAX_NUMBERS = 4
_LARGEST = 2**63

_SHAPES = {"rings": "Polygon", "paths": "Polyline", "points": "Multipoint"}


def read_location(text: str) -> Location:
    """Read geometry JSON (rings, paths, points, or one x and y) and return it in Web Mercator.

    A point becomes a multipoint of one. Without a spatial reference coordinates are degrees (4326). Raises:
        InvalidValue: not such geometry, curves, another spatial reference, or more than 100,000 vertices.
    """
    try:
        geometry = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"location is not JSON text: {error}.") from error
    if not isinstance(geometry, dict):
        raise InvalidValue("location must be a geometry object with rings, paths or points.")
    if "x" in geometry and "y" in geometry:
        geometry = {"points": [[geometry["x"], geometry["y"]]], "spatialReference": geometry.get("spatialReference")}
    shape = next((name for name in _SHAPES if name in geometry), None)
    if shape is None:
        raise InvalidValue("location must have rings, paths or points; curves are not supported.")
    in_degrees = _is_degrees(geometry.get("spatialReference"))
    budget = [MAX_VERTICES]
    parts = geometry[shape] if shape != "points" else [geometry[shape]]
    if not isinstance(parts, list) or not parts:
        raise InvalidValue(f"location.{shape} must be a list that is not empty.")
    moved = [_vertices(part, shape, in_degrees, budget) for part in parts]
    document = {shape: moved if shape != "points" else moved[0], "spatialReference": WEB_MERCATOR}
    return Location(_SHAPES[shape], json.dumps(document, separators=(",", ":")))


def extent_text(location: Location | None) -> str | None:
    """The smallest box around a place, as ``xmin,ymin,xmax,ymax,wkid`` in Web Mercator; None for none."""
    box = extent(location) if location else None
    return ",".join([*map(repr, box), str(WEB_MERCATOR["wkid"])]) if box else None


def extent(location: Location) -> tuple[float, float, float, float] | None:
    """The smallest box around a place: west, south, east, north in Web Mercator; None when it has no vertex."""
    geometry = json.loads(location.geometry)
    shape = next((name for name in _SHAPES if name in geometry), "points")
    parts = geometry[shape] if shape != "points" else [geometry.get("points", [])]
    xs = [float(vertex[0]) for part in parts for vertex in part]
    ys = [float(vertex[1]) for part in parts for vertex in part]
    return (min(xs), min(ys), max(xs), max(ys)) if xs else None


def read_extent(text: str) -> tuple[float, float, float, float]:
    """Read an extent, JSON or ``xmin,ymin,xmax,ymax`` with or without a wkid, as west, south, east and north in Web
    Mercator. Without a spatial reference it is in degrees (4326), as other geometry. Raises InvalidValue."""
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else _listed(text)
        corners = [[found["xmin"], found["ymin"]], [found["xmax"], found["ymax"]]]
        in_degrees = _is_degrees(found.get("spatialReference"))
        (west, south), (east, north) = (_vertex(corner, "extent", in_degrees)[:2] for corner in corners)
    except (ValueError, KeyError, RecursionError) as error:
        raise InvalidValue(
            "spatialExtent is extent JSON with xmin, ymin, xmax and ymax, or these four numbers with commas between, "
            "and perhaps a wkid."
        ) from error
    if west > east or south > north:
        raise InvalidValue("spatialExtent: xmin and ymin must not be larger than xmax and ymax.")
    return west, south, east, north


def _listed(text: str) -> dict[str, Any]:
    numbers = [float(part) for part in text.split(",")]
    if len(numbers) not in {4, 5}:
        raise ValueError(text)
    reference = {"wkid": int(numbers[4])} if len(numbers) == 5 else None
    return dict(zip(("xmin", "ymin", "xmax", "ymax"), numbers, strict=False)) | {"spatialReference": reference}


def _is_degrees(reference: Any) -> bool:
    if not reference:
        return True
    known = isinstance(reference, dict)
    ids = [wkid for name in ("wkid", "latestWkid") if known and isinstance(wkid := reference.get(name), int)]
    if not _MERCATOR_IDS.isdisjoint(ids):
        return False
    if 4326 in ids:
        return True
    raise InvalidValue("location.spatialReference must have wkid 4326 (degrees) or 102100 / 3857 (Web Mercator).")


def _vertices(part: Any, shape: str, in_degrees: bool, budget: list[int]) -> list[list[float]]:
    if not isinstance(part, list) or not part:
        raise InvalidValue(f"location.{shape} must hold lists of [x, y].")
    budget[0] -= len(part)
    if budget[0] < 0:
        raise InvalidValue(f"location has more than {MAX_VERTICES} vertices.")
    return [_vertex(vertex, shape, in_degrees) for vertex in part]


def _vertex(vertex: Any, shape: str, in_degrees: bool) -> list[float]:
    """One vertex in Web Mercator; what follows x and y (height, measure) is kept as it is."""
    if not isinstance(vertex, list) or not 2 <= len(vertex) <= _MAX_NUMBERS or not all(map(_is_finite, vertex)):
        raise InvalidValue(f"location.{shape}: {str(vertex)[:80]} is not [x, y] of finite numbers.")
    x, y, *others = vertex
    if not in_degrees:
        return [x, y, *others]
    if abs(x) > 360 or abs(y) > 90:
        raise InvalidValue(f"location.{shape}: {vertex!r} is outside of -360..360 by -90..90 degrees.")
    latitude = math.radians(max(-_MAX_LATITUDE, min(_MAX_LATITUDE, y)))
    return [_RADIUS_M * math.radians(x), _RADIUS_M * math.log(math.tan(math.pi / 4 + latitude / 2)), *others]


def _is_finite(value: Any) -> bool:
    """Whole numbers too large for a coordinate's double are not finite either."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST if isinstance(value, int) else math.isfinite(value)
