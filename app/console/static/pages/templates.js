import { html, nothing } from "../vendor/lit.js";
import { get, jobs, remove } from "../lib/api.js";
import { Page } from "../lib/element.js";
import { href, router } from "../lib/router.js";
import { session } from "../lib/session.js";
import { confirm } from "../components/dialog.js";
import { icon } from "../components/icon.js";
import { templateBadge } from "../components/badges.js";

/** The job templates of the item, by their category. */
customElements.define("stepgate-templates", class extends Page {
  get heading() {
    return "Templates";
  }

  async load() {
    this.templates = (await get(["jobTemplates"])).jobTemplates;
  }

  view() {
    const may = session.may("adminBasic");
    const categories = [...new Set(this.templates.map((each) => each.category ?? ""))].sort();
    return html`<header class="page-head"><div class="grow"><h1>Templates</h1><p>What new jobs are made from: a diagram, and defaults.</p></div>
        <button class="button main" ?disabled=${!may} title=${may ? nothing : "Needs the privilege adminBasic"} @click=${() => router.go(["templates", "new"])}>${icon("plus", 16)} New template</button></header>
      ${this.templates.length ? html`<div class="stack loose">${categories.map((category) => this.#category(category, may))}</div>` : html`<div class="card"><div class="empty"><stepgate-icon name="template"></stepgate-icon><strong>No templates yet</strong><p>A template names the diagram that its jobs follow, and what they begin with.</p></div></div>`}`;
  }

  #category(category, may) {
    return html`<section>${category ? html`<h2 class="section-title">${category}</h2>` : nothing}
      <ul class="cards">${this.templates.filter((each) => (each.category ?? "") === category).map((each) => this.#card(each, may))}</ul></section>`;
  }

  #card(each, may) {
    return html`<li class="card tile stack tight"><div class="row"><span class="step-icon">${icon("template")}</span><h3 class="grow cut"><a href=${href(["templates", each.jobTemplateId])}>${each.jobTemplateName}</a></h3>${templateBadge(each.state)}</div>
      <div class="grow"><p class="small muted">${each.description ?? nothing}</p><p class="small">${each.diagramName ?? "a diagram that is not there any more"}</p></div>
      <div class="row"><button class="button small" ?disabled=${each.state !== "Active" || !session.may("jobCreate")} @click=${() => this.#create(each)}>${icon("plus", 14)} New job<span class="for-readers"> from ${each.jobTemplateName}</span></button><span class="grow"></span>
        ${may ? html`<button class="button quiet icon-only small" aria-label="Delete ${each.jobTemplateName}" @click=${() => this.#delete(each)}>${icon("trash", 16)}</button>` : nothing}</div></li>`;
  }

  async #create({ jobTemplateId }) {
    const created = await this.attempt("create", () => jobs().createJobs(jobTemplateId));
    if (created) router.go(["jobs", created.jobIds[0]]);
  }

  async #delete({ jobTemplateId, jobTemplateName }) {
    if (!(await confirm("Delete template", `“${jobTemplateName}” is deleted. A template that jobs were made from is not deleted: retire it.`, "Delete", true))) return;
    await this.attempt("delete", () => remove(["jobTemplates", jobTemplateId]));
    await this.reload();
  }
});
