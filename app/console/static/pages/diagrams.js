import { html } from "../vendor/lit.js";
import { get, remove } from "../lib/api.js";
import { Page } from "../lib/element.js";
import { href, router } from "../lib/router.js";
import { session } from "../lib/session.js";
import { confirm } from "../components/dialog.js";
import { icon } from "../components/icon.js";

/** The diagrams of the item. */
customElements.define("stepgate-diagrams", class extends Page {
  get heading() {
    return "Diagrams";
  }

  async load() {
    this.diagrams = (await get(["diagrams"])).diagrams;
  }

  view() {
    const may = session.may("adminBasic");
    return html`<header class="page-head"><div class="grow"><h1>Diagrams</h1><p>The ways that jobs go, step by step.</p></div>
        <button class="button main" ?disabled=${!may} title=${may ? "" : "Needs the privilege adminBasic"} @click=${() => router.go(["diagrams", "new"])}>${icon("plus", 16)} New diagram</button></header>
      ${this.diagrams.length ? html`<ul class="cards">${this.diagrams.map((each) => this.#card(each, may))}</ul>` : html`<div class="card"><div class="empty"><stepgate-icon name="diagram"></stepgate-icon><strong>No diagrams yet</strong><p>A diagram says which steps a job has and how they follow each other.</p></div></div>`}`;
  }

  #card(each, may) {
    return html`<li class="card tile stack tight"><div class="row"><span class="step-icon">${icon("diagram")}</span><h2 class="grow cut"><a href=${href(["diagrams", each.diagramId])}>${each.diagramName}</a></h2></div>
      <p class="small muted grow">${each.description ?? ""}</p>
      <div class="row">${each.active ? html`<span class="badge good">active</span>` : html`<span class="badge">not active</span>`}${each.draft ? html`<span class="badge warn">draft</span>` : ""}<span class="grow"></span>
        ${may ? html`<button class="button quiet icon-only small" aria-label="Delete ${each.diagramName}" @click=${() => this.#delete(each)}>${icon("trash", 16)}</button>` : ""}</div></li>`;
  }

  async #delete({ diagramId, diagramName }) {
    if (!(await confirm("Delete diagram", `“${diagramName}” is deleted with all its versions. Diagrams that jobs or templates use are not deleted.`, "Delete", true))) return;
    await this.attempt("delete", () => remove(["diagrams", diagramId]));
    await this.reload();
  }
});
