/** Stored templates of e-mails, web requests and of any type of one's own. Source: rest.md 8.3. */

import { BaseManager } from './base-manager.js';
import { part } from './rest.js';

/** `templateDetails` is JSON as text. */
export class TemplatesManager extends BaseManager {
  async getTemplates(templateType, { signal } = {}) {
    return (await this.rest.get(typePath(templateType), { signal })).templates;
  }

  getTemplate(templateType, templateId, { signal } = {}) {
    return this.rest.get(`${typePath(templateType)}/${part(templateId)}`, { signal });
  }

  /** Resolves with the new template's id. */
  async createTemplate(templateType, template, { key, signal } = {}) {
    return (await this.rest.post(typePath(templateType), template, { key, signal })).templateId;
  }

  /** What is absent stays as it is. */
  async updateTemplate(templateType, templateId, template, { signal } = {}) {
    return (await this.rest.put(`${typePath(templateType)}/${part(templateId)}`, template, { signal })).success;
  }

  async deleteTemplate(templateType, templateId, { signal } = {}) {
    return (await this.rest.delete(`${typePath(templateType)}/${part(templateId)}`, { signal })).success;
  }
}

function typePath(templateType) {
  return `templates/${part(templateType)}`;
}
