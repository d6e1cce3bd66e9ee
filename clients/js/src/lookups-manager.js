/** Lookups: the values of `status`, `priority` and of types of one's own. Source: rest.md 8.1. */

import { BaseManager } from './base-manager.js';
import { part } from './rest.js';

export class LookupsManager extends BaseManager {
  /** `[{lookupName, value}]`, in the order in which they are shown. */
  async getLookups(lookupType, { signal } = {}) {
    return (await this.rest.get(`lookups/${part(lookupType)}`, { signal })).lookups;
  }

  /** Replace a type's values, or make a new type. */
  async setLookups(lookupType, lookups, { signal } = {}) {
    return (await this.rest.put(`lookups/${part(lookupType)}`, { lookups }, { signal })).success;
  }

  async deleteLookups(lookupType, { signal } = {}) {
    return (await this.rest.delete(`lookups/${part(lookupType)}`, { signal })).success;
  }
}
