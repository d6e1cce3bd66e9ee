import { html, nothing, repeat } from "../vendor/lit.js";
import { get, jobs, post, remove } from "../lib/api.js";
import { Page } from "../lib/element.js";
import { faultOf, isCondition } from "../lib/fields.js";
import { ago, day, plural } from "../lib/format.js";
import { href, router } from "../lib/router.js";
import { session } from "../lib/session.js";
import { toasts } from "../lib/toasts.js";
import { BULK_ACTIONS } from "../components/bulk-dialog.js";
import { confirm, openDialog } from "../components/dialog.js";
import { icon } from "../components/icon.js";
import { priorityBadge, statusBadge } from "../components/badges.js";
import "../components/new-job.js";
import "../components/query-box.js";
import "../components/save-search.js";
import "../components/search-chart.js";

const COLUMNS = [
  ["jobName", "Name"], ["jobTemplateName", "Template"], ["currentStep", "Current step"], ["assignedTo", "Assigned to"],
  ["jobStatus", "Status"], ["priority", "Priority"], ["dueDate", "Due"], ["percentComplete", "Done"],
];
const FIELDS = ["jobId", "closed", ...COLUMNS.map(([name]) => name)];
const PAGE = 50;
const EVERYTHING_OPEN = "closed=0";

/** The list of jobs: search, saved searches, and things done to many at once. The address holds the search. */
customElements.define("stepgate-jobs", class extends Page {
  static properties = { selected: { state: true }, fault: { state: true } };

  constructor() {
    super();
    this.selected = new Set();
    this.rows = [];
    this.saved = [];
    this.known = {};
  }

  connectedCallback() {
    super.connectedCallback();
    this.#learn();
  }

  get heading() {
    return "Jobs";
  }

  async load() {
    this.saved = (await get(["searches"], { searchType: "All" })).searches.sort((a, b) => (a.sortIndex ?? 0) - (b.sortIndex ?? 0));
    this.chosen = this.saved.find((each) => each.searchId === this.query.get("saved")) ?? null;
    if (this.chosen?.searchType === "Chart") return;
    try {
      await this.#search();
      this.fault = null;
    } catch (error) {
      this.fault = faultOf(error.message);
      if (!this.fault) throw error;
      this.rows = [];
      this.next = -1;
    }
  }

  get text() {
    return this.query.get("q") ?? this.chosen?.definition?.q ?? "";
  }

  get start() {
    return Number(this.query.get("start")) || 0;
  }

  async #search() {
    const text = this.text;
    const condition = text === "" ? { q: EVERYTHING_OPEN } : isCondition(text) ? { q: text } : { search: text };
    const field = this.query.get("sort");
    const sortFields = field
      ? [{ field, sortOrder: this.query.get("desc") ? "Desc" : "Asc" }]
      : this.chosen?.definition?.sortFields ?? [{ field: "createdDate", sortOrder: "Desc" }];
    const { results, nextStart } = await jobs().queryJobs({ ...condition, fields: FIELDS, sortFields, start: this.start, num: PAGE });
    this.rows = results.map((values) => Object.fromEntries(FIELDS.map((name, place) => [name, values[place]])));
    this.next = nextStart;
    this.selected = new Set(this.rows.map((row) => row.jobId).filter((id) => this.selected.has(id)));
  }

  /** What completion offers after a field's name. Without it the box works too, so a failure is no matter. */
  async #learn() {
    const asked = await Promise.allSettled([
      get(["lookups", "status"]), get(["lookups", "priority"]), get(["jobTemplates"]), get(["community", "users"]), get(["tableDefinitions"]),
    ]);
    const [statuses, priorities, templates, users, tables] = asked.map((each) => each.value ?? {});
    const names = (users.users ?? []).map((each) => each.username);
    const values = {
      jobStatus: (statuses.lookups ?? []).map((each) => each.lookupName),
      priority: (priorities.lookups ?? []).map((each) => each.lookupName),
      jobTemplateName: (templates.jobTemplates ?? []).map((each) => each.jobTemplateName),
      assignedType: ["User", "Group", "Unassigned"],
    };
    for (const field of ["assignedTo", "ownedBy", "createdBy", "closedBy"]) values[field] = names;
    const extended = (tables.tableDefinitions ?? []).flatMap((table) =>
      (table.extendedPropertyDefinitions ?? []).map((property) => `${table.tableName}.${property.propertyName}`),
    );
    this.known = { values, extended };
    this.requestUpdate();
  }

  view() {
    return html`<header class="page-head">
        <div class="grow"><h1>Jobs</h1></div>
        <button class="button main" ?disabled=${!session.may("jobCreate")} title=${session.may("jobCreate") ? nothing : "Needs the privilege jobCreate"} @click=${this.#create}>${icon("plus", 16)} New job</button>
      </header>
      <div class="stack">
        <stepgate-query-box .text=${this.text} .fault=${this.fault} .known=${this.known} @query-asked=${(event) => this.#ask({ q: event.detail })}></stepgate-query-box>
        ${this.#savedView()}
        ${this.chosen?.searchType === "Chart" ? html`<stepgate-search-chart .search=${this.chosen}></stepgate-search-chart>` : this.#table()}
      </div>`;
  }

  #savedView() {
    const isOwn = this.chosen && session.may("adminBasic");
    return html`<nav class="row wrap" aria-label="Saved searches">
      <a class="button small" href=${href("jobs")} aria-current=${!this.chosen && !this.text ? "true" : nothing}>All open</a>
      ${this.saved.map((each) => html`<a class="button small" href=${href("jobs", { saved: each.searchId })} aria-current=${this.chosen === each ? "true" : nothing}>
        ${each.searchType === "Chart" ? icon("system", 14) : nothing}${each.name}</a>`)}
      <button class="button quiet small" @click=${this.#save} ?hidden=${!this.query.get("q")} title="Keeps this search for later">${icon("save", 14)} Save this search</button>
      ${isOwn ? html`<button class="button quiet small danger" @click=${this.#forget}>${icon("trash", 14)} Delete “${this.chosen.name}”</button>` : nothing}
    </nav>`;
  }

  #table() {
    if (this.fault) return nothing;
    if (!this.rows.length) return this.#empty();
    const all = this.rows.every((row) => this.selected.has(row.jobId));
    return html`<div class="card plain">
        <div class="table-frame"><table class="jobs-table">
          <caption class="for-readers">Jobs</caption>
          <thead><tr>
            <th class="tick"><input type="checkbox" aria-label="Select all on this page" .checked=${all} @change=${() => (this.selected = new Set(all ? [] : this.rows.map((row) => row.jobId)))}></th>
            ${COLUMNS.map((column) => this.#head(column))}
          </tr></thead>
          <tbody>${repeat(this.rows, (row) => row.jobId, (row) => this.#row(row))}</tbody>
        </table></div>
      </div>
      ${this.#foot()}`;
  }

  #head([field, name]) {
    const sorted = this.query.get("sort") === field;
    const down = sorted && this.query.get("desc");
    return html`<th scope="col" class=${field === "percentComplete" ? "number" : ""} aria-sort=${sorted ? (down ? "descending" : "ascending") : nothing}>
      <button @click=${() => this.#ask({ sort: field, desc: sorted && !down ? 1 : "" })}>${name}${sorted ? icon(down ? "down" : "up", 12) : nothing}</button></th>`;
  }

  #row(row) {
    const late = row.dueDate && !row.closed && new Date(row.dueDate) < Date.now();
    return html`<tr>
      <td class="tick"><input type="checkbox" aria-label="Select ${row.jobName}" .checked=${this.selected.has(row.jobId)} @change=${(event) => this.#select(row.jobId, event.target.checked)}></td>
      <td data-label="Name"><a href=${href(["jobs", row.jobId])}>${row.jobName}</a></td>
      <td data-label="Template" class="muted">${row.jobTemplateName}</td>
      <td data-label="Current step">${row.currentStep ?? html`<span class="muted">at its end</span>`}</td>
      <td data-label="Assigned to">${row.assignedTo ?? html`<span class="muted">nobody</span>`}</td>
      <td data-label="Status">${statusBadge(row.jobStatus, row.closed)}</td>
      <td data-label="Priority">${priorityBadge(row.priority)}</td>
      <td data-label="Due" class="nowrap">${row.dueDate ? html`<span class=${late ? "late" : ""} title=${ago(row.dueDate)}>${day(row.dueDate)}</span>` : html`<span class="muted">–</span>`}</td>
      <td data-label="Done" class="number">${Math.round(row.percentComplete)} %</td>
    </tr>`;
  }

  #foot() {
    return html`<div class="jobs-foot">
      ${this.selected.size ? html`<div class="row wrap" role="toolbar" aria-label="For the selected jobs">
          <strong class="small">${plural(this.selected.size, "job")} selected</strong>
          ${Object.entries(BULK_ACTIONS).map(([kind, action]) => html`<button class="button small ${action.danger ? "danger" : ""}" @click=${() => this.#bulk(kind)}>${icon(action.icon, 14)} ${action.verb}</button>`)}
        </div>` : html`<span class="small muted">${this.start + 1} to ${this.start + this.rows.length}${this.next < 0 ? ` of ${this.start + this.rows.length}` : ""}</span>`}
      <span class="grow"></span>
      <button class="button small" ?disabled=${this.start === 0} @click=${() => this.#ask({ start: Math.max(0, this.start - PAGE) || "" }, true)}>${icon("left", 14)} Earlier</button>
      <button class="button small" ?disabled=${this.next < 0} @click=${() => this.#ask({ start: this.next }, true)}>Later ${icon("right", 14)}</button>
    </div>`;
  }

  #empty() {
    const asked = this.text !== "";
    return html`<div class="card"><div class="empty"><stepgate-icon name=${asked ? "search" : "jobs"}></stepgate-icon>
      <strong>${asked ? "No job matches" : "There are no open jobs"}</strong>
      <p>${asked ? "Words must all be part of a job's name, notes, status, step or assignee. A condition names fields: priority='High'." : "A job is made from a template and follows its diagram, step by step."}</p>
      ${asked ? html`<a class="button" href=${href("jobs")}>Show all open jobs</a>` : html`<button class="button" ?disabled=${!session.may("jobCreate")} @click=${this.#create}>${icon("plus", 16)} New job</button>`}</div></div>`;
  }

  #select(id, on) {
    const selected = new Set(this.selected);
    if (on) selected.add(id);
    else selected.delete(id);
    this.selected = selected;
  }

  /** Changes the address; a new search begins at its first page. */
  #ask(changes, keepsPage = false) {
    const now = Object.fromEntries(this.query);
    if (!keepsPage) delete now.start;
    if ("q" in changes) delete now.saved;
    const query = { ...now, ...changes };
    if (href("jobs", query) === location.hash) this.reload();
    else router.go("jobs", { query });
  }

  async #bulk(kind) {
    const rows = this.rows.filter((row) => this.selected.has(row.jobId));
    if (await openDialog("stepgate-bulk", { kind, rows })) this.reload();
  }

  async #create() {
    const created = await openDialog("stepgate-new-job");
    if (created?.length === 1) router.go(["jobs", created[0]]);
    else if (created) {
      toasts.success(`${plural(created.length, "job")} created.`);
      this.reload();
    }
  }

  async #save() {
    const text = this.query.get("q");
    const saved = await openDialog("stepgate-save-search", {
      save: (name) => post(["searches"], { name, searchType: "Standard", definition: { ...(isCondition(text) ? { q: text } : { search: text }), fields: FIELDS, sortFields: [{ field: "createdDate", sortOrder: "Desc" }] } }),
    });
    if (saved) router.go("jobs", { query: { saved: saved.searchId } });
  }

  async #forget() {
    const { name, searchId } = this.chosen;
    if (!(await confirm("Delete saved search", `“${name}” is deleted for everybody who uses it. The jobs stay.`, "Delete", true))) return;
    await this.attempt("forget", () => remove(["searches", searchId]));
    router.go("jobs");
  }
});
