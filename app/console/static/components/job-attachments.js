import { html, nothing } from "../vendor/lit.js";
import { jobs } from "../lib/api.js";
import { ago, size } from "../lib/format.js";
import { session } from "../lib/session.js";
import { confirm, openDialog } from "./dialog.js";
import { icon } from "./icon.js";
import { JobPanel } from "./job-panel.js";
import "./preview-dialog.js";
import "./uploads.js";

/** A job's attachments: files and links. Files can be dropped, looked at, saved and deleted. */
customElements.define("stepgate-job-attachments", class extends JobPanel {
  async load() {
    this.attachments = await jobs().getAttachments(this.model.jobId);
  }

  view() {
    const may = session.may("jobUpdateAttachments");
    return html`<div class="stack">
      ${may ? html`<stepgate-uploads .jobId=${this.model.jobId} @files-attached=${() => this.reload()}></stepgate-uploads>` : nothing}
      ${this.attachments.length ? html`<ul class="files">${this.attachments.map((each) => this.#row(each, may))}</ul>` : html`<p class="muted">Nothing is attached.</p>`}
      ${may ? html`<form class="row" @submit=${this.#link}><label class="grow"><span class="for-readers">Link to attach</span><input name="url" type="text" placeholder="Or attach a link: https://…" required></label><button class="button" ?disabled=${this.busy}>${icon("link", 16)} Attach link</button></form>` : nothing}
    </div>`;
  }

  #row(each, may) {
    const isFile = each.fileName !== undefined;
    const opens = /^https?:/.test(each.url);
    return html`<li class="row">${icon(isFile ? "file" : "link")}
      <div class="grow">${isFile ? html`<button class="as-link cut" @click=${() => this.#preview(each)}>${each.alias}</button>` : opens ? html`<a class="cut" href=${each.url} target="_blank" rel="noreferrer noopener">${each.alias}</a>` : html`<span class="cut">${each.alias}</span>`}
        <p class="tiny muted">${isFile ? `${size(each.size)} · ` : ""}${each.folder} · ${each.lastModifiedBy}, ${ago(each.lastModified)}</p></div>
      ${isFile ? html`<button class="button quiet icon-only small" aria-label="Save ${each.alias}" @click=${() => this.#save(each)}>${icon("download", 16)}</button>` : nothing}
      ${may ? html`<button class="button quiet icon-only small" aria-label="Delete ${each.alias}" @click=${() => this.#delete(each)}>${icon("trash", 16)}</button>` : nothing}</li>`;
  }

  #preview(attachment) {
    return openDialog("stepgate-preview", { jobId: this.model.jobId, attachment });
  }

  /** From memory: a link to the file itself would need the token in its address. */
  async #save({ id, fileName }) {
    const blob = await this.attempt("save", () => jobs().getAttachmentBody(this.model.jobId, id));
    if (!blob) return;
    const address = URL.createObjectURL(blob);
    Object.assign(document.createElement("a"), { href: address, download: fileName }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  async #delete({ id, alias }) {
    if (!(await confirm("Delete attachment", `“${alias}” is deleted for good.`, "Delete", true))) return;
    await this.attempt("delete", () => jobs().deleteAttachment(this.model.jobId, id));
    await this.reload();
  }

  async #link(event) {
    event.preventDefault();
    const form = event.target;
    const linked = await this.attempt("link", () => jobs().addAttachmentLinked({ jobId: this.model.jobId, url: form.elements.url.value.trim() }));
    if (!linked) return;
    form.reset();
    await this.reload();
  }
});
