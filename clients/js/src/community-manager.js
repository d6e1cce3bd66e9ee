/** Users, groups, roles and privileges of the item. Source: rest.md 3, 9. */

import { BaseManager } from './base-manager.js';
import { part } from './rest.js';

export class CommunityManager extends BaseManager {
  /** Everybody who can work in the item; `isAssignable`: the caller may give work to them. */
  async getUsers({ signal } = {}) {
    return (await this.rest.get('community/users', { signal })).users;
  }

  /** A user, with `groups`, `roles` and all `privileges` in the item. */
  getUser(username, { signal } = {}) {
    return this.rest.get(`community/users/${part(username)}`, { signal });
  }

  /** The groups that have a role in the item. */
  async getGroups({ signal } = {}) {
    return (await this.rest.get('community/groups', { signal })).groups;
  }

  /** Names of a group's roles. */
  async getGroupRoles(groupId, { signal } = {}) {
    return (await this.rest.get(`community/groups/${part(groupId)}`, { signal })).roles;
  }

  /** Give roles to a group and take roles from it: `{adds?: [names], deletes?: [names]}`. */
  async updateGroupRoles(groupId, { adds, deletes }, { signal } = {}) {
    const roles = (names) => (names === undefined ? undefined : { roles: names });
    const body = { adds: roles(adds), deletes: roles(deletes) };
    return (await this.rest.post(`community/groups/${part(groupId)}`, body, { signal })).success;
  }

  async getRoles({ signal } = {}) {
    return (await this.rest.get('community/roles', { signal })).roles;
  }

  getRole(roleName, { signal } = {}) {
    return this.rest.get(`community/roles/${part(roleName)}`, { signal });
  }

  /** Make a role, or replace it: `{description?, privileges}`. */
  async setRole(roleName, { description, privileges }, { signal } = {}) {
    const body = { roleName, description, privileges };
    return (await this.rest.post(`community/roles/${part(roleName)}`, body, { signal })).success;
  }

  /** Tells whether there was such a role. */
  async deleteRole(roleName, { signal } = {}) {
    return (await this.rest.delete(`community/roles/${part(roleName)}`, { signal })).found;
  }
}
