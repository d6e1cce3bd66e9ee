/** States as small coloured words; the colour never says it alone. */
import { html } from "../vendor/lit.js";

const PRIORITY = { high: "bad", urgent: "bad", medium: "warn" };

export const priorityBadge = (name) => html`<span class="badge ${PRIORITY[(name ?? "").toLowerCase()] ?? ""}">${name}</span>`;

export const statusBadge = (name, closed) => html`<span class="badge ${closed ? "" : "accent"}">${name}</span>`;

/** The states of a step that is current, as `lib/states.js` names them. */
export const STATE_LOOKS = {
  ready: ["Ready", "accent"],
  asks: ["Asks", "asks"],
  running: ["Running", "good"],
  handled: ["In work", "good"],
  held: ["On hold", "warn"],
  stopping: ["Stopping", "warn"],
  paused: ["Paused", "warn"],
  stopped: ["Stopped", "warn"],
  failed: ["Failed", "bad"],
};

export const stateBadge = (state) => {
  const [name, look] = STATE_LOOKS[state] ?? [state, ""];
  return html`<span class="badge ${look}">${name}</span>`;
};

const TEMPLATE_LOOKS = { Active: "good", Automated: "accent", Draft: "warn", Retired: "" };

export const templateBadge = (state) => html`<span class="badge ${TEMPLATE_LOOKS[state] ?? ""}">${state}</span>`;
