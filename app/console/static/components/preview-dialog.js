import { html, nothing } from "../vendor/lit.js";
import { jobs } from "../lib/api.js";
import { size } from "../lib/format.js";
import { toasts } from "../lib/toasts.js";
import { Dialog } from "./dialog.js";

const MOST_TEXT = 200_000;
const MOST_BYTES = 30_000_000;

/** Shows an attachment, where it is an image or a text. */
customElements.define("stepgate-preview", class extends Dialog {
  static properties = { jobId: {}, attachment: {}, address: { state: true }, text: { state: true }, none: { state: true } };
  look = "wide";

  get heading() {
    return this.attachment.alias;
  }

  async connectedCallback() {
    super.connectedCallback();
    const { mediaType = "", id } = this.attachment;
    const isImage = /^image\/(png|jpeg|gif|webp|avif|bmp)/.test(mediaType);
    const isText = /^text\/|json|xml|csv|yaml/.test(mediaType) && !isImage;
    if (!(isImage || isText) || this.attachment.size > MOST_BYTES) {
      this.none = true;
      return;
    }
    try {
      const blob = await jobs().getAttachmentBody(this.jobId, id);
      if (isText) this.text = (await blob.text()).slice(0, MOST_TEXT);
      else this.address = URL.createObjectURL(blob);
      this.whenLeft(() => this.address && URL.revokeObjectURL(this.address));
    } catch (error) {
      toasts.failure(error);
      this.close();
    }
  }

  body() {
    if (this.none) return html`<div class="empty"><stepgate-icon name="file"></stepgate-icon><strong>No preview</strong><p>Only images and texts are shown here. Save the file to look at it.</p></div>`;
    return html`${this.address ? html`<img class="preview" src=${this.address} alt=${this.attachment.alias}>` : this.text !== undefined ? html`<pre class="preview">${this.text}</pre>` : html`<div class="skeleton"></div>`}
      <p class="small muted">${[this.attachment.mediaType, size(this.attachment.size)].filter(Boolean).join(" · ") || nothing}</p>`;
  }
});
