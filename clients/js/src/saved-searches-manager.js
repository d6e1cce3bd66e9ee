/** Saved searches and charts. Source: rest.md 10. */

import { BaseManager } from './base-manager.js';
import { part } from './rest.js';

export class SavedSearchesManager extends BaseManager {
  /** Those of a `SearchType` that the caller may see: `Standard` lists of jobs, `Chart`s, or `All`. */
  async getSavedSearches(searchType, { signal } = {}) {
    return (await this.rest.get('searches', { query: { searchType }, signal })).searches;
  }

  /** Resolves with the new search's id. */
  async createSavedSearch(search, { key, signal } = {}) {
    return (await this.rest.post('searches', search, { key, signal })).searchId;
  }

  /** Send the whole search. */
  async updateSavedSearch(searchId, search, { signal } = {}) {
    return (await this.rest.put(searchPath(searchId), search, { signal })).success;
  }

  async deleteSavedSearch(searchId, { signal } = {}) {
    return (await this.rest.delete(searchPath(searchId), { signal })).success;
  }

  /** Ids of the groups whose members see the search; none means everybody. */
  async getSavedSearchShareDetails(searchId, { signal } = {}) {
    return (await this.rest.get(`${searchPath(searchId)}/shareWith`, { signal })).groupIds;
  }

  async shareSavedSearch(searchId, groupIds, { signal } = {}) {
    return (await this.rest.post(`${searchPath(searchId)}/shareWith`, { groupIds }, { signal })).success;
  }
}

function searchPath(searchId) {
  return `searches/${part(searchId)}`;
}
