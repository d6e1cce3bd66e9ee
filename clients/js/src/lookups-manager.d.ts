import { BaseManager, type RequestOptions } from './base-manager.js';
import type { Lookup } from './models.js';

export class LookupsManager extends BaseManager {
  /** In the order in which they are shown. */
  getLookups(lookupType: string, options?: RequestOptions): Promise<Lookup[]>;
  /** Replace a type's values, or make a new type. */
  setLookups(lookupType: string, lookups: Lookup[], options?: RequestOptions): Promise<boolean>;
  deleteLookups(lookupType: string, options?: RequestOptions): Promise<boolean>;
}
