/** Answers on their way to the server, each with its verdicts. No input or output. */

import {
  AnswerRejected,
  NotFound,
  RequestRefused,
  Unauthenticated,
  Unavailable,
  VerdictMissing,
} from './errors.js';
import { onAbort } from './signals.js';

const REJECTIONS = new Set(['already_answered', 'not_waiting', 'not_allowed', 'invalid']);

/** Reply codes that say: not now. */
export const TEMPORARY_REPLIES = new Set(['unavailable']);

/**
 * The Promise of an answer's final verdict: it resolves with the stage `applied`. `stored` is the Promise of the stage
 * before: from then on the answer is not lost, and no other is taken. Both reject with AnswerRejected and its kin.
 *
 * A verdict that nobody asked for (neither awaited nor given a `then`) is no unhandled rejection; `onUnseen` is told.
 */
export class SentAnswer extends Promise {
  #isWatched = false;

  static get [Symbol.species]() {
    return Promise;
  }

  then(onFulfilled, onRejected) {
    this.#isWatched = true;
    return super.then(onFulfilled, onRejected);
  }

  /** Tell `onUnseen` of a rejection that nobody watches for, once all who have got the Promise had their turn. */
  guard(onUnseen) {
    const tell = (error) => setTimeout(() => this.#isWatched || onUnseen(error));
    super.then(undefined, tell);
  }
}

/** Answers without a final verdict, by `requestId`. They are sent again on each new connection: each counts once. */
export class PendingAnswers {
  #pending = new Map();

  get isEmpty() {
    return this.#pending.size === 0;
  }

  /** The frames that were not answered finally, in the order in which they were given. */
  frames() {
    return [...this.#pending.values()].map(({ frame }) => frame);
  }

  /** Tell whether this is the request of an answer that waits. */
  has(requestId) {
    return this.#pending.has(requestId);
  }

  /**
   * Wait for the verdicts on an answer.
   *
   * `timeoutMs` for the final one; `signal` stops the waiting, and the answer may count all the same; `onUnseen` as in
   * SentAnswer; `onEnd` is called when it has its verdict, or none is waited for any more.
   */
  add(frame, { timeoutMs, signal, onUnseen, onEnd }) {
    const { requestId } = frame;
    if (this.#pending.has(requestId)) throw new TypeError(`An answer with the requestId ${requestId} is under way.`);
    let settle;
    const sent = new SentAnswer((resolve, reject) => (settle = { resolve, reject }));
    let settleStored;
    sent.stored = new Promise((resolve, reject) => (settleStored = { resolve, reject }));
    sent.stored.catch(() => {}); // the same rejection is the answer's own
    sent.requestId = requestId;
    sent.guard(onUnseen);
    const entry = { frame, stage: null };
    const end = (outcome, value) => {
      clearTimeout(timer);
      release();
      this.#pending.delete(requestId);
      settleStored[outcome](value); // without effect where it was stored before
      settle[outcome](value);
      onEnd();
    };
    entry.stored = (verdict) => {
      entry.stage = verdict.stage;
      settleStored.resolve(verdict);
    };
    entry.end = end;
    const timer = setTimeout(() => end('reject', new VerdictMissing(requestId, entry.stage)), timeoutMs);
    let release = () => {};
    this.#pending.set(requestId, entry);
    release = onAbort(signal, () => end('reject', signal.reason));
    return sent;
  }

  /** Take a reply to an answer that waits. */
  report({ msgType, message }) {
    const entry = this.#pending.get(message.requestId);
    if (msgType === 'Error') return entry.end('reject', refusalOf(message));
    if (message.stage === 'rejected') {
      const text = message.msg ?? 'The answer was not taken.';
      return entry.end('reject', new AnswerRejected(text, message.reason ?? 'invalid'));
    }
    const { jobId, stepId, promptId, requestId, stage = 'stored' } = message;
    const verdict = { stage, jobId, stepId, promptId, requestId };
    return stage === 'applied' ? entry.end('resolve', verdict) : entry.stored(verdict);
  }

  /** No verdict can come any more. */
  fail(error) {
    for (const entry of [...this.#pending.values()]) entry.end('reject', error);
  }
}

/** The error for an `Error` frame that refuses an answer. */
function refusalOf({ msg, msgCode, details }) {
  if (REJECTIONS.has(msgCode)) return new AnswerRejected(msg, msgCode);
  if (TEMPORARY_REPLIES.has(msgCode)) return new Unavailable(msg);
  if (msgCode === 'not_found') return new NotFound(msg);
  if (msgCode === 'unauthenticated') return new Unauthenticated(msg);
  return new RequestRefused(msg, { type: msgCode, details });
}
