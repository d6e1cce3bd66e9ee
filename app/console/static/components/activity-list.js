import { html, repeat } from "../vendor/lit.js";
import { Element } from "../lib/element.js";
import { clock } from "../lib/format.js";
import { sentenceOf } from "../lib/states.js";

/** What has happened since the page was opened, the newest first; screen readers are told of each. */
customElements.define("stepgate-activity", class extends Element {
  static properties = { model: {}, version: {} };

  render() {
    const { activity } = this.model;
    if (!activity.length) return html`<p class="muted small">What happens to the job from now on is shown here, as it happens.</p>`;
    return html`<ol class="activity" aria-live="polite" aria-relevant="additions">${repeat(activity, (each) => each.seq ?? each.timestamp, (each) => this.#line(each))}</ol>`;
  }

  #line(envelope) {
    const [sentence, look] = sentenceOf(envelope, this.model.stepName);
    return html`<li><span class="dot ${look}"></span><span class="grow">${sentence}</span><time class="tiny muted nowrap" datetime=${new Date(envelope.timestamp).toISOString()}>${clock(envelope.timestamp)}</time></li>`;
  }
});
