import { html } from "../vendor/lit.js";
import { get } from "../lib/api.js";
import { toasts } from "../lib/toasts.js";
import { Dialog } from "./dialog.js";

/** Asks whom a step is for; resolves with `{type, to}`. Only those are offered whom the user may give work to. */
customElements.define("stepgate-assign", class extends Dialog {
  static properties = { step: {}, users: { state: true }, groups: { state: true }, text: { state: true } };
  text = "";

  get heading() {
    return `Assign “${this.step.stepName}”`;
  }

  async connectedCallback() {
    super.connectedCallback();
    try {
      const [{ users }, { groups }] = await Promise.all([get(["community", "users"]), get(["community", "groups"])]);
      this.users = users.filter((each) => each.isAssignable);
      this.groups = groups.filter((each) => each.isAssignable);
    } catch (error) {
      toasts.failure(error);
      this.close();
    }
  }

  body() {
    if (!this.users) return html`<div class="skeleton"></div><div class="skeleton"></div>`;
    const fits = (name) => name.toLowerCase().includes(this.text.toLowerCase());
    const choice = (type, to, name, detail) => html`<label class="choice"><input type="radio" name="to" value=${JSON.stringify({ type, to })} required><span>${name}<small class="next">${detail}</small></span></label>`;
    return html`<label class="field"><span class="for-readers">Find somebody</span><input type="search" placeholder="Find somebody" autofocus .value=${this.text} @input=${(event) => (this.text = event.target.value)}></label>
      <fieldset class="choices assignees"><legend class="for-readers">Assignee</legend>
        ${this.users.filter((each) => fits(each.username + each.fullName)).map((each) => choice("User", each.username, each.fullName || each.username, each.username))}
        ${this.groups.filter((each) => fits(each.name)).map((each) => choice("Group", each.id, each.name, "Group"))}
        ${choice("Unassigned", undefined, "Nobody", "Whoever may take it can do so.")}</fieldset>`;
  }

  buttons() {
    return html`<button type="button" class="button" @click=${() => this.close()}>Cancel</button><button class="button main" form="dialog-form" ?disabled=${!this.users}>Assign</button>`;
  }

  submit(form) {
    this.close(JSON.parse(new FormData(form).get("to")));
  }
});
