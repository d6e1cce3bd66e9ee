import { html, nothing } from "../vendor/lit.js";
import { get, jobs } from "../lib/api.js";
import { moment, words } from "../lib/format.js";
import { href } from "../lib/router.js";
import { session } from "../lib/session.js";
import { toasts } from "../lib/toasts.js";
import { icon } from "./icon.js";
import { JobPanel } from "./job-panel.js";
import { propertyField, valueOf } from "./property-field.js";

/** Members of a job that can be changed: name on the wire, what it is called, its type, the privilege it needs. */
const MEMBERS = [
  ["jobName", "Name", "String", "jobUpdateName"],
  ["jobStatus", "Status", "status", "jobUpdateStatus"],
  ["priority", "Priority", "priority", "jobUpdatePriority"],
  ["percentComplete", "Percent complete", "Double", "jobUpdatePercentComplete"],
  ["startDate", "Start", "DateTime", "jobUpdateDate"],
  ["dueDate", "Due", "DateTime", "jobUpdateDate"],
  ["ownedBy", "Owner", "String", "jobUpdateOwner"],
  ["description", "Description", "String", "jobUpdateDescription"],
  ["notes", "Notes", "String", "jobUpdateNotes"],
];

/** What is known of a job; members and extended properties can be changed, each by those who have its privilege. */
customElements.define("stepgate-job-properties", class extends JobPanel {
  static properties = { edits: { state: true } };

  async load() {
    this.lookups ??= Object.fromEntries(await Promise.all(["status", "priority"].map(async (type) => [type, (await get(["lookups", type])).lookups])));
    this.tables ??= (await get(["tableDefinitions"])).tableDefinitions;
  }

  view() {
    return this.edits ? this.#form() : this.#facts();
  }

  #facts() {
    const { job } = this.model;
    const rows = [
      ...MEMBERS.map(([name, title, type]) => [title, type === "DateTime" ? moment(job[name]) : name === "percentComplete" ? `${job[name]} %` : job[name]]),
      ["Template", job.jobTemplateName],
      ["Diagram", `${job.diagramName}, version ${job.diagramVersion}`],
      ["Created", `${moment(job.createdDate)} by ${job.createdBy}`],
      ["Started", moment(job.startedDate)],
      ["Ended", job.endDate ? `${moment(job.endDate)}${job.closedBy ? ` by ${job.closedBy}` : ""}` : ""],
      ["Parent", job.parentJob ? html`<a href=${href(["jobs", job.parentJob])}>${job.parentJob}</a>` : ""],
      ["Id", html`<span class="mono">${job.jobId}</span>`],
    ];
    return html`<div class="stack">
      <dl class="facts">${rows.filter(([, value]) => value).map(([title, value]) => html`<dt>${title}</dt><dd>${value}</dd>`)}</dl>
      ${(job.extendedProperties ?? []).map((table) => html`<section class="stack tight"><h3>${this.#definition(table.tableName)?.tableAlias ?? table.tableName}</h3>
        <dl class="facts">${table.properties.map((each) => html`<dt>${this.#alias(table.tableName, each.propertyName)}</dt><dd>${each.value ?? html`<span class="muted">–</span>`}</dd>`)}</dl></section>`)}
      ${(job.relatedProperties ?? []).filter((table) => table.entries.length).map((table) => this.#related(table))}
      <div class="row"><button class="button" @click=${() => (this.edits = true)} ?disabled=${job.closed}>${icon("edit", 16)} Change</button>${job.closed ? html`<span class="small muted">The job is closed; reopen it first.</span>` : nothing}</div></div>`;
  }

  #related({ tableName, entries }) {
    const names = [...new Set(entries.flatMap((entry) => entry.properties.map((each) => each.propertyName)))];
    return html`<section class="stack tight"><h3>${this.#definition(tableName)?.tableAlias ?? tableName}</h3><div class="table-frame"><table>
      <thead><tr>${names.map((name) => html`<th scope="col">${this.#alias(tableName, name)}</th>`)}</tr></thead>
      <tbody>${entries.map((entry) => html`<tr>${names.map((name) => html`<td>${entry.properties.find((each) => each.propertyName === name)?.value}</td>`)}</tr>`)}</tbody></table></div></section>`;
  }

  #definition(tableName) {
    return this.tables.find((each) => each.tableName === tableName);
  }

  #property(tableName, name) {
    return this.#definition(tableName)?.extendedPropertyDefinitions?.find((each) => each.propertyName === name) ?? {};
  }

  #alias(tableName, name) {
    return this.#property(tableName, name).propertyAlias ?? words(name, true);
  }

  /** All that could be changed, as fields. */
  get #fields() {
    const { job } = this.model;
    const members = MEMBERS.map(([identifier, alias, type, privilege]) => {
      const value = job[identifier] instanceof Date ? job[identifier].toISOString() : String(job[identifier] ?? "");
      const known = this.lookups[type]?.map((each) => ({ code: each.lookupName, name: each.lookupName }));
      const codedValues = known && !known.some(({ code }) => code === value) ? [{ code: value, name: value }, ...known] : known;
      return { identifier, alias, value, dataType: type, codedValues, required: Boolean(known) || ["jobName", "percentComplete"].includes(identifier) || (type === "DateTime" && value !== ""), privilege, range: type === "Double" ? ["0", "100"] : undefined };
    });
    const extended = (job.extendedProperties ?? []).flatMap((table) => table.properties.map((each) => {
      const { dataType, required, domain, fieldLength } = this.#property(table.tableName, each.propertyName);
      return { identifier: `${table.tableName}.${each.propertyName}`, alias: this.#alias(table.tableName, each.propertyName), value: each.value ?? "", dataType, required, codedValues: domain?.codedValues, range: domain?.range, fieldLength, privilege: "jobUpdateExtendedProperties" };
    }));
    return { members, extended };
  }

  #form() {
    const { members, extended } = (this.shown = this.#fields);
    const field = (each) => propertyField(each, !session.may(each.privilege));
    return html`<form class="stack" @submit=${this.#save}>
      <div class="fields">${members.map(field)}</div>
      ${extended.length ? html`<h3>Extended properties</h3><div class="fields">${extended.map(field)}</div>` : nothing}
      <div class="row"><span class="grow small muted">Fields whose privilege you do not have cannot be changed.</span>
        <button type="button" class="button" @click=${() => (this.edits = false)}>Cancel</button><button class="button main" ?disabled=${this.busy}>Save</button></div></form>`;
  }

  async #save(event) {
    event.preventDefault();
    const form = event.target;
    const changed = (each) => session.may(each.privilege) && (valueOf(each, form) ?? "") !== shownValue(each);
    const updates = Object.fromEntries(this.shown.members.filter(changed).map((each) => [each.identifier, typed(each, valueOf(each, form))]));
    const extended = this.shown.extended.filter(changed).map((each) => ({ identifier: each.identifier, value: valueOf(each, form) }));
    if (extended.length) updates.extendedProperties = extended;
    if (!Object.keys(updates).length) {
      this.edits = false;
      return;
    }
    const done = await this.attempt("save", () => jobs().updateJob(this.model.jobId, updates));
    if (!done) return;
    this.edits = false;
    toasts.success("Saved.");
    await this.model.refresh();
  }
});

/** A moment is shown to the minute: what a field of it would give if nobody touched it. */
const shownValue = ({ dataType, value }) => (dataType === "DateTime" && value ? new Date(Math.floor(new Date(value) / 60_000) * 60_000).toISOString() : value);

const typed = ({ identifier }, value) => (identifier === "percentComplete" ? Number(value) : value ?? "");
