/** Keeping one websocket: connect, wait, connect again, and say at each moment how it stands. */

import { ConnectionPhase } from './enums.js';
import { ConnectionFailed, ProtocolError, StepgateError, SubscriptionEnded } from './errors.js';
import { decode, isGreeting } from './messages.js';

const OPEN_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 30_000;

/**
 * Close codes after which the same client would be refused again; 4500-4999 are the server's own. All others (4000-4499,
 * 1001, 1006, 1011, 1012, ...) mean: come back and resume.
 */
const FINAL_CODES = new Set([1002, 1003, 1007, 1008, 1009, 1010]);

/**
 * A connection that is made again until it is stopped, or fails for good.
 *
 * Each attempt is a generation of its own: a token, a socket and a queue of frames belong to it, and whatever comes late
 * from an earlier one (a token, an event, a frame) is left aside.
 *
 * `events`: `open()`, each time the server has greeted; `message(envelope)`; `lost(error)`, after `open`, before the next
 * attempt; `closed(error)`, failed for good; `state(state)`, with each change.
 */
export class Connection {
  #endpoint;
  #rest;
  #WebSocket;
  #backoff;
  #heartbeatMs;
  #events;
  #generation = 0;
  #socket = null;
  #isGreeted = false;
  #outgoing = Promise.resolve();
  #timer = null;
  #heardAt = 0;
  #failures = 0;

  constructor(rest, WebSocket, { backoff, heartbeatMs = HEARTBEAT_MS, events }) {
    this.#endpoint = rest.endpoint;
    this.#rest = rest;
    this.#WebSocket = WebSocket;
    this.#backoff = backoff;
    this.#heartbeatMs = heartbeatMs;
    this.#events = events;
    this.state = stateOf(ConnectionPhase.Idle, 0);
  }

  get isOpen() {
    return this.state.phase === ConnectionPhase.Open;
  }

  /** Connect, unless it is connected or on the way there. */
  start() {
    if ([ConnectionPhase.Idle, ConnectionPhase.Closed].includes(this.state.phase)) this.#attempt();
  }

  /** Do not wait any longer for the next attempt. */
  retryNow() {
    if (this.state.phase === ConnectionPhase.Waiting) this.#attempt();
  }

  /** Close the socket and stay closed until `start`. */
  stop(phase = ConnectionPhase.Idle) {
    this.#drop();
    this.#failures = 0;
    this.#enter(phase);
  }

  /** The server does what the connection is for: the next failure is the first one again. */
  works() {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#enter(this.state.phase);
  }

  /**
   * Send a frame with a token that is valid then, in the order of the calls. On a connection that is not open, or closes
   * meanwhile, it is dropped: whoever needs it sends it again at the next `open`.
   */
  send(frame) {
    const generation = this.#generation;
    this.#outgoing = this.#outgoing.then(async () => {
      if (!this.#isCurrent(generation) || !this.#isGreeted) return;
      try {
        const token = await this.#endpoint.token();
        if (this.#isCurrent(generation)) this.#socket.send(JSON.stringify({ ...frame, token }));
      } catch (cause) {
        if (this.#isCurrent(generation)) this.fail(tokenError(cause));
      }
    });
  }

  /** This connection cannot be trusted any more: make another one, or give up when the error is not temporary. */
  fail(error) {
    const wasOpen = this.#isGreeted;
    this.#drop();
    if (!error.temporary) {
      this.#enter(ConnectionPhase.Closed, error);
      this.#events.closed(error, wasOpen);
      return;
    }
    this.#failures += 1;
    const retryInMs = this.#backoff.waitMs(this.#failures);
    this.#timer = setTimeout(() => this.#attempt(), retryInMs);
    globalThis.addEventListener?.('online', this.#onOnline);
    this.#enter(ConnectionPhase.Waiting, error, retryInMs);
    if (wasOpen) this.#events.lost(error);
  }

  #onOnline = () => this.retryNow();

  async #attempt() {
    this.#drop();
    const generation = this.#generation;
    this.#enter(ConnectionPhase.Connecting);
    let token;
    try {
      token = await this.#endpoint.token();
    } catch (cause) {
      if (this.#isCurrent(generation)) this.fail(tokenError(cause));
      return;
    }
    if (this.#isCurrent(generation)) this.#open(generation, token);
  }

  #open(generation, token) {
    let socket;
    try {
      socket = new this.#WebSocket(this.#endpoint.websocketUrl(token));
    } catch (cause) {
      // A page may not open it: one of https to a server of http, or against its own security policy.
      this.fail(new ConnectionFailed(`No websocket may be opened: ${cause.message}`, { temporary: false, cause }));
      return;
    }
    this.#socket = socket;
    const whenCurrent = (act) => (event) => this.#isCurrent(generation) && act(event);
    socket.addEventListener('message', whenCurrent(({ data }) => this.#receive(data)));
    socket.addEventListener('close', whenCurrent(({ code, reason }) => this.#ended(code, reason)));
    socket.addEventListener('error', () => {}); // says nothing; `close` follows
    this.#timer = setTimeout(() => this.fail(new ConnectionFailed('The server does not greet.')), OPEN_TIMEOUT_MS);
  }

  #receive(data) {
    this.#heardAt = Date.now();
    if (!this.#isGreeted) return this.#greet(data);
    let message;
    try {
      message = decode(data);
    } catch (error) {
      return this.fail(error);
    }
    this.#events.message(message);
  }

  #greet(data) {
    if (!isGreeting(data)) return this.fail(new ProtocolError("The server's first frame is not the expected greeting."));
    clearTimeout(this.#timer);
    this.#isGreeted = true;
    this.#enter(ConnectionPhase.Open);
    this.#watch();
    this.#events.open();
  }

  /** A peer that is gone without a word is found out: after a quiet time it is asked for an Ack. */
  #watch() {
    this.#timer = setTimeout(() => {
      const askedAt = Date.now();
      if (askedAt - this.#heardAt < this.#heartbeatMs) return this.#watch();
      this.send({ msgType: 'subscribe', jobIds: [], requestId: `heartbeat-${askedAt}` });
      this.#timer = setTimeout(() => {
        if (this.#heardAt >= askedAt) this.#watch();
        else this.fail(new ConnectionFailed('The server does not answer any more.'));
      }, this.#heartbeatMs);
    }, this.#heartbeatMs);
  }

  #ended(code, reason) {
    if (!this.#isGreeted) return this.#refused();
    const isFinal = FINAL_CODES.has(code) || (code >= 4500 && code < 5000);
    if (isFinal) return this.fail(new SubscriptionEnded(code, reason));
    const why = reason ? `: ${reason}` : '.';
    this.fail(new ConnectionFailed(`The connection was closed with code ${code}${why}`));
  }

  /** A runtime does not tell why a handshake was refused. The REST API does: it refuses the same token and item. */
  async #refused() {
    const generation = this.#generation;
    clearTimeout(this.#timer);
    let error = new ConnectionFailed(`No websocket at ${this.#endpoint.serverUrl}.`);
    try {
      await this.#rest.get('');
    } catch (refusal) {
      error = refusal instanceof StepgateError ? refusal : new ConnectionFailed(refusal.message, { cause: refusal });
    }
    if (this.#isCurrent(generation)) this.fail(error);
  }

  /** Begin a new generation: nothing of the present one counts from here on. */
  #drop() {
    this.#generation += 1;
    clearTimeout(this.#timer);
    globalThis.removeEventListener?.('online', this.#onOnline);
    this.#isGreeted = false;
    this.#outgoing = Promise.resolve();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #isCurrent(generation) {
    return generation === this.#generation;
  }

  #enter(phase, cause = null, retryInMs = null) {
    this.state = stateOf(phase, this.#failures, cause, retryInMs);
    this.#events.state(this.state);
  }
}

function stateOf(phase, failures, cause = null, retryInMs = null) {
  return Object.freeze({ phase, failures, cause, retryInMs });
}

/** What `getToken` throws is tried again, unless it says itself that it is no use. */
function tokenError(cause) {
  if (cause instanceof StepgateError) return cause;
  return new ConnectionFailed(`getToken failed: ${cause?.message ?? cause}.`, { cause });
}
