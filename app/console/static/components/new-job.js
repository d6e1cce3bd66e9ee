import { html, nothing } from "../vendor/lit.js";
import { get, jobs } from "../lib/api.js";
import { toasts } from "../lib/toasts.js";
import { Dialog } from "./dialog.js";

/** Asks for a new job; resolves with the ids of what was created. */
customElements.define("stepgate-new-job", class extends Dialog {
  static properties = { templates: { state: true }, priorities: { state: true }, busy: { state: true } };
  heading = "New job";

  async connectedCallback() {
    super.connectedCallback();
    try {
      const [templates, priorities] = await Promise.all([get(["jobTemplates"]), get(["lookups", "priority"])]);
      this.templates = templates.jobTemplates.filter((each) => each.state === "Active");
      this.priorities = priorities.lookups.map((each) => each.lookupName);
    } catch (error) {
      toasts.failure(error);
      this.close();
    }
  }

  body() {
    if (!this.templates) return html`<div class="skeleton"></div><div class="skeleton"></div>`;
    return html`<label class="field"><span>Template</span><select name="template" required autofocus>
        ${this.templates.map((each) => html`<option value=${each.jobTemplateId}>${each.jobTemplateName}</option>`)}</select>
        ${this.templates.length ? nothing : html`<small>No template is active; jobs are made from active ones.</small>`}</label>
      <label class="field"><span>Name</span><input name="jobName" maxlength="255" placeholder="As the template says"></label>
      <div class="pair">
        <label class="field"><span>Priority</span><select name="priority"><option value="">As the template says</option>
          ${this.priorities.map((name) => html`<option>${name}</option>`)}</select></label>
        <label class="field"><span>Due</span><input name="dueDate" type="date"></label>
      </div>
      <label class="field"><span>How many</span><input name="numberOfJobs" type="number" min="1" max="1000" value="1"></label>`;
  }

  buttons() {
    return html`<button type="button" class="button" @click=${() => this.close()}>Cancel</button>
      <button class="button main" form="dialog-form" ?disabled=${this.busy || !this.templates?.length}>${this.busy ? "Creating …" : "Create"}</button>`;
  }

  async submit(form) {
    const { template, jobName, priority, dueDate, numberOfJobs } = Object.fromEntries(new FormData(form));
    const overrides = {
      jobName: jobName || undefined,
      priority: priority || undefined,
      dueDate: dueDate ? new Date(dueDate).toISOString() : undefined,
      numberOfJobs: Number(numberOfJobs) || 1,
    };
    const created = await this.attempt("create", () => jobs().createJobs(template, overrides));
    if (created) this.close(created.jobIds);
  }
});
