/** How long to wait before the next attempt to connect. */

/**
 * Full jitter from the first retry on: a uniformly random part of a ceiling that doubles with each failure. A server
 * that restarts loses all its clients in one moment; spread evenly they come back at a rate it can accept.
 */
export class Backoff {
  constructor({ baseMs = 1_000, capMs = 30_000, random = Math.random } = {}) {
    this.baseMs = baseMs;
    this.capMs = capMs;
    this.random = random;
  }

  /** Milliseconds to wait after `failures` attempts (1, 2, 3, ...) have failed since it last worked. */
  waitMs(failures) {
    return this.random() * Math.min(this.capMs, this.baseMs * 2 ** Math.min(failures - 1, 30));
  }
}
