/**
 * The steps that are for whoever is signed in, kept so by messages: which of them ask, are ready, run, or are held.
 *
 * Followed as long as somebody is signed in, for the count in the navigation. New work of jobs nobody here follows yet is
 * found by a search every few seconds while the window is looked at.
 */
import { jobs, notifications, reach } from "./api.js";
import { session } from "./session.js";
import { stateOf } from "./states.js";

const SEARCH_MS = 5_000;
const SOON_MS = 150;
const MOST = 200;
const FIELDS = ["jobId", "jobName", "jobTemplateName", "jobStatus", "priority", "dueDate"];

/** In the order in which they are shown. */
export const SECTIONS = [
  ["asks", "Needs you"], ["failed", "Failed"], ["ready", "Ready to start"], ["handled", "In your hands"], ["running", "Running"], ["paused", "Stopped"], ["held", "On hold"],
];
const SECTION_OF = { asks: "asks", failed: "failed", ready: "ready", handled: "handled", running: "running", stopping: "running", paused: "paused", stopped: "paused", held: "held" };

class MyWork extends EventTarget {
  /** Entries `{jobId, jobName, ..., stepId, stepName, state, section, message}`, the most pressing first. */
  entries = [];
  isLoaded = false;
  failure = null;
  #jobs = new Map();
  #timer = null;
  #isRunning = false;

  get needed() {
    return this.entries.filter((entry) => entry.section === "asks").length;
  }

  start() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    document.addEventListener("visibilitychange", this.#look);
    reach.addEventListener("change", this.#look);
    this.search();
  }

  stop() {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#look);
    reach.removeEventListener("change", this.#look);
    this.#jobs.clear();
    Object.assign(this, { entries: [], isLoaded: false, failure: null });
  }

  #look = () => {
    if (!document.hidden && reach.reachable) this.#soon(0);
  };

  #soon(ms = SOON_MS) {
    clearTimeout(this.#timer);
    if (this.#isRunning) this.#timer = setTimeout(() => this.search(), ms);
  }

  /** Looks for jobs with a step for the user, and follows those that are new. */
  async search() {
    try {
      const { results } = await jobs().queryJobs({ q: condition(), fields: FIELDS, sortFields: [{ field: "dueDate", sortOrder: "Asc" }], num: MOST });
      this.#follow(results.map((values) => Object.fromEntries(FIELDS.map((name, place) => [name, values[place]]))));
      this.failure = null;
      this.isLoaded = true;
    } catch (error) {
      if (error.name !== "AbortError") this.failure = error;
    }
    this.#tell();
    if (!document.hidden && reach.reachable) this.#soon(SEARCH_MS);
  }

  #follow(rows) {
    const found = new Set(rows.map((row) => row.jobId));
    for (const [jobId, { callback }] of this.#jobs) {
      if (found.has(jobId)) continue;
      notifications().unsubscribe(callback);
      this.#jobs.delete(jobId);
    }
    for (const row of rows) {
      const known = this.#jobs.get(row.jobId);
      if (known) known.row = row;
      else {
        const entry = { row, steps: [] };
        this.#jobs.set(row.jobId, entry);
        entry.callback = notifications().subscribeToJob(row.jobId, (message) => this.#take(entry, message));
      }
    }
  }

  #take(entry, envelope) {
    const { msgType, message } = envelope;
    if (msgType === "JobState") {
      entry.steps = message.stepStates.map((step) => ({ ...step, ...told(step.messageDetails) }));
    } else if (msgType === "StepFinished") {
      entry.steps = entry.steps.filter((step) => !message.stepIds.includes(step.stepId));
      for (const step of message.currentSteps) {
        if (!entry.steps.some((each) => each.stepId === step.stepId)) entry.steps.push({ ...step, state: isHeld(step) ? "held" : "ready", message: null });
      }
    } else {
      const ids = message.stepIds ?? [message.stepId];
      for (const step of entry.steps) if (ids.includes(step.stepId)) this.#change(step, envelope);
    }
    this.#tell();
    if (envelope.seq !== undefined) this.#soon();
  }

  #change(step, envelope) {
    const { msgType, message } = envelope;
    if (msgType === "StepReassigned") Object.assign(step, { assignedType: message.assignedType, assignedTo: message.assignedTo });
    else if (msgType === "StepHoldReleased") Object.assign(step, { state: "ready", message: null });
    else if (stateOf(envelope)) Object.assign(step, told(envelope));
  }

  #tell() {
    const order = SECTIONS.map(([name]) => name);
    this.entries = [...this.#jobs.values()]
      .flatMap(({ row, steps }) => steps.filter(isMine).map((step) => ({ ...row, ...step, section: SECTION_OF[step.state] ?? "ready" })))
      .sort((a, b) => order.indexOf(a.section) - order.indexOf(b.section) || due(a) - due(b) || a.jobName.localeCompare(b.jobName));
    this.dispatchEvent(new Event("change"));
  }
}

const told = (envelope) => (envelope ? { state: stateOf(envelope) ?? "ready", message: envelope.message } : { state: "ready", message: null });
const isHeld = (step) => Boolean(step.manualHold || step.dependencies || step.holdScheduledRelease);
const due = (entry) => (entry.dueDate ? new Date(entry.dueDate).getTime() : Number.MAX_SAFE_INTEGER);
const isMine = ({ assignedType, assignedTo }) =>
  assignedType === "User" ? assignedTo === session.current?.username : assignedType === "Group" && session.current?.groups.includes(assignedTo);

function condition() {
  const text = (value) => `'${value.replace(/'/g, "''")}'`;
  const { username, groups } = session.current;
  const ofGroups = groups.length ? ` OR assignedType='Group' AND assignedTo IN (${groups.map(text).join(", ")})` : "";
  return `closed=0 AND (assignedType='User' AND assignedTo=${text(username)}${ofGroups})`;
}

export const myWork = new MyWork();
