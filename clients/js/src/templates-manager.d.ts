import { BaseManager, type KeyedOptions, type RequestOptions } from './base-manager.js';
import type { StoredTemplate, StoredTemplateDetails } from './models.js';

/** Stored templates: of `email`, `webRequest`, or any type of one's own. */
export class TemplatesManager extends BaseManager {
  getTemplates(templateType: string, options?: RequestOptions): Promise<StoredTemplate[]>;
  getTemplate(templateType: string, templateId: string, options?: RequestOptions): Promise<StoredTemplateDetails>;
  /** Resolves with the new template's id. */
  createTemplate(
    templateType: string,
    template: Omit<StoredTemplateDetails, 'templateId'> & { templateId?: string },
    options?: KeyedOptions,
  ): Promise<string>;
  updateTemplate(
    templateType: string,
    templateId: string,
    template: Partial<StoredTemplateDetails>,
    options?: RequestOptions,
  ): Promise<boolean>;
  deleteTemplate(templateType: string, templateId: string, options?: RequestOptions): Promise<boolean>;
}
