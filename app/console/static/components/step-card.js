import { html, nothing } from "../vendor/lit.js";
import { jobs } from "../lib/api.js";
import { Element } from "../lib/element.js";
import { ago, moment } from "../lib/format.js";
import { kindOf } from "../lib/states.js";
import { session } from "../lib/session.js";
import { stateBadge } from "./badges.js";
import { openDialog } from "./dialog.js";
import { icon } from "./icon.js";
import "./action-bar.js";
import "./assign-dialog.js";
import "./hold-dialog.js";
import "./question-dialog.js";

/** A current step: its state, what it asks, its holds, and what may be done with it. `groupName` names groups. */
customElements.define("stepgate-step", class extends Element {
  static properties = { model: {}, step: {}, groupName: { attribute: false }, version: {} };

  get permissions() {
    return this.model.allowed?.steps.find((each) => each.stepId === this.step.stepId)?.actions ?? [];
  }

  render() {
    const { step } = this;
    const drawn = this.model.diagram?.steps.find((each) => each.id === step.stepId);
    const asksMe = step.state === "asks" && this.#isMine;
    return html`<article class="step-card ${asksMe ? "asks" : ""}" aria-label=${step.stepName}>
      <div class="row"><span class="step-icon">${icon(kindOf(drawn).icon)}</span><h3 class="grow">${step.stepName}</h3>${stateBadge(step.state)}</div>
      <p class="small muted">${kindOf(drawn).name} · ${this.#assignee()}</p>
      ${this.#told(asksMe)}
      ${this.#holds()}
      <stepgate-actions .actions=${this.permissions} .main=${asksMe ? null : "Run"} .hidden=${this.#hidden} .labels=${step.canSkip && step.state === "ready" ? { Finish: "Skip" } : {}} .nameOf=${this.#nameOf} @act=${(event) => this.#act(event.detail)}></stepgate-actions>
    </article>`;
  }

  get #isMine() {
    const { assignedType, assignedTo } = this.step;
    return assignedType === "User" ? assignedTo === session.current.username : assignedType === "Group" && session.current.groups.includes(assignedTo);
  }

  get #hidden() {
    const isOnly = this.model.currentSteps.length < 2;
    const hidden = this.step.isHeld ? [] : ["ReleaseHold"];
    return isOnly ? [...hidden, "SetCurrentStep"] : hidden;
  }

  #nameOf = (id) => (this.model.diagram?.steps.some((each) => each.id === id) ? `“${this.model.stepName(id)}”` : this.groupName(id));

  #assignee() {
    const { assignedType, assignedTo } = this.step;
    if (!assignedTo) return "assigned to nobody";
    if (assignedType === "Group") return `assigned to ${this.groupName(assignedTo)}`;
    return assignedTo === session.current.username ? "assigned to you" : `assigned to ${assignedTo}`;
  }

  #told(asksMe) {
    const { state, message } = this.step;
    if (!message) return nothing;
    if (state === "asks") {
      const question = message.question ?? message.prompt ?? message.userPrompt;
      return html`<div class="notice asks"><div class="stack tight grow"><p>${question ?? message.msg}</p>
        ${asksMe ? html`<button class="button main small answer" @click=${this.#answer}>${icon("comment", 14)} Answer</button>` : html`<p class="small">It waits for ${this.groupName(this.step.assignedTo ?? "")}.</p>`}</div></div>`;
    }
    if (!message.msg) return nothing;
    return html`<p class="notice ${state === "failed" ? "bad" : ""} small">${state === "failed" ? icon("alert", 16) : nothing}${message.msg}</p>`;
  }

  #holds() {
    const holds = (this.model.job.holds ?? []).filter((hold) => hold.stepId === this.step.stepId && !hold.releasedDate);
    if (!holds.length) return nothing;
    return html`<ul class="stack tight">${holds.map((hold) => html`<li class="notice warn small">${icon("hand", 16)}<span>On hold since ${ago(hold.setDate)}, set by ${hold.setBy}${hold.scheduledRelease ? `, until ${moment(hold.scheduledRelease)}` : ""}${hold.dependentJobId ? html`, until <a href="#/jobs/${encodeURIComponent(hold.dependentJobId)}">another job</a> ${hold.dependentStepId ? "has finished a step" : "is done"}` : nothing}
      ${hold.dependentJobId ? html`<button class="button small" @click=${() => this.#acted(() => jobs().releaseDependency({ jobId: this.model.jobId, stepIds: [hold.stepId], dependentJobId: hold.dependentJobId, dependentStepId: hold.dependentStepId }))}>Release</button>` : nothing}</span></li>`)}</ul>`;
  }

  #answer() {
    return openDialog("stepgate-question", { model: this.model, step: this.step });
  }

  async #act(name) {
    const { jobId } = this.model;
    const stepIds = [this.step.stepId];
    switch (name) {
      case "Run": return this.#acted(() => jobs().startSteps(jobId, stepIds));
      case "Finish": return this.#acted(() => jobs().finishSteps(jobId, stepIds));
      case "Stop": return this.#acted(() => jobs().stopSteps(jobId, stepIds));
      case "RefreshStatus": return this.#acted(() => jobs().refreshSteps(jobId, stepIds));
      case "SetCurrentStep": return this.#acted(() => jobs().setCurrentStep(jobId, stepIds[0]));
      case "ReleaseHold": return this.#acted(() => jobs().releaseHolds({ jobId, stepIds }));
      case "Hold": return this.#hold(jobId, stepIds);
      case "Assign": return this.#assign(jobId);
      default: throw new Error(`There is no action ${name}.`);
    }
  }

  async #hold(jobId, stepIds) {
    const until = await openDialog("stepgate-hold");
    if (!until) return;
    await this.#acted(() => (until.dependentJobId ? jobs().addDependency({ jobId, stepIds, ...until }) : jobs().addHolds({ jobId, stepIds, ...until })));
  }

  async #assign(jobId) {
    const assignee = await openDialog("stepgate-assign", { step: this.step });
    if (assignee) await this.attempt("assign", () => jobs().assignStep(jobId, this.step.stepId, assignee.to, assignee.type));
  }

  /** Acts, and says what the server says of a step that refuses. */
  #acted(work) {
    return this.attempt("act", async () => {
      const { stepResponses, automaticResponses = [] } = await work();
      const refused = [...stepResponses, ...automaticResponses].find((each) => each.status !== "Success");
      if (refused) throw new Error(refused.statusDescription);
    });
  }
});
