import { html } from "../vendor/lit.js";
import uPlot from "../vendor/uplot.js";
import { Element } from "../lib/element.js";

const HEIGHT = 150;
const COLOURS = ["--accent", "--good", "--asks", "--warn"];

/** Lines over time. `times`: seconds since 1970; `lines`: `[{name, values, format}]`. Follows the theme and its own width. */
customElements.define("stepgate-chart", class extends Element {
  static properties = { heading: {}, times: {}, lines: {} };

  connectedCallback() {
    super.connectedCallback();
    this.listen(window, "themechange", () => this.#draw());
    this.listen(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.#draw());
    this.whenLeft(() => this.#drop());
  }

  render() {
    return html`<figure class="card chart"><header><h3>${this.heading}</h3>${this.lines.map((line, place) => html`<span class="small row"><span class="swatch line-${place}"></span>${line.name} <strong class="mono">${line.format(line.values.at(-1) ?? 0)}</strong></span>`)}</header>
      <div class="plot" role="img" aria-label="${this.heading}: ${this.lines.map((line) => `${line.name} ${line.format(line.values.at(-1) ?? 0)}`).join(", ")}"></div></figure>`;
  }

  firstUpdated() {
    this.#draw();
    const watch = new ResizeObserver(() => this.plot?.setSize({ width: this.#width, height: HEIGHT }));
    watch.observe(this.querySelector(".plot"));
    this.whenLeft(() => watch.disconnect());
  }

  updated(changed) {
    if (changed.has("times") && this.plot) this.plot.setData(this.#data);
  }

  get #data() {
    return [this.times, ...this.lines.map((line) => line.values)];
  }

  get #width() {
    return Math.max(200, this.querySelector(".plot").clientWidth);
  }

  #drop() {
    this.plot?.destroy();
    this.plot = null;
  }

  #draw() {
    const frame = this.querySelector(".plot");
    if (!frame) return;
    this.#drop();
    const probe = getComputedStyle(frame);
    const colour = (name) => colourOf(frame, name);
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: `11px ${probe.fontFamily}` };
    const [{ format }] = this.lines;
    this.plot = new uPlot({
      width: this.#width, height: HEIGHT, legend: { show: false }, cursor: { show: false }, padding: [8, 12, 0, 0],
      scales: { x: { time: true }, y: { range: (plot, least, most) => [0, Math.max(1, most * 1.15)] } },
      axes: [axis, { ...axis, size: 52, values: (plot, values) => values.map((value) => format(value)) }],
      series: [{}, ...this.lines.map((line, place) => ({ label: line.name, stroke: colour(COLOURS[place]), width: 1.75, points: { show: false } }))],
    }, this.#data, frame);
  }
});

/** A colour of the theme as the canvas takes it: resolved. */
function colourOf(frame, name) {
  const probe = document.createElement("i");
  probe.className = `probe${name}`;
  frame.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
