import type { BaseManager } from './base-manager.js';
import type { ConfigInfo } from './config.js';

export class ManagerFactory {
  /** Make a manager. Rejects with ConfigurationError, and with what a portal answers. */
  static getManager<T extends BaseManager>(managerType: new (...args: any[]) => T, config: ConfigInfo): Promise<T>;
}
