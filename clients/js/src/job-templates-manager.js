/** Job templates: what jobs are created from. Source: rest.md 7, 11. */

import { BaseManager } from './base-manager.js';
import { withDates } from './dates.js';
import { part } from './rest.js';

export class JobTemplatesManager extends BaseManager {
  /** One line for each template that the caller may use. */
  async getJobTemplates({ signal } = {}) {
    return (await this.rest.get('jobTemplates', { signal })).jobTemplates;
  }

  async getJobTemplate(jobTemplateId, { signal } = {}) {
    return withDates(await this.rest.get(templatePath(jobTemplateId), { signal }), ['lastUpdatedDate']);
  }

  /** Resolves with the new template's id. */
  async createJobTemplate(template, { key, signal } = {}) {
    return (await this.rest.post('jobTemplates', template, { key, signal })).jobTemplateId;
  }

  /** Send the whole template; existing jobs stay as they are. */
  async updateJobTemplate(jobTemplateId, template, { signal } = {}) {
    return (await this.rest.put(templatePath(jobTemplateId), template, { signal })).success;
  }

  async deleteJobTemplate(jobTemplateId, { signal } = {}) {
    return (await this.rest.delete(templatePath(jobTemplateId), { signal })).success;
  }

  /** Ids of the groups whose members may use the template; none means everybody. */
  async getJobTemplateShareDetails(jobTemplateId, { signal } = {}) {
    return (await this.rest.get(`${templatePath(jobTemplateId)}/shareWith`, { signal })).groupIds;
  }

  async shareJobTemplate(jobTemplateId, groupIds, { signal } = {}) {
    return (await this.rest.post(`${templatePath(jobTemplateId)}/shareWith`, { groupIds }, { signal })).success;
  }

  /** The tables of extended properties, each with the templates that use it. */
  async getTableDefinitions({ signal } = {}) {
    return (await this.rest.get('tableDefinitions', { signal })).tableDefinitions;
  }
}

function templatePath(jobTemplateId) {
  return `jobTemplates/${part(jobTemplateId)}`;
}
