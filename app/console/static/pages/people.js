import { html, nothing } from "../vendor/lit.js";
import { get, post, remove } from "../lib/api.js";
import { Page } from "../lib/element.js";
import { plural, words } from "../lib/format.js";
import { router } from "../lib/router.js";
import { session } from "../lib/session.js";
import { toasts } from "../lib/toasts.js";
import { confirm, openDialog } from "../components/dialog.js";
import { icon } from "../components/icon.js";
import "../components/role-dialog.js";

const TABS = [["users", "People"], ["groups", "Groups"], ["roles", "Roles"]];

/** Who works in the item: people, the groups they are in, and the roles that say what groups may do. */
customElements.define("stepgate-people", class extends Page {
  static properties = { opened: { state: true } };

  get heading() {
    return "People";
  }

  get tab() {
    const asked = this.query.get("tab");
    return TABS.some(([name]) => name === asked) ? asked : "users";
  }

  async load() {
    const [{ users }, { groups }, { roles }] = await Promise.all([get(["community", "users"]), get(["community", "groups"]), get(["community", "roles"])]);
    const rolesOf = await Promise.all(groups.map((each) => get(["community", "groups", each.id])));
    this.groups = groups.map((each, place) => ({ ...each, roles: rolesOf[place].roles }));
    Object.assign(this, { users, roles });
  }

  view() {
    const { tab } = this;
    const count = { users: this.users.length, groups: this.groups.length, roles: this.roles.length };
    return html`<header class="page-head"><div class="grow"><h1>People</h1><p>Groups give their members roles here; roles are sets of privileges.</p></div>
        ${tab === "roles" ? html`<button class="button main" ?disabled=${!this.#may} title=${this.#may ? nothing : "Needs the privilege adminAdvanced"} @click=${() => this.#edit(null)}>${icon("plus", 16)} New role</button>` : nothing}</header>
      <section class="card plain"><div class="tabs" role="tablist" aria-label="People" @keydown=${this.#tabKey}>
        ${TABS.map(([name, title]) => html`<button role="tab" id="tab-${name}" aria-selected=${name === tab} aria-controls="people-panel" tabindex=${name === tab ? 0 : -1} @click=${() => this.#show(name)}>${title} <span class="number">${count[name]}</span></button>`)}</div>
        <div class="table-frame" role="tabpanel" id="people-panel" aria-labelledby="tab-${tab}" tabindex="0">${{ users: () => this.#users(), groups: () => this.#groups(), roles: () => this.#roles() }[tab]()}</div></section>`;
  }

  get #may() {
    return session.may("adminAdvanced");
  }

  #show(name) {
    router.go("people", { query: { tab: name === "users" ? "" : name }, replace: true });
  }

  #tabKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const [next] = TABS[(TABS.findIndex(([name]) => name === this.tab) + step + TABS.length) % TABS.length];
    this.#show(next);
    this.updateComplete.then(() => this.querySelector(`#tab-${next}`).focus());
  }

  #users() {
    return html`<table><thead><tr><th scope="col">Name</th><th scope="col">User name</th><th scope="col">E-mail</th><th scope="col">May be given work by you</th><th scope="col"><span class="for-readers">More</span></th></tr></thead>
      <tbody>${this.users.map((each) => html`<tr><td>${each.fullName || each.username}</td><td class="mono">${each.username}</td><td class="muted">${each.email ?? ""}</td>
        <td>${each.isAssignable ? html`<span class="badge good">yes</span>` : html`<span class="badge">no</span>`}</td>
        <td><button class="button small" aria-expanded=${this.opened?.username === each.username} @click=${() => this.#open(each)}>What may ${each.username} do?</button></td></tr>
        ${this.opened?.username === each.username ? html`<tr><td colspan="5">${this.#rights(this.opened)}</td></tr>` : nothing}`)}</tbody></table>`;
  }

  async #open({ username }) {
    if (this.opened?.username === username) this.opened = null;
    else this.opened = (await this.attempt("open", () => get(["community", "users", username]))) ?? null;
  }

  #rights({ groups, roles, privileges }) {
    const names = groups.map((id) => this.groups.find((each) => each.id === id)?.name ?? id);
    return html`<dl class="facts"><dt>Groups</dt><dd>${names.join(", ") || "none"}</dd><dt>Roles</dt><dd>${roles.join(", ") || "none"}</dd>
      <dt>Privileges</dt><dd class="row wrap">${privileges.map((each) => html`<span class="badge" title=${each}>${words(each)}</span>`)}</dd></dl>`;
  }

  #groups() {
    if (!this.groups.length) return html`<div class="empty"><stepgate-icon name="people"></stepgate-icon><strong>No group has a role here</strong></div>`;
    return html`<table><thead><tr><th scope="col">Group</th><th scope="col">Roles</th><th scope="col"><span class="for-readers">Change</span></th></tr></thead>
      <tbody>${this.groups.map((group) => html`<tr><td>${group.name}</td>
        <td><span class="row wrap">${group.roles.map((role) => html`<span class="badge accent">${role}${this.#may ? html`<button class="chip-close" aria-label="Take ${role} from ${group.name}" @click=${() => this.#change(group, { deletes: { roles: [role] } })}>${icon("close", 12)}</button>` : nothing}</span>`)}</span></td>
        <td>${this.#may ? html`<select aria-label="Give ${group.name} a role" @change=${(event) => this.#give(event, group)}><option value="">Give a role …</option>${this.roles.filter((role) => !group.roles.includes(role.roleName)).map((role) => html`<option>${role.roleName}</option>`)}</select>` : nothing}</td></tr>`)}</tbody></table>`;
  }

  #give(event, group) {
    const role = event.target.value;
    event.target.value = "";
    return this.#change(group, { adds: { roles: [role] } });
  }

  async #change(group, body) {
    await this.attempt("change", () => post(["community", "groups", group.id], body));
    await this.reload();
  }

  #roles() {
    return html`<table><thead><tr><th scope="col">Role</th><th scope="col">Privileges</th><th scope="col">Groups</th><th scope="col"><span class="for-readers">Change</span></th></tr></thead>
      <tbody>${this.roles.map((role) => html`<tr><td><strong>${role.roleName}</strong><p class="small muted">${role.description ?? ""}</p></td><td class="nowrap">${plural(role.privileges.length, "privilege")}</td>
        <td>${this.groups.filter((group) => group.roles.includes(role.roleName)).map((group) => group.name).join(", ") || html`<span class="muted">none</span>`}</td>
        <td class="nowrap"><button class="button small" @click=${() => this.#edit(role)}>${this.#may ? "Change" : "Look"}<span class="for-readers"> ${role.roleName}</span></button>
          ${this.#may ? html`<button class="button quiet icon-only small" aria-label="Delete ${role.roleName}" @click=${() => this.#delete(role)}>${icon("trash", 14)}</button>` : nothing}</td></tr>`)}</tbody></table>`;
  }

  async #edit(role) {
    const known = [...new Set(this.roles.flatMap((each) => each.privileges))];
    const saved = await openDialog("stepgate-role", { role, known, may: this.#may, save: (name, body) => post(["community", "roles", name], body) });
    if (!saved) return;
    toasts.success(`The role “${saved}” is saved.`);
    await this.reload();
  }

  async #delete({ roleName }) {
    if (!(await confirm("Delete role", `Groups that have “${roleName}” have it no more, and their members lose its privileges at once.`, "Delete", true))) return;
    await this.attempt("delete", () => remove(["community", "roles", roleName]));
    await this.reload();
  }
});
