import { html, nothing } from "../vendor/lit.js";
import { words } from "../lib/format.js";
import { Dialog } from "./dialog.js";

/** Privileges that no role of the item may happen to have. */
const ALSO = ["adminBasic", "adminAdvanced", "jobForceStop", "jobUpdatePercentComplete"];
const SECTIONS = [["Administration", /^admin|^query|^path|^workflow|^AOI/], ["Jobs", /^job(?!Update)/i], ["Changing jobs", /^jobUpdate/], ["What is shown", /^view/]];

/** A role and its privileges. `role`: null for a new one; `known`: names of privileges; `save(name, body)`. */
customElements.define("stepgate-role", class extends Dialog {
  static properties = { role: {}, known: {}, may: { type: Boolean }, save: { attribute: false }, busy: { state: true } };
  look = "wide";

  get heading() {
    return this.role?.roleName ?? "New role";
  }

  body() {
    const privileges = [...new Set([...this.known, ...ALSO])].sort();
    const has = new Set(this.role?.privileges);
    return html`<fieldset class="stack" ?disabled=${!this.may}>
      ${this.role ? nothing : html`<label class="field"><span>Name</span><input name="roleName" maxlength="255" required autofocus></label>`}
      <label class="field"><span>Description</span><input name="description" maxlength="10000" .value=${this.role?.description ?? ""}></label>
      ${SECTIONS.map(([title, pattern]) => html`<fieldset class="stack tight"><legend class="label">${title}</legend><div class="fields">
        ${privileges.filter((name) => pattern.test(name)).map((name) => html`<label class="row small"><input type="checkbox" name="privilege" value=${name} .checked=${has.has(name)}><span title=${name}>${words(name)}</span></label>`)}</div></fieldset>`)}
    </fieldset>`;
  }

  buttons() {
    if (!this.may) return super.buttons();
    return html`<button type="button" class="button" @click=${() => this.close()}>Cancel</button><button class="button main" form="dialog-form" ?disabled=${this.busy}>Save</button>`;
  }

  async submit(form) {
    const given = new FormData(form);
    const name = this.role?.roleName ?? given.get("roleName").trim();
    const body = { roleName: name, description: given.get("description"), privileges: given.getAll("privilege") };
    if (await this.attempt("save", () => this.save(name, body))) this.close(name);
  }
});
