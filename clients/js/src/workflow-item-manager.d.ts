import { BaseManager, type RequestOptions } from './base-manager.js';
import type { ArcadeExpressionDetails, Setting, WorkflowItem } from './models.js';

export class WorkflowItemManager extends BaseManager {
  getItem(options?: RequestOptions): Promise<WorkflowItem>;
  getSettings(options?: RequestOptions & { includeSystemSettings?: boolean }): Promise<Setting[]>;
  updateSettings(settings: Setting[], options?: RequestOptions): Promise<boolean>;
  evaluateArcade(expression: ArcadeExpressionDetails, options?: RequestOptions): Promise<string>;
}
