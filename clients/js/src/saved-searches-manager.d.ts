import { BaseManager, type KeyedOptions, type RequestOptions } from './base-manager.js';
import type { SearchType } from './enums.js';
import type { NewSavedSearch, SavedSearch } from './models.js';

export class SavedSearchesManager extends BaseManager {
  /** `Standard` when no type is named. */
  getSavedSearches(searchType?: SearchType, options?: RequestOptions): Promise<SavedSearch[]>;
  /** Resolves with the new search's id. */
  createSavedSearch(search: NewSavedSearch, options?: KeyedOptions): Promise<string>;
  updateSavedSearch(searchId: string, search: NewSavedSearch, options?: RequestOptions): Promise<boolean>;
  deleteSavedSearch(searchId: string, options?: RequestOptions): Promise<boolean>;
  /** Ids of the groups whose members see it; none means everybody. */
  getSavedSearchShareDetails(searchId: string, options?: RequestOptions): Promise<string[]>;
  shareSavedSearch(searchId: string, groupIds: string[], options?: RequestOptions): Promise<boolean>;
}
