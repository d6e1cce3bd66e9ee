import { nothing, svg } from "../vendor/lit.js";
import { DiagramView } from "./diagram-view.js";

const GRID = 10;
const STEP = 20;

/**
 * A diagram that can be changed: steps are dragged, and connected by dragging from their right edge. With the keyboard the
 * arrows with Shift move the step that has the focus. `draft`: a `DiagramDraft`.
 */
customElements.define("stepgate-diagram-editor", class extends DiagramView {
  static properties = { draft: { attribute: false }, pending: { state: true } };

  firstUpdated() {
    super.firstUpdated();
    this.listen(this, "pointerdown", (event) => this.#press(event));
    this.listen(this, "keydown", (event) => this.#moveByKey(event));
  }

  node(step) {
    const { x, y, width, height } = this.layout.nodes.get(step.id);
    return svg`<g>${super.node(step)}
      ${step.id === this.diagram.initialStepId ? svg`<text class="begin" x=${x - width / 2} y=${y - height / 2 - 8}>Start</text>` : nothing}
      <circle class="handle" data-from=${step.id} cx=${x + width / 2} cy=${y} r="7"><title>Drag to another step to connect</title></circle></g>`;
  }

  overlay() {
    if (!this.pending) return nothing;
    const { from, at } = this.pending;
    const { x, y, width } = this.layout.nodes.get(from);
    return svg`<path class="pending" d="M${x + width / 2} ${y}L${at.x} ${at.y}"></path>`;
  }

  #press(event) {
    if (event.button !== 0) return;
    const from = event.target.dataset?.from;
    if (from) this.#connect(event, from);
    else {
      const node = event.target.closest?.("[data-step]");
      if (node) this.#drag(event, node.dataset.step);
    }
  }

  #connect(event, from) {
    event.preventDefault();
    this.#follow((moved) => (this.pending = { from, at: this.pointOf(moved) }), (ended) => {
      this.pending = null;
      const to = document.elementFromPoint(ended.clientX, ended.clientY)?.closest?.("[data-step]")?.dataset.step;
      if (to) this.draft.connect(from, to);
    });
  }

  #drag(event, id) {
    const start = this.pointOf(event);
    const { x, y } = this.layout.nodes.get(id);
    let place = null;
    this.#follow((moved) => {
      const now = this.pointOf(moved);
      if (!place && Math.hypot(now.x - start.x, now.y - start.y) < 4) return;
      place = { x: rounded(x + now.x - start.x), y: rounded(y + now.y - start.y) };
      Object.assign(this.layout.nodes.get(id), place);
      this.requestUpdate();
    }, () => place && this.draft.move(id, place));
  }

  #follow(move, end) {
    const done = (event) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", done);
      end(event);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", done);
  }

  #moveByKey(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const id = event.target.closest?.("[data-step]")?.dataset.step;
    if (!id) return;
    if (way && event.shiftKey) {
      event.preventDefault();
      const { x, y } = this.layout.nodes.get(id);
      this.draft.move(id, { x: x + way[0] * STEP, y: y + way[1] * STEP });
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.tell("step-removed", id);
    }
  }
});

const rounded = (value) => Math.round(value / GRID) * GRID;
