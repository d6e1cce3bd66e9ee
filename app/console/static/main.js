/** The console: the sign-in page, or the frame with the page that the address names. */
import { html, nothing } from "./vendor/lit.js";
import { Element } from "./lib/element.js";
import { openClient, reach } from "./lib/api.js";
import { myWork } from "./lib/my-work.js";
import { href, match, router } from "./lib/router.js";
import { session } from "./lib/session.js";
import { THEMES, restoreTheme, setTheme, theme } from "./lib/theme.js";
import { icon } from "./components/icon.js";
import "./components/sign-in.js";
import "./components/toast-list.js";

/** Address, the module that defines the page's element, and the entry of the navigation that is lit meanwhile. */
const PAGES = [
  ["work", "work", "work"],
  ["jobs", "jobs", "jobs"],
  ["jobs/:jobId", "job", "jobs"],
  ["diagrams", "diagrams", "diagrams"],
  ["diagrams/:diagramId", "diagram", "diagrams"],
  ["templates", "templates", "templates"],
  ["templates/:templateId", "template", "templates"],
  ["people", "people", "people"],
  ["system", "system", "system"],
];
const NAVIGATION = [
  ["work", "work", "My work"],
  ["jobs", "jobs", "Jobs"],
  ["diagrams", "diagram", "Diagrams"],
  ["templates", "template", "Templates"],
  ["people", "people", "People"],
  ["system", "system", "System"],
];
const START = "work";
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };

customElements.define("stepgate-console", class extends Element {
  static properties = { page: { state: true } };

  connectedCallback() {
    super.connectedCallback();
    for (const source of [session, reach]) this.listen(source, "change", () => this.requestUpdate());
    this.listen(session, "change", () => this.#open());
    this.listen(myWork, "change", () => this.#count());
    this.listen(router, "change", () => this.#open());
    this.listen(this, "page-named", (event) => this.#name(event.detail));
    this.#open();
  }

  async #open() {
    if (!session.isSignedIn) {
      this.page = null;
      myWork.stop();
      this.#name("Sign in");
      return;
    }
    if (!router.path) {
      router.go(START, { replace: true });
      return;
    }
    const path = router.path;
    for (const [pattern, module, entry] of PAGES) {
      const params = match(pattern, path);
      if (!params) continue;
      const moved = this.page?.path !== path;
      await Promise.all([import(`./pages/${module}.js`), openClient()]);
      if (router.path !== path) return;
      myWork.start();
      this.page = { path, module, entry, params, query: router.query };
      if (moved) await this.#arrive();
      return;
    }
    this.page = { path, module: null };
  }

  /** Reading begins at the new page's heading, as it would after a page had been loaded. */
  async #arrive() {
    await this.updateComplete;
    scrollTo(0, 0);
    if (!this.querySelector("main [autofocus]")) this.querySelector("main")?.focus({ preventScroll: true });
  }

  #name(name) {
    this.pageName = name;
    this.#count();
  }

  /** The window's name says how much waits, for those who look at another tab. */
  #count() {
    const { needed } = myWork;
    document.title = `${needed ? `(${needed}) ` : ""}${this.pageName ? `${this.pageName} · ` : ""}Stepgate`;
    this.requestUpdate();
  }

  render() {
    if (!session.isSignedIn) return html`<stepgate-sign-in></stepgate-sign-in>`;
    return html`<a class="skip" href="#main" @click=${this.#skip}>To the content</a>
      <div class="shell">
        ${this.#side()}
        <div class="grow">
          <div class="top only-narrow">${brand}<span class="grow"></span>${this.#themeButton()}${this.#signOutButton()}</div>
          ${reach.reachable ? nothing : html`<div class="banner" role="status">${icon("offline")} The server cannot be reached. The console tries again by itself, and then shows what was missed.</div>`}
          <main class="page" id="main" tabindex="-1">${this.#page()}</main>
        </div>
      </div>
      <stepgate-toasts></stepgate-toasts>`;
  }

  #side() {
    return html`<div class="side">
      ${brand}
      <nav class="nav" aria-label="Pages">
        ${NAVIGATION.map(([path, picture, name]) => html`<a href=${href(path)} aria-current=${this.page?.entry === path ? "page" : nothing}>${icon(picture)} <span>${name}</span>${path === "work" && myWork.needed ? html`<span class="count" aria-label="${myWork.needed} need you">${myWork.needed}</span>` : nothing}</a>`)}
      </nav>
      <div class="side-foot">
        <div class="who"><span class="grow cut" title=${session.current.username}>${session.current.fullName || session.current.username}</span>${this.#themeButton()}${this.#signOutButton()}</div>
      </div>
    </div>`;
  }

  #themeButton() {
    const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
    return html`<button class="button quiet icon-only small" title="Colours: ${theme()}" aria-label="Colours: ${theme()}. Change to ${next}" @click=${() => { setTheme(next); this.requestUpdate(); }}>${icon(THEME_ICONS[theme()], 16)}</button>`;
  }

  #signOutButton() {
    return html`<button class="button quiet icon-only small" title="Sign out" aria-label="Sign out" @click=${() => session.signOut()}>${icon("out", 16)}</button>`;
  }

  #skip(event) {
    event.preventDefault();
    document.getElementById("main").focus();
  }

  #page() {
    if (!this.page) return nothing;
    const show = VIEWS[this.page.module];
    return show ? show(this.page) : html`<div class="empty"><stepgate-icon name="search"></stepgate-icon><strong>There is no such page</strong><a class="button" href=${href(START)}>To the start</a></div>`;
  }
});

const brand = html`<a class="brand" href=${href(START)}><img src="icon.svg" alt=""> Stepgate</a>`;

/** Each page's element, by its module. */
const VIEWS = {
  job: ({ params, query }) => html`<stepgate-job .params=${params} .query=${query}></stepgate-job>`,
  system: () => html`<stepgate-system></stepgate-system>`,
  diagrams: () => html`<stepgate-diagrams></stepgate-diagrams>`,
  diagram: ({ params, query }) => html`<stepgate-diagram-page .params=${params} .query=${query}></stepgate-diagram-page>`,
  templates: () => html`<stepgate-templates></stepgate-templates>`,
  template: ({ params, query }) => html`<stepgate-template .params=${params} .query=${query}></stepgate-template>`,
  people: ({ params, query }) => html`<stepgate-people .params=${params} .query=${query}></stepgate-people>`,
  work: () => html`<stepgate-work></stepgate-work>`,
  jobs: ({ params, query }) => html`<stepgate-jobs .params=${params} .query=${query}></stepgate-jobs>`,
};

restoreTheme();
