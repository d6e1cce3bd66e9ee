import { html, nothing } from "../vendor/lit.js";
import { Element } from "../lib/element.js";
import { liftsText } from "../lib/reasons.js";
import { icon } from "./icon.js";

/** Words and drawings of the acts, in the order in which they are shown. */
const ACTS = {
  Run: ["Run", "play"],
  Finish: ["Finish", "check"],
  Stop: ["Stop", "stop"],
  RefreshStatus: ["Refresh", "refresh"],
  Hold: ["Hold", "hand"],
  ReleaseHold: ["Release hold", "release"],
  Assign: ["Assign", "person"],
  SetCurrentStep: ["Make the only current step", "flag"],
  Upgrade: ["Upgrade", "up"],
  Close: ["Close", "check"],
  Reopen: ["Reopen", "refresh"],
  Delete: ["Delete", "trash"],
};

/**
 * Buttons for what may be done. One that is not allowed can be pressed too: it then says everything that stands against
 * it, and who could lift that. `actions`: as the server's `allowedActions` gives them; `main`: the name of the one to
 * stand out; `hidden`: names left out; `nameOf`: names of steps and groups. Sends `act` with the name.
 */
customElements.define("stepgate-actions", class extends Element {
  static properties = { actions: {}, main: {}, hidden: {}, labels: {}, nameOf: { attribute: false }, asked: { state: true } };

  constructor() {
    super();
    this.hidden = [];
    this.labels = {};
    this.nameOf = (id) => id;
  }

  render() {
    const shown = Object.keys(ACTS).map((name) => this.actions?.find((each) => each.name === name)).filter((each) => each && !this.hidden.includes(each.name));
    const asked = shown.find((each) => each.name === this.asked && !each.allowed);
    return html`<div class="row wrap actions">${shown.map((each) => this.#button(each))}</div>
      <div aria-live="polite">${asked ? this.#why(asked) : nothing}</div>`;
  }

  #button({ name, allowed }) {
    const [words, picture] = ACTS[name];
    const label = this.labels[name] ?? words;
    const look = `${allowed ? (this.main === name ? "main" : "") : "locked"} ${name === "Delete" ? "danger" : ""}`;
    return html`<button type="button" class="button small ${look}" data-act=${name} aria-expanded=${allowed ? nothing : String(this.asked === name)}
      aria-label=${allowed ? nothing : `${label}: why not?`} title=${allowed ? nothing : "Not possible now: press to see why"} @click=${() => this.#press(name, allowed)}>${icon(allowed ? picture : "lock", 14)} ${label}</button>`;
  }

  #press(name, allowed) {
    this.asked = allowed || this.asked === name ? null : name;
    if (allowed) this.tell("act", name);
  }

  #why({ name, reasons = [] }) {
    return html`<div class="why notice"><div class="stack tight grow">
        <strong class="small">${this.labels[name] ?? ACTS[name][0]} is not possible now</strong>
        <ul class="stack tight">${reasons.map((reason) => html`<li><p>${reason.description}</p><p class="small muted">${icon("release", 12)} ${liftsText(reason.liftedBy ?? [], this.nameOf)}</p></li>`)}</ul>
      </div><button type="button" class="button quiet icon-only small" aria-label="Close the explanation" @click=${() => (this.asked = null)}>${icon("close", 14)}</button></div>`;
  }
});
