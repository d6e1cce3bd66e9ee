import { html } from "../vendor/lit.js";
import { geometryOf, readPoints, writePoints } from "../lib/geometry.js";
import { Dialog } from "./dialog.js";
import "./place-drawing.js";

/** Asks for a place; resolves with a geometry in degrees. `place`: the present one, as of `partsOf`. */
customElements.define("stepgate-place-dialog", class extends Dialog {
  static properties = { place: {}, kind: { state: true }, text: { state: true } };
  heading = "Location";

  connectedCallback() {
    super.connectedCallback();
    this.kind = this.place?.kind ?? "Multipoint";
    const points = this.place?.parts[0] ?? [];
    this.text = writePoints(this.kind === "Polygon" ? points.slice(0, -1) : points);
  }

  get points() {
    try {
      return readPoints(this.text);
    } catch {
      return [];
    }
  }

  body() {
    const { points } = this;
    return html`<label class="field"><span>Kind</span><select @change=${(event) => (this.kind = event.target.value)}>
        ${[["Multipoint", "Points"], ["Polyline", "Line"], ["Polygon", "Area"]].map(([kind, name]) => html`<option value=${kind} ?selected=${kind === this.kind}>${name}</option>`)}</select></label>
      <stepgate-place draws .kind=${this.kind} .parts=${[points]} @point-added=${(event) => (this.text = writePoints([...points, event.detail]))}></stepgate-place>
      <label class="field"><span>Points: latitude, longitude</span><textarea class="mono" rows="4" placeholder="50.1109, 8.6821" required .value=${this.text} @input=${(event) => (this.text = event.target.value)}></textarea>
        <small>One in each line. A click into the drawing adds one.</small></label>`;
  }

  buttons() {
    return html`<button type="button" class="button" @click=${() => this.close()}>Cancel</button><button class="button main" form="dialog-form">Set</button>`;
  }

  async submit() {
    const geometry = await this.attempt("read", async () => geometryOf(this.kind, readPoints(this.text)));
    if (geometry) this.close(geometry);
  }
});
