/** The JavaScript client of Stepgate. See README.md. */

export * from './base-manager.js';
export * from './community-manager.js';
export * from './config.js';
export * from './diagrams-manager.js';
export * from './enums.js';
export * from './errors.js';
export * from './job-templates-manager.js';
export * from './jobs-manager.js';
export * from './lookups-manager.js';
export * from './manager-factory.js';
export * from './notification-manager.js';
export * from './saved-searches-manager.js';
export * from './templates-manager.js';
export * from './workflow-item-manager.js';
export type * from './message-types.js';
export type * from './models.js';
