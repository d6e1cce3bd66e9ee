/** What all components are: lit elements that render into the page itself, so that one style sheet and one set of ids serve all. */
import { LitElement, html } from "../vendor/lit.js";
import { reach } from "./api.js";
import { toasts } from "./toasts.js";

export class Element extends LitElement {
  #leaving = [];

  createRenderRoot() {
    return this;
  }

  /** Listens as long as the component is in the page. */
  listen(target, type, handler) {
    target.addEventListener(type, handler);
    this.#leaving.push(() => target.removeEventListener(type, handler));
  }

  /** Calls `leave` when the component goes. */
  whenLeft(leave) {
    this.#leaving.push(leave);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const leave of this.#leaving.splice(0)) leave();
  }

  /** Tells the components around this one. */
  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }

  /** Does something asynchronous; what goes wrong is shown, and `undefined` comes back. While it lasts, `busy` is its name. */
  async attempt(name, work) {
    this.busy = name;
    this.requestUpdate();
    try {
      return await work();
    } catch (error) {
      toasts.failure(error);
      return undefined;
    } finally {
      this.busy = null;
      this.requestUpdate();
    }
  }
}

/** A page: loads what it shows, again when the server is back, and shows that it loads or why it cannot. */
export class Page extends Element {
  static properties = { params: {}, query: {}, failure: { state: true }, loaded: { state: true } };

  constructor() {
    super();
    this.params = {};
    this.query = new URLSearchParams();
    this.failure = null;
    this.loaded = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(reach, "change", () => reach.reachable && this.reload());
  }

  /** The page's name, for the heading of the window. */
  get heading() {
    return "";
  }

  willUpdate(changed) {
    if (changed.has("params") || changed.has("query")) this.reload();
  }

  /** Reads what the page shows; again whenever its address changes. */
  async load() {}

  async reload() {
    const asked = (this.latest = Symbol("load"));
    try {
      await this.load();
      if (this.latest === asked) this.failure = null;
    } catch (error) {
      if (error?.name !== "AbortError" && this.latest === asked) this.failure = error;
    } finally {
      if (this.latest === asked) {
        this.loaded = true;
        this.requestUpdate();
        this.tell("page-named", this.heading);
      }
    }
  }

  render() {
    if (this.failure) return failureView(this.failure, () => this.reload());
    return this.loaded ? this.view() : skeleton();
  }
}

/** What stands where something is on its way. */
export const skeleton = (rows = 6) => html`<div class="stack" role="status" aria-label="Loading">
  ${Array.from({ length: rows }, () => html`<div class="skeleton"></div>`)}
</div>`;

export const failureView = (failure, again) => html`<div class="empty" role="alert">
  <stepgate-icon name="alert"></stepgate-icon>
  <strong>${failure.title ?? "This cannot be shown"}</strong>
  <p>${failure.message}</p>
  <button class="button" @click=${again}>Try again</button>
</div>`;
