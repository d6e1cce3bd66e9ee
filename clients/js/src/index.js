/** The JavaScript client of Stepgate. See README.md. */

export { BaseManager } from './base-manager.js';
export { CommunityManager } from './community-manager.js';
export { DEFAULT_ITEM } from './config.js';
export { DiagramsManager } from './diagrams-manager.js';
export * from './enums.js';
export {
  AnswerRejected,
  ConfigurationError,
  ConnectionFailed,
  NotFound,
  PermissionDenied,
  ProtocolError,
  RequestRefused,
  ServerFailed,
  StepgateError,
  SubscriptionEnded,
  SubscriptionRefused,
  Unauthenticated,
  Unavailable,
  VerdictMissing,
} from './errors.js';
export { JobTemplatesManager } from './job-templates-manager.js';
export { JobsManager } from './jobs-manager.js';
export { LookupsManager } from './lookups-manager.js';
export { ManagerFactory } from './manager-factory.js';
export { NotificationManager } from './notification-manager.js';
export { SavedSearchesManager } from './saved-searches-manager.js';
export { TemplatesManager } from './templates-manager.js';
export { WorkflowItemManager } from './workflow-item-manager.js';
