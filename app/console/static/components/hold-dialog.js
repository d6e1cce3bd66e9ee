import { html, nothing } from "../vendor/lit.js";
import { Dialog } from "./dialog.js";

/** Asks what a hold waits for; resolves with `{scheduledRelease}`, `{dependentJobId, dependentStepId}` or `{}`. */
customElements.define("stepgate-hold", class extends Dialog {
  static properties = { kind: { state: true } };
  heading = "Hold";
  kind = "manual";

  body() {
    const choice = (value, name, text) => html`<label class="choice"><input type="radio" name="kind" value=${value} .checked=${this.kind === value} @change=${() => (this.kind = value)}><span>${name}<small class="next">${text}</small></span></label>`;
    return html`<fieldset class="choices"><legend class="for-readers">Until when</legend>
        ${choice("manual", "Until somebody releases it", "Nothing runs before that.")}
        ${choice("time", "Until a moment", "It is released by itself then.")}
        ${choice("job", "Until another job is done", "Or one of that job's steps.")}</fieldset>
      ${this.kind === "time" ? html`<label class="field"><span>Released at</span><input name="at" type="datetime-local" required></label>` : nothing}
      ${this.kind === "job" ? html`<label class="field"><span>Job id</span><input name="job" class="mono" required></label>
        <label class="field"><span>Step id (optional)</span><input name="step" class="mono"></label>` : nothing}`;
  }

  buttons() {
    return html`<button type="button" class="button" @click=${() => this.close()}>Cancel</button><button class="button main" form="dialog-form">Hold</button>`;
  }

  submit(form) {
    const { at, job, step } = Object.fromEntries(new FormData(form));
    if (this.kind === "time") this.close({ scheduledRelease: new Date(at) });
    else this.close(this.kind === "job" ? { dependentJobId: job.trim(), dependentStepId: step.trim() || undefined } : {});
  }
});
