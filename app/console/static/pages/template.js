import { html, nothing } from "../vendor/lit.js";
import { get, post, put } from "../lib/api.js";
import { Page } from "../lib/element.js";
import { href, router } from "../lib/router.js";
import { session } from "../lib/session.js";
import { toasts } from "../lib/toasts.js";
import "../components/tables-editor.js";

const NEW = "new";
const STATES = [["Draft", "is being written"], ["Active", "jobs can be made"], ["Automated", "only automations make jobs"], ["Retired", "no new jobs"]];
const EMPTY = { jobTemplateName: "", state: "Draft", defaultAssignedType: "User", defaultAssignedTo: "JobCreator($job)", jobStartDateType: "CreationDate", defaultPriorityName: "" };
const CREATOR = "JobCreator($job)";

/** A job template: its diagram, what its jobs begin with, their extended properties, and who may use it. */
customElements.define("stepgate-template", class extends Page {
  static properties = { tables: { state: true }, shared: { state: true } };

  get heading() {
    return this.template?.jobTemplateName || "New template";
  }

  get templateId() {
    return this.params.templateId === NEW ? null : this.params.templateId;
  }

  async load() {
    const id = this.templateId;
    const may = session.may("adminBasic");
    const [template, diagrams, priorities, statuses, users, groups, shared] = await Promise.all([
      id ? get(["jobTemplates", id]) : EMPTY, get(["diagrams"]), get(["lookups", "priority"]), get(["lookups", "status"]),
      get(["community", "users"]), get(["community", "groups"]), id && may ? get(["jobTemplates", id, "shareWith"]) : { groupIds: [] },
    ]);
    Object.assign(this, { template, diagrams: diagrams.diagrams, priorities: priorities.lookups, statuses: statuses.lookups, users: users.users, groups: groups.groups });
    this.shared = new Set(shared.groupIds ?? shared.groups?.map((each) => each.groupId ?? each.id) ?? []);
    this.tables = template.extendedPropertyTableDefinitions ?? [];
  }

  view() {
    const may = session.may("adminBasic");
    const { template } = this;
    const text = (name, title, more = {}) => html`<label class="field"><span>${title}</span><input name=${name} .value=${template[name] ?? ""} ?required=${more.required} maxlength="255" placeholder=${more.placeholder ?? ""}></label>`;
    return html`<header class="page-head"><div class="grow"><h1>${this.heading}</h1><p class="row small"><a href=${href("templates")}>Templates</a></p></div>
        <button class="button main" form="template-form" ?disabled=${!may || this.busy} title=${may ? nothing : "Needs the privilege adminBasic"}>Save</button></header>
      <form id="template-form" @submit=${(event) => this.#save(event)}><fieldset class="template-grid" ?disabled=${!may}>
        <section class="card"><header><h2>Template</h2></header><div class="body stack">
          ${text("jobTemplateName", "Name", { required: true })}
          <label class="field"><span>Diagram</span><select name="diagramId" required><option value="">Choose …</option>${this.diagrams.map((each) => html`<option value=${each.diagramId} ?selected=${each.diagramId === template.diagramId}>${each.diagramName}${each.active ? "" : " (not active)"}</option>`)}</select></label>
          <label class="field"><span>State</span><select name="state">${STATES.map(([state, what]) => html`<option value=${state} ?selected=${state === template.state}>${state}: ${what}</option>`)}</select></label>
          ${text("category", "Category")}
          <label class="field"><span>Description</span><textarea name="description" .value=${template.description ?? ""}></textarea></label></div></section>
        <section class="card"><header><h2>What jobs begin with</h2></header><div class="body stack">
          ${text("defaultJobName", "Name of a job", { placeholder: "As the server names it" })}
          <div class="pair">${this.#choice("defaultPriorityName", "Priority", this.priorities, true)}
            <label class="field"><span>Days until it is due</span><input name="defaultJobDuration" type="number" min="0" max="36600" step="any" .value=${String(template.defaultJobDuration ?? "")}></label></div>
          <div class="pair">${this.#choice("defaultStatus", "Status", this.statuses)}${this.#choice("defaultFinalStatus", "Status when closed", this.statuses)}</div>
          <label class="field"><span>First step assigned to</span><select name="assignee">${this.#assignees().map(([name, value, chosen]) => html`<option value=${value} ?selected=${chosen}>${name}</option>`)}</select></label>
          <label class="field"><span>Description of a job</span><textarea name="defaultDescription" .value=${template.defaultDescription ?? ""}></textarea></label></div></section>
        <section class="card"><header><h2>Who may make jobs from it</h2></header><div class="body stack tight">
          <p class="small muted">${this.shared.size ? "The members of these groups." : "Everybody with the privilege to create jobs."}</p>
          ${this.groups.map((each) => html`<label class="row"><input type="checkbox" .checked=${this.shared.has(each.id)} @change=${(event) => this.#share(each.id, event.target.checked)}> ${each.name}</label>`)}</div></section>
        <section class="card"><header><h2>Extended properties</h2></header><div class="body">
          <stepgate-tables .tables=${this.tables} ?disabled=${!may} @tables-changed=${(event) => (this.tables = event.detail)}></stepgate-tables></div></section>
      </fieldset></form>`;
  }

  #choice(name, title, lookups, required = false) {
    const value = this.template[name] ?? "";
    const names = lookups.map((each) => each.lookupName);
    const known = value && !names.includes(value) ? [value, ...names] : names;
    return html`<label class="field"><span>${title}</span><select name=${name} ?required=${required}>${required ? nothing : html`<option value=""></option>`}${known.map((each) => html`<option ?selected=${each === value}>${each}</option>`)}</select></label>`;
  }

  #assignees() {
    const { defaultAssignedType: type, defaultAssignedTo: to } = this.template;
    const choice = (name, kind, who) => [name, JSON.stringify([kind, who]), kind === (type ?? "Unassigned") && (who ?? "") === (to ?? "")];
    const known = [
      choice("Whoever makes the job", "User", CREATOR),
      choice("Nobody", "Unassigned"),
      ...this.users.map((each) => choice(each.fullName || each.username, "User", each.username)),
      ...this.groups.map((each) => choice(`${each.name} (group)`, "Group", each.id)),
    ];
    return known.some(([, , chosen]) => chosen) ? known : [choice(to, type, to), ...known];
  }

  #share(id, on) {
    const shared = new Set(this.shared);
    if (on) shared.add(id);
    else shared.delete(id);
    this.shared = shared;
  }

  /** Members this page does not show stay as they are. */
  async #save(event) {
    event.preventDefault();
    const { assignee, defaultJobDuration, ...given } = Object.fromEntries(new FormData(event.target));
    const [defaultAssignedType, defaultAssignedTo] = JSON.parse(assignee);
    const diagram = this.diagrams.find((each) => each.diagramId === given.diagramId);
    const { lastUpdatedBy, lastUpdatedDate, jobTemplateId, ...kept } = this.template;
    const body = {
      ...kept, ...given, defaultAssignedType, defaultAssignedTo: defaultAssignedTo ?? "", diagramName: diagram.diagramName,
      defaultJobDuration: defaultJobDuration === "" ? undefined : Number(defaultJobDuration), extendedPropertyTableDefinitions: this.tables,
    };
    const saved = await this.attempt("save", async () => {
      const id = this.templateId;
      const answer = id ? await put(["jobTemplates", id], body) : await post(["jobTemplates"], body);
      const stored = id ?? answer.jobTemplateId;
      await post(["jobTemplates", stored, "shareWith"], { groupIds: [...this.shared] });
      return stored;
    });
    if (!saved) return;
    toasts.success(`“${body.jobTemplateName}” is saved.`);
    if (this.templateId) await this.reload();
    else router.go(["templates", saved], { replace: true });
  }
});
