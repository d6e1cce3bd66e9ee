import { html, nothing } from "../vendor/lit.js";
import { jobs } from "../lib/api.js";
import { Element } from "../lib/element.js";
import { size } from "../lib/format.js";
import { toasts } from "../lib/toasts.js";
import { icon } from "./icon.js";
import "./drop-zone.js";

/** Files on their way to a job, each with its progress. Sends `files-attached` when all are there. */
customElements.define("stepgate-uploads", class extends Element {
  static properties = { jobId: {}, stepId: {}, accept: {}, uploads: { state: true } };
  uploads = [];

  render() {
    return html`<stepgate-drop .accept=${this.accept} @files-given=${(event) => this.#send(event.detail)}></stepgate-drop>
      ${this.uploads.length ? html`<ul class="uploads">${this.uploads.map((upload) => this.#row(upload))}</ul>` : nothing}`;
  }

  #row({ file, sent, abort }) {
    return html`<li><span class="cut grow">${file.name}</span><span class="small muted">${size(file.size)}</span>
      <progress max="1" value=${sent} aria-label="Uploading ${file.name}"></progress>
      <button type="button" class="button quiet icon-only small" aria-label="Stop uploading ${file.name}" @click=${() => abort.abort()}>${icon("close", 14)}</button></li>`;
  }

  async #send(files) {
    const done = await Promise.all(files.map((file) => this.#one(file)));
    if (done.some(Boolean)) this.tell("files-attached");
  }

  async #one(file) {
    const upload = { file, sent: 0, abort: new AbortController() };
    this.uploads = [...this.uploads, upload];
    const onProgress = (sent, total) => {
      upload.sent = total ? sent / total : 0;
      this.requestUpdate();
    };
    try {
      await jobs().addAttachment({ jobId: this.jobId, stepId: this.stepId, attachment: file }, { signal: upload.abort.signal, onProgress });
      return true;
    } catch (error) {
      if (!upload.abort.signal.aborted) toasts.failure(error);
      return false;
    } finally {
      this.uploads = this.uploads.filter((each) => each !== upload);
    }
  }
});
