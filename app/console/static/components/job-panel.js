import { html } from "../vendor/lit.js";
import { Element, failureView, skeleton } from "../lib/element.js";

/** What the parts of a job's page have in common: they read something, and again when `revision` grows. */
export class JobPanel extends Element {
  static properties = { model: {}, revision: {}, failure: { state: true }, loaded: { state: true }, busy: { state: true } };

  willUpdate(changed) {
    if (changed.has("revision") || changed.has("model")) this.reload();
  }

  async load() {}

  async reload() {
    try {
      await this.load();
      this.failure = null;
    } catch (error) {
      this.failure = error;
    }
    this.loaded = true;
    this.requestUpdate();
  }

  render() {
    if (this.failure) return failureView(this.failure, () => this.reload());
    return this.loaded ? this.view() : html`<div class="body">${skeleton(4)}</div>`;
  }
}
