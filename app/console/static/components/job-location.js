import { html, nothing } from "../vendor/lit.js";
import { jobs } from "../lib/api.js";
import { partsOf, writePoints } from "../lib/geometry.js";
import { session } from "../lib/session.js";
import { confirm, openDialog } from "./dialog.js";
import { icon } from "./icon.js";
import { JobPanel } from "./job-panel.js";
import "./place-dialog.js";

/** Where a job is. */
customElements.define("stepgate-job-location", class extends JobPanel {
  async load() {
    this.place = partsOf(await jobs().getJobLocation(this.model.jobId));
  }

  view() {
    const may = session.may("jobUpdateLocation");
    const change = html`<button class="button" ?disabled=${!may} title=${may ? nothing : "Needs the privilege jobUpdateLocation"} @click=${this.#change}>${icon("pin", 16)} ${this.place ? "Change" : "Set the location"}</button>`;
    if (!this.place) return html`<div class="empty"><stepgate-icon name="pin"></stepgate-icon><strong>No location</strong><p>A location is a point, a line or an area.</p>${change}</div>`;
    return html`<div class="stack"><stepgate-place .kind=${this.place.kind} .parts=${this.place.parts}></stepgate-place>
      <details class="small"><summary>${this.place.kind}: coordinates</summary><pre>${this.place.parts.map(writePoints).join("\n\n")}</pre></details>
      <div class="row">${change}<button class="button quiet danger" ?disabled=${!may} @click=${this.#remove}>${icon("trash", 16)} Remove</button></div></div>`;
  }

  async #change() {
    const geometry = await openDialog("stepgate-place-dialog", { place: this.place });
    if (geometry) await this.attempt("set", () => jobs().setJobLocation(this.model.jobId, geometry));
    await this.reload();
  }

  async #remove() {
    if (!(await confirm("Remove location", "The job is nowhere then.", "Remove", true))) return;
    await this.attempt("remove", () => jobs().setJobLocation(this.model.jobId, null));
    await this.reload();
  }
});
