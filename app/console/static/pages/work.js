import { html, nothing, repeat } from "../vendor/lit.js";
import { jobs } from "../lib/api.js";
import { Page } from "../lib/element.js";
import { ago, day, plural } from "../lib/format.js";
import { JobModel } from "../lib/job-model.js";
import { SECTIONS, myWork } from "../lib/my-work.js";
import { href } from "../lib/router.js";
import { priorityBadge, stateBadge } from "../components/badges.js";
import { openDialog } from "../components/dialog.js";
import { icon } from "../components/icon.js";
import "../components/question-dialog.js";

/** The steps that are for the user, those that ask first; live. A question can be answered from here. */
customElements.define("stepgate-work", class extends Page {
  static properties = { version: { state: true } };

  connectedCallback() {
    super.connectedCallback();
    this.version = 0;
    this.listen(myWork, "change", () => (this.version += 1));
  }

  get heading() {
    return "My work";
  }

  async load() {
    if (myWork.isLoaded) return;
    await myWork.search();
    if (myWork.failure) throw myWork.failure;
  }

  view() {
    const { entries } = myWork;
    return html`<header class="page-head"><div class="grow"><h1>My work</h1>
        <p role="status">${entries.length ? `${plural(entries.length, "step")} for you${myWork.needed ? `, ${myWork.needed} ${myWork.needed === 1 ? "needs" : "need"} an answer` : ""}` : nothing}</p></div></header>
      ${entries.length ? html`<div class="stack loose">${SECTIONS.map(([name, title]) => this.#section(name, title))}</div>` : html`<div class="card"><div class="empty"><stepgate-icon name="check"></stepgate-icon>
        <strong>Nothing waits for you</strong><p>Steps that are given to you or to one of your groups appear here by themselves.</p><a class="button" href=${href("jobs")}>Look at all jobs</a></div></div>`}`;
  }

  #section(name, title) {
    const entries = myWork.entries.filter((entry) => entry.section === name);
    if (!entries.length) return nothing;
    return html`<section aria-labelledby="section-${name}"><h2 class="section-title" id="section-${name}">${title} <span class=${name === "asks" ? "count" : "muted small"}>${entries.length}</span></h2>
      <ul class="card work-list">${repeat(entries, (entry) => `${entry.jobId} ${entry.stepId}`, (entry) => this.#entry(entry))}</ul></section>`;
  }

  #entry(entry) {
    const late = entry.dueDate && new Date(entry.dueDate) < Date.now();
    const question = entry.section === "asks" ? entry.message?.question ?? entry.message?.prompt ?? entry.message?.userPrompt ?? entry.message?.msg : entry.message?.msg;
    return html`<li class="work-entry ${entry.section}">
      <div class="grow"><p class="row wrap"><a class="strong" href=${href(["jobs", entry.jobId])}>${entry.jobName}</a><span class="muted">${entry.stepName}</span>${entry.section === "asks" ? nothing : stateBadge(entry.state)}${priorityBadge(entry.priority)}</p>
        ${question ? html`<p class="small cut two-lines">${question}</p>` : nothing}</div>
      ${entry.dueDate ? html`<span class="small nowrap ${late ? "late" : "muted"}" title=${day(entry.dueDate)}>due ${ago(entry.dueDate)}</span>` : nothing}
      ${this.#button(entry)}</li>`;
  }

  #button(entry) {
    if (entry.section === "asks") return html`<button class="button small answer" @click=${() => this.#answer(entry)}>${icon("comment", 14)} Answer<span class="for-readers">: ${entry.jobName}</span></button>`;
    if (["ready", "paused", "failed"].includes(entry.section)) return html`<button class="button small" @click=${() => this.#run(entry)}>${icon("play", 14)} Run<span class="for-readers">: ${entry.jobName}</span></button>`;
    return html`<a class="button small" href=${href(["jobs", entry.jobId])}>Open<span class="for-readers">: ${entry.jobName}</span></a>`;
  }

  #run(entry) {
    return this.attempt("run", async () => {
      const { stepResponses: [answer] } = await jobs().startSteps(entry.jobId, [entry.stepId]);
      if (answer.status !== "Success") throw new Error(answer.statusDescription);
    });
  }

  async #answer(entry) {
    const model = new JobModel(entry.jobId);
    await this.attempt("answer", async () => {
      await model.open();
      await model.ready;
      const step = model.questions.find((each) => each.stepId === entry.stepId);
      if (step) await openDialog("stepgate-question", { model, step });
    });
    model.close();
  }
});
