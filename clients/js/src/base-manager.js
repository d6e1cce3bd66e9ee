/** What all managers have in common. */

import { Rest } from './rest.js';

/**
 * A manager of one workflow item. Made by `ManagerFactory.getManager`.
 *
 * Each method takes as its last argument `{signal}`, an AbortSignal that calls the request off; whether the server has
 * carried it out is then not known.
 */
export class BaseManager {
  constructor(endpoint, config) {
    this.endpoint = endpoint;
    this.rest = new Rest(endpoint);
    this.config = config;
  }

  /** The workflow item. */
  get itemId() {
    return this.endpoint.itemId;
  }

  /** Root of the server, without a slash at its end. */
  get serverUrl() {
    return this.endpoint.serverUrl;
  }

  /**
   * Call any resource of the item, for what no method does yet: `request('GET', 'jobs/J1/history')`.
   * Options: `query`, `body` (sent as JSON), `key` (an Idempotency-Key), `signal`. Resolves with the decoded JSON.
   */
  request(method, path, options) {
    return this.rest.json(method, path, options);
  }
}
