import { BaseManager, type RequestOptions } from './base-manager.js';
import type { WorkflowGroup, WorkflowRole, WorkflowUser, WorkflowUserDetails } from './models.js';

export class CommunityManager extends BaseManager {
  getUsers(options?: RequestOptions): Promise<WorkflowUser[]>;
  getUser(username: string, options?: RequestOptions): Promise<WorkflowUserDetails>;
  getGroups(options?: RequestOptions): Promise<WorkflowGroup[]>;
  /** Names of a group's roles. */
  getGroupRoles(groupId: string, options?: RequestOptions): Promise<string[]>;
  updateGroupRoles(
    groupId: string,
    change: { adds?: string[]; deletes?: string[] },
    options?: RequestOptions,
  ): Promise<boolean>;
  getRoles(options?: RequestOptions): Promise<WorkflowRole[]>;
  getRole(roleName: string, options?: RequestOptions): Promise<WorkflowRole>;
  /** Make a role, or replace it. */
  setRole(roleName: string, role: Omit<WorkflowRole, 'roleName'>, options?: RequestOptions): Promise<boolean>;
  /** Tells whether there was such a role. */
  deleteRole(roleName: string, options?: RequestOptions): Promise<boolean>;
}
