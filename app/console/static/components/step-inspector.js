import { html, nothing } from "../vendor/lit.js";
import { Element } from "../lib/element.js";
import { answersOf, answersToSend } from "../lib/diagram-draft.js";
import { KINDS, kindOf } from "../lib/states.js";
import { toasts } from "../lib/toasts.js";
import { icon } from "./icon.js";

const FLAGS = [
  ["automatic", "Starts by itself"], ["proceedNext", "Goes on when it is answered"], ["canSkip", "May be skipped"], ["canComment", "May be commented"], ["commentRequired", "Needs a comment"],
];
/** Texts among the args of a kind: `[member, name, long]`. */
const TEXTS = {
  Manual: [["userPrompt", "What is to be done", true]],
  Question: [["question", "Question", false]],
  OpenApp: [["userPrompt", "What is to be done", true], ["appUrl", "Address of the app", false]],
  DefineLocation: [["userPrompt", "What is to be marked", true]],
  Attachment: [["userPrompt", "What is to be attached", true], ["acceptedFileTypes", "File types, such as .jpg,.png", false], ["folder", "Folder", false]],
};
const SIMPLE_KINDS = new Set(["Manual", "Question", "OpenApp", "DefineLocation", "Attachment"]);

/** What is known of one step of a diagram, to be changed. `draft`, `stepId`; `version` grows with each change. */
customElements.define("stepgate-step-inspector", class extends Element {
  static properties = { draft: {}, stepId: {}, version: {}, people: {} };

  render() {
    const step = this.draft.step(this.stepId);
    if (!step) return html`<p class="muted">Choose a step to change it, or add one.</p>`;
    const change = (members) => this.draft.change(step.id, members);
    return html`<div class="stack">
      <label class="field"><span>Name</span><input name="stepName" .value=${step.name ?? ""} @change=${(event) => change({ name: event.target.value })}></label>
      <label class="field"><span>Kind</span><select @change=${(event) => change({ action: { actionType: event.target.value, args: {} } })}>
        ${Object.entries(KINDS).map(([kind, { name }]) => html`<option value=${kind} ?selected=${kind === step.action?.actionType}>${name}</option>`)}
        ${KINDS[step.action?.actionType] ? nothing : html`<option selected>${kindOf(step).name}</option>`}</select></label>
      ${this.#args(step)}
      <fieldset class="stack tight"><legend class="label">Behaviour</legend>${FLAGS.map(([name, text]) => html`<label class="row"><input type="checkbox" .checked=${Boolean(step[name])} @change=${(event) => change({ [name]: event.target.checked })}> ${text}</label>`)}</fieldset>
      <label class="field"><span>Help text</span><textarea rows="2" .value=${step.helpText ?? ""} @change=${(event) => change({ helpText: event.target.value })}></textarea></label>
      ${this.#paths(step)}
      <div class="row wrap">
        ${this.draft.document.initialStepId === step.id ? html`<span class="badge accent">The job starts here</span>` : html`<button class="button small" @click=${() => this.draft.begin(step.id)}>${icon("flag", 14)} Start here</button>`}
        <span class="grow"></span><button class="button small danger" @click=${() => this.tell("step-removed", step.id)}>${icon("trash", 14)} Delete step</button></div>
    </div>`;
  }

  #args(step) {
    const kind = step.action?.actionType ?? "Manual";
    const args = step.action?.args ?? {};
    const set = (name) => (event) => this.draft.changeArgs(step.id, { [name]: event.target.value });
    return html`${(TEXTS[kind] ?? []).map(([name, title, long]) => html`<label class="field"><span>${title}</span>${long ? html`<textarea rows="2" .value=${args[name] ?? ""} @change=${set(name)}></textarea>` : html`<input .value=${args[name] ?? ""} @change=${set(name)}>`}</label>`)}
      ${kind === "Question" ? this.#answers(step) : nothing}
      ${kind === "DefineLocation" ? html`<label class="field"><span>Kind of place</span><select @change=${set("geometryType")}>${["Polygon", "Polyline", "Multipoint"].map((each) => html`<option ?selected=${each === args.geometryType}>${each}</option>`)}</select></label>` : nothing}
      ${SIMPLE_KINDS.has(kind) ? nothing : html`<label class="field"><span>Arguments (JSON)</span><textarea class="mono" rows="6" .value=${JSON.stringify(args, null, 2)} @change=${(event) => this.#readArgs(step, event)}></textarea><small>What each kind takes is in the documentation, service steps.</small></label>`}`;
  }

  #readArgs(step, event) {
    try {
      this.draft.replaceArgs(step.id, JSON.parse(event.target.value));
    } catch (error) {
      toasts.failure(new Error(`The arguments are not JSON: ${error.message}`));
    }
  }

  #answers(step) {
    const answers = answersOf(step);
    const set = (changed) => this.draft.changeArgs(step.id, { questionResponses: answersToSend(changed) });
    return html`<fieldset class="stack tight"><legend class="label">Answers</legend>
      ${answers.map((answer, place) => html`<div class="row"><input aria-label="Answer ${place + 1}" .value=${answer.name} @change=${(event) => set(answers.with(place, { ...answer, name: event.target.value }))}>
        <input class="narrow-number" type="number" aria-label="Value of answer ${place + 1}" .value=${String(answer.value)} @change=${(event) => set(answers.with(place, { ...answer, value: Number(event.target.value) }))}>
        <button class="button quiet icon-only small" aria-label="Delete answer ${place + 1}" @click=${() => set(answers.toSpliced(place, 1))}>${icon("close", 14)}</button></div>`)}
      <button class="button small" @click=${() => set([...answers, { name: `Answer ${answers.length + 1}`, value: Math.max(-1, ...answers.map((each) => each.value)) + 1 }])}>${icon("plus", 14)} Add answer</button></fieldset>`;
  }

  #paths(step) {
    const others = this.draft.steps;
    return html`<fieldset class="stack tight"><legend class="label">Paths</legend>
      ${(step.paths ?? []).length ? nothing : html`<p class="small muted">No path: the workflow ends here.</p>`}
      ${(step.paths ?? []).map((path, number) => this.#path(step, path, number))}
      <label class="field"><span class="for-readers">Add a path to</span><select name="connect" @change=${(event) => this.#connect(event, step)}>
        <option value="">Add a path to …</option>${others.map((each) => html`<option value=${each.id}>${each.name}</option>`)}</select></label></fieldset>`;
  }

  #connect(event, step) {
    if (event.target.value) this.draft.connect(step.id, event.target.value);
    event.target.value = "";
  }

  #path(step, path, number) {
    const set = (members) => this.draft.changePath(step.id, number, members);
    const target = this.draft.step(path.nextStep);
    return html`<details class="path" ?open=${(step.paths ?? []).length < 3}><summary><span class="cut">${icon("right", 14)} ${target?.name ?? "a step that is not there"}${path.label ? html` <span class="muted">(${path.label})</span>` : nothing}</span></summary>
      <div class="stack tight">
        <label class="field"><span>Opens when</span><input class="mono" .value=${path.expression ?? ""} placeholder="always" @change=${(event) => set({ expression: event.target.value })}></label>
        <label class="field"><span>Label</span><input .value=${path.label ?? ""} @change=${(event) => set({ label: event.target.value || undefined })}></label>
        <label class="field"><span>Then assigned to</span><select @change=${(event) => set(JSON.parse(event.target.value))}>
          ${this.#assignees(path).map(([name, members, chosen]) => html`<option value=${JSON.stringify(members)} ?selected=${chosen}>${name}</option>`)}</select></label>
        <label class="field"><span>Status then</span><input .value=${path.status ?? ""} @change=${(event) => set({ status: event.target.value || undefined })}></label>
        <button class="button small danger" @click=${() => this.draft.removePath(step.id, number)}>${icon("trash", 14)} Delete path</button></div></details>`;
  }

  #assignees(path) {
    const { users = [], groups = [] } = this.people ?? {};
    const is = (type, to) => path.assignedType === type && path.assignedTo === to;
    const known = [
      ["Whoever had it before", { assignedType: "Unassigned", assignedTo: undefined, isAssignedToCustomExpression: false }, (path.assignedType ?? "Unassigned") === "Unassigned"],
      ...users.map((each) => [each.fullName || each.username, { assignedType: "User", assignedTo: each.username, isAssignedToCustomExpression: false }, is("User", each.username)]),
      ...groups.map((each) => [`${each.name} (group)`, { assignedType: "Group", assignedTo: each.id, isAssignedToCustomExpression: false }, is("Group", each.id)]),
    ];
    if (known.some(([, , chosen]) => chosen)) return known;
    const { assignedType, assignedTo, isAssignedToCustomExpression } = path;
    return [[assignedTo, { assignedType, assignedTo, isAssignedToCustomExpression }, true], ...known];
  }
});
