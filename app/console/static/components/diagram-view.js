import { html, nothing, svg } from "../vendor/lit.js";
import { Element } from "../lib/element.js";
import { layoutDiagram, linesOf, middleOf, roundedPath } from "../lib/layout.js";
import { kindOf } from "../lib/states.js";
import { STATE_LOOKS } from "./badges.js";
import { icon } from "./icon.js";

const PER_CHARACTER = 6.9;
const ZOOM = 1.25;
const FULL_SIZE = 1.15;
const READABLE = 0.78;

/**
 * A diagram as a drawing. `states`: by step id, `ready`, `asks`, `held`, ... of current steps; `done`: ids of steps that
 * were finished; `marks`: by step id, what a check found (`{look, order}`); `selected`: a step's id. Sends `step-chosen`.
 * The mouse drags the drawing, its buttons and + - 0 change its size, and each step can be reached with Tab.
 */
export class DiagramView extends Element {
  static properties = { diagram: {}, states: {}, done: {}, marks: {}, selected: {}, label: {}, view: { state: true } };

  constructor() {
    super();
    this.states = new Map();
    this.done = new Set();
    this.marks = new Map();
    this.label = "Diagram";
    this.view = null;
  }

  willUpdate(changed) {
    if (changed.has("diagram") && this.diagram) this.lay();
  }

  firstUpdated() {
    const watch = new ResizeObserver(() => this.#fit());
    watch.observe(this.querySelector(".drawing") ?? this);
    this.whenLeft(() => watch.disconnect());
  }

  lay() {
    this.layout = layoutDiagram(this.diagram);
    if (!this.isTouched) this.view = null;
  }

  /** What is shown without being moved: everything where that can be read, else what is around the current steps. */
  get fitted() {
    const { bounds } = this.layout;
    const frame = this.querySelector(".drawing");
    const [width, height] = [frame?.clientWidth || 900, frame?.clientHeight || 320];
    const fits = Math.min(width / bounds.width, height / bounds.height, FULL_SIZE);
    const scale = this.showsAll ? fits : Math.max(fits, READABLE);
    const shown = { width: width / scale, height: height / scale };
    const middle = this.#middle(bounds);
    return {
      x: within(middle.x - shown.width / 2, bounds.x, bounds.width, shown.width),
      y: within(middle.y - shown.height / 2, bounds.y, bounds.height, shown.height),
      ...shown,
    };
  }

  /** The middle of the current steps, or of everything. */
  #middle(bounds) {
    const current = [...this.states.keys()].map((id) => this.layout.nodes.get(id)).filter(Boolean);
    if (!current.length) return { x: bounds.x + bounds.width / 2, y: bounds.y + bounds.height / 2 };
    return { x: current.reduce((sum, each) => sum + each.x, 0) / current.length, y: current.reduce((sum, each) => sum + each.y, 0) / current.length };
  }

  render() {
    if (!this.diagram) return html`<div class="drawing"></div>`;
    const { x, y, width, height } = this.view ?? this.fitted;
    return html`<div class="drawing" @keydown=${this.#key} @pointerdown=${this.#grab}>
      <svg viewBox="${x} ${y} ${width} ${height}" role="group" aria-label=${this.label} preserveAspectRatio="xMidYMid meet">
        <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0.500L7.500 4L0 7.500z" class="arrow"></path></marker>
        <marker id="arrow-lit" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0.500L7.500 4L0 7.500z" class="arrow lit"></path></marker></defs>
        ${this.layout.edges.map((edge) => this.edge(edge))}
        ${this.diagram.steps.map((step) => this.node(step))}
        ${this.overlay()}
      </svg>
      <div class="drawing-tools" role="group" aria-label="Size of the drawing">
        <button class="button small icon-only" title="Smaller" aria-label="Smaller" @click=${() => this.#zoom(ZOOM)}>${icon("minus", 14)}</button>
        <button class="button small icon-only" title="Larger" aria-label="Larger" @click=${() => this.#zoom(1 / ZOOM)}>${icon("plus", 14)}</button>
        <button class="button small icon-only" title="Show everything" aria-label="Show everything" @click=${() => this.showAll()}>${icon("fit", 14)}</button>
      </div>
    </div>`;
  }

  /** For the editor: what is drawn above everything. */
  overlay() {
    return nothing;
  }

  isLit(edge) {
    return this.marks.has(edge.from) && this.marks.has(edge.to) && this.marks.get(edge.to).order === this.marks.get(edge.from).order + 1;
  }

  edge(edge) {
    const lit = this.isLit(edge);
    const at = edge.labelAt ?? middleOf(edge.points);
    return svg`<g class="edge ${lit ? "lit" : ""} ${this.done.has(edge.from) && (this.done.has(edge.to) || this.states.has(edge.to)) ? "walked" : ""}">
      <path d=${roundedPath(edge.points)} marker-end=${lit ? "url(#arrow-lit)" : "url(#arrow)"}></path>
      ${edge.label ? svg`<text x=${at.x} y=${at.y} dy="-5" text-anchor="middle" class="edge-label">${edge.label}</text>` : nothing}</g>`;
  }

  node(step) {
    const { x, y, width, height } = this.layout.nodes.get(step.id);
    const state = this.states.get(step.id);
    const mark = this.marks.get(step.id);
    const isDone = this.done.has(step.id);
    const [stateName, look] = STATE_LOOKS[state] ?? [];
    const lines = linesOf(step.name ?? step.id, Math.floor((width - 44) / PER_CHARACTER));
    const said = [step.name ?? step.id, stateName ?? (isDone ? "finished" : ""), kindOf(step).name, mark?.text].filter(Boolean).join(", ");
    return svg`<g class="node ${state ? `current ${look}` : ""} ${isDone && !state ? "done" : ""} ${mark ? `marked ${mark.look}` : ""} ${this.selected === step.id ? "selected" : ""}"
        data-step=${step.id} transform="translate(${x - width / 2} ${y - height / 2})" tabindex="0" role="button" aria-label=${said} aria-pressed=${this.selected === step.id}
        @click=${() => this.tell("step-chosen", step.id)}>
      <g aria-hidden="true"><rect class="box" width=${width} height=${height} rx="9"></rect>
      <g class="glyph" transform="translate(11 ${height / 2 - 9})">${icon(kindOf(step).icon, 18)}</g>
      ${lines.map((line, place) => svg`<text x="37" y=${height / 2 + 4.5 + (place - (lines.length - 1) / 2) * 16}>${line}</text>`)}
      ${stateName ? svg`<g class="tag"><rect x=${width - stateName.length * 6.6 - 18} y="-10" width=${stateName.length * 6.6 + 12} height="19" rx="9.500"></rect><text x=${width - stateName.length * 3.300 - 12} y="3.500" text-anchor="middle">${stateName}</text></g>` : nothing}
      ${isDone && !state ? svg`<g class="tick" transform="translate(${width - 22} ${height / 2 - 7})">${icon("check", 14)}</g>` : nothing}
      ${mark?.order !== undefined && mark.order >= 0 ? svg`<g class="order"><circle cx="4" cy="2" r="11"></circle><text x="4" y="6" text-anchor="middle">${mark.order + 1}</text></g>` : nothing}
      ${step.automatic ? svg`<g class="auto" transform="translate(${width - 19} ${height - 19})"><title>Starts by itself</title>${icon("bolt", 12)}</g>` : nothing}</g>
    </g>`;
  }

  showAll() {
    this.isTouched = false;
    this.showsAll = true;
    this.view = null;
    this.requestUpdate();
  }

  #fit() {
    if (!this.isTouched) this.requestUpdate();
  }

  #zoom(factor) {
    const { x, y, width, height } = this.view ?? this.fitted;
    this.isTouched = true;
    this.view = { x: x + (width - width * factor) / 2, y: y + (height - height * factor) / 2, width: width * factor, height: height * factor };
  }

  #key(event) {
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey) return;
    const node = event.target.closest?.("[data-step]");
    if (node && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      this.tell("step-chosen", node.dataset.step);
    } else if (event.key === "+") this.#zoom(1 / ZOOM);
    else if (event.key === "-") this.#zoom(ZOOM);
    else if (event.key === "0") this.showAll();
  }

  /** Where a pointer is in the drawing's own measure. */
  pointOf(event) {
    const box = this.querySelector(".drawing > svg").getBoundingClientRect();
    const { x, y, width, height } = this.view ?? this.fitted;
    const scale = Math.max(width / box.width, height / box.height);
    return {
      x: x + width / 2 + (event.clientX - box.left - box.width / 2) * scale,
      y: y + height / 2 + (event.clientY - box.top - box.height / 2) * scale,
      scale,
    };
  }

  #grab(event) {
    if (event.button !== 0 || event.target.closest("[data-step], [data-from], button")) return;
    const start = { ...(this.view ?? this.fitted) };
    const { scale } = this.pointOf(event);
    const move = (moved) => {
      this.isTouched = true;
      this.view = { ...start, x: start.x - (moved.clientX - event.clientX) * scale, y: start.y - (moved.clientY - event.clientY) * scale };
    };
    const done = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", done);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", done);
  }
}

/** Keeps a window of `shown` within `size` from `start`; one that is larger has it in its middle. */
function within(wanted, start, size, shown) {
  if (shown >= size) return start + (size - shown) / 2;
  return Math.min(Math.max(wanted, start), start + size - shown);
}

customElements.define("stepgate-diagram", DiagramView);
