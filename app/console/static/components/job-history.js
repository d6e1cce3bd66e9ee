import { html, nothing } from "../vendor/lit.js";
import { duration, moment, words } from "../lib/format.js";
import { Element } from "../lib/element.js";

/** A job's history as a line through time, the newest first. */
customElements.define("stepgate-job-history", class extends Element {
  static properties = { model: {}, revision: {} };

  render() {
    const lines = this.model.history.toReversed();
    return html`<ol class="timeline">${lines.map((line) => html`<li>
      <span class="dot ${look(line.action)}"></span>
      <div class="grow"><p>${words(line.action, true)}${line.stepId ? html` <strong>${this.model.stepName(line.stepId)}</strong>` : nothing}</p>
        ${line.result ? html`<p class="small muted">${line.result}</p>` : nothing}</div>
      <p class="small muted nowrap">${line.username}${line.durationSeconds ? ` · ${duration(line.durationSeconds)}` : ""}<br><time datetime=${line.date.toISOString()}>${moment(line.date)}</time></p></li>`)}</ol>`;
  }
});

const look = (action) => (/finish|complete|close/i.test(action) ? "good" : /hold|pause|stop|cancel/i.test(action) ? "warn" : /error|fail|delete/i.test(action) ? "bad" : "accent");
