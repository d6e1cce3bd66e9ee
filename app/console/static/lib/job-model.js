/**
 * One job as it is now, kept so by its messages. `change` is sent with each change.
 *
 * What a message says counts at once (states of steps, activity); what it does not say (members of the job, what is
 * allowed) is read again shortly after, once for all messages that come together.
 */
import { get, jobs, notifications } from "./api.js";
import { session } from "./session.js";
import { stateOf } from "./states.js";

const READ_AGAIN_MS = 60;
const MAX_ACTIVITY = 200;

/** Which part of the page a message makes stale. */
const PARTS = {
  JobAttachmentUpdated: "attachments",
  JobCommentUpdated: "comments",
  JobLocationUpdated: "location",
  JobUpdated: "properties",
};

export class JobModel extends EventTarget {
  job = null;
  diagram = null;
  allowed = null;
  history = [];
  /** By step id: `{state, message}`, of current steps. */
  steps = new Map();
  /** Messages, the newest first, since the page was opened. */
  activity = [];
  /** Grows when a part of the page is stale. */
  revisions = { attachments: 0, comments: 0, location: 0, properties: 0, history: 0 };
  recovered = true;
  deleted = false;
  /** Resolves when the job's state has come. */
  ready = new Promise((resolve) => (this.isReady = resolve));
  #callback = null;
  #timer = null;
  #reading = null;
  #again = false;

  constructor(jobId) {
    super();
    this.jobId = jobId;
  }

  /** Reads the job and follows it. Rejects as the client does. */
  async open() {
    this.#callback ??= notifications().subscribeToJob(this.jobId, (message) => this.#take(message));
    await this.refresh();
  }

  close() {
    clearTimeout(this.#timer);
    if (this.#callback && session.isSignedIn) notifications().unsubscribe(this.#callback);
    this.#callback = null;
  }

  /** Reads everything again. Calls that come while one is under way share the one after it. */
  refresh() {
    if (this.#reading) {
      this.#again = true;
      return this.#reading;
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = null;
      if (!this.#again) return undefined;
      this.#again = false;
      return this.refresh();
    });
    return this.#reading;
  }

  get currentSteps() {
    return (this.job?.currentSteps ?? []).map((step) => {
      const told = this.steps.get(step.stepId);
      const isHeld = step.manualHold || step.dependencies || step.holdScheduledRelease;
      const state = told?.state && told.state !== "held" ? told.state : isHeld ? "held" : "ready";
      return { ...step, isHeld: Boolean(isHeld), state, message: told?.message ?? null };
    });
  }

  /** The questions that are open and for the reader: a short form has nothing that may be done. */
  get questions() {
    return this.currentSteps.filter((step) => step.state === "asks" && step.message);
  }

  get doneSteps() {
    return new Set(this.history.filter((line) => line.action === "Finished").map((line) => line.stepId));
  }

  stepName = (stepId) => this.diagram?.steps.find((step) => step.id === stepId)?.name ?? stepId;

  async #read() {
    const [job, allowed, history] = await Promise.all([
      jobs().getJob(this.jobId, { extProps: true, holds: true }),
      get(["jobs", this.jobId, "allowedActions"]),
      jobs().getJobHistory(this.jobId),
    ]);
    if (this.diagram?.diagramVersion !== job.diagramVersion || this.diagram?.diagramId !== job.diagramId) {
      this.diagram = await jobs().getJobDiagram(this.jobId).catch(() => null);
    }
    Object.assign(this, { job, allowed, history });
    this.revisions = { ...this.revisions, history: this.revisions.history + 1 };
    this.#tell();
  }

  #take(envelope) {
    const { msgType, message } = envelope;
    if (msgType === "JobState") this.#begin(message);
    else if (msgType === "Error") this.#refused(message);
    else if (!(msgType === "StepInfoRequired" && envelope.seq === this.#seen)) this.#note(envelope);
    this.#tell();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.refresh().catch(() => undefined), READ_AGAIN_MS);
  }

  /** The state at the start, and after each reconnect, when all that was missed has come before it. */
  #begin({ stepStates, recovered, seq }) {
    this.recovered = recovered;
    this.isReady();
    this.#seen = seq;
    this.steps = new Map();
    for (const { stepId, messageDetails } of stepStates) {
      if (messageDetails) this.steps.set(stepId, { state: stateOf(messageDetails), message: messageDetails.message });
    }
    for (const part of Object.keys(this.revisions)) this.revisions = { ...this.revisions, [part]: this.revisions[part] + 1 };
  }
  #seen = 0;

  #refused({ msgCode }) {
    if (msgCode === "not_found") this.deleted = true;
  }

  #note(envelope) {
    const { msgType, message } = envelope;
    // A question that was open when the page began was part of the state; the client tells of it once more.
    if (envelope.seq === undefined || envelope.seq > this.#seen) this.activity = [envelope, ...this.activity].slice(0, MAX_ACTIVITY);
    const ids = message.stepIds ?? (message.stepId ? [message.stepId] : []);
    if (msgType === "StepFinished") {
      for (const id of ids) this.steps.delete(id);
      if (this.job) this.job = { ...this.job, currentSteps: message.currentSteps, jobStatus: message.jobStatus };
    } else if (msgType === "StepHoldReleased" || msgType === "StepReassigned") {
      for (const id of ids) if (this.steps.get(id)?.state === "held") this.steps.delete(id);
    } else {
      const state = stateOf(envelope);
      if (state) for (const id of ids) this.steps.set(id, { state, message });
    }
    const part = PARTS[msgType];
    if (part) this.revisions = { ...this.revisions, [part]: this.revisions[part] + 1 };
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
