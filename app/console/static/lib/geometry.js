/** Places: Web Mercator as the server keeps them, degrees as people write them. */
const RADIUS = 6378137;

export const toDegrees = ([x, y]) => [(x / RADIUS) * (180 / Math.PI), (2 * Math.atan(Math.exp(y / RADIUS)) - Math.PI / 2) * (180 / Math.PI)];

/** `{kind: "Multipoint" | "Polyline" | "Polygon", parts: [[[lon, lat], ...], ...]}` of a geometry in 3857. */
export function partsOf(geometry) {
  if (!geometry) return null;
  if (geometry.rings) return { kind: "Polygon", parts: geometry.rings.map((ring) => ring.map(toDegrees)) };
  if (geometry.paths) return { kind: "Polyline", parts: geometry.paths.map((path) => path.map(toDegrees)) };
  if (geometry.points) return { kind: "Multipoint", parts: [geometry.points.map(toDegrees)] };
  return geometry.x === undefined ? null : { kind: "Multipoint", parts: [[toDegrees([geometry.x, geometry.y])]] };
}

/** A geometry in degrees, as the client takes it. Polygons are closed. Throws an Error that says what is missing. */
export function geometryOf(kind, points) {
  const spatialReference = { wkid: 4326 };
  const least = { Polygon: 3, Polyline: 2 }[kind] ?? 1;
  if (points.length < least) throw new Error(`A ${kind.toLowerCase()} needs at least ${least} ${least === 1 ? "point" : "points"}.`);
  if (kind === "Polygon") return { rings: [[...points, points[0]]], spatialReference };
  if (kind === "Polyline") return { paths: [points], spatialReference };
  return { points, spatialReference };
}

/** Reads lines of "latitude, longitude". Throws an Error that names the line at fault. */
export function readPoints(text) {
  return text.split(/\n+/).map((line) => line.trim()).filter(Boolean).map((line, place) => {
    const numbers = line.split(/[,;\s]+/).map(Number);
    const [latitude, longitude] = numbers;
    if (numbers.length !== 2 || numbers.some(Number.isNaN)) throw new Error(`Line ${place + 1}: write latitude, longitude, such as 50.1109, 8.6821.`);
    if (Math.abs(latitude) > 85 || Math.abs(longitude) > 180) throw new Error(`Line ${place + 1}: latitudes go to 85, longitudes to 180 degrees.`);
    return [longitude, latitude];
  });
}

export const writePoints = (points) => points.map(([longitude, latitude]) => `${round(latitude)}, ${round(longitude)}`).join("\n");

const round = (degrees) => Number(degrees.toFixed(5));
