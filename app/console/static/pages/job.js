import { html, nothing } from "../vendor/lit.js";
import { get, jobs, reach } from "../lib/api.js";
import { Page } from "../lib/element.js";
import { ago, day } from "../lib/format.js";
import { JobModel } from "../lib/job-model.js";
import { href, router } from "../lib/router.js";
import { session } from "../lib/session.js";
import { toasts } from "../lib/toasts.js";
import { priorityBadge, statusBadge } from "../components/badges.js";
import { confirm } from "../components/dialog.js";
import { icon } from "../components/icon.js";
import "../components/action-bar.js";
import "../components/activity-list.js";
import "../components/diagram-view.js";
import "../components/job-attachments.js";
import "../components/job-comments.js";
import "../components/job-history.js";
import "../components/job-location.js";
import "../components/job-properties.js";
import "../components/step-card.js";

const TABS = [
  ["properties", "Properties"], ["attachments", "Attachments"], ["comments", "Comments"], ["history", "History"], ["location", "Location"],
];
const MANAGE = { Close: "closed", Reopen: "reopened", Delete: "deleted", Upgrade: "upgraded" };

/** One job: its diagram, its current steps and what may be done with them, and all that is known of it; live. */
customElements.define("stepgate-job", class extends Page {
  static properties = { version: { state: true }, tab: { state: true } };

  constructor() {
    super();
    this.version = 0;
    this.groups = [];
  }

  get heading() {
    return this.model?.job?.jobName ?? "Job";
  }

  async load() {
    const { jobId } = this.params;
    if (this.model?.jobId !== jobId) {
      this.model?.close();
      this.model = new JobModel(jobId);
      this.listen(this.model, "change", () => this.#changed());
      this.whenLeft(() => this.model.close());
    }
    const [{ groups }] = await Promise.all([get(["community", "groups"]), this.model.open()]);
    this.groups = groups;
  }

  get shownTab() {
    const asked = this.query.get("tab");
    return TABS.some(([name]) => name === asked) ? asked : "properties";
  }

  #changed() {
    this.version += 1;
    if (this.model.deleted) {
      toasts.failure(new Error("This job was deleted."));
      router.go("jobs");
    }
  }

  #groupName = (id) => this.groups.find((each) => each.id === id)?.name ?? id;

  view() {
    const { job } = this.model;
    if (!job) return nothing;
    return html`${this.#head(job)}
      <div class="job-grid">
        <div class="stack job-side">
          <section class="stack tight" aria-label="Current steps">${this.#steps()}</section>
          <section class="card job-activity"><header><h2>Activity</h2>${this.#live()}</header><div class="body"><stepgate-activity .model=${this.model} .version=${this.version}></stepgate-activity></div></section>
        </div>
        <div class="stack job-main">
          <section class="card plain"><header><h2>${job.diagramName}</h2><span class="muted small">version ${job.diagramVersion}</span></header>
            ${this.model.diagram ? html`<stepgate-diagram .diagram=${this.model.diagram} .states=${this.#states} .done=${this.model.doneSteps} label="Diagram of the job" .selected=${this.chosen} @step-chosen=${this.#choose}></stepgate-diagram>` : html`<div class="body muted">This version of the diagram is not there any more.</div>`}
            ${this.#chosenStep()}</section>
          ${this.#tabs()}
        </div>
      </div>`;
  }

  #head(job) {
    const late = job.dueDate && !job.closed && job.dueDate < Date.now();
    return html`<header class="page-head">
      <div class="grow stack tight">
        <div class="row wrap"><h1>${job.jobName}</h1>${statusBadge(job.jobStatus, job.closed)}${priorityBadge(job.priority)}</div>
        <p class="row wrap small"><a href=${href("jobs")}>Jobs</a><span>·</span><span>${job.jobTemplateName}</span>${job.dueDate ? html`<span>·</span><span class=${late ? "late" : ""}>due ${day(job.dueDate)}, ${ago(job.dueDate)}</span>` : nothing}</p>
        <div class="row small job-progress"><progress max="100" value=${job.percentComplete} aria-label="Percent complete"></progress><span class="muted">${Math.round(job.percentComplete)} %</span></div>
      </div>
      <stepgate-actions .actions=${this.#jobActions} @act=${(event) => this.#manage(event.detail)}></stepgate-actions>
    </header>`;
  }

  /** Closed jobs are reopened, open ones closed; what makes no sense is not shown. */
  get #jobActions() {
    const { allowed, job } = this.model;
    return (allowed?.actions ?? []).filter(({ name }) => (job.closed ? name !== "Close" : name !== "Reopen"));
  }

  #steps() {
    const steps = this.model.currentSteps;
    if (!steps.length) return html`<div class="card"><div class="empty"><stepgate-icon name="flag"></stepgate-icon><strong>${this.model.job.closed ? "This job is closed" : "The workflow is at its end"}</strong><p>${this.model.job.closed ? "Reopen it to go on." : "All steps are done. The job stays open until somebody closes it."}</p></div></div>`;
    return steps.map((step) => html`<stepgate-step .model=${this.model} .step=${step} .groupName=${this.#groupName} .version=${this.version}></stepgate-step>`);
  }

  #live() {
    return reach.reachable ? html`<span class="badge good"><span class="dot good"></span>live</span>` : html`<span class="badge warn">waiting for the server</span>`;
  }

  get #states() {
    return new Map(this.model.currentSteps.map((step) => [step.stepId, step.state]));
  }

  #choose(event) {
    this.chosen = this.chosen === event.detail ? null : event.detail;
    this.requestUpdate();
  }

  #chosenStep() {
    const step = this.model.diagram?.steps.find((each) => each.id === this.chosen);
    if (!step) return nothing;
    const isCurrent = this.#states.has(step.id);
    const may = session.may("workflowSetStepCurrent");
    return html`<div class="chosen row wrap"><strong>${step.name}</strong><span class="muted small grow">${step.description ?? step.helpText ?? ""}</span>
      ${isCurrent ? html`<span class="small muted">It is a current step.</span>` : html`<button class="button small" ?disabled=${!may || this.model.job.closed} title=${may ? nothing : "Needs the privilege workflowSetStepCurrent"} @click=${() => this.#setCurrent(step)}>${icon("flag", 14)} Make it the current step</button>`}</div>`;
  }

  async #setCurrent(step) {
    if (!(await confirm("Set the current step", `The job leaves where it is, and goes on at “${step.name}”.`, "Go there"))) return;
    await this.attempt("set", async () => {
      const { stepResponses: [answer] } = await jobs().setCurrentStep(this.model.jobId, step.id);
      if (answer.status !== "Success") throw new Error(answer.statusDescription);
    });
  }

  #tabs() {
    const shown = this.shownTab;
    const { job, revisions } = this.model;
    const panels = {
      properties: () => html`<stepgate-job-properties .model=${this.model} .revision=${this.version}></stepgate-job-properties>`,
      attachments: () => html`<stepgate-job-attachments .model=${this.model} .revision=${revisions.attachments}></stepgate-job-attachments>`,
      comments: () => html`<stepgate-job-comments .model=${this.model} .revision=${revisions.comments}></stepgate-job-comments>`,
      history: () => html`<stepgate-job-history .model=${this.model} .revision=${revisions.history}></stepgate-job-history>`,
      location: () => html`<stepgate-job-location .model=${this.model} .revision=${revisions.location}></stepgate-job-location>`,
    };
    return html`<section class="card plain"><div class="tabs" role="tablist" aria-label="About the job" @keydown=${this.#tabKey}>
        ${TABS.map(([name, title]) => html`<button role="tab" id="tab-${name}" aria-selected=${name === shown} aria-controls="tab-panel" tabindex=${name === shown ? 0 : -1} @click=${() => this.#showTab(name)}>${title}</button>`)}
      </div><div class="body padded" role="tabpanel" id="tab-panel" aria-labelledby="tab-${shown}" tabindex="0">${panels[shown]()}</div></section>`;
  }

  #showTab(name) {
    router.go(["jobs", this.params.jobId], { query: { tab: name === "properties" ? "" : name }, replace: true });
  }

  #tabKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const place = TABS.findIndex(([name]) => name === this.shownTab);
    const [next] = TABS[(place + step + TABS.length) % TABS.length];
    this.#showTab(next);
    this.updateComplete.then(() => this.querySelector(`#tab-${next}`).focus());
  }

  async #manage(kind) {
    if (kind === "Delete" && !(await confirm("Delete job", `“${this.model.job.jobName}” is deleted for good, with its attachments and comments.`, "Delete", true))) return;
    const done = await this.attempt("manage", async () => {
      const { jobs: [answer] } = await jobs().manageJobs(kind, [this.model.jobId]);
      if (!answer.success) throw new Error(answer.message);
      return true;
    });
    if (!done) return;
    toasts.success(`“${this.model.job.jobName}” was ${MANAGE[kind]}.`);
    if (kind === "Delete") router.go("jobs");
    else await this.model.refresh();
  }
});
