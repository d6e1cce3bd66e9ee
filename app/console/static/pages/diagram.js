import { html, nothing } from "../vendor/lit.js";
import { get, post } from "../lib/api.js";
import { DiagramDraft, emptyDiagram } from "../lib/diagram-draft.js";
import { Page } from "../lib/element.js";
import { plural } from "../lib/format.js";
import { href, router } from "../lib/router.js";
import { session } from "../lib/session.js";
import { KINDS } from "../lib/states.js";
import { toasts } from "../lib/toasts.js";
import { confirm } from "../components/dialog.js";
import { icon } from "../components/icon.js";
import "../components/diagram-editor.js";
import "../components/step-inspector.js";

const DRAFT = "-1";
const NEW = "new";
const PALETTE = ["Manual", "Question", "DefineLocation", "Attachment", "UpdateJobProperties", "OpenApp", "AdvancedAssignment", "Email", "WebRequest", "CreateJob", "ExecuteGP"];

/** The editor of a diagram: steps and paths are drawn, checked, kept as a draft, and published as a version. */
customElements.define("stepgate-diagram-page", class extends Page {
  static properties = { version: { state: true }, selected: { state: true }, findings: { state: true }, shownFinding: { state: true } };

  connectedCallback() {
    super.connectedCallback();
    this.version = 0;
    this.listen(window, "beforeunload", (event) => this.draft?.isChanged && event.preventDefault());
    this.listen(window, "keydown", (event) => this.#key(event));
  }

  get heading() {
    return this.draft?.document.diagramName || "New diagram";
  }

  get diagramId() {
    return this.params.diagramId === NEW ? null : this.params.diagramId;
  }

  /** A draft that is being changed is not read again: what was drawn would be lost. */
  async load() {
    const { diagramId } = this.params;
    if (this.openId === diagramId && this.draft) return;
    const [document, users, groups] = await Promise.all([
      this.diagramId ? get(["diagrams", diagramId, DRAFT]) : emptyDiagram(), get(["community", "users"]), get(["community", "groups"]),
    ]);
    this.people = { ...users, ...groups };
    this.draft = new DiagramDraft(document);
    this.listen(this.draft, "change", () => this.#changed());
    Object.assign(this, { openId: diagramId, findings: null, shownFinding: null, selected: null });
  }

  #changed() {
    this.version += 1;
    this.findings = null;
    this.shownFinding = null;
    if (!this.draft.step(this.selected)) this.selected = null;
  }

  view() {
    const { document } = this.draft;
    const may = session.may("adminBasic");
    return html`<header class="page-head editor-head">
        <div class="grow stack tight"><h1 class="for-readers">${this.heading}</h1>
          <label class="field"><span class="for-readers">Name of the diagram</span><input class="title-input" name="diagramName" placeholder="Name of the diagram" .value=${document.diagramName} @change=${(event) => this.draft.rename(event.target.value)}></label>
          <p class="row small"><a href=${href("diagrams")}>Diagrams</a><span>·</span><span>${this.#stored(document)}</span>${this.draft.isChanged ? html`<span class="badge warn">not saved</span>` : nothing}</p></div>
        <div class="row wrap">
          <button class="button icon-only" aria-label="Undo" title="Undo (Ctrl+Z)" ?disabled=${!this.draft.canUndo} @click=${() => this.draft.undo()}>${icon("left", 16)}</button>
          <button class="button icon-only" aria-label="Redo" title="Redo (Ctrl+Y)" ?disabled=${!this.draft.canRedo} @click=${() => this.draft.redo()}>${icon("right", 16)}</button>
          <button class="button" ?disabled=${!document.steps.length} @click=${() => this.draft.tidy()}>${icon("diagram", 16)} Tidy</button>
          <button class="button" ?disabled=${!may || this.busy} @click=${() => this.#check()}>${icon("check", 16)} Check</button>
          <button class="button" ?disabled=${!may || this.busy} @click=${() => this.#save(false)}>${icon("save", 16)} Save draft</button>
          <button class="button main" ?disabled=${!may || this.busy} @click=${() => this.#save(true)}>Publish</button></div></header>
      <div class="editor">
        <section class="card palette" aria-label="Add a step"><h2 class="label">Add a step</h2>${PALETTE.map((kind) => html`<button class="button quiet small" data-kind=${kind} @click=${() => this.#add(kind)}>${icon(KINDS[kind].icon, 16)} ${KINDS[kind].name}</button>`)}</section>
        <section class="card plain editor-drawing">
          <stepgate-diagram-editor .draft=${this.draft} .diagram=${document} .selected=${this.selected} .marks=${this.#marks} label="Diagram" @step-chosen=${(event) => (this.selected = event.detail)} @step-removed=${(event) => this.#remove(event.detail)}></stepgate-diagram-editor>
          ${this.#findingsView()}</section>
        <section class="card inspector" aria-label="The chosen step"><div class="body">
          <stepgate-step-inspector .draft=${this.draft} .stepId=${this.selected} .version=${this.version} .people=${this.people} @step-removed=${(event) => this.#remove(event.detail)}></stepgate-step-inspector></div></section>
      </div>`;
  }

  #stored({ diagramVersion }) {
    if (diagramVersion === undefined) return "not stored yet";
    return diagramVersion === Number(DRAFT) ? "draft" : `version ${diagramVersion}`;
  }

  /** The counter-example of the finding that is shown: its steps in their order, then where it stays. */
  get #marks() {
    const finding = this.shownFinding;
    const marks = new Map();
    if (!finding) return marks;
    for (const [order, move] of finding.run.entries()) {
      if (!marks.has(move.stepId)) marks.set(move.stepId, { look: "warn", order, text: `${order + 1}. of the example` });
    }
    for (const id of [...finding.currentSteps, ...finding.stepIds]) marks.set(id, { order: marks.get(id)?.order ?? (finding.currentSteps.includes(id) ? finding.run.length : -1), look: "bad", text: "where it goes wrong" });
    return marks;
  }

  #findingsView() {
    if (this.findings === null) return nothing;
    if (!this.findings.length) return html`<p class="notice good findings" role="status">${icon("check")} Sound: wherever a job is, there is a way to its end.</p>`;
    return html`<div class="findings stack tight" role="status"><p class="small"><strong>${plural(this.findings.length, "warning")}.</strong> <span class="muted">It can be published all the same; jobs may get stuck.</span></p>
      ${this.findings.map((finding) => html`<button class="finding ${finding === this.shownFinding ? "shown" : ""}" aria-pressed=${finding === this.shownFinding} @click=${() => (this.shownFinding = finding === this.shownFinding ? null : finding)}>
        ${icon("alert", 16)}<span class="grow">${this.#named(finding.message)}${finding === this.shownFinding ? this.#run(finding) : nothing}</span></button>`)}</div>`;
  }

  /** The server names steps by id and name, for programs; people know the name. */
  #named(message) {
    return message.replace(/'([^']+)' \(([^)]*)\)/g, (text, id, name) => (this.draft.step(id) ? `“${name}”` : text));
  }

  #run({ run, currentSteps, pendingSteps }) {
    const name = (id) => this.draft.step(id)?.name ?? id;
    const value = (each) => (each === null ? "" : ` returns ${each === "stepSuccess" ? "success" : each}`);
    return html`<small class="muted run">${run.length ? `Example: ${run.map((move) => `${name(move.stepId)}${value(move.returnValue)}`).join(", then ")}. ` : ""}${currentSteps.length ? `Then the job is at ${currentSteps.map(name).join(" and ")}.` : ""}${pendingSteps.length ? ` ${pendingSteps.map(name).join(" and ")} waits.` : ""}</small>`;
  }

  async #add(kind) {
    this.selected = this.draft.add(kind, this.selected);
    await this.updateComplete;
    this.querySelector("[name=stepName]")?.select();
  }

  #remove(id) {
    this.draft.remove(id);
    this.querySelector(".drawing")?.focus();
  }

  async #check() {
    const checked = await this.attempt("check", () => post(["checkDiagram"], this.draft.toSend(true)));
    if (checked) this.#show(checked.warnings);
  }

  #show(findings) {
    this.findings = findings;
    [this.shownFinding = null] = findings;
  }

  async #save(active) {
    if (active && !(await confirm("Publish", "A new version becomes active: new jobs follow it, and jobs that are under way stay on theirs.", "Publish"))) return;
    const body = this.draft.toSend(active);
    const answer = await this.attempt("save", () => (this.diagramId ? post(["diagrams", this.diagramId], { diagram: body, deleteDraft: active }) : post(["diagrams"], body)));
    if (!answer) return;
    const diagramId = this.diagramId ?? answer.diagramId;
    const stored = await get(["diagrams", diagramId, DRAFT]);
    this.draft.document = { ...this.draft.document, diagramId, diagramVersion: stored.diagramVersion };
    this.draft.stored();
    toasts.success(active ? `Version ${stored.diagramVersion} is active.` : "The draft is saved.");
    if (active) this.#show(answer.warnings ?? []);
    if (this.params.diagramId === NEW) {
      this.openId = diagramId;
      router.go(["diagrams", diagramId], { replace: true });
    }
  }

  #key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.target.closest?.("input, textarea, dialog")) return;
    const act = { z: () => this.draft.undo(), y: () => this.draft.redo(), s: () => this.#save(false) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
});
