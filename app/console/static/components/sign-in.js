import { html, nothing } from "../vendor/lit.js";
import { Element } from "../lib/element.js";
import { session } from "../lib/session.js";
import { icon } from "./icon.js";

/** The sign-in page: a name and a password, or a token from `stepgate token`. */
customElements.define("stepgate-sign-in", class extends Element {
  static properties = { failure: { state: true }, withToken: { state: true }, busy: { state: true } };

  firstUpdated() {
    this.querySelector("input").focus();
  }

  render() {
    const item = session.item;
    return html`<main class="sign-in">
      <form class="stack" @submit=${this.#submit} aria-labelledby="sign-in-title">
        <h1 id="sign-in-title" class="brand"><img src="icon.svg" alt=""> Stepgate</h1>
        ${session.reason && !this.failure ? html`<p class="notice" role="status">${session.reason}</p>` : nothing}
        ${this.failure ? html`<p class="notice bad" role="alert">${icon("alert")} ${this.failure}</p>` : nothing}
        ${this.withToken ? this.#token() : this.#password()}
        <details>
          <summary class="small muted">Workflow item</summary>
          <div class="stack tight">
            <label class="field"><span>Organisation</span><input name="orgId" .value=${item.orgId} required></label>
            <label class="field"><span>Item id</span><input name="itemId" class="mono" .value=${item.itemId} required></label>
          </div>
        </details>
        <button class="button main" ?disabled=${this.busy}>${this.busy ? "Signing in …" : "Sign in"}</button>
        <button type="button" class="button quiet" @click=${() => (this.withToken = !this.withToken)}>
          ${this.withToken ? "Use a password instead" : "Use a token instead"}
        </button>
      </form>
    </main>`;
  }

  #password() {
    return html`<label class="field"><span>User name</span><input name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required></label>
      <label class="field"><span>Password</span><input name="password" type="password" autocomplete="current-password" required></label>`;
  }

  #token() {
    return html`<label class="field"><span>Token</span><input name="token" type="password" autocomplete="off" class="mono" required>
      <small>What <code>stepgate token USER</code> prints.</small></label>`;
  }

  async #submit(event) {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    const item = { orgId: given.orgId.trim(), itemId: given.itemId.trim() };
    this.busy = true;
    try {
      if (this.withToken) await session.signInWithToken(given.token, item);
      else await session.signIn(given.username, given.password, item);
    } catch (error) {
      this.failure = error.message;
      await this.updateComplete;
      this.querySelector(this.withToken ? "[name=token]" : "[name=password]").select();
    } finally {
      this.busy = false;
    }
  }
});
