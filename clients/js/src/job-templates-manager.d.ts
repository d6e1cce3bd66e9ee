import { BaseManager, type KeyedOptions, type RequestOptions } from './base-manager.js';
import type { JobTemplate, JobTemplateDetails, NewJobTemplate, TableDefinition } from './models.js';

export class JobTemplatesManager extends BaseManager {
  getJobTemplates(options?: RequestOptions): Promise<JobTemplate[]>;
  getJobTemplate(jobTemplateId: string, options?: RequestOptions): Promise<JobTemplateDetails>;
  /** Resolves with the new template's id. */
  createJobTemplate(template: NewJobTemplate, options?: KeyedOptions): Promise<string>;
  updateJobTemplate(jobTemplateId: string, template: NewJobTemplate, options?: RequestOptions): Promise<boolean>;
  deleteJobTemplate(jobTemplateId: string, options?: RequestOptions): Promise<boolean>;
  /** Ids of the groups whose members may use it; none means everybody. */
  getJobTemplateShareDetails(jobTemplateId: string, options?: RequestOptions): Promise<string[]>;
  shareJobTemplate(jobTemplateId: string, groupIds: string[], options?: RequestOptions): Promise<boolean>;
  getTableDefinitions(options?: RequestOptions): Promise<TableDefinition[]>;
}
