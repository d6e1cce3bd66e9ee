/** Places of jobs: geometry objects on this side, typed JSON text on the wire. */

const TYPES = [
  ['points', 'Multipoint'],
  ['paths', 'Polyline'],
  ['rings', 'Polygon'],
];

const WGS84 = { wkid: 4326 };

/**
 * The wire's location for a geometry object: a Point `{x, y}`, Multipoint `{points}`, Polyline `{paths}` or Polygon
 * `{rings}`, or an object whose `toJSON` gives one. Without a `spatialReference` its numbers are degrees (4326). A Point
 * becomes a Multipoint of one. No geometry gives the empty location, which takes a job's place away.
 */
export function toLocation(geometry) {
  if (geometry === null || geometry === undefined) return {};
  const given = typeof geometry.toJSON === 'function' ? geometry.toJSON() : geometry;
  const found = isPoint(given) ? multipointOf(given) : given;
  const named = TYPES.find(([member]) => Array.isArray(found[member]));
  if (!named) throw new TypeError('A geometry has x and y, points, paths or rings.');
  const [member, geometryType] = named;
  const { spatialReference = WGS84, hasZ, hasM } = found;
  const geometryText = JSON.stringify({ hasZ, hasM, [member]: found[member], spatialReference });
  return { geometryType, geometry: geometryText };
}

/** The geometry object of a location of the wire; null when the job has no place. */
export function fromLocation({ geometryType, geometry }) {
  return geometryType === 'None' || !geometry ? null : JSON.parse(geometry);
}

function isPoint(geometry) {
  return typeof geometry.x === 'number' && typeof geometry.y === 'number';
}

function multipointOf({ x, y, z, m, spatialReference }) {
  const hasZ = typeof z === 'number' ? true : undefined;
  const hasM = typeof m === 'number' ? true : undefined;
  return { points: [[x, y, z, m].filter((number) => typeof number === 'number')], hasZ, hasM, spatialReference };
}
