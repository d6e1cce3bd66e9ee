/** Where the steps and paths of a diagram are drawn: as their author placed them, else laid out by dagre. */
import dagre, { Graph, layout as run } from "../vendor/dagre.js";

export const NODE = { width: 164, height: 60 };
const MARGIN = 28;

/**
 * `{nodes: Map(stepId -> {x, y, width, height}), edges: [{from, to, path, points, label}], bounds}`; x and y are centres.
 * Paths to steps that are not there are left out.
 */
export function layoutDiagram(diagram, { fresh = false } = {}) {
  const steps = diagram.steps ?? [];
  const placed = fresh ? null : placesOf(steps);
  const nodes = placed ?? new Map();
  const edges = pathsOf(steps);
  if (!placed) layOut(steps, nodes, edges);
  else for (const edge of edges) edge.points = pointsOf(edge, nodes, steps);
  return { nodes, edges, bounds: boundsOf(nodes, edges), isPlaced: placed !== null };
}

/** What an author's "x, y, width, height" says; null unless all steps say it and no two lie on each other. */
function placesOf(steps) {
  const places = new Map();
  const taken = new Set();
  for (const step of steps) {
    const numbers = String(step.position ?? "").split(",").map(Number);
    if (numbers.length < 2 || numbers.some((each) => !Number.isFinite(each))) return null;
    const [x, y, width = NODE.width, height = NODE.height] = numbers;
    if (taken.has(`${x} ${y}`)) return null;
    taken.add(`${x} ${y}`);
    places.set(step.id, { x, y, width: Math.max(width, 96), height: Math.max(height, 44) });
  }
  return steps.length ? places : null;
}

function pathsOf(steps) {
  const known = new Set(steps.map((step) => step.id));
  return steps.flatMap((step) =>
    (step.paths ?? []).map((path, number) => ({ from: step.id, to: path.nextStep, path, number, label: path.label ?? "", points: [] })).filter((edge) => known.has(edge.to)),
  );
}

function layOut(steps, nodes, edges) {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 36, ranksep: 64, edgesep: 16, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const step of steps) graph.setNode(step.id, { ...NODE });
  for (const [place, edge] of edges.entries()) {
    const width = edge.label ? Math.min(edge.label.length * 6.6 + 12, 140) : 0;
    graph.setEdge({ v: edge.from, w: edge.to, name: String(place) }, { width, height: edge.label ? 18 : 0, labelpos: "c" });
  }
  (run ?? dagre.layout)(graph);
  for (const step of steps) {
    const { x, y } = graph.node(step.id);
    nodes.set(step.id, { x, y, ...NODE });
  }
  for (const [place, edge] of edges.entries()) {
    const found = graph.edge({ v: edge.from, w: edge.to, name: String(place) });
    edge.points = edge.from === edge.to ? loopPoints(nodes.get(edge.from)) : found.points;
    if (found.x !== undefined && edge.label) edge.labelAt = { x: found.x, y: found.y };
  }
}

/** The author's points where they fit the ends, else a straight way round corners. */
function pointsOf({ from, to, path }, nodes) {
  const a = nodes.get(from);
  const b = nodes.get(to);
  const given = (path.points ?? []).map(({ x, y }) => ({ x: Number(x), y: Number(y) })).filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  if (given.length >= 2 && isNear(given[0], a) && isNear(given.at(-1), b)) return given;
  if (from === to) return loopPoints(a);
  return straight(a, b);
}

const isNear = (point, box) => Math.abs(point.x - box.x) <= box.width / 2 + 12 && Math.abs(point.y - box.y) <= box.height / 2 + 12;

/** From the right side to the left one where that leads forward; else below everything and back. */
function straight(a, b) {
  const start = { x: a.x + a.width / 2, y: a.y };
  const end = { x: b.x - b.width / 2, y: b.y };
  if (end.x > start.x + 8) {
    const middle = (start.x + end.x) / 2;
    return a.y === b.y ? [start, end] : [start, { x: middle, y: a.y }, { x: middle, y: b.y }, end];
  }
  if (Math.abs(a.x - b.x) < 8) {
    const down = b.y > a.y ? 1 : -1;
    return [{ x: a.x, y: a.y + (down * a.height) / 2 }, { x: b.x, y: b.y - (down * b.height) / 2 }];
  }
  const low = Math.max(a.y + a.height / 2, b.y + b.height / 2) + 26;
  return [{ x: a.x, y: a.y + a.height / 2 }, { x: a.x, y: low }, { x: b.x, y: low }, { x: b.x, y: b.y + b.height / 2 }];
}

const loopPoints = ({ x, y, width, height }) => [
  { x: x + width / 4, y: y - height / 2 }, { x: x + width / 4, y: y - height / 2 - 22 },
  { x: x - width / 4, y: y - height / 2 - 22 }, { x: x - width / 4, y: y - height / 2 },
];

function boundsOf(nodes, edges) {
  const xs = [];
  const ys = [];
  for (const { x, y, width, height } of nodes.values()) {
    xs.push(x - width / 2, x + width / 2);
    ys.push(y - height / 2, y + height / 2);
  }
  for (const { points } of edges) for (const { x, y } of points) {
    xs.push(x);
    ys.push(y);
  }
  if (!xs.length) return { x: 0, y: 0, width: 400, height: 160 };
  const [left, top] = [Math.min(...xs) - MARGIN, Math.min(...ys) - MARGIN];
  return { x: left, y: top, width: Math.max(...xs) + MARGIN - left, height: Math.max(...ys) + MARGIN - top };
}

/** A line through points with round corners, as the `d` of an SVG path. */
export function roundedPath(points, radius = 10) {
  if (points.length < 2) return "";
  let d = `M${points[0].x} ${points[0].y}`;
  for (let place = 1; place < points.length - 1; place += 1) {
    const [before, corner, after] = [points[place - 1], points[place], points[place + 1]];
    const [from, to] = [towards(corner, before, radius), towards(corner, after, radius)];
    d += `L${from.x} ${from.y}Q${corner.x} ${corner.y} ${to.x} ${to.y}`;
  }
  const end = points.at(-1);
  return `${d}L${end.x} ${end.y}`;
}

function towards(from, to, most) {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const way = Math.min(most, length / 2);
  return { x: from.x + ((to.x - from.x) / length) * way, y: from.y + ((to.y - from.y) / length) * way };
}

/** The point halfway along a line. */
export function middleOf(points) {
  const lengths = points.slice(1).map((point, place) => Math.hypot(point.x - points[place].x, point.y - points[place].y));
  let rest = lengths.reduce((sum, each) => sum + each, 0) / 2;
  for (const [place, length] of lengths.entries()) {
    if (rest <= length) {
      const share = length ? rest / length : 0;
      const [a, b] = [points[place], points[place + 1]];
      return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
    }
    rest -= length;
  }
  return points[0];
}

/** A text in at most two lines of so many characters; the rest is cut. */
export function linesOf(text, most) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const last = lines.length - 1;
    if (!lines[last]) lines[last] = word;
    else if (lines[last].length + word.length + 1 <= most) lines[last] += ` ${word}`;
    else lines.push(word);
  }
  const shown = lines.slice(0, 2).map((line) => (line.length > most ? `${line.slice(0, most - 1)}…` : line));
  if (lines.length > 2 && !shown[1].endsWith("…")) shown[1] = `${shown[1].slice(0, most - 1)}…`;
  return shown;
}
