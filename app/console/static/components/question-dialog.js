import { html, nothing } from "../vendor/lit.js";
import { get, jobs, notifications } from "../lib/api.js";
import { geometryOf, readPoints, writePoints } from "../lib/geometry.js";
import { nextText } from "../lib/next.js";
import { toasts } from "../lib/toasts.js";
import { Dialog } from "./dialog.js";
import { icon } from "./icon.js";
import { propertyField, valueOf } from "./property-field.js";
import "./place-drawing.js";
import "./uploads.js";

/**
 * Answers what a step asks. `model`: the job (`JobModel`); `step`: the step, its `message` the `StepInfoRequired`. Resolves
 * with true once the answer was applied. Should somebody else answer first, the dialog says so and closes.
 */
customElements.define("stepgate-question", class extends Dialog {
  static properties = { model: {}, step: {}, busy: { state: true }, stage: { state: true }, points: { state: true }, people: { state: true }, chosen: { state: true } };

  constructor() {
    super();
    this.points = "";
    this.people = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(this.model, "change", () => this.#check());
    if (this.asked.stepType === "AdvancedAssignment") this.#readPeople();
  }

  get asked() {
    return this.step.message;
  }

  get heading() {
    return this.step.stepName;
  }

  #check() {
    const now = this.model.currentSteps.find((each) => each.stepId === this.step.stepId);
    const same = now?.state === "asks" && now.message?.promptId === this.asked.promptId;
    if (same || this.busy || !this.isConnected) return;
    toasts.failure(new Error(`“${this.step.stepName}” does not ask any more: somebody else has answered it, or it was stopped.`));
    this.close();
  }

  async #readPeople() {
    const [{ users }, { groups }] = await Promise.all([get(["community", "users"]), get(["community", "groups"])]);
    const wanted = this.asked.userDefinedAssignmentOptions?.groupId;
    this.people = { users: users.filter((each) => each.isAssignable), groups: wanted ? groups.filter((each) => each.id === wanted) : groups.filter((each) => each.isAssignable) };
  }

  body() {
    const { userPrompt, helpText, helpLink, canComment, commentRequired } = this.asked;
    return html`${userPrompt ? html`<p class="prompt">${userPrompt}</p>` : nothing}
      ${this.#form()}
      ${canComment !== false ? html`<label class="field"><span>Comment${commentRequired ? "" : " (optional)"}</span><textarea name="comment" maxlength="10000" ?required=${commentRequired}></textarea></label>` : nothing}
      ${helpText || helpLink ? html`<p class="small muted">${helpText} ${/^https?:/.test(helpLink ?? "") ? html`<a href=${helpLink} target="_blank" rel="noreferrer noopener">More help</a>` : nothing}</p>` : nothing}
      <p class="small muted" role="status">${this.stage ?? nothing}</p>`;
  }

  #form() {
    switch (this.asked.stepType) {
      case "Question": return this.#question();
      case "OpenApp": return html`<p><a class="button" href=${/^https?:/.test(this.asked.appUrl) ? this.asked.appUrl : "#"} target="_blank" rel="noreferrer noopener">${icon("link", 16)} Open the app</a></p>${this.#next("stepSuccess")}`;
      case "DefineLocation": return this.#place();
      case "UpdateJobProperties": return html`${this.asked.prompt ? html`<p>${this.asked.prompt}</p>` : nothing}${this.asked.properties.map((property) => propertyField(property))}${this.#next("stepSuccess")}`;
      case "Attachment": return html`<stepgate-uploads .jobId=${this.model.jobId} .stepId=${this.step.stepId} .accept=${this.asked.acceptedFileTypes}></stepgate-uploads>${this.#next("stepSuccess")}`;
      case "AdvancedAssignment": return this.#assignment();
      default: return this.#next("stepSuccess");
    }
  }

  #question() {
    return html`<fieldset class="choices"><legend class="prompt">${this.asked.question}</legend>
      ${this.asked.questionResponses.map((each) => html`<label class="choice"><input type="radio" name="answer" value=${each.value} required>
        <span>${each.name}<small class="next">${nextText(this.model.diagram, this.step.stepId, each.value)}</small></span></label>`)}</fieldset>`;
  }

  #place() {
    const { geometryType, prompt } = this.asked;
    const points = tried(() => readPoints(this.points)) ?? [];
    return html`${prompt ? html`<p>${prompt}</p>` : nothing}
      <stepgate-place draws .kind=${geometryType} .parts=${[points]} @point-added=${(event) => (this.points = writePoints([...points, event.detail]))}></stepgate-place>
      <label class="field"><span>Points of the ${geometryType.toLowerCase()}: latitude, longitude</span>
        <textarea name="points" class="mono" rows="4" placeholder="50.1109, 8.6821" required .value=${this.points} @input=${(event) => (this.points = event.target.value)}></textarea>
        <small>One in each line. A click into the drawing adds one.</small></label>${this.#next("stepSuccess")}`;
  }

  #assignment() {
    if (!this.people) return html`<div class="skeleton"></div>`;
    return html`<label class="field"><span>Who does the next step?</span><select name="assignee" required>
      <option value="">Choose …</option>
      <optgroup label="People">${this.people.users.map((each) => html`<option value=${each.username}>${each.fullName || each.username}</option>`)}</optgroup>
      <optgroup label="Groups">${this.people.groups.map((each) => html`<option value=${each.id}>${each.name}</option>`)}</optgroup></select></label>${this.#next("stepSuccess")}`;
  }

  #next(value) {
    const step = this.model.diagram?.steps.find((each) => each.id === this.step.stepId);
    const stays = ["Manual", "OpenApp"].includes(this.asked.stepType) && !step?.proceedNext;
    const text = stays ? "The step stays with you until you finish it." : nextText(this.model.diagram, this.step.stepId, value);
    return html`<p class="notice small">${icon("right", 16)} ${text}</p>`;
  }

  buttons() {
    const isChoice = this.asked.stepType === "Question";
    return html`<button type="button" class="button" ?disabled=${this.busy} @click=${() => this.close()}>Not now</button>
      <button class="button main" form="dialog-form" ?disabled=${this.busy}>${isChoice ? "Answer" : "Done"}</button>`;
  }

  async submit(form) {
    const given = Object.fromEntries(new FormData(form));
    const applied = await this.attempt("answer", async () => {
      const message = { jobId: this.model.jobId, stepId: this.step.stepId, promptId: this.asked.promptId, comment: given.comment?.trim() || undefined, ...this.#answer(given, form) };
      this.stage = "Sending …";
      const sent = notifications().send({ msgType: "StepInfoResponse", message });
      sent.stored.then(() => (this.stage = "Stored: it cannot get lost any more. It is being applied …"), () => undefined);
      return sent.finally(() => (this.stage = null));
    });
    if (applied) this.close(true);
    else this.#check();
  }

  #answer(given, form) {
    switch (this.asked.stepType) {
      case "Question": return { questionResponse: Number(given.answer) };
      case "OpenApp": return { openAppResponse: true };
      case "DefineLocation": return { location: JSON.stringify(geometryOf(this.asked.geometryType, readPoints(given.points))) };
      case "UpdateJobProperties": return { propertyResponses: this.asked.properties.map((property) => ({ identifier: property.identifier, uniqueId: property.uniqueId, value: valueOf(property, form) })) };
      case "Attachment": return { attachmentResponse: true };
      case "AdvancedAssignment": return { assignmentResponse: given.assignee };
      default: return { manualResponse: true };
    }
  }
});

function tried(work) {
  try {
    return work();
  } catch {
    return null;
  }
}
