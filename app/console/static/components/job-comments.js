import { html } from "../vendor/lit.js";
import { jobs } from "../lib/api.js";
import { ago, moment } from "../lib/format.js";
import { JobPanel } from "./job-panel.js";

/** A job's comments, and a new one. */
customElements.define("stepgate-job-comments", class extends JobPanel {
  async load() {
    this.comments = await jobs().getJobComments(this.model.jobId);
  }

  view() {
    return html`<div class="stack">
      ${this.comments.length ? html`<ol class="stack">${this.comments.map((each) => html`<li class="comment"><p class="small muted"><strong>${each.lastModifiedBy}</strong> · <time title=${moment(each.lastModified)}>${ago(each.lastModified)}</time></p><p class="said">${each.comment}</p></li>`)}</ol>` : html`<p class="muted">Nobody has said anything yet.</p>`}
      <form class="stack tight" @submit=${this.#add}>
        <label class="field"><span>Comment</span><textarea name="comment" maxlength="10000" required></textarea></label>
        <div class="row"><span class="grow"></span><button class="button main" ?disabled=${this.busy}>Add comment</button></div>
      </form></div>`;
  }

  async #add(event) {
    event.preventDefault();
    const form = event.target;
    const id = await this.attempt("add", () => jobs().addJobComment(this.model.jobId, form.elements.comment.value));
    if (id === undefined) return;
    form.reset();
    await this.reload();
  }
});
