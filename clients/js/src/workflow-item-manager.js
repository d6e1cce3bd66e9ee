/** The workflow item itself: details, settings, Arcade. Source: rest.md 8.2, 13. */

import { BaseManager } from './base-manager.js';

export class WorkflowItemManager extends BaseManager {
  getItem({ signal } = {}) {
    return this.rest.get('', { signal });
  }

  /** `[{propName, value?, encrypted?}]`; encrypted ones without their value. */
  async getSettings({ includeSystemSettings, signal } = {}) {
    return (await this.rest.get('settings', { query: { includeSystemSettings }, signal })).settings;
  }

  /** Add or change settings; the others stay, and so does the value of one that is sent without. */
  async updateSettings(settings, { signal } = {}) {
    return (await this.rest.post('settings', { settings }, { signal })).success;
  }

  /** Evaluate an Arcade expression: `{expression, contextType?, context?: {jobId}, parseMode?}`; resolves with its text. */
  async evaluateArcade(expression, { signal } = {}) {
    return (await this.rest.post('evaluateArcade', expression, { signal })).result;
  }
}
