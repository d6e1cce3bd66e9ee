import { html, nothing } from "../vendor/lit.js";
import { jobs } from "../lib/api.js";
import { plural } from "../lib/format.js";
import { Dialog } from "./dialog.js";
import { icon } from "./icon.js";

const AT_ONCE = 4;

/** What can be done to many jobs: each does it to one, and says in a sentence why it was not done. */
export const BULK_ACTIONS = {
  Run: { verb: "Run", icon: "play", one: (id) => acted(jobs().startSteps(id)) },
  Hold: { verb: "Hold", icon: "hand", one: (id) => acted(jobs().addHolds({ jobId: id })) },
  ReleaseHold: { verb: "Release holds", icon: "release", one: (id) => acted(jobs().releaseHolds({ jobId: id })) },
  Close: { verb: "Close", icon: "check", one: (id) => managed("Close", id) },
  Reopen: { verb: "Reopen", icon: "refresh", one: (id) => managed("Reopen", id) },
  Upgrade: { verb: "Upgrade", icon: "up", one: (id) => managed("Upgrade", id) },
  Delete: { verb: "Delete", icon: "trash", danger: true, one: (id) => managed("Delete", id) },
};

async function acted(response) {
  const answer = await response;
  if (!answer.success) throw new Error(answer.stepResponses.find((each) => each.status !== "Success").statusDescription);
}

async function managed(type, id) {
  const { jobs: [job] } = await jobs().manageJobs(type, [id]);
  if (!job.success) throw new Error(job.message.replace(/^Job '[^']*': /, "")); // its name stands beside it
}

/** Does one thing to many jobs, a few at a time, and shows what became of each. `rows`: `{jobId, jobName}`. */
customElements.define("stepgate-bulk", class extends Dialog {
  static properties = { rows: {}, kind: {}, results: { state: true }, stopped: { state: true } };
  results = new Map();

  get heading() {
    return `${BULK_ACTIONS[this.kind].verb}: ${plural(this.rows.length, "job")}`;
  }

  get isStarted() {
    return this.results.size > 0 || this.busy;
  }

  body() {
    const failed = [...this.results.values()].filter((result) => result).length;
    const { danger } = BULK_ACTIONS[this.kind];
    return html`${danger && !this.isStarted ? html`<p class="notice bad">${icon("alert")} Deleted jobs cannot be brought back.</p>` : nothing}
      <div class="stack tight">
        <progress max=${this.rows.length} value=${this.results.size} aria-label="Progress"></progress>
        <p class="small muted" role="status">${this.results.size} of ${this.rows.length} done${failed ? `, ${failed} refused` : ""}</p>
      </div>
      <ul class="bulk-list">${this.rows.map((row) => this.#row(row))}</ul>`;
  }

  #row({ jobId, jobName }) {
    const done = this.results.has(jobId);
    const fault = this.results.get(jobId);
    const state = !done ? "" : fault ? "bad" : "good";
    return html`<li class="row"><span class="dot ${state}"></span><span class="cut">${jobName}</span>
      <span class="small muted grow">${fault ?? ""}</span>
      <span class="for-readers">${done ? (fault ? "refused" : "done") : "waiting"}</span></li>`;
  }

  buttons() {
    if (this.busy) return html`<button type="button" class="button" @click=${() => (this.stopped = true)}>Stop after these</button>`;
    if (this.isStarted) return html`<button type="button" class="button main" autofocus @click=${() => this.close(true)}>Done</button>`;
    const { verb, danger } = BULK_ACTIONS[this.kind];
    return html`<button type="button" class="button" @click=${() => this.close()}>Cancel</button>
      <button class="button main ${danger ? "danger" : ""}" form="dialog-form" autofocus>${verb}</button>`;
  }

  submit() {
    const waiting = [...this.rows];
    const work = async () => {
      while (waiting.length && !this.stopped) {
        const { jobId } = waiting.shift();
        const fault = await BULK_ACTIONS[this.kind].one(jobId).then(() => null, (error) => error.message);
        this.results = new Map(this.results).set(jobId, fault);
      }
    };
    return this.attempt("all", () => Promise.all(Array.from({ length: AT_ONCE }, work)));
  }
});
