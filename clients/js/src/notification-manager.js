/** Live messages of jobs, and answers to what their steps ask. Source: websocket.md, docs/protocol.md, docs/delivery.md. */

import { PendingAnswers, TEMPORARY_REPLIES } from './answers.js';
import { Backoff } from './backoff.js';
import { BaseManager } from './base-manager.js';
import { Connection } from './connection.js';
import { ConnectionPhase } from './enums.js';
import { ConfigurationError, ConnectionFailed, RequestRefused, SubscriptionRefused } from './errors.js';
import { GAP, JobFeed } from './job-feed.js';
import { answerFrame } from './messages.js';
import { onAbort, uniqueId } from './signals.js';

const VERDICT_TIMEOUT_MS = 30_000;

/** How long the socket stays when nobody uses it: a page that changes its subscriptions keeps it. */
const LINGER_MS = 1_000;

/** Reply codes to a whole connection: it is made again, with another token where there is one. */
const RECONNECT_REPLIES = new Set([...TEMPORARY_REPLIES, 'unauthenticated']);

/**
 * One websocket for all jobs, opened by the first subscription or answer and closed after the last.
 *
 * A handler is called with each message, in order, each once, over all reconnects; it begins with the job's `JobState`,
 * and after each reconnect the `JobState` comes anew: its `recovered` tells whether all that was missed came before it.
 * A question that is open in a `JobState` follows it as `StepInfoRequired`, once. A handler may return a Promise, which
 * nobody waits for. What a handler throws is told to `onError` and stops nobody else.
 */
export class NotificationManager extends BaseManager {
  #connection;
  #feeds = new Map();
  #callbacks = new Map();
  #itemHandlers = new Map();
  #answers = new PendingAnswers();
  #toAsk = new Set();
  #asked = 0;
  #lingering = null;
  #wasLost = false;
  #listeners = { disconnect: new Set(), reconnect: new Set(), state: new Set(), error: new Set() };

  constructor(endpoint, config) {
    super(endpoint, config);
    const WebSocket = config.WebSocket ?? globalThis.WebSocket;
    if (typeof WebSocket !== 'function') {
      throw new ConfigurationError(
        'This runtime has no WebSocket: Node.js has one from version 22 on. Pass a class in the config, such as the ' +
          "one of the package ws:  import WebSocket from 'ws';  {serverUrl, token, WebSocket}",
      );
    }
    this.#connection = new Connection(this.rest, WebSocket, {
      backoff: new Backoff(config.retry),
      heartbeatMs: config.heartbeatMs,
      events: {
        open: () => this.#opened(),
        message: (message) => this.#receive(message),
        lost: (error) => this.#lost(error),
        closed: (error, wasOpen) => this.#closed(error, wasOpen),
        state: (state) => this.#tell('state', state),
      },
    });
  }

  /** How the connection stands: `{phase, failures, cause, retryInMs}`. */
  get state() {
    return this.#connection.state;
  }

  /** The last message seen of each job, `{jobId: {seq, epoch}}`: what another session gives as `since` to go on there. */
  get positions() {
    const known = [...this.#feeds.values()].filter(({ position }) => position !== null);
    return Object.fromEntries(known.map(({ jobId, position }) => [jobId, position]));
  }

  // ------------------------------------------------------------ subscriptions

  /**
   * Watch a job; returns at once, with the id for `unsubscribe`. `signal` unsubscribes when it aborts. `since`, a
   * position of an earlier session, asks for what came after it first; it counts for a job nobody watches yet.
   */
  subscribeToJob(jobId, handler, { signal, since } = {}) {
    if (typeof jobId !== 'string' || jobId === '') throw new TypeError('jobId must be a text that is not empty.');
    checkHandler(handler);
    const callbackId = uniqueId();
    const feed = this.#feeds.get(jobId) ?? this.#newFeed(jobId, since);
    const subscribed = deferred();
    feed.add(callbackId, handler, subscribed);
    this.#callbacks.set(callbackId, { feed, subscribed: subscribed.promise });
    // A feed that is not live gets its state anyway; of a live one a state is asked for, for who has just come.
    this.#ask(jobId);
    this.#use();
    this.#releaseOnAbort(callbackId, signal);
    return callbackId;
  }

  /** A Promise of the subscription's first `JobState`. Rejects with SubscriptionRefused, or with how the connection ended. */
  async whenSubscribed(callbackId) {
    const callback = this.#callbacks.get(callbackId);
    if (!callback?.subscribed) throw new TypeError('There is no such subscription to a job.');
    return callback.subscribed;
  }

  /** Hear what concerns the item and no job: how exports and imports have ended. Nothing is sent for it. */
  subscribeToItem(itemId, handler, { signal } = {}) {
    if (itemId !== this.itemId) throw new TypeError(`This manager is of the item ${this.itemId}.`);
    checkHandler(handler);
    const callbackId = uniqueId();
    this.#itemHandlers.set(callbackId, handler);
    this.#callbacks.set(callbackId, {});
    this.#use();
    this.#releaseOnAbort(callbackId, signal);
    return callbackId;
  }

  /** Call a handler no more. The last one of a job ends its subscription. Without effect when it has ended already. */
  unsubscribe(callbackId) {
    const callback = this.#callbacks.get(callbackId);
    this.#callbacks.delete(callbackId);
    this.#itemHandlers.delete(callbackId);
    callback?.release?.();
    const { feed } = callback ?? {};
    feed?.remove(callbackId, new SubscriptionRefused('It was given up.', 'unsubscribed', feed.jobId));
    if (feed?.isEmpty && this.#feeds.get(feed.jobId) === feed) {
      this.#forget(feed);
      this.#connection.send({ msgType: 'unsubscribe', jobIds: [feed.jobId] });
    }
    this.#linger();
  }

  /** Call no handler any more, of jobs or of the item. */
  unsubscribeFromAll() {
    for (const callbackId of [...this.#callbacks.keys()]) this.unsubscribe(callbackId);
  }

  // ------------------------------------------------------------ answers

  /**
   * Answer a step's question: `{msgType: 'StepInfoResponse', message: {jobId, stepId, questionResponse, comment}}`, or the
   * message alone. It survives broken connections and counts once.
   *
   * Resolves when it was applied; `send(...).stored` is a Promise of the stage before. Rejects with AnswerRejected,
   * VerdictMissing after `timeoutMs` (30 s), and the reason of `signal`, which ends the waiting, not the answer.
   */
  send(response, { timeoutMs = VERDICT_TIMEOUT_MS, signal } = {}) {
    const frame = answerFrame(response);
    const { message } = frame;
    frame.requestId ??= uniqueId();
    // The question that was seen, so that an answer that is late cannot reach the next one of the same step.
    message.promptId ??= this.#feeds.get(message.jobId)?.openPrompt(message.stepId);
    const onUnseen = (error) => this.#report(error);
    const sent = this.#answers.add(frame, { timeoutMs, signal, onUnseen, onEnd: () => this.#linger() });
    if (this.#answers.has(frame.requestId)) {
      this.#use();
      if (this.#connection.isOpen) this.#connection.send(frame);
    }
    return sent;
  }

  // ------------------------------------------------------------ the connection

  /** Call `listener(cause)` when the connection is lost. Returns what takes it off again, as all of these do. */
  onDisconnect(listener) {
    return this.#listen('disconnect', listener);
  }

  /** Call `listener()` when a lost connection is there again, before the messages that were missed. */
  onReconnect(listener) {
    return this.#listen('reconnect', listener);
  }

  /** Call `listener(state)` with each state of the connection. */
  onStateChange(listener) {
    return this.#listen('state', listener);
  }

  /**
   * Call `listener(error)` with what a handler throws, and with refusals of the server that no Promise tells of. Without
   * a listener they go to the console.
   */
  onError(listener) {
    return this.#listen('error', listener);
  }

  /** Connect now, in place of waiting for the next attempt or after the connection has ended for good. */
  connect() {
    this.#connection.retryNow();
    if (this.#isUsed) this.#connection.start();
  }

  /** End everything: no handler is called any more, answers under way reject. It can be used again afterwards. */
  close() {
    this.unsubscribeFromAll();
    this.#answers.fail(new ConnectionFailed('The manager was closed.', { temporary: false }));
    clearTimeout(this.#lingering);
    this.#wasLost = false;
    this.#connection.stop(ConnectionPhase.Closed);
  }

  // ------------------------------------------------------------ what comes

  #opened() {
    this.#toAsk.clear();
    this.#subscribe([...this.#feeds.keys()]);
    for (const frame of this.#answers.frames()) this.#connection.send(frame);
    if (this.#wasLost) this.#tell('reconnect');
    this.#wasLost = false;
  }

  #lost(error) {
    this.#wasLost = true;
    for (const feed of this.#feeds.values()) feed.disconnected();
    this.#tell('disconnect', error);
  }

  #closed(error, wasOpen) {
    if (wasOpen) this.#lost(error);
    for (const feed of this.#feeds.values()) feed.fail(error);
    this.#answers.fail(error);
  }

  #receive(message) {
    const { msgType, message: body } = message;
    if (['Ack', 'StepAnswer', 'Error'].includes(msgType)) return this.#receiveReply(message);
    const feed = this.#feeds.get(body.jobId);
    if (feed) this.#receiveOfJob(feed, message);
    else if (body.itemId !== undefined) {
      this.#deliverAll([...this.#itemHandlers].map(([callbackId, handler]) => ({ callbackId, handler, message })));
    }
  }

  #receiveOfJob(feed, message) {
    if (message.msgType === 'JobState') this.#connection.works();
    const deliveries = feed.accept(message);
    if (deliveries === GAP) {
      const text = `Messages of job ${feed.jobId} after ${feed.position.seq} did not come.`;
      return this.#connection.fail(new ConnectionFailed(text));
    }
    this.#deliverAll(deliveries);
  }

  #receiveReply(reply) {
    const isError = reply.msgType === 'Error';
    if (!isError) this.#connection.works();
    if (this.#answers.has(reply.message.requestId)) this.#answers.report(reply);
    else if (isError) this.#receiveRefusal(reply);
  }

  #receiveRefusal(reply) {
    const { jobId, stepId, requestId, msg, msgCode, details } = reply.message;
    if (RECONNECT_REPLIES.has(msgCode)) return this.#connection.fail(new ConnectionFailed(msg));
    const refused = [...this.#feeds.values()].filter((feed) =>
      requestId === undefined ? feed.jobId === jobId && stepId === undefined : feed.hasAsked(requestId),
    );
    if (refused.length === 0) return this.#report(new RequestRefused(msg, { type: msgCode, details }));
    for (const feed of refused) {
      this.#forget(feed);
      const deliveries = feed.refuse(reply, new SubscriptionRefused(msg, msgCode, feed.jobId));
      this.#deliverAll(deliveries);
    }
    this.#linger();
  }

  /** A handler that another one, or itself, has unsubscribed meanwhile is not called any more. */
  #deliverAll(deliveries) {
    for (const { callbackId, handler, message } of deliveries) {
      if (this.#callbacks.has(callbackId)) this.#call(handler, message);
    }
  }

  #call(handler, value, onThrow = (error) => this.#report(error)) {
    try {
      const result = handler(value);
      if (typeof result?.then === 'function') result.then(undefined, onThrow);
    } catch (error) {
      onThrow(error);
    }
  }

  // ------------------------------------------------------------ helpers

  get #isUsed() {
    return this.#feeds.size > 0 || this.#itemHandlers.size > 0 || !this.#answers.isEmpty;
  }

  #newFeed(jobId, since) {
    const feed = new JobFeed(jobId, since);
    this.#feeds.set(jobId, feed);
    return feed;
  }

  #forget(feed) {
    this.#feeds.delete(feed.jobId);
    this.#toAsk.delete(feed.jobId);
  }

  /** Ask for a job's state; what is asked for within one turn of the event loop goes in one frame. */
  #ask(jobId) {
    if (this.#toAsk.size === 0) {
      queueMicrotask(() => {
        if (this.#connection.isOpen) this.#subscribe([...this.#toAsk]);
        this.#toAsk.clear();
      });
    }
    this.#toAsk.add(jobId);
  }

  #subscribe(jobIds) {
    if (jobIds.length === 0) return;
    const name = `${this.endpoint.appId ?? 'stepgate-client'}-${(this.#asked += 1)}`;
    const since = {};
    for (const jobId of jobIds) {
      const feed = this.#feeds.get(jobId);
      feed.asked(name);
      if (feed.position !== null) since[jobId] = feed.position;
    }
    this.#connection.send({ msgType: 'subscribe', jobIds, senderId: name, requestId: name, since });
  }

  #use() {
    clearTimeout(this.#lingering);
    this.#connection.start();
  }

  #linger() {
    if (this.#isUsed) return;
    clearTimeout(this.#lingering);
    if (this.#connection.isOpen) this.#lingering = setTimeout(() => this.#stopUnused(), LINGER_MS);
    else this.#stopUnused();
  }

  #stopUnused() {
    if (!this.#isUsed && this.state.phase !== ConnectionPhase.Closed) this.#connection.stop();
  }

  #releaseOnAbort(callbackId, signal) {
    const release = onAbort(signal, () => this.unsubscribe(callbackId));
    const callback = this.#callbacks.get(callbackId);
    if (callback) callback.release = release;
  }

  #listen(kind, listener) {
    checkHandler(listener);
    this.#listeners[kind].add(listener);
    return () => void this.#listeners[kind].delete(listener);
  }

  #tell(kind, value) {
    for (const listener of [...this.#listeners[kind]]) this.#call(listener, value);
  }

  #report(error) {
    const listeners = [...this.#listeners.error];
    const toConsole = (problem) => console.error('stepgate-client:', problem);
    if (listeners.length === 0) toConsole(error);
    // What a listener for errors throws itself must not come back to it.
    for (const listener of listeners) this.#call(listener, error, toConsole);
  }
}

function checkHandler(handler) {
  if (typeof handler !== 'function') throw new TypeError('A handler is a function.');
}

/** A Promise and what settles it; it may be rejected while nobody looks. */
function deferred() {
  let settle;
  const promise = new Promise((resolve, reject) => (settle = { resolve, reject }));
  promise.catch(() => {});
  return { promise, ...settle };
}
