/** What the server counts, read again and again: `/metrics` (Prometheus text) as figures, and figures as rates; beside
 * them `/readyz` and `/nodes`. */
import { reach } from "./api.js";
import { ROOT } from "./session.js";

const LINE = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/i;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;
export const EVERY_MS = 2_000;
const KEPT = 150;

/** `Map(name -> [{labels, value}])`. */
export function parseMetrics(text) {
  const figures = new Map();
  for (const line of text.split("\n")) {
    const found = line.match(LINE);
    if (!found) continue;
    const [, name, labels = "", value] = found;
    const each = { labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, key, text]) => [key, text])), value: Number(value) };
    figures.set(name, [...(figures.get(name) ?? []), each]);
  }
  return figures;
}

export const sumOf = (figures, name) => (figures?.get(name) ?? []).reduce((sum, each) => sum + each.value, 0);

/** Samples of the last minutes, a new one every two seconds while it is started. `change` is sent with each. */
export class Figures extends EventTarget {
  samples = [];
  health = null;
  /** `[{nodeId, answers}]`, the processes that serve together; null while the server cannot tell. */
  nodes = null;
  failure = null;
  #timer = null;

  start() {
    this.#timer ??= setInterval(() => this.take(), EVERY_MS);
    return this.take();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  async take() {
    if (document.hidden || !reach.reachable) return;
    try {
      const [metrics, ready, nodes] = await Promise.all(["metrics", "readyz", "nodes"].map((path) => fetch(`${ROOT}${path}`)));
      this.health = { ready: ready.ok, ...(await ready.json()) };
      this.nodes = nodes.ok ? (await nodes.json()).nodes : null;
      this.samples = [...this.samples, { at: Date.now(), figures: parseMetrics(await metrics.text()) }].slice(-KEPT);
      this.failure = null;
    } catch (error) {
      reach.set(false);
      this.failure = error;
    }
    this.dispatchEvent(new Event("change"));
  }

  get last() {
    return this.samples.at(-1)?.figures;
  }

  get times() {
    return this.samples.map((sample) => sample.at / 1000);
  }

  now(name) {
    return sumOf(this.last, name);
  }

  /** A figure over time. */
  values(name) {
    return this.samples.map((sample) => sumOf(sample.figures, name));
  }

  /** How much a counter grew in a second, over time; a server that has begun anew counts from zero. */
  rates(name) {
    const values = this.values(name);
    return values.map((value, place) => {
      if (place === 0) return null;
      const grown = value - values[place - 1];
      return Math.max(0, grown) / ((this.samples[place].at - this.samples[place - 1].at) / 1000);
    });
  }
}
