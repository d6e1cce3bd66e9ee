/**
 * One job's messages: in order, each once, to all its handlers. No input or output: whoever owns a feed carries frames.
 *
 * A feed is live on a connection once its `JobState` has come there; from then on each `seq` follows the one before.
 * What comes before the `JobState` is what was missed since `position`. A `JobState` that answers a subscription of
 * another time (an earlier connection, or one that was given up) is known by its `senderId` and left aside.
 */

import { openQuestions } from './messages.js';

/** What a feed makes of a message: `gap` means that messages are missing, and the connection cannot be trusted. */
export const GAP = Symbol('gap');

export class JobFeed {
  #handlers = new Map();
  #senders = new Set();
  #openPrompts = new Map();
  #isResumed;

  /** `since`: a position of an earlier session; its handlers then begin with the messages after it. */
  constructor(jobId, since = null) {
    this.jobId = jobId;
    /** The last message seen and the history it counts in, `{seq, epoch}`; null before the first `JobState`. */
    this.position = since;
    this.isLive = false;
    this.#isResumed = since !== null;
  }

  get isEmpty() {
    return this.#handlers.size === 0;
  }

  /** The question of a step that was told last and is open, as far as is known here: its `promptId`, or undefined. */
  openPrompt(stepId) {
    return this.#openPrompts.get(stepId);
  }

  /** Add a handler; it begins with the next `JobState`. `settle` is told that state, or why there is none. */
  add(callbackId, handler, settle) {
    const isReady = this.#isResumed && this.#handlers.size === 0 && !this.isLive;
    this.#handlers.set(callbackId, { callbackId, handler, settle, isReady, shown: new Set() });
  }

  remove(callbackId, reason) {
    this.#handlers.get(callbackId)?.settle.reject(reason);
    this.#handlers.delete(callbackId);
  }

  /** The server was asked for this job's state, under this name. */
  asked(senderId) {
    this.#senders.add(senderId);
  }

  /** Tell whether the server was asked under this name. */
  hasAsked(senderId) {
    return this.#senders.has(senderId);
  }

  /** The connection is gone. What was asked on it will not be answered. */
  disconnected() {
    this.isLive = false;
    this.#senders.clear();
  }

  /** The connection has failed for good; whoever waits for a first state is told. */
  fail(error) {
    this.disconnected();
    for (const { settle } of this.#handlers.values()) settle.reject(error);
  }

  /** No handler can have what it subscribed to: each is told the refusal, and why. */
  refuse(message, error) {
    const deliveries = this.#deliveries([message], () => true);
    for (const { settle } of this.#handlers.values()) settle.reject(error);
    return deliveries;
  }

  /**
   * Take a message of the job. Returns what is to be delivered, `[{callbackId, handler, message}]` in order, or GAP.
   */
  accept(message) {
    if (message.msgType === 'JobState') return this.#acceptState(message);
    if (typeof message.seq !== 'number') return this.#deliveries([message], (each) => each.isReady);
    const { position } = this;
    if (position === null || message.seq <= position.seq) return [];
    if (this.isLive && message.seq > position.seq + 1) return GAP;
    this.position = { ...position, seq: message.seq };
    this.#follow(message);
    return this.#deliveries([message], (each) => each.isReady);
  }

  #acceptState(state) {
    const { seq, epoch, senderId, recovered } = state.message;
    if (senderId !== undefined && !this.#senders.delete(senderId)) return [];
    // A server without numbers cannot resume; every state is then a fresh start.
    const isNews = !this.isLive || recovered === false || seq === undefined || seq > this.position.seq;
    this.position = seq === undefined ? null : { seq, epoch };
    this.isLive = true;
    const questions = openQuestions(state);
    this.#openPrompts = new Map(questions.map(({ message }) => [message.stepId, message.promptId]));
    const deliveries = [];
    for (const each of this.#handlers.values()) {
      const { callbackId, handler } = each;
      const messages = !each.isReady || isNews ? [state] : [];
      messages.push(...newQuestions(each, questions));
      deliveries.push(...messages.map((message) => ({ callbackId, handler, message })));
      each.isReady = true;
      each.settle.resolve(state);
    }
    return deliveries;
  }

  #follow({ msgType, message }) {
    if (msgType === 'StepInfoRequired') this.#openPrompts.set(message.stepId, message.promptId);
    else if (msgType === 'StepFinished') message.stepIds.forEach((stepId) => this.#openPrompts.delete(stepId));
  }

  #deliveries(messages, wants) {
    const wanting = [...this.#handlers.values()].filter(wants);
    for (const message of messages) {
      if (message.msgType === 'StepInfoRequired') wanting.forEach((each) => each.shown.add(nameOf(message)));
    }
    return messages.flatMap((message) => wanting.map(({ callbackId, handler }) => ({ callbackId, handler, message })));
  }
}

/** Open questions a handler has not been told; those that are not open any more are forgotten. */
function newQuestions(each, questions) {
  const unseen = questions.filter((question) => !each.shown.has(nameOf(question)));
  each.shown = new Set(questions.map(nameOf));
  return unseen;
}

/** A question's name: the short form that others see is another one than what its user gets. */
function nameOf({ message, seq }) {
  return `${message.promptId ?? `${message.stepId}@${seq}`} ${message.allowedActions === 0 ? 'short' : 'whole'}`;
}
