import { html } from "../vendor/lit.js";
import { Dialog } from "./dialog.js";

/** Asks for the name of a search; `save(name)` keeps it. Resolves with what `save` gave. */
customElements.define("stepgate-save-search", class extends Dialog {
  static properties = { save: { attribute: false }, busy: { state: true } };
  heading = "Save this search";

  body() {
    return html`<label class="field"><span>Name</span><input name="name" maxlength="255" required autofocus></label>`;
  }

  buttons() {
    return html`<button type="button" class="button" @click=${() => this.close()}>Cancel</button>
      <button class="button main" form="dialog-form" ?disabled=${this.busy}>Save</button>`;
  }

  async submit(form) {
    const saved = await this.attempt("save", () => this.save(form.elements.name.value.trim()));
    if (saved) this.close(saved);
  }
});
