import { html, nothing, repeat } from "../vendor/lit.js";
import { Element } from "../lib/element.js";
import { toasts } from "../lib/toasts.js";
import { icon } from "./icon.js";

/** The messages that `lib/toasts.js` holds; screen readers read new ones aloud. */
customElements.define("stepgate-toasts", class extends Element {
  connectedCallback() {
    super.connectedCallback();
    this.listen(toasts, "change", () => this.requestUpdate());
  }

  render() {
    return html`<div class="toasts" role="region" aria-label="Messages">
      <div class="stack tight" aria-live="polite">${repeat(toasts.shown, (toast) => toast.id, toastView)}</div>
    </div>`;
  }
});

const toastView = (toast) => html`<div class="toast ${toast.kind}" role=${toast.kind === "bad" ? "alert" : "status"}>
  ${icon(toast.kind === "bad" ? "alert" : "check")}
  <div>
    <p>${toast.text}</p>
    ${toast.details.length ? html`<ul>${toast.details.slice(0, 6).map((detail) => html`<li>${detail}</li>`)}</ul>` : nothing}
  </div>
  <button class="button quiet icon-only small" aria-label="Dismiss" @click=${() => toasts.dismiss(toast.id)}>${icon("close", 14)}</button>
</div>`;
