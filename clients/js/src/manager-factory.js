/** Where managers come from. */

import { BaseManager } from './base-manager.js';
import { openEndpoint } from './config.js';
import { ConfigurationError } from './errors.js';

export class ManagerFactory {
  /**
   * Make a manager.
   *
   * Config: `serverUrl` (root of the server) or `portalUrl` (which is asked where the server is); `itemId`, by default
   * the item of a new server; `orgId`, by default `workflow`; `token`, or `getToken({rejected})`, which gives a valid
   * token and may return a Promise; `appId`, which names the application; `timeoutMs` (30 s) for a call's answer;
   * `WebSocket`, a class, where the runtime has none; `retry: {baseMs, capMs}` and `heartbeatMs` of notifications.
   *
   * Rejects with ConfigurationError, and with what a portal answers.
   */
  static async getManager(Manager, config) {
    if (typeof Manager !== 'function' || !(Manager.prototype instanceof BaseManager)) {
      throw new ConfigurationError('Name a manager class, such as JobsManager.');
    }
    return new Manager(await openEndpoint(config), config);
  }
}
