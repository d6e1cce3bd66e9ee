import { html, nothing, svg } from "../vendor/lit.js";
import { Element } from "../lib/element.js";

const LINES = 6;
const SIZE = { width: 600, height: 300 };

/** A place drawn over a grid of degrees. `kind`, `parts`: as of `partsOf`. With `draws`, a click adds a point (`point-added`). */
customElements.define("stepgate-place", class extends Element {
  static properties = { kind: {}, parts: {}, draws: { type: Boolean } };

  /** The part of the world that is shown: what is drawn, with room around it; everything where nothing is drawn. */
  get extent() {
    const points = (this.parts ?? []).flat();
    if (!points.length) return { west: -180, east: 180, south: -80, north: 84 };
    const lons = points.map(([lon]) => lon);
    const lats = points.map(([, lat]) => lat);
    const middle = [(Math.min(...lons) + Math.max(...lons)) / 2, (Math.min(...lats) + Math.max(...lats)) / 2];
    const high = Math.max(Math.max(...lats) - Math.min(...lats), (Math.max(...lons) - Math.min(...lons)) / 2, 0.01) * 1.5;
    return { west: middle[0] - high, east: middle[0] + high, south: middle[1] - high / 2, north: middle[1] + high / 2 };
  }

  render() {
    const { west, east, south, north } = this.extent;
    const at = ([lon, lat]) => [((lon - west) / (east - west)) * SIZE.width, ((north - lat) / (north - south)) * SIZE.height];
    const points = (this.parts ?? []).flat();
    const line = (part) => part.map((point) => at(point).map((each) => each.toFixed(1)).join(",")).join(" ");
    return html`<svg class="place ${this.draws ? "draws" : ""}" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label=${this.#said(points)} @click=${this.#click}>
      ${grid(west, east).map((lon) => svg`<g class="grid"><path d="M${at([lon, 0])[0]} 0V${SIZE.height}"></path><text x=${at([lon, 0])[0] + 3} y=${SIZE.height - 5}>${degrees(lon, "E", "W")}</text></g>`)}
      ${grid(south, north).map((lat) => svg`<g class="grid"><path d="M0 ${at([0, lat])[1]}H${SIZE.width}"></path><text x="4" y=${at([0, lat])[1] - 4}>${degrees(lat, "N", "S")}</text></g>`)}
      ${this.kind === "Polygon" ? (this.parts ?? []).map((part) => svg`<polygon class="shape" points=${line(part)}></polygon>`) : nothing}
      ${this.kind === "Polyline" ? (this.parts ?? []).map((part) => svg`<polyline class="shape open" points=${line(part)}></polyline>`) : nothing}
      ${points.length <= 200 ? points.map((point) => svg`<circle class="spot" cx=${at(point)[0]} cy=${at(point)[1]} r="5"></circle>`) : nothing}
    </svg>`;
  }

  #said(points) {
    if (!points.length) return "No place yet";
    const [lon, lat] = points[0];
    return `${this.kind} of ${points.length} points, beginning at latitude ${lat.toFixed(4)}, longitude ${lon.toFixed(4)}`;
  }

  #click(event) {
    if (!this.draws) return;
    const box = event.currentTarget.getBoundingClientRect();
    const { west, east, south, north } = this.extent;
    const lon = west + ((event.clientX - box.left) / box.width) * (east - west);
    const lat = north - ((event.clientY - box.top) / box.height) * (north - south);
    this.tell("point-added", [lon, lat]);
  }
});

/** Round numbers between two. */
function grid(from, to) {
  const rough = (to - from) / LINES;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, place) => first + place * step);
}

const degrees = (value, plus, minus) => `${Number(Math.abs(value).toFixed(4))}° ${value < 0 ? minus : plus}`;
